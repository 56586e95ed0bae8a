"""When publication is due by law: the duties that a dataset declares, as periods and due days.

A dataset's descriptor lists its duties in `x_piperoll.duties`: the kinds of body that it binds, the interval, when
each return is due and the clause that says so.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import holidays

from piperoll.errors import DescriptorError
from piperoll.model import Body, Dataset, Period, PeriodKind, Series

INTERVALS = ("monthly", "quarterly", "semiannual", "annual", "irregular")
"""How often a dataset is published, most often first: the codes of the UK cross-government metadata model
(docs/standards.md#publishing)."""

_INTERVAL_OF_RULE = {"month": "monthly", "quarter": "quarterly", "year": "annual", "snapshot": "annual"}
_INTERVAL_OF_PERIOD = {PeriodKind.MONTH: "monthly", PeriodKind.QUARTER: "quarterly", PeriodKind.YEAR: "annual"}
_SUBDIVISIONS = {"E": "ENG", "W": "WLS", "S": "SCT", "N": "NIR"}
_ONE_DAY = timedelta(days=1)


def duty_rules(dataset: Dataset, body: Body) -> tuple[Mapping[str, Any], ...]:
    """Return the duties of the dataset that bind bodies of this kind, in the nations where the duty is law."""
    return tuple(rule for rule in dataset.duties if body.kind in rule["kinds"] and _is_law_for(rule, body))


def _is_law_for(rule: Mapping[str, Any], body: Body) -> bool:
    return body.nation is None or body.nation in rule.get("nations", body.nation)


def due_periods(rule: Mapping[str, Any], first: date, last: date) -> Iterator[tuple[Period, date]]:
    """Yield the periods of a duty that end from `first` to `last`, oldest first, each with its due day.

    Raises: DescriptorError: the duty has an unknown interval or due rule.
    """
    for year in range(first.year, last.year + 1):
        match rule["every"]:
            case "month":
                periods = [Period.month(year, month) for month in range(1, 13)]
            case "quarter":
                periods = [Period.quarter(year, quarter) for quarter in range(1, 5)]
            case "year":
                periods = [Period.financial_year(year - 1)]
            case "snapshot":
                periods = [Period.day(date.fromisoformat(f"{year}-{day}")) for day in sorted(rule["days"])]
            case unknown:
                raise DescriptorError(f"duty {rule['name']}: every '{unknown}' is not month, quarter, year or snapshot")
        for period in periods:
            if first <= period.end <= last:
                yield period, _due_day(rule, period)


def next_due_day(dataset: Dataset, body: Body, after: date) -> date | None:
    """Return the first day after `after` on which the body must publish some of the dataset; None if it need not.

    A body owes nothing that is due after its end, or about a time before its beginning.

    Raises: DescriptorError: a duty has an unknown interval or due rule.
    """
    first, last = date(after.year - 1, 1, 1), date(after.year + 2, 12, 31)  # no return is due over a year after its end
    days = [
        day
        for rule in duty_rules(dataset, body)
        for period, day in due_periods(rule, first, last)
        if day > after and owes(body, period, day)
    ]
    return min(days, default=None)


def owes(body: Body, period: Period, due: date) -> bool:
    """Whether the body existed in `period` and still existed on the day `due`: later returns bind its successors."""
    return body.existed_in(period.start, period.end) and (body.valid_to is None or due <= body.valid_to)


def next_change_day(datasets: Iterable[Dataset], kind: str, on: date) -> date:
    """Return the first day after `on` on which the duties of bodies of this kind may change although nothing arrives.

    Duties change on the first of a month (when the 13 months shown move on), the day after a period ends, a due day,
    and the day after a due day.

    Raises: DescriptorError: a duty has an unknown interval or due rule.
    """
    next_month = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    days = {next_month}
    for dataset in datasets:
        for rule in dataset.duties:
            if kind in rule["kinds"]:
                for period, day in due_periods(rule, date(on.year - 1, 1, 1), next_month):
                    days |= {period.end + _ONE_DAY, day, day + _ONE_DAY}
    return min(day for day in days if day > on)


def publication_interval(dataset: Dataset, body: Body, published: Iterable[Series]) -> str:
    """Return how often the body publishes the dataset, one of INTERVALS.

    The law decides. If no duty binds the body, the periods it has published decide: `irregular` if they differ.

    Raises: DescriptorError: a duty has an unknown interval.
    """
    by_law = set()
    for rule in duty_rules(dataset, body):
        if rule["every"] not in _INTERVAL_OF_RULE:
            raise DescriptorError(
                f"duty {rule['name']}: every '{rule['every']}' is not month, quarter, year or snapshot"
            )
        twice_a_year = rule["every"] == "snapshot" and len(rule["days"]) == 2
        by_law.add("semiannual" if twice_a_year else _INTERVAL_OF_RULE[rule["every"]])
    if by_law:
        return shortest_interval(by_law)
    seen = {
        _INTERVAL_OF_PERIOD.get(series.period.kind, "irregular")
        for series in published
        if series.dataset == dataset.name
    }
    return seen.pop() if len(seen) == 1 else "irregular"


def shortest_interval(intervals: Iterable[str]) -> str:
    """Return the shortest of several intervals; `irregular` if there are none."""
    return min(intervals, key=INTERVALS.index, default="irregular")


def last_working_day(month: date) -> date:
    """Return the last day of the month of `month` that is not a Saturday, Sunday or bank holiday in England."""
    day = month.replace(day=monthrange(month.year, month.month)[1])
    while day.weekday() >= 5 or is_bank_holiday(day):
        day -= _ONE_DAY
    return day


def _due_day(rule: Mapping[str, Any], period: Period) -> date:
    match rule:
        case {"every": "snapshot", "days": days}:
            return date.fromisoformat(f"{period.end.year}-{days[f'{period.end:%m-%d}']}")
        case {"due": {"months_after": int(months)}}:
            return _add_months(period.end, months)
        case {"due": {"last_working_day_of_month_after": int(months)}}:
            return last_working_day(_add_months(period.end, months))
        case {"due": {"days_after": int(days)}}:
            return period.end + timedelta(days=days)
    raise DescriptorError(f"duty {rule['name']}: unknown due rule {rule.get('due')}")


def _add_months(day: date, months: int) -> date:
    """Add calendar months; a day that the month lacks becomes its last day (31 August plus one is 30 September)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def is_bank_holiday(day: date, nation: str | None = None) -> bool:
    """Whether a day is a public holiday in a nation (`E`, `W`, `S` or `N`, as `Body.nation`); None is England."""
    return day in _bank_holidays(day.year, _SUBDIVISIONS[nation or "E"])


@cache
def _bank_holidays(year: int, subdivision: str) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=subdivision, years=year))
