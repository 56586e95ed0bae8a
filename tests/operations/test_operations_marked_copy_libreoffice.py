"""A workbook given back to its sender, opened with LibreOffice and compared cell by cell with what was sent."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from openpyxl.utils import column_index_from_string

from piperoll import api
from piperoll.operations.marked_copy import CorrectedCopy
from tests.operations.test_operations_marked_copy import as_workbook
from tests.reading.damage import seeds

Cells = dict[tuple[str, int, int], str]
"""The text of each cell that is not empty, by its sheet, row and column, both from 1."""

SENT: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "styled": (".xlsx", as_workbook),
    "xlsx": (".xlsx", seeds.xlsx),
    "xls": (".xls", seeds.xls),
    "ods": (".ods", seeds.ods),
}
A_SUM = ("October", 2, 8)
"""A formula of the styled workbook: LibreOffice computes it anew from the corrected amounts."""

_EVERY_SHEET_AS_TEXT = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
"""LibreOffice's filter: commas, double quotes, UTF-8, values rather than what formats show, a file for each sheet."""


@pytest.fixture(scope="module")
def corrected() -> Mapping[str, CorrectedCopy]:
    return {
        name: api.corrected_copy(make(), name=f"spend April 2026{extension}", dataset="spend")
        for name, (extension, make) in SENT.items()
    }


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, corrected: Mapping[str, CorrectedCopy]) -> Mapping[str, Cells]:
    """The cells of each workbook as sent, marked and corrected, by names such as `sent-xls`. One start opens all."""
    folder = tmp_path_factory.mktemp("libreoffice")
    files = []
    for name, (extension, make) in SENT.items():
        marked = api.marked_copy(make(), name=f"spend April 2026{extension}", dataset="spend")
        for kind, ending, content in (
            ("sent", extension, make()),
            ("marked", ".xlsx", marked),
            ("corrected", corrected[name].extension, corrected[name].content),
        ):
            files.append(folder / f"{kind}-{name}{ending}")
            files[-1].write_bytes(content)
    program = shutil.which("soffice")
    assert program, "LibreOffice is missing: run `make office`, or sudo apt-get install -y libreoffice-calc"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, "--headless", profile, "--convert-to", _EVERY_SHEET_AS_TEXT, "--outdir", folder, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {file.stem: read_cells(folder, file.stem) for file in files}


def read_cells(folder: Path, name: str) -> Cells:
    cells: Cells = {}
    for path in folder.glob(f"{name}-*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for row, texts in enumerate(csv.reader(stream), 1):
                sheet = path.stem.removeprefix(f"{name}-")
                cells |= {(sheet, row, column): text for column, text in enumerate(texts, 1) if text}
    return cells


def without(cells: Cells, sheet: str) -> Cells:
    assert any(place[0] == sheet for place in cells), f"there is no sheet '{sheet}'"
    return {place: text for place, text in cells.items() if place[0] != sheet}


@pytest.mark.parametrize("name", SENT)
def test_libreoffice_shows_every_cell_of_a_marked_workbook_as_it_was_sent(
    opened: Mapping[str, Cells], name: str
) -> None:
    assert len(opened[f"sent-{name}"]) > 20
    assert without(opened[f"marked-{name}"], "Piperoll findings") == opened[f"sent-{name}"]


@pytest.mark.parametrize("name", SENT)
def test_libreoffice_shows_only_the_listed_changes_in_a_corrected_workbook(
    opened: Mapping[str, Cells], corrected: Mapping[str, CorrectedCopy], name: str
) -> None:
    before, after = opened[f"sent-{name}"], without(opened[f"corrected-{name}"], "Piperoll changes")
    changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    changes = corrected[name].changes
    cells = {(one.sheet, one.row, column_index_from_string(one.column)) for one in changes if one.column}
    moved_out = {(one.sheet, one.row) for one in changes if not one.column}
    assert changed
    assert {place for place in changed - cells if place[:2] not in moved_out} <= {A_SUM}
