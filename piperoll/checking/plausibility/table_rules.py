"""Rules about the table's columns: their number, their names and their order.

The frame's columns are those fields of the dataset that the file has, in the dataset's order, then `table` and `row`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from piperoll.checking.plausibility.aggregates import Verdict, between, equal_to
from piperoll.checking.plausibility.arguments import Kwargs, texts, whole
from piperoll.checking.plausibility.suite import NotCompiled

Judge = Callable[[Sequence[str]], Verdict]


def row_count_between(kwargs: Kwargs) -> Callable[[int], Verdict]:
    """Whether the table has as many rows as the bounds allow."""
    return between(kwargs, whole)


def row_count_equal(kwargs: Kwargs) -> Callable[[int], Verdict]:
    """Whether the table has `value` rows."""
    return equal_to(kwargs)


def column_count_between(kwargs: Kwargs) -> Judge:
    """Whether the table has as many columns as the bounds allow."""
    verdict = between(kwargs)
    return lambda columns: verdict(len(columns))


def column_count_equal(kwargs: Kwargs) -> Judge:
    """Whether the table has `value` columns."""
    verdict = equal_to(kwargs)
    return lambda columns: verdict(len(columns))


def columns_in_order(kwargs: Kwargs) -> Callable[[Sequence[str]], Verdict]:
    """Whether the table's columns are those of `column_list`, in that order."""
    asked = texts(kwargs.get("column_list"))

    def verdict(columns: Sequence[str]) -> Verdict:
        beside = enumerate(zip_longest(asked, columns))
        wrong = [
            {"Expected Column Position": place, "Expected": expected, "Found": there}
            for place, (expected, there) in beside
            if expected != there
        ]
        details: Mapping[str, Any] = {"details": {"mismatched": wrong}} if wrong else {}
        return not wrong, {"observed_value": list(columns), **details}

    return verdict


def columns_in_set(kwargs: Kwargs) -> Callable[[Sequence[str]], Verdict]:
    """Whether the table's columns are those of `column_set`; where `exact_match` is False, more may be there."""
    asked, exact = set(texts(kwargs.get("column_set"))), kwargs.get("exact_match", True)
    if not isinstance(exact, bool):
        raise NotCompiled(f"exact_match is {exact!r}")

    def verdict(columns: Sequence[str]) -> Verdict:
        more, absent = sorted(set(columns) - asked), sorted(asked - set(columns))
        wrong = {name: found for name, found in (("unexpected", more), ("missing", absent)) if found}
        details: Mapping[str, Any] = {"details": {"mismatched": wrong}} if wrong else {}
        return not absent and (not more or not exact), {"observed_value": sorted(columns), **details}

    return verdict


def column_there(kwargs: Kwargs) -> Callable[[Sequence[str]], Verdict]:
    """Whether the table has `column`."""
    name = kwargs["column"]
    return lambda columns: (name in columns, {})
