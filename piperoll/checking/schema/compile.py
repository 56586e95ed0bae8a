"""Compile the fields of a Table Schema to tests of whole columns.

Only what our descriptors use is compiled, and what a dataset of the same kind would use next
(docs/decisions/0018-only-the-rules-in-use-are-compiled.md). Frictionless reads every cell of any other field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.patterns import compile_pattern, search_texts
from piperoll.model.columns import Cells, Flags, is_filled, pc, to_flags

_CONSTRAINTS: Mapping[str, tuple[str, ...]] = {
    "string": ("required", "unique", "pattern", "enum"),
    "boolean": ("required",),
    **dict.fromkeys(("number", "integer", "date"), ("required", "unique", "minimum", "maximum")),
}
"""The types that are compiled, each with its compiled constraints in the order in which Frictionless tests them."""

_SPELLINGS = {
    "integer": r"\A-?[0-9]{1,18}\z",
    "number": r"\A-?[0-9]{1,25}(?:\.[0-9]{1,9})?\z",
    "date": r"\A[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))\z",
}
"""Spellings that Frictionless certainly accepts, in RE2: numbers that fit Arrow's types, and dates except 29 February.

Frictionless itself reads anything else: padding, exponents, underscores, digits of other scripts, years before 1000.
"""
_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.decimal128(38, 9),
    "date": pa.string(),  # the accepted spelling of a date sorts as the date does
}
_BOOLEANS = ("true", "True", "TRUE", "1", "false", "False", "FALSE", "0")
"""What Frictionless 5 reads as a boolean by default."""


PREDICATES: dict[str, Callable[[Cells, Any], Flags]] = {
    "missing": lambda cells, _: to_flags(pc.equal(cells, "")) | ~is_filled(cells),
    "any cell": lambda cells, _: np.ones(len(cells), np.bool_),
    "spelling": lambda cells, expression: ~to_flags(pc.match_substring_regex(cells, expression)),
    "set": lambda cells, values: ~to_flags(pc.is_in(cells, value_set=values)),
    "pattern": lambda cells, pattern: ~search_texts(cells, pattern),
    "minimum": lambda cells, bound: to_flags(pc.less(pc.cast(cells, bound.type), bound)),
    "maximum": lambda cells, bound: to_flags(pc.greater(pc.cast(cells, bound.type), bound)),
}
"""The predicates by name. Each takes a column of text and an argument, and is true where a cell is *not* proven good.

What a predicate returns for a null is ignored.
"""


@dataclass(frozen=True, slots=True)
class SchemaRule:
    """A predicate by its name in `PREDICATES`, with its argument.

    `breaks` is what a cell breaks if the predicate does not prove it good: "type" or a constraint. If `breaks` is None,
    the cell is only in doubt, and Frictionless decides. Later rules test only cells whose type is certainly right.
    """

    predicate: str
    argument: Any
    breaks: str | None


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field with its rules, the one about its type first."""

    name: str
    type: str
    required: bool
    unique: bool
    rules: tuple[SchemaRule, ...]
    compiled: bool
    """False if Frictionless must read every cell."""


class _NotCompiled(Exception):
    """A field has a type or constraint for which there is no compiled rule."""


def compile_field(field: Mapping[str, Any]) -> CompiledField:
    """Compile a field of a Table Schema: its `name`, `type` and `constraints`."""
    constraints = field["constraints"]
    try:
        rules, compiled = tuple(_compile_rules(field["type"], constraints)), True
    except _NotCompiled:
        rules, compiled = (SchemaRule("any cell", None, None),), False
    required, unique = constraints.get("required") is True, constraints.get("unique") is True
    return CompiledField(field["name"], field["type"], required, unique, rules, compiled)


def _compile_rules(kind: str, constraints: Mapping[str, Any]) -> Iterator[SchemaRule]:
    if kind not in _CONSTRAINTS or not constraints.keys() <= set(_CONSTRAINTS[kind]):
        raise _NotCompiled(kind)
    if kind == "boolean":
        yield SchemaRule("set", pa.array(_BOOLEANS), "type")
    elif kind != "string":
        yield SchemaRule("spelling", _SPELLINGS[kind], None)
    for name in (each for each in _CONSTRAINTS[kind] if each in constraints):
        match name, constraints[name]:
            case "required" | "unique", bool():
                pass
            case "pattern", str(pattern):
                try:
                    compile_pattern(f"^{pattern}$")
                except re.error as error:
                    raise _NotCompiled(pattern) from error
                # Frictionless tests `re.compile(f"^{pattern}$").match(cell)`; this is the same for `re.search`
                yield SchemaRule("pattern", rf"\A(?:^{pattern}$)", "pattern")
            case "enum", [str(), *_] as values if all(isinstance(each, str) for each in values):
                yield SchemaRule("set", pa.array(values, pa.string()), "enum")
            case "minimum" | "maximum", value:
                text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
                if not isinstance(text, str) or PREDICATES["spelling"](pa.array([text]), _SPELLINGS[kind])[0]:
                    raise _NotCompiled(value)  # Frictionless reads a bound in any other spelling
                bound = {"integer": int, "number": Decimal, "date": str}[kind](text)
                yield SchemaRule(name, pa.scalar(bound, _ARROW_TYPES[kind]), name)
            case _:
                raise _NotCompiled(name)
