"""The profile of a release: the few figures by which a later release is compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.totals import exact_sum
from piperoll.model import Dataset, Origin, Period, Series, TableReport, format_decimal
from piperoll.model.columns import Cells, pc

MOST_CODES = 12
"""A column with more different values than this is not a list of codes."""

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class ReleaseIdentity:
    """Which release a profile is of.

    `path` is the folder of its version (`spend/anytown/2026-09/v1-0123456789ab`) and `version` its number; both are
    None before it is published. `sources` are the sha256 of the submissions that it was made from.
    """

    series: Series
    path: str | None = None
    version: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnAsSent:
    """A column as sent: its heading, and the first sheet and letter where it is."""

    heading: str
    sheet: str | None
    letter: str | None


@dataclass(frozen=True, slots=True)
class AmountProfile:
    """The main amounts: `pounds` is their sum and `median` that of the amounts other than zero, both ignoring signs."""

    pounds: Decimal
    median: Decimal
    payments: int
    credits: int

    @property
    def count(self) -> int:
        """How many amounts are not zero."""
        return self.payments + self.credits


@dataclass(frozen=True, slots=True)
class LineFingerprints:
    """Every line's fingerprint (64 bits), main date (null if it has none) and address, in order.

    A fingerprint is of the cells that identify a line: those that the dataset makes its identifier of, and its core.
    """

    prints: Cells
    days: Cells
    sheets: Cells
    rows: Cells

    def __len__(self) -> int:
        """How many lines."""
        return len(self.prints)


@dataclass(frozen=True, slots=True)
class ReleaseProfile:
    """One release: its size and amounts, its columns and how far they are filled, its days, codes and lines.

    `columns` maps a field to its column, `filled` to the number of cells that are not empty. `days` counts the lines of
    each main date, inside the period or not. `codes` maps each field with at most MOST_CODES different values to the
    sheet and row where each value is first.
    """

    released: ReleaseIdentity
    snapshot: bool
    rows: int
    amounts: AmountProfile | None
    columns: Mapping[str, ColumnAsSent]
    filled: Mapping[str, int]
    days: Mapping[date, int]
    codes: Mapping[str, Mapping[str, tuple[str | None, int]]]
    lines: LineFingerprints

    @property
    def period(self) -> Period:
        """The period that the release covers."""
        return self.released.series.period

    @property
    def is_stock(self) -> bool:
        """Whether the release lists what exists, like a staff list or a register, and not what happened in its period.

        Such lists repeat themselves. A snapshot is one, and so is a release that is mostly dated outside its period.
        """
        dated = sum(self.days.values())
        inside = sum(count for day, count in self.days.items() if day in self.period)
        return self.snapshot or 2 * inside < dated


def profile_release(
    dataset: Dataset, released: ReleaseIdentity, tables: Iterable[TableReport], batches: Iterable[pa.RecordBatch]
) -> ReleaseProfile:
    """Make the profile of a release from its own files: its report's `tables`, and the lines of its Parquet file.

    A field that an older release does not have counts as empty. Memory is some 30 bytes a line.
    """
    columns: dict[str, ColumnAsSent] = {}
    for table in tables:
        for name, heading in table.columns.items():
            columns.setdefault(name, ColumnAsSent(heading, table.sheet, table.column_letters.get(name)))
    profiler = _Profiler(dataset, columns)
    for batch in batches:
        profiler.add(batch)
    return ReleaseProfile(
        released=released,
        snapshot=dataset.snapshot,
        rows=profiler.count,
        amounts=profiler.amounts(),
        columns=columns,
        filled=dict(profiler.filled),
        days=dict(sorted(profiler.days.items())),
        codes={name: values for name, values in profiler.codes.items() if values},
        lines=profiler.lines(),
    )


def columns_profiled(dataset: Dataset) -> tuple[str, ...]:
    """The columns of a release that its profile is made of, in the descriptor's order."""
    wanted = {*_sent_fields(dataset), *dataset.amount, *dataset.date, *_address_fields(dataset)}
    return tuple(field.name for field in dataset.fields if field.name in wanted)


class _Profiler:
    """Gathers the profile of a release, batch by batch."""

    def __init__(self, dataset: Dataset, columns: Collection[str]) -> None:
        self._date = next((name for name in dataset.date if name in columns), None)
        self._amount = next((name for name in dataset.amount if name in columns), None)
        self._sent = _sent_fields(dataset)
        identifying = {*dataset.core_fields}
        for field in dataset.fields:
            identifying.update((field.derive or {}).get("hash_of", ()))
        self._identity = [name for name in self._sent if name in identifying]
        self._row, self._sheet = _address_fields(dataset)
        self.count = 0
        self.filled: Counter[str] = Counter()
        self.days: Counter[date] = Counter()
        self.codes: dict[str, dict[str, tuple[str | None, int]]] = {
            field.name: {}
            for field in dataset.fields
            if field.name in self._sent and field.type == "string" and field.privacy in (None, "area")
        }
        self._amounts: list[Cells] = []
        self._pounds: list[Decimal] = []
        self._lines: list[tuple[Cells, Cells, Cells, Cells]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Add one more batch."""
        self.count += batch.num_rows
        columns: dict[str | None, Cells] = dict(zip(batch.schema.names, batch.columns, strict=True))

        def column(name: str | None, kind: Any) -> Cells:
            return columns[name] if name in columns else pa.nulls(batch.num_rows, kind)

        for name in self._sent:
            self.filled[name] += batch.num_rows - columns[name].null_count if name in columns else 0
        days = column(self._date, pa.date32())
        for day in pc.value_counts(days.drop_null()).to_pylist():
            self.days[day["values"]] += day["counts"]
        if self._amount:
            amounts = column(self._amount, pa.decimal128(38, 4)).drop_null()
            self._amounts.append(amounts)
            self._pounds.append(pc.sum(pc.abs(amounts)).as_py() or Decimal(0))
        sheets, rows = column(self._sheet, pa.string()), column(self._row, pa.int64())
        prints = _fingerprints([column(name, pa.string()) for name in self._identity])
        self._lines.append((prints, days, sheets.dictionary_encode(), rows))
        for name, first_of in list(self.codes.items()):
            if name not in columns:
                continue
            cells = columns[name]
            values = cells.unique().to_pylist()[: MOST_CODES + 2]
            fresh = [value for value in values if value is not None and value not in first_of]
            if len(first_of) + len(fresh) > MOST_CODES:
                del self.codes[name]  # not a list of codes: nothing more to learn
                continue
            for value in fresh:
                index = pc.index(cells, value).as_py()
                first_of[value] = (sheets[index].as_py(), rows[index].as_py())

    def lines(self) -> LineFingerprints:
        """All lines."""
        types: tuple[Any, ...] = (pa.int64(), pa.date32(), pa.dictionary(pa.int32(), pa.string()), pa.int64())
        columns: list[Cells] = [
            pa.chunked_array([line[number] for line in self._lines], type_).unify_dictionaries().combine_chunks()
            for number, type_ in enumerate(types)
        ]
        return LineFingerprints(*columns)

    def amounts(self) -> AmountProfile | None:
        """The main amounts; None if there are none."""
        if not self._amounts:
            return None
        amounts = pa.chunked_array(self._amounts).combine_chunks()
        signs = pc.sign(amounts)
        sizes = pc.abs(amounts).filter(pc.not_equal(signs, 0))
        lower_middle = pc.sort_indices(sizes)[(len(sizes) - 1) // 2].as_py() if len(sizes) else None
        return AmountProfile(
            pounds=exact_sum(self._pounds),
            median=Decimal(0) if lower_middle is None else sizes[lower_middle].as_py(),
            payments=pc.sum(pc.greater(signs, 0)).as_py() or 0,
            credits=pc.sum(pc.less(signs, 0)).as_py() or 0,
        )


def _sent_fields(dataset: Dataset) -> tuple[str, ...]:
    """The fields that hold what was sent or nothing; a field that we derive when it is missing is never empty."""
    return tuple(field.name for field in dataset.fields if field.origin is Origin.SENT and field.derive is None)


def _address_fields(dataset: Dataset) -> tuple[str, str]:
    """The fields that hold the source row and sheet."""
    by_source = {(field.derive or {}).get("from"): field.name for field in reversed(dataset.fields)}
    return by_source["source.row"], by_source["source.sheet"]


def _fingerprints(columns: list[Cells]) -> Cells:
    """Hash each line. A decimal is hashed without trailing zeros, which depend on the scale that its file has.

    Python's own hash (64 bits, another in each process) takes a tenth of the time of a digest, and nothing is kept.
    """
    cells = []
    for column in columns:
        text = column.cast(pa.string())
        if pa.types.is_decimal(column.type) and column.type.scale > 0:
            text = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
        cells.append(text)
    lines = pc.binary_join_element_wise(*cells, _SEPARATOR, null_handling="replace", null_replacement="")
    return pa.array(np.fromiter(map(hash, lines.to_pylist()), np.int64, len(lines)))


def name_release(release: ReleaseProfile) -> str:
    """Name a release to the body that sent it: "September 2026 (version 2)"."""
    released = release.released
    version = f" (version {released.version})" if released.version else ""
    return f"{released.series.period.title}{version}"


def name_releases(releases: Sequence[ReleaseProfile]) -> str:
    """Name several releases: "September 2026 (version 2) and August 2026 (version 1)"."""
    return join_words([name_release(one) for one in releases])


def join_words(words: Sequence[str]) -> str:
    """Join words: "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def write_pounds(amount: Decimal) -> str:
    """Write an amount: "£1,234.50"."""
    whole, _, pence = format_decimal(amount).partition(".")
    return f"£{int(whole):,}.{pence}"
