"""What the catalogue keeps of the rows of a release, so that no page reads them again: charts, and names to search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll import assets
from piperoll.describing.bars import Chart, chart
from piperoll.describing.charts import Rule, tallies
from piperoll.model import Dataset, Listing, Period

FORM = 1
"""Which form summaries have: a summary of another form is made again."""

_NOT_REDACTED = frozenset({"", "none"})


@dataclass(frozen=True, slots=True)
class Summary:
    """The charts of a release, and how many rows each name has that one may search by."""

    charts: tuple[Chart, ...]
    names: Mapping[str, int]


def summarise(dataset: Dataset, period: Period, rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    """The summary of a release from the rows of its CSV, header first: JSON that `summary_of` reads.

    A function of the release alone, so that it may be kept for as long as the release stands. Rows are taken one by
    one. Names that the release redacts are not searched by.
    Raises: DescriptorError: catalogue.json of the dataset says something that we do not understand.
    """
    declared = assets.shown(dataset.name)
    rules = [Rule.from_declared(entry, dataset) for entry in declared["charts"]]
    stream = iter(rows)
    header = next(stream, ())
    names: dict[str, int] = {}
    counted = _counting(stream, header, declared["search"], names)
    charts = [chart(tally, period).to_json() for tally in tallies(rules, header, counted)]
    return {"form": FORM, "charts": charts, "names": dict(sorted(names.items()))}


def _counting(
    rows: Iterable[Sequence[str]], header: Sequence[str], field: str | None, names: dict[str, int]
) -> Iterator[Sequence[str]]:
    """The rows as they are, while `names` counts what stands in `field`."""
    place = header.index(field) if field in header else None
    hidden = header.index("redaction") if "redaction" in header else None
    for row in rows:
        if place is not None and row[place] and (hidden is None or row[hidden] in _NOT_REDACTED):
            names[row[place]] = names.get(row[place], 0) + 1
        yield row


def summary_of(listing: Listing) -> Summary:
    """The summary that came with a listing; an empty one where there is none."""
    document = listing.summary or {"charts": [], "names": {}}
    return Summary(tuple(map(Chart.from_json, document["charts"])), document["names"])
