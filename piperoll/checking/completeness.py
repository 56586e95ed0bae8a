"""Signs within one file that rows are missing, or that amounts are in thousands: its order, its last days, its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from piperoll.checking.survey import TableSurvey, address_in, main_field
from piperoll.checking.totals import ColumnAmounts
from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Finding, Period
from piperoll.model.columns import Cells, pc
from piperoll.reading import ReadTable

_ENOUGH_ROWS = 20
"""In fewer rows, days without payments are usual and dates may be in order by chance."""
_IN_ORDER = 0.98
"""The share of neighbouring rows whose dates must be in order."""
_QUIET_SHARE = 0.25
"""Warn if at least this share of the period comes after the last row: payments are made until its last week."""
_MONTH_DAYS = range(28, 32)

_THRESHOLD = re.compile(
    r"(?:over|above|exceeding|greater than|more than)[\s_+-]*(?:£|gbp|%c2%a3)?[\s_+-]*(\d{1,3}(?:[,.]?\d{3})?)"
    r"\s*(k\b|k(?=[_\W]))?",
    re.IGNORECASE,
)
_ROWS = r"(?:records?|rows?|transactions?|payments?|lines?|entries|items)"
_COUNT = r"(\d{1,3}(?:,\d{3})+|\d{1,9})"
_STATED_ROWS = re.compile(
    rf"(?:\b(?:number|no\.?|count) of {_ROWS}|\b{_ROWS} count|\btotal {_ROWS})\s*[:=-]?\s*{_COUNT}\s*\Z"
    rf"|\A\s*\(?{_COUNT} (?:records|rows|transactions|entries)(?: in (?:this|the) (?:file|report|list))?\.?\)?\s*\Z",
    re.IGNORECASE,
)
"""A title such as `Number of records: 1,250` or `1,250 rows`."""

_LEAST_THRESHOLD = 250
_ENOUGH_AMOUNTS = 10
_FAR_BELOW = 50
"""Amounts whose median is this far below the smallest amount of the list are in another unit."""


def find_early_end(table: ReadTable, survey: TableSurvey, dataset: Dataset, period: Period | None) -> Iterator[Finding]:
    """Warn of a month whose rows are in order of their dates and end long before the month does."""
    date = main_field(dataset.date, table)
    days = (period.end - period.start).days + 1 if period else 0
    if dataset.snapshot or dataset.ocds:  # what is awarded or exists has no rhythm
        return
    if period is None or date is None or days not in _MONTH_DAYS or table.rows < _ENOUGH_ROWS or not survey.dates:
        return
    first, last = min(survey.dates), max(survey.dates)
    quiet = period.end.day - int(last[-2:])
    inside = period.start.isoformat() <= first and last <= period.end.isoformat()
    if not inside or quiet < _QUIET_SHARE * days:
        return
    stated = pa.chunked_array([batch[date].drop_null() for batch in table.batches()], pa.string()).combine_chunks()
    ordered = pc.sum(pc.less_equal(stated[:-1], stated[1:])).as_py() or 0
    if len(stated) >= _ENOUGH_ROWS and ordered >= _IN_ORDER * (len(stated) - 1):
        address, name = address_in(table, date), Period.parse(last).title
        yield make_finding("file-ends-early", address, last=name, days=quiet, period=period.title)


def find_rows_missing(table: ReadTable) -> Iterator[Finding]:
    """Hold a table of which a title gives more rows than there are: a file that was cut still has its titles."""
    titles = (*table.titles, *map(" ".join, pairwise(table.titles)))  # the number may be in a cell of its own
    for match in filter(None, map(_STATED_ROWS.search, titles)):
        if int((match[1] or match[2]).replace(",", "")) > table.rows + len(table.excluded_rows):
            yield make_finding("rows-fewer-than-stated", Address(table.sheet), value=match[0], rows=table.rows)
            return


def find_below_threshold(table: ReadTable, dataset: Dataset, file: str) -> Iterator[Finding]:
    """Hold a list whose name or title gives its smallest amount if all amounts are far below that.

    They may be in thousands.
    """
    amount = main_field(dataset.amount, table)
    titles = ",".join(table.titles)  # the comma of `over £25,000` cuts a title in two
    texts = [PurePosixPath(file).name, titles]
    match = next(filter(None, map(_THRESHOLD.search, texts)), None)
    if amount is None or match is None or table.rows < _ENOUGH_AMOUNTS:
        return
    least = int(re.sub(r"\D", "", match[1])) * (1000 if match[2] else 1)
    if least < _LEAST_THRESHOLD:
        return
    sizes = np.concatenate([_sizes(batch[amount]) for batch in table.batches()])
    sizes = sizes[sizes > 0]
    if len(sizes) >= _ENOUGH_AMOUNTS and sizes.max() < least and float(np.median(sizes)) * _FAR_BELOW < least:
        yield make_finding(
            "amounts-below-threshold",
            address_in(table, amount),
            variant="name" if match.string is texts[0] else "title",
            least=f"{least:,}",
            largest=f"{Decimal(str(sizes.max())):,f}",
            count=len(sizes),
        )


def _sizes(cells: Cells) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    amounts = ColumnAmounts.parse(cells)
    plain = pc.abs(amounts.plain).cast("float64").to_numpy(zero_copy_only=False)
    return np.append(plain, [float(abs(each)) for each in amounts.other])
