"""Rules about one column, row by row. Each says which rows are good; empty cells are not asked.

A rule is named after GX's expectation; what it means is in GX's `expectations/metrics/column_map_metrics`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.plausibility.arguments import Kwargs, bounds, moment, number, numbers, texts, whole
from piperoll.checking.plausibility.columns import Kind, Kinds, Mask, Rows, Text
from piperoll.checking.plausibility.conditions import Predicate
from piperoll.checking.plausibility.patterns import compiled, found_in
from piperoll.checking.plausibility.suite import NotCompiled

_COUNTED = (Kind.NUMBER, Kind.WHOLE)


def values_between(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Numbers or dates between `min_value` and `max_value`."""
    name = kwargs["column"]
    if kinds[name] is Kind.TEXT:
        raise NotCompiled("GX compares no text with bounds")
    between = bounds(kwargs, moment if kinds[name] is Kind.DAY else number)
    return lambda rows: between(rows.ordered(name))


def values_in_set(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text or numbers that are one of `value_set`."""
    name, kind = kwargs["column"], kinds[kwargs["column"]]
    if kind in _COUNTED:
        known = numbers(kwargs.get("value_set"))
        return lambda rows: np.isin(rows.numbers(name), known)
    if kind is Kind.TEXT:
        words = pa.array(texts(kwargs.get("value_set")), pa.string())
        return _of_text(name, lambda text: pc.is_in(text.distinct, words).to_numpy(zero_copy_only=False))
    raise NotCompiled("a set of dates")


def values_not_in_set(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text or numbers that are none of `value_set`."""
    inside = values_in_set(kwargs, kinds)
    return lambda rows: ~inside(rows)


def values_match(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text in which `regex` is found."""
    return _any_found(kwargs["column"], kinds, texts([kwargs.get("regex")]))


def values_not_match(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text in which `regex` is not found."""
    found = values_match(kwargs, kinds)
    return lambda rows: ~found(rows)


def values_match_list(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text in which one of `regex_list` is found, or all of them where `match_on` says `all`."""
    name, patterns, on = kwargs["column"], texts(kwargs.get("regex_list")), kwargs.get("match_on", "any")
    if on == "any":
        return _any_found(name, kinds, patterns)
    if on != "all":
        raise NotCompiled(f"match_on is {on!r}")
    each = [_any_found(name, kinds, [pattern]) for pattern in patterns]
    return lambda rows: np.logical_and.reduce([found(rows) for found in each])


def values_not_match_list(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text in which none of `regex_list` is found."""
    found = _any_found(kwargs["column"], kinds, texts(kwargs.get("regex_list")))
    return lambda rows: ~found(rows)


def lengths_between(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text of as many characters as `min_value` and `max_value` say."""
    between = bounds(kwargs, whole)
    return _of_text(_text_column(kwargs, kinds), lambda text: between(_lengths(text)))


def lengths_equal(kwargs: Kwargs, kinds: Kinds) -> Predicate:
    """Text of `value` characters."""
    value = number(kwargs.get("value"))
    return _of_text(_text_column(kwargs, kinds), lambda text: _lengths(text) == value)


def values_null(kwargs: Kwargs, _kinds: Kinds) -> Predicate:
    """Cells that are empty."""
    name = kwargs["column"]
    return lambda rows: rows.missing(name)


def values_not_null(kwargs: Kwargs, _kinds: Kinds) -> Predicate:
    """Cells that hold something."""
    name = kwargs["column"]
    return lambda rows: ~rows.missing(name)


def _any_found(name: str, kinds: Kinds, patterns: list[str]) -> Predicate:
    if kinds[name] is not Kind.TEXT or not patterns:
        raise NotCompiled("an expression for what is no text")
    for pattern in patterns:
        compiled(pattern)
    return _of_text(name, lambda text: np.logical_or.reduce([found_in(text, each) for each in patterns]))


def _of_text(name: str, judge: Callable[[Text], Mask]) -> Predicate:
    """What is judged of each distinct text, row by row."""

    def judged(rows: Rows) -> Mask:
        text = rows.text(name)
        return text.spread(judge(text))

    return judged


def _text_column(kwargs: Kwargs, kinds: Kinds) -> str:
    name: str = kwargs["column"]
    if kinds[name] is not Kind.TEXT:
        raise NotCompiled("the length of what is no text")
    return name


def _lengths(text: Text) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """In characters, as Python counts them."""
    return pc.utf8_length(text.distinct).to_numpy(zero_copy_only=False).astype(np.int64)
