"""Compare the figures of bodies of one kind: quartiles, rank bands and outliers, where enough of them have a value.

Few rows are compared (mostly one for each body and figure), so they are compared as rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pyarrow as pa

from piperoll.measuring.checks import format_percent
from piperoll.measuring.definition import Measure
from piperoll.measuring.rows import COMPARED, RowStatus, replace_columns
from piperoll.measuring.statistics import (
    FEWEST_FOR_LIST,
    FEWEST_FOR_QUARTILES,
    LEAST_PEER_SHARE,
    Interval,
    PeerView,
    RankBand,
    find_outliers,
    rank_bands,
    summarise_peers,
)
from piperoll.model.columns import pc

_STEP = Decimal("0.000001")

Row = dict[str, Any]


def compare_with_peers(measure: Measure, rows: pa.RecordBatch, kinds: Mapping[str, str]) -> pa.RecordBatch:
    """The rows with what their peers have: bodies of the same kind with a row for the same figure and item.

    Rows of single items are compared only if their figure declares `peers_by_item`. `kinds` are those of the bodies.
    """
    by_item = pa.array([figure.id for figure in measure.figures if figure.peers_by_item], pa.string())
    is_compared = pc.or_(pc.equal(rows["item"], ""), pc.is_in(rows["figure"], by_item))
    if measure.comparators != "kind":
        is_compared = pc.and_(is_compared, False)
    compared = rows.filter(is_compared).to_pylist()
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, row in enumerate(compared):
        groups[kinds[row["body"]], row["figure"], row["item"]].append(number)
    high_is = {figure.id: figure.high_is for figure in measure.figures}
    for (_, figure, _), numbers in groups.items():
        group = _compare([compared[number] for number in numbers], high_is[figure])
        for number, row in zip(numbers, group, strict=True):
            compared[number] = row
    columns = {}
    for name, kind in COMPARED.items():
        before = rows[name] if name in rows.schema.names else pa.nulls(rows.num_rows, kind)
        after = pa.array([row.get(name) for row in compared], kind)
        columns[name] = pc.replace_with_mask(before, is_compared, after)
    columns["outlier"] = pc.fill_null(columns["outlier"], False)
    return replace_columns(rows, columns)


def _compare(rows: Sequence[Row], high_is: str) -> list[Row]:
    """Compare rows of one kind of body, figure and item."""
    valued = [row for row in rows if row["value"] is not None]
    values = [row["value"] for row in valued]
    summary = summarise_peers(values, len(rows))
    if summary.view is not PeerView.QUARTILES:
        return [_list_only(row, len(values), len(rows)) for row in rows]
    outliers = dict(zip((row["body"] for row in valued), find_outliers(values)[0], strict=True))
    bands: dict[str, RankBand] = {}
    if high_is != "unstated":
        bands = rank_bands({row["body"]: _interval(row) for row in valued}, high_is_good=high_is == "good")
    same = {
        "peers": len(values),
        "peer_median": _round(summary.median),
        "peer_q1": _round(summary.lower_quartile),
        "peer_q3": _round(summary.upper_quartile),
    }
    compared = []
    for row in rows:
        band = bands.get(row["body"])
        ranks = {"rank_best": band.best, "rank_worst": band.worst} if band else {}
        compared.append(row | same | ranks | {"outlier": outliers.get(row["body"], False)})
    return compared


def _list_only(row: Row, count: int, bodies: int) -> Row:
    """A row that stands beside others without a band; one that is shown becomes list-only and says why."""
    if row["status"] != RowStatus.SHOWN:
        return row | {"peers": count}
    if count >= FEWEST_FOR_QUARTILES:
        why = f"only {count} of {bodies} bodies of the kind have a value: {format_percent(LEAST_PEER_SHARE)} must"
    elif count < FEWEST_FOR_LIST:
        why = f"{_count_bodies(count)}: too few to compare"
    else:
        why = f"{_count_bodies(count)}: values are listed, and {FEWEST_FOR_QUARTILES} are needed for a band"
    reason = f"{why}; {row['reason']}" if row["reason"] else why
    return row | {"peers": count, "status": str(RowStatus.LIST_ONLY), "reason": reason}


def _count_bodies(count: int) -> str:
    return "1 body of the kind has a value" if count == 1 else f"{count} bodies of the kind have a value"


def _interval(row: Row) -> Interval:
    value, lo, hi = row["value"], row["lo"], row["hi"]
    return Interval(value, value if lo is None else lo, value if hi is None else hi)


def _round(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_STEP, ROUND_HALF_EVEN)
