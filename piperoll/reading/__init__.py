"""Reading: from bytes to tables. What kind of file it is, its encoding, where the headings are, what a cell means."""

from piperoll.reading.cells.periods import find_periods
from piperoll.reading.columns.lexicon import bare
from piperoll.reading.files.contents import Content, OnDisk, sha256, whole
from piperoll.reading.grids.grid import letter
from piperoll.reading.read import read, row_as_sent
from piperoll.reading.reading import SENT, ExcludedRow, Reading, ReadTable
from piperoll.reading.remembered import DRIFTED, learn_headings

__all__ = [
    "DRIFTED",
    "SENT",
    "Content",
    "ExcludedRow",
    "OnDisk",
    "ReadTable",
    "Reading",
    "bare",
    "find_periods",
    "learn_headings",
    "letter",
    "read",
    "row_as_sent",
    "sha256",
    "whole",
]
