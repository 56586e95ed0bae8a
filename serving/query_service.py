"""Answer row queries: select the versions, get their files, and run SQL over them with DuckDB.

`QueryEngine` is the sandbox: DuckDB can read the folders of those files and nothing else, whatever a statement says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll.errors import NotThere, UsageError
from piperoll.model import format_decimal
from serving.consolidated_copies import SelectedYear
from serving.cursors import Cursor, FieldValue, bad_cursor
from serving.documents import UndatedRowsDocument
from serving.index_cache import PublishedIndex
from serving.parquet_cache import ParquetCache
from serving.row_query import RowQuery
from serving.sql import (
    QueryFile,
    QuerySource,
    Statement,
    file_schema,
    groups_statement,
    largest_scale,
    rows_statement,
    undated_statement,
)
from serving.totals import totals_for, totals_for_undated
from serving.version_selection import LineFilter, Selection, Selector, file_removed

_BATCH_ROWS = 8_192
"""Rows per batch of a streamed answer; a batch takes a few megabytes."""

_FILES_PER_STATEMENT = 64
"""Files that one statement reads if the rows come in the order of the files. Most pages need only the first few."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Batches of the query's columns, and the cursor of the next page; None if there is none."""

    batches: Iterator[pa.RecordBatch]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class UndatedRows:
    """Rows without a date that a condition on dates leaves out, with their pounds (None: there is no amount)."""

    rows: int
    amount_gbp: Decimal | None

    def describe(self) -> UndatedRowsDocument:
        """The rows and pounds as JSON."""
        return {"rows": self.rows, "amount_gbp": None if self.amount_gbp is None else format_decimal(self.amount_gbp)}


@dataclass(frozen=True, slots=True)
class QueryService:
    """Answers row queries: selects lines, gets their files, and runs statements over them."""

    index: PublishedIndex
    selector: Selector
    files: ParquetCache
    engine: QueryEngine

    def run(self, query: RowQuery, selection: Selection, *, page_rows: int | None) -> QueryResult:
        """Run a query for one page, or for all rows (`page_rows` None), which are then read while they are taken.

        Raises: Problem: also while the batches are taken.
        """
        after = query.cursor.keys if query.cursor else None
        if page_rows is None:
            batches = self._batches(query, selection, after, None)
            return QueryResult((batch.select(query.names) for batch in batches), None)
        # One row more than the page shows whether there is a next page.
        table = pa.Table.from_batches(list(self._batches(query, selection, after, page_rows + 1)))
        page, following = table.slice(0, page_rows), None
        if table.num_rows > page_rows:
            key_names = [name for name in table.column_names if name.startswith("_key")]
            [last] = page.slice(page_rows - 1).select(key_names).to_pylist()
            following = Cursor(query.digest, selection.digest, selection.until, tuple(last.values()))
        answer = page.select(query.names).combine_chunks()
        return QueryResult(
            iter(answer.to_batches() or [pa.RecordBatch.from_pylist([], schema=answer.schema)]), following
        )

    def count_undated(self, query: RowQuery, selection: Selection) -> UndatedRows | None:
        """The rows that a query leaves out because it asks for a time and they have no date; None if it does not.

        Raises: Problem.
        """
        if not (selection.filter.beside or any(one.asks_date for one in query.conditions)):
            return None
        years = (*selection.years, *selection.undated_years)
        statement = undated_statement(query, self._source(years, selection.filter, totals_for_undated(query)))
        if statement is None:
            return None
        [found] = pa.Table.from_batches(list(self.engine.run(statement))).to_pylist()
        nothing = Decimal(0) if query.amount else None
        return UndatedRows(found["rows"] or 0, nothing if found["pounds"] is None else found["pounds"])

    def _source(self, years: Sequence[SelectedYear], line_filter: LineFilter, totals: str | None) -> QuerySource:
        """The local files of some years; their totals if these answer the query and all years have them."""
        if totals is not None and not (years and all(one.totals for one in years)):
            totals = None
        wanted = [
            file for one in years for file in (one.lines if totals is None or one.totals is None else (one.totals,))
        ]
        try:
            paths = self.files.paths(wanted)
        except NotThere as error:
            self.index.forget()
            raise file_removed() from error
        files = [QueryFile(path, number) for number, path in enumerate(paths)]
        return QuerySource(files, line_filter, largest_scale(paths), totals)

    def _batches(
        self, query: RowQuery, selection: Selection, after: Sequence[FieldValue | None] | None, limit: int | None
    ) -> Iterator[pa.RecordBatch]:
        source = self._source(selection.years, selection.filter, totals_for(query, selection.filter))
        try:
            if query.aggregates:
                yield from self.engine.run(groups_statement(query, source, after, limit))
            elif query.sort or not source.files:
                yield from self.engine.run(rows_statement(query, source, after, limit))
            else:
                yield from self._batches_in_file_order(query, source, after, limit)
        except Problem as problem:
            if problem.kind == "moved":
                self.index.forget()
            raise
        except (duckdb.Error, ValueError, ArithmeticError) as error:
            if after is None:
                raise
            # the same statement without the keys of a cursor runs, so somebody has written these keys
            raise bad_cursor("the cursor is not valid: leave out cursor and start again") from error

    def _batches_in_file_order(
        self, query: RowQuery, source: QuerySource, after: Sequence[FieldValue | None] | None, limit: int | None
    ) -> Iterator[pa.RecordBatch]:
        """Rows in the order of their files, without a sort: files after the end of the page are not read."""
        first = 0
        if after is not None:
            match list(after):
                case [int(number), int()] if 0 <= number < len(source.files):
                    first = number
                case _:
                    raise bad_cursor("the cursor is not valid: leave out cursor and start again")
        left, yielded = limit, False
        for run in _runs_of_one_schema(source.files[first:]):
            for batch in self.engine.run(rows_statement(query, replace(source, files=run), after, left)):
                left = None if left is None else left - batch.num_rows
                if batch.num_rows or not yielded:  # one empty batch, if there are no rows, tells the columns
                    yield batch
                    yielded = True
            if left is not None and left <= 0:
                return


def _runs_of_one_schema(files: Sequence[QueryFile]) -> list[list[QueryFile]]:
    """Split files into runs of neighbours with the same schema, which one `read_parquet` can read in order."""
    runs: list[list[QueryFile]] = []
    for file in files:
        last = runs[-1] if runs else []
        if last and len(last) < _FILES_PER_STATEMENT and file_schema(last[0].path) == file_schema(file.path):
            last.append(file)
        else:
            runs.append([file])
    return runs


class QueryEngine:
    """DuckDB in memory; one for each process, used by many threads.

    It can read `folders` only, and writes nothing but temporary files to `spill`. Its configuration is locked.
    """

    def __init__(self, folders: Sequence[Path], spill: Path, limits: ApiLimits) -> None:
        for folder in folders:
            if set("*?[") & set(str(folder)):  # read_parquet takes the path as a pattern
                raise UsageError(f"{folder} cannot be served: rename it so that it has none of * ? [")
        readable = ", ".join(_quote(f"{folder}/") for folder in folders)
        self._limits = limits
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET enable_progress_bar = false")  # a setting of the session, inherited by cursors
        settings = {
            "threads": str(limits.threads),
            "memory_limit": f"'{limits.memory_bytes}B'",
            "temp_directory": _quote(str(spill.absolute())),
            "max_temp_directory_size": f"'{limits.spill_bytes}B'",
            "parquet_metadata_cache": "true",
            "python_enable_replacements": "false",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allowed_directories": f"[{readable}]",
            "enable_external_access": "false",  # after allowed_directories, which cannot be set once this is false
            "lock_configuration": "true",  # last, since it forbids further changes
        }
        for name, value in settings.items():
            self._connection.execute(f"SET GLOBAL {name} = {value}")

    def run(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        """Run a statement; there is at least one batch, which may be empty.

        Raises: Problem: it takes longer than `query_seconds` until the first batch or `stream_seconds` until the last,
        it needs too much memory, or a file was removed.
        """
        with self._connection.cursor() as cursor, _duckdb_errors_as_problems():
            with _interrupt_after(cursor, self._limits.query_seconds):
                relation = cursor.sql(statement.sql, params=dict(statement.parameters))
                reader = relation.to_arrow_reader(_BATCH_ROWS)
                first = next(reader, None)
            if first is None:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                return
            with _interrupt_after(cursor, self._limits.stream_seconds):
                yield first
                yield from reader

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _interrupt_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _duckdb_errors_as_problems() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException as error:
        raise Problem(
            503,
            "too-slow",
            "the query takes too long: name bodies, a period or fewer columns, or download the published files",
            retry_after=30,
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Problem(
            503,
            "too-much-memory",
            "the query needs too much memory: name bodies or a period, or group by fewer fields",
            retry_after=30,
        ) from error
    except duckdb.IOException as error:
        raise file_removed() from error
