"""Frictionless on single cells: those that the compiled rules leave in doubt, and whole tables when it is the engine.

It defines what a Table Schema means. It reads 10,000 to 20,000 rows a second, and importing it takes most of a second,
so it is imported only when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from piperoll.errors import DescriptorError

if TYPE_CHECKING:
    from frictionless import Schema

_CACHED_CELLS = 1 << 16
"""Different cells of a field whose reading is cached."""
_VERSION_2 = "https://datapackage.org/profiles/2.0/tableschema.json"
_COMPARED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum")
_ROW_NUMBER = "row"
CONSTRAINT_NOTE = re.compile(r'constraint "(?P<rule>\w+)" is ')
"""How Frictionless names the constraint in the note of an error."""


class CellReading(NamedTuple):
    """A cell's value, None if it has none, and what the cell breaks: "type" or the names of constraints."""

    value: Any
    breaks: tuple[str, ...]


class CellError(NamedTuple):
    """A cell that breaks the schema: its field, Frictionless's error type, and the constraint if one is broken."""

    field: str
    kind: str
    rule: str | None


class FrictionlessCells:
    """Reads single cells of the fields of a schema as Frictionless does, each different cell of a field once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._readers: dict[str, Callable[[str], CellReading]] = {}

    def read(self, name: str, cell: str) -> CellReading:
        """Read a cell of the field `name`.

        Raises: DescriptorError: Frictionless refuses the schema or its pattern.
        """
        if name not in self._readers:
            self._readers[name] = lru_cache(_CACHED_CELLS)(_cell_reader(self._schema, name))
        return self._readers[name](cell)


def _cell_reader(schema: Mapping[str, Any], name: str) -> Callable[[str], CellReading]:
    # the version decides what a schema may say, not how its cells are read
    field = load_schema({"$schema": _VERSION_2, **schema}).get_field(name)
    try:
        read, read_value = field.create_cell_reader(), field.create_value_reader()
    except re.error as error:
        raise DescriptorError(f"field {name}: its pattern is not a regular expression ({error})") from error

    def read_cell(cell: str) -> CellReading:
        try:
            value, notes = read(cell)
        except (ArithmeticError, TypeError):
            # Frictionless fails where it cannot compare, such as sNaN with a minimum: see docs/parity.md
            return CellReading(read_value(cell), tuple(name for name in _COMPARED if name in field.constraints)[:1])
        return CellReading(value, tuple(notes or ()))

    return read_cell


def load_schema(schema: Mapping[str, Any]) -> Schema:
    """Load a schema into Frictionless. Raises: DescriptorError: Frictionless refuses it."""
    from frictionless import FrictionlessException, Schema  # noqa: PLC0415 - importing it takes a second

    try:
        return Schema.from_descriptor(dict(schema))
    except FrictionlessException as error:
        raise DescriptorError(f"Frictionless refuses the schema: {error}") from error


def read_cells(schema: Mapping[str, Any], name: str, cells: Iterable[str | None]) -> Iterator[list[CellError]]:
    """Yield the errors that Frictionless finds in each cell of the field `name`, as `read_rows` does in whole rows.

    Whether a field is `unique` is not tested. Raises: DescriptorError: Frictionless refuses the schema.
    """
    read = load_schema(schema).get_field(name).create_cell_reader()
    for cell in cells:
        _, notes = read(cell)
        yield [
            CellError(name, "type-error", None) if broken == "type" else CellError(name, "constraint-error", broken)
            for broken in notes or ()
        ]


def read_rows(schema: Mapping[str, Any], rows: Iterable[Sequence[str | None]]) -> Iterator[list[CellError]]:
    """Yield the errors that Frictionless finds in each row; a row has a cell for every field of the schema, in order.

    Raises: DescriptorError: Frictionless refuses the schema or reports an error that we do not know.
    """
    from frictionless.resources import TableResource  # noqa: PLC0415 - importing it takes a second

    # Frictionless does not check the cells of a blank row, so each row gets its number as a first cell. The row stream
    # is read because the report of `validate` stops at 1,000 errors.
    fields = [{"name": _ROW_NUMBER, "type": "string"}, *schema["fields"]]
    numbered_schema = load_schema({**schema, "fields": fields})
    numbered_rows = ([str(number), *row] for number, row in enumerate(rows, start=1))
    data = chain([numbered_schema.field_names], numbered_rows)
    with TableResource(data=data, format="inline", schema=numbered_schema) as resource:
        for row in resource.row_stream:
            errors = []
            for error in row.errors:
                note = CONSTRAINT_NOTE.search(error.note) if error.type == "constraint-error" else None
                if note is None and error.type not in {"type-error", "unique-error"}:
                    raise DescriptorError(f"Frictionless reports '{error.type}: {error.note}', which we do not know")
                errors.append(CellError(error.field_name, error.type, note["rule"] if note else None))
            yield errors
