"""Reading: from bytes to tables. What kind of file it is, its encoding, where the headings are, what a cell means."""

from piperoll.model.mapping import bare
from piperoll.reading.cells.periods import find_periods
from piperoll.reading.columns.lexicon import build_lexicon
from piperoll.reading.files.contents import Content, OnDisk, sha256, whole
from piperoll.reading.files.opening import CHANGES_SHEET, FINDINGS_SHEET
from piperoll.reading.grids.grid import Grid, cell_at, column_number, letter, squeeze
from piperoll.reading.read import SentCells, read, read_cells, row_as_sent
from piperoll.reading.reading import SENT, ExcludedRow, Reading, ReadTable
from piperoll.reading.remembered import ASKING, DOUBTED, DRIFTED, find_questions, find_recalled, learn_headings

__all__ = [
    "ASKING",
    "CHANGES_SHEET",
    "DOUBTED",
    "DRIFTED",
    "FINDINGS_SHEET",
    "SENT",
    "Content",
    "ExcludedRow",
    "Grid",
    "OnDisk",
    "ReadTable",
    "Reading",
    "SentCells",
    "bare",
    "build_lexicon",
    "cell_at",
    "column_number",
    "find_periods",
    "find_questions",
    "find_recalled",
    "learn_headings",
    "letter",
    "read",
    "read_cells",
    "row_as_sent",
    "sha256",
    "squeeze",
    "whole",
]
