"""How much a file may hold: bytes when unpacked, rows, columns, cells and sheets, and what its reader may use.

Every limit is known before anything is spent on a file, and a file beyond one becomes a finding (`file-too-large`) that
says the limit. A file of up to 1 MB needs at most 512 MB of memory, whatever it holds: what a packed file may hold
depends on the bytes that were received, because a small file can be packed from any number of blank lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from piperoll.child_limits import ChildLimits
from piperoll.model.columns import pc
from piperoll.reading.grids.blocks import Block

UNPACKED_BYTES = 600_000_000
"""The most bytes that an archive can contain: three times the largest download (see settings)."""

_UNPACKED_RATIO = 250
"""The largest ratio of unpacked to packed size of a text; the best real tables compress about 100 to 1."""

_LOADED_RATIO = 25
"""The largest ratio for a file that is read as a whole (JSON, XML, a workbook), which takes many times its size."""

_SMALL_BYTES = 10_000_000
"""Bytes that an archive can always contain: a small file of few different words exceeds any ratio."""

_ROWS = 3_000_000
"""The most rows of a table: three times those of a full sheet. A row that is no record takes 350 bytes of memory."""

_FEW_ROWS = 800_000
"""Rows that a file of any size can have; a larger one can have a row for every four bytes received."""

_BYTES_A_ROW = 4

COLUMNS = 1_000
"""The most columns of a table, up to the last filled cell of a row; real tables have at most about a hundred."""

SHEETS = 200
"""The most sheets of a workbook; the largest real one that we know has 53."""

MEMBERS = 20
"""The most files of an archive among which we look for the only table."""

_CHILD_MEMORY = 450_000_000
"""Bytes of address space with which a workbook's reader can read any workbook of up to a few hundred kilobytes."""

_CHILD_MEMORY_A_BYTE = 60
_CHILD_MEMORY_MOST = 6_000_000_000

_CHILD_SECONDS = 20
"""Seconds of processor time for a workbook of up to a few hundred kilobytes."""
_CHILD_SECONDS_A_MEGABYTE = 10
_CHILD_SECONDS_MOST = 240


class FileTooLarge(Exception):
    """A file has more of something than is read: `kind` is the variant of the finding `file-too-large`.

    `limit` is the most that is read, and `sheet` the sheet, if it is of one.
    """

    def __init__(self, kind: str, limit: int, sheet: str | None = None) -> None:
        super().__init__(kind)
        self.kind, self.limit, self.sheet = kind, limit, sheet


def unpacked_limit(received: int) -> int:
    """The most bytes of a text that is packed in this many bytes."""
    return min(UNPACKED_BYTES, max(_SMALL_BYTES, received * _UNPACKED_RATIO))


def loaded_limit(received: int) -> int:
    """The most bytes of a file that is read as a whole and was packed in this many bytes."""
    return min(UNPACKED_BYTES, max(_SMALL_BYTES, received * _LOADED_RATIO))


def row_limit(received: int) -> int:
    """The most rows of a file of which this many bytes were received."""
    return min(_ROWS, max(_FEW_ROWS, received // _BYTES_A_ROW))


def child_limits(size: int) -> ChildLimits:
    """What the child process may use that reads a workbook of this many bytes."""
    seconds = _CHILD_SECONDS + _CHILD_SECONDS_A_MEGABYTE * size // 1_000_000
    memory = _CHILD_MEMORY + _CHILD_MEMORY_A_BYTE * size
    return ChildLimits(min(memory, _CHILD_MEMORY_MOST), min(seconds, _CHILD_SECONDS_MOST))


class RowBudget:
    """The rows that a file may still have, over all of its sheets."""

    def __init__(self, received: int) -> None:
        self._most = self._left = row_limit(received)

    def spend(self, rows: int, sheet: str | None = None) -> None:
        """Count rows. Raises: FileTooLarge: there are too many."""
        self._left -= rows
        if self._left < 0:
            raise FileTooLarge("rows", self._most, sheet)

    def check(self, blocks: Iterable[Block], sheet: str | None = None) -> Iterator[Block]:
        """The blocks, as long as they have neither too many rows nor too many columns. Raises: FileTooLarge."""
        for block in blocks:
            self.spend(len(block), sheet)
            if block.width > COLUMNS and _has_cell_beyond(block):
                raise FileTooLarge("columns", COLUMNS, sheet)
            yield block


def _has_cell_beyond(block: Block) -> bool:
    """Whether a cell beyond the last column is filled; programs write thousands of delimiters after the last cell."""
    cut = pc.list_slice(block.batch["cells"], COLUMNS)
    filled = pc.not_equal(pc.binary_length(pa.array(cut).flatten()), 0)
    return bool(pc.any(filled).as_py())
