"""The resources that one process of the API may use, and how it limits concurrent work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hosting.problems import Problem

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Limits of one process. A machine that runs several processes divides its memory and cores among them.

    - `query_seconds`, `stream_seconds`: the time until the first row of an answer, and until its last.
    - `at_once`, `wait_seconds`: concurrent queries, and how long a further one waits before it gets 429.
    - `threads`, `memory_bytes`, `spill_bytes`: for DuckDB; `spill_bytes` is its temporary disk space.
    - `usual_rows`, `page_rows`: the default and the largest size of a page.
    - `workbook_rows`: the most rows of an XLSX file, which is built in memory and which a spreadsheet opens whole.
    - `filters`: the most conditions of a query; more than any dataset has fields.
    - `values`: the most values of one condition; a URL of 64 kB holds few more.
    - `made_rows`: the most lines of other versions than the current ones that are consolidated for one query.
    - `cache_bytes`: the disk space for copies of a bucket's files.
    - `check_bytes`: the largest file that `/check` accepts; the largest real file that we know has 30 MB.
    - `check_seconds`, `check_memory_bytes`, `checks_at_once`: for the process that checks a file.
    - `upload_bytes`: the most bytes of uploads that are held in memory, being received or waiting for a check.
    - `spool_bytes`: the disk space for answers that are made before their clients have read them.
    - `patience_seconds`, `least_rate`: a client must send its file at this many bytes a second, and may stay behind by
      this time; it must read each 64 kB of an answer within this time. Slower ones are cut off.
    """

    query_seconds: float = 20.0
    stream_seconds: float = 600.0
    wait_seconds: float = 5.0
    at_once: int = 4
    threads: int = 2
    memory_bytes: int = 1024 * MEGABYTE
    spill_bytes: int = 4096 * MEGABYTE
    usual_rows: int = 100
    page_rows: int = 10_000
    workbook_rows: int = 100_000
    filters: int = 50
    values: int = 1_000
    made_rows: int = 2_000_000
    cache_bytes: int = 10_240 * MEGABYTE
    check_bytes: int = 50 * MEGABYTE
    check_seconds: float = 120.0
    check_memory_bytes: int = 4096 * MEGABYTE
    checks_at_once: int = 2
    upload_bytes: int = 400 * MEGABYTE
    spool_bytes: int = 2048 * MEGABYTE
    patience_seconds: float = 20.0
    least_rate: int = 8 * 1024


class WorkSlots:
    """A fixed number of slots for concurrent work. Call its methods on the event loop only."""

    def __init__(self, slots: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(slots)
        self._wait = wait_seconds

    async def acquire(self) -> None:
        """Take a slot. Raises: Problem: 429 if none becomes free within `wait_seconds`."""
        try:
            await asyncio.wait_for(self._free.acquire(), self._wait)
        except TimeoutError as error:
            raise Problem(
                429, "too-many-at-once", "the server is busy with other requests: try again", retry_after=5
            ) from error

    def release(self) -> None:
        """Give a slot back."""
        self._free.release()
