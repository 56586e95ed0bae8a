"""The periods that the name of a file or sheet, or the text of a cell, can mean."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from piperoll.errors import PeriodError
from piperoll.model import Period
from piperoll.reading.cells.dates import MONTHS, names_day

_M = r"(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")"
_Y = r"(?:20[0-4]\d|\d{2})"
_SEP = r"[\s_\-/.,'()]*"
_END = r"(?![a-z0-9])"
_ISO_DAY = re.compile(r"(?<!\d)(20[0-4]\d)[-_.](0[1-9]|1[0-2])[-_.]([0-3]\d)(?!\d)")
_EIGHT = re.compile(r"(?<!\d)(20[0-4]\d)(0[1-9]|1[0-2])([0-3]\d)(?!\d)")
_EIGHT_DAY_FIRST = re.compile(r"(?<!\d)([0-3]\d)(0[1-9]|1[0-2])(20[0-4]\d)(?!\d)")
_SIX_DAY = re.compile(r"(?<!\d)([0-3]\d)(0[1-9]|1[0-2])(\d{2})(?!\d)")
_DAY_MONTH_YEAR = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?{_SEP}({_M}){_SEP}({_Y})(?!\d)", re.I)
_RANGE = re.compile(
    rf"(?<![a-z])({_M}){_SEP}({_Y})?(?!\d){_SEP}(?:to|until|-|–|_){_SEP}"
    rf"(?:\d{{1,2}}{_SEP})?({_M}){_SEP}({_Y})(?!\d)",
    re.I,
)
_ENDING = re.compile(
    rf"(?<![a-z0-9])(year|12 months|twelve months|quarter|3 months|three months){_SEP}(?:to|end(?:ing|ed)?(?: on)?)"
    rf"{_SEP}(?:\d{{1,2}}(?:st|nd|rd|th)?{_SEP}(?:of )?)?({_M}){_SEP}({_Y})(?!\d)",
    re.I,
)
_MONTH_YEAR = re.compile(rf"(?<![a-z])({_M}){_SEP}({_Y})(?!\d)", re.I)
_YEAR_MONTH = re.compile(rf"(?<!\d)(20[0-4]\d){_SEP}({_M})(?![a-z])", re.I)
_QUARTER = re.compile(r"(?:(?<!\d)(20[0-4]\d)[\s_\-]*q([1-4])(?!\d)|(?<![a-z])q([1-4])[\s_\-]*(20[0-4]\d)(?!\d))", re.I)
_QUARTER_OF_YEAR = re.compile(
    r"(?<![a-z])q(?:uarter)?[\s_\-]*([1-4])[\s_\-,:(]*(?:fy[\s_\-]*)?(20[0-4]\d)\s?[-/_–]\s?(?:20)?(\d{2})(?!\d)"
    r"|(?<!\d)(20[0-4]\d)\s?[-/_–]\s?(?:20)?(\d{2})[\s_\-,:(]*q(?:uarter)?[\s_\-]*([1-4])(?!\d)",
    re.I,
)
_FINANCIAL = re.compile(r"(?<!\d)(20[0-4]\d)(?:\s?[-/_–]\s?|\s)(?:20)?(\d{2})(?![\d])(?![-_.]\d)")
_FINANCIAL_SHORT = re.compile(r"(?<![a-z])fy[\s_\-]?(\d{2})[\s_/\-]?(\d{2})(?!\d)", re.I)
_YEAR_MONTH_DIGITS = re.compile(r"(?<!\d)(20[0-4]\d)[-_.]?(0[1-9]|1[0-2])(?!\d)(?![-_.]\d)")
_FOUR = re.compile(r"(?<![\d])(\d{2})(0[1-9]|1[0-2])(?!\d)")

_PERIOD_ONLY = re.compile(
    rf"(?=.*[a-z])(?:(?<![a-z])(?:{_M}|q|qtr|quarter|fy|to|until|of|the|year|months?|period|end(?:ed|ing)?)(?![a-z])"
    r"|(?<=\d)(?:st|nd|rd|th)(?![a-z])|[\s\d_\-–/.,'():])+\Z",
    re.I,
)
"""A text of nothing but months, numbers and the words between them."""


def find_periods(text: str, *, snapshot: bool) -> tuple[Period, ...]:
    """The periods that a name can mean, the most likely first, each once; empty if it names none.

    For a `snapshot` these are days: a month means its last day, and of several days those on 31 March or 30 September
    are returned. Otherwise they are months, quarters, financial years and ranges; a full date, often the day of
    publication, counts only if there is nothing else.
    """
    text = re.sub(r"%[0-9a-f]{2}|\.(?:csv|xlsx?|ods|zip|json|tsv)\b", " ", text, flags=re.I).replace("_", " ")
    found = _days(text) if snapshot else _periods(text)
    return tuple(dict.fromkeys(found))


def read_period(text: str) -> Period | None:
    """The period that a tidy cell names, if it contains nothing else: `Q1 2015/16`, `Apr-Jun 2012`, `2012-13`.

    None for a day, a bare number or any other words. A quarter of a single year is one of the calendar year.
    """
    if names_day(text) or not (_PERIOD_ONLY.match(text) or _FINANCIAL.fullmatch(text)):
        return None
    return next(iter(find_periods(text, snapshot=False)), None)


def is_bare_quarter(text: str) -> bool:
    """Whether a text names a quarter of a single year, which can be a calendar year or a financial year."""
    return bool(_QUARTER.search(text)) and not _QUARTER_OF_YEAR.search(text)


def _days(text: str) -> list[Period]:
    days = [day for match in _ISO_DAY.finditer(text) if (day := _date(match[1], match[2], match[3]))]
    days += [day for match in _EIGHT.finditer(text) if (day := _date(match[1], match[2], match[3]))]
    days += [
        day for match in _DAY_MONTH_YEAR.finditer(text) if (day := _date(match[3], _month_number(match[2]), match[1]))
    ]
    days += [day for match in _EIGHT_DAY_FIRST.finditer(text) if (day := _date(match[3], match[2], match[1]))]
    days += [day for match in _SIX_DAY.finditer(text) if (day := _date(match[3], match[2], match[1]))]
    days = days or [month.end for month in _months(text)]
    usual = [day for day in days if (day.month, day.day) in ((3, 31), (9, 30))]
    return [Period.day(day) for day in (usual or days)]


def _periods(text: str) -> list[Period]:
    if ranges := _periods_ending(text) + _ranges(text):
        return ranges
    if months := _months(text):
        return months
    found = _quarters(text)
    if not (found and _QUARTER_OF_YEAR.search(text)):  # in `Q1 2015/16` the years are a part of the quarter
        pairs = [(match[1], match[2]) for match in _FINANCIAL.finditer(text)]
        pairs += [(f"20{match[1]}", match[2]) for match in _FINANCIAL_SHORT.finditer(text)]
        found += [Period.financial_year(int(year)) for year, end in pairs if int(end) == (int(year) + 1) % 100]
    if found:
        return found
    digits = [_month(match[1], int(match[2])) for match in _YEAR_MONTH_DIGITS.finditer(text)]
    found = [period for period in digits if period] or _short_months(text)
    return found or [Period.month(day.start.year, day.start.month) for day in _days(text)]


def _ranges(text: str) -> list[Period]:
    found = []
    for match in _RANGE.finditer(text):
        last = _month(match[4], _month_number(match[3]))
        first = _month(match[2] or match[4], _month_number(match[1]))
        if first and last and first.start <= last.start:
            found.append(Period.months_of(first.start, last.end))
    return found


def _periods_ending(text: str) -> list[Period]:
    """The twelve or three months that end with a month: `12 months to March 2015`, `quarter ending 30 June 2015`."""
    found = []
    for match in _ENDING.finditer(text):
        last = _month(match[3], _month_number(match[2]))
        back = 2 if match[1].lower() in ("quarter", "3 months", "three months") else 11
        if last and last.start.year > 2000:
            first = last.start.year * 12 + last.start.month - 1 - back
            found.append(Period.months_of(date(first // 12, first % 12 + 1, 1), last.end))
    return found


def _months(text: str) -> list[Period]:
    found = [(match.start(), _month(match[2], _month_number(match[1]))) for match in _MONTH_YEAR.finditer(text)]
    if not found:
        found = [(match.start(), _month(match[1], _month_number(match[2]))) for match in _YEAR_MONTH.finditer(text)]
    return [month for _, month in found if month]


def _quarters(text: str) -> list[Period]:
    """The quarters named. A quarter of a single year gives two: of the calendar year and of the financial year."""
    found = []
    for match in _QUARTER_OF_YEAR.finditer(text):
        year, end, quarter = int(match[2] or match[4]), int(match[3] or match[5]), int(match[1] or match[6])
        if end == (year + 1) % 100:  # `Q1 2015/16` is April to June 2015
            found.append(Period.quarter(year + quarter // 4, quarter % 4 + 1))
    if found:
        return found
    for match in _QUARTER.finditer(text):
        year, quarter = int(match[1] or match[4]), int(match[2] or match[3])
        found += [Period.quarter(year, quarter), Period.quarter(year + quarter // 4, quarter % 4 + 1)]
    return found


def _short_months(text: str) -> list[Period]:
    """Months in four digits: `1209` is September 2012; `1011` can also be the year 2010-11, so both are returned.

    `2010` to `2012` are more likely years than months of 2020, so they are ignored.
    """
    found: list[Period] = []
    for match in _FOUR.finditer(text):
        year, month = int(match[1]), int(match[2])
        if 5 <= year <= 45 and not (year == 20 and month >= 10):
            found.append(Period.month(2000 + year, month))
            if month == year + 1:
                found.append(Period.financial_year(2000 + year))
    return found


def _month_number(name: str) -> int:
    return MONTHS[name.lower()]


def _month(year: str, month: int) -> Period | None:
    number = int(year) if len(year) == 4 else 2000 + int(year)
    try:
        return Period.month(number, month) if 2000 <= number < 2050 else None
    except PeriodError:
        return None


def _date(year: str, month: str | int, day: str) -> date | None:
    number = int(year) if len(year) == 4 else 2000 + int(year)
    if not 2000 <= number < 2050 or not 1 <= int(day) <= monthrange(number, int(month))[1]:
        return None
    return date(number, int(month), int(day))
