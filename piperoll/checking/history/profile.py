"""What a release is like, in so few figures that the next one can be compared with it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

from piperoll.checking.sums import exact_sum
from piperoll.model import Dataset, Field, Origin, Period, Series, TableReport

pc: Any = pyarrow.compute
"""`pyarrow.compute`, untyped: its published stubs describe an earlier release and refuse right calls."""

Cells: TypeAlias = "pa.Array[Any]"

MOST_CODES = 12
"""A column with more values than this is no list of codes."""

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Released:
    """Which release a profile is of.

    `place` is where it stands (`spend/anytown/2026-09/v1-0123456789ab`) and `version` its number; None for one that is
    not published yet. `sources` are the sha256 of the submissions that it was made from.
    """

    series: Series
    place: str | None = None
    version: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column as sent: its heading, and the sheet and letter where it stands first."""

    heading: str
    sheet: str | None
    letter: str | None


@dataclass(frozen=True, slots=True)
class Amounts:
    """The main amounts: `pounds` adds them up signs apart, `median` is of those that are not nought, signs apart."""

    pounds: Decimal
    median: Decimal
    payments: int
    credits: int

    @property
    def count(self) -> int:
        """How many are not nought."""
        return self.payments + self.credits


@dataclass(frozen=True, slots=True)
class Lines:
    """Every line's fingerprint (64 bits), main date (null where there is none) and address, in order."""

    prints: Cells
    days: Cells
    sheets: Cells
    rows: Cells

    def __len__(self) -> int:
        """How many lines."""
        return len(self.prints)


@dataclass(frozen=True, slots=True)
class Profile:
    """One release: its size and amounts, its headings, how far its columns are filled, its days, codes and lines.

    `columns` maps a field to its column, `filled` to the number of cells that hold something. `days` counts
    the lines of each main date, inside the period or not. `codes` maps a field of which at most MOST_CODES values are
    met to the sheet and row of the first of each. A fingerprint is of the cells that tell a line from others: those
    that the dataset makes its identifier of, and its core.
    """

    released: Released
    snapshot: bool
    rows: int
    amounts: Amounts | None
    columns: Mapping[str, Column]
    filled: Mapping[str, int]
    days: Mapping[date, int]
    codes: Mapping[str, Mapping[str, tuple[str | None, int]]]
    lines: Lines

    @property
    def period(self) -> Period:
        """The period that it covers."""
        return self.released.series.period

    @property
    def is_stock(self) -> bool:
        """Whether it says what there is, as a staff list or a register does, and not what happened in its period.

        Such lists repeat themselves by nature. A snapshot is one, and so is what is mostly dated outside its period.
        """
        dated = sum(self.days.values())
        inside = sum(count for day, count in self.days.items() if day in self.period)
        return self.snapshot or 2 * inside < dated


def profile(
    dataset: Dataset, released: Released, tables: Iterable[TableReport], batches: Iterable[pa.RecordBatch]
) -> Profile:
    """The profile of a release from its own files: its report's `tables`, and its lines as its Parquet file has them.

    A field that an older release does not have counts as empty. Memory is some 30 bytes a line.
    """
    columns = _columns(tables)
    gathered = _Gathered(dataset, columns)
    for batch in batches:
        gathered.add(batch)
    return Profile(
        released=released,
        snapshot=dataset.snapshot,
        rows=gathered.count,
        amounts=gathered.amounts(),
        columns=columns,
        filled=dict(gathered.filled),
        days=dict(sorted(gathered.days.items())),
        codes={name: values for name, values in gathered.codes.items() if values and len(values) <= MOST_CODES},
        lines=gathered.lines(),
    )


def columns_used(dataset: Dataset) -> tuple[str, ...]:
    """The columns of a release that its profile is made of, in the descriptor's order."""
    wanted = {*_sent(dataset), *dataset.amount, *dataset.date, *_provenance(dataset)}
    return tuple(field.name for field in dataset.fields if field.name in wanted)


class _Gathered:
    """What has been seen of a release so far."""

    def __init__(self, dataset: Dataset, columns: Collection[str]) -> None:
        self._date = next((name for name in dataset.date if name in columns), None)
        self._amount = next((name for name in dataset.amount if name in columns), None)
        self._identity, self._sent = _identity(dataset), _sent(dataset)
        self._address = _provenance(dataset)
        self.count = 0
        self.filled: Counter[str] = Counter()
        self.days: Counter[date] = Counter()
        self.codes: dict[str, dict[str, tuple[str | None, int]]] = {name: {} for name in _coded(dataset)}
        self._amounts: list[Cells] = []
        self._pounds: list[Decimal] = []
        self._lines: list[tuple[Cells, Cells, Cells, Cells]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """See one more batch."""
        self.count += batch.num_rows
        for name in self._sent:
            self.filled[name] += batch.num_rows - _column(batch, name, pa.null()).null_count
        days = _column(batch, self._date, pa.date32())
        for day in pc.value_counts(days.drop_null()).to_pylist():
            self.days[day["values"]] += day["counts"]
        if self._amount:
            amounts = _column(batch, self._amount, pa.decimal128(38, 4)).drop_null()
            self._amounts.append(amounts)
            self._pounds.append(pc.sum(pc.abs(amounts)).as_py() or Decimal(0))
        row, sheet = self._address
        sheets, rows = _column(batch, sheet, pa.string()), _column(batch, row, pa.int64())
        self._lines.append((_prints(batch, self._identity), days, sheets.dictionary_encode(), rows))
        for name, met in self.codes.items():
            _meet(met, _column(batch, name, pa.string()), sheets, rows)

    def lines(self) -> Lines:
        """All lines."""
        kinds: tuple[Any, ...] = (pa.int64(), pa.date32(), pa.dictionary(pa.int32(), pa.string()), pa.int64())
        columns: list[Cells] = [
            pa.chunked_array([line[number] for line in self._lines], kind).unify_dictionaries().combine_chunks()
            for number, kind in enumerate(kinds)
        ]
        return Lines(*columns)

    def amounts(self) -> Amounts | None:
        """The main amounts; None where there are none."""
        if not self._amounts:
            return None
        amounts = pa.chunked_array(self._amounts).combine_chunks()
        signs = pc.sign(amounts)
        sizes = pc.abs(amounts).filter(pc.not_equal(signs, 0))
        return Amounts(
            pounds=exact_sum(self._pounds),
            median=_median(sizes),
            payments=pc.sum(pc.greater(signs, 0)).as_py() or 0,
            credits=pc.sum(pc.less(signs, 0)).as_py() or 0,
        )


def _columns(tables: Iterable[TableReport]) -> dict[str, Column]:
    """Each field's column; where several tables have it, that of the first."""
    found: dict[str, Column] = {}
    for table in tables:
        for name, heading in table.columns.items():
            found.setdefault(name, Column(heading, table.sheet, table.column_letters.get(name)))
    return found


def _sent(dataset: Dataset) -> tuple[str, ...]:
    """The fields that hold what was sent or nothing: those that we derive where they are missing are never empty."""
    return tuple(field.name for field in dataset.fields if field.origin is Origin.SENT and field.derive is None)


def _identity(dataset: Dataset) -> tuple[str, ...]:
    made_of = (field.derive["hash_of"] for field in dataset.fields if field.derive and "hash_of" in field.derive)
    named = {*dataset.core_fields, *(name for names in made_of for name in names)}
    return tuple(name for name in _sent(dataset) if name in named)


def _coded(dataset: Dataset) -> Iterator[str]:
    sent = _sent(dataset)
    for field in dataset.fields:
        if field.name in sent and field.type == "string" and field.privacy in (None, "area"):
            yield field.name


def _provenance(dataset: Dataset) -> tuple[str, str]:
    """The fields that hold the source row and sheet."""
    return _derived_from(dataset.fields, "source.row"), _derived_from(dataset.fields, "source.sheet")


def _derived_from(fields: Sequence[Field], fact: str) -> str:
    return next(field.name for field in fields if (field.derive or {}).get("from") == fact)


def _column(batch: pa.RecordBatch, name: str | None, kind: Any) -> Cells:
    return batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, kind)


def _prints(batch: pa.RecordBatch, names: Sequence[str]) -> Cells:
    cells = [_text(_column(batch, name, pa.string())) for name in names]
    lines = pc.binary_join_element_wise(*cells, _SEPARATOR, null_handling="replace", null_replacement="")
    digests = b"".join(hashlib.blake2b(line, digest_size=8).digest() for line in lines.cast(pa.binary()).to_pylist())
    return pa.Array.from_buffers(pa.int64(), len(lines), [None, pa.py_buffer(digests)])


def _text(cells: Cells) -> Cells:
    """Cells as text; a decimal without the places that its file keeps it with."""
    text = cells.cast(pa.string())
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".") if pa.types.is_decimal(cells.type) else text


def _meet(met: dict[str, tuple[str | None, int]], cells: Cells, sheets: Cells, rows: Cells) -> None:
    """Note where each value is met first, until there are too many for codes."""
    if len(met) > MOST_CODES:
        return
    for value in cells.unique().to_pylist()[: MOST_CODES + 2]:
        if value is not None and value not in met:
            at = pc.index(cells, value).as_py()
            met[value] = (sheets[at].as_py(), rows[at].as_py())


def _median(sizes: Cells) -> Decimal:
    """The middle one (the lower of two), exactly; nought where there are none."""
    if not len(sizes):
        return Decimal(0)
    middle: Decimal = sizes.take(pc.sort_indices(sizes))[(len(sizes) - 1) // 2].as_py()
    return middle
