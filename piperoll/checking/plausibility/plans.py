"""Plans: how an expectation becomes the evidence it needs and the verdict on it, by the shape of its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from piperoll.checking.plausibility import aggregates, arguments, record_rules
from piperoll.checking.plausibility.aggregates import Verdict
from piperoll.checking.plausibility.arguments import Kwargs, flag, share
from piperoll.checking.plausibility.columns import Kind, Kinds, Rows
from piperoll.checking.plausibility.conditions import Predicate, condition
from piperoll.checking.plausibility.evidence import (
    Evidence,
    InOrder,
    Numbers,
    Repeated,
    RowByRow,
    Size,
)
from piperoll.checking.plausibility.results import of_rows
from piperoll.checking.plausibility.suite import Expectation, NotCompiled

_ABOUT_ROWS = ("row_condition", "condition_parser")
_EVERY_KIND = frozenset(Kind)
_ORDERED = frozenset({Kind.NUMBER, Kind.WHOLE, Kind.DAY})


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled expectation: the evidence it needs, by what tells it from other evidence, and the verdict on it.

    `evidence` is None for a verdict on the names of the table's columns.
    """

    expectation: Expectation
    key: tuple[Any, ...]
    evidence: Callable[[], Evidence] | None
    verdict: Callable[[Any], Verdict]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its arguments: what we know of `arguments`, and how they are made a plan; others go to GX."""

    arguments: frozenset[str]
    plan: Callable[[Expectation, Kinds], Plan]


Judging = Callable[[Kwargs, Kinds], Predicate]


def by_row(judging: Judging, *known: str, of_all: bool = False) -> Rule:
    """A rule about a column, row by row; `of_all` where empty cells are asked too."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        name: str = kwargs["column"]
        domain, good, mostly = condition(kwargs, kinds), judging(kwargs, kinds), share(kwargs)
        counts = Rows.everything if of_all else (lambda rows: ~rows.missing(name))
        return Plan(
            expectation,
            (expectation.number,),
            lambda: RowByRow(domain, counts, good),
            partial(of_rows, mostly=mostly, of_all=of_all),
        )

    return Rule(frozenset(("column", "mostly", *_ABOUT_ROWS, *known)), plan)


def by_record(judging: Judging, names: Callable[[Kwargs], list[str]], usual: str, *known: str) -> Rule:
    """A rule about several columns, row by row."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        domain, good, mostly = condition(kwargs, kinds), judging(kwargs, kinds), share(kwargs)
        counts = record_rules.counting(kwargs, names(kwargs), usual)
        return Plan(
            expectation,
            (expectation.number,),
            lambda: RowByRow(domain, counts, good),
            partial(of_rows, mostly=mostly),
        )

    return Rule(frozenset(("mostly", "ignore_row_if", *_ABOUT_ROWS, *known)), plan)


def in_order(ahead: Callable[[Any, Any], Any], strictly_ahead: Callable[[Any, Any], Any]) -> Rule:
    """A rule that each filled cell stands in order with the one before; GX lets the first pass."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        name: str = kwargs["column"]
        if kinds[name] not in _ORDERED:
            raise NotCompiled("the order of what is no number or date")
        domain, mostly = condition(kwargs, kinds), share(kwargs)
        good = strictly_ahead if flag(kwargs, "strictly") else ahead
        return Plan(
            expectation, (expectation.number,), lambda: InOrder(domain, name, good), partial(of_rows, mostly=mostly)
        )

    return Rule(frozenset(("column", "mostly", "strictly", *_ABOUT_ROWS)), plan)


def unlike_others(names: Callable[[Kwargs], list[str]], *known: str) -> Rule:
    """A rule that no two rows hold the same in the columns."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        columns, domain, mostly = names(kwargs), condition(kwargs, kinds), share(kwargs)
        usual = "any_value_is_missing" if "column" in kwargs else "all_values_are_missing"
        counts = record_rules.counting(kwargs, columns, usual)
        return Plan(
            expectation,
            (expectation.number,),
            lambda: Repeated(domain, counts, columns),
            partial(of_rows, mostly=mostly),
        )

    return Rule(frozenset(("mostly", *_ABOUT_ROWS, *known)), plan)


Gathering = Callable[[Predicate, str], Evidence]


def of_column(
    gathering: Gathering,
    verdict: Callable[[Kwargs, Kind], Callable[[Any], Verdict]],
    *known: str,
    kinds_known: frozenset[Kind] = _EVERY_KIND,
) -> Rule:
    """A rule about all cells of a column together."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        name: str = kwargs["column"]
        if kinds[name] not in kinds_known:
            raise NotCompiled(f"a column of {kinds[name]}s")
        domain, judge = condition(kwargs, kinds), verdict(kwargs, kinds[name])
        key = (gathering, name, *_lets_through(kwargs))
        return Plan(expectation, key, lambda: gathering(domain, name), judge)

    return Rule(frozenset(("column", *_ABOUT_ROWS, *known)), plan)


_BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")


def measured(
    gathering: Gathering,
    observe: Callable[[Any], Any],
    kinds_known: frozenset[Kind] = _EVERY_KIND,
    read: Callable[[Any], Any] = arguments.number,
) -> Rule:
    """A rule that what is observed of a column lies between bounds."""

    def verdict(kwargs: Kwargs, _kind: Kind) -> Callable[[Any], Verdict]:
        within = aggregates.between(kwargs, read)
        return lambda found: within(observe(found))

    return of_column(gathering, verdict, *_BOUNDS, kinds_known=kinds_known)


def extreme(observe: Callable[[Any], Any]) -> Rule:
    """A rule that the greatest or least of a column of numbers or dates lies between bounds."""

    def verdict(kwargs: Kwargs, kind: Kind) -> Callable[[Any], Verdict]:
        within = aggregates.between(kwargs, arguments.moment if kind is Kind.DAY else arguments.number)
        if kind is Kind.WHOLE:
            return lambda found: within(int(observe(found)) if len(found) else None)
        return lambda found: within(observe(found))

    return of_column(Numbers, verdict, *_BOUNDS, kinds_known=_ORDERED)


def of_table(verdict: Callable[[Kwargs], Callable[[Any], Verdict]], *known: str, rows: bool = False) -> Rule:
    """A rule about the columns of the table, or with `rows` about how many rows it has."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        if not rows:
            return Plan(expectation, (), None, verdict(kwargs))
        domain = condition(kwargs, kinds)
        key = (Size, *_lets_through(kwargs))
        return Plan(expectation, key, lambda: Size(domain), verdict(kwargs))

    return Rule(frozenset((*known, *(_ABOUT_ROWS if rows else ()))), plan)


def _lets_through(kwargs: Kwargs) -> tuple[str, ...]:
    """What tells a row condition from others."""
    return tuple(repr(kwargs.get(name)) for name in _ABOUT_ROWS)
