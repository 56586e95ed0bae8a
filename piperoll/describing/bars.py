"""A tally as the bars of a chart: few enough to read, nothing left out, each with the question that finds its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from piperoll.describing.charts import Group, Measure, Shape, Tally
from piperoll.describing.figures import counted, day
from piperoll.model import MONTHS, Period, plain

MOST = 14
"""So many bars stand by themselves in a ranked chart; the others are one."""

MOST_COLUMNS = 40
"""So many columns still have room over time: above it, days become months and months years."""

_QUARTERS_AHEAD = 12

Condition = tuple[str, str, str]
"""A field, one of `is`, `not`, `starts`, `from`, `to`, and a value: what the preview can be asked."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its words, its figure (None: no row says), how many rows are behind it, the conditions that find them.

    `amount` is a sum of pounds where the figure is a count and there are pounds.
    """

    label: str
    figure: Decimal | None
    rows: int
    conditions: tuple[Condition, ...]
    amount: Decimal | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one release: `by` and `of` are fields, `measured` of `rows` rows have both."""

    name: str
    title: str
    shape: str
    measure: str
    by: str
    of: str | None
    rows: int
    measured: int
    bars: tuple[Bar, ...]

    def to_json(self) -> dict[str, Any]:
        """As it is kept between two makings of the catalogue: money as digits."""
        return asdict(self) | {"bars": [_bar_to_json(bar) for bar in self.bars]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Chart:
        """The chart that `to_json` wrote."""
        return cls(**dict(document) | {"bars": tuple(map(_bar_from_json, document["bars"]))})


def chart(tally: Tally, period: Period) -> Chart:
    """The bars of a tally of the rows of a release that covers `period`."""
    layouts: dict[Shape, Callable[[Tally, Period], Iterable[Bar]]] = {
        Shape.TIME: _over_time,
        Shape.AHEAD: _ahead,
        Shape.RANKED: _ranked,
        Shape.ORDERED: _ordered,
    }
    rule = tally.rule
    return Chart(
        name=rule.name,
        title=rule.title,
        shape=rule.shape.value,
        measure=rule.measure.value if tally.of is not None else Measure.COUNT.value,
        by=tally.by,
        of=tally.of,
        rows=sum(group.rows for group in tally.groups.values()),
        measured=sum(_known(tally, value, group) for value, group in tally.groups.items()),
        bars=tuple(layouts[rule.shape](tally, period)),
    )


def _known(tally: Tally, value: str, group: Group) -> int:
    if not value:
        return 0
    return group.rows if tally.rule.measure is Measure.COUNT or tally.of is None else group.measured


def _bar(tally: Tally, label: str, groups: Iterable[Group], *conditions: Condition, rest: bool = False) -> Bar:
    whole = Group()
    for group in groups:
        whole.merge(group)
    amount = whole.value if tally.rule.measure is Measure.COUNT and tally.of and whole.measured else None
    return Bar(label, tally.figure(whole), whole.rows, conditions, amount, rest)


def _ranked(tally: Tally, _: Period) -> Iterator[Bar]:
    named = {value: group for value, group in tally.groups.items() if value}
    order = sorted(named, key=lambda value: (*_largest(tally.figure(named[value])), value))
    return _listed(tally, order)


def _ordered(tally: Tally, _: Period) -> Iterator[Bar]:
    named = {value: group for value, group in tally.groups.items() if value}
    order = sorted(named, key=lambda value: (*_largest(named[value].rank), value))
    return _listed(tally, order, most=2 * MOST)


def _largest(figure: Decimal | None) -> tuple[bool, Decimal]:
    """A key that sorts the largest first and what is not known last."""
    return (figure is None, -(figure or Decimal(0)))


def _listed(tally: Tally, order: list[str], most: int = MOST) -> Iterator[Bar]:
    """A bar each for the first, one for all the others, and one for the rows that do not say."""
    shown = order if len(order) <= most + 1 else order[:most]
    for value in shown:
        yield _bar(tally, value, [tally.groups[value]], (tally.by, "is", value))
    if others := order[len(shown) :]:
        conditions = [(tally.by, "not", value) for value in (*shown, *([""] if "" in tally.groups else []))]
        label = f"All {counted(len(others), 'other')}"
        yield _bar(tally, label, [tally.groups[value] for value in others], *conditions, rest=True)
    if "" in tally.groups:
        yield _bar(tally, "Not said", [tally.groups[""]], (tally.by, "is", ""), rest=True)


def _over_time(tally: Tally, period: Period) -> Iterator[Bar]:
    """A column for each day, month or year of the period, and one each for what is dated before, after or never."""
    spans = _spans(period.start, period.end)
    yield from _dated(tally, spans)


def _ahead(tally: Tally, period: Period) -> Iterator[Bar]:
    """A column for each quarter of three years after the end of the period, what is over before and ends later."""
    first = period.end + timedelta(days=1)
    start = date(first.year, 3 * ((first.month - 1) // 3) + 1, 1)
    quarters = []
    for n in range(_QUARTERS_AHEAD):
        month = start.month - 1 + 3 * n
        quarter = Period.quarter(start.year + month // 12, month % 12 // 3 + 1)
        quarters.append((max(quarter.start, first), quarter.end, _quarter_words(quarter)))
    yield from _dated(tally, quarters)


def _dated(tally: Tally, spans: list[tuple[date, date, str]]) -> Iterator[Bar]:
    first, last = spans[0][0].isoformat(), spans[-1][1].isoformat()
    days = sorted(value for value in tally.groups if value)
    outside = {
        f"Before {day(first)}": ([value for value in days if value < first], "before"),
        f"After {day(last)}": ([value for value in days if value > last], "after"),
    }
    (before, (earlier, _)), (after, (later, _)) = outside.items()
    if earlier:
        yield _bar(tally, before, _groups(tally, earlier), (tally.by, "to", _day_before(spans[0][0])), rest=True)
    for start, end, label in spans:
        inside = [value for value in days if start.isoformat() <= value <= end.isoformat()]
        yield _bar(tally, label, _groups(tally, inside), *_between(tally.by, start, end))
    if later:
        yield _bar(tally, after, _groups(tally, later), (tally.by, "from", _day_after(spans[-1][1])), rest=True)
    if "" in tally.groups:
        yield _bar(tally, "No date", [tally.groups[""]], (tally.by, "is", ""), rest=True)


def _groups(tally: Tally, values: Iterable[str]) -> list[Group]:
    return [tally.groups[value] for value in values]


def _between(name: str, start: date, end: date) -> tuple[Condition, ...]:
    if start == end:
        return ((name, "is", start.isoformat()),)
    return ((name, "from", start.isoformat()), (name, "to", end.isoformat()))


def _spans(start: date, end: date) -> list[tuple[date, date, str]]:
    """The days of a stretch of time, or its months, or its years: the finest of which there are not too many."""
    days = (end - start).days + 1
    if days <= MOST_COLUMNS:
        return [(one, one, day(one)) for one in (start + timedelta(days=n) for n in range(days))]
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    if months <= MOST_COLUMNS:
        numbers = (start.month - 1 + n for n in range(months))
        found = [Period.month(start.year + number // 12, number % 12 + 1) for number in numbers]
        return [(one.start, one.end, one.title) for one in found]
    return [(date(year, 1, 1), date(year, 12, 31), str(year)) for year in range(start.year, end.year + 1)]


def _quarter_words(quarter: Period) -> str:
    return f"{MONTHS[quarter.start.month - 1][:3]} to {MONTHS[quarter.end.month - 1][:3]} {quarter.start.year}"


def _day_before(when: date) -> str:
    return (when - timedelta(days=1)).isoformat()


def _day_after(when: date) -> str:
    return (when + timedelta(days=1)).isoformat()


def _bar_to_json(bar: Bar) -> dict[str, Any]:
    return asdict(bar) | {"figure": _digits(bar.figure), "amount": _digits(bar.amount)}


def _digits(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _decimal(digits: str | None) -> Decimal | None:
    return None if digits is None else Decimal(digits)


def _bar_from_json(document: Mapping[str, Any]) -> Bar:
    conditions = tuple((name, how, value) for name, how, value in document["conditions"])
    figures = {name: _decimal(document[name]) for name in ("figure", "amount")}
    return Bar(**dict(document) | figures | {"conditions": conditions})
