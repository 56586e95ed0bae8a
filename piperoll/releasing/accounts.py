"""What the account of a consolidated year says: how many lines of each release count, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.enriching.annotate import payee_fields
from piperoll.errors import ConservationError
from piperoll.model import (
    CountedLines,
    CurrentRelease,
    Dataset,
    LeftOutLines,
    LinesElsewhere,
    Manifest,
    MonthTotal,
    PayeeTotal,
    RowsNotAdded,
    YearAccount,
    add_pounds,
    partition_of,
)
from piperoll.model.columns import Cells, Integers, pc
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.counting import LineCounts, counting_fields, time_fields, why_left_out
from piperoll.releasing.files import read_columns, read_document

_BATCH_ROWS = 65_536
"""Rows that are read at a time."""

_ENCODED = pa.dictionary(pa.int32(), pa.string())
"""The type of an encoded column of text."""

_CODE_BYTES = 4
"""Bytes of a number in such a column."""


@dataclass(frozen=True)
class OpenRelease:
    """A release with the columns that decide what counts, and the amount of each line.

    `alone` if there is no other release to compare its lines with: then only their times are read.
    """

    dataset: Dataset
    release: CurrentRelease
    alone: bool = False

    @cached_property
    def parquet(self) -> Path:
        """Its Parquet file."""
        return self.release.files / f"{self.dataset.name}.parquet"

    @cached_property
    def metadata(self) -> pq.FileMetaData:
        """What its Parquet file says of its columns and row groups, which is read once."""
        return pq.read_metadata(self.parquet)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of its Parquet file."""
        return self.metadata.schema.to_arrow_schema()

    @cached_property
    def filled(self) -> frozenset[str]:
        """The columns that are not empty throughout, by what its Parquet file says of its row groups."""
        found = set()
        for group in map(self.metadata.row_group, range(self.metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                facts: Any = chunk.statistics
                if facts is None or not facts.has_null_count or facts.null_count < group.num_rows:
                    found.add(chunk.path_in_schema)
        return frozenset(found)

    @cached_property
    def repeating(self) -> frozenset[str]:
        """The columns of text whose texts repeat, so that numbers of distinct texts take less room than the texts."""
        sizes: Counter[str] = Counter()
        for group in map(self.metadata.row_group, range(self.metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                sizes[chunk.path_in_schema] += chunk.total_uncompressed_size
        texts = (field.name for field in self.schema if pa.types.is_string(field.type))
        return frozenset(name for name in texts if sizes[name] < _CODE_BYTES * self.metadata.num_rows)

    @cached_property
    def manifest(self) -> Manifest:
        """What the release says of itself."""
        return Manifest.from_bytes((self.release.files / "manifest.json").read_bytes())

    @cached_property
    def amount_by_sheet(self) -> list[tuple[str | None, str]]:
        """The sheets of the file with the field that each is added up by; one entry if all have the same."""
        tables = read_document(self.release.files, "report.json")["tables"]
        found = [(table["sheet"], table["amount"]["field"]) for table in tables if table["amount"]]
        return found if len({name for _, name in found}) > 1 else found[:1]

    @cached_property
    def lines(self) -> pa.Table:
        """Every line with the columns that decide what counts, and its amounts."""
        deciding = time_fields(self.dataset) if self.alone else counting_fields(self.dataset)
        return self._read([*deciding, *(name for _, name in self.amount_by_sheet), "source_sheet"])

    @cached_property
    def amounts(self) -> Cells | None:
        """The amount of each line, in the decimal places of the release; None if it has no amount."""
        return self.amounts_of(self.lines)

    def amounts_of(self, lines: pa.Table) -> Cells | None:
        """The amount of each of some lines of the release; None if it has no amount."""
        if not self.amount_by_sheet:
            return None
        columns = [one_array(lines.column(name)) for _, name in self.amount_by_sheet]
        kind = max((column.type for column in columns), key=lambda kind: kind.scale)
        amounts: Cells = columns[-1].cast(kind)
        for (sheet, _), own in zip(self.amount_by_sheet[:-1], columns, strict=False):
            is_own = pc.fill_null(pc.equal(one_array(lines.column("source_sheet")), sheet), False)
            amounts = pc.if_else(is_own, own.cast(kind), amounts)
        return amounts

    @property
    def amounts_or_nulls(self) -> Cells:
        """The amount of each line; nulls if the release has no amount."""
        return pa.nulls(self.lines.num_rows, pa.decimal128(38, 4)) if self.amounts is None else self.amounts

    def _read(self, names: Iterable[str]) -> pa.Table:
        with pq.ParquetFile(self.parquet, metadata=self.metadata) as file:
            return read_columns(file, names)

    def read_typed(self, columns: Sequence[PublishedColumn], kept: Cells, encoded: Collection[str]) -> pa.Table:
        """The `kept` lines with these columns, in the types of `columns`; a column that the release lacks is empty.

        Columns of text that are `encoded`, which must be `repeating` or empty here, come as a dictionary and indices.
        """
        kinds = [_ENCODED if column.name in encoded else column.type for column in columns]
        target = pa.schema([pa.field(column.name, kind) for column, kind in zip(columns, kinds, strict=True)])
        names = [column.name for column in columns if column.name in self.filled]
        pieces, start, every = [], 0, kept.true_count == len(kept)
        texts = [name for name in names if name in encoded]
        with pq.ParquetFile(self.parquet, metadata=self.metadata, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                mine = batch if every else batch.filter(kept.slice(start, batch.num_rows))
                start += batch.num_rows
                if mine.num_rows:
                    cells = [_retype(mine, one, kind) for one, kind in zip(columns, kinds, strict=True)]
                    pieces.append(pa.RecordBatch.from_arrays(cells, schema=target))
        return pa.Table.from_batches(pieces, schema=target)


def _retype(batch: pa.RecordBatch, column: PublishedColumn, kind: pa.DataType) -> Cells:
    if column.name not in batch.schema.names:
        return empty(batch.num_rows, kind)
    cells = batch.column(column.name)
    if cells.type == kind:
        return cells
    if pa.types.is_decimal(cells.type) and pa.types.is_decimal(kind):
        return cells.cast(kind)
    return column.typed(cells.cast(pa.string()))  # an earlier version of the dataset had another type


@dataclass(frozen=True)
class CountedRelease:
    """A release, and which of its lines count."""

    opened: OpenRelease
    counts: LineCounts

    @cached_property
    def groups(self) -> list[tuple[str, int, bool, int, Decimal | None]]:
        """Year, number of the table that counts, whether undated, rows and pounds."""
        table = pa.table(
            {
                "year": self.counts.times.year,
                "in": pa.array(self.counts.counted_in, pa.int64()),
                "undated": self.counts.times.undated,
                "amount": self.opened.amounts_or_nulls,
            }
        )
        has_amount = self.opened.amounts is not None
        return [
            (year, counter, undated, rows, pounds if has_amount else None)
            for year, counter, undated, rows, pounds in sum_by(table, "year", "in", "undated")
        ]

    @cached_property
    def _year_codes(self) -> tuple[dict[str, int], Integers]:
        encoded = self.counts.times.year.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        return {year: code for code, year in enumerate(encoded.dictionary.to_pylist())}, codes

    def kept(self, year: str) -> Cells:
        """A mask of the lines that belong to a year and count."""
        names, codes = self._year_codes
        return pa.array((codes == names.get(year, -1)) & self.counts.counts)

    def belongs_to(self, year: str) -> bool:
        """Whether any line belongs to the year, or the release has none and its period does."""
        if not self.opened.lines.num_rows:
            return partition_of(self.opened.release.series.period) == year
        return year in self._year_codes[0]

    def require_conservation(self) -> None:
        """Raise ConservationError unless all groups add up to what the release says of itself."""
        manifest = self.opened.manifest
        rows, pounds = sum(one[3] for one in self.groups), add_pounds(one[4] for one in self.groups)
        same_pounds = len(self.opened.amount_by_sheet) > 1 or (pounds or 0) == (manifest.amount_gbp or 0)
        if rows != manifest.rows or not same_pounds:
            raise ConservationError(
                f"{manifest.series} has {manifest.rows} rows and £{manifest.amount_gbp}, "
                f"but {rows} and £{pounds} belong to a year"
            )


def describe_year(
    dataset: Dataset,
    counted: Sequence[CountedRelease],
    own: Sequence[CountedRelease],
    year: str,
    summed: pa.Table,
    not_added: tuple[RowsNotAdded, ...],
) -> YearAccount:
    """Make the account of a year: `own` are the releases of `counted` with lines in it, `summed` is what counts.

    Raises: ConservationError: the totals by month or payee do not add up to what counts.
    """
    numbers = {id(one): number for number, one in enumerate(counted)}
    here: list[CountedLines] = []
    left_out: list[LeftOutLines] = []
    elsewhere: list[LinesElsewhere] = []
    for one in own:
        own_left_out = list(_left_out_lines(dataset, counted, one, numbers[id(one)], year))
        counts = _counted_lines(one, numbers[id(one)], year)
        here += [counts] if counts.rows or not own_left_out else []  # a nil return counts with no lines
        left_out += own_left_out
        elsewhere += _lines_elsewhere(one, year)
    has_amount = any(one.opened.amounts is not None for one in own)
    months = [
        MonthTotal(month, part, payee_class, rows, pounds if has_amount else None)
        for month, part, payee_class, rows, pounds in sum_by(summed, "month", "part", "payee_class")
    ]
    payees = [
        PayeeTotal(payee_class, part, rows, pounds if has_amount else None)
        for payee_class, part, rows, pounds in sum_by(summed, "payee_class", "part")
    ]
    account = YearAccount(
        dataset=dataset.name,
        body=own[0].opened.release.series.body,
        year=year,
        counted=tuple(here),
        left_out=tuple(left_out),
        elsewhere=tuple(elsewhere),
        payees=tuple(payees) if payee_fields(dataset) else (),
        months=tuple(months),
        not_added=not_added,
    )
    _require_equal(account)
    return account


def _counted_lines(one: CountedRelease, number: int, year: str) -> CountedLines:
    release = one.opened.release
    groups = [group for group in one.groups if group[0] == year and group[1] == number]
    undated = [group for group in groups if group[2]]
    return CountedLines(
        series=release.series,
        version=release.version,
        path=release.path,
        part=release.series.part,
        rows=sum(group[3] for group in groups),
        amount_gbp=_pounds(one, groups),
        undated_rows=sum(group[3] for group in undated),
        undated_amount_gbp=_pounds(one, undated) if undated else None,
    )


def _left_out_lines(
    dataset: Dataset, counted: Sequence[CountedRelease], one: CountedRelease, number: int, year: str
) -> Iterator[LeftOutLines]:
    release = one.opened.release
    counters = sorted({group[1] for group in one.groups if group[0] == year and group[1] != number})
    for counter in counters:
        groups = [group for group in one.groups if group[0] == year and group[1] == counter]
        yield LeftOutLines(
            series=release.series,
            version=release.version,
            path=release.path,
            part=release.series.part,
            rows=sum(group[3] for group in groups),
            amount_gbp=_pounds(one, groups),
            undated_rows=sum(group[3] for group in groups if group[2]),
            counted_in=counted[counter].opened.release.series,
            because=why_left_out(dataset),
        )


def _lines_elsewhere(one: CountedRelease, year: str) -> Iterator[LinesElsewhere]:
    release = one.opened.release
    for other in sorted({group[0] for group in one.groups} - {year}):
        groups = [group for group in one.groups if group[0] == other]
        rows = sum(group[3] for group in groups)
        yield LinesElsewhere(release.series, release.version, rows, _pounds(one, groups), other)


def _pounds(one: CountedRelease, groups: Iterable[tuple[str, int, bool, int, Decimal | None]]) -> Decimal | None:
    """The pounds of groups of lines: 0 for none, None if the release has no amount."""
    if one.opened.amounts is None:
        return None
    return add_pounds([Decimal(0), *(group[4] for group in groups)])


def _require_equal(account: YearAccount) -> None:
    """Raise ConservationError unless months and payees add up to what counts."""
    wanted = (account.rows, account.amount_gbp or 0)
    every: tuple[Sequence[MonthTotal | PayeeTotal], ...] = (account.months, account.payees)
    for totals in filter(None, every):
        found = sum(one.rows for one in totals), add_pounds(one.amount_gbp for one in totals) or 0
        if found != wanted:
            raise ConservationError(
                f"{account.dataset} {account.body} {account.year}: {wanted[0]} rows and £{wanted[1]} count, "
                f"but totals have {found[0]} rows and £{found[1]}"
            )


def sum_by(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Rows and pounds by the columns `names`, in order, nulls last; pounds are 0 where no line has an amount."""
    groups = table.group_by(list(names)).aggregate([([], "count_all"), ("amount", "sum")])
    ordered = groups.sort_by([(name, "ascending") for name in names])
    lists = [ordered.column(name).to_pylist() for name in (*names, "count_all", "amount_sum")]
    return [(*row[:-1], row[-1] if row[-1] is not None else Decimal(0)) for row in zip(*lists, strict=True)]


def one_array(column: Cells) -> Cells:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def encode(cells: Cells) -> Cells:
    """A column of text as a dictionary and indices."""
    return cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()


def decode(cells: Cells) -> Cells:
    """A column that may be encoded as plain cells."""
    return cells.dictionary.take(cells.indices) if pa.types.is_dictionary(cells.type) else cells


def empty(size: int, kind: Any) -> Cells:
    """A column of nulls."""
    return pa.nulls(size, kind)
