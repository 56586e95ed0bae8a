"""The tables of a submission as typed columns, batch by batch: the frame that Great Expectations would be given.

Text stays text, numbers are float64, dates are days: enough for plausibility, never for sums of money. A batch is taken
apart only as far as the rules ask, and each column once.
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
import pyarrow.compute as pc

from piperoll.checking.plausibility.suite import ROW, TABLE
from piperoll.model import Dataset
from piperoll.reading import ReadTable

Mask = npt.NDArray[np.bool_]
"""One truth a row."""

_MadeT = TypeVar("_MadeT")


_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E


class Kind(StrEnum):
    """What a column of the frame holds: WHOLE numbers are the two that address a line."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    DAY = "day"


Kinds = Mapping[str, Kind]
"""The kind of every column that the frame has, in its order."""


@dataclass(frozen=True)
class Text:
    """Cells of text: `codes` (int32) are places in `distinct`, -1 where the cell is empty.

    There a text stands once, or where few of them repeat, as often as in the cells.
    """

    codes: npt.NDArray[np.int32]
    distinct: pa.StringArray

    @cached_property
    def bytes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Where each distinct text begins and the last ends, and the UTF-8 of them all."""
        _, places, content = self.distinct.buffers()
        if places is None or content is None or not len(self.distinct):
            return np.zeros(len(self.distinct) + 1, np.int64), np.zeros(0, np.uint8)
        first, length = self.distinct.offset, len(self.distinct)
        offsets = np.frombuffer(memoryview(places), np.int32)[first : first + length + 1].astype(np.int64)
        held = np.frombuffer(memoryview(content), np.uint8)[offsets[0] : offsets[-1]]
        return offsets - offsets[0], held

    @cached_property
    def unusual(self) -> npt.NDArray[np.int64]:
        """The places of the distinct texts that hold anything but printable ASCII."""
        offsets, held = self.bytes
        where = np.flatnonzero((held < _FIRST_PRINTABLE) | (held > _LAST_PRINTABLE))
        return np.unique(np.searchsorted(offsets, where, side="right") - 1)

    def spread(self, judged: Mask) -> Mask:
        """What was judged of each distinct text, row by row; False where the cell is empty."""
        return np.append(judged, False)[self.codes]


class Rows:
    """One batch of the frame. `table` is the number of its table, `start` counts the lines that come before it."""

    def __init__(self, batch: pa.RecordBatch, kinds: Kinds, table: int, start: int) -> None:
        self.size, self.table, self.start = batch.num_rows, table, start
        self.kinds = kinds
        self._batch = batch
        self._made: dict[tuple[str, str], Any] = {}

    def everything(self) -> Mask:
        """True for every row."""
        return np.ones(self.size, np.bool_)

    def missing(self, name: str) -> Mask:
        """Where the cells of `name` are empty."""
        return self.once("missing", name, lambda: pc.is_null(self._cells(name)).to_numpy(zero_copy_only=False))

    def text(self, name: str) -> Text:
        """The cells of a column, each distinct text once."""
        return self.once("text", name, lambda: _text(self._cells(name)))

    def same_text(self, first: str, second: str) -> Mask:
        """Where two columns of text hold the same; no empty cell does."""
        one, other = (_plain(self._cells(name)).cast(pa.string()) for name in (first, second))
        same: Mask = pc.fill_null(pc.equal(one, other), False).to_numpy(zero_copy_only=False)
        return same

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column of numbers, NaN where the cell is empty."""
        return self.once("numbers", name, lambda: _numbers(self._cells(name)))

    def days(self, name: str) -> npt.NDArray[np.datetime64]:
        """A column of dates, NaT where the cell is empty."""
        return self.once("days", name, lambda: _days(self.text(name)))

    def ordered(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers or dates as what can be compared and counted."""
        return self.days(name) if self.kinds[name] is Kind.DAY else self.numbers(name)

    def row_numbers(self) -> npt.NDArray[np.int64]:
        """The row of each line, as the sender sees it."""
        return self._batch[ROW].to_numpy()

    def value(self, name: str, place: int) -> Any:
        """The cell of `name` in the batch's line `place`, as GX would show it."""
        if self.missing(name)[place]:
            return None
        if self.kinds[name] is Kind.TEXT:
            return self._cells(name)[place].as_py()
        cell = self.ordered(name)[place]
        if self.kinds[name] is Kind.DAY:
            return cell.astype("datetime64[s]").item()
        return int(cell) if self.kinds[name] is Kind.WHOLE else float(cell)

    def _cells(self, name: str) -> pa.Array[Any]:
        if name == TABLE:
            return pa.array(np.full(self.size, self.table), pa.int64())
        if name not in self._batch.schema.names:
            return pa.nulls(self.size, pa.string())
        return self._batch[name]

    def once(self, what: str, name: str, make: Callable[[], _MadeT]) -> _MadeT:
        """What is made of the column `name` under the name `what`, made when first asked for."""
        if (what, name) not in self._made:
            self._made[what, name] = make()
        made: _MadeT = self._made[what, name]
        return made


def _text(cells: Any) -> Text:
    """Each different text once; where nearly all are different, as they stand: that costs less."""
    if not pa.types.is_dictionary(cells.type) and _differ(cells):
        codes = np.where(pc.is_null(cells).to_numpy(zero_copy_only=False), -1, np.arange(len(cells)))
        return Text(codes.astype(np.int32), cells.fill_null("").cast(pa.string()))
    encoded = cells if pa.types.is_dictionary(cells.type) else pc.dictionary_encode(cells)
    codes = encoded.indices.fill_null(-1).cast(pa.int32()).to_numpy(zero_copy_only=False)
    return Text(codes, encoded.dictionary.cast(pa.string()))


def _numbers(cells: Any) -> npt.NDArray[np.float64]:
    made: npt.NDArray[np.float64] = pc.cast(_plain(cells), pa.float64()).to_numpy(zero_copy_only=False)
    return made


_SAMPLE, _NEARLY_ALL = 4096, 0.97
"""So many cells tell what a batch is like: names that a body pays often repeat among them, references do not."""


def _differ(cells: Any) -> bool:
    sample = cells.slice(0, _SAMPLE)
    return len(cells) > _SAMPLE and len(pc.unique(sample)) > _NEARLY_ALL * len(sample)


def _plain(cells: Any) -> Any:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _days(text: Text) -> npt.NDArray[np.datetime64]:
    distinct = pc.cast(text.distinct, pa.date32()).to_numpy(zero_copy_only=False)
    return np.append(distinct.astype("datetime64[D]"), np.datetime64("NaT"))[text.codes]


class Frame:
    """All lines of `tables` as one.

    `kinds` are those of all columns that the dataset knows. Once the batches have been gone through, `there` are the
    columns that one of them has, and `said` those in which some cell holds something.
    """

    def __init__(self, tables: Sequence[ReadTable], dataset: Dataset) -> None:
        self.tables = tables
        self.kinds: Kinds = {
            **{each.name: _KINDS.get(each.type, Kind.TEXT) for each in dataset.fields},
            TABLE: Kind.WHOLE,
            ROW: Kind.WHOLE,
        }
        self.there: set[str] = {TABLE, ROW}
        self.said: set[str] = {TABLE, ROW}

    def batches(self) -> Iterator[Rows]:
        """The lines, table by table and batch by batch."""
        start = 0
        for number, table in enumerate(self.tables):
            for batch in table.batches():
                self.there.update(self.kinds.keys() & set(batch.schema.names))
                self.said.update(name for name in batch.schema.names if batch[name].null_count < batch.num_rows)
                yield Rows(batch, self.kinds, number, start)
                start += batch.num_rows

    @property
    def columns(self) -> list[str]:
        """The columns that are there, in the order of the dataset, then the table and the row."""
        return [name for name in self.kinds if name in self.there]


_KINDS = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "date": Kind.DAY}
