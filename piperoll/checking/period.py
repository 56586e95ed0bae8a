"""Which period a submission covers: as given, else where the rows and the pounds lie and what the names say.

Names are evidence, and so are dates: the name of the file first, then those of its sheets, then the titles above the
headings. A name counts if the bulk of the rows and pounds is in the period that it means.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

import pyarrow as pa

from piperoll import assets
from piperoll.checking.row_sets import RowSet
from piperoll.checking.survey import TableSurvey, address_in, date_field, main_field
from piperoll.checking.totals import ColumnAmounts, exact_sum
from piperoll.findings import make_finding
from piperoll.model import Body, Dataset, Finding, Period, PeriodKind, Register, Severity, format_decimal
from piperoll.model.columns import pc, texts, to_flags
from piperoll.reading import ReadTable, find_periods

_ROWS_NAMED = 5
"""A finding about many rows names this many of them."""

_BULK, _SOME = 0.5, 0.25
"""A name holds if one of rows and pounds has this share in its period, and the other has at least the smaller one."""

_RIVAL, _RIVAL_ROWS = 0.8, 3
"""Not if another month has nearly as many rows, and as many pounds, as the fullest month of the period."""

_LATE, _LEAD, _DECAY = 0.05, 1.5, 0.5
"""Invoices that lead up to a named month: hardly any are later, the month before has at most half as much again, and
each earlier month at most half as much."""

_NEARLY_ALL, _MAIN, _THIN = 0.9, 2 / 3, 0.2
"""Without a name a period needs nearly all rows; or most rows and pounds, and every other month thin beside its own."""

_SHEET_COUNTS = 0.02
"""A sheet with a smaller share of the rows and of the pounds does not widen the period of the file."""

_MOST_YEARS = 3
"""A name without a year can mean a month or quarter of this many years."""

_LONG_BEFORE, _LONG_AFTER = timedelta(days=334), timedelta(days=92)
"""Invoices can be late. Dates 11 months before the period or three months after it are probably mistyped."""

_SHORT_TITLE = 40
"""Characters. A longer title does not name a month without a year, because `may` is then usually a verb."""

_QUARTER = 3
"""A title of more than a quarter ("2012-13") may be of the year in which the file is."""

_Month = tuple[int, int]


@dataclass(frozen=True)
class Spread:
    """How rows and pounds are spread over days. Without any amounts, rows count for pounds.

    Of a row that covers several months, half is on the first day and half on the last.
    """

    rows: Mapping[date, float]
    pounds: Mapping[date, float]

    @classmethod
    def of(cls, surveys: Iterable[TableSurvey], *, weigh_pounds: bool = True) -> Spread:
        """The spread of the main dates of some tables."""
        rows: defaultdict[date, float] = defaultdict(float)
        pounds: defaultdict[date, float] = defaultdict(float)
        for survey in surveys:
            for text, count in survey.dates.items():
                day = date.fromisoformat(text)
                rows[day] += count / 2 if survey.starts else count
                pounds[day] += survey.pounds.get(text, 0.0) if weigh_pounds else 0.0
            for text, count in survey.starts.items():
                rows[date.fromisoformat(text)] += count / 2
        return cls(rows, pounds if any(pounds.values()) else rows)

    @cached_property
    def months(self) -> dict[_Month, tuple[float, float]]:
        """The shares of the rows and of the pounds in each month with any."""
        found: defaultdict[_Month, list[float]] = defaultdict(lambda: [0.0, 0.0])
        rows, pounds = sum(self.rows.values()), sum(self.pounds.values())
        for day, count in self.rows.items():
            found[day.year, day.month][0] += count / rows
            found[day.year, day.month][1] += self.pounds[day] / pounds
        return {month: (both[0], both[1]) for month, both in sorted(found.items())}

    @cached_property
    def count(self) -> int:
        """The number of dated rows."""
        return round(sum(self.rows.values()))

    @property
    def years(self) -> list[int]:
        """The years with the most rows."""
        years: defaultdict[int, float] = defaultdict(float)
        for day, count in self.rows.items():
            years[day.year] += count
        return sorted(years, key=lambda year: -years[year])[:_MOST_YEARS]

    def count_inside(self, period: Period) -> int:
        """The number of rows in a period."""
        return round(sum(count for day, count in self.rows.items() if day in period))

    def share(self, holds: Callable[[_Month], bool]) -> tuple[float, float]:
        """The shares of the rows and of the pounds in some months."""
        inside = [both for month, both in self.months.items() if holds(month)]
        return sum(rows for rows, _ in inside), sum(pounds for _, pounds in inside)

    def reaches(self, period: Period) -> bool:
        """Whether there are rows in the first and in the last month of a period."""
        ends = {(period.start.year, period.start.month), (period.end.year, period.end.month)}
        return ends <= self.months.keys()

    def confirms(self, period: Period) -> bool:
        """Whether the bulk of rows and pounds is in a period that a name gives."""
        within = _within(period)
        rows, pounds = self.share(within)
        if max(rows, pounds) >= _BULK and min(rows, pounds) >= _SOME:
            return not self._has_rival(within)
        return min(rows, pounds) >= _SOME and period.kind is PeriodKind.MONTH and self._leads_up_to(period)

    def _fullest(self, within: Callable[[_Month], bool]) -> tuple[float, float]:
        inside = [both for month, both in self.months.items() if within(month)]
        return max((rows for rows, _ in inside), default=0.0), max((pounds for _, pounds in inside), default=0.0)

    def _has_rival(self, within: Callable[[_Month], bool]) -> bool:
        most_rows, most_pounds = self._fullest(within)
        least_rows = max(_RIVAL * most_rows, _RIVAL_ROWS / self.count)
        outside = [both for month, both in self.months.items() if not within(month)]
        return any(rows >= least_rows and pounds >= _RIVAL * most_pounds for rows, pounds in outside)

    def _leads_up_to(self, month: Period) -> bool:
        """Whether the rows before a month are a tail of invoices that were paid in it."""
        own = month.start.year, month.start.month
        last = _before(month.start)
        if max(self.share(lambda each: each > own)) > _LATE:
            return False
        most = {last: _LEAD, own: 1.0}
        rows, pounds = self.months[own]
        return all(
            each[0] <= most.get(which, _DECAY) * rows or each[1] <= most.get(which, _DECAY) * pounds
            for which, each in self.months.items()
            if which <= own
        )

    def find_period(self) -> Period | None:
        """The shortest month, quarter, financial year or range of months where the rows and the pounds lie."""
        for period_of in (
            lambda day: Period.month(day.year, day.month),
            lambda day: Period.quarter(day.year, (day.month + 2) // 3),
            Period.financial_year_of,
        ):
            candidates = {period_of(date(year, month, 1)) for year, month in self.months}
            best = max(candidates, key=lambda each: (sum(self.share(_within(each))), each.start), default=None)
            if best and self._fills(best):
                return best
        return self._shortest_range()

    def _fills(self, period: Period) -> bool:
        """Whether nearly everything is in a period, and something in its first and last month."""
        within = _within(period)
        rows, pounds = self.share(within)
        if not self.reaches(period):
            return False
        if rows >= _NEARLY_ALL and pounds >= _BULK:
            return True
        most_rows, most_pounds = self._fullest(within)
        outside = [both for month, both in self.months.items() if not within(month)]
        thin = all(rows <= _THIN * most_rows and pounds <= _THIN * most_pounds for rows, pounds in outside)
        return thin and min(rows, pounds) >= _MAIN

    def _shortest_range(self) -> Period | None:
        """The fewest months in a row with nearly all rows and pounds, and the months next to them that are not thin."""
        months = list(self.months)
        shares = list(accumulate(sum(both) / 2 for both in self.months.values()))
        spans = []
        for first, month in enumerate(months):
            before = shares[first - 1] if first else 0.0
            last = bisect_left(shares, before + _NEARLY_ALL - 1e-9)
            if last < len(months):
                spans.append((_months_between(month, months[last]), first, last))
        if not spans:
            return None
        _, first, last = min(spans)
        most_rows, most_pounds = self._fullest(lambda _: True)

        def goes_on(near: int, far: int) -> bool:
            rows, pounds = self.months[months[far]]
            thin = rows <= _THIN * most_rows and pounds <= _THIN * most_pounds
            return not thin and abs(_months_between(months[near], months[far])) <= _QUARTER

        while first > 0 and goes_on(first, first - 1):
            first -= 1
        while last + 1 < len(months) and goes_on(last, last + 1):
            last += 1
        return Period.months_of(date(*months[first], 1), date(*months[last], 1))


def _within(period: Period) -> Callable[[_Month], bool]:
    first, last = (period.start.year, period.start.month), (period.end.year, period.end.month)
    return lambda month: first <= month <= last


def _months_between(first: _Month, last: _Month) -> int:
    return 12 * (last[0] - first[0]) + last[1] - first[1]


def _before(day: date) -> _Month:
    return (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)


def find_period(
    tables: Sequence[ReadTable],
    surveys: Sequence[TableSurvey],
    dataset: Dataset,
    file: str,
    given: Period | None,
    names: Sequence[str] = (),
) -> tuple[Period | None, list[Finding]]:
    """Find the period of a submission (None: there is none to find), with findings that say how it was found.

    `surveys` are those of the tables. `names` are further texts that can give the period of a file without tables.
    """
    if given:
        return given, []
    if dataset.snapshot:
        return _find_snapshot_day(tables, surveys, dataset, file)
    weigh = _is_dated_within(dataset)
    spread = Spread.of(surveys, weigh_pounds=weigh)
    if not spread.count:
        return _find_period_without_dates(tables, file, names)
    named = find_periods(file, snapshot=False, years=spread.years)
    # a contract begins whenever it begins: its dates do not contradict the month that a register is of
    found = _best(named, spread) or (named[0] if len(named) == 1 and not weigh else None)
    if found:
        return found, [make_finding("period-from-name", variant="name", period=found.title, name=file)]
    period, name = _find_period_of_sheets(tables, surveys, spread, weigh_pounds=weigh)
    findings = []
    if len(named) == 1:
        findings.append(_report_contradiction(named[0], spread, "sheets" if period else "dates"))
    elif named and not period:
        findings.append(make_finding("period-name-ambiguous", periods=" or ".join(each.title for each in named)))
    if period:
        variant = "name" if name else "title"
        return period, [*findings, make_finding("period-from-name", variant=variant, period=period.title, name=name)]
    if period := spread.find_period():
        findings.append(make_finding("period-from-dates", period=period.title))
    return period, findings


def _report_contradiction(named: Period, spread: Spread, variant: str) -> Finding:
    """Report a name whose period does not hold the bulk of the rows; the `variant` says what was used instead."""
    inside = spread.count_inside(named)
    return make_finding(
        "period-name-contradicted", variant=variant, period=named.title, inside=inside, dated=spread.count
    )


def find_period_of_nil_return(
    file: str, names: Sequence[str], given: Period | None
) -> tuple[Period | None, list[Finding]]:
    """Find the period of a nil return of no known dataset: as given, or as its name or a text in it says."""
    return (given, []) if given else _find_period_without_dates((), file, names)


def _is_dated_within(dataset: Dataset) -> bool:
    """Whether the main dates are in the period of the file, as payments are and the dates of contracts are not."""
    return any("@period" in group and {*group} & {*dataset.date} for group in dataset.core)


def _best(named: Sequence[Period], spread: Spread) -> Period | None:
    """Of the periods that a name can mean, the one with the most rows and pounds: the shortest of several."""
    whole = [Period.months_of(min(each.start for each in named), max(each.end for each in named))] if named else []
    for candidates in (named, whole):  # `October and November`
        if fitting := [period for period in candidates if spread.confirms(period)]:
            return max(fitting, key=lambda each: (round(sum(spread.share(_within(each))), 6), each.start - each.end))
    return None


def _find_period_of_sheets(
    tables: Sequence[ReadTable], surveys: Sequence[TableSurvey], whole: Spread, *, weigh_pounds: bool
) -> tuple[Period | None, str]:
    """The period from the first sheet's to the last sheet's by their names or titles, if there are any; the names."""
    by_sheet: dict[str | None, list[int]] = {}
    for number, table in enumerate(tables):
        by_sheet.setdefault(table.sheet, []).append(number)
    found: list[Period] = []
    names: list[str] = []
    titled = False
    for sheet, numbers in by_sheet.items():
        spread = Spread.of([surveys[number] for number in numbers], weigh_pounds=weigh_pounds)
        pounds = sum(spread.pounds.values()) / (sum(whole.pounds.values()) or 1)
        if not spread.rows or max(spread.count / whole.count, pounds) < _SHEET_COUNTS:
            continue
        period = _best(find_periods(sheet or "", snapshot=False, years=spread.years), spread)
        titles = [title for number in numbers for title in tables[number].titles]
        if period:
            names.append(sheet or "")
        elif period := _best_of_titles(titles, spread):
            titled = True
        if period := period or spread.find_period():
            found.append(period)
    if not names and not titled:
        return None, ""
    start, end = min(period.start for period in found), max(period.end for period in found)
    return Period(start, end), ", ".join(names)


def _best_of_titles(titles: Sequence[str], spread: Spread) -> Period | None:
    """The period of the first title that names one where the bulk of the rows is; a year only from end to end."""
    for title in titles:
        years = spread.years if len(title) <= _SHORT_TITLE else ()
        period = _best(find_periods(title, snapshot=False, years=years), spread)
        if period and (len(list(period.months())) <= _QUARTER or spread.reaches(period)):
            return period
    return None


def _find_period_without_dates(
    tables: Sequence[ReadTable], file: str, names: Sequence[str]
) -> tuple[Period | None, list[Finding]]:
    """The period that the first name gives which can mean only one."""
    sheets = [table.sheet for table in tables if table.sheet]
    titles = [title for table in tables for title in table.titles]
    given = find_periods(file, snapshot=False)
    for name in (file, *sheets, *titles, *names):
        named = find_periods(name, snapshot=False)
        if len(named) == 1 and (not given or named[0] in given):
            variant = "name" if name in {file, *sheets} else "title"
            return named[0], [make_finding("period-from-name", variant=variant, period=named[0].title, name=name)]
    unknown = make_finding("period-unknown")
    periods = " or ".join(each.title for each in given)
    return None, [make_finding("period-name-ambiguous", periods=periods), unknown] if given else [unknown]


def _find_snapshot_day(
    tables: Sequence[ReadTable], surveys: Sequence[TableSurvey], dataset: Dataset, file: str
) -> tuple[Period | None, list[Finding]]:
    spread, findings = Spread.of(surveys), list[Finding]()
    days = spread.rows
    name, named = _days_named(tables, dataset, file)
    if len(named) == 1:
        if 2 * spread.count_inside(named[0]) >= spread.count:
            return named[0], [make_finding("period-from-name", variant="name", period=named[0].title, name=name)]
        findings.append(_report_contradiction(named[0], spread, "dates"))
    elif named and days:
        findings.append(make_finding("period-name-ambiguous", periods=" or ".join(period.title for period in named)))
    period = Period.day(*days) if len(days) == 1 else None
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


def _days_named(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> tuple[str, tuple[Period, ...]]:
    """The name that gives a day, and the days it can mean: the file's name before those of its sheets."""
    if from_file := _days_in(file, dataset):
        return file, from_file
    sheets = list(dict.fromkeys(table.sheet for table in tables if table.sheet))
    return ", ".join(sheets), tuple(dict.fromkeys(day for sheet in sheets for day in _days_in(sheet, dataset)))


def _days_in(name: str, dataset: Dataset) -> tuple[Period, ...]:
    found = find_periods(name, snapshot=True)
    if len(found) > 1:
        # the other day is that of publication
        due = tuple(period for period in found if period.end.strftime("%m-%d") in dataset.snapshot_days)
        return due or found
    return found


def name_gives_period(tables: Sequence[ReadTable], dataset: Dataset, file: str) -> bool:
    """Whether the file's name, its sheets' names or its titles give one period, which then replaces a given one."""
    if dataset.snapshot:
        return len(_days_named(tables, dataset, file)[1]) == 1
    return _find_period_without_dates(tables, file, ())[0] is not None


def find_dates_outside(table: ReadTable, survey: TableSurvey, dataset: Dataset, period: Period) -> Iterator[Finding]:
    """Yield one finding for the rows dated shortly outside `period`, and a warning for those dated far from it.

    A tail of late or early dates is normal, unless it has most of the rows and pounds of a table. The dates of
    contracts can lie anywhere.
    """
    column = date_field(table, dataset)
    if not column:
        return
    weigh = _is_dated_within(dataset)
    days = [day for text in survey.dates if (day := date.fromisoformat(text)) not in period]
    far = [day for day in days if weigh and not period.start - _LONG_BEFORE <= day <= period.end + _LONG_AFTER]
    near = [day for day in days if day not in {*far}]
    most = 2 * sum(survey.dates[day.isoformat()] for day in days) > sum(survey.dates.values())
    most = weigh and most and not Spread.of([survey], weigh_pounds=weigh).confirms(period)
    if most:
        near, far = [], days
    invoices = weigh and main_field(dataset.amount, table) is not None
    for variant, outside in (("tail" if invoices else "other", near), ("most" if most else "far", far)):
        if outside:
            yield _report_outside(table, dataset, column, outside, period, variant)


def _report_outside(
    table: ReadTable, dataset: Dataset, column: str, days: Sequence[date], period: Period, variant: str
) -> Finding:
    wanted, rows, first = texts([day.isoformat() for day in days]), RowSet(), dict[int, None]()
    amount, pounds = main_field(dataset.amount, table), Decimal(0)
    for batch in table.batches():
        outside = pc.is_in(batch[column], value_set=wanted)
        numbers = batch["row"].to_numpy()[to_flags(outside)]
        rows.add(numbers)
        if amount and len(numbers):
            pounds = exact_sum((pounds, _pounds_in(batch, amount, outside)))
        if len(first) < _ROWS_NAMED:
            first.update(dict.fromkeys(numbers.tolist()))
    shown = ", ".join(map(str, list(first)[:_ROWS_NAMED]))
    return make_finding(
        "dates-outside-period",
        address_in(table, main_field(dataset.date, table)),
        variant=variant,
        severity=Severity.INFO if variant in {"tail", "other"} else Severity.WARNING,
        count=len(rows),
        period=period.title,
        pounds=f" worth £{format_decimal(pounds)}" if amount else "",
        first_rows=f"{shown} and others" if len(rows) > _ROWS_NAMED else shown,
    )


def _pounds_in(batch: pa.RecordBatch, amount: str, lines: pa.BooleanArray) -> Decimal:
    return ColumnAmounts.parse(batch[amount].filter(lines)).total()
