"""From a question to its answer: the versions, the files, the batches, and where the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from piperoll.errors import NotThere
from serving.cursors import Cursor
from serving.engine import Engine
from serving.index_cache import Shelf
from serving.parquet_cache import Files
from serving.problems import Problem
from serving.query import Asked
from serving.shapes import runs, scale_of, shape_of
from serving.sql import Place, Statement, groups_statement, rows_statement
from serving.terms import Value
from serving.version_selection import Chosen, choose

_FILES_AT_ONCE = 64
"""Files that one statement reads where the order is theirs: a page needs few, and none is opened for nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Batches of the columns that were asked for, and the cursor of the next page; None: there is none."""

    batches: Iterator[pa.RecordBatch]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where questions are answered: what is published, its files, and the engine that reads them."""

    shelf: Shelf
    files: Files
    engine: Engine

    def choose(self, asked: Asked) -> Chosen:
        """The versions that a question is answered from. Raises: Problem."""
        return choose(self.shelf, asked.scope, asked.cursor)

    def answer(self, asked: Asked, chosen: Chosen, *, page: int | None) -> Answer:
        """The rows or groups that are asked for: a page of so many, or all of them, read as they are taken.

        Raises: Problem: also while the batches are taken.
        """
        after = asked.cursor.keys if asked.cursor else None
        if page is None:
            return Answer(map(_without_keys(asked), self._batches(asked, chosen, after, None)), None)
        whole = pa.Table.from_batches(list(self._batches(asked, chosen, after, page + 1)))
        shown = whole.slice(0, page)
        following = None
        if whole.num_rows > page:
            following = Cursor(asked.question, chosen.digest, chosen.until, _keys(shown))
        return Answer(map(_without_keys(asked), shown.combine_chunks().to_batches() or _empty(whole)), following)

    def _batches(
        self, asked: Asked, chosen: Chosen, after: Sequence[Value | None] | None, limit: int | None
    ) -> Iterator[pa.RecordBatch]:
        try:
            paths = self.files.paths(chosen.used)
        except NotThere as error:
            self.shelf.forget()
            raise Problem(503, "moved", "a file was taken away meanwhile: ask again", retry_after=1) from error
        places = [Place(used, path, number) for number, (used, path) in enumerate(zip(chosen.used, paths, strict=True))]
        scale = scale_of(map(shape_of, paths))
        try:
            if asked.grouped or asked.sort or not places:
                make = groups_statement if asked.grouped else rows_statement
                yield from self._run(make(asked, places, scale, after, limit))
            else:
                yield from self._in_their_order(asked, places, scale, after, limit)
        except Problem as problem:
            if problem.kind == "moved":
                self.shelf.forget()
            raise

    def _in_their_order(
        self,
        asked: Asked,
        places: Sequence[Place],
        scale: int,
        after: Sequence[Value | None] | None,
        limit: int | None,
    ) -> Iterator[pa.RecordBatch]:
        """Rows in the order of their series and of the lines there: no file is read that the page does not reach."""
        begin = _begin(after, len(places))
        left, sent = limit, False
        for run in runs([place.path for place in places[begin:]], _FILES_AT_ONCE):
            own = places[begin:][run.start : run.stop]
            for batch in self._run(rows_statement(asked, own, scale, after, left)):
                left = None if left is None else left - batch.num_rows
                if batch.num_rows or not sent:
                    yield batch
                    sent = True
            if left is not None and left <= 0:
                return

    def _run(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        return self.engine.batches(statement.sql, statement.values)


def _begin(after: Sequence[Value | None] | None, files: int) -> int:
    """The file in which a page begins. Raises: Problem: the cursor names none of them."""
    if after is None:
        return 0
    match list(after):
        case [int(number), int()] if 0 <= number < files:
            return number
    raise Problem(400, "bad-cursor", "this cursor is none of ours: leave it out and begin again")


def _key_names(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith("_key")]


def _keys(table: pa.Table) -> tuple[Value | None, ...]:
    last = table.slice(table.num_rows - 1).select(_key_names(table.column_names))
    return tuple(last.to_pylist()[0].values())


def _without_keys(asked: Asked) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    names = asked.names
    return lambda batch: batch.select(names)


def _empty(table: pa.Table) -> list[pa.RecordBatch]:
    columns = [pa.array([], kind) for kind in table.schema.types]
    return [pa.RecordBatch.from_arrays(columns, schema=table.schema)]


def first_of(batches: Iterator[pa.RecordBatch]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The shape of an answer, once its first batch is there, and all of its batches."""
    first = next(batches)
    return first.schema, chain((first,), batches)
