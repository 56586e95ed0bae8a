"""The command `piperoll validate`: check any table against any schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.checking.schema.frictionless_tables import TableError

NOT_VALID = 1
"""The exit status if the schema refuses something."""


def validate(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV file, or a datapackage.json.")],
    schema: Annotated[
        Path | None, typer.Option(metavar="SCHEMA.json", help="Its Table Schema. A package has its own.")
    ] = None,
    dialect: Annotated[Path | None, typer.Option(metavar="DIALECT.json", help="Its Table Dialect, if any.")] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="Its encoding. Detected if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    engine: Annotated[str, typer.Option(metavar="ENGINE", hidden=True)] = "reference",
) -> None:
    """Check any table against its Table Schema with Frictionless.

    Every error is reported, without a limit. The exit status is 0 if there is none, 1 if there is one, and 2 if the
    check could not be run.

    piperoll validate table.csv --schema schema.json
    piperoll validate datapackage.json --json
    """
    from piperoll.checking.schema.frictionless_tables import validate_package, validate_table

    if engine not in {"compiled", "reference"}:  # both are accepted, as they were when each was an engine of its own
        raise UsageError(f"there is no engine called {engine}: leave out --engine")
    for path in (table, schema, dialect):
        if path and not path.is_file():
            raise UsageError(f"there is no file {path}: check the name")
    found: Iterator[tuple[str | None, TableError]]
    if schema is not None:
        errors = validate_table(table, _read_json(schema), _read_json(dialect) if dialect else None, encoding)
        found = ((None, error) for error in errors)
    elif table.suffix.lower() == ".json":
        found = validate_package(table)
    else:
        raise UsageError(f"name the schema of {table} with --schema, or a datapackage.json instead of the table")
    count = 0
    if as_json:
        documents = [error.to_json() | ({"resource": resource} if resource else {}) for resource, error in found]
        count = len(documents)
        result = json.dumps({"valid": not count, "count": count, "errors": documents}, ensure_ascii=False)
        sys.stdout.buffer.write(f"{result}\n".encode())  # UTF-8 whatever the terminal's encoding
        sys.stdout.buffer.flush()
    else:
        for resource, error in found:
            typer.echo(f"{resource}: {error}" if resource else str(error))
            count += 1
        typer.echo(f"{table}: {f'{count:,} errors' if count else 'valid'}")
    raise typer.Exit(NOT_VALID if count else 0)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}): correct it, or name another file") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} does not hold a JSON object: name a file that does")
    return document
