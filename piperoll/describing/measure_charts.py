"""Pictures of measures: values with their bounds and the band of the peers, and pyramids of shares by level.

Positions are percentages of the width, so that a picture fits a phone and paper. The words in a picture are those of
the table beneath it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from piperoll.describing.measure_wording import describe_figure, format_value
from piperoll.describing.measures import Figure

LINE_HEIGHT = 46
"""Height of a line of a picture in pixels: a label above a bar."""

_FAR = 6
"""A scale ends at this many times the middle value: a value beyond it is drawn at the edge, and its words say more."""


@dataclass(frozen=True, slots=True)
class BoundsLine:
    """One line of a picture: its label and words, and where its bounds and its value lie.

    Positions are percentages as text. They are None if the value is withheld.
    """

    label: str
    words: str
    offset: int
    start: str | None
    length: str | None
    point: str | None


@dataclass(frozen=True, slots=True)
class BoundsChart:
    """Values with their bounds on one scale, and the band of the peers behind them (None if there are too few)."""

    lines: Sequence[BoundsLine]
    height: int
    low_words: str
    high_words: str
    zero: str | None
    band_start: str | None
    band_length: str | None
    middle: str | None


def draw_bounds(rows: Sequence[Figure], labels: Sequence[str] | None = None) -> BoundsChart | None:
    """Draw the rows of one figure, with these labels or the names of their bodies; None if none has a value."""
    known = [row for row in rows if row.has_value and row.value is not None]
    if not known:
        return None
    low, high = _scale(known)

    def position(value: Decimal) -> Decimal:
        return min(max((value - low) / (high - low) * 100, Decimal(0)), Decimal(100))

    lines = []
    for number, row in enumerate(rows):
        label = row.body_name if labels is None else labels[number]
        start = length = point = None
        if row.has_value and row.value is not None:
            first = position(row.lo if row.lo is not None else row.value)
            last = position(row.hi if row.hi is not None else row.value)
            start, length, point = (
                _percent(first),
                _percent(max(last - first, Decimal("0.3"))),
                _percent(position(row.value)),
            )
        lines.append(BoundsLine(label, describe_figure(row), number * LINE_HEIGHT, start, length, point))
    band = next((row for row in known if row.peer_q1 is not None and row.peer_q3 is not None), None)
    start = length = middle = None
    if band is not None and band.peer_q1 is not None and band.peer_q3 is not None and band.peer_median is not None:
        start = _percent(position(band.peer_q1))
        length = _percent(max(position(band.peer_q3) - position(band.peer_q1), Decimal("0.3")))
        middle = _percent(position(band.peer_median))
    unit = known[0].unit
    return BoundsChart(
        lines=lines,
        height=len(rows) * LINE_HEIGHT,
        low_words=format_value(low, unit),
        high_words=format_value(high, unit),
        zero=_percent(position(Decimal(0))) if low < 0 < high else None,
        band_start=start,
        band_length=length,
        middle=middle,
    )


def _scale(known: Sequence[Figure]) -> tuple[Decimal, Decimal]:
    """Where the scale begins and ends: shares from 0 to 1, others from 0 or the lowest to the highest bound."""
    ends = [end for row in known for end in (row.lo, row.value, row.hi, row.peer_q1, row.peer_q3) if end is not None]
    low, high = min(Decimal(0), *ends), max(Decimal(0), *ends)
    if known[0].unit == "share" and low >= 0 and high <= 1:
        return Decimal(0), Decimal(1)
    sizes = sorted(abs(row.value) for row in known if row.value)
    if len(sizes) >= 3 and sizes[len(sizes) // 2]:
        far = sizes[len(sizes) // 2] * _FAR
        low, high = max(low, -far), min(high, far)
    return (low, high) if high > low else (low, low + 1)


@dataclass(frozen=True, slots=True)
class PyramidLevel:
    """One level of a pyramid, from the top: its label and words, and where its bar begins and how wide it is.

    `hatched` is True for what was not reported.
    """

    label: str
    words: str
    offset: int
    start: str
    length: str
    hatched: bool


def draw_pyramid(items: Sequence[Figure], not_reported: Figure | None = None) -> list[PyramidLevel]:
    """Draw shares by level, in the order given, each bar in the middle; what was not reported is beneath, hatched."""
    rows = [*items, not_reported] if not_reported is not None and not_reported.value else items
    known = [row for row in rows if row.has_value and row.value is not None and row.value >= 0]
    widest = max((row.value for row in known if row.value is not None), default=Decimal(0))
    levels = []
    for number, row in enumerate(known):
        width = Decimal(0) if not widest or row.value is None else row.value / widest * 100
        levels.append(
            PyramidLevel(
                label="Not reported" if row is not_reported else row.item_label or row.item,
                words=describe_figure(row),
                offset=number * LINE_HEIGHT,
                start=_percent((100 - width) / 2),
                length=_percent(max(width, Decimal("0.3"))),
                hatched=row is not_reported,
            )
        )
    return levels


def _percent(value: Decimal) -> str:
    return f"{value:.2f}"
