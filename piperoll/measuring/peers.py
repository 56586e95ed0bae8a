"""Compare the figures of bodies of one kind: quartiles, rank bands and outliers, where enough of them have a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from piperoll.measuring.checks import format_percent
from piperoll.measuring.definition import Measure
from piperoll.measuring.rows import MeasureRow, RowStatus
from piperoll.measuring.statistics import (
    FEWEST_FOR_LIST,
    FEWEST_FOR_QUARTILES,
    LEAST_PEER_SHARE,
    Interval,
    PeerView,
    find_outliers,
    rank_bands,
    summarise_peers,
)

_STEP = Decimal("0.000001")


def compare_with_peers(measure: Measure, rows: Sequence[MeasureRow]) -> list[MeasureRow]:
    """The rows with what their peers have: bodies of the same kind with a row for the same figure, period and item.

    Rows of single items are compared only if their figure declares `peers_by_item`.
    """
    if measure.comparators != "kind":
        return list(rows)
    by_item = {figure.id for figure in measure.figures if figure.peers_by_item}
    high_is = {figure.id: figure.high_is for figure in measure.figures}
    groups: dict[tuple[str, str, str], list[MeasureRow]] = defaultdict(list)
    for row in rows:
        if not row.item or row.figure in by_item:
            groups[row.peer_kind, row.figure, row.item].append(row)
    compared = {row.figure_id: row for group in groups.values() for row in _compare(group, high_is[group[0].figure])}
    return [compared.get(row.figure_id, row) for row in rows]


def _compare(rows: list[MeasureRow], high_is: str) -> Iterable[MeasureRow]:
    """Compare rows of one kind of body, figure and item."""
    valued = [row for row in rows if row.value is not None]
    values = [row.value for row in valued if row.value is not None]
    summary = summarise_peers(values, len(rows))
    if summary.view is not PeerView.QUARTILES:
        return [_list_only(row, len(values), len(rows)) for row in rows]
    outliers = dict(zip((row.figure_id for row in valued), find_outliers(values)[0], strict=True))
    bands = {}
    if high_is != "unstated":
        intervals = {row.figure_id: _interval(row) for row in valued}
        bands = rank_bands(intervals, high_is_good=high_is == "good")
    return [
        replace(
            row,
            peers=len(values),
            peer_median=_round(summary.median),
            peer_q1=_round(summary.lower_quartile),
            peer_q3=_round(summary.upper_quartile),
            rank_best=bands[row.figure_id].best if row.figure_id in bands else None,
            rank_worst=bands[row.figure_id].worst if row.figure_id in bands else None,
            outlier=outliers.get(row.figure_id, False),
        )
        for row in rows
    ]


def _list_only(row: MeasureRow, count: int, bodies: int) -> MeasureRow:
    """A row that stands beside others without a band; one that is shown becomes list-only and says why."""
    if row.status != RowStatus.SHOWN:
        return replace(row, peers=count)
    if count >= FEWEST_FOR_QUARTILES:
        why = f"only {count} of {bodies} bodies of the kind have a value: {format_percent(LEAST_PEER_SHARE)} must"
    elif count < FEWEST_FOR_LIST:
        why = f"{_count_bodies(count)}: too few to compare"
    else:
        why = f"{_count_bodies(count)}: values are listed, and {FEWEST_FOR_QUARTILES} are needed for a band"
    reason = f"{why}; {row.reason}" if row.reason else why
    return replace(row, peers=count, status=str(RowStatus.LIST_ONLY), reason=reason)


def _count_bodies(count: int) -> str:
    return "1 body of the kind has a value" if count == 1 else f"{count} bodies of the kind have a value"


def _interval(row: MeasureRow) -> Interval:
    value = row.value or Decimal(0)
    return Interval(value, value if row.lo is None else row.lo, value if row.hi is None else row.hi)


def _round(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_STEP, ROUND_HALF_EVEN)
