"""Which queries the totals of consolidated years answer, so that no line has to be read."""

from __future__ import annotations

from piperoll import assets
from piperoll.releasing.totals import TotalsBy, totals_columns
from serving.row_query import RowQuery
from serving.version_selection import LineFilter


def totals_for(query: RowQuery, lines: LineFilter) -> str | None:
    """The kind of totals that answers a query with groups; None if only the lines do."""
    dataset = assets.dataset(query.scope.dataset)
    figures = {one.field.name for one in query.aggregates if one.field is not None}
    if not query.aggregates or query.words or not figures <= set(dataset.amount) or query.adds_up is not None:
        return None
    names = {one.field.name for one in query.group_by} | {one.field.name for one in query.conditions}
    if lines.series is not None:
        names.add("series")
    if lines.within is not None:
        names |= {"series", "line_date", "financial_year"}
    return _smallest(query, names)


def totals_for_undated(query: RowQuery) -> str | None:
    """The kind of totals that tells how many lines a query leaves out because they have no date, and their pounds."""
    if query.words or len(query.amount) > 1:
        return None
    names = {one.field.name for one in query.conditions} | {"series", "line_date", "financial_year"}
    return _smallest(query, names)


def _smallest(query: RowQuery, names: set[str]) -> str | None:
    """The kind of totals with the columns `names`, the one with fewer rows first."""
    dataset = assets.dataset(query.scope.dataset)
    names = {"series" if name == "period" else name for name in names}
    for kind in TotalsBy:
        if names <= set(totals_columns(dataset, kind)):
            return kind.value
    return None
