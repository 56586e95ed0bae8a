"""Consolidating: the lines of a body's current releases that belong to a year, each counted once, as one table.

`piperoll.releasing.counting` decides the year of a line and which lines count. The files of a year have those lines,
with annotations of ours before the columns of the dataset; its account says what was counted and what was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import assets
from piperoll.enriching import annotate, annotations_version
from piperoll.enriching.annotate import payee_fields
from piperoll.enriching.functions import (
    FUNCTION_ADDED,
    FUNCTION_FIELD,
    annotate_functions,
    functions_version,
    has_functions,
)
from piperoll.model import (
    CurrentRelease,
    Dataset,
    Field,
    Level,
    Origin,
    RowsNotAdded,
    YearAccount,
    YearShare,
    partition_of,
    to_json_bytes,
)
from piperoll.model.columns import Cells, pc
from piperoll.releasing.accounts import (
    CountedRelease,
    OpenRelease,
    decode,
    describe_year,
    empty,
    encode,
    one_array,
)
from piperoll.releasing.columns import PublishedColumn, columns_of
from piperoll.releasing.counting import (
    TableLines,
    count_lines,
    examine_row_periods,
    line_times,
    time_fields,
)
from piperoll.releasing.deriving import is_hash
from piperoll.releasing.files import Writer, csv_lines, parquet_options, read_columns
from piperoll.releasing.totals import TotalsBy, totals_columns, write_totals

RULES_VERSION = "5"
"""The version of the rules and of the files that they make. Raise it when either changes: all files are made again."""

SPLIT_ABOVE = 131_072
"""Lines of a year that is kept in one file. A larger one has a file for each table, so that a month costs what it adds
and not what the year holds; for a smaller one, a file for each month would take more requests than it saves."""

KnownTables: TypeAlias = Mapping[str, Callable[[], Path | None]]
"""Finds the Parquet file of a table that was made before, by the hash of what it was made from (None: it is gone)."""

GROUP_ROWS = 32_768
"""Rows of a Parquet row group: a reader who looks for one supplier reads one or two."""

_FALSE_POSITIVES = 0.01
"""The share of row groups that are read although they have no row with the reference looked for."""

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


def rules_version(dataset: Dataset) -> str:
    """Identify the rules that make the files of a dataset; files that others made are made again."""
    payees = [annotations_version()] if payee_fields(dataset) else []
    functions = [functions_version()] if has_functions(dataset) else []
    return "/".join([RULES_VERSION, *payees, *functions])


def spread_over_years(dataset: Dataset, release: CurrentRelease) -> dict[str, YearShare]:
    """Count the lines of a release by the year that they belong to, whether they count there or not.

    A release without lines has a share without lines in the year of its period.
    """
    with pq.ParquetFile(release.files / f"{dataset.name}.parquet") as file:
        lines = read_columns(file, [*time_fields(dataset), "source_sheet"])  # a register has no field of time
    times = line_times(dataset, release.series.period, lines)
    groups = pa.table({"year": times.year, "undated": times.undated}).group_by(["year", "undated"])
    shares: dict[str, YearShare] = {}
    for group in groups.aggregate([([], "count_all")]).to_pylist():
        year, rows = group["year"], group["count_all"]
        before = shares.get(year, YearShare(0, 0))
        shares[year] = YearShare(before.rows + rows, before.undated_rows + (rows if group["undated"] else 0))
    return shares or {partition_of(release.series.period): YearShare(0, 0)}


def consolidate_years(
    dataset: Dataset,
    releases: Iterable[CurrentRelease],
    years: Iterable[str],
    folder: Path,
    *,
    split_above: int | None = None,
    known: KnownTables = MappingProxyType({}),
) -> Iterator[YearAccount]:
    """Write the files of some years of one body, and yield the account of each year when its files are written.

    `releases` are the current releases of the body that have lines in any of the `years`, and for `UNDATED` those with
    undated lines whose periods overlap such lines. The files are `{year}/{dataset}.csv`, `.parquet`,
    `.rollup.parquet` and `.totals.parquet` in `folder`. A year of more than `split_above` lines of several tables has
    instead of the first two `tables/{n}.csv` and `.parquet`, and `tables.json`: for each table its `series`, `version`,
    `rows`, the hash of what its file is made from (`inputs`), and `file`, which is n. It is null for a table that is
    `known`, which is not made again.

    Raises: ConservationError: counted and left-out lines do not add up to what a release holds.
    """
    sorted_releases = sorted(releases, key=lambda release: release.series)
    opened = [OpenRelease(dataset, one, alone=len(sorted_releases) == 1) for one in sorted_releases]
    counts = count_lines(dataset, [TableLines(one.release.series, one.lines) for one in opened])
    counted = [CountedRelease(one, own) for one, own in zip(opened, counts, strict=True)]
    for one in counted:
        one.require_conservation()
    for year in years:
        sizes = [size for one in counted if one.belongs_to(year) and (size := one.kept(year).true_count)]
        is_large = split_above is not None and sum(sizes) > split_above
        if is_large and len(sizes) > 1 and dataset.row_period is None:
            yield _make_tables(dataset, counted, year, folder / year, known)
        else:
            yield _make_year(dataset, counted, year, folder / year)


def _make_year(dataset: Dataset, counted: Sequence[CountedRelease], year: str, folder: Path) -> YearAccount:
    """Write the files of a year and make its account."""
    folder.mkdir(parents=True, exist_ok=True)
    own = [one for one in counted if one.belongs_to(year)]
    columns = columns_of([*_added_fields(dataset), *dataset.fields], [one.opened.schema for one in own])
    table, amounts = _gather_lines(dataset, own, year, columns)
    not_added: tuple[RowsNotAdded, ...] = ()
    if dataset.row_period is not None:
        table, not_added = _mark_row_periods(dataset, own, year, table)
    for_totals = _select_for_totals(dataset, table)
    summed = _to_sum(for_totals, own, amounts)
    account = describe_year(dataset, counted, own, year, summed, not_added)
    _write_totals(dataset, summed, for_totals, folder)
    del for_totals, summed  # so that they and the lines being written are not in memory together
    _write_lines(table, _reading_order(table), columns, _references(dataset), folder / dataset.name)
    return account


def _write_totals(dataset: Dataset, summed: pa.Table, lines: pa.Table, folder: Path) -> None:
    """Write the files of a year that have no lines."""
    write_totals(dataset, lines, folder / f"{dataset.name}.totals.parquet")
    rollup = _roll_up(dataset, summed, lines)
    pq.write_table(
        rollup,
        folder / f"{dataset.name}.rollup.parquet",
        compression="zstd",
        store_schema=False,
        use_dictionary=False,
        row_group_size=GROUP_ROWS,
    )


def _make_tables(
    dataset: Dataset, counted: Sequence[CountedRelease], year: str, folder: Path, known: KnownTables
) -> YearAccount:
    """Write a file for each table with lines that count in a year, unless it is known, and make the year's account."""
    (folder / "tables").mkdir(parents=True)
    own = [one for one in counted if one.belongs_to(year)]
    listed: list[dict[str, Any]] = []
    stored: list[tuple[CountedRelease, Path]] = []
    for one in own:
        if not (rows := one.kept(year).true_count):
            continue
        release, inputs = one.opened.release, _hash_table(dataset, one, year)
        path = known[inputs]() if inputs in known else None
        file = None if path else f"{len(listed):04}"
        if path is None:
            columns = columns_of([*_added_fields(dataset), *dataset.fields], [one.opened.schema])
            table, _ = _gather_lines(dataset, [one], year, columns)
            stem = folder / "tables" / f"{file}"
            _write_lines(table, _reading_order(table), columns, _references(dataset), stem)
            path = stem.with_suffix(".parquet")
        stored.append((one, path))
        listed.append(
            {"series": str(release.series), "version": release.version, "rows": rows, "inputs": inputs, "file": file}
        )
    table, amounts = _read_for_totals(dataset, stored)
    summed = _to_sum(table, own, amounts)
    account = describe_year(dataset, counted, own, year, summed, ())
    _write_totals(dataset, summed, table, folder)
    (folder / "tables.json").write_bytes(to_json_bytes(listed))
    return account


def _hash_table(dataset: Dataset, one: CountedRelease, year: str) -> str:
    """The hash of everything that the file of a table and year is made from: among it, which of its lines count."""
    release = one.opened.release
    fields = [[field.name, field.type] for field in dataset.fields]
    about = [rules_version(dataset), dataset.version, dataset.descriptor["x_piperoll"], fields]
    whole = hashlib.sha256(to_json_bytes([*about, str(release.series), release.path, year]))
    whole.update(np.packbits(one.kept(year).to_numpy(zero_copy_only=False)).tobytes())
    return whole.hexdigest()


def _names_for_totals(dataset: Dataset) -> frozenset[str]:
    """The columns that totals are made from."""
    wanted = {"series", "month", "supplier_key", "payee_class", *dataset.amount, *payee_fields(dataset).values()}
    return frozenset(wanted.union(*(totals_columns(dataset, by) for by in TotalsBy)))


def _select_for_totals(dataset: Dataset, table: pa.Table) -> pa.Table:
    """The columns of a year that totals are made from, as plain cells."""
    names = [name for name in table.schema.names if name in _names_for_totals(dataset)]
    return pa.table({name: decode(one_array(table.column(name))) for name in names})


def _read_for_totals(dataset: Dataset, stored: Sequence[tuple[CountedRelease, Path]]) -> tuple[pa.Table, Cells]:
    """The columns that totals are made from, and the amounts: read from the files of tables, old and new alike."""
    wanted = {*_names_for_totals(dataset), "source_sheet"}
    tables: list[pa.Table] = []
    amounts: list[Cells] = []
    for one, path in stored:
        sheets = {name for _, name in one.opened.amount_by_sheet}
        names = [name for name in pq.read_schema(path).names if name in wanted | sheets]
        lines = pq.read_table(path, columns=names)
        own = one.opened.amounts_of(lines)
        amounts.append(pa.nulls(lines.num_rows, pa.decimal128(38, 4)) if own is None else own)
        tables.append(lines)
    scale = max(own.type.scale for own in amounts)
    whole = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    return whole, one_array(pa.chunked_array([own.cast(pa.decimal128(38, scale)) for own in amounts]))


def _added_fields(dataset: Dataset) -> list[Field]:
    added = (
        *ADDED,
        *(PAYEE_ADDED if payee_fields(dataset) else ()),
        *(FUNCTION_ADDED if has_functions(dataset) else ()),
        *(PERIOD_ADDED if dataset.row_period is not None else ()),
    )
    own = {field.name for field in dataset.fields}
    return [
        Field(name, kind, title, description, Level.CORE, Origin.DERIVED, "the catalogue")
        for name, kind, title, description in added
        if name not in own
    ]


def _gather_lines(
    dataset: Dataset, own: Sequence[CountedRelease], year: str, columns: Sequence[PublishedColumn]
) -> tuple[pa.Table, Cells]:
    """The lines that count in a year, release by release, with the columns that we add; and their amounts.

    Columns that are empty in every release are left out: half of those of spending are, and they would take as long.
    Texts that repeat are encoded: most columns of spending have few distinct texts. A dataset whose rows have periods
    of their own has plain columns only.
    """
    fields = {field.name for field in dataset.fields}
    filled = {name for one in own for name in one.opened.filled}
    sent = [column for column in columns if column.name in fields & filled]
    encoded = {
        column.name
        for column in sent
        if column.type == pa.string()
        and all(column.name in one.opened.repeating or column.name not in one.opened.filled for one in own)
    }
    scale = max((one.opened.amounts.type.scale for one in own if one.opened.amounts is not None), default=4)
    tables, amounts = [], []
    for one in own:
        release, times, kept = one.opened.release, one.counts.times, one.kept(year)
        lines = one.opened.read_typed(sent, kept, encoded)
        size = lines.num_rows
        ours: dict[str, Cells] = {
            "body": _repeat(release.series.body, size),
            "series": _repeat(str(release.series), size),
            "version": pa.repeat(pa.scalar(release.version, pa.int64()), size),
            "part": _repeat(release.series.part, size),
            "line_date": times.day.filter(kept),
            "month": encode(times.month.filter(kept)),
            "financial_year": encode(times.financial_year.filter(kept)),
        }
        for name, cells in ours.items():
            if name not in fields:
                lines = lines.append_column(name, cells)
        tables.append(lines)
        amounts.append(one.opened.amounts_or_nulls.filter(kept).cast(pa.decimal128(38, scale)))
    whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    del tables, lines
    whole = _annotate(dataset, own[0].opened.release.series.body, whole)
    if dataset.row_period is not None:
        whole = pa.table({name: decode(one_array(whole.column(name))) for name in whole.schema.names})
    return whole, one_array(pa.chunked_array([pa.nulls(0, pa.decimal128(38, scale)), *amounts]))


def _repeat(text: str | None, size: int) -> Cells:
    """An encoded column with one text, or None, throughout."""
    indices: Cells = pa.nulls(size, pa.int32()) if text is None else pa.array(np.zeros(size, np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array([] if text is None else [text], pa.string()))


def _annotate(dataset: Dataset, body: str, lines: pa.Table) -> pa.Table:
    """Add `supplier_key` and `payee_class` if the dataset says who is paid, and functions if it says what for."""
    added: dict[str, Cells] = {}
    if payee_fields(dataset):
        added["supplier_key"], added["payee_class"] = annotate(dataset, _columns(lines, payee_fields(dataset).values()))
    if has_functions(dataset):
        texts = [name for names in dataset.function_texts.values() for name in names]
        batch = _columns(lines, [FUNCTION_FIELD, *texts])
        added |= annotate_functions(dataset, batch, assets.register().at_slug(body))
    for name, cells in added.items():
        lines = lines.append_column(name, encode(cells) if cells.type == pa.string() else cells)
    return lines


def _columns(lines: pa.Table, names: Iterable[str]) -> pa.RecordBatch:
    """Those of the columns that there are; `series` too, so that there are as many rows."""
    present = [*(name for name in names if name in lines.schema.names), "series"]
    return pa.RecordBatch.from_arrays([one_array(lines.column(name)) for name in present], names=present)


def _mark_row_periods(
    dataset: Dataset, own: Sequence[CountedRelease], year: str, table: pa.Table
) -> tuple[pa.Table, tuple[RowsNotAdded, ...]]:
    periods = examine_row_periods(dataset, year, table)
    marked = table.append_column("adds_up", pa.array(periods.adds_up))
    apart = pa.table({"series": table.column("series"), "words": periods.words}).filter(pa.array(~periods.adds_up))
    by_series = {str(one.opened.release.series): one.opened.release for one in own}
    groups = apart.group_by(["series", "words"]).aggregate([([], "count_all")]).to_pylist()
    return marked, tuple(
        RowsNotAdded(release.series, release.version, release.series.part, group["count_all"], group["words"])
        for group in sorted(groups, key=lambda group: (group["series"], group["words"]))
        for release in (by_series[group["series"]],)
    )


def _to_sum(table: pa.Table, own: Sequence[CountedRelease], amounts: Cells) -> pa.Table:
    """The columns that totals are made by; `part` is that of the table, also where the dataset has a field `part`."""
    parts = {str(one.opened.release.series): one.opened.release.series.part for one in own}
    series = one_array(table.column("series")).dictionary_encode()
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
    encoded = encode(one_array(table.column("supplier_key")))
    ranks = pc.rank(encoded.dictionary).to_numpy() if len(encoded.dictionary) else np.zeros(0, np.int64)
    keys = np.append(ranks.astype(np.int64), len(ranks) + 1)[
        pc.fill_null(encoded.indices, len(ranks)).to_numpy(zero_copy_only=False)
    ]
    days = pc.fill_null(one_array(table.column("line_date")).cast(pa.int32()), np.iinfo(np.int32).max)
    return pa.array(np.lexsort((days.to_numpy(zero_copy_only=False), keys)))


def _references(dataset: Dataset) -> list[str]:
    """The fields by which a reader looks for one line: its identifier, and the texts of the dataset's keys."""
    keys = {name for key in dataset.keys for name in key}
    return [one.name for one in dataset.fields if one.type == "string" and (one.name in keys or is_hash(one))]


def _write_lines(
    table: pa.Table, order: Cells | None, columns: Sequence[PublishedColumn], references: Iterable[str], stem: Path
) -> None:
    """Write the CSV and Parquet files of a table, a row group at a time: a sorted copy would take as much memory.

    The columns `references` get Bloom filters: who looks for one of them reads one row group, and not all.
    """
    schema = pa.schema([pa.field(column.name, column.type) for column in columns])
    options = {"ndv": max(1, min(table.num_rows, GROUP_ROWS)), "fpp": _FALSE_POSITIVES}
    filters = {name: options for name in references if name in table.schema.names}
    target = stem.with_suffix(".parquet")
    written = parquet_options(columns, table.slice(0, GROUP_ROWS), "supplier_key")
    with (
        stem.with_suffix(".csv").open("wb") as out,
        pq.ParquetWriter(target, schema, bloom_filter_options=filters, **written) as parquet,
        Writer() as csv_writer,
        Writer() as parquet_writer,
    ):
        out.write(",".join(schema.names).encode() + b"\r\n")
        for start in range(0, table.num_rows, GROUP_ROWS):
            group = table.slice(start, GROUP_ROWS) if order is None else table.take(order.slice(start, GROUP_ROWS))
            typed = [
                decode(one_array(group.column(column.name)))
                if column.name in table.schema.names
                else empty(group.num_rows, column.type)
                for column in columns
            ]
            csv_writer.write(group.num_rows, _write_csv, out, columns, typed)
            lines = pa.Table.from_arrays(typed, schema=schema)
            parquet_writer.write(group.num_rows, parquet.write_table, lines, GROUP_ROWS)
        csv_writer.finish()
        parquet_writer.finish()


def _write_csv(out: BinaryIO, columns: Sequence[PublishedColumn], typed: Sequence[Cells]) -> None:
    """Write lines as CSV, given as cells in the types of `columns`."""
    texts = [_spell(column, cells) for column, cells in zip(columns, typed, strict=True)]
    out.write(csv_lines(pa.RecordBatch.from_arrays(texts, names=[column.name for column in columns])))


def _spell(column: PublishedColumn, cells: Cells) -> Cells:
    if cells.null_count == len(cells):
        return pa.nulls(len(cells), pa.string())
    if column.field.type in ("date", "boolean"):  # few distinct ones, and they take long to write
        distinct = cells.dictionary_encode()
        return column.spelled(distinct.dictionary).take(distinct.indices)
    return column.spelled(cells)


def _roll_up(dataset: Dataset, summed: pa.Table, table: pa.Table) -> pa.Table:
    """Rows and pounds by month, part, class of payee and supplier, in order of supplier and month.

    `supplier` is the spelling that most lines have.
    """
    by = ["supplier_key", "month", "part", "payee_class"]
    groups = summed.group_by(by).aggregate([([], "count_all"), ("amount", "sum")])
    groups = groups.sort_by([(name, "ascending") for name in by])
    payee = payee_fields(dataset).get("name")
    names: dict[str, str] = {}
    if payee is not None and payee in table.schema.names:
        names = _usual_names(summed.column("supplier_key"), table.column(payee))
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
