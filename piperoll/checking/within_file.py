"""Compare the lines of one table: exact repeats, amounts far above all others, and texts that look like formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.plausibility.columns import EncodedText
from piperoll.checking.plausibility.evidence import RowKeys, mix_keys, text_keys
from piperoll.checking.survey import address_in, main_field
from piperoll.checking.totals import ColumnAmounts, exact_sum
from piperoll.findings import MOST_ROWS, format_pounds, make_finding, shorten_pounds
from piperoll.model import Dataset, Finding, Severity, describe_rows
from piperoll.model.columns import Cells, pc, text_offsets, to_flags, utf8
from piperoll.reading import SENT, ReadTable

_NARROWED_BY = 5
"""Compare the ends of this many columns first: only lines that agree in them are compared whole."""

_WORD = 8
"""Bytes of a cell's end that are compared first."""

_TELLS_APART = 0.5
"""An identifier tells lines apart if at least this share of them has one of its own. A supplier's number does not."""

_HIGHEST = 5
"""At most this many different amounts can be far above all others; more are a second kind of payment."""

_LEAST_LINES = 5
"""Among fewer amounts, none is called far above the others."""

_FAR_ABOVE = 300
"""Warn of amounts of at least this many times the next largest. In the 242 real files that we measured in November 2026
only two tables have a ratio over 30: a department's grant to all schools, at 255 and 1,347 times the next payment."""

_BEYOND = 10_000
"""Hold the row of an amount of at least this many times the next largest."""

_SPREADS = 4.0
"""An amount far above the others is also this many spreads above half of them (a spread is 1.48 times the median
deviation of the logarithm), so that a table of a few large and many small kinds of payment is not warned of."""

_LEAST_SPREAD = 0.3
"""The spread counts at least as a factor of two, as in a table in which most amounts are equal."""

_STARTS_FORMULA = np.zeros(256, np.bool_)
_STARTS_FORMULA[list(b"=+-@\t\r")] = True
"""By the first byte of a text: whether a spreadsheet program may take it for a formula."""

_NO_FORMULA = r"\A[+\-](?:[\s\d.,]|\z)"
"""A text with this pattern is a number, a telephone number or an item of a list, and no formula."""

_POUNDS = "GBP"
"""The unit of a field of pounds in a descriptor."""

_LARGE = 100_000
"""Amounts in pounds below this are never called far above the others: a first large invoice is no error."""


class LineComparer:
    """Takes in a table batch by batch, and compares its lines at the end.

    It keeps sixteen bytes for each line. Only where two lines may be equal, or an amount stands out, is the table read
    once more.
    """

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        self._table, self._dataset = table, dataset
        self._amount = main_field(dataset.amount, table)
        self._keys: list[RowKeys] = []
        self._amounts: dict[str, list[npt.NDArray[np.float64]]] = {
            field.name: [] for field in dataset.fields if field.unit == _POUNDS and field.name in table.columns
        }
        self._narrowing: tuple[str, ...] | None = None
        texts = {field.name for field in dataset.fields if field.type == "string"}
        self._texts = [name for name in table.columns if name in texts]
        self._formulas: dict[str, list[int]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one more batch."""
        if self._narrowing is None:
            self._narrowing = self._choose_narrowing(batch.schema.names)
        keys = np.zeros(batch.num_rows, np.uint64)
        for name in self._narrowing:
            keys = mix_keys(keys ^ _ending_keys(_decode(batch[name])))
        self._keys.append(keys)
        for name, parts in self._amounts.items():
            parts.append(np.abs(pc.cast(_decode(batch[name]), pa.float64()).to_numpy(zero_copy_only=False)))

        for name in self._texts:
            self._add_formulas(name, batch)

    def _add_formulas(self, name: str, batch: pa.RecordBatch) -> None:
        cells = _decode(batch[name])
        starts = text_offsets(cells)[:-1]
        suspected = np.diff(text_offsets(cells)) > 0
        suspected[suspected] = _STARTS_FORMULA[utf8(cells)[starts[suspected]]]
        if suspected.any():
            formulas = pc.invert(pc.match_substring_regex(cells.filter(pa.array(suspected)), _NO_FORMULA))
            rows = batch["row"].to_numpy()[suspected][to_flags(formulas)]
            self._formulas.setdefault(name, []).extend(rows.tolist())

    def result(self) -> tuple[Finding, ...]:
        """Compare the lines of all batches."""
        far_above = [finding for name in self._amounts for finding in self._find_far_above(name)]
        return (*self._find_repeats(), *far_above, *self._find_formulas())

    def _choose_narrowing(self, names: list[str]) -> tuple[str, ...]:
        """The columns whose cells differ most: amount, references, names and dates before words and codes."""

        def order(name: str) -> int:
            field = self._dataset.field(name)
            return (
                0 if name == self._amount or field.is_identifier else 1 if field.is_name else 2 - (field.type == "date")
            )

        known = [field.name for field in self._dataset.fields if field.name in names]
        return tuple(sorted(known, key=order)[:_NARROWED_BY])

    def _find_formulas(self) -> Iterator[Finding]:
        for name, rows in self._formulas.items():
            if rows:
                at = address_in(self._table, name, rows[0])
                listed = tuple(sorted(set(rows))[:MOST_ROWS])
                address = replace(at, rows=listed) if len(listed) > 1 else at
                yield make_finding("cells-like-formulas", address, count=len(rows))

    def _find_repeats(self) -> Iterator[Finding]:
        keys = _join(self._keys, np.uint64)
        suspected = _lines_with_repeated(keys)
        if not suspected.any():
            return
        lines = _CandidateLines.read(self._table, suspected, self._amount)
        again = lines.repeats()
        if not again.any():
            return
        rows = np.unique(lines.rows[again])
        told_apart = self._identifier_that_tells_apart()
        worth = lines.amounts(again)
        yield make_finding(
            "lines-repeated",
            replace(address_in(self._table, row=int(rows[0])), rows=tuple(rows[:MOST_ROWS].tolist())),
            variant=("numbered" if told_apart else "unnumbered") + ("" if worth is None else "-pounds"),
            severity=Severity.WARNING if told_apart else Severity.INFO,
            count=int(np.count_nonzero(again)),
            pounds=None if worth is None else format_pounds(worth),
            rows_named=describe_rows(rows.tolist()),
            identifier=told_apart or "",
        )

    def _identifier_that_tells_apart(self) -> str | None:
        """The title of a column of identifiers that differ from line to line in most of the table; None without one."""
        for field in self._dataset.fields:
            if not field.is_identifier or field.name not in self._table.columns:
                continue
            cells = pa.chunked_array([_decode(batch[field.name]) for batch in self._table.batches()], pa.string())
            if pc.count_distinct(cells).as_py() >= _TELLS_APART * self._table.rows:
                return field.title
        return None

    def _find_far_above(self, name: str) -> Iterator[Finding]:
        """Yield a finding for each amount that is far above all others; a main amount beyond belief holds the file."""
        amounts = _join(self._amounts[name], np.float64)
        found = find_far_above(amounts)
        if found is None:
            return
        beyond = name == self._amount and found.next_largest * _BEYOND <= found.least
        next_largest, median = (Decimal(str(each)) for each in (found.next_largest, found.median))
        start = 0
        for batch in self._table.batches():
            for line in np.flatnonzero(amounts[start : start + batch.num_rows] >= found.least).tolist():
                row, amount = batch["row"][line].as_py(), Decimal(batch[name][line].as_py())
                yield make_finding(
                    "amount-beyond-rest" if beyond else "amount-far-above-rest",
                    address_in(self._table, name, row, batch["line"][line].as_py()),
                    value=batch[name + SENT][line].as_py(),
                    amount=shorten_pounds(amount),
                    next_largest=shorten_pounds(next_largest),
                    times=int(abs(amount) / next_largest),
                    median=shorten_pounds(median),
                )
            start += batch.num_rows


@dataclass(frozen=True, slots=True)
class FarAbove:
    """Amounts far above all others: the `least` of them, the `next_largest` amount and the `median` of all."""

    least: float
    next_largest: float
    median: float


def find_far_above(amounts: npt.NDArray[np.float64]) -> FarAbove | None:
    """Find the few amounts (absolute, NaN for none) that are far above all others; None if there are none."""
    filled = amounts[amounts > 0]
    if len(filled) < _LEAST_LINES:
        return None
    share = min(len(filled), max(_HIGHEST + 1, len(filled) // 100))
    highest = np.unique(np.partition(filled, -share)[-share:])[::-1][: _HIGHEST + 1]
    ratios = highest[:-1] / highest[1:]
    if not len(ratios) or ratios.max() < _FAR_ABOVE:
        return None
    at = int(np.argmax(ratios))
    logarithms = np.log10(filled)
    middle = float(np.median(logarithms))
    spread = max(1.4826 * float(np.median(np.abs(logarithms - middle))), _LEAST_SPREAD)
    least = float(highest[at])
    if least < _LARGE or np.log10(least) - middle < _SPREADS * spread:
        return None
    return FarAbove(least, float(highest[at + 1]), round(10**middle, 2))


@dataclass(frozen=True)
class _CandidateLines:
    """Lines that may repeat another: a key of all their cells, their rows and their amounts as text."""

    keys: RowKeys
    rows: npt.NDArray[np.int64]
    spelled: Cells | None

    @classmethod
    def read(cls, table: ReadTable, suspected: npt.NDArray[np.bool_], amount: str | None) -> _CandidateLines:
        keys: list[RowKeys] = []
        rows: list[npt.NDArray[np.int64]] = []
        spelled: list[Cells] = []
        start = 0
        for batch in table.batches():
            wanted = suspected[start : start + batch.num_rows]
            start += batch.num_rows
            if not wanted.any():
                continue
            chosen = batch.filter(pa.array(wanted))
            keys.append(_whole_keys(chosen))
            rows.append(chosen["row"].to_numpy())
            if amount:
                spelled.append(_decode(chosen[amount]))
        return cls(_join(keys, np.uint64), _join(rows, np.int64), pa.concat_arrays(spelled) if spelled else None)

    def repeats(self) -> npt.NDArray[np.bool_]:
        """Which lines equal an earlier one."""
        again = np.ones(len(self.keys), np.bool_)
        again[np.unique(self.keys, return_index=True)[1]] = False
        return again

    def amounts(self, lines: npt.NDArray[np.bool_]) -> Decimal | None:
        """The sum of the amounts in `lines`; None if the table has no amounts."""
        if self.spelled is None:
            return None
        return exact_sum([ColumnAmounts.parse(self.spelled.filter(pa.array(lines))).total()])


def _whole_keys(batch: pa.RecordBatch) -> RowKeys:
    """One key for all cells of each line; what a typed cell was sent as counts only where it could not be read."""
    keys = np.zeros(batch.num_rows, np.uint64)
    names = set(batch.schema.names)
    for name in batch.schema.names:
        if name in ("row", "line") or name.endswith(SENT):
            continue
        cells = _decode(batch[name])
        if name + SENT in names and cells.null_count:
            cells = pc.coalesce(cells, _decode(batch[name + SENT]))
        filled = pc.fill_null(cells, "")
        keys = mix_keys(keys ^ text_keys(EncodedText(np.arange(len(filled), dtype=np.int32), filled)))
    return keys


def _ending_keys(cells: Cells) -> RowKeys:
    """A number for each cell, made of its length and its last eight bytes; 0 for an empty cell."""
    edges = text_offsets(cells).astype(np.int64)
    padded = np.concatenate([np.zeros(_WORD, np.uint8), utf8(cells)[edges[0] : edges[-1]]])
    words: npt.NDArray[Any] = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded.tobytes(), strides=(1,))
    lengths = np.diff(edges)
    excess = (_WORD - np.minimum(np.maximum(lengths, 1), _WORD)) * 8
    ends = words[edges[1:] - edges[0]] >> excess.astype(np.uint64)
    keys: RowKeys = np.where(lengths > 0, ends ^ lengths.astype(np.uint64) << np.uint64(56), np.uint64(0))
    return keys


def _lines_with_repeated(keys: RowKeys) -> npt.NDArray[np.bool_]:
    """Which lines have a key that another line has too."""
    ordered = np.sort(keys)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return np.zeros(len(keys), np.bool_)
    nearest = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    found: npt.NDArray[np.bool_] = repeated[nearest] == keys
    return found


def _decode(cells: Cells) -> Cells:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _join(parts: list[Any], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
