"""What a release's rows add up to: exact figures by time, supplier, service or grade, each with the rows behind it.

Which charts a dataset has is declared in `datapackages/{dataset}/catalogue.json`, each with a `name`, a `title`, a
`shape` (`time`: by days, months or years within the period; `ahead`: by quarters after its end; `ranked`: the largest
first; `ordered`: by the largest of a `rank` field), `by` (the fields to group by: the first that most rows fill),
`measure` (`sum`, `count`, or `mean` weighted by `weight`) and `of` (the fields to measure: the first that is filled).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from piperoll.errors import DescriptorError
from piperoll.model import Dataset


class Shape(StrEnum):
    """How the bars of a chart are laid out."""

    TIME = "time"
    AHEAD = "ahead"
    RANKED = "ranked"
    ORDERED = "ordered"


class Measure(StrEnum):
    """What the length of a bar says."""

    SUM = "sum"
    COUNT = "count"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Rule:
    """One chart as the dataset declares it."""

    name: str
    title: str
    shape: Shape
    by: tuple[str, ...]
    measure: Measure
    of: tuple[str, ...]
    weight: str | None = None
    rank: tuple[str, ...] = ()

    @classmethod
    def from_declared(cls, declared: Mapping[str, Any], dataset: Dataset) -> Rule:
        """The chart that an entry of catalogue.json declares.

        Raises: DescriptorError: it lacks something, or names a field that the dataset does not have.
        """
        try:
            rule = cls(
                name=declared["name"],
                title=declared["title"],
                shape=Shape(declared["shape"]),
                by=tuple(declared["by"]),
                measure=Measure(declared["measure"]),
                of=tuple(declared["of"]),
                weight=declared.get("weight"),
                rank=tuple(declared.get("rank", ())),
            )
        except (KeyError, ValueError) as error:
            raise DescriptorError(f"charts of {dataset.name}: {error} is missing or not a value we know") from error
        if unknown := rule.fields - {known.name for known in dataset.fields}:
            raise DescriptorError(f"charts of {dataset.name} name fields it lacks: {', '.join(sorted(unknown))}")
        if (rule.measure is Measure.MEAN) != (rule.weight is not None):
            raise DescriptorError(f"charts of {dataset.name}: {rule.name}: a mean, and nothing else, has a weight")
        return rule

    @property
    def fields(self) -> frozenset[str]:
        """Every field that it needs."""
        weight = () if self.weight is None else (self.weight,)
        return frozenset((*self.by, *self.of, *self.rank, *weight))


@dataclass(slots=True)
class Group:
    """What the rows of one group add up to; `measured` counts those that have the figure, `rank` is the highest.

    `value` is the sum of the figures, `weighted` that of each times its weight.
    """

    rows: int = 0
    measured: int = 0
    value: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    weight: Decimal = Decimal(0)
    rank: Decimal | None = None

    def add(self, value: Decimal | None, weight: Decimal | None, rank: Decimal | None) -> None:
        """Take one row in."""
        self.rows += 1
        if value is not None:
            self.measured += 1
            self.value += value
            self.weighted += value * (weight or 0)
            self.weight += weight or 0
        if rank is not None and (self.rank is None or rank > self.rank):
            self.rank = rank

    def merge(self, other: Group) -> None:
        """Take the rows of another group in."""
        self.rows += other.rows
        self.measured += other.measured
        self.value += other.value
        self.weighted += other.weighted
        self.weight += other.weight

    @property
    def mean(self) -> Decimal | None:
        """The weighted mean to the penny (half to even); the figure itself of one row; None: it cannot be known."""
        if self.measured == 1:
            return self.value
        return (self.weighted / self.weight).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if self.weight else None


@dataclass(frozen=True)
class Tally:
    """The groups of one chart: by which field, of which (None: rows alone), and each value of it with its figures."""

    rule: Rule
    by: str
    of: str | None
    groups: Mapping[str, Group]

    def figure(self, group: Group) -> Decimal | None:
        """What the bar of a group says: a count, a sum or a mean; None where no row of it has the figure."""
        if self.rule.measure is Measure.COUNT or self.of is None:
            return Decimal(group.rows)
        if self.rule.measure is Measure.MEAN:
            return group.mean
        return group.value if group.measured or not group.rows else None


@dataclass
class _Counting:
    rule: Rule
    groups: dict[str, dict[str, dict[str, Group]]] = field(default_factory=dict)

    def take(self, row: Mapping[str, str], numbers: Mapping[str, Decimal | None]) -> None:
        rule = self.rule
        weight = None if rule.weight is None else numbers[rule.weight]
        rank = next((numbers[name] for name in rule.rank if numbers[name] is not None), None)
        for of in rule.of:
            value = numbers[of]
            for by in rule.by:
                groups = self.groups.setdefault(of, {}).setdefault(by, {})
                group = groups.get(row[by])
                if group is None:
                    group = groups[row[by]] = Group()
                group.add(value, weight, rank)


def tallies(rules: Sequence[Rule], names: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[Tally, ...]:
    """What the rows of a release add up to, for each chart that they can fill.

    `names` heads the rows, which are canonical text (an empty cell is text of no length).
    Raises: DescriptorError: a number in the release cannot be read: it is not one of ours.
    """
    counting = [_Counting(rule) for rule in rules if rule.fields <= set(names)]
    needed = {name: names.index(name) for one in counting for name in one.rule.fields}
    figures = {name for one in counting for name in _figures(one.rule)}
    for cells in rows:
        row = {name: cells[place] for name, place in needed.items()}
        numbers = {name: _number(row[name]) for name in figures}
        for one in counting:
            one.take(row, numbers)
    return tuple(tally for one in counting if (tally := _chosen(one)) is not None)


def _figures(rule: Rule) -> tuple[str, ...]:
    return (*rule.of, *rule.rank, *(() if rule.weight is None else (rule.weight,)))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation as error:
        raise DescriptorError(f"{text!r} stands in a column of numbers of a release") from error


def _chosen(counting: _Counting) -> Tally | None:
    """The groups by the first field that most rows fill (else by the fullest), of the first figure that is filled."""
    rule = counting.rule
    filled = {of: _measured(counting, of) for of in rule.of if of in counting.groups}
    of = next((of for of in rule.of if filled.get(of)), None)
    if of is None and rule.measure is Measure.MEAN:
        return None
    by_field = counting.groups.get(of or rule.of[0], {})
    shares = {by: _filled(groups) for by, groups in by_field.items()}
    if not any(shares.values()):
        return None
    rows = sum(group.rows for group in next(iter(by_field.values())).values())
    by = next((by for by in rule.by if shares[by] * 2 >= rows), max(rule.by, key=lambda name: shares[name]))
    return Tally(rule, by, of, by_field[by])


def _measured(counting: _Counting, of: str) -> int:
    return sum(group.measured for group in next(iter(counting.groups[of].values())).values())


def _filled(groups: Mapping[str, Group]) -> int:
    return sum(group.rows for value, group in groups.items() if value)
