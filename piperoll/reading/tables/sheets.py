"""Read the sheets of a file together: shared headings, summaries and copies to leave out, sheets of other months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import PurePosixPath

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Finding, Period, format_decimal
from piperoll.model.columns import pc
from piperoll.reading.cells.periods import find_periods
from piperoll.reading.columns.assignment import assign_columns
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import profile_columns
from piperoll.reading.grids.grid import Grid
from piperoll.reading.reading import GridReading, ReadTable
from piperoll.reading.tables.grid_tables import read_grid
from piperoll.reading.tables.sections import find_sections

_SUM_TOLERANCE = Decimal("0.05")
"""Two sums within this many pounds are equal: pence are rounded."""

_QUARTER = 3
"""Within a given period of more months, the names of file and sheets show the months of their dates."""

_FEW_ROWS = 3
"""Fewer rows than this may be equal, or add up, by chance."""


@dataclass(frozen=True)
class TableOverlap:
    """A table (by index) that repeats what `others` hold: it `sums` them up, or its rows are among theirs."""

    table: int
    others: tuple[int, ...]
    sums: bool
    total: Decimal


class _TableContents:
    """The contents of a table that another one could repeat."""

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        self.table = table
        self.amount = next((name for name in dataset.amount if name in table.columns), None)

    @cached_property
    def amounts(self) -> Counter[str]:
        """How often each amount is in the table."""
        return Counter(cell for cell in self._cells(self.amount or "") if cell is not None)

    @cached_property
    def total(self) -> Decimal:
        """The sum of the amounts."""
        return sum((Decimal(cell) * times for cell, times in self.amounts.items()), Decimal(0))

    def keys(self, names: Sequence[str]) -> Counter[tuple[str | None, ...]]:
        """Count each record by some of its fields."""
        return Counter(zip(*map(self._cells, names), strict=True))

    def _cells(self, name: str) -> Iterator[str | None]:
        for batch in self.table.batches():
            yield from batch.column(name).to_pylist()


def find_overlaps(tables: Sequence[ReadTable], dataset: Dataset) -> list[TableOverlap]:
    """Return the tables to leave out so that nothing is counted twice, each with the tables that hold its records."""
    contents = [_TableContents(table, dataset) for table in tables]
    with_amounts = [index for index, each in enumerate(contents) if each.amount is not None]
    found: dict[int, TableOverlap] = {}
    for index in sorted(with_amounts, key=lambda index: (tables[index].rows, -index)):
        left = [other for other in with_amounts if other != index and other not in found]
        if overlap := _overlap(index, left, contents):
            found[index] = overlap
    return [found[index] for index in sorted(found)]


def _overlap(index: int, others: Sequence[int], contents: Sequence[_TableContents]) -> TableOverlap | None:
    own = contents[index]
    for other in others if own.table.rows >= _FEW_ROWS else ():
        # Every record must be in the other table too, by all the fields that both have.
        if own.amounts <= contents[other].amounts:
            names = [name for name in own.table.columns if name in contents[other].table.columns]
            if len(names) >= _FEW_ROWS and own.keys(names) <= contents[other].keys(names):
                return TableOverlap(index, (other,), sums=False, total=own.total)
    larger = [other for other in others if contents[other].table.rows > max(own.table.rows, _FEW_ROWS - 1)]
    for group in [*([other] for other in larger), list(others)]:
        rows = sum(contents[other].table.rows for other in group)
        total = sum((contents[other].total for other in group), Decimal(0))
        if rows > own.table.rows and rows >= _FEW_ROWS and own.total and abs(total - own.total) <= _SUM_TOLERANCE:
            return TableOverlap(index, tuple(group), sums=True, total=own.total)
    return None


_FEW_FIGURES = 0.1
"""Words hold figures or dates in fewer cells than this share: in a list of values, "2" may be one of them."""

_MOST = 0.8
"""A sheet is of a month if at least this share of its dates is in it."""

Read = tuple[Grid, GridReading]


def read_grids(
    grids: Sequence[Grid],
    lexicon: Lexicon,
    name: str,
    period: Period | None = None,
    list_sources: Collection[str] = (),
) -> list[Read]:
    """Read every grid of a file together.

    `name` is the file's name, which may give the period if none is given. `list_sources` are the sheets with the values
    of drop-downs.
    """
    readings = []
    for grid in grids:
        # What shows the period, the most certain first: dates are read by it if they can be read in two ways.
        names = [grid.sheet or "", PurePosixPath(name).name]
        if period:
            names = [period.title, *(names if len(list(period.months())) > _QUARTER else ())]
        dated = replace(grid, names=tuple(filter(None, names)))
        readings.append((dated, read_grid(dated, lexicon)))
    if len(grids) > 1:
        readings = _without_reference_sheets(readings, lexicon, list_sources)
        readings = _continued(_with_order_of_other_sheets(readings, lexicon), lexicon)
    _leave_out_overlaps(readings, lexicon.dataset)
    if readings and (found := _about_months(readings, lexicon.dataset, name)):
        readings[0][1].findings.extend(found)
    return readings


def _without_reference_sheets(readings: Sequence[Read], lexicon: Lexicon, list_sources: Collection[str]) -> list[Read]:
    """Leave out the sheets that belong to a form: its lists of values and its notes on the columns.

    Beside a sheet with headings for the whole core, these are sheets without some of the core that a drop-down takes
    its values from, or that hold no figure and no date.
    """
    complete = [_has_core(grid, reading, lexicon) for grid, reading in readings]
    if not any(complete):
        return list(readings)
    found = []
    for (grid, reading), whole in zip(readings, complete, strict=True):
        would_be_read = reading.outcome in ("data", "nil", "no_records")
        if not whole and would_be_read and (grid.sheet in list_sources or _is_text_only(grid)):
            finding = make_finding(
                "reference-sheet-left-out", Address(grid.sheet), sheet_name=(grid.sheet or "").strip()
            )
            found.append((grid, GridReading("reference", findings=[finding])))
        else:
            found.append((grid, reading))
    return found


def _with_order_of_other_sheets(readings: Sequence[Read], lexicon: Lexicon) -> list[Read]:
    """Read the sheets again whose dates could be day first or month first, if the other sheets prove one order."""
    day = sum(reading.date_proofs[0] for _, reading in readings)
    month = sum(reading.date_proofs[1] for _, reading in readings)
    if bool(day) == bool(month):
        return list(readings)
    found = []
    for grid, reading in readings:
        if reading.order_unproved:
            again = replace(grid, proofs=(day, month))
            found.append((again, read_grid(again, lexicon)))
        else:
            found.append((grid, reading))
    return found


def _has_core(grid: Grid, reading: GridReading, lexicon: Lexicon) -> bool:
    """Whether the headings of a sheet cover the whole core of the dataset, with or without records below them."""
    sets = [set(table.choices) | set(table.wide) for table in reading.tables]
    if reading.outcome in ("nil", "no_records"):
        sets = [set(section.heading.fields) for section in find_sections(grid, lexicon)]
        wide = any(lexicon.is_wide(cell) for section in find_sections(grid, lexicon) for cell in section.heading.cells)
        if wide:
            return True
    return any(not lexicon.dataset.missing_core(fields, period_given=True) for fields in sets)


def _is_text_only(grid: Grid) -> bool:
    """Whether a sheet holds no column of figures or dates."""
    profiles = profile_columns(grid.rows, grid.width)
    return all(max(each.numbers, each.dates, each.serials) < _FEW_FIGURES for each in profiles)


def _continued(readings: Sequence[Read], lexicon: Lexicon) -> list[Read]:
    """Read sheets without headings by those of the first sheet with some, if their columns hold the same."""
    headed = (grid for grid, reading in readings if any(table.header_row for table in reading.tables))
    first = next(((grid, parts[0].heading.cells) for grid in headed if (parts := find_sections(grid, lexicon))), None)
    if first is None:
        return list(readings)
    above, headings = first
    found = []
    for grid, reading in readings:
        bare = grid.headings is None and all(not table.header_row for table in reading.tables)
        if bare and reading.outcome in ("data", "no_table") and _goes_on(grid, headings, lexicon):
            again = read_grid(replace(grid, headings=headings), lexicon)
            name, other = ((one.sheet or "").strip() for one in (grid, above))
            address = Address(grid.sheet)
            finding = make_finding("headings-of-another-sheet", address, sheet_name=name, other=other)
            again.findings.insert(0, finding)
            found.append((grid, again))
        else:
            found.append((grid, reading))
    return found


def _goes_on(grid: Grid, headings: tuple[str, ...], lexicon: Lexicon) -> bool:
    """Return whether a sheet's dates and amounts are in the columns that another sheet's headings name."""
    seen = profile_columns(grid.rows, max(grid.width, len(headings)))
    columns, dataset = assign_columns(headings, seen, lexicon), lexicon.dataset
    if grid.width > len(headings) or columns.moved.shift or dataset.missing_core(columns.choices, period_given=True):
        return False
    typed = [(name, choice) for name, choice in columns.choices.items() if name in dataset.core_fields]
    figures = 0
    for name, choice in typed:
        profile, kind = seen[choice.column], dataset.field(name).type
        if kind in ("number", "date"):
            figures += 1
            share = profile.numbers if kind == "number" else profile.dates + profile.serials
            if profile.filled < _MOST or share < _MOST:
                return False
    return figures > 0


def _leave_out_overlaps(readings: Sequence[Read], dataset: Dataset) -> None:
    """Remove the tables that repeat others from the readings; each gets a finding."""
    owners = [(reading, table) for _, reading in readings for table in reading.tables]
    tables = [table for _, table in owners]
    for overlap in find_overlaps(tables, dataset) if len(tables) > 1 else ():
        reading, table = owners[overlap.table]
        reading.tables = [other for other in reading.tables if other is not table]
        # Findings about rows of the table, from its headings to its last record, go with it.
        last = max((pc.max(batch.column("row")).as_py() or 0 for batch in table.batches()), default=0)
        rows = range(table.header_row, last + 1)
        reading.findings = [each for each in reading.findings if each.sheet != table.sheet or each.row not in rows]
        others = [tables[other] for other in overlap.others]
        reading.findings.append(
            make_finding(
                "table-sums-up-another" if overlap.sums else "table-repeats-another",
                Address(table.sheet, table.header_row or None),
                variant="one" if len(others) == 1 else "several",
                count=table.rows,
                table=_table_in_words(table),
                total=format_decimal(overlap.total),
                other=_table_in_words(others[0]),
                others=len(others),
            )
        )
        reading.outcome = reading.outcome if reading.tables else "left_out"


def _table_in_words(table: ReadTable) -> str:
    """Return `the table below row 3 of sheet 'Oct'`, without what the table does not have."""
    below = f" below row {table.header_row}" if table.header_row else ""
    return f"the table{below} of sheet '{table.sheet.strip()}'" if table.sheet else f"the table{below}"


def _about_months(readings: Sequence[Read], dataset: Dataset, name: str) -> list[Finding]:
    """Return the findings about sheets of different months."""
    tables = [table for _, reading in readings for table in reading.tables]
    if len({table.sheet for table in tables}) < 2:
        return []
    dated = [(table, month) for table in tables if (month := _month(table, dataset))]
    if len({table.sheet for table, _ in dated}) < 2 or len({month for _, month in dated}) < 2:
        return []
    named = find_periods(name, snapshot=False)
    months_named = [(f"{period.start:%Y-%m}", f"{period.end:%Y-%m}") for period in named]
    within = [any(start <= month <= end for start, end in months_named) for _, month in dated]
    if any(within) and not all(within):
        date = next(field for field in dataset.date if any(field in table.columns for table, _ in dated))
        return [
            make_finding(
                "sheet-of-another-month",
                Address(table.sheet, field=date),
                count=table.rows,
                sheet_name=(table.sheet or "").strip(),
                month=month,
                named=" or ".join(map(str, named)),
            )
            for (table, month), right in zip(dated, within, strict=True)
            if not right
        ]
    months = ", ".join(f"'{(table.sheet or '').strip()}' in {month}" for table, month in dated)
    return [make_finding("sheets-of-several-months", months=months)]


def _month(table: ReadTable, dataset: Dataset) -> str | None:
    """Return the month of nearly all dates of a table, as 2026-04; None if there is no such month."""
    field = next((name for name in dataset.date if name in table.columns), None)
    if field is None:
        return None
    cells = (cell for batch in table.batches() for cell in batch.column(field).to_pylist())
    months = Counter(str(cell)[:7] for cell in cells if cell is not None)
    month, count = next(iter(months.most_common(1)), ("", 0))
    return month if count and count >= _MOST * months.total() else None
