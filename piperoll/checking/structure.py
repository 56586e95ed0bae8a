"""Structure: the published schema, by Frictionless. The one module that knows that library.

Frictionless reads about 10,000 to 20,000 rows a second, so only the fields that the schema could refuse go
through it. Rows are taken from its row stream one at a time: the list that its `validate` makes stops at 1,000 errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from piperoll.checking.places import as_sent, lines_of
from piperoll.errors import DescriptorError
from piperoll.model import Dataset, Field
from piperoll.reading import ReadTable

if TYPE_CHECKING:
    from frictionless import Schema

_ADDRESS = "row"
_NOTE = re.compile(r'constraint "(?P<rule>\w+)" is "(?P<bound>.*)"', re.DOTALL)
_KNOWN = ("constraint-error", "type-error", "unique-error")


@dataclass(frozen=True, slots=True)
class Breach:
    """One cell that the published schema refuses: `kind` is Frictionless's error type.

    `rule` and `bound` are the constraint's name and value, None for other kinds. `sent` is the cell as it stands.
    """

    kind: str
    row: int
    line: int | None
    field: str
    sent: str | None
    rule: str | None
    bound: str | None


def breaches(table: ReadTable, dataset: Dataset) -> Iterator[Breach]:
    """Every breach of the published schema in `table`, row by row, however many.

    Raises: DescriptorError: Frictionless refuses our schema or says something that we do not expect.
    """
    fields = [field for field in dataset.fields if field.name in table.columns and _refuses(field)]
    if not fields:
        return
    names = [field.name for field in fields]
    for (row, line), sent, errors in zip(
        lines_of(table), _sent_rows(table, names), _errors(table, fields), strict=True
    ):
        for error in errors:
            rule, bound = _rule(error)
            yield Breach(error.type, row, line, error.field_name, sent[names.index(error.field_name)], rule, bound)


def _refuses(field: Field) -> bool:
    return field.type != "string" or bool(_constraints(field))


def _constraints(field: Field) -> dict[str, Any]:
    """What must hold of the cell as sent: where the field can be derived, it need not be there."""
    constraints = dict(field.constraints or {})
    if field.derive is not None:
        constraints.pop("required", None)
    return constraints


def _schema(fields: Iterable[Field]) -> Schema:
    from frictionless import FrictionlessException, Schema  # noqa: PLC0415 - importing it takes a second

    described = [{"name": field.name, "type": field.type, "constraints": _constraints(field)} for field in fields]
    try:
        # the row's number goes along, so that no row is ever blank: for those Frictionless says nothing else
        return Schema.from_descriptor({"fields": [{"name": _ADDRESS, "type": "string"}, *described]})
    except FrictionlessException as error:
        raise DescriptorError(f"Frictionless refuses the schema: {error}") from error


def _errors(table: ReadTable, fields: list[Field]) -> Iterator[list[Any]]:
    """Frictionless's errors of each line, in order."""
    from frictionless.resources import TableResource  # noqa: PLC0415 - importing it takes a second

    names = [field.name for field in fields]
    with TableResource(data=_rows(table, names), format="inline", schema=_schema(fields)) as resource:
        if not resource.header.valid:
            raise DescriptorError(f"Frictionless refuses the columns: {resource.header.errors[0].message}")
        for row in resource.row_stream:
            if unknown := [error.type for error in row.errors if error.type not in _KNOWN]:
                raise DescriptorError(f"Frictionless says '{unknown[0]}', which we have no words for")
            yield row.errors


def _rows(table: ReadTable, names: list[str]) -> Iterator[list[str | None]]:
    yield [_ADDRESS, *names]
    for batch in table.batches():
        columns = [batch[name].to_pylist() for name in names]
        for address, *row in zip(batch["row"].to_pylist(), *columns, strict=True):
            yield [str(address), *row]


def _sent_rows(table: ReadTable, names: list[str]) -> Iterator[tuple[str | None, ...]]:
    for batch in table.batches():
        yield from zip(*(as_sent(batch, name).to_pylist() for name in names), strict=True)


def _rule(error: Any) -> tuple[str | None, str | None]:
    if error.type != "constraint-error":
        return None, None
    match = _NOTE.search(error.note)
    if not match:
        raise DescriptorError(f"Frictionless words a constraint in a way that we do not know: {error.note}")
    return match["rule"], match["bound"]
