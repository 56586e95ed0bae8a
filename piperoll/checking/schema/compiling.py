"""A field of a Table Schema compiled to rules: which predicates prove a cell good, and what it means if they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.schema.fields import TYPES, FieldSpec
from piperoll.checking.schema.patterns import portable
from piperoll.checking.schema.predicates.masks import texts
from piperoll.checking.schema.predicates.numbers import Bound, NumberForm, exact
from piperoll.checking.schema.predicates.stamps import Layout, StampBound, exact_stamp, layout

_TRUE, _FALSE = ["true", "True", "TRUE", "1"], ["false", "False", "FALSE", "0"]
"""What frictionless 5.21.0 takes for booleans by default (Table Schema, "boolean")."""
_GENERAL_YEARS = (1900, 2099)
"""`dateutil`, which reads the format "any", guesses about years that look like something else."""
_PATTERNS = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%dT%H:%M:%S", "time": "%H:%M:%S", "yearmonth": "%Y-%m"}
_PARTS = {"date": "Yymd", "datetime": "YymdHMS", "time": "HMS"}
_GROUPS = frozenset(" ,.'_|\u00a0\u202f")
"""The characters that may group digits or part them from the fraction, where the form is compiled."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A predicate by name, with its argument.

    `breaks` is what a cell breaks that it does not prove: "type", a constraint's name, or None if that is only a
    doubt, and Frictionless decides. Constraints look at those cells only whose type is proven.
    """

    predicate: str
    argument: Any
    breaks: str | None


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field's rules in order, the first about its type; `missing` are the texts that stand for no value."""

    spec: FieldSpec
    missing: pa.Array[Any]
    rules: tuple[Rule, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was compiled, and Frictionless reads every cell."""
        return any(rule.predicate == "whole" for rule in self.rules)

    @property
    def number_form(self) -> NumberForm | None:
        """How plain numbers are spelled; None for other types."""
        return next((rule.argument for rule in self.rules if rule.predicate == "number"), None)


class _NotCompiled(Exception):
    """Something in a field that no predicate stands for."""


def compiled(spec: FieldSpec) -> CompiledField:
    """The field's rules; what is not compiled becomes one rule that proves nothing."""
    try:
        rules = tuple(_rules(spec))
    except _NotCompiled:
        rules = (Rule("whole", None, None),)
    return CompiledField(spec, texts(spec.missing), rules)


def _rules(spec: FieldSpec) -> Iterator[Rule]:
    if spec.type == "any":
        return
    if spec.type not in _FAMILIES:
        raise _NotCompiled(spec.type)
    names = [name for name in TYPES[spec.type] if name in spec.constraints and name != "required"]
    yield from _FAMILIES[spec.type](spec, {name: spec.constraints[name] for name in names})


def _strings(spec: FieldSpec, constraints: Mapping[str, Any]) -> Iterator[Rule]:
    if spec.format != "default":
        if spec.format not in {"email", "uri", "uuid", "binary"} or "enum" in constraints:
            raise _NotCompiled(spec.format)
        yield Rule(spec.format, None, None)
    for name, bound in constraints.items():
        if name == "pattern":
            yield from _pattern(bound)
        elif name == "enum":
            yield Rule("enum", texts(value for value in bound if isinstance(value, str)), "enum")
        else:
            yield Rule(name, bound, name)


def _pattern(pattern: str) -> Iterator[Rule]:
    ours = portable(pattern)
    if ours is None:
        raise _NotCompiled(pattern)
    yield Rule("pattern text", ours, None)
    yield Rule("pattern", ours, "pattern")


def _numbers(spec: FieldSpec, constraints: Mapping[str, Any]) -> Iterator[Rule]:
    form = _number_form(spec)
    yield Rule("number", form, None)
    yield from _bounds(constraints, "number", lambda value: exact(value, form), lambda value: Bound(value, form))


def _integers(spec: FieldSpec, constraints: Mapping[str, Any]) -> Iterator[Rule]:
    yield Rule(spec.type, None, None)
    yield from _bounds(constraints, "number", lambda value: _whole(value, spec), lambda value: Bound(value, None))


def _whole(value: Any, spec: FieldSpec) -> Any:
    """A bound of an integer or a year. Frictionless reads a year from four characters only."""
    if isinstance(value, float) or (spec.type == "year" and (len(str(value)) != 4 or "-" in str(value))):
        return None
    return exact(value, None)


def _number_form(spec: FieldSpec) -> NumberForm:
    form = NumberForm(
        decimal=spec.properties.get("decimalChar", "."),
        group=spec.properties.get("groupChar", ""),
        bare=spec.properties.get("bareNumber", True),
    )
    if form.decimal not in _GROUPS or (form.group and form.group not in _GROUPS) or form.decimal == form.group:
        raise _NotCompiled("characters that group digits")
    return form


def _stamps(spec: FieldSpec, constraints: Mapping[str, Any]) -> Iterator[Rule]:
    form = _layout(spec)
    if form is None:
        raise _NotCompiled(spec.format)
    yield Rule("stamp", form, None)
    yield from _bounds(
        constraints, "stamp", lambda value: exact_stamp(value, form), lambda value: StampBound(value, form)
    )


def _layout(spec: FieldSpec) -> Layout | None:
    if spec.type == "yearmonth":
        return layout(_PATTERNS["yearmonth"], years=(0, 9999))
    if spec.format == "any":
        return layout(_PATTERNS[spec.type], years=_GENERAL_YEARS) if spec.type != "time" else None
    form = layout(_PATTERNS[spec.type] if spec.format == "default" else spec.format)
    return form if form and all(name in _PARTS[spec.type] for name, _ in form.parts) else None


def _bounds(
    constraints: Mapping[str, Any],
    family: str,
    exactly: Callable[[Any], Any],
    bound: Callable[[Any], Any],
) -> Iterator[Rule]:
    """The rules of bounds and enums. Raises: _NotCompiled: one of them is not plain."""
    for name, value in constraints.items():
        values = [exactly(each) for each in (value if name == "enum" else [value])]
        if not values or any(each is None for each in values):
            raise _NotCompiled(name)
        yield Rule(f"{family} {name}", bound(_together(values) if name == "enum" else values[0]), name)


def _together(values: list[Any]) -> Any:
    """The values of an enum as one array."""
    if values and isinstance(values[0], pa.Scalar):
        return pa.array([value.as_py() for value in values], values[0].type)
    return np.array(values, np.int64)


def _booleans(spec: FieldSpec, constraints: Mapping[str, Any]) -> Iterator[Rule]:
    if constraints:
        raise _NotCompiled("enum")
    values = [*spec.properties.get("trueValues", _TRUE), *spec.properties.get("falseValues", _FALSE)]
    yield Rule("boolean", texts(values), "type")


_FAMILIES: Mapping[str, Callable[[FieldSpec, Mapping[str, Any]], Iterator[Rule]]] = {
    "string": _strings,
    "number": _numbers,
    "integer": _integers,
    "year": _integers,
    "boolean": _booleans,
    **dict.fromkeys(("date", "datetime", "time", "yearmonth"), _stamps),
}
