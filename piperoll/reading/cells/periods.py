"""The periods that the name of a file or sheet, or the text of a cell, can mean."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from piperoll.errors import PeriodError
from piperoll.model import Period
from piperoll.reading.cells.dates import MONTHS, names_day
from piperoll.reading.grids.grid import squeeze

_M = r"(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")"
_Y = r"(?:20[0-4]\d|\d{2})(?![\dk%]|,\d|[\s\-]?(?:k|thousand)\b)"  # `March 25k` names no year
_SEP = r"[\s_\-/.,'()]*"
_TO = r"(?:to|until|thru|through|-|–|—|_)"
_ORDINALS = {
    word: number
    for number, words in enumerate(("1 1st first one", "2 2nd second two", "3 3rd third three", "4 4th fourth four"), 1)
    for word in words.split()
}
_NTH = "(" + "|".join(sorted(_ORDINALS, key=len, reverse=True)) + ")"
_ISO_DAY = re.compile(r"(?<!\d)(20[0-4]\d)[-_. ](0[1-9]|1[0-2])[-_. ]([0-3]\d)(?!\d)")
_EIGHT = re.compile(r"(?<!\d)(20[0-4]\d)(0[1-9]|1[0-2])([0-3]\d)(?!\d)")
_EIGHT_DAY_FIRST = re.compile(r"(?<!\d)([0-3]\d)(0[1-9]|1[0-2])(20[0-4]\d)(?!\d)")
_SIX_DAY = re.compile(r"(?<!\d)([0-3]\d)(0[1-9]|1[0-2])(\d{2})(?!\d)")
_DAY_IN_NUMBERS = re.compile(r"(?<![\d])([0-3]?\d)([-./ ])(0?[1-9]|1[0-2])\2(20[0-4]\d|\d{2})(?!\d)")
_DAY_MONTH_YEAR = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?{_SEP}({_M}){_SEP}({_Y})(?!\d)", re.I)
_RANGE = re.compile(
    rf"(?<![a-z])({_M}){_SEP}({_Y})?(?!\d){_SEP}{_TO}{_SEP}"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?{_SEP})?({_M}){_SEP}({_Y})(?!\d)",
    re.I,
)
_RANGE_WITHOUT_YEAR = re.compile(rf"(?<![a-z])({_M})\s*{_TO}\s*({_M})(?![a-z])", re.I)
_RANGE_OF_MONTHS = re.compile(
    rf"(?<!\d)(20[0-4]\d)[-.]?(0[1-9]|1[0-2])\s*{_TO}+\s*(20[0-4]\d)[-.]?(0[1-9]|1[0-2])(?!\d)(?![-.]\d)", re.I
)
_BETWEEN_DAYS = re.compile(rf"\s*(?:{_TO}|and|\s)+\s*", re.I)
_ENDING = re.compile(
    r"(?<![a-z0-9])(year|(?:12|twelve) months|half[\s\-]?year|(?:6|six) months|quarter|(?:3|three) months)"
    rf"{_SEP}"
    rf"(?:to|end(?:ing|ed)?(?: on)?){_SEP}(?:\d{{1,2}}(?:st|nd|rd|th)?{_SEP}(?:of )?)?({_M}){_SEP}({_Y})(?!\d)",
    re.I,
)
_MONTH_YEAR = re.compile(rf"(?<![a-z])({_M}){_SEP}({_Y})(?!\d)", re.I)
_YEAR_MONTH = re.compile(rf"(?<!\d)(20[0-4]\d){_SEP}({_M})(?![a-z])", re.I)
_TYPED_MONTH = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{4})", re.ASCII)
_MONTH_WORD = re.compile(rf"(?<![a-z])({_M})(?![a-z])", re.I)
_QUARTER = re.compile(
    rf"(?<![a-z])(?:q(?:tr|uarter)?[\s\-.]*{_NTH}|(?<!\d){_NTH}[\s\-]*(?:qtr|quarter))(?![a-z\d])(?![.,]\d)", re.I
)
_HALF = re.compile(
    rf"(?<![a-z])(?:h(?=[12])|half(?:[\s\-]?year)?[\s\-]*){_NTH}(?![a-z\d])"
    rf"|(?<![a-z\d]){_NTH}[\s\-]*half(?![a-z])",
    re.I,
)
_ACCOUNTING_PERIOD = re.compile(r"(?<![a-z])(?:ap|p|period|month|mth|m)[\s\-]*(0?[1-9]|1[0-2])(?![\d.,])", re.I)
_FINANCIAL = re.compile(r"(?<!\d)(20[0-4]\d)(?:\s?[-/_–]\s?|\s|(?=20))(?:20)?(\d{2})(?![\d])(?![-_.]\d)")
_FINANCIAL_SHORT = re.compile(r"(?<![a-z])(?:fy|financial year|year)[\s_\-]*(\d{2})\s?[_/\-–]?\s?(\d{2})(?!\d)", re.I)
_FINANCIAL_DIGITS = re.compile(r"(?<![\d.\-/])(\d{2})\s?[-/– ]?\s?(\d{2})(?![\d])(?![-_.]\d)")
_YEAR = re.compile(r"(?<!\d)(20[0-4]\d)(?!\d)")
_YEAR_MONTH_DIGITS = re.compile(r"(?<!\d)(20[0-4]\d)[-_. ]?(0[1-9]|1[0-2])(?!\d)(?![-_.]\d)")
_MONTH_YEAR_DIGITS = re.compile(r"(?<!\d)(?<!\d[-.])(0[1-9]|1[0-2])[-_. ]?(20[0-4]\d)(?!\d)(?![-_.]\d)")
_FOUR = re.compile(r"(?<![\d])(\d{2})(0[1-9]|1[0-2])(?!\d)")
_EXTENSION = re.compile(r"%[0-9a-f]{2}|\.(?:csv|xlsx?|xlsm|ods|zip|json|tsv|txt)\b", re.I)
_JOINED_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JOINED_QUARTER = re.compile(r"(?<![a-z])(q(?:tr|uarter)?[\s\-]?[1-4])(?=20[0-4]\d)", re.I)

_PERIOD_ONLY = re.compile(
    rf"(?=.*[a-z])(?:(?<![a-z])(?:{_M}|q|qtr|quarter|half|h|fy|to|until|of|the|year|months?|period|end(?:ed|ing)?)(?![a-z])"
    r"|(?<=\d)(?:st|nd|rd|th)(?![a-z])|(?<![a-z])(?:first|second|third|fourth)(?![a-z])|[\s\d_\-–/.,'():])+\Z",
    re.I,
)
"""A text of nothing but months, numbers and the words between them."""


class _Part(NamedTuple):
    """A part of a year: its first month (1 to 12) in a calendar year and in a financial year, and its months.

    `calendar` is 0 for a part that only financial years have. A month has the same number in both.
    """

    calendar: int
    financial: int
    months: int

    def of_calendar(self, year: int) -> Period | None:
        """The part in a calendar year."""
        return _months_from(year, self.calendar, self.months) if self.calendar else None

    def of_financial(self, year: int) -> Period | None:
        """The part in the financial year that begins in April of `year`."""
        return _months_from(year + (self.financial < 4), self.financial, self.months)


def parse_typed_period(text: str) -> Period | None:
    """The period that a person types: 2026-10, October 2026, 10/2026, Q2 2026-27; None if it is not one period."""
    if in_digits := _TYPED_MONTH.fullmatch(text.strip()):
        text = f"{in_digits[2]}-{int(in_digits[1]):02}"
    try:
        return Period.parse(text.strip())
    except PeriodError:
        found = find_periods(text, snapshot=False)
        return found[0] if len(found) == 1 else None


def find_periods(text: str, *, snapshot: bool, years: Collection[int] = ()) -> tuple[Period, ...]:
    """The periods that a name can mean, the most likely first, each once; empty if it names none.

    For a `snapshot` these are days: a month means its last day, and of several days those on 31 March or 30 September
    are returned. Otherwise they are months, quarters, half years, financial years and ranges; a full date, often the
    day of publication, counts only if there is nothing else.

    `years` are those of the dates that the name is about. A month, quarter or half year without a year (`Quarter 2`,
    `05 - August`) is then one of these years, and `2011-12` can be a month too.
    """
    text = _spell_out(text)
    found = _days(text) if snapshot else _periods(text, years)
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
    text = _spell_out(text)
    return bool(_QUARTER.search(text) and _YEAR.search(text)) and not _financial_years(text, short=True)


def _spell_out(text: str) -> str:
    """A name as separate words: `Spend+AugCSV_2011.csv` is `Spend Aug CSV 2011`."""
    text = _EXTENSION.sub(" ", squeeze(text)).replace("_", " ").replace("+", " ")
    return _JOINED_QUARTER.sub(r"\1 ", _JOINED_WORDS.sub(" ", text))


def _days(text: str) -> list[Period]:
    found = list(_full_dates(text))
    days = [day for day, _ in found] or [month.end for month in _months(text)]
    usual = [day for day in days if (day.month, day.day) in ((3, 31), (9, 30))]
    return [Period.day(day) for day in (usual or days)]


def _full_dates(text: str) -> Iterator[tuple[date, re.Match[str]]]:
    """The days in a text with their matches, those that are written most clearly first."""
    for pattern, year, month, day in (
        *((_ISO_DAY, 1, 2, 3), (_EIGHT, 1, 2, 3), (_DAY_MONTH_YEAR, 3, 2, 1)),
        *((_EIGHT_DAY_FIRST, 3, 2, 1), (_SIX_DAY, 3, 2, 1), (_DAY_IN_NUMBERS, 4, 3, 1)),
    ):
        for match in pattern.finditer(text):
            number = MONTHS.get(match[month].lower()) or int(match[month])
            if found := _date(match[year], number, match[day]):
                yield found, match


def _periods(text: str, years: Collection[int]) -> list[Period]:
    if ranges := _periods_ending(text) + _ranges(text):
        return ranges
    if months := _months(text):
        return months
    if parts := _parts_of_years(text, years):
        return parts
    if whole := [Period.financial_year(year) for year in _financial_years(text)]:
        either = [period for period in _months_in_digits(text) if years]  # `2011-12`
        return [*whole, *either]
    found = _months_in_digits(text) or _short_months(text)
    return found or [Period.month(day.start.year, day.start.month) for day in _days(text)]


def _ranges(text: str) -> list[Period]:
    found = []
    for match in _RANGE.finditer(text):
        last = _month(match[4], _month_number(match[3]))
        first = _month(match[2] or match[4], _month_number(match[1]))
        if first and last and not match[2] and last.start < first.start:  # `Oct - Mar 2012` begins in the year before
            first = _month(str(last.start.year - 1), first.start.month)
        if first and last and first.start <= last.start:
            found.append(Period.months_of(first.start, last.end))
    for match in _RANGE_OF_MONTHS.finditer(text):
        first, last = _month(match[1], int(match[2])), _month(match[3], int(match[4]))
        if first and last and first.start < last.start:
            found.append(Period.months_of(first.start, last.end))
    return found or list(_ranges_of_days(text))


def _ranges_of_days(text: str) -> Iterator[Period]:
    """Ranges from the first day of a month to the last day of a month: `01.04.2011-30.06.2011`."""
    days = sorted(((match.start(), match.end(), day) for day, match in _full_dates(text)), key=lambda each: each[:2])
    for (_, end, first), (start, _, last) in pairwise(days):
        whole = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
        if whole and first < last and end <= start and _BETWEEN_DAYS.fullmatch(text[end:start]):
            yield Period.months_of(first, last)


def _periods_ending(text: str) -> list[Period]:
    """The months that end with a month: `12 months to March 2015`, `quarter ending 30 June 2015`."""
    found = []
    for match in _ENDING.finditer(text):
        last, length = _month(match[3], _month_number(match[2])), match[1].lower()
        back = 11 if length in ("year", "12 months", "twelve months") else 5 if length[0] in "h6s" else 2
        if last and last.start.year > 2000:
            first = last.start.year * 12 + last.start.month - 1 - back
            found.append(Period.months_of(date(first // 12, first % 12 + 1, 1), last.end))
    return found


def _months(text: str) -> list[Period]:
    found = [_month(match[2], _month_number(match[1])) for match in _MONTH_YEAR.finditer(text)]
    found = found or [_month(match[1], _month_number(match[2])) for match in _YEAR_MONTH.finditer(text)]
    return [month for month in found if month]


def _parts_of_years(text: str, years: Collection[int]) -> list[Period]:
    """The quarters, half years and months whose year stands elsewhere in the name, or is one of `years`."""
    quarters = [_ORDINALS[(match[1] or match[2]).lower()] for match in _QUARTER.finditer(text)]
    parts = [_Part(3 * quarter - 2, (3 * quarter) % 12 + 1, 3) for quarter in quarters]
    halves = [_ORDINALS[(match[1] or match[2]).lower()] for match in _HALF.finditer(text)]
    parts += [_Part(6 * half - 5, (6 * half - 3) % 12 + 1, 6) for half in halves if half < 3]
    found = [period for part in parts for period in _place(part, text, years)]
    if found:
        return found
    parts = [
        _Part(_month_number(match[1]), _month_number(match[1]), _months_between(match[1], match[2]))
        for match in _RANGE_WITHOUT_YEAR.finditer(text)
    ]
    parts = parts or [_Part(number, number, 1) for number in map(_month_number, _MONTH_WORD.findall(text))]
    found = [period for part in parts for period in _place(part, text, years)]
    if not found and _financial_years(text):
        numbers = [int(match[1]) for match in _ACCOUNTING_PERIOD.finditer(text)]
        found = [period for each in numbers for period in _place(_Part(0, (each + 2) % 12 + 1, 1), text, ())]
    return found


def _place(part: _Part, text: str, years: Collection[int]) -> Iterator[Period]:
    """The periods that a part of a year can mean: by the years in the name, a date of publication, or `years`.

    Of a single year a quarter can be one of the calendar year or of the financial year. Without any year the financial
    year comes first: public bodies count by it.
    """
    placed: list[Period | None]
    if financial := _financial_years(text, short=True):
        placed = [part.of_financial(year) for year in financial]
    elif named := _years_named(text, part):
        placed = [period for year in named for period in (part.of_calendar(year), part.of_financial(year))]
        placed = placed[::2] if part.months < 3 or part.calendar == part.financial else placed
    elif days := [day for day, _ in _full_dates(text)]:
        before = [part.of_calendar(year) for year in (days[0].year, days[0].year - 1)]
        placed = [*[period for period in before if period and period.start <= days[0]][:1]]
    else:
        around = sorted({year for each in years for year in (each - 1, each)})
        placed = [part.of_financial(year) for year in around] + [part.of_calendar(year) for year in around]
        placed = [each for each in placed if each and {each.start.year, each.end.year} & {*years}]
    return (period for period in placed if period)


def _years_named(text: str, part: _Part) -> list[int]:
    """The years that stand alone; beside a quarter also two digits: `Q2 11`."""
    found = [int(year) for year in _YEAR.findall(_without_dates(text))]
    if not found and part.months > 1:
        found = [2000 + int(two) for two in re.findall(r"(?<![\d.,/\-])([0-4]\d)(?![\dk])(?![.,/\-]\d)", text)]
    return found


def _without_dates(text: str) -> str:
    for _, match in _full_dates(text):
        text = text.replace(match[0], " ")
    return text


def _financial_years(text: str, *, short: bool = False) -> list[int]:
    """The first years of the financial years named; beside a part of a year (`short`) also `11-12` and `1112`."""
    pairs = [(match[1], match[2]) for match in _FINANCIAL.finditer(text)]
    pairs += [(f"20{match[1]}", match[2]) for match in _FINANCIAL_SHORT.finditer(text)]
    if short:
        pairs += [(f"20{match[1]}", match[2]) for match in _FINANCIAL_DIGITS.finditer(text)]
    years = [int(year) for year, end in pairs if int(end) == (int(year) + 1) % 100]
    return list(dict.fromkeys(year for year in years if 2000 <= year < 2049))


def _months_in_digits(text: str) -> list[Period]:
    found = [_month(match[1], int(match[2])) for match in _YEAR_MONTH_DIGITS.finditer(text)]
    found = found or [_month(match[2], int(match[1])) for match in _MONTH_YEAR_DIGITS.finditer(text)]
    return [period for period in found if period]


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


def _months_between(first: str, last: str) -> int:
    return (_month_number(last) - _month_number(first)) % 12 + 1


def _months_from(year: int, month: int, months: int) -> Period | None:
    if not 2000 <= year < 2049:
        return None
    last = 12 * year + month - 1 + months - 1
    return Period.months_of(date(year, month, 1), date(last // 12, last % 12 + 1, 1))


def _month(year: str, month: int) -> Period | None:
    number = int(year) if len(year) == 4 else 2000 + int(year)
    try:
        return Period.month(number, month) if 2000 <= number < 2050 else None
    except PeriodError:
        return None


def _date(year: str, month: int, day: str) -> date | None:
    number = int(year) if len(year) == 4 else 2000 + int(year)
    if not 2000 <= number < 2050 or not 1 <= int(day) <= monthrange(number, month)[1]:
        return None
    return date(number, month, int(day))
