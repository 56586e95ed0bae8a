"""The engine that reads Parquet files: DuckDB in memory, that can reach nothing but the folder it is given."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from piperoll.errors import UsageError
from serving.limits import Limits
from serving.problems import Problem

BATCH_ROWS = 8_192
"""Rows that are held at a time when an answer is sent: a few megabytes."""

_GLOB = frozenset("*?[")


class Engine:
    """Answers statements in batches. One a process; it is asked from many threads at once.

    `folder` holds all that may be read; nothing else on the machine or the network can be reached, whatever a statement
    says. What does not fit into memory goes to `spill` for a moment. No statement of ours writes anything.
    """

    def __init__(self, folder: Path, spill: Path, limits: Limits) -> None:
        if _GLOB & set(str(folder)):
            raise UsageError(f"{folder} cannot be served: its name has one of {' '.join(sorted(_GLOB))}")
        self._limits = limits
        self._duckdb = duckdb.connect(":memory:")
        self._duckdb.execute("SET enable_progress_bar = false")  # of a session; those of cursors take it from here
        for name, value in _settings(folder, spill, limits).items():
            self._duckdb.execute(f"SET GLOBAL {name} = {value}")

    def batches(self, sql: str, values: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
        """The answer to a statement, its first batch within `query_seconds` and all within `stream_seconds`.

        Raises: Problem: it takes too long or too much memory, or a file went away (the message says what to do).
        """
        with self._duckdb.cursor() as cursor, _told():
            with _time(cursor, self._limits.query_seconds):
                reader = cursor.sql(sql, params=dict(values)).to_arrow_reader(BATCH_ROWS)
                first = next(reader, None)
            if first is None:
                yield pa.RecordBatch.from_arrays(
                    [pa.array([], kind) for kind in reader.schema.types], schema=reader.schema
                )
                return
            with _time(cursor, self._limits.stream_seconds):
                yield first
                yield from reader

    def close(self) -> None:
        """Let everything go."""
        self._duckdb.close()


def _settings(folder: Path, spill: Path, limits: Limits) -> dict[str, str]:
    """The engine's settings in the order in which it takes them; the last lets none be changed again."""
    return {
        "threads": str(limits.threads),
        "memory_limit": f"'{limits.memory_bytes}B'",
        "temp_directory": _quoted(spill.absolute()),
        "max_temp_directory_size": f"'{limits.spill_bytes}B'",
        "parquet_metadata_cache": "true",
        "python_enable_replacements": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allowed_directories": f"[{_quoted(f'{folder}/')}]",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _time(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what `cursor` does if it takes longer."""
    clock = threading.Timer(seconds, cursor.interrupt)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


@contextmanager
def _told() -> Iterator[None]:
    """What the engine cannot do, as problems."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise Problem(
            503,
            "too-slow",
            "this takes longer than we may spend on one answer: name bodies, a period or fewer columns, or bring the "
            "files themselves",
            retry_after=30,
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Problem(
            503,
            "too-much-memory",
            "this needs more memory than we may spend on one answer: name bodies or a period, or group by fewer fields",
            retry_after=30,
        ) from error
    except duckdb.IOException as error:
        raise Problem(503, "moved", "a file was taken away meanwhile: ask again", retry_after=1) from error
