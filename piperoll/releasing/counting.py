"""Which time a line belongs to, and which lines of several tables count: pure functions over columns.

`line_times` is the only place that decides the day, month and financial year of a line. Consolidated files, `piperoll
get --year`, the API, totals, charts and pages all use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from piperoll.model import UNDATED, Because, Dataset, Field, Period, Series, partition_of
from piperoll.model.columns import Cells, Flags, Integers, is_filled, pc, to_flags
from piperoll.releasing.deriving import is_hash, is_provenance


@dataclass(frozen=True, slots=True)
class LineTimes:
    """The time of each line of a batch, as columns.

    `day` (date32) is the day used, null if there is none. `month` is `2024-04`, null if the line belongs to no single
    month. `financial_year` is `2024-25`, null if the line belongs to no single year. `year` is never null: the
    financial year as `str(Period)` spells it, or `UNDATED`; consolidated files are kept by it. `undated` (boolean) is
    true for lines that should have a date and have none.
    """

    day: Cells
    month: Cells
    financial_year: Cells
    year: Cells
    undated: Cells


def line_times(dataset: Dataset, period: Period, lines: pa.RecordBatch | pa.Table) -> LineTimes:
    """Find the time of each line of a table that covers `period`.

    A line belongs to its own date: the first filled of the dataset's `date` fields, which are dates or canonical
    strings. A line without a date belongs to the period of its table. Rows of registers and snapshots are statements
    about the time of their table, whatever dates they hold. A row with a period of its own belongs to the year in
    which that ends, and to a month if it lies in one.
    """
    size = lines.num_rows
    by_table = dataset.snapshot or (dataset.restates and dataset.row_period is None)
    names = [name for name in dataset.date if name in lines.schema.names]
    if by_table or not names:
        stated = period.end if dataset.snapshot else None
        day: Cells = pa.repeat(pa.scalar(stated, pa.date32()), size)
    else:
        day = _flat(pc.coalesce(*(_as_days(lines.column(name)) for name in names)))
    has_own_day = pc.is_valid(day)
    month = _by_month(day, lambda first: f"{first.year:04}-{first.month:02}")
    if dataset.row_period is not None and dataset.row_period.start in lines.schema.names:
        starts = _flat(_as_days(lines.column(dataset.row_period.start)))
        begins = _by_month(starts, lambda first: f"{first.year:04}-{first.month:02}")
        month = pc.if_else(pc.fill_null(pc.equal(begins, month), False), month, pa.scalar(None, pa.string()))
    table = partition_of(period)
    months = list(period.months())
    own_month = str(months[0]) if len(months) == 1 else None
    own_year = Period.financial_year_of(period.start).financial_year_name if _is_one_year(period) else None
    label = _by_month(day, lambda first: Period.financial_year_of(first).financial_year_name)
    year = _by_month(day, lambda first: str(Period.financial_year_of(first)))
    return LineTimes(
        day=day,
        month=pc.if_else(has_own_day, month, pa.scalar(own_month, pa.string())),
        financial_year=pc.if_else(has_own_day, label, pa.scalar(own_year, pa.string())),
        year=pc.if_else(has_own_day, year, pa.scalar(table, pa.string())),
        undated=pa.repeat(pa.scalar(False), size) if by_table or not dataset.date else pc.invert(has_own_day),
    )


def _is_one_year(period: Period) -> bool:
    return period.end <= Period.financial_year_of(period.start).end


def _as_days(column: Cells) -> Cells:
    return column if pa.types.is_date32(column.type) else column.cast(pa.date32())


def _flat(column: Cells) -> Cells:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _by_month(days: Cells, name: Callable[[date], str]) -> Cells:
    """What `name` says of the first day of each day's month; it is called once for each distinct month."""
    known = days.drop_null() if days.null_count else days
    if not len(known):
        return pa.nulls(len(days), pa.string())
    numbers = pc.fill_null(days.cast(pa.int32()), known[0].cast(pa.int32())).to_numpy(zero_copy_only=False)
    months = numbers.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)  # since January 1970
    first = int(months.min())
    occurs = np.bincount(months - first)
    names = [
        name(date(1970 + month // 12, month % 12 + 1, 1)) if count else None
        for month, count in enumerate(occurs.tolist(), first)
    ]
    found = pa.array(names, pa.string()).take(pa.array(months - first))
    return pc.if_else(pc.is_valid(days), found, pa.scalar(None, pa.string())) if days.null_count else found


# --- counting once --------------------------------------------------------------------------------------------------


_NO_TABLE = np.iinfo(np.int64).max
"""Higher than the rank of any table."""


@dataclass(frozen=True, slots=True)
class TableLines:
    """The lines of a published table, with the columns that `counting_fields` names and any others.

    Columns have the types of the release's Parquet file, or are canonical strings. A missing column is empty.
    """

    series: Series
    lines: pa.Table


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Which lines of a table count: `counted_in` has for each line the number of the table that counts it.

    Numbers are positions in the list of tables that was counted. A line that counts has the number of its own table.
    """

    times: LineTimes
    counted_in: Integers
    counts: Flags


def counting_fields(dataset: Dataset) -> tuple[str, ...]:
    """The fields that `count_lines` reads, in the dataset's order."""
    names = {*time_fields(dataset)}
    if dataset.restates:
        names |= {*content_fields(dataset), *(name for key in dataset.keys for name in key)}
    elif not dataset.snapshot:
        names |= {*recurrence_fields(dataset)}
    return tuple(field.name for field in dataset.fields if field.name in names)


def time_fields(dataset: Dataset) -> tuple[str, ...]:
    """Those of the fields that `line_times` and `examine_row_periods` read: all that one table by itself needs."""
    rule = dataset.row_period
    names = {*dataset.date, *((rule.start, rule.end) if rule is not None else ())}
    return tuple(field.name for field in dataset.fields if field.name in names)


def recurrence_fields(dataset: Dataset) -> tuple[str, ...]:
    """The fields by which a line of one table is the line of another."""
    return dataset.recurrence or content_fields(dataset)


def content_fields(dataset: Dataset) -> tuple[str, ...]:
    """The fields that say what a line says, whichever file it is in."""

    def is_of_file(field: Field) -> bool:
        return field.derive is not None and str(field.derive.get("from", "")).startswith("period.")

    return tuple(one.name for one in dataset.fields if not (is_provenance(one) or is_hash(one) or is_of_file(one)))


def why_left_out(dataset: Dataset) -> Because:
    """Why lines of a dataset are left out where they are."""
    if dataset.restates:
        return Because.RESTATED
    return Because.OLDER_SNAPSHOT if dataset.snapshot else Because.RECURS


def count_lines(dataset: Dataset, tables: Sequence[TableLines]) -> list[LineCounts]:
    """Decide which lines of the tables of one body count, so that nothing is counted twice.

    - Snapshots: of those of one year and part, the latest.
    - A dataset that restates: of the rows of one year with the same key, those of the latest table.
    - Other datasets: lines that recur are counted once. They have the same date and the same `recurrence` fields,
      compared without regard to case and spaces; lines without a date recur only in tables whose periods overlap.
      Each table has as many of them as it has, and only those beyond what preferred tables have count.

    The result depends on neither the order of the tables nor that of their lines, except which of several lines that
    say the same is the one that counts.
    """
    times = [line_times(dataset, table.series.period, table.lines) for table in tables]
    order = sorted(range(len(tables)), key=lambda number: _preference(dataset, tables[number].series))
    lines = _AllLines(dataset, tables, times, order)
    if len(tables) == 1:
        counted_in = lines.ranks  # no other table has its lines
    elif dataset.snapshot:
        counted_in = _latest_snapshots(lines)
    elif dataset.restates:
        counted_in = _latest_statements(lines)
    else:
        counted_in = _recurring_once(lines)
    counts = []
    for number, own in enumerate(lines.split(counted_in)):
        counts.append(LineCounts(times[number], own, own == number))
    return counts


def _preference(dataset: Dataset, series: Series) -> tuple[int | str, ...]:
    """The order in which tables count lines that they share."""
    period, name = series.period, str(series)
    if dataset.restates or dataset.snapshot:  # the latest first
        return (-period.end.toordinal(), -period.start.toordinal(), name)
    spans_years = partition_of(period) == UNDATED
    months = 12 * (period.end.year - period.start.year) + period.end.month - period.start.month  # not days: 28 to 31
    return (int(spans_years), months, period.start.toordinal(), name)


class _AllLines:
    """The lines of all tables one after another, the preferred table first."""

    def __init__(
        self, dataset: Dataset, tables: Sequence[TableLines], times: Sequence[LineTimes], order: Sequence[int]
    ) -> None:
        self.dataset, self.order = dataset, order
        self.tables = [tables[number] for number in order]
        self.times = [times[number] for number in order]
        self.sizes = [table.lines.num_rows for table in self.tables]
        self.ranks = np.repeat(np.arange(len(order)), self.sizes)

    def split(self, counted_in: Integers) -> list[Integers]:
        """The ranks of all lines as table numbers, by table in the order in which tables were given."""
        numbers = np.array(self.order, np.int64)[counted_in] if len(counted_in) else counted_in
        pieces = np.split(numbers, np.cumsum(self.sizes)[:-1]) if self.sizes else []
        found: list[Integers] = [numbers[:0]] * len(self.order)
        for rank, number in enumerate(self.order):
            found[number] = pieces[rank]
        return found

    def encode(self, *names: str) -> Integers:
        """A number for each line, the same for lines with the same cells in the columns `names`."""
        return _combine([_factorize(self._columns(name)) for name in names], len(self.ranks))

    def encode_column(self, name: str, some: Integers | None = None) -> Integers:
        """A number for each line (or some of them), the same for cells that say the same but for case and spaces."""
        columns = self._columns(name)
        if some is not None:
            starts = np.cumsum([0, *self.sizes])
            pieces = np.split(some, np.searchsorted(some, starts[1:-1]))
            columns = [
                cells.take(pa.array(own - start)) for cells, own, start in zip(columns, pieces, starts, strict=False)
            ]
        return _factorize(columns, loosely=True)

    def split_by_kind(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """The columns of text among `names`, and the others."""

        def is_text(name: str) -> bool:
            return any(pa.types.is_string(cells.type) for cells in self._columns(name) if cells.null_count < len(cells))

        texts = [name for name in names if is_text(name)]
        return texts, [name for name in names if name not in texts]

    def years(self) -> Integers:
        """A number for each line, the same for lines of one year."""
        return _factorize([times.year for times in self.times])

    def is_complete(self, names: Sequence[str]) -> Flags:
        """Which lines have all of the columns `names`."""
        complete = np.ones(len(self.ranks), np.bool_)
        for name in names:
            columns = (_column(table.lines, name) for table in self.tables)
            complete &= np.concatenate([is_filled(cells) for cells in columns]) if self.tables else complete
        return complete

    def _columns(self, name: str) -> list[Cells]:
        return [_column(table.lines, name) for table in self.tables]


def _column(lines: pa.Table, name: str) -> Cells:
    if name not in lines.schema.names:
        return pa.nulls(lines.num_rows, pa.string())
    return _flat(lines.column(name))


def _factorize(columns: Sequence[Cells], *, loosely: bool = False) -> Integers:
    """A number for each cell of all columns, the same for the same cell; 0 for a null and an empty text."""
    if not columns:
        return np.zeros(0, np.int64)
    kinds = {column.type for column in columns if column.null_count < len(column)}
    if all(pa.types.is_decimal(kind) for kind in kinds) and kinds:
        kinds = {max(kinds, key=lambda kind: kind.scale)}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    cells = pa.chunked_array([column.cast(kind) for column in columns], kind).dictionary_encode()
    encoded: Cells = _flat(cells.unify_dictionaries())
    names = encoded.dictionary
    if pa.types.is_string(kind):
        if loosely:
            names = _without_spaces(pc.utf8_lower(names))
        names = pc.if_else(pc.equal(names, ""), pa.scalar(None, pa.string()), names)
        again = names.dictionary_encode().indices
        codes = np.append(pc.fill_null(pc.add(again, 1), 0).to_numpy(zero_copy_only=False), 0).astype(np.int64)
    else:
        codes = np.append(np.arange(1, len(names) + 1), 0)
    indices = pc.fill_null(encoded.indices, len(names)).to_numpy(zero_copy_only=False)
    found: Integers = codes[indices]
    return found


def _without_spaces(texts: Cells) -> Cells:
    raw = texts.buffers()[2]
    content = np.frombuffer(raw or b"", np.uint8)
    if ((content < ord(" ")) | (content > ord("~"))).any():  # other white space, perhaps: ten times as slow
        return pc.replace_substring_regex(texts, r"[\s\p{Z}]+", "")
    return pc.replace_substring(texts, " ", "")


def _combine(codes: Sequence[Integers], size: int) -> Integers:
    """A number for each line, the same for lines with the same number in all of `codes`."""
    whole = np.zeros(size, np.int64)
    for own in codes:
        width = int(own.max(initial=0)) + 1
        if int(whole.max(initial=0)) >= (1 << 62) // width:
            whole = np.unique(whole, return_inverse=True)[1].ravel().astype(np.int64)
        whole = whole * width + own
    found: Integers = np.unique(whole, return_inverse=True)[1].ravel().astype(np.int64)
    return found


def _latest_snapshots(lines: _AllLines) -> Integers:
    parts = {part: number for number, part in enumerate(sorted({one.series.part or "" for one in lines.tables}))}
    own = np.array([parts[one.series.part or ""] for one in lines.tables], np.int64)
    return _first_table(_combine([lines.years(), own[lines.ranks]], len(lines.ranks)), lines.ranks)


def _latest_statements(lines: _AllLines) -> Integers:
    """The table that counts each row: the latest of its year with the first of the dataset's keys that it has."""
    dataset, size = lines.dataset, len(lines.ranks)
    name, named = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for number, key in enumerate((*dataset.keys, content_fields(dataset))):
        fresh = ~named & (lines.is_complete(key) if number < len(dataset.keys) else True)
        if fresh.any():
            codes = lines.encode(*key)
            name[fresh] = codes[fresh] * (len(dataset.keys) + 1) + number
            named |= fresh
    return _first_table(_combine([lines.years(), name], size), lines.ranks)


def _first_table(codes: Integers, ranks: Integers) -> Integers:
    """For each line, the first table that has its code."""
    first = np.full(int(codes.max(initial=0)) + 1, _NO_TABLE)
    np.minimum.at(first, codes, ranks)
    found: Integers = first[codes]
    return found


def _recurring_once(lines: _AllLines) -> Integers:
    counted_in = lines.ranks.copy()
    if not len(counted_in):
        return counted_in
    undated = np.concatenate([to_flags(times.undated) for times in lines.times])
    days = _factorize([times.day for times in lines.times])
    # Texts are compared only where a day, a number and a table without a date leave something to compare.
    texts, others = lines.split_by_kind(recurrence_fields(lines.dataset))
    alike = _combine([days, *(lines.encode_column(name) for name in others)], len(days))
    maybe = np.flatnonzero(_in_several_tables(alike, lines.ranks))
    own = [alike[maybe], *(lines.encode_column(name, maybe) for name in texts)]
    codes, ranks = _combine(own, len(maybe)), lines.ranks[maybe]
    dated = np.flatnonzero(~undated[maybe])
    counted_in[maybe[dated]] = _dated_once(codes[dated], ranks[dated])
    without = np.flatnonzero(undated[maybe])
    if len(without):
        periods = [table.series.period for table in lines.tables]
        counted_in[maybe[without]] = _undated_once(codes[without], ranks[without], periods)
    return counted_in


def _in_several_tables(codes: Integers, ranks: Integers) -> Flags:
    """Which lines have a code that lines of another table have too."""
    size = int(codes.max(initial=0)) + 1
    first, last = np.full(size, _NO_TABLE), np.full(size, -1)
    np.minimum.at(first, codes, ranks)
    np.maximum.at(last, codes, ranks)
    found: Flags = (first < last)[codes]
    return found


def _number_copies(codes: Integers, ranks: Integers) -> Integers:
    """The number of each line among those of its table with its code, from 0."""
    order = np.lexsort((ranks, codes))
    own_codes, own_ranks = codes[order], ranks[order]
    starts = np.ones(len(order), np.bool_)
    starts[1:] = (own_codes[1:] != own_codes[:-1]) | (own_ranks[1:] != own_ranks[:-1])
    firsts = np.flatnonzero(starts)
    copies = np.empty(len(order), np.int64)
    copies[order] = np.arange(len(order)) - np.repeat(firsts, np.diff(np.append(firsts, len(order))))
    return copies


def _dated_once(codes: Integers, ranks: Integers) -> Integers:
    """The table that counts each line: the first that has as many lines with this code."""
    return _first_table(_combine([codes, _number_copies(codes, ranks)], len(codes)), ranks)


def _undated_once(codes: Integers, ranks: Integers, periods: Sequence[Period]) -> Integers:
    """The table that counts each line, where only tables that share a day can have the same line.

    Tables are taken in order of preference. A table's lines are set against those that count in the tables before it
    that it overlaps; those beyond them count.
    """
    copies, counted_in = _number_copies(codes, ranks), ranks.copy()
    edges = np.searchsorted(ranks, np.arange(len(periods) + 1))
    counted: list[Integers] = []
    before = np.zeros(int(codes.max(initial=0)) + 1, np.int64)
    for rank, period in enumerate(periods):
        own = slice(edges[rank], edges[rank + 1])
        own_codes, own_copies = codes[own], copies[own]
        others = [other for other in range(rank) if periods[other].overlaps(period) and len(counted[other])]
        for other in others if len(own_codes) else ():
            lower = before[own_codes]
            np.add.at(before, counted[other], 1)
            matched = (own_copies >= lower) & (own_copies < before[own_codes])
            counted_in[own][matched] = other
        for other in others if len(own_codes) else ():
            before[counted[other]] = 0
        counted.append(own_codes[counted_in[own] == rank])
    return counted_in


# --- row periods ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowPeriods:
    """For each row of a year, whether its figures add up with those of other rows, and what its period is.

    `adds_up` is false if the row's period overlaps that of another row about the same thing, or reaches beyond the
    financial year. `words` is `3 months` or `rolling 12 months`; null if the row has no whole period.
    """

    adds_up: Flags
    words: Cells


def examine_row_periods(dataset: Dataset, year: str, rows: pa.Table) -> RowPeriods:
    """Find the rows of a year whose periods overlap. The dataset has `row_period`."""
    rule = dataset.row_period
    if rule is None:
        raise ValueError(f"rows of {dataset.name} have no periods of their own")
    size = rows.num_rows
    starts, ends = (_as_numbers(_column(rows, name)) for name in (rule.start, rule.end))
    thing, named = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for number, key in enumerate(rule.of):
        complete = np.ones(size, np.bool_)
        for name in key:
            complete &= is_filled(_column(rows, name))
        fresh = complete & ~named
        codes = _combine([_factorize([_column(rows, name)]) for name in key], size)
        thing[fresh] = (codes[fresh] + 1) * len(rule.of) + number
        named |= complete
    overlapping = _find_overlaps(thing, starts, ends) & named
    beyond = np.zeros(size, np.bool_)
    if year != UNDATED:
        period = Period.parse(year)
        first, last = (np.datetime64(day, "D").astype(np.int64) for day in (period.start, period.end))
        beyond = (starts < first) | (ends > last)
    months = _months_of(ends + 1) - _months_of(starts)
    words = pa.array([f"{count} month{'s' if count != 1 else ''}" for count in months.tolist()], pa.string())
    spoken = pc.if_else(pa.array(overlapping), pc.binary_join_element_wise("rolling", words, " "), words)
    return RowPeriods(~(overlapping | beyond), spoken)


def _as_numbers(column: Cells) -> Integers:
    days = pc.fill_null(_as_days(column).cast(pa.int32()), 0)
    found: Integers = days.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _months_of(days: Integers) -> Integers:
    found: Integers = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return found


def _find_overlaps(things: Integers, starts: Integers, ends: Integers) -> Flags:
    """Which rows share a day with another row about the same thing."""
    found = np.zeros(len(things), np.bool_)
    if len(things) < 2:
        return found
    order = np.lexsort((ends, starts, things))
    own, begin, end = things[order], starts[order], ends[order]
    # the latest end so far of the same thing: days of each thing are moved beyond those of the things before it
    own = np.unique(own, return_inverse=True)[1].ravel()
    shift = own * (int(end.max()) - int(begin.min()) + 2)
    latest = np.maximum.accumulate(end + shift)
    overlaps = np.zeros(len(order), np.bool_)
    overlaps[1:] = (begin[1:] + shift[1:]) <= latest[:-1]
    same = own[1:] == own[:-1]
    overlaps[1:] &= same
    overlaps[:-1] |= same & (begin[1:] <= end[:-1])
    found[order] = overlaps
    return found
