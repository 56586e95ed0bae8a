"""Frictionless on files: what `piperoll validate` reports of a table, or of every resource of a Data Package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from piperoll.checking.schema.frictionless_cells import CONSTRAINT_NOTE
from piperoll.errors import DescriptorError


@dataclass(frozen=True, slots=True)
class TableError:
    """One error of a table; `type` is Frictionless's name for it.

    `row` counts the records of the file from 1, the header included; None if the error is about no row. `field` is
    the field's name: "" for a cell or label beyond the fields, None if the error is about no cell. `number` is the
    column's, from 1. `cell` is the cell or label as written, `rule` the constraint that it breaks.
    """

    type: str
    row: int | None = None
    field: str | None = None
    number: int | None = None
    cell: str | None = None
    rule: str | None = None

    def __str__(self) -> str:
        where = [f"row {self.row}"] if self.row else []
        where += [f"field '{self.field}'"] if self.field else [f"column {self.number}"] if self.number else []
        rule = f" ({self.rule})" if self.rule else ""
        cell = f": {self.cell!r}" if self.cell is not None else ""
        return f"{', '.join(where) or 'table'}: {self.type}{rule}{cell}"

    def to_json(self) -> dict[str, Any]:
        """The error as `piperoll validate --json` writes it."""
        return {
            "type": self.type,
            "row": self.row,
            "field": self.field,
            "fieldNumber": self.number,
            "cell": self.cell,
            "rule": self.rule,
        }


def validate_table(
    path: Path, schema: Mapping[str, Any], dialect: Mapping[str, Any] | None = None, encoding: str | None = None
) -> Iterator[TableError]:
    """Every error of a file by a Table Schema, and a Table Dialect and an encoding if given.

    Raises: DescriptorError: Frictionless itself fails.
    """
    from frictionless import validate  # noqa: PLC0415 - importing it takes a second

    given = {"dialect": dialect, "encoding": encoding}
    resource = {"name": "table", "type": "table", "path": str(path), "schema": dict(schema)}
    resource |= {name: value for name, value in given.items() if value}
    yield from _validate(str(path), partial(validate, resource))


def validate_package(path: Path) -> Iterator[tuple[str | None, TableError]]:
    """Every error of each resource of a datapackage.json with the resource's name; None for the package itself.

    If the package itself has errors, its resources are not read.

    Raises: DescriptorError: Frictionless itself fails.
    """
    from frictionless import FrictionlessException, Package, Report, system  # noqa: PLC0415 - importing it takes a second

    names, refusals = [], []
    with system.use_context(trusted=True):  # paths may lead out of the current folder
        try:
            package = Package.from_descriptor(str(path))
            names = [resource["name"] for resource in package.to_descriptor(validate=True)["resources"]]
        except FrictionlessException as refused:
            refusals = refused.to_errors()
    yield from ((None, error) for error in _table_errors(Report.from_validation(errors=refusals)))
    for name in names:
        errors = _validate(name, partial(package.validate, name=name))
        yield from ((name, error) for error in errors)


def _validate(what: str, validate: Callable[..., Any]) -> Iterator[TableError]:
    from frictionless import system  # noqa: PLC0415 - importing it takes a second

    with system.use_context(trusted=True):
        try:
            report = validate(limit_errors=sys.maxsize)
        except Exception as fault:  # whatever it is, it is a fault of Frictionless
            raise DescriptorError(f"Frictionless fails on {what}: {fault!r}") from fault
    yield from _table_errors(report)


def _table_errors(report: Any) -> Iterator[TableError]:
    for error in (*report.errors, *(error for task in report.tasks for error in task.errors)):
        described = error.to_descriptor()
        note = CONSTRAINT_NOTE.search(described["note"]) if error.type == "constraint-error" else None
        yield TableError(
            error.type,
            row=described.get("rowNumber"),
            field=described.get("fieldName"),
            number=described.get("fieldNumber"),
            cell=described.get("cell", described.get("label")),
            rule=note["rule"] if note else None,
        )
