"""Frictionless, which says what a Table Schema means. The one module that imports it, and only when it is asked.

It reads about 10,000 to 20,000 rows a second, and importing it takes most of a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from piperoll.errors import DescriptorError

if TYPE_CHECKING:
    from frictionless import Schema

_ADDRESS = "row"
_NOTE = re.compile(r'constraint "(?P<rule>\w+)" is ')

Read: TypeAlias = tuple[Any, tuple[str, ...]]
"""A cell's value, None where there is none, and what it breaks: "type" or the names of constraints."""


def require_sound(descriptor: Mapping[str, Any]) -> None:
    """Raises: DescriptorError: Frictionless refuses the schema."""
    _schema(descriptor)


def reader(descriptor: Mapping[str, Any], name: str) -> Callable[[str | None], Read]:
    """What reads the cells of a field of the schema.

    Where Frictionless itself fails on a cell (it cannot compare a signalling NaN, or a time that has a zone with one
    that has none) the cell breaks the constraint that cannot be compared: docs/parity.md.

    Raises: DescriptorError: Frictionless refuses the schema.
    """
    field = _schema(descriptor).get_field(name)
    read = field.create_cell_reader()
    value = field.create_value_reader()

    def cell(text: str | None) -> Read:
        try:
            typed, notes = read(text)
        except (ArithmeticError, TypeError):
            return value(text), ("enum" if "enum" in field.constraints else "minimum",)
        return typed, tuple(notes or ())

    return cell


def _schema(descriptor: Mapping[str, Any]) -> Schema:
    from frictionless import FrictionlessException, Schema  # noqa: PLC0415 - importing it takes a second

    try:
        return Schema.from_descriptor(dict(descriptor))
    except FrictionlessException as error:
        raise DescriptorError(f"Frictionless refuses the schema: {error}") from error


@dataclass(frozen=True, slots=True)
class CellError:
    """What Frictionless says of one cell: its error type, and the constraint that is broken if one is."""

    kind: str
    field: str
    rule: str | None


def row_errors(descriptor: Mapping[str, Any], rows: Iterable[Sequence[str | None]]) -> Iterator[list[CellError]]:
    """What Frictionless says of each row of cells, in order; the rows have a cell for each field.

    Rows are taken from its row stream one at a time: the list that its `validate` makes stops at 1,000 errors. The
    row's number goes along, so that no row is ever blank: for those Frictionless says nothing else.

    Raises: DescriptorError: Frictionless refuses the schema or says something that we have no words for.
    """
    from frictionless.resources import TableResource  # noqa: PLC0415 - importing it takes a second

    schema = _schema({**descriptor, "fields": [{"name": _ADDRESS, "type": "string"}, *descriptor["fields"]]})
    numbered = ([str(number), *row] for number, row in enumerate(rows, start=1))
    with TableResource(data=chain([schema.field_names], numbered), format="inline", schema=schema) as resource:
        for row in resource.row_stream:
            yield [_cell_error(error) for error in row.errors]


def _cell_error(error: Any) -> CellError:
    if error.type in {"type-error", "unique-error"}:
        return CellError(error.type, error.field_name, None)
    match = _NOTE.search(error.note)
    if error.type != "constraint-error" or not match:
        raise DescriptorError(f"Frictionless says '{error.type}: {error.note}', which we have no words for")
    return CellError(error.type, error.field_name, match["rule"])
