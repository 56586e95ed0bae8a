"""The order of day and month in a column of dates.

It is decided by the dates that can only be read one way; without any, together with the period that the names of the
file and sheet can mean, by the other columns and sheets, or by which order brings the dates closer together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from piperoll.model import Period, PeriodKind
from piperoll.reading.cells.dates import DateOrder, DateReadings, find_date_readings
from piperoll.reading.cells.periods import find_periods

Months = frozenset[tuple[int, int]]
"""Months as year and number."""

_ENOUGH = 5
"""At least this many days show in which months the dates of a column are. Of five random days, one or more are after
the 12th in 99 of 100 columns, so a wrong order of day and month would be noticed."""

_MOST = 0.9
"""This share of the days counts as nearly all."""

_BULK, _TIMES = 0.4, 3
"""A period decides the order if one order puts this share of the days into it, and so many times as many as the other.
In the wrong order a day is in a given month once in twelve times. Late invoices are outside in the right order too."""

_MOST_YEARS = 3
"""A name without a year can mean a month of this many years."""

_STEPS = frozenset([1, 3, 6, 12])
"""The months between first days that mean months, quarters, half years or years."""


@dataclass(frozen=True, slots=True)
class DateContext:
    """What is known about the dates of a column from outside of it.

    `within` says that its days are in the period that the file covers, as payments are and the ends of contracts are
    not; `periods` are those that the names of the file and sheet can mean, the most certain first. `day_first` and
    `month_first` count the cells in other columns and sheets that can only be read in that order.
    """

    within: bool = False
    periods: tuple[Period, ...] = ()
    day_first: int = 0
    month_first: int = 0


NO_CONTEXT = DateContext()


def make_date_context(
    dates: Mapping[str, Mapping[str, int]], name: str, names: Sequence[str], of_sheets: tuple[int, int] = (0, 0)
) -> DateContext:
    """What is known about one of a table's columns of dates, given their distinct cells.

    `names` are texts that can give the period, the most certain first; `of_sheets` counts the dates of the other sheets
    that can only be read day first, and only month first.
    """
    proofs = [_count_proofs(counts) for other, counts in dates.items() if other != name]
    proofs.append(of_sheets)
    years = _main_years(dates.get(name, {})) if names else ()
    periods = [period for text in names for period in find_periods(text, snapshot=False, years=years)]
    return DateContext(
        periods=tuple(dict.fromkeys(periods)),
        day_first=sum(day for day, month in proofs if not month),
        month_first=sum(month for day, month in proofs if not day),
    )


def _main_years(counts: Mapping[str, int]) -> list[int]:
    """The years of nearly all dates, at most three; of two readings of a date both are in the same year."""
    years: Counter[int] = Counter()
    for text, count in counts.items():
        if (found := find_date_readings(text)) and (day := found.day_first or found.month_first):
            years[day.year] += count
    return [year for year, _ in years.most_common(_MOST_YEARS)]


def _count_proofs(counts: Mapping[str, int]) -> tuple[int, int]:
    """The number of numeric dates that can only be read day first, and that of those that can only be month first."""
    numeric = [
        (found, counts[text]) for text in counts if (found := find_date_readings(text)) and found.notation == "numeric"
    ]
    day = sum(count for found, count in numeric if found.month_first is None and found.day_first)
    return day, sum(count for found, count in numeric if found.day_first is None and found.month_first)


def decide_order(counts: Mapping[str, int], context: DateContext = NO_CONTEXT) -> DateOrder:
    """Decide the order of day and month in a column from its distinct cells and how often each occurs."""
    readings = {text: found for text in counts if (found := find_date_readings(text))}
    numeric = {text: found for text, found in readings.items() if found.notation == "numeric"}
    day, month = _count_proofs(counts)
    year_first = _have_year_first(list(numeric.values()), context)
    tally: Counter[tuple[int, int]] = Counter()
    for text, found in readings.items():
        if certain := found.year_first if year_first and found.year_first else found.certain:
            tally[certain.year, certain.month] += counts[text]
    if day or month or year_first:
        months = _main_months(tally) or (_named_months(context) if day and month else frozenset())
        return DateOrder(month > day, day, month, year_first=year_first, months=months)
    either = [found for found in numeric.values() if not found.certain]
    return replace(_decide_unproved(either, context), months=_main_months(tally), unproved=bool(either))


def _decide_unproved(either: Sequence[DateReadings], context: DateContext) -> DateOrder:
    """Decide the order of dates that can all be read both ways."""
    by_day = [found.day_first for found in either if found.day_first]
    by_month = [found.month_first for found in either if found.month_first]
    if context.within and (decided := _decide_by_period(by_day, by_month, context.periods)):
        return decided
    if either and bool(context.day_first) != bool(context.month_first):
        # The other columns prove one order. Contracts begin on the first of a month, so if only the other order makes
        # all dates that, it is as likely.
        against = by_day if context.month_first else by_month
        if not context.within and all(day.day == 1 for day in against):
            return DateOrder(doubtful=True)
        return DateOrder(month_first=True, guessed="columns") if context.month_first else DateOrder()
    if not context.within:
        return _decide_by_first_days(by_day, by_month)
    return _decide_by_spread(by_day, by_month)


def _decide_by_period(by_day: Sequence[date], by_month: Sequence[date], periods: Sequence[Period]) -> DateOrder | None:
    """Decide the order and the period together: the first of `periods` that holds the dates in one order only.

    A name such as `Quarter 2` means April to June or July to September. If it gives one order with the former and the
    other with the latter, the order is doubtful. None if no period decides.
    """
    decided: dict[Period, bool] = {}
    for period in periods:
        day, month = _share(by_day, [period]), _share(by_month, [period])
        if max(day, month) >= _BULK and max(day, month) >= _TIMES * min(day, month):
            decided[period] = month > day
    if not decided:
        return None
    first, month_first = next(iter(decided.items()))
    against = [period for period, other in decided.items() if other != month_first]
    doubtful = any(period.kind is first.kind is not PeriodKind.MONTH for period in against)
    return DateOrder(month_first, guessed="period" if month_first else "", doubtful=doubtful)


def _share(days: Sequence[date], periods: Sequence[Period]) -> float:
    """The share of days that are in the period with most of them."""
    inside = [sum(period.start <= day <= period.end for day in days) for period in periods]
    return max(inside, default=0) / max(1, len(days))


def _decide_by_spread(by_day: Sequence[date], by_month: Sequence[date]) -> DateOrder:
    """The order that brings the dates of one period closer together; if neither does, day first and doubtful.

    The first days of consecutive months or quarters can mean these months, though the other reading puts them all into
    January.
    """
    day, month = _months(by_day), _months(by_month)
    if len(by_day) < 3 or len(day) == 1:
        return DateOrder()
    if all(each.day == 1 for each in by_day) and are_evenly_spaced(day):
        return DateOrder(doubtful=True)
    if len(month) == 1 and len(day) > 2:
        return DateOrder(month_first=True, guessed="one-month")
    if len(by_day) < _ENOUGH or 2 * len(day) <= len(month):
        return DateOrder()
    if 2 * len(month) <= len(day):
        return DateOrder(month_first=True, guessed="spread")
    return DateOrder(doubtful=True)


def _decide_by_first_days(by_day: Sequence[date], by_month: Sequence[date]) -> DateOrder:
    """The order of dates that can be in any year, such as the first and last days of contracts.

    Contracts begin on the first of a month, so a part that is always 1 is the day.
    """
    if len(by_day) < 3 or all(each.day == 1 for each in by_day):
        return DateOrder()
    if all(each.day == 1 for each in by_month):
        return DateOrder(month_first=True, guessed="first-days")
    neither = [one for one, other in zip(by_day, by_month, strict=True) if 1 not in (one.day, other.day)]
    return DateOrder(doubtful=len(neither) >= _ENOUGH)


def are_evenly_spaced(months: Collection[tuple[int, int]]) -> bool:
    """Whether months follow each other in steps of a month, a quarter, a half year or a year."""
    numbers = sorted(12 * year + month for year, month in months)
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return len(steps) == 1 and steps <= _STEPS


def _months(days: Sequence[date]) -> set[tuple[int, int]]:
    return {(day.year, day.month) for day in days}


def _have_year_first(numeric: Sequence[DateReadings], context: DateContext) -> bool:
    """Whether all dates are three numbers of two digits each, and only the first number can be the year.

    That is so if they are then in one year, but otherwise in many; or then in the period, but otherwise not.
    """
    first = [found.year_first for found in numeric if found.year_first]
    last = [day for found in numeric if (day := found.day_first or found.month_first)]
    if not first or len(first) < len(numeric):
        return False
    if context.within and _share(first, context.periods) >= _MOST and _share(last, context.periods) < 0.5:
        return True
    years = {day.year for day in first}
    return len(numeric) > 2 and len(years) == 1 and len({day.year for day in last}) > 2


def _named_months(context: DateContext) -> Months:
    """The months of the periods that the names can mean; none if they are more than three."""
    named = {(each.start.year, each.start.month) for period in context.periods for each in period.months()}
    return frozenset(named if len(named) <= 3 else ())


def _main_months(tally: Counter[tuple[int, int]]) -> Months:
    """The fewest months, at most three, with nine in ten of the days; none if there are too few days."""
    whole = tally.total()
    for number in range(1, 4):
        top = tally.most_common(number)
        if whole >= _ENOUGH and sum(count for _, count in top) >= _MOST * whole:
            return frozenset(month for month, _ in top)
    return frozenset()


def find_exchanged(counts: Mapping[str, int], order: DateOrder, context: DateContext = NO_CONTEXT) -> list[str]:
    """The cells in which day and month seem to have been swapped before the file was sent.

    A spreadsheet that opens day-first dates month first turns 3 April into 4 March, and leaves the 13th as it is. This
    is assumed if nearly all dates outside the months of the column, or else of the name, would be in these months with
    day and month swapped: at least two different cells, or one that is more than a month away.
    """
    readings = {text: found for text in counts if (found := find_date_readings(text)) and not found.certain}
    months = order.months
    if not months and context.within:
        months = _named_months(context)
    if not months:
        return list(readings) if _are_all_exchanged(counts, order, context) else []
    outside = {text: day for text, found in readings.items() if not _in(day := order.choose(found), months)}
    fitting = [text for text in outside if _in(find_swapped_day(readings[text], order), months)]
    if len(fitting) == 1 and (day := outside[fitting[0]]):
        # A single day in the next month may be right: payments can be late or early.
        distances = (abs(12 * (day.year - year) + day.month - month) for year, month in months)
        if min(distances) < 2:
            return []
    return fitting if fitting and len(fitting) >= 0.8 * len(outside) else []


def find_swapped_day(found: DateReadings, order: DateOrder) -> date | None:
    """The day that a cell means if day and month are swapped."""
    return found.month_first if order.choose(found) == found.day_first else found.day_first


def _in(day: date | None, months: Months) -> bool:
    return day is not None and (day.year, day.month) in months


def _are_all_exchanged(counts: Mapping[str, int], order: DateOrder, context: DateContext) -> bool:
    """Whether all days are the same day of three or more months of one year, as if that day were their month.

    Many bodies write the first of a month to mean the month, so that shows nothing, unless there are gaps between the
    months, which payments of one period would not have.
    """
    days = [day for text in counts if (found := find_date_readings(text)) and (day := order.choose(found))]
    months = {(day.year, day.month) for day in days}
    if len({(day.year, day.day) for day in days}) != 1 or len(months) < 3 or order.doubtful:
        return False
    return days[0].day <= 12 and (days[0].day > 1 or (context.within and not are_evenly_spaced(months)))
