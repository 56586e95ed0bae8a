"""What a Table Schema says of its fields and keys, in one form; and whether we understand all that it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from piperoll.checking.schema.patterns import portable

TYPES = {
    "string": ("required", "minLength", "maxLength", "pattern", "enum"),
    "boolean": ("required", "enum"),
    **dict.fromkeys(
        ("number", "integer", "date", "datetime", "time", "year", "yearmonth"),
        ("required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum"),
    ),
}
"""The types that are compiled, and their constraints in the order in which Frictionless looks at them."""
REPLAYED = dict.fromkeys(("any", "list", "object", "array", "duration", "geopoint", "geojson"), ("required",))
"""The types of which Frictionless reads every cell. Their values may not be compared: no key has them."""
_KNOWN = TYPES | REPLAYED
_VERSION_2 = "https://datapackage.org/profiles/2.0/tableschema.json"
_ONLY_IN_2 = {"exclusiveMinimum", "exclusiveMaximum"}
_WORDS = {"title", "description", "rdfType"}
_PROPERTIES: Mapping[str, tuple[type, set[str]]] = {
    "bareNumber": (bool, {"integer", "number"}),
    "decimalChar": (str, {"number"}),
    "groupChar": (str, {"number"}),
    "trueValues": (list, {"boolean"}),
    "falseValues": (list, {"boolean"}),
}
_CONSTRAINTS: Mapping[str, type | tuple[type, ...]] = {
    "required": bool,
    "unique": bool,
    "pattern": str,
    "enum": list,
    "minLength": int,
    "maxLength": int,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (str, int, float)),
}
_STRING_FORMATS = {"default", "email", "uri", "binary", "uuid", "wkt"}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its place among the fields counts from 1; `missing` are the texts that stand for no value."""

    name: str
    number: int
    type: str
    format: str
    missing: tuple[str, ...]
    constraints: Mapping[str, Any]
    properties: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether a value must be there."""
        return bool(self.constraints.get("required"))

    @property
    def unique(self) -> bool:
        """Whether no value may stand twice."""
        return bool(self.constraints.get("unique"))


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Fields whose values must stand together in fields of a resource; "" is the table itself."""

    fields: tuple[str, ...]
    resource: str
    reference: tuple[str, ...]


def specs(schema: Mapping[str, Any]) -> tuple[FieldSpec, ...]:
    """The fields of a schema that is understood."""
    missing = tuple(schema.get("missingValues", [""]))
    return tuple(_spec(field, number, missing) for number, field in enumerate(schema["fields"], start=1))


def any_field(name: str, number: int) -> FieldSpec:
    """The field that Frictionless makes of a column that the schema does not know: anything will do."""
    return FieldSpec(name, number, "any", "default", ("",), {}, {})


def primary_key(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the fields of the primary key, none if there is none."""
    return _names(schema.get("primaryKey") or [])


def foreign_keys(schema: Mapping[str, Any]) -> tuple[ForeignKey, ...]:
    """The foreign keys of a schema that is understood."""
    return tuple(
        ForeignKey(_names(key["fields"]), key["reference"].get("resource", ""), _names(key["reference"]["fields"]))
        for key in schema.get("foreignKeys") or []
    )


def understood(schema: Mapping[str, Any], *, version_2: bool = False) -> bool:
    """Whether the schema is right beyond doubt and holds nothing that we do not know.

    Of any other Frictionless is asked, which says what is wrong with it. `version_2`: what the schema stands in says
    that it is of version 2.0; Frictionless does not ask the schema itself.
    """
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields or schema.get("$schema", _VERSION_2) != _VERSION_2:
        return False
    known = {"fields", "missingValues", "primaryKey", "foreignKeys", "$schema", "title", "description"}
    if not all(name in known or name.startswith("x_") for name in schema) or not _are_words(schema):
        return False
    # Frictionless reads what a key refers to by a copy that has forgotten its version
    version_2 = version_2 and not schema.get("foreignKeys")
    if not all(isinstance(field, dict) and _field_understood(field, version_2=version_2) for field in fields):
        return False
    names = [field["name"] for field in fields]
    comparable = {field["name"] for field in fields if field.get("type", "string") in TYPES}
    return (
        len(set(names)) == len(names)
        and _texts(schema.get("missingValues", []))
        and _keys_understood(schema, comparable)
    )


def _spec(field: Mapping[str, Any], number: int, missing: tuple[str, ...]) -> FieldSpec:
    return FieldSpec(
        name=field["name"],
        number=number,
        type=field.get("type", "string"),
        format=field.get("format", "default").replace("fmt:", ""),
        missing=tuple(field.get("missingValues", missing)),
        constraints=field.get("constraints", {}),
        properties={name: field[name] for name in _PROPERTIES if name in field},
    )


def _field_understood(field: Mapping[str, Any], *, version_2: bool) -> bool:
    kind = field.get("type", "string")
    known = {"name", "type", "format", "constraints", "missingValues", *_WORDS, *_PROPERTIES}
    return (
        kind in _KNOWN
        and isinstance(field.get("name"), str)
        and all(name in known or name.startswith("x_") for name in field)
        and _are_words(field)
        and _texts(field.get("missingValues", []))
        and isinstance(field.get("format", ""), str)
        and (kind != "string" or field.get("format", "default") in _STRING_FORMATS)
        and all(
            isinstance(field[name], form) and kind in kinds and (form is not list or _texts(field[name]))
            for name, (form, kinds) in _PROPERTIES.items()
            if name in field
        )
        and _constraints_understood(field.get("constraints", {}), kind, version_2=version_2)
    )


def _constraints_understood(constraints: object, kind: str, *, version_2: bool) -> bool:
    return isinstance(constraints, dict) and all(
        name in {*_KNOWN[kind], *(["unique"] if kind in TYPES else [])}
        and isinstance(value, _CONSTRAINTS[name])
        and (_CONSTRAINTS[name] is bool or not isinstance(value, bool))
        and (version_2 or name not in _ONLY_IN_2)
        and (name != "pattern" or _compiles(str(value)))
        for name, value in constraints.items()
    )


def _keys_understood(schema: Mapping[str, Any], there: set[str]) -> bool:
    key, keys = schema.get("primaryKey", []), schema.get("foreignKeys", [])
    return (
        isinstance(key, str | list)
        and _texts(_names(key))
        and there.issuperset(_names(key))
        and isinstance(keys, list)
        and all(_foreign_key_understood(each, there) for each in keys)
    )


def _foreign_key_understood(key: object, there: set[str]) -> bool:
    if not isinstance(key, dict) or set(key) != {"fields", "reference"} or not isinstance(key["reference"], dict):
        return False
    own, reference = key["fields"], key["reference"].get("fields")
    if not isinstance(own, str | list) or not isinstance(reference, str | list):
        return False
    return (
        set(key["reference"]) <= {"resource", "fields"}
        and isinstance(key["reference"].get("resource", ""), str)
        and _texts(_names(own))
        and _texts(_names(reference))
        and 0 < len(_names(own)) == len(_names(reference))
        and there.issuperset(_names(own))
    )


def _names(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _texts(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)


def _are_words(described: Mapping[str, Any]) -> bool:
    return all(isinstance(described.get(name, ""), str) for name in _WORDS)


def _compiles(pattern: str) -> bool:
    try:
        portable(pattern)
    except re.error:
        return False
    return True
