"""One case: a damaged file read. A finding or tables always, an exception never, in bounded time."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from piperoll import assets
from piperoll.model import Dataset, What
from piperoll.reading import Reading, read
from piperoll.reading.files.kinds import classify
from piperoll.reading.files.opening import open_file

from .damaging import damaged, damaged_inside
from .seeds import texts, workbooks

SECONDS = 10.0
"""What one small file may take, on a machine that does other things as well."""

_LARGEST = 20_000
"""Bytes of the largest real file that is damaged: the damage is the same in a larger one, and the time is not."""

_KINDS = (".csv", ".tsv", ".json", ".xls", ".xlsx", ".ods", ".zip")
_PACKED = (".xlsx", ".ods", ".zip")


@dataclass(frozen=True)
class Outcome:
    """What one case gave: `data`, why it is none, or what went wrong (`failure`, with where)."""

    seed: int
    name: str
    outcome: str
    seconds: float
    failure: str | None = None


def seeds_of(real: Path | None) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Whole files, ours and the real ones of some kilobytes: those read here, and those a child process opens."""
    here, child = texts(), workbooks()
    for path in sorted(real.rglob("*")) if real else ():
        if path.suffix in _KINDS and path.stat().st_size <= _LARGEST:
            (child if path.suffix in (".xls", ".xlsx", ".ods") else here)[path.name] = path.read_bytes()
    return here, child


def case(seed: int, among: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The name and the bytes of a case, by its seed and the whole files alone."""
    random = Random(seed)  # noqa: S311 - not for secrets
    names = sorted(among)
    name, other = random.choice(names), among[random.choice(names)]
    inside = name.endswith(_PACKED) and random.random() < 0.8
    return name, (damaged_inside if inside else damaged)(among[name], other, random)


def outcome(seed: int, among: Mapping[str, bytes], *, whole: bool = True) -> Outcome:
    """What comes of a case. An exception, a silence, a lost row or a time-out is a failure.

    `whole` is False for the way from bytes to rows alone, which takes a tenth of the time.
    """
    name, content = case(seed, among)
    started = time.monotonic()
    outcome, failure = "failed", None
    try:
        outcome, failure = _read(content, name, seed) if whole else _opened(content)
    except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
        failure = traceback.format_exc()
    seconds = time.monotonic() - started
    return Outcome(seed, name, outcome, seconds, failure or (f"took {seconds:.1f} s" if seconds > SECONDS else None))


def _dataset(seed: int) -> Dataset | None:
    """The dataset that the sender states: each in turn, and none in one of ten cases."""
    datasets = assets.datasets()
    return datasets[seed % len(datasets)] if seed % 10 else None


def _read(content: bytes, name: str, seed: int) -> tuple[str, str | None]:
    reading = read(content, name, assets.datasets(), dataset=_dataset(seed))
    return reading.why or reading.what.value, _wrong(reading)


def _opened(content: bytes) -> tuple[str, str | None]:
    """The way to the rows alone: what cannot be opened says why."""
    opened = open_file(classify(content))
    rows = sum(len(row.cells) > 0 for grid in opened.grids for row in grid.rows)
    outcome = opened.why or ("rows" if rows else "no rows")
    return f"opened: {outcome}", "a reason without a finding" if opened.why and not opened.findings else None


def _wrong(reading: Reading) -> str | None:
    if bool(reading.tables) != (reading.what is What.DATA):
        return f"{len(reading.tables)} tables, but {reading.what}"
    if not reading.tables and not reading.findings:
        return "neither a table nor a finding"
    for table in reading.tables:
        rows = {row for batch in table.batches() for row in batch.column("row").to_pylist()}
        if len(rows) < table.rows:
            return f"{table.rows} rows counted, {len(rows)} given"
    return None
