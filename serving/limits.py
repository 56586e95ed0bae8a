"""How much one process of the API does at once, and for how long. Every bound has its reason beside it."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one process; a machine that runs several copies divides its memory and processors among them.

    `query_seconds` is the time until the first row of an answer, `stream_seconds` until the last. `memory_bytes` and
    `threads` are the engine's, `spill_bytes` what it may put on the disk for a moment. `at_once` queries run together,
    others wait up to `wait_seconds`. `page_rows` is the largest page, `usual_rows` the one you get unasked;
    `workbook_rows` bounds an XLSX file. `cache_bytes` bounds the copies of a bucket's files on this machine.
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
    workbook_rows: int = 100_000  # a workbook is made in memory and opened whole; a sheet ends at 1,048,576 anyway
    filters: int = 50  # more conditions than fields is no question of a person
    values: int = 1_000  # in one list, and a web address ends near 64 kB
    cache_bytes: int = 10_240 * MEGABYTE
    check_bytes: int = 50 * MEGABYTE  # the largest real file that we know has 30
    check_seconds: float = 120.0
    check_memory_bytes: int = 4096 * MEGABYTE
    checks_at_once: int = 2
