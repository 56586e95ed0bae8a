"""Checking any table against any schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.checking.schema import Error

NOT_VALID = 1
"""The exit status when the schema refuses something."""


def validate(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV file, or a datapackage.json.")],
    schema: Annotated[
        Path | None, typer.Option(metavar="SCHEMA.json", help="Its Table Schema; a package has its own.")
    ] = None,
    dialect: Annotated[Path | None, typer.Option(metavar="DIALECT.json", help="Its Table Dialect, if any.")] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="Its encoding; told if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one document.")] = False,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="reference: Frictionless alone, slowly.")] = "compiled",
) -> None:
    """Check any table against its Table Schema, as Frictionless does, but whole columns at once.

    Every error is told; none is left out for being one of many. The exit status is 0 when there is none, 1 when there
    is one, and 2 when we could not do what you asked.

    piperoll validate table.csv --schema schema.json
    piperoll validate datapackage.json --json
    """
    if engine not in {"compiled", "reference"}:
        raise UsageError(f"no engine is called {engine}: say compiled or reference")
    for path in (table, schema, dialect):
        if path and not path.is_file():
            raise UsageError(f"there is no file {path}: check the name")
    packaged = schema is None and table.suffix.lower() == ".json"
    if schema is None and not packaged:
        raise UsageError(f"name the schema of {table} with --schema, or a datapackage.json instead of the table")
    found = _of_package(table, engine) if packaged else _of_table(table, schema, dialect, encoding, engine)
    count = _print_json(found) if as_json else _print_lines(found)
    if not as_json:
        typer.echo(f"{table}: {f'{count:,} errors' if count else 'valid'}")
    raise typer.Exit(NOT_VALID if count else 0)


def _of_package(path: Path, engine: str) -> Iterator[tuple[str | None, Error]]:
    from piperoll.checking.engine import CheckEngine
    from piperoll.checking.schema import validate_package

    return validate_package(path, engine=CheckEngine(engine))


def _of_table(
    table: Path, schema: Path | None, dialect: Path | None, encoding: str | None, engine: str
) -> Iterator[tuple[str | None, Error]]:
    from piperoll.checking.engine import CheckEngine
    from piperoll.checking.schema import validate as errors_of

    told = _json(dialect) if dialect else None
    return (
        (None, error)
        for error in errors_of(table, _json(schema), dialect=told, encoding=encoding, engine=CheckEngine(engine))
    )


def _json(path: Path | None) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text("utf-8-sig")) if path else None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}): correct it, or name another file") from error
    if not isinstance(described, dict):
        raise UsageError(f"{path} does not hold a JSON object: name a file that does")
    return described


def _print_json(found: Iterator[tuple[str | None, Error]]) -> int:
    errors = [error.to_json() | ({"resource": resource} if resource else {}) for resource, error in found]
    document = {"valid": not errors, "count": len(errors), "errors": errors}
    sys.stdout.buffer.write(f"{json.dumps(document, ensure_ascii=False)}\n".encode())
    sys.stdout.buffer.flush()
    return len(errors)


def _print_lines(found: Iterator[tuple[str | None, Error]]) -> int:
    count = 0
    for resource, error in found:
        typer.echo(f"{resource}: {error.words}" if resource else error.words)
        count += 1
    return count
