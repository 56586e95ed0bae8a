"""The shapes of cells: a test is run on a few shapes instead of on every cell.

The shape of a cell is its text with every digit from 0 to 9 replaced by 9. A column of 100,000 amounts has about ten
shapes. A test for shapes must pass for the shape of every cell that is looked for; then, if it fails for all shapes of
a column, none of its cells need be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Mask, Vector, pc, utf8, with_utf8
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.parallel import map_in_order

CellTest = Callable[[str], object]
"""A question about the text of a cell or of a shape; a true result means yes."""

_DIGITS = "0123456789"
_DIGIT = re.compile(f"[{_DIGITS}]")
_TO_NINES = bytes.maketrans(_DIGITS.encode(), b"9" * len(_DIGITS))

COLUMNS = 64
"""Index at most this many columns of a block; a row can have thousands, and the rest stay unindexed."""

_SHAPES_PER_COLUMN = 4096
"""Do not index a column of a block with more shapes than this: it holds free text, for which shapes save nothing."""

_SHAPES_KEPT = 100_000
"""Keep at most this many shapes for all blocks of a table; blocks that bring new ones after that are not indexed."""


def to_shape(cell: str) -> str:
    """The cell with every digit from 0 to 9 replaced by 9."""
    if cell.isascii():  # five times as fast as translating text
        return cell.encode("ascii").translate(_TO_NINES).decode("ascii")
    return _DIGIT.sub("9", cell)


def to_shapes(cells: Cells) -> Cells:
    """The shape of each cell of a column."""
    text = utf8(cells)
    digits = (text - ord("0") < len(_DIGITS)).view(np.uint8)
    return with_utf8(cells, text + digits * (ord("9") - text))


def match_cells(cells: Cells, test: CellTest, shape_test: CellTest) -> Mask:
    """Which cells pass a test; it runs once for each distinct cell whose shape passes `shape_test`."""
    coded = to_shapes(cells).dictionary_encode()
    candidates = _test_each(shape_test, coded.dictionary).take(coded.indices)
    if not pc.any(candidates).as_py():
        return candidates
    left = cells.filter(candidates).dictionary_encode()
    return pc.replace_with_mask(candidates, candidates, _test_each(test, left.dictionary).take(left.indices))


def _test_each(test: CellTest, texts: Cells) -> Mask:
    return pa.array([bool(test(text)) for text in texts.to_pylist()], pa.bool_())


class KnownShapes:
    """The distinct shapes of a table, numbered in order of appearance, with the results of tests on them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._results: dict[CellTest, Vector] = {}

    def numbers(self, shapes: Sequence[str]) -> Vector:
        """The number of each shape; None if keeping them all would exceed the limit."""
        known = self._numbers
        if len(known) + len(shapes) > _SHAPES_KEPT and any(shape not in known for shape in shapes):
            return None
        return np.fromiter((known.setdefault(shape, len(known)) for shape in shapes), np.int32, len(shapes))

    def results(self, test: CellTest) -> Vector:
        """The result of a test for each shape, by number; each shape is tested once."""
        found = self._results.get(test)
        if found is None or len(found) < len(self._numbers):
            found = np.fromiter((bool(test(shape)) for shape in self._numbers), np.bool_, len(self._numbers))
            self._results[test] = found
        return found


class ShapeIndex:
    """The shapes in each column of one block, where a row that is too short counts as an empty cell.

    `width` is the number of cells of the widest row; `even` says that all rows are that wide.
    """

    def __init__(self, known: KnownShapes, columns: Sequence[Vector], width: int, *, even: bool) -> None:
        self._known, self._columns, self.width, self.even = known, columns, width, even

    def may_match(self, column: int, shape_test: CellTest) -> bool:
        """False if no cell of the column has a shape that passes the test; True if one has or it is not indexed."""
        results = self._results(column, shape_test)
        return results is None or bool(results.any())

    def all_match(self, column: int, shape_test: CellTest) -> bool:
        """True if every cell of the column has a shape that passes the test; False if not or if it is not indexed."""
        results = self._results(column, shape_test)
        return results is not None and bool(results.all())

    def _results(self, column: int, shape_test: CellTest) -> Vector:
        """The result for each shape of the column; None if it is not indexed."""
        if column >= self.width:
            return np.array([bool(shape_test(""))])
        if column >= len(self._columns) or self._columns[column] is None:
            return None
        return self._known.results(shape_test)[self._columns[column]]


def index_shapes(blocks: Iterable[Block]) -> list[ShapeIndex]:
    """Index the blocks of a table."""

    def encode(block: Block) -> tuple[Block, Any]:
        return block, to_shapes(block.flat).dictionary_encode()

    # Shapes are found in parallel, and numbered in the order of the blocks.
    known = KnownShapes()
    return [_index_block(block, coded, known) for block, coded in map_in_order(encode, blocks)]


def _index_block(block: Block, coded: Any, known: KnownShapes) -> ShapeIndex:
    """Index a block from the dictionary-encoded shapes of its cells, row after row."""
    codes, lengths = coded.indices.to_numpy(), block.lengths.to_numpy()
    shortest = lengths.min(initial=block.width)
    even = bool(shortest == block.width)
    # A table of truth values: which of the shapes occur in which column.
    present = np.zeros((min(block.width, COLUMNS), len(coded.dictionary)), np.bool_)
    if even:
        for column in range(len(present)):
            present[column, codes[column :: block.width]] = True
    else:
        columns_of = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        indexed = columns_of < COLUMNS
        present[columns_of[indexed], codes[indexed]] = True
    columns: list[Vector] = [np.flatnonzero(column) for column in present]
    few = [len(shapes) <= _SHAPES_PER_COLUMN for shapes in columns]
    kept = np.flatnonzero(present[few].any(axis=0))
    numbers = known.numbers(coded.dictionary.take(pa.array(kept)).to_pylist())
    if numbers is None:
        return ShapeIndex(known, (), block.width, even=even)
    number_of = np.zeros(len(coded.dictionary), np.int32)
    number_of[kept] = numbers
    for column, shapes in enumerate(columns):
        columns[column] = number_of[shapes] if few[column] else None
        if few[column] and column >= shortest:  # some row is too short, which counts as an empty cell
            columns[column] = np.union1d(columns[column], known.numbers([""]))
    return ShapeIndex(known, columns, block.width, even=even)
