"""Rules about several columns, row by row. Each says which rows are good among those that `ignore_row_if` leaves.

What a rule means is in GX's `column_pair_map_metrics` and `multicolumn_map_metrics`. Numbers compare with numbers and
dates with dates; an empty cell is neither greater than, nor equal to, anything.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.plausibility.arguments import Kwargs, finite, flag, number
from piperoll.checking.plausibility.columns import Kind, Kinds, Mask, Rows
from piperoll.checking.plausibility.conditions import Predicate
from piperoll.checking.plausibility.suite import NotCompiled

_COUNTED = (Kind.NUMBER, Kind.WHOLE)
_ANY_MISSING = ("either_value_is_missing", "any_value_is_missing")
_ALL_MISSING = ("both_values_are_missing", "all_values_are_missing")
_NEVER = ("neither", "never")


def counting(kwargs: Kwargs, names: Sequence[str], usual: str) -> Predicate:
    """The rows that `ignore_row_if` leaves to look at; `usual` is what GX takes where it is not said."""
    asked = kwargs.get("ignore_row_if", usual)
    if asked in _ANY_MISSING:
        return lambda rows: ~_missing(rows, names, np.logical_or)
    if asked in _ALL_MISSING:
        return lambda rows: ~_missing(rows, names, np.logical_and)
    if asked in _NEVER:
        return Rows.everything
    raise NotCompiled(f"ignore_row_if is {asked!r}")


def a_greater_than_b(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """A number or date in `column_A` that is greater than that in `column_B`, or with `or_equal` equal to it."""
    names = kwargs["column_A"], kwargs["column_B"]
    _comparable(names, kinds, (_COUNTED, (Kind.DAY,)))
    compare = operator.ge if flag(kwargs, "or_equal") else operator.gt
    first, second = names
    return lambda rows: compare(rows.ordered(first), rows.ordered(second))


def pair_equal(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Equal cells in `column_A` and `column_B`."""
    return _equal(kwargs["column_A"], kwargs["column_B"], kinds)


def pair_in_set(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Cells of `column_A` and `column_B` that are one of the pairs of `value_pairs_set`; None is the empty cell."""
    first, second = kwargs["column_A"], kwargs["column_B"]
    pairs = kwargs.get("value_pairs_set")
    if not isinstance(pairs, list) or kwargs.get("row_condition") is not None:
        raise NotCompiled("GX leaves the row condition of pairs out of account")
    wanted = [(_is(first, one, kinds), _is(second, other, kinds)) for one, other in pairs]
    return lambda rows: reduce(
        np.logical_or, [one(rows) & other(rows) for one, other in wanted], np.zeros(rows.size, np.bool_)
    )


def different_within(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Rows in which no two cells of `column_list` are equal; two empty cells are."""
    names = several(kwargs)
    if not _alike(names, kinds) and kwargs.get("ignore_row_if") not in _ANY_MISSING:
        raise NotCompiled("empty cells of different kinds")
    same = [_same_cell(first, second, kinds) for first, second in combinations(names, 2)]
    return lambda rows: ~np.logical_or.reduce([each(rows) for each in same])


def sum_equals(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Rows in which the numbers of `column_list` add up to `sum_total`; with an empty cell they add up to nothing."""
    names, total = several(kwargs), number(kwargs.get("sum_total"))
    _comparable(names, kinds, ((Kind.NUMBER,),))
    return lambda rows: reduce(operator.add, [rows.numbers(name) for name in names]) == total


def several(kwargs: Kwargs) -> list[str]:
    """The columns of `column_list`. Raises: NotCompiled: they are not two or more different ones."""
    names = kwargs.get("column_list")
    if not isinstance(names, list) or len(names) < 2 or len(set(names)) < len(names):
        raise NotCompiled("not several columns")
    return names


def _comparable(names: Sequence[str], kinds: Kinds, sorts: Sequence[Sequence[Kind]]) -> None:
    if not any(all(kinds[name] in sort for name in names) for sort in sorts):
        raise NotCompiled(f"columns of different kinds: {', '.join(names)}")


def _alike(names: Sequence[str], kinds: Kinds) -> bool:
    return len({Kind.NUMBER if kinds[name] in _COUNTED else kinds[name] for name in names}) == 1


def _missing(rows: Rows, names: Sequence[str], join: np.ufunc) -> Mask:
    missing: Mask = join.reduce([rows.missing(name) for name in names])
    return missing


def _equal(first: str, second: str, kinds: Kinds) -> Predicate:
    """Where two columns of one kind hold the same; no empty cell does."""
    if not _alike((first, second), kinds):
        raise NotCompiled(f"columns of different kinds: {first}, {second}")
    if kinds[first] is not Kind.TEXT:
        return lambda rows: rows.ordered(first) == rows.ordered(second)

    return lambda rows: rows.same_text(first, second)


def _same_cell(first: str, second: str, kinds: Kinds) -> Predicate:
    """Where two columns hold the same or are both empty; what is of different kinds is never the same."""
    if not _alike((first, second), kinds):
        return lambda rows: np.zeros(rows.size, np.bool_)
    equal = _equal(first, second, kinds)
    return lambda rows: equal(rows) | (rows.missing(first) & rows.missing(second))


def _is(name: str, value: Any, kinds: Kinds) -> Predicate:
    """Where a column holds `value`."""
    if value is None:
        return lambda rows: rows.missing(name)
    if kinds[name] in _COUNTED and finite(value):
        return lambda rows: rows.numbers(name) == value
    if kinds[name] is Kind.TEXT and isinstance(value, str):
        return lambda rows: rows.text(name).spread(
            pc.equal(rows.text(name).distinct, pa.scalar(value)).to_numpy(zero_copy_only=False)
        )
    raise NotCompiled(f"{value!r} in {name}")
