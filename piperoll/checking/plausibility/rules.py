"""The compiled expectations: each by its name in Great Expectations, as a rule over whole columns.

Only what our suites use is compiled, and what a suite of the same kind would use next
(docs/decisions/0018-only-the-rules-in-use-are-compiled.md). GX evaluates everything else: an expectation, an argument
or a value of an argument that is not known here raises `NotCompiled`, which never leaves this module.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.patterns import compile_pattern, search_texts
from piperoll.checking.plausibility.columns import ColumnKind, EncodedText, Kinds, RowBatch
from piperoll.checking.plausibility.evidence import (
    DistinctCells,
    EvaluatedRows,
    Evidence,
    FailingRows,
    Numbers,
    RepeatedRows,
    RowTest,
)
from piperoll.checking.plausibility.suite import Expectation
from piperoll.model.columns import Flags, pc, to_flags

Kwargs = Mapping[str, Any]
Result = Mapping[str, Any]
"""The `result` of GX: counts and percentages, or what was observed."""
Verdict = tuple[bool, Result]
"""Whether an expectation is met, and the result."""

_COUNTED = frozenset({ColumnKind.NUMBER, ColumnKind.WHOLE})
_CONDITIONAL = ("row_condition", "condition_parser")
_BOUNDS = ("min_value", "max_value")
_ANY_MISSING = ("either_value_is_missing", "any_value_is_missing")
_EXACT = 2**53
"""Every whole number up to this one is exact as a float64."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class NotCompiled(Exception):
    """An expectation has something for which there is no compiled rule, so GX must evaluate it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled expectation: the evidence that it needs and its verdict on what was found.

    Plans with the same `key` share their evidence.
    """

    expectation: Expectation
    key: tuple[Any, ...]
    evidence: Callable[[], Evidence]
    verdict: Callable[[Any], Verdict]


@dataclass(frozen=True, slots=True)
class ExpectationRule:
    """How to compile an expectation: its required and optional arguments, and the function that makes a plan.

    `row_by_row` is True if what is found of a row depends on its own cells alone.
    """

    columns: tuple[str, ...]
    optional: frozenset[str]
    plan: Callable[[Expectation, Kinds], Plan]
    row_by_row: bool = False


def compile_expectation(
    expectation: Expectation, kinds: Kinds, rules: Mapping[str, ExpectationRule] | None = None
) -> Plan | None:
    """Compile an expectation; None if Great Expectations must evaluate it."""
    rule = (RULES if rules is None else rules).get(expectation.type)
    if rule is None or not expectation.columns_needed(kinds) <= kinds.keys():
        return None
    given = expectation.kwargs.keys()
    if not given >= set(rule.columns) or not given <= {*rule.columns, *rule.optional}:
        return None
    try:
        return rule.plan(expectation, kinds)
    except NotCompiled:
        return None


def is_row_by_row(expectation: Expectation, kinds: Kinds) -> bool:
    """Return True if the expectation is compiled and what it finds of a row depends on that row's cells alone.

    Such an expectation finds the same in the rows of several releases together as in each of them.
    """
    rule = RULES.get(expectation.type)
    return rule is not None and rule.row_by_row and compile_expectation(expectation, kinds) is not None


# Kinds of rule.


def _each_row(test: Callable[[Kwargs, Kinds], RowTest] | None, columns: tuple[str, ...], *more: str) -> ExpectationRule:
    """A rule that each row passes a test or, if `test` is None, that no two rows hold the same in the columns.

    Only rows whose cells are filled are tested. `columns` are the arguments that name columns, `more` other arguments.
    """

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = expectation.kwargs
        domain, counted = _row_condition(kwargs, kinds), _filled_rows(kwargs, columns)
        mostly = _number(kwargs.get("mostly", 1.0))  # the share of the tested rows that must pass
        if not 0 <= mostly <= 1:
            raise NotCompiled(f"mostly is {mostly}")
        evidence: Callable[[], Evidence]
        if test is None:
            evidence = partial(RepeatedRows, domain, counted, _column_names(kwargs, columns))
        else:
            evidence = partial(FailingRows, domain, counted, test(kwargs, kinds))
        return Plan(expectation, (expectation.number,), evidence, partial(_rows_verdict, mostly=mostly))

    ignoring = () if columns == ("column",) else ("ignore_row_if",)
    return ExpectationRule(columns, frozenset(("mostly", *ignoring, *_CONDITIONAL, *more)), plan, test is not None)


def _whole_column(
    evidence: Callable[[RowTest, str], Evidence],
    observe: Callable[[Any], Any],
    kinds_known: frozenset[ColumnKind] = frozenset(ColumnKind),
) -> ExpectationRule:
    """A rule that an observation of a whole column is between two bounds."""

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs, name = expectation.kwargs, expectation.kwargs["column"]
        if kinds[name] not in kinds_known:
            raise NotCompiled(f"a column of {kinds[name]}s")
        domain, within = _row_condition(kwargs, kinds), _between(kwargs, _number)

        def verdict(found: Any) -> Verdict:
            observed = observe(found)
            if kinds[name] is ColumnKind.WHOLE and observed is not None and evidence is Numbers:
                observed = int(observed)
            return observed is not None and bool(within(observed)), {"observed_value": observed}

        key = (evidence, name, repr(kwargs.get("row_condition")))
        return Plan(expectation, key, lambda: evidence(domain, name), verdict)

    return ExpectationRule(("column",), frozenset((*_BOUNDS, *_CONDITIONAL)), plan)


def _rows_verdict(rows: EvaluatedRows, mostly: float) -> Verdict:
    """GX's `_mostly_success` and `_format_map_output`: an expectation that tests no row is met."""

    def percent(part: int, whole: int) -> float | None:
        return part / whole * 100 if whole else None

    elements, tested, unexpected = rows.elements, rows.tested, len(rows.unexpected)
    of_tested = percent(unexpected, tested)
    return tested == 0 or (tested - unexpected) / tested >= mostly, {
        "element_count": elements,
        "unexpected_count": unexpected,
        "unexpected_percent": of_tested,
        "missing_count": elements - tested,
        "missing_percent": percent(elements - tested, elements),
        "unexpected_percent_total": percent(unexpected, elements),
        "unexpected_percent_nonmissing": of_tested,
    }


# Tests of rows. Their result for a row with an empty cell is ignored.


def _values_between(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    name = kwargs["column"]
    if kinds[name] is ColumnKind.TEXT:
        raise NotCompiled("GX compares no text with bounds")
    within = _between(kwargs, _moment if kinds[name] is ColumnKind.DAY else _number)
    return lambda rows: within(rows.ordered(name))


def _values_in_set(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    name, values = kwargs["column"], kwargs.get("value_set")
    if not isinstance(values, list) or not values:
        raise NotCompiled(f"value_set is {values!r}")
    if kinds[name] in _COUNTED:
        numbers = np.array([_number(value) for value in values], np.float64)
        return lambda rows: np.isin(rows.ordered(name), numbers)
    if kinds[name] is ColumnKind.DAY or not all(isinstance(value, str) for value in values):
        raise NotCompiled("a set of dates, or of different types")
    words = pa.array(values, pa.string())
    return _text_test(name, kinds, lambda text: to_flags(pc.is_in(text.distinct, words)))


def _values_match(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    name, pattern = kwargs["column"], kwargs.get("regex")
    if not isinstance(pattern, str):
        raise NotCompiled(f"regex is {pattern!r}")
    try:
        compile_pattern(pattern)
    except re.error as error:
        raise NotCompiled(f"regex is {pattern!r}") from error
    return _text_test(name, kinds, lambda text: search_texts(text.distinct, pattern, text.unusual))


def _lengths_between(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    within = _between(kwargs, _whole_number)
    return _text_test(
        kwargs["column"],
        kinds,
        lambda text: within(pc.utf8_length(text.distinct).to_numpy(zero_copy_only=False).astype(np.int64)),
    )


def _a_greater_than_b(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    first, second, or_equal = kwargs["column_A"], kwargs["column_B"], kwargs.get("or_equal") or False
    comparable = _COUNTED if kinds[first] in _COUNTED else {ColumnKind.DAY}
    if not {kinds[first], kinds[second]} <= comparable or not isinstance(or_equal, bool):
        raise NotCompiled(f"columns of different kinds, or or_equal is {or_equal!r}")
    compare = operator.ge if or_equal else operator.gt
    return lambda rows: compare(rows.ordered(first), rows.ordered(second))


def _two_differ(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    names = _column_names(kwargs, ("column_list",))
    alike = {ColumnKind.NUMBER if kinds[name] in _COUNTED else kinds[name] for name in names}
    if len(names) != 2 or len(alike) != 1:
        raise NotCompiled("more than two columns, or columns of different kinds")
    first, second = names
    if alike == {ColumnKind.TEXT}:
        return lambda rows: ~rows.same_text(first, second)
    return lambda rows: rows.ordered(first) != rows.ordered(second)


def _not(test: Callable[[Kwargs, Kinds], RowTest]) -> Callable[[Kwargs, Kinds], RowTest]:
    def negated(kwargs: Kwargs, kinds: Kinds) -> RowTest:
        good = test(kwargs, kinds)
        return lambda rows: ~good(rows)

    return negated


def _text_test(name: str, kinds: Kinds, test: Callable[[EncodedText], Flags]) -> RowTest:
    """Make a test of the rows of a column from a test of its distinct texts."""
    if kinds[name] is not ColumnKind.TEXT:
        raise NotCompiled("a test of text on a column of another kind")

    def rows_test(rows: RowBatch) -> Flags:
        text = rows.text(name)
        truths: Flags = np.append(test(text), False)[text.codes]  # False where the cell is empty
        return truths

    return rows_test


# Observations of a column of numbers, equal to those of pandas to the last bit; None if no cell is filled.


def _of_filled(measure: Callable[[Any], Any]) -> Callable[[Any], float | None]:
    """Make an observation from a measure of the filled cells."""

    def observe(cells: Any) -> float | None:
        filled = cells[~np.isnan(cells)]
        return float(measure(filled)) if len(filled) else None

    return observe


def _sum(cells: Any) -> float:
    return float(np.where(np.isnan(cells), 0.0, cells).sum())  # pandas adds 0 for an empty cell, in the same order


def _mean(cells: Any) -> float | None:
    count = int(np.count_nonzero(~np.isnan(cells)))
    return _sum(cells) / count if count else None


# Arguments.


def _column_names(kwargs: Kwargs, columns: tuple[str, ...]) -> list[str]:
    """The columns that the arguments `columns` name."""
    if columns != ("column_list",):
        return [kwargs[argument] for argument in columns]
    names = kwargs["column_list"]
    if not isinstance(names, list) or len(names) < 2 or len(set(names)) < len(names):
        raise NotCompiled("column_list needs two or more different columns")
    return names


def _filled_rows(kwargs: Kwargs, columns: tuple[str, ...]) -> RowTest:
    """Return a test for rows in which no cell of the columns is empty."""
    names = _column_names(kwargs, columns)
    if columns != ("column",) and kwargs.get("ignore_row_if") not in _ANY_MISSING:
        raise NotCompiled("rows with an empty cell are tested")
    return lambda rows: ~np.logical_or.reduce([rows.missing(name) for name in names])


def _row_condition(kwargs: Kwargs, kinds: Kinds) -> RowTest:
    """The rows that `row_condition` lets through: those in which a column of numbers compares with a number.

    An empty cell is unequal to any number and compares as false otherwise, as in a query of pandas.
    """
    condition = kwargs.get("row_condition")
    if condition is None:
        return RowBatch.everything
    match condition:
        case {"type": "comparison", "column": {"name": str(name)}, "operator": str(sign), "parameter": value, **more}:
            known = not more and kwargs.get("condition_parser") is None and name.isidentifier()
            if known and sign in _COMPARISONS and kinds[name] in _COUNTED:
                compare, number = _COMPARISONS[sign], _number(value)
                return lambda rows: compare(rows.ordered(name), number)
    raise NotCompiled(f"the row condition {condition!r}")


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _number(value: Any) -> float:
    """Return a number of JSON as a float64, which must represent it exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotCompiled(f"{value!r} is not a number")
    if isinstance(value, int) and abs(value) > _EXACT:
        raise NotCompiled(f"{value!r} is too large")
    return float(value)


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotCompiled(f"{value!r} is not a whole number")
    return value


def _moment(value: Any) -> np.datetime64:
    """A bound on dates, written `2005-01-01T00:00:00`, in microseconds."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise NotCompiled(f"{value!r} is not a moment")
    try:
        return np.datetime64(datetime.fromisoformat(value), "us")
    except ValueError as error:
        raise NotCompiled(f"{value!r} is not a moment") from error


def _between(kwargs: Kwargs, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A test of values, one or an array, against `min_value` and `max_value`; NaN and NaT are outside any bounds."""
    low, high = (None if kwargs.get(bound) is None else read(kwargs[bound]) for bound in _BOUNDS)
    if low is None and high is None:
        raise NotCompiled("no bounds")
    if low is not None and high is not None and low > high:
        raise NotCompiled("bounds the wrong way round")

    def within(values: Any) -> Any:
        above = True if low is None else values >= low
        below = True if high is None else values <= high
        return above & below

    return within


RULES: Mapping[str, ExpectationRule] = {
    "expect_column_values_to_be_between": _each_row(_values_between, ("column",), *_BOUNDS),
    "expect_column_values_to_be_in_set": _each_row(_values_in_set, ("column",), "value_set"),
    "expect_column_values_to_not_be_in_set": _each_row(_not(_values_in_set), ("column",), "value_set"),
    "expect_column_values_to_match_regex": _each_row(_values_match, ("column",), "regex"),
    "expect_column_values_to_not_match_regex": _each_row(_not(_values_match), ("column",), "regex"),
    "expect_column_value_lengths_to_be_between": _each_row(_lengths_between, ("column",), *_BOUNDS),
    "expect_column_pair_values_a_to_be_greater_than_b": _each_row(
        _a_greater_than_b, ("column_A", "column_B"), "or_equal"
    ),
    "expect_select_column_values_to_be_unique_within_record": _each_row(_two_differ, ("column_list",)),
    "expect_column_values_to_be_unique": _each_row(None, ("column",)),
    "expect_compound_columns_to_be_unique": _each_row(None, ("column_list",)),
    "expect_column_max_to_be_between": _whole_column(Numbers, _of_filled(np.max), _COUNTED),
    "expect_column_min_to_be_between": _whole_column(Numbers, _of_filled(np.min), _COUNTED),
    "expect_column_mean_to_be_between": _whole_column(Numbers, _mean, frozenset({ColumnKind.NUMBER})),
    "expect_column_median_to_be_between": _whole_column(
        Numbers, _of_filled(partial(np.median, overwrite_input=True)), frozenset({ColumnKind.NUMBER})
    ),
    "expect_column_sum_to_be_between": _whole_column(Numbers, _sum, frozenset({ColumnKind.NUMBER})),
    "expect_column_unique_value_count_to_be_between": _whole_column(DistinctCells, lambda found: found.different),
    "expect_column_proportion_of_unique_values_to_be_between": _whole_column(
        DistinctCells, lambda found: found.different / found.filled if found.filled else 0
    ),
}
"""The compiled expectations by their names in GX."""
