"""Row conditions: which rows an expectation is about, as GX 1.24 writes them, as truths over a batch.

GX puts a condition to pandas' `query`: a comparison with an empty cell is false, except that it is unequal to
anything. What we know is GX's own form, a mapping, and the text that its parser `great_expectations` takes; queries
written for pandas are left to pandas.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.plausibility.arguments import finite, plain_words
from piperoll.checking.plausibility.columns import Kind, Kinds, Mask, Rows
from piperoll.checking.plausibility.suite import NotCompiled

Predicate = Callable[[Rows], Mask]

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDER = ("<", "<=", ">", ">=")
"""How dates compare: what pandas makes of a date that equals a text is for pandas to say."""
_OURS = ("great_expectations", "great_expectations__experimental__")
_WRITTEN = re.compile(
    r'col\("(?P<column>[^"]+)"\)\s*(?:(?P<filled>\.notnull\(\))|'
    r'(?P<operator>==|!=|<=|>=|<|>)\s*(?:(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|"(?P<text>[\w -]+)"))'
)


def condition(kwargs: Mapping[str, Any], kinds: Kinds) -> Predicate:
    """The rows that an expectation's `row_condition` lets through; every row where there is none.

    Raises: NotCompiled: a condition that GX must answer itself.
    """
    asked, written_for = kwargs.get("row_condition"), kwargs.get("condition_parser")
    if asked is None:
        return Rows.everything
    if isinstance(asked, str) and written_for in _OURS:
        return _condition(from_text(asked), kinds)
    if isinstance(asked, Mapping) and written_for is None:
        return _condition(asked, kinds)
    raise NotCompiled(f"the row condition {asked!r} for {written_for!r}")


def from_text(asked: str) -> Mapping[str, Any]:
    """The mapping that GX's own parser makes of `col("fte") > 0` and its like. Raises: NotCompiled: it is no such."""
    match = _WRITTEN.fullmatch(asked.strip())
    if not match:
        raise NotCompiled(f"the row condition {asked!r}")
    column = {"name": match["column"]}
    if match["filled"]:
        return {"type": "nullity", "column": column, "is_null": False}
    parameter = match["text"] if match["number"] is None else float(match["number"])
    return {"type": "comparison", "column": column, "operator": match["operator"], "parameter": parameter}


def _condition(asked: Mapping[str, Any], kinds: Kinds) -> Predicate:
    match asked:
        case {"type": "and", "conditions": [_, *_] as parts}:
            return _joined(operator.and_, [_simple(part, kinds) for part in parts])
        case {"type": "or", "conditions": [_, *_] as parts}:
            return _joined(operator.or_, [_simple(part, kinds) for part in parts])
        case _:
            return _simple(asked, kinds)


def _joined(join: Callable[[Mask, Mask], Mask], parts: list[Predicate]) -> Predicate:
    return lambda rows: reduce(join, [part(rows) for part in parts])


def _simple(asked: Any, kinds: Kinds) -> Predicate:
    match asked:
        case {"type": "nullity", "column": {"name": str(name)}, "is_null": bool(empty), **rest} if not rest:
            _known(name, kinds)
            return lambda rows: rows.missing(name) == empty
        case {
            "type": "comparison",
            "column": {"name": str(name)},
            "operator": str(sign),
            "parameter": parameter,
            **rest,
        } if not rest:
            return _comparison(name, sign, parameter, _known(name, kinds))
    raise NotCompiled(f"the row condition {asked!r}")


def _known(name: str, kinds: Kinds) -> Kind:
    if name not in kinds or not name.isidentifier():
        raise NotCompiled(f"no column {name!r}")
    return kinds[name]


def _comparison(name: str, sign: str, parameter: Any, kind: Kind) -> Predicate:
    if sign in ("IN", "NOT_IN") and isinstance(parameter, list):
        inside = _inside(name, parameter, kind)
        return inside if sign == "IN" else lambda rows: ~inside(rows)
    if sign in _OPERATORS and kind in (Kind.NUMBER, Kind.WHOLE) and finite(parameter):
        return lambda rows: _OPERATORS[sign](rows.numbers(name), float(parameter))
    if sign in _ORDER and kind is Kind.DAY and (day := _moment(parameter)) is not None:
        return lambda rows: _OPERATORS[sign](rows.days(name), day)
    if sign in ("==", "!=") and kind is Kind.TEXT and plain_words(parameter):
        inside = _inside(name, [parameter], kind)
        return inside if sign == "==" else lambda rows: ~inside(rows)
    raise NotCompiled(f"the row condition that {name} {sign} {parameter!r}")


def _inside(name: str, values: list[Any], kind: Kind) -> Predicate:
    if kind is Kind.TEXT and all(plain_words(value) for value in values):
        known = pa.array(values, pa.string())
        return lambda rows: rows.text(name).spread(
            pc.is_in(rows.text(name).distinct, known).to_numpy(zero_copy_only=False)
        )
    if kind in (Kind.NUMBER, Kind.WHOLE) and all(finite(value) for value in values):
        numbers = np.array(values, np.float64)
        return lambda rows: np.isin(rows.numbers(name), numbers)
    raise NotCompiled(f"the row condition that {name} is one of {values!r}")


def _moment(parameter: Any) -> np.datetime64 | None:
    """The day of a text that is one: what else a date may be compared with, pandas must say."""
    try:
        return np.datetime64(datetime.strptime(parameter, "%Y-%m-%d"), "us")  # noqa: DTZ007 - a day has no zone
    except (TypeError, ValueError):
        return None
