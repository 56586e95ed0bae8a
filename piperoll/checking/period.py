"""Which period a submission covers: as given, else as a name says, else as the dates say (decision 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from piperoll import assets
from piperoll.checking.row_sets import RowSet
from piperoll.checking.survey import TableSurvey, address_in, date_field, main_field
from piperoll.findings import make_finding
from piperoll.model import Body, Dataset, Finding, Period, Register
from piperoll.model.columns import pc, texts, to_flags
from piperoll.reading import ReadTable, find_periods

_ROWS_NAMED = 5
"""A finding about many rows names this many of them."""


def find_period(
    tables: Sequence[ReadTable], surveys: Sequence[TableSurvey], dataset: Dataset, file: str, given: Period | None
) -> tuple[Period | None, list[Finding]]:
    """Find the period of a submission (None: there is none to find), with findings that say how it was found.

    A name counts if it gives only one period and at least half of the dated rows are in it. `surveys` are those of the
    tables.
    """
    if given:
        return given, []
    days: Counter[date] = Counter()
    for survey in surveys:
        for day, count in survey.dates.items():
            days[date.fromisoformat(day)] += count
    findings: list[Finding] = []
    name, named = _periods_named(tables, dataset, file)
    if len(named) == 1:
        inside = sum(count for day, count in days.items() if day in named[0])
        if 2 * inside >= days.total():
            return named[0], [make_finding("period-from-name", period=named[0].title, name=name)]
        findings.append(
            make_finding("period-name-contradicted", period=named[0].title, inside=inside, dated=days.total())
        )
    elif named and days:
        findings.append(make_finding("period-name-ambiguous", periods=" or ".join(period.title for period in named)))
    period = None if dataset.snapshot else Period.shortest_containing(days)
    if dataset.snapshot and len(days) == 1:
        period = Period.day(*days)
    findings.append(
        make_finding("period-from-dates", period=period.title) if period else make_finding("period-unknown")
    )
    return period, findings


def find_period_outside_life(body: Body, period: Period | None, register: Register | None) -> Iterator[Finding]:
    """Yield a warning if the body did not exist on any day of `period`; `register` has its successors' names."""
    if period is None or body.existed_in(period.start, period.end):
        return
    known = register or assets.register()
    successors = [known.find(slug).name for slug in body.successor]
    variant, day = "not-yet", body.valid_from
    if body.valid_to and body.valid_to < period.start:
        variant, day = "succeeded" if successors else "ended", body.valid_to
    yield make_finding(
        "period-outside-body-life",
        variant=variant,
        body=body.name,
        period=period.title,
        day=Period.day(day).title if day else "",
        successors=" and ".join(successors),
    )


def name_gives_period(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> bool:
    """Whether the file's name or its sheets' names give one period only, which then replaces a given one."""
    return len(_periods_named(tables, dataset, file)[1]) == 1


def find_dates_outside(table: ReadTable, survey: TableSurvey, dataset: Dataset, period: Period) -> Iterator[Finding]:
    """Yield one warning for the rows dated outside `period`, if there are any."""
    field = date_field(table, dataset)
    days = [day for day in survey.dates if date.fromisoformat(day) not in period]
    if not field or not days:
        return
    wanted, rows, first = texts(days), RowSet(), dict[int, None]()
    for batch in table.batches():
        dated_outside = batch["row"].to_numpy()[to_flags(pc.is_in(batch[field], value_set=wanted))]
        rows.add(dated_outside)
        if len(first) < _ROWS_NAMED:
            first.update(dict.fromkeys(dated_outside.tolist()))
    yield make_finding(
        "dates-outside-period",
        address_in(table, main_field(dataset.date, table)),
        variant="some-named" if len(rows) > _ROWS_NAMED else "all-named",
        count=len(rows),
        period=period.title,
        first_rows=", ".join(map(str, list(first)[:_ROWS_NAMED])),
    )


def _periods_named(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> tuple[str, tuple[Period, ...]]:
    """The name that gives a period, and the periods it can mean: the file's name before those of its sheets."""
    if from_file := _periods_in(file, dataset):
        return file, from_file
    sheets = list(dict.fromkeys(table.sheet for table in tables if table.sheet))
    from_sheets = dict.fromkeys(period for sheet in sheets for period in _periods_in(sheet, dataset))
    return ", ".join(sheets), tuple(from_sheets)


def _periods_in(name: str, dataset: Dataset) -> tuple[Period, ...]:
    found = find_periods(name, snapshot=dataset.snapshot)
    if dataset.snapshot and len(found) > 1:
        # the other day is that of publication
        due = tuple(period for period in found if period.end.strftime("%m-%d") in dataset.snapshot_days)
        return due or found
    return found
