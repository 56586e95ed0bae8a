"""The checks of rows, in order: coverage, then interval. The first that fails sets the status and reason of a row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import pyarrow as pa

from piperoll.errors import DescriptorError
from piperoll.measuring.definition import Measure
from piperoll.measuring.rows import RowStatus, replace_columns
from piperoll.model.columns import Cells, Mask, pc


def judge(measure: Measure, rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with their status, before they are compared with peers; withheld rows lose their value and bounds.

    What the query itself says takes precedence over a milder status of ours, and its reason is kept.
    Raises: DescriptorError: the query returns an unknown status.
    """
    _require_statuses(measure, rows)
    own = pc.if_else(pc.equal(rows["reason"], ""), pa.scalar(None, pa.string()), rows["reason"])
    withheld = pc.coalesce(_lacks_value(rows), _lacks_coverage(measure, rows), _is_out_of_bounds(measure, rows))
    uncertain = pc.coalesce(_is_too_wide(measure, rows), _is_mostly_inferred(measure, rows))
    is_withheld, is_uncertain = pc.is_valid(withheld), pc.is_valid(uncertain)
    judged = {
        name: pc.if_else(is_withheld, pa.scalar(None, rows[name].type), rows[name]) for name in ("value", "lo", "hi")
    }
    stated = pc.if_else(pc.equal(rows["status"], ""), str(RowStatus.SHOWN), rows["status"])
    status = pc.if_else(is_uncertain, str(RowStatus.INDICATIVE), stated)
    judged["status"] = pc.if_else(is_withheld, str(RowStatus.WITHHELD), status)
    both = pc.binary_join_element_wise(uncertain, own, "; ")
    judged["reason"] = pc.coalesce(withheld, both, uncertain, own, "")
    return replace_columns(rows, judged)


def format_percent(share: Decimal, limit: Decimal | None = None) -> str:
    """A share as a percentage with one place at most: 85%, 61.5%.

    A share that would read as its `limit`, without being it, keeps all its places: 84.9722% is less than 85%.
    """
    text = f"{share * 100:.1f}"
    if limit is not None and share != limit and text == f"{limit * 100:.1f}":
        text = f"{(share * 100).normalize():f}"
    return f"{text.removesuffix('.0')}%"


def _require_statuses(measure: Measure, rows: pa.RecordBatch) -> None:
    for status in pc.unique(rows["status"]).to_pylist():
        if status and status not in set(RowStatus):
            figure = rows["figure"][pc.index(rows["status"], status).as_py()]
            raise DescriptorError(f"measures/{measure.id}: the query returns the status '{status}' for {figure}")


# Each check gives a reason for the rows that fail it, and null for the others.


def _lacks_value(rows: pa.RecordBatch) -> Cells:
    fails = pc.or_(pc.equal(rows["status"], str(RowStatus.WITHHELD)), pc.is_null(rows["value"]))
    return _give_reasons(fails, lambda reason: reason or "there is nothing to measure it by", rows["reason"])


def _lacks_coverage(measure: Measure, rows: pa.RecordBatch) -> Cells:
    least = measure.coverage_minimum
    if least is None:
        return _no_reasons(rows)
    of = f" of {measure.coverage_of}" if measure.coverage_of else ""
    return _give_reasons(
        pc.less(rows["coverage"], least),
        lambda coverage: (
            f"the data covers {format_percent(coverage, least)}{of}: at least {format_percent(least)} is needed"
        ),
        rows["coverage"],
    )


def _is_out_of_bounds(measure: Measure, rows: pa.RecordBatch) -> Cells:
    lo, hi, value = rows["lo"], rows["hi"], rows["value"]
    places = {figure.id: figure.places for figure in measure.figures}

    def describe(figure: str, *numbers: Decimal | None) -> str:
        spelled = (None if one is None else f"{one:.{places[figure]}f}" for one in numbers)
        return "the bounds {} to {} do not contain the value {}".format(*spelled)

    return _give_reasons(
        pc.or_kleene(pc.greater(lo, value), pc.less(hi, value)), describe, rows["figure"], lo, hi, value
    )


def _is_too_wide(measure: Measure, rows: pa.RecordBatch) -> Cells:
    """Why a row is too uncertain to compare: the width of a share is in points, that of others relative."""
    widest = measure.widest_interval
    if widest is None:
        return _no_reasons(rows)
    width = pc.subtract(rows["hi"], rows["lo"])
    shares = pa.array([figure.id for figure in measure.figures if figure.unit == "share"], pa.string())
    is_share = pc.is_in(rows["figure"], shares)

    def describe(width: Decimal, is_share: bool) -> str:
        if not is_share:
            return f"the bounds are further apart than {format_percent(widest)} of the value: too wide to compare"
        points, limit = (format_percent(one, widest).removesuffix("%") for one in (width, widest))
        return f"the bounds are {points} points apart: more than {limit} is too wide to compare"

    most = pc.if_else(is_share, widest, pc.multiply(pc.abs(rows["value"]), widest))
    return _give_reasons(pc.greater(width, most), describe, width, is_share)


def _is_mostly_inferred(measure: Measure, rows: pa.RecordBatch) -> Cells:
    most = measure.most_inferred
    if most is None:
        return _no_reasons(rows)
    return _give_reasons(
        pc.greater(rows["inferred_share"], most),
        lambda share: (
            f"{format_percent(share, most)} of it is inferred by our rules and not stated by the body: "
            f"more than {format_percent(most)}"
        ),
        rows["inferred_share"],
    )


def _give_reasons(fails: Mask, describe: Callable[..., str], *columns: Cells) -> Cells:
    """A text for the rows that fail, null for the others; what `columns` have in a row are the arguments of its text.

    `describe` is called once for the same arguments, because most rows of a body fail for the same reason.
    """
    fails = pc.fill_null(fails, False)
    texts = cache(describe)
    arguments = zip(*(column.filter(fails).to_pylist() for column in columns), strict=True)
    reasons = pa.array([texts(*one) for one in arguments], pa.string())
    return pc.replace_with_mask(pa.nulls(len(fails), pa.string()), fails, reasons)


def _no_reasons(rows: pa.RecordBatch) -> Cells:
    return pa.nulls(rows.num_rows, pa.string())
