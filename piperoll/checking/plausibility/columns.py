"""The tables of a submission as typed columns, batch by batch: the frame that Great Expectations would be given.

Text stays text, numbers are float64 and dates are days: enough for plausibility, never for sums of money. Only the
columns that a rule asks for are converted, each once a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.patterns import unusual_texts
from piperoll.checking.plausibility.suite import ROW, TABLE
from piperoll.model import Dataset
from piperoll.model.columns import Cells, Flags, is_filled, pc, to_flags
from piperoll.reading import ReadTable

_ConvertedT = TypeVar("_ConvertedT")


class ColumnKind(StrEnum):
    """The type of a column of the frame. Only the two columns that address a line, `table` and `row`, are WHOLE."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DAY = "day"


Kinds = Mapping[str, ColumnKind]
"""The kind of every column of the frame, in order."""

_KIND_OF_TYPE = {"number": ColumnKind.NUMBER, "integer": ColumnKind.NUMBER, "date": ColumnKind.DAY}


@dataclass(frozen=True)
class EncodedText:
    """Cells of text: `codes` index the `distinct` texts, or are -1 where the cell is empty."""

    codes: npt.NDArray[np.int32]
    distinct: Cells

    @cached_property
    def unusual(self) -> npt.NDArray[np.intp]:
        """The indices of the distinct texts with a character that is not printable ASCII."""
        return unusual_texts(self.distinct)


class RowBatch:
    """A batch of the frame. `table` is the number of its table, `start` counts the lines before it."""

    def __init__(self, batch: pa.RecordBatch, kinds: Kinds, table: int, start: int) -> None:
        self.size, self.table, self.start = batch.num_rows, table, start
        self.kinds = kinds
        self._batch = batch
        self._converted: dict[tuple[str, str], Any] = {}

    def everything(self) -> Flags:
        """True for every row."""
        return np.ones(self.size, np.bool_)

    def missing(self, name: str) -> Flags:
        """Where the cells of a column are empty."""
        return self.once("missing", name, lambda: ~is_filled(self._cells(name)))

    def text(self, name: str) -> EncodedText:
        """A column of text, encoded."""

        def encode() -> EncodedText:
            cells = self._cells(name)
            encoded = cells if pa.types.is_dictionary(cells.type) else pc.dictionary_encode(cells)
            codes = encoded.indices.fill_null(-1).cast(pa.int32()).to_numpy(zero_copy_only=False)
            return EncodedText(codes, encoded.dictionary.cast(pa.string()))

        return self.once("text", name, encode)

    def same_text(self, first: str, second: str) -> Flags:
        """Where two columns of text are equal; false for empty cells."""
        one, other = (decode_cells(self._cells(name)).cast(pa.string()) for name in (first, second))
        return to_flags(pc.equal(one, other))

    def ordered(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers or dates as float64 or days: NaN or NaT where the cell is empty."""

        def convert() -> npt.NDArray[Any]:
            if self.kinds[name] is not ColumnKind.DAY:
                numbers: npt.NDArray[Any] = pc.cast(decode_cells(self._cells(name)), pa.float64()).to_numpy(
                    zero_copy_only=False
                )
                return numbers
            text = self.text(name)
            distinct = pc.cast(text.distinct, pa.date32()).to_numpy(zero_copy_only=False)
            return np.append(distinct.astype("datetime64[D]"), np.datetime64("NaT"))[text.codes]

        return self.once("ordered", name, convert)

    def row_numbers(self) -> npt.NDArray[np.int64]:
        """The row of each line, as the sender sees it."""
        return self._batch[ROW].to_numpy()

    def once(self, conversion: str, name: str, convert: Callable[[], _ConvertedT]) -> _ConvertedT:
        """Convert a column on the first call for this `conversion` and `name`, and return the same afterwards."""
        if (conversion, name) not in self._converted:
            self._converted[conversion, name] = convert()
        converted: _ConvertedT = self._converted[conversion, name]
        return converted

    def _cells(self, name: str) -> Cells:
        if name == TABLE:
            return pa.array(np.full(self.size, self.table), pa.int64())
        if name not in self._batch.schema.names:
            return pa.nulls(self.size, pa.string())
        return self._batch[name]


def decode_cells(cells: Cells) -> Cells:
    """A column without the dictionary that reading may have given it."""
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


class Frame:
    """All lines of `tables` as one table.

    `kinds` has every column that the dataset knows. After the batches have been read, `present` are the columns that
    some table has, and `filled` those with a cell that is not empty.
    """

    def __init__(self, tables: Sequence[ReadTable], dataset: Dataset) -> None:
        self.tables = tables
        self.kinds: Kinds = {
            **{each.name: _KIND_OF_TYPE.get(each.type, ColumnKind.TEXT) for each in dataset.fields},
            TABLE: ColumnKind.WHOLE,
            ROW: ColumnKind.WHOLE,
        }
        self.present: set[str] = {TABLE, ROW}
        self.filled: set[str] = {TABLE, ROW}

    def batches(self) -> Iterator[RowBatch]:
        """The lines, table by table and batch by batch."""
        start = 0
        for number, table in enumerate(self.tables):
            for batch in table.batches():
                names = batch.schema.names
                self.present.update(self.kinds.keys() & set(names))
                columns = zip(names, batch.columns, strict=True)
                self.filled.update(name for name, cells in columns if cells.null_count < batch.num_rows)
                yield RowBatch(batch, self.kinds, number, start)
                start += batch.num_rows

    @property
    def columns(self) -> list[str]:
        """The columns that are present, in the order of the dataset, then the table and the row."""
        return [name for name in self.kinds if name in self.present]
