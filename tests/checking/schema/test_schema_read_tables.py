"""Tables that were read: both engines refuse the same cells for the same reasons, in the same order."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import Breach, find_breaches
from piperoll.checking.schema.frictionless_cells import FrictionlessCells
from piperoll.reading import ReadTable, read

sys.path.append(str(Path(__file__).parents[2] / "reading"))
from mess.cases import drawn, file_of

REAL = Path(__file__).parents[4] / "shared" / "realdata"
DATASETS = {"gpc": "spend", "contracts": "contracts", "roles": "roles", "spend": "spend"}


def breached(table: ReadTable, dataset: str, engine: CheckEngine) -> list[Breach]:
    found = list(find_breaches(table, assets.dataset(dataset), engine))
    return sorted(found, key=lambda each: (each.row, each.kind, each.field, each.rule or ""))


def read_tables(content: bytes, name: str) -> Iterator[tuple[ReadTable, str]]:
    reading = read(content, name, assets.datasets())
    for table in reading.tables if reading.dataset else ():
        assert reading.dataset
        yield table, reading.dataset.name


@pytest.mark.parametrize("seed", range(30))
def test_both_engines_agree_on_generated_messy_tables(seed: int) -> None:
    _draft, file, _befell = file_of(drawn(seed, 5, ("csv",)))
    for table, dataset in read_tables(file.content, "file.csv"):
        assert breached(table, dataset, CheckEngine.COMPILED) == breached(table, dataset, CheckEngine.REFERENCE)


def real_files() -> list[Path]:
    return sorted(path for name in DATASETS for path in (REAL / name).rglob("*") if path.is_file())


@pytest.mark.real
@pytest.mark.timeout(3600)
def test_both_engines_agree_on_real_files(monkeypatch: pytest.MonkeyPatch) -> None:
    replayed, cells, found = [], 0, 0
    good = FrictionlessCells.read
    monkeypatch.setattr(
        FrictionlessCells, "read", lambda self, name, cell: (replayed.append(name), good(self, name, cell))[1]
    )
    tables = 0
    for path in real_files():
        for table, dataset in read_tables(path.read_bytes(), path.name):
            ours = breached(table, dataset, CheckEngine.COMPILED)
            assert ours == breached(table, dataset, CheckEngine.REFERENCE), path
            cells += sum(batch.num_rows for batch in table.batches()) * len(table.columns)
            found, tables = found + len(ours), tables + 1
    assert tables
    print(f"{tables} tables, {cells:,} cells, {found:,} breaches, {len(replayed):,} cells replayed")  # noqa: T201
