"""Which period a submission covers (DESIGN, "Which period, which series, which version")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc

from piperoll.checking import findings
from piperoll.checking.places import place
from piperoll.checking.rows import Rows
from piperoll.checking.survey import Survey, dated, main_field
from piperoll.model import Dataset, Finding, Period
from piperoll.model.columns import texts, to_flags
from piperoll.reading import ReadTable, periods_in_name

_SNAPSHOT_DAYS = ((3, 31), (9, 30))


@dataclass(frozen=True, slots=True)
class Found:
    """A period, None if there is none to be told, and how it was found."""

    period: Period | None
    findings: tuple[Finding, ...] = ()


def find_period(
    tables: Sequence[ReadTable], seen: Sequence[Survey], dataset: Dataset, file: str, given: Period | None
) -> Found:
    """The period as given; else as the file's or the sheets' names say; else as the dates say.

    `seen` are the surveys of the tables.

    A name counts if it says one period only and at least half of the dated rows lie in it. Of a snapshot the day
    is wanted: of two days in a name the one that is 31 March or 30 September.
    """
    if given:
        return Found(given)
    days = _days(seen)
    said: tuple[Finding, ...] = ()
    name, candidates = _named(tables, dataset, file)
    if len(candidates) == 1:
        inside = sum(count for day, count in days.items() if day in candidates[0])
        if 2 * inside >= days.total():
            return Found(candidates[0], (findings.period_from_name(candidates[0], name),))
        said = (findings.name_contradicted(candidates[0], inside, days.total()),)
    elif candidates and days:
        said = (findings.name_ambiguous(candidates),)
    period = _from_days(days, dataset)
    return Found(period, (*said, findings.period_from_dates(period) if period else findings.period_unknown()))


def named_period(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> bool:
    """Whether a name says one period only: it then stands for a period that is given."""
    return len(_named(tables, dataset, file)[1]) == 1


def outside(table: ReadTable, seen: Survey, dataset: Dataset, period: Period) -> Iterator[Finding]:
    """One warning for the rows that are dated outside `period`; a snapshot's dates are about other things."""
    field = dated(table, dataset)
    days = [day for day in seen.dates if date.fromisoformat(day) not in period]
    if field and days:
        first, count = _rows_of(table, field, days)
        yield findings.dates_outside(period, place(table, main_field(dataset.date, table)), first, count)


def _named(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> tuple[str, tuple[Period, ...]]:
    """The name that speaks of a period, and the periods that it may mean: the file's before the sheets'."""
    if of_file := _periods(file, dataset):
        return file, of_file
    sheets = list(dict.fromkeys(table.sheet for table in tables if table.sheet))
    of_sheets = dict.fromkeys(period for sheet in sheets for period in _periods(sheet, dataset))
    return ", ".join(sheets), tuple(of_sheets)


def _periods(name: str, dataset: Dataset) -> tuple[Period, ...]:
    found = periods_in_name(name, snapshot=dataset.snapshot)
    if dataset.snapshot and len(found) > 1:
        usual = tuple(period for period in found if (period.end.month, period.end.day) in _SNAPSHOT_DAYS)
        return usual or found
    return found


def _from_days(days: Mapping[date, int], dataset: Dataset) -> Period | None:
    if not dataset.snapshot:
        return Period.shortest_holding_most(days)
    return Period.day(*days) if len(days) == 1 else None


def _days(seen: Sequence[Survey]) -> Counter[date]:
    """How many lines have each main date."""
    days: Counter[date] = Counter()
    for one in seen:
        for day, count in one.dates.items():
            days[date.fromisoformat(day)] += count
    return days


def _rows_of(table: ReadTable, field: str, days: Sequence[str]) -> tuple[list[int], int]:
    """The first few of the rows with one of these days, as they come, and how many there are."""
    wanted, rows, first = texts(days), Rows(), dict[int, None]()
    for batch in table.batches():
        met = batch["row"].to_numpy()[to_flags(pc.is_in(batch[field], value_set=wanted))]
        rows.add(met)
        if len(first) < findings.NAMED:
            first.update(dict.fromkeys(met.tolist()))
    return list(first)[: findings.NAMED], len(rows)
