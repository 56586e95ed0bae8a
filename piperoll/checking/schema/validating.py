"""A CSV file and a schema: every error, as `frictionless validate` tells them, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import reference
from piperoll.checking.schema.blocks import Block, Found, in_order, judged, row_errors
from piperoll.checking.schema.compiling import CompiledField, compiled
from piperoll.checking.schema.errors import Error
from piperoll.checking.schema.fields import ForeignKey, foreign_keys, primary_key, specs, understood
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.headers import expected_fields, header_errors
from piperoll.checking.schema.keys import Foreign, Unique, known, noted, valued
from piperoll.checking.schema.raw_tables import RawTable, Told, file_errors, raw_table

_VERSION_2 = {f"https://datapackage.org/profiles/2.0/data{of}.json" for of in ("package", "resource")}


def validate(
    source: Path,
    schema: Mapping[str, Any],
    *,
    dialect: Mapping[str, Any] | None = None,
    encoding: str | None = None,
    engine: CheckEngine = CheckEngine.COMPILED,
) -> Iterator[Error]:
    """Every error of a CSV file by a Table Schema, as `frictionless.validate` finds it: header, then row by row.

    Whatever is not compiled (another format, a dialect or schema that holds something else) goes through Frictionless
    whole. Raises: DescriptorError: Frictionless fails on it.
    """
    told = Told(source, schema, dialect or {}, encoding)
    return validated(told, {}, engine, lambda: reference.table_errors(told.descriptor))


def validated(
    told: Told, others: Mapping[str, Told], engine: CheckEngine, whole: Callable[[], Iterator[Error]]
) -> Iterator[Error]:
    """The errors of a file; `others` are those that its foreign keys may refer to, by the names of their resources.

    `whole` is what Frictionless says of it, where it is asked.
    """
    table = _compiled(told, others) if engine == CheckEngine.COMPILED else None
    yield from whole() if table is None else table.errors()


@dataclass(frozen=True)
class _Table:
    """A raw table with the rules that hold for it."""

    raw: RawTable
    schema: Mapping[str, Any]
    fields: tuple[CompiledField, ...]
    replay: Replay

    @classmethod
    def of(cls, told: Told) -> _Table | None:
        """The table; None if it is not to be compiled."""
        raw = raw_table(told) if understood(told.schema, version_2=told.profile in _VERSION_2) else None
        if raw is None or "" in raw.labels[len(told.schema["fields"]) :]:
            return None
        fields = tuple(compiled(spec) for spec in expected_fields(raw.labels, specs(told.schema)))
        return cls(raw, told.schema, fields, Replay(told.schema))

    def blocks(self, only: Collection[int] | None = None) -> Iterator[Block]:
        """The rows; `only` are the fields that are looked at."""
        return self.raw.blocks(len(self.fields), only)

    def columns(self, names: Sequence[str]) -> list[int | None]:
        """Where the fields stand, None for one that the table has no column for."""
        own = {field.spec.name: at for at, field in enumerate(self.fields)}
        return [own.get(name) for name in names]

    def uniques(self) -> Iterator[Unique]:
        """What may not stand twice."""
        for at, field in enumerate(self.fields):
            if field.spec.unique:
                yield Unique("unique-error", (at,))
        columns = self.columns(primary_key(self.schema))
        if columns and None not in columns:
            yield Unique("primary-key", tuple(column for column in columns if column is not None))


@dataclass(frozen=True)
class _Ruled:
    """A table with its keys."""

    told: Told
    table: _Table
    foreign: tuple[Foreign, ...]

    def errors(self) -> Iterator[Error]:
        table, uniques = self.table, tuple(self.table.uniques())
        if table.raw.empty:
            yield Error("source-error")
        yield from header_errors(table.raw.labels, specs(table.schema))
        keyed = {column for unique in uniques for column in unique.columns}
        noted(uniques, partial(table.blocks, keyed), table.fields, table.replay)
        for block in table.blocks():
            verdicts = judged(block, table.fields, table.replay)
            own = valued(block, table.fields, dict(enumerate(verdicts)), table.replay)
            found = [*row_errors(block, verdicts)]
            found += [each for unique in uniques for each in unique.errors(own, len(block.numbers))]
            found += [each for foreign in self.foreign for each in foreign.errors(own)]
            yield from (_error(each, block, table.fields) for each in in_order(found))
        yield from file_errors(self.told)


def _compiled(told: Told, others: Mapping[str, Told]) -> _Ruled | None:
    table = _Table.of(told)
    if table is None:
        return None
    foreign = []
    for key in foreign_keys(told.schema):
        columns = table.columns(key.fields)
        there = table if not key.resource else key.resource in others and _Table.of(others[key.resource])
        if not there:
            return None
        if None not in columns:
            foreign.append(Foreign(tuple(each for each in columns if each is not None), _known(there, key)))
    return _Ruled(told, table, tuple(foreign))


def _known(there: _Table, key: ForeignKey) -> Any:
    return known(there.blocks, there.fields, there.columns(key.reference), there.replay)


def _error(found: Found, block: Block, fields: Sequence[CompiledField]) -> Error:
    place, column, kind, rule = found
    row = int(block.numbers[place])
    if not column:
        return Error(kind, row)
    if column > len(fields):
        return Error(kind, row, "", column)
    return Error(kind, row, fields[column - 1].spec.name, column, block.columns[column - 1][place].as_py(), rule)
