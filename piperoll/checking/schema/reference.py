"""Frictionless, which says what a Table Schema means. The one module that imports it, and only when it is asked.

It reads about 10,000 to 20,000 rows a second, and importing it takes most of a second.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from piperoll.checking.schema.errors import Error
from piperoll.errors import DescriptorError

if TYPE_CHECKING:
    from frictionless import Schema

_ADDRESS = "row"
_VERSION_2 = "https://datapackage.org/profiles/2.0/tableschema.json"
_COMPARED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum")
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
    # which version a schema is of bears upon what it may say, and not upon how cells are read
    field = _schema({"$schema": _VERSION_2, **descriptor}).get_field(name)
    read = field.create_cell_reader()
    value = field.create_value_reader()

    def cell(text: str | None) -> Read:
        try:
            typed, notes = read(text)
        except (ArithmeticError, TypeError):
            return value(text), tuple(name for name in _COMPARED if name in field.constraints)[:1]
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


def table_errors(resource: Mapping[str, Any]) -> Iterator[Error]:
    """Every error that Frictionless finds in a Data Resource: its path may lead anywhere.

    Raises: DescriptorError: Frictionless itself fails.
    """
    from frictionless import system, validate  # noqa: PLC0415 - importing it takes a second

    with system.use_context(trusted=True):
        try:
            report = validate({"name": "table", "type": "table", **resource}, limit_errors=sys.maxsize)
        except Exception as fault:  # whatever it is, it is Frictionless's own
            raise DescriptorError(f"Frictionless fails on {resource['path']}: {fault!r}") from fault
    yield from _errors(report)


@dataclass(frozen=True)
class Package:
    """A Data Package as Frictionless reads it: its own errors, and its resources as descriptors by their names.

    With errors of its own it has no resources: nothing else is looked at. `profile` is its `$schema`.
    """

    folder: Path
    profile: str | None
    errors: tuple[Error, ...]
    resources: Mapping[str, Mapping[str, Any]]
    resource_errors: Callable[[str], Iterator[Error]]
    """Every error of a resource, by its name."""


def package(path: Path) -> Package:
    """The package that a datapackage.json describes.

    Raises: DescriptorError: Frictionless itself fails.
    """
    from frictionless import FrictionlessException, Report, system  # noqa: PLC0415 - importing it takes a second
    from frictionless import Package as Described  # noqa: PLC0415

    with system.use_context(trusted=True):
        try:
            described = Described.from_descriptor(str(path))
            resources = described.to_descriptor(validate=True)["resources"]
        except FrictionlessException as refused:
            errors = tuple(_errors(Report.from_validation(errors=refused.to_errors())))
            return Package(path.parent, None, errors, {}, lambda _: iter(()))

    def resource_errors(name: str) -> Iterator[Error]:
        with system.use_context(trusted=True):
            try:
                report = described.validate(name=name, limit_errors=sys.maxsize)
            except Exception as fault:
                raise DescriptorError(f"Frictionless fails on {name}: {fault!r}") from fault
        yield from _errors(report)

    inlined = {each["name"]: _inlined(described.get_resource(each["name"]), each) for each in resources}
    return Package(path.parent, described.to_descriptor().get("$schema"), (), inlined, resource_errors)


def _inlined(resource: Any, descriptor: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource's descriptor, its schema and dialect in it though they may stand in files of their own."""
    parts = {name: getattr(resource, name).to_descriptor() for name in ("schema", "dialect") if name in descriptor}
    return {**descriptor, **parts}


def _errors(report: Any) -> Iterator[Error]:
    for error in (*report.errors, *(error for task in report.tasks for error in task.errors)):
        told = error.to_descriptor()
        rule = _NOTE.search(told["note"]) if error.type == "constraint-error" else None
        yield Error(
            error.type,
            row=told.get("rowNumber"),
            field=told.get("fieldName"),
            number=told.get("fieldNumber"),
            cell=told.get("cell", told.get("label")),
            rule=rule["rule"] if rule else None,
        )


def encoding(start: bytes) -> str:
    """The encoding that Frictionless tells from the first bytes of a file."""
    from frictionless import Detector  # noqa: PLC0415 - importing it takes a second

    return str(Detector().detect_encoding(start))
