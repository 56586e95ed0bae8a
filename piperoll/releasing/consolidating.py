"""Consolidating: the lines of a body's current releases that belong to a year, each counted once, as one table.

`piperoll.releasing.counting` decides the year of a line and which lines count. The files of a year have those lines,
with annotations of ours before the columns of the dataset; its account says what was counted and what was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import ConservationError
from piperoll.model import (
    CountedLines,
    CurrentRelease,
    Dataset,
    Field,
    LeftOutLines,
    Level,
    LinesElsewhere,
    Manifest,
    MonthTotal,
    Origin,
    PayeeTotal,
    RowsNotAdded,
    YearAccount,
    YearShare,
    add_pounds,
    partition_of,
)
from piperoll.model.columns import Cells, Integers, pc
from piperoll.releasing.columns import PublishedColumn, columns_of
from piperoll.releasing.counting import (
    LineCounts,
    TableLines,
    count_lines,
    counting_fields,
    examine_row_periods,
    line_times,
    why_left_out,
)
from piperoll.releasing.files import format_csv_lines, read_document

RULES = "2"
"""The version of the rules and of the files that they make. Raise it when either changes: all files are made again."""

GROUP_ROWS = 32_768
"""Rows of a Parquet row group: a reader who looks for one supplier reads one or two."""

_BATCH_ROWS = 65_536
"""Rows that are read, or written to CSV, at a time."""

ADDED = (
    ("body", "string", "Body", "The body that sent the line, by the name that addresses use."),
    ("series", "string", "Series", "The table that the line was published in."),
    ("version", "integer", "Version", "The version of that table."),
    ("part", "string", "Part", "The part of the dataset that the table is; empty for the main list."),
    ("line_date", "date", "Day of the line", "The day by which the line belongs to its year; empty if it has none."),
    ("month", "string", "Month", "The month that the line belongs to; empty if it belongs to no single month."),
    ("financial_year", "string", "Financial year", "April to March; empty if the line belongs to no single year."),
)
"""Name, type, title and description of the columns before those of the dataset. A dataset's own column goes first."""

PAYEE_ADDED = (
    ("supplier_key", "string", "Supplier key", "The supplier’s name in normal form; empty for people and redactions."),
    ("payee_class", "string", "Class of payee", "What kind of payee the supplier is."),
)
"""The columns after those, for a dataset that says who is paid."""

PERIOD_ADDED = (
    ("adds_up", "boolean", "Adds up", "False if the row’s own period overlaps another row’s or the end of the year."),
)
"""The column after those, for a dataset whose rows have periods of their own."""


def spread_over_years(dataset: Dataset, release: CurrentRelease) -> dict[str, YearShare]:
    """Count the lines of a release by the year that they belong to, whether they count there or not.

    A release without lines has a share without lines in the year of its period.
    """
    opened = _OpenRelease(dataset, release)
    times = line_times(dataset, release.series.period, opened.lines)
    table = pa.table({"year": times.year, "undated": times.undated, "amount": opened.amounts_or_nulls})
    shares: dict[str, YearShare] = {}
    for year, undated, rows, pounds in _sum_by(table, "year", "undated"):
        own = None if opened.amounts is None else pounds
        before = shares.get(year, YearShare(0, None, 0))
        amount = add_pounds([before.amount_gbp, own])
        shares[year] = YearShare(before.rows + rows, amount, before.undated_rows + (rows if undated else 0))
    return shares or {partition_of(release.series.period): YearShare(0, None, 0)}


def consolidate_years(
    dataset: Dataset, releases: Iterable[CurrentRelease], years: Iterable[str], folder: Path
) -> Iterator[YearAccount]:
    """Write the files of some years of one body, and yield the account of each year when its files are written.

    `releases` are the current releases of the body that have lines in any of the `years`, and for `UNDATED` those with
    undated lines whose periods overlap such lines. The files are `{year}/{dataset}.csv`, `.parquet` and
    `.rollup.parquet` in `folder`.

    Raises: ConservationError: counted and left-out lines do not add up to what a release holds.
    """
    opened = [_OpenRelease(dataset, one) for one in sorted(releases, key=lambda release: release.series)]
    counts = count_lines(dataset, [TableLines(one.release.series, one.lines) for one in opened])
    counted = [_CountedRelease(one, own) for one, own in zip(opened, counts, strict=True)]
    for one in counted:
        one.require_conservation()
    for year in years:
        yield _make_year(dataset, counted, year, folder / year)


@dataclass(frozen=True)
class _OpenRelease:
    """A release with the columns that decide what counts, and the amount of each line."""

    dataset: Dataset
    release: CurrentRelease

    @cached_property
    def parquet(self) -> Path:
        return self.release.files / f"{self.dataset.name}.parquet"

    @cached_property
    def schema(self) -> pa.Schema:
        return pq.read_schema(self.parquet)

    @cached_property
    def manifest(self) -> Manifest:
        return Manifest.from_bytes((self.release.files / "manifest.json").read_bytes())

    @cached_property
    def amount_by_sheet(self) -> list[tuple[str | None, str]]:
        """The sheets of the file with the field that each is added up by; one entry if all have the same."""
        tables = read_document(self.release.files, "report.json")["tables"]
        found = [(table["sheet"], table["amount"]["field"]) for table in tables if table["amount"]]
        return found if len({name for _, name in found}) > 1 else found[:1]

    @cached_property
    def lines(self) -> pa.Table:
        return self._read([*counting_fields(self.dataset), *(name for _, name in self.amount_by_sheet), "source_sheet"])

    @cached_property
    def amounts(self) -> Cells | None:
        """The amount of each line, in the decimal places of the release; None if it has no amount."""
        if not self.amount_by_sheet:
            return None
        amounts = None
        for sheet, name in reversed(self.amount_by_sheet):
            own = _one_array(self.lines.column(name))
            if amounts is not None:
                is_own = pc.fill_null(pc.equal(_one_array(self.lines.column("source_sheet")), sheet), False)
                amounts = pc.if_else(is_own, own, amounts)
            else:
                amounts = own
        return amounts

    @property
    def amounts_or_nulls(self) -> Cells:
        return pa.nulls(self.lines.num_rows, pa.decimal128(38, 4)) if self.amounts is None else self.amounts

    def _read(self, names: Iterable[str]) -> pa.Table:
        present = set(self.schema.names)
        return pq.read_table(self.parquet, columns=[name for name in dict.fromkeys(names) if name in present])

    def read_typed(self, columns: Sequence[PublishedColumn], kept: Cells) -> pa.Table:
        """The `kept` lines with these columns, in the types of `columns`; a column that the release lacks is empty."""
        target = pa.schema([pa.field(column.name, column.type) for column in columns])
        pieces, start = [], 0
        with pq.ParquetFile(self.parquet) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                mine = batch.filter(kept.slice(start, batch.num_rows))
                start += batch.num_rows
                if mine.num_rows:
                    pieces.append(pa.RecordBatch.from_arrays([_retype(mine, one) for one in columns], schema=target))
        return pa.Table.from_batches(pieces, schema=target)


def _retype(batch: pa.RecordBatch, column: PublishedColumn) -> Cells:
    if column.name not in batch.schema.names:
        empty: Any = pa.nulls(batch.num_rows)
        return empty.cast(column.type)
    cells = batch.column(column.name)
    if cells.type == column.type:
        return cells
    if pa.types.is_decimal(cells.type) and pa.types.is_decimal(column.type):
        return cells.cast(column.type)
    return column.typed(cells.cast(pa.string()))  # an earlier version of the dataset had another type


@dataclass(frozen=True)
class _CountedRelease:
    """A release, and which of its lines count."""

    opened: _OpenRelease
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
            for year, counter, undated, rows, pounds in _sum_by(table, "year", "in", "undated")
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


def _make_year(dataset: Dataset, counted: Sequence[_CountedRelease], year: str, folder: Path) -> YearAccount:
    """Write the files of a year and make its account."""
    folder.mkdir(parents=True, exist_ok=True)
    own = [one for one in counted if one.belongs_to(year)]
    columns = columns_of([*_added_fields(dataset), *dataset.fields], [one.opened.schema for one in own])
    table, amounts = _gather_lines(dataset, own, year, columns)
    not_added: tuple[RowsNotAdded, ...] = ()
    if dataset.row_period is not None:
        table, not_added = _mark_row_periods(dataset, own, year, table)
    summed = _to_sum(table, own, amounts)
    account = _describe_year(dataset, counted, own, year, summed, not_added)
    order = _reading_order(table)
    if order is not None:
        table, summed = table.take(order), summed.take(order)
    _write_csv(table, columns, folder / f"{dataset.name}.csv")
    pq.write_table(table, folder / f"{dataset.name}.parquet", compression="zstd", row_group_size=GROUP_ROWS)
    rollup = _roll_up(dataset, summed, table)
    pq.write_table(rollup, folder / f"{dataset.name}.rollup.parquet", compression="zstd", row_group_size=GROUP_ROWS)
    return account


def _added_fields(dataset: Dataset) -> list[Field]:
    added = (
        *ADDED,
        *(PAYEE_ADDED if dataset.payee is not None else ()),
        *(PERIOD_ADDED if dataset.row_period is not None else ()),
    )
    own = {field.name for field in dataset.fields}
    return [
        Field(name, kind, title, description, Level.CORE, Origin.DERIVED, "the catalogue")
        for name, kind, title, description in added
        if name not in own
    ]


def _gather_lines(
    dataset: Dataset, own: Sequence[_CountedRelease], year: str, columns: Sequence[PublishedColumn]
) -> tuple[pa.Table, Cells]:
    """The lines that count in a year, release by release, with the columns that we add; and their amounts."""
    fields = {field.name for field in dataset.fields}
    sent = [column for column in columns if column.name in fields]
    scale = max((one.opened.amounts.type.scale for one in own if one.opened.amounts is not None), default=4)
    tables, amounts = [], []
    for one in own:
        release, times, kept = one.opened.release, one.counts.times, one.kept(year)
        lines = one.opened.read_typed(sent, kept)
        size = lines.num_rows
        ours: dict[str, Cells] = {
            "body": pa.repeat(pa.scalar(release.series.body, pa.string()), size),
            "series": pa.repeat(pa.scalar(str(release.series), pa.string()), size),
            "version": pa.repeat(pa.scalar(release.version, pa.int64()), size),
            "part": pa.repeat(pa.scalar(release.series.part, pa.string()), size),
            "line_date": times.day.filter(kept),
            "month": times.month.filter(kept),
            "financial_year": times.financial_year.filter(kept),
            "adds_up": pa.nulls(size, pa.bool_()),
        }
        ours |= _annotate(dataset, lines)
        arrays = [lines.column(one.name) if one.name in fields else ours[one.name] for one in columns]
        tables.append(pa.table(arrays, names=[column.name for column in columns]))
        amounts.append(one.opened.amounts_or_nulls.filter(kept).cast(pa.decimal128(38, scale)))
    schema = pa.schema([pa.field(column.name, column.type) for column in columns])
    whole = pa.concat_tables(tables) if tables else schema.empty_table()
    nothing = pa.nulls(0, pa.decimal128(38, scale))
    return whole, _one_array(pa.chunked_array([nothing, *amounts]))


def _annotate(dataset: Dataset, lines: pa.Table) -> dict[str, Cells]:
    if dataset.payee is None:
        return {}
    size = lines.num_rows
    return {
        "supplier_key": pa.nulls(size, pa.string()),
        "payee_class": pa.repeat(pa.scalar("not-known", pa.string()), size),
    }


def _mark_row_periods(
    dataset: Dataset, own: Sequence[_CountedRelease], year: str, table: pa.Table
) -> tuple[pa.Table, tuple[RowsNotAdded, ...]]:
    periods = examine_row_periods(dataset, year, table)
    at = table.schema.get_field_index("adds_up")
    marked = table.set_column(at, "adds_up", pa.array(periods.adds_up))
    apart = pa.table({"series": table.column("series"), "words": periods.words}).filter(pa.array(~periods.adds_up))
    by_series = {str(one.opened.release.series): one.opened.release for one in own}
    groups = apart.group_by(["series", "words"]).aggregate([([], "count_all")]).to_pylist()
    return marked, tuple(
        RowsNotAdded(release.series, release.version, release.series.part, group["count_all"], group["words"])
        for group in sorted(groups, key=lambda group: (group["series"], group["words"]))
        for release in (by_series[group["series"]],)
    )


def _to_sum(table: pa.Table, own: Sequence[_CountedRelease], amounts: Cells) -> pa.Table:
    """The columns that totals are made by; `part` is that of the table, also where the dataset has a field `part`."""
    parts = {str(one.opened.release.series): one.opened.release.series.part for one in own}
    series = _one_array(table.column("series")).dictionary_encode()
    part = pa.array([parts[name] for name in series.dictionary.to_pylist()], pa.string()).take(series.indices)
    empty = pa.nulls(table.num_rows, pa.string())
    has_payee = "payee_class" in table.schema.names
    return pa.table(
        {
            "month": table.column("month"),
            "part": part,
            "payee_class": table.column("payee_class") if has_payee else empty,
            "supplier_key": table.column("supplier_key") if has_payee else empty,
            "amount": amounts,
        }
    )


def _reading_order(table: pa.Table) -> Cells | None:
    """The order by supplier, then day, then as published; None for a dataset that does not say who is paid."""
    if "supplier_key" not in table.schema.names or not table.num_rows:
        return None
    encoded = _one_array(table.column("supplier_key")).dictionary_encode()
    ranks = pc.rank(encoded.dictionary).to_numpy() if len(encoded.dictionary) else np.zeros(0, np.int64)
    keys = np.append(ranks.astype(np.int64), len(ranks) + 1)[
        pc.fill_null(encoded.indices, len(ranks)).to_numpy(zero_copy_only=False)
    ]
    days = pc.fill_null(_one_array(table.column("line_date")).cast(pa.int32()), np.iinfo(np.int32).max)
    return pa.array(np.lexsort((days.to_numpy(zero_copy_only=False), keys)))


def _write_csv(table: pa.Table, columns: Sequence[PublishedColumn], path: Path) -> None:
    with path.open("wb") as out:
        out.write(",".join(column.name for column in columns).encode() + b"\r\n")
        for batch in table.combine_chunks().to_batches(max_chunksize=_BATCH_ROWS):
            cells = [column.spelled(batch.column(column.name)) for column in columns]
            out.write(format_csv_lines(pa.RecordBatch.from_arrays(cells, names=[one.name for one in columns])))


def _roll_up(dataset: Dataset, summed: pa.Table, table: pa.Table) -> pa.Table:
    """Rows and pounds by month, part, class of payee and supplier, in order of supplier and month.

    `supplier` is the spelling that most lines have.
    """
    by = ["supplier_key", "month", "part", "payee_class"]
    groups = summed.group_by(by).aggregate([([], "count_all"), ("amount", "sum")])
    groups = groups.sort_by([(name, "ascending") for name in by])
    names = _usual_names(summed.column("supplier_key"), table.column(dataset.payee)) if dataset.payee else {}
    keys: list[Any] = groups.column("supplier_key").to_pylist()
    suppliers = [names.get(key) for key in keys]
    scale = summed.schema.field("amount").type.scale
    return pa.table(
        {
            "month": groups.column("month"),
            "part": groups.column("part"),
            "payee_class": groups.column("payee_class"),
            "supplier_key": groups.column("supplier_key"),
            "supplier": pa.array(suppliers, pa.string()),
            "rows": groups.column("count_all").cast(pa.int64()),
            "amount_gbp": groups.column("amount_sum").cast(pa.decimal128(38, scale)),
        }
    )


def _usual_names(keys: Cells, names: Cells) -> dict[str, str]:
    """The spelling of each key that most lines have; of several, the first in order."""
    found = pa.table({"key": keys, "name": names}).drop_null().group_by(["key", "name"]).aggregate([([], "count_all")])
    order = found.sort_by([("key", "ascending"), ("count_all", "descending"), ("name", "ascending")])
    usual: dict[str, str] = {}
    for row in order.select(["key", "name"]).to_pylist():
        usual.setdefault(row["key"], row["name"])
    return usual


def _describe_year(
    dataset: Dataset,
    counted: Sequence[_CountedRelease],
    own: Sequence[_CountedRelease],
    year: str,
    summed: pa.Table,
    not_added: tuple[RowsNotAdded, ...],
) -> YearAccount:
    numbers = {id(one): number for number, one in enumerate(counted)}
    here: list[CountedLines] = []
    left_out: list[LeftOutLines] = []
    elsewhere: list[LinesElsewhere] = []
    for one in own:
        here.append(_counted_lines(one, numbers[id(one)], year))
        left_out += _left_out_lines(dataset, counted, one, numbers[id(one)], year)
        elsewhere += _lines_elsewhere(one, year)
    has_amount = any(one.opened.amounts is not None for one in own)
    months = [
        MonthTotal(month, part, payee_class, rows, pounds if has_amount else None)
        for month, part, payee_class, rows, pounds in _sum_by(summed, "month", "part", "payee_class")
    ]
    payees = [
        PayeeTotal(payee_class, part, rows, pounds if has_amount else None)
        for payee_class, part, rows, pounds in _sum_by(summed, "payee_class", "part")
    ]
    account = YearAccount(
        dataset=dataset.name,
        body=own[0].opened.release.series.body,
        year=year,
        counted=tuple(here),
        left_out=tuple(left_out),
        elsewhere=tuple(elsewhere),
        payees=tuple(payees) if dataset.payee is not None else (),
        months=tuple(months),
        not_added=not_added,
    )
    _require_equal(account)
    return account


def _counted_lines(one: _CountedRelease, number: int, year: str) -> CountedLines:
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
    dataset: Dataset, counted: Sequence[_CountedRelease], one: _CountedRelease, number: int, year: str
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


def _lines_elsewhere(one: _CountedRelease, year: str) -> Iterator[LinesElsewhere]:
    release = one.opened.release
    for other in sorted({group[0] for group in one.groups} - {year}):
        groups = [group for group in one.groups if group[0] == other]
        rows = sum(group[3] for group in groups)
        yield LinesElsewhere(release.series, release.version, rows, _pounds(one, groups), other)


def _pounds(one: _CountedRelease, groups: Iterable[tuple[str, int, bool, int, Decimal | None]]) -> Decimal | None:
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


def _sum_by(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Rows and pounds by the columns `names`, in order, nulls last; pounds are 0 where no line has an amount."""
    groups = table.group_by(list(names)).aggregate([([], "count_all"), ("amount", "sum")])
    ordered = groups.sort_by([(name, "ascending") for name in names])
    lists = [ordered.column(name).to_pylist() for name in (*names, "count_all", "amount_sum")]
    return [(*row[:-1], row[-1] if row[-1] is not None else Decimal(0)) for row in zip(*lists, strict=True)]


def _one_array(column: Cells) -> Cells:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
