"""Figures of measures in words: values by unit, bounds, peers, rank bands and statuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from piperoll.describing.measures import Figure, MeasureDefinition
from piperoll.describing.wording import format_number, lower_first, name_kinds

NOTHING = "–"

_OFTEN = 3
"""A reason that at least this many lines of a table share is stated once, above the table."""


@dataclass(frozen=True, slots=True)
class StatusWords:
    """A status as a tag, its colour, and what it means for a reader."""

    tag: str
    colour: str
    meaning: str


STATUS_WORDS = {
    "shown": StatusWords("Shown", "good", "The figure passed every check."),
    "indicative": StatusWords(
        "Rough", "warn", "The figure may be well off: its bounds are wide, or much of it was worked out by rule."
    ),
    "list-only": StatusWords(
        "Not compared", "", "The figure may be read, but is not set against those of other bodies."
    ),
    "withheld": StatusWords(
        "Withheld", "bad", "There is no figure, because it would mislead. The reason is stated beside it."
    ),
}
"""Each status of a figure, in the order from best to worst."""


def format_value(value: Decimal | None, unit: str) -> str:
    """Format a value by its unit: 66.7 %, £1,250.00, 12 years; a dash for None."""
    return NOTHING if value is None else _FORMATS[unit](value)


def _rounded(value: Decimal, places: int) -> str:
    """A number with thousands separators; whole numbers have no decimal places."""
    if value == value.to_integral_value():
        return f"{value:,.0f}"
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"


def _pounds(value: Decimal) -> str:
    return f"{'-' if value < 0 else ''}£{abs(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


def _share(value: Decimal) -> str:
    return f"{(value * 100).quantize(Decimal('0.1'), ROUND_HALF_UP):,f} %"


_FORMATS: dict[str, Callable[[Decimal], str]] = {
    "share": _share,
    "gbp": _pounds,
    "gbp-per-transaction": _pounds,
    "count": lambda value: _rounded(value, 1),
    "fte": lambda value: _rounded(value, 1),
    "years": lambda value: f"{_rounded(value, 1)} {'year' if value == 1 else 'years'}",
    "days": lambda value: f"{_rounded(value, 0)} {'day' if value == 1 else 'days'}",
    "ratio": lambda value: _rounded(value, 2),
}

UNIT_WORDS = {
    "share": "percent",
    "gbp": "pounds",
    "gbp-per-transaction": "pounds for each transaction",
    "count": "number",
    "fte": "full-time posts",
    "years": "years",
    "days": "days",
    "ratio": "ratio",
}
"""Units as the headings of tables and the captions of pictures name them."""


def describe_figure(figure: Figure) -> str:
    """Say a value with its bounds: 66.7 %, between 54.0 % and 73.0 %; or that it is withheld."""
    if not figure.has_value:
        return "Withheld"
    value = format_value(figure.value, figure.unit)
    return f"{value}, {describe_bounds(figure)}" if figure.has_bounds else value


def describe_bounds(figure: Figure) -> str:
    """Say between what a value lies: between 54.0 % and 73.0 %; that it is exact; a dash without bounds."""
    if not figure.has_value or figure.lo is None or figure.hi is None:
        return NOTHING
    if not figure.has_bounds:
        return "exact"
    return f"between {format_value(figure.lo, figure.unit)} and {format_value(figure.hi, figure.unit)}"


def describe_rank(figure: Figure) -> str:
    """Say the band of ranks: 2 to 5 of 12. The exact rank inside it cannot be known."""
    if not figure.has_value or figure.rank_best is None or figure.rank_worst is None or not figure.peers:
        return NOTHING
    band = str(figure.rank_best)
    if figure.rank_worst != figure.rank_best:
        band = f"{figure.rank_best} to {figure.rank_worst}"
    return f"{band} of {format_number(figure.peers)}"


def write_sentence(reason: str) -> str:
    """Write a reason as a sentence; an empty one stays empty."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." if reason else ""


def shared_reasons(rows: Sequence[Figure]) -> dict[str, str]:
    """The reasons that a table states once above it, by status: those of all its lines, or of three or more.

    There is one for each status, so that a line which is marked with the status and gives no reason is clear.
    """
    counted = Counter((row.status, row.reason) for row in rows if row.reason and row.status != "shown")
    shared: dict[str, str] = {}
    for (status, reason), times in counted.most_common():
        if times >= _OFTEN or times == len(rows) > 1:
            shared.setdefault(status, reason)
    return shared


def describe_peers(figure: Figure) -> str:
    """Say where the middle half of the bodies of a kind lies; empty if too few have a value."""
    if figure.peer_median is None or figure.peer_q1 is None or figure.peer_q3 is None or not figure.peers:
        return ""
    low, middle, high = (
        format_value(value, figure.unit) for value in (figure.peer_q1, figure.peer_median, figure.peer_q3)
    )
    kinds = name_kinds([figure.peer_kind]) if figure.peer_kind else "bodies"
    return (
        f"Half of the {format_number(figure.peers)} {kinds} with a value lie between {low} and {high}. "
        f"The middle one is at {middle}."
    )


def describe_coverage(figure: Figure, definition: MeasureDefinition) -> str:
    """Say how much of what should be known is known: 96.0 % of pounds of spending; a dash if the row does not say."""
    if figure.coverage is None:
        return NOTHING
    return (
        f"{_share(figure.coverage)} of {lower_first(definition.coverage_of)}"
        if definition.coverage_of
        else _share(figure.coverage)
    )
