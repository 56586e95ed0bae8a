"""Which period a submission covers (DESIGN, "Which period, which series, which version")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from piperoll.checking import findings
from piperoll.checking.places import cells, filled, place
from piperoll.checking.tally import main_field
from piperoll.model import Dataset, Finding, Period
from piperoll.reading import ReadTable, periods_in_name

_SNAPSHOT_DAYS = ((3, 31), (9, 30))


@dataclass(frozen=True, slots=True)
class Found:
    """A period, None if there is none to be told, and how it was found."""

    period: Period | None
    findings: tuple[Finding, ...] = ()


def find_period(tables: Sequence[ReadTable], dataset: Dataset, file: str, given: Period | None) -> Found:
    """The period as given; else as the file's or the sheets' names say; else as the dates say.

    A name counts if it says one period only and at least half of the dated rows lie in it. Of a snapshot the day
    is wanted: of two days in a name the one that is 31 March or 30 September.
    """
    if given:
        return Found(given)
    days = [day for table in tables for _row, day in _dated(table, dataset)]
    said: tuple[Finding, ...] = ()
    name, candidates = _named(tables, dataset, file)
    if len(candidates) == 1:
        inside = sum(day in candidates[0] for day in days)
        if 2 * inside >= len(days):
            return Found(candidates[0], (findings.period_from_name(candidates[0], name),))
        said = (findings.name_contradicted(candidates[0], inside, len(days)),)
    elif candidates and days:
        said = (findings.name_ambiguous(candidates),)
    period = _from_days(days, dataset)
    return Found(period, (*said, findings.period_from_dates(period) if period else findings.period_unknown()))


def named_period(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> bool:
    """Whether a name says one period only: it then stands for a period that is given."""
    return len(_named(tables, dataset, file)[1]) == 1


def outside(table: ReadTable, dataset: Dataset, period: Period) -> Iterator[Finding]:
    """One warning for the rows that are dated outside `period`; a snapshot's dates are about other things."""
    rows = list(dict.fromkeys(row for row, day in _dated(table, dataset) if day not in period))
    if rows:
        yield findings.dates_outside(period, place(table, main_field(dataset.date, table)), rows)


def _named(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> tuple[str, tuple[Period, ...]]:
    """The name that speaks of a period, and the periods that it may mean: the file's before the sheets'."""
    if of_file := _periods(file, dataset):
        return file, of_file
    sheets = list(dict.fromkeys(table.sheet for table in tables if table.sheet))
    of_sheets = dict.fromkeys(period for sheet in sheets for period in _periods(sheet, dataset))
    return ", ".join(sheets), tuple(of_sheets)


def _periods(name: str, dataset: Dataset) -> tuple[Period, ...]:
    found = periods_in_name(name, snapshot=dataset.snapshot)
    if dataset.snapshot and len(found) > 1:
        usual = tuple(period for period in found if (period.end.month, period.end.day) in _SNAPSHOT_DAYS)
        return usual or found
    return found


def _from_days(days: Sequence[date], dataset: Dataset) -> Period | None:
    if not dataset.snapshot:
        return Period.shortest_holding(days)
    different = set(days)
    return Period.day(different.pop()) if len(different) == 1 else None


def _dated(table: ReadTable, dataset: Dataset) -> Iterator[tuple[int, date]]:
    """Every line's row and main date, where there is one."""
    field = main_field(dataset.date, table) or next((name for name in dataset.date if name in filled(table)), None)
    if field:
        yield from ((row, date.fromisoformat(cell)) for row, cell in cells(table, field) if cell is not None)
