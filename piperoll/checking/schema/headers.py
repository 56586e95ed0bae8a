"""The header beside the schema: which column is which field, and what is wrong with the labels.

Table Schema, "fieldsMatch": exact. Labels and fields pair by their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.checking.schema.errors import Error
from piperoll.checking.schema.fields import FieldSpec, any_field


def header_errors(labels: Sequence[str], fields: Sequence[FieldSpec]) -> Iterator[Error]:
    """What is wrong with the labels, in Frictionless's order. Without a header nothing is said."""
    if not labels:
        return
    for number, label in enumerate(labels[len(fields) :], start=len(fields) + 1):
        yield Error("extra-label", field="", number=number, cell=label)
    for number, field in enumerate(fields[len(labels) :], start=len(labels) + 1):
        yield Error("missing-label", field=field.name, number=number)
    for place, (field, label) in enumerate(zip(fields, labels, strict=False)):
        kind = _label_error(labels, place, field)
        if kind:
            yield Error(kind, field=field.name, number=place + 1, cell=label)


def expected_fields(labels: Sequence[str], fields: Sequence[FieldSpec]) -> tuple[FieldSpec, ...]:
    """The fields that rows must have: one for each label, those beyond the schema's of any type."""
    if not labels:
        return tuple(fields)
    names = [field.name for field in fields[: len(labels)]]
    for label in labels[len(fields) :]:
        names.append(_free(label, names))
    extra = (any_field(name, number) for number, name in enumerate(names, start=1) if number > len(fields))
    return (*fields[: len(labels)], *extra)


def _label_error(labels: Sequence[str], place: int, field: FieldSpec) -> str | None:
    if not labels[place]:
        return "blank-label"
    if labels[place] in labels[:place]:
        return "duplicate-label"
    return None if labels[place] == field.name else "incorrect-label"


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, with the first number from 2 on that makes it new."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free
