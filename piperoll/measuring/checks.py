"""The checks of one row, in order: coverage, then interval. The first that fails sets its status and reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from piperoll.errors import DescriptorError
from piperoll.measuring.definition import Figure, Measure
from piperoll.measuring.rows import RawRow, RowStatus


def judge(measure: Measure, figure: Figure, row: RawRow) -> RawRow:
    """The row with its status, before it is compared with peers; withheld rows lose their value and bounds.

    What the query itself says takes precedence over a milder status of ours, and its reason is kept.
    Raises: DescriptorError: the query returns an unknown status.
    """
    if row.status and row.status not in set(RowStatus):
        raise DescriptorError(f"measures/{measure.id}: the query returns the status '{row.status}' for {figure.id}")
    if row.status == RowStatus.WITHHELD or row.value is None:
        return _withhold(row, "there is nothing to measure it by")
    if reason := _lacks_coverage(measure, row):
        return _withhold(replace(row, reason=""), reason)
    lo, hi = row.lo, row.hi
    if (lo is not None and lo > row.value) or (hi is not None and hi < row.value):
        return _withhold(replace(row, reason=""), f"the bounds {lo} to {hi} do not contain the value {row.value}")
    if reason := _is_uncertain(measure, figure, row):
        return replace(row, status=str(RowStatus.INDICATIVE), reason=_join(reason, row.reason))
    return replace(row, status=row.status or str(RowStatus.SHOWN))


def format_percent(share: Decimal, limit: Decimal | None = None) -> str:
    """A share as a percentage with one place at most: 85%, 61.5%.

    A share that would read as its `limit`, without being it, keeps all its places: 84.9722% is less than 85%.
    """
    text = f"{share * 100:.1f}"
    if limit is not None and share != limit and text == f"{limit * 100:.1f}":
        text = f"{(share * 100).normalize():f}"
    return f"{text.removesuffix('.0')}%"


def _withhold(row: RawRow, reason: str) -> RawRow:
    return replace(row, status=str(RowStatus.WITHHELD), value=None, lo=None, hi=None, reason=row.reason or reason)


def _lacks_coverage(measure: Measure, row: RawRow) -> str:
    if measure.coverage_minimum is None or row.coverage is None or row.coverage >= measure.coverage_minimum:
        return ""
    of = f" of {measure.coverage_of}" if measure.coverage_of else ""
    return (
        f"the data covers {format_percent(row.coverage, measure.coverage_minimum)}{of}: "
        f"at least {format_percent(measure.coverage_minimum)} is needed"
    )


def _is_uncertain(measure: Measure, figure: Figure, row: RawRow) -> str:
    """Why a row is too uncertain to compare; empty if it is not. The width of a share is in points, else relative."""
    widest, inferred = measure.widest_interval, measure.most_inferred
    if widest is not None and row.lo is not None and row.hi is not None and row.value is not None:
        width = row.hi - row.lo
        if figure.unit == "share" and width > widest:
            points = format_percent(width, widest).removesuffix("%")
            limit = format_percent(widest).removesuffix("%")
            return f"the bounds are {points} points apart: more than {limit} is too wide to compare"
        if figure.unit != "share" and width > widest * abs(row.value):
            return f"the bounds are further apart than {format_percent(widest)} of the value: too wide to compare"
    if inferred is not None and row.inferred_share is not None and row.inferred_share > inferred:
        share = format_percent(row.inferred_share, inferred)
        return (
            f"{share} of it is inferred by our rules and not stated by the body: more than {format_percent(inferred)}"
        )
    return ""


def _join(first: str, second: str) -> str:
    return f"{first}; {second}" if first and second else first or second
