"""The statistics of measures: intervals, peers, outliers and rank bands, each with the rule that withholds it.

Pure functions of numbers. Money and shares are decimals, so that a figure is the same on every machine.
docs/measures.md explains each rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from itertools import pairwise

_CONTEXT = Context(prec=50)
SHARE_PLACES = Decimal("0.000001")
"""Shares and ratios are rounded to six places."""

FEWEST_FOR_QUARTILES = 8
"""The number of bodies with a value, itself included, from which quartiles are shown: an official family has 8."""
FEWEST_FOR_LIST = 3
"""The number of bodies with a value from which the values of peers are listed."""
LEAST_PEER_SHARE = Decimal("0.8")
"""The share of peers that must have a value before a body is compared with them."""
OUTLIER_SCORE = Decimal("3.5")
"""The robust z-score from which a value is an outlier (Iglewicz and Hoaglin)."""
_MAD_TO_SIGMA = Decimal("1.4826")
"""Makes the median absolute deviation of normal data their standard deviation."""
_FENCE = Decimal("1.5")
"""Tukey's fences are this many interquartile ranges beyond the quartiles."""
_Z95 = Decimal("1.959963984540054")
"""The 97.5th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the bounds between which it certainly lies, given what is not known."""

    value: Decimal
    lo: Decimal
    hi: Decimal

    @property
    def width(self) -> Decimal:
        """The distance between the bounds."""
        return self.hi - self.lo


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """A quotient with the six places of shares. Raises: ZeroDivisionError, also for 0/0."""
    if not denominator:
        raise ZeroDivisionError(f"{numerator} / 0")
    return _CONTEXT.divide(numerator, denominator).quantize(SHARE_PLACES, ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class SideAmounts:
    """Net pounds (or FTE) of the outcome, input, unknown and excluded sides, and the contested part of three."""

    outcome: Decimal
    input: Decimal
    unknown: Decimal
    excluded: Decimal = Decimal(0)
    contested_outcome: Decimal = Decimal(0)
    contested_input: Decimal = Decimal(0)
    contested_excluded: Decimal = Decimal(0)

    @property
    def classified_share(self) -> Decimal:
        """The share of counted money whose side is known. Raises: ZeroDivisionError: nothing is counted."""
        return divide(self.outcome + self.input, self.outcome + self.input + self.unknown)


def public_value_index(sides: SideAmounts) -> Interval:
    """The share of the front line in front line and overhead, with the bounds if everything unsure fell one way.

    Low: contested outcome, all unknown and contested excluded money are overhead. High: contested input, all unknown
    and contested excluded money are front line.
    Raises: ZeroDivisionError: neither side has anything.
    """
    point = divide(sides.outcome, sides.outcome + sides.input)
    whole = sides.outcome + sides.input + sides.unknown + sides.contested_excluded
    lo = divide(sides.outcome - sides.contested_outcome, whole)
    hi = divide(sides.outcome + sides.contested_input + sides.unknown + sides.contested_excluded, whole)
    return Interval(point, lo, hi)


# --- peers --------------------------------------------------------------------------------------------------------


class PeerView(StrEnum):
    """How much may be said of a body beside its peers."""

    QUARTILES = "quartiles"
    LIST = "list"
    OWN = "own"
    """Only the body's own value: there are too few others."""


@dataclass(frozen=True, slots=True)
class PeerSummary:
    """Values of bodies side by side; the quartiles are None unless `view` is QUARTILES."""

    view: PeerView
    bodies: int
    median: Decimal | None = None
    lower_quartile: Decimal | None = None
    upper_quartile: Decimal | None = None
    deviation: Decimal | None = None
    """The median absolute deviation."""


def summarise_peers(values: Sequence[Decimal], peers: int | None = None) -> PeerSummary:
    """Summarise the values of a body and its peers. `peers` is how many bodies there are, with a value or without."""
    count = len(values)
    covered = peers is None or Decimal(count) >= LEAST_PEER_SHARE * peers
    if count < FEWEST_FOR_LIST or not covered:
        return PeerSummary(PeerView.OWN, count)
    if count < FEWEST_FOR_QUARTILES:
        return PeerSummary(PeerView.LIST, count)
    median = quantile(values, Decimal("0.5"))
    return PeerSummary(
        PeerView.QUARTILES,
        count,
        median,
        quantile(values, Decimal("0.25")),
        quantile(values, Decimal("0.75")),
        quantile([abs(value - median) for value in values], Decimal("0.5")),
    )


def quantile(values: Sequence[Decimal], share: Decimal) -> Decimal:
    """The quantile by linear interpolation between neighbours. Raises: ValueError: there are no values."""
    if not values:
        raise ValueError("no values have no quantile")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


class OutlierRule(StrEnum):
    """How outliers were found."""

    DEVIATION = "median absolute deviation"
    FENCES = "interquartile fences"
    NONE = "none: the values hardly differ"


def find_outliers(values: Sequence[Decimal]) -> tuple[list[bool], OutlierRule]:
    """Whether each value is an outlier, and by which rule.

    By the median absolute deviation; if this is 0, by interquartile fences; if the interquartile range is 0 too, none
    is found, because a single other value would be one.
    """
    median = quantile(values, Decimal("0.5"))
    deviation = quantile([abs(value - median) for value in values], Decimal("0.5"))
    if deviation:
        limit = OUTLIER_SCORE * _MAD_TO_SIGMA * deviation
        return [abs(value - median) > limit for value in values], OutlierRule.DEVIATION
    fences = tukey_fences(values)
    if fences is None:
        return [False] * len(values), OutlierRule.NONE
    return [not fences[0] <= value <= fences[1] for value in values], OutlierRule.FENCES


def tukey_fences(values: Sequence[Decimal]) -> tuple[Decimal, Decimal] | None:
    """The interquartile fences; None if the interquartile range is 0."""
    low, high = quantile(values, Decimal("0.25")), quantile(values, Decimal("0.75"))
    if low == high:
        return None
    return low - _FENCE * (high - low), high + _FENCE * (high - low)


@dataclass(frozen=True, slots=True)
class RankBand:
    """The best and the worst place that a body can have among `of` bodies, given everybody's bounds; 1 is the best."""

    best: int
    worst: int
    of: int


def rank_bands(intervals: Mapping[str, Interval], *, high_is_good: bool) -> dict[str, RankBand]:
    """The rank band of each body. Bounds that touch do not separate two bodies."""
    bands = {}
    for body, own in intervals.items():
        others = [other for name, other in intervals.items() if name != body]
        above = sum(other.lo > own.hi for other in others)
        below = sum(other.hi < own.lo for other in others)
        better, worse = (above, below) if high_is_good else (below, above)
        bands[body] = RankBand(1 + better, len(intervals) - worse, len(intervals))
    return bands


# --- shares of counts ---------------------------------------------------------------------------------------------


def wilson(successes: int, trials: int) -> Interval:
    """The share of successes with the Wilson score interval at 95 %. Raises: ZeroDivisionError: no trials."""
    n, z = Decimal(trials), _Z95
    share = divide(Decimal(successes), n)
    exact = _CONTEXT.divide(Decimal(successes), n)
    centre = exact + z * z / (2 * n)
    spread = z * _CONTEXT.sqrt((exact * (1 - exact) + z * z / (4 * n)) / n)
    scale = 1 + z * z / n
    lo = _CONTEXT.divide(centre - spread, scale).quantize(SHARE_PLACES, ROUND_HALF_EVEN)
    hi = _CONTEXT.divide(centre + spread, scale).quantize(SHARE_PLACES, ROUND_HALF_EVEN)
    return Interval(share, max(lo, Decimal(0)), min(hi, Decimal(1)))


@dataclass(frozen=True, slots=True)
class CountBounds:
    """A published count and the counts that it can stand for; `value` is None if it was suppressed."""

    value: int | None
    lo: int
    hi: int


def bounds_of_rounded(count: int | None, *, step: int = 10, suppressed_below: int = 5) -> CountBounds:
    """The bounds of a count that was rounded to `step`, or suppressed (None) because it is below `suppressed_below`."""
    if count is None:
        return CountBounds(None, 1, suppressed_below - 1)
    return CountBounds(count, max(count - step // 2, 0), count + step // 2)


def share_bounds(counts: Sequence[CountBounds]) -> list[tuple[Decimal, Decimal]]:
    """The bounds of each count's share in all: its low with the others high, and its high with the others low."""
    bounds = []
    for number, own in enumerate(counts):
        others = [other for index, other in enumerate(counts) if index != number]
        lo = divide(Decimal(own.lo), Decimal(own.lo + sum(other.hi for other in others)))
        hi = divide(Decimal(own.hi), Decimal(own.hi + sum(other.lo for other in others)))
        bounds.append((lo, hi))
    return bounds


class Shape(StrEnum):
    """The shape of an organisation, by shares of its levels from the lowest up; a word only where bounds prove it."""

    PYRAMID = "pyramid"
    DIAMOND = "diamond"
    INVERTED = "inverted"
    UNCLEAR = "no clear shape"


def shape_of(levels: Sequence[tuple[Decimal, Decimal]]) -> Shape:
    """The shape that the bounds of the levels' shares prove; `levels` go from the lowest grade to the highest."""
    if len(levels) < 2:
        return Shape.UNCLEAR
    pairs = list(pairwise(levels))
    if all(lower[0] > upper[1] for lower, upper in pairs):
        return Shape.PYRAMID
    if all(lower[1] < upper[0] for lower, upper in pairs):
        return Shape.INVERTED
    largest = max(range(len(levels)), key=lambda number: levels[number][0])
    others = [level for number, level in enumerate(levels) if number != largest]
    if 0 < largest < len(levels) - 1 and all(level[1] < levels[largest][0] for level in others):
        return Shape.DIAMOND
    return Shape.UNCLEAR


def kappa(agreed: Decimal, by_chance: Decimal) -> Decimal:
    """Cohen's kappa: how much more two readers agree than they would by chance, 1 if always. Both are shares."""
    return divide(agreed - by_chance, 1 - by_chance)


def effective_number(amounts: Sequence[Decimal]) -> Decimal:
    """How many equal parts would be as concentrated: 1/Σ share². Raises: ZeroDivisionError: the amounts add up to 0."""
    total = sum(amounts, Decimal(0))
    if not total:
        raise ZeroDivisionError("amounts that add up to 0 have no shares")
    squares = sum((_CONTEXT.divide(amount, total) ** 2 for amount in amounts), Decimal(0))
    return _CONTEXT.divide(Decimal(1), squares).quantize(SHARE_PLACES, ROUND_HALF_EVEN)


# --- time ---------------------------------------------------------------------------------------------------------


def spread_by_year(value: Decimal, start: date, end: date) -> dict[str, Decimal]:
    """Spread a value evenly over the days from `start` to `end`, both included, into financial years.

    Returns: the part of each year to the penny; the last year takes what rounding leaves, so they add up to `value`.
    Raises: ValueError: `end` is before `start`.
    """
    if end < start:
        raise ValueError(f"{end} is before {start}")
    days = (end - start).days + 1
    parts: dict[str, Decimal] = {}
    first = start
    while first <= end:
        year = first.year if (first.month, first.day) >= (4, 1) else first.year - 1
        last = min(date(year + 1, 3, 31), end)
        share = _CONTEXT.divide(value * ((last - first).days + 1), Decimal(days))
        parts[f"{year}-{(year + 1) % 100:02d}"] = share.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        first = last + timedelta(days=1)
    final = next(reversed(parts))
    parts[final] += value - sum(parts.values(), Decimal(0))
    return parts


def present_value(yearly: Sequence[Decimal], rate: Decimal) -> Decimal:
    """The present value of amounts at the start of year 0, 1, 2 and so on, at a yearly discount rate; four places."""
    total = sum((_CONTEXT.divide(amount, (1 + rate) ** year) for year, amount in enumerate(yearly)), Decimal(0))
    return total.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
