"""The time a file covers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from piperoll.errors import PeriodError

_FORMS = (
    "YYYY-MM (2026-10), YYYY-Qn (2026-Q4), YYYY-YY (2026-27), YYYY/YY (2011/12, as 2011-12 is December), "
    "YYYY-MM--YYYY-MM, or a day YYYY-MM-DD"
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""The months in English, whatever the locale: releases and addresses are not translated."""

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])\Z", re.ASCII)
_YEAR = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_WRITTEN_YEAR = re.compile(r"(?:FY ?)?(\d{4})/(?:\d{2})?(\d{2})\Z|FY ?(\d{4})-(\d{2})\Z", re.ASCII | re.IGNORECASE)
_LONG_YEAR = re.compile(r"(?:FY ?)?(\d{4})-\d{2}(\d{2})\Z", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(r"(\d{4}-\d{2})--(\d{4}-\d{2})\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


class PeriodKind(StrEnum):
    """The kinds of period."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"
    DAY = "day"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The time from `start` to `end`, both days included; every period has exactly one spelling.

    `str(period)` is the spelling used in keys: a month `2026-10`, a calendar quarter `2026-Q4`, a
    financial year (April to March) `2026-27`, a range of months `2011-04--2012-01`, or a snapshot
    day `2026-03-31`. A financial year whose short form would be a month's (2010-11 is November 2010)
    is written as a range.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise PeriodError(f"a period cannot end ({self.end}) before it starts ({self.start})")
        if self.start != self.end and (self.start.day != 1 or (self.end + timedelta(days=1)).day != 1):
            raise PeriodError(f"{self.start} to {self.end} is not whole months: use {_FORMS}")

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read a period. `2011/12` and `FY2011-12` are the financial year, which `2011-12` (December 2011) is not.

        Raises: PeriodError: `text` is not one; the message shows the forms.
        """
        try:
            if match := _MONTH.match(text):
                return cls.month(int(match[1]), int(match[2]))
            if match := _QUARTER.match(text):
                return cls.quarter(int(match[1]), int(match[2]))
            if match := _RANGE.match(text):
                return cls(cls.parse(match[1]).start, cls.parse(match[2]).end)
            if (match := _YEAR.match(text)) and int(match[2]) == (int(match[1]) + 1) % 100:
                return cls.financial_year(int(match[1]))
            if match := _WRITTEN_YEAR.match(text):
                year, end = int(match[1] or match[3]), int(match[2] or match[4])
                if end == (year + 1) % 100:
                    return cls.financial_year(year)
            if _DAY.match(text):
                return cls.day(date.fromisoformat(text))
        except ValueError:
            pass  # a year 0 or a 31 February: reported below
        raise PeriodError(f"'{text}' is not a period: use {_FORMS}")

    @classmethod
    def parse_year(cls, text: str) -> Period:
        """Read a financial year, April to March: here `2011-12` is the year and not December 2011.

        `2011/12`, `2011-2012`, `FY2011-12` and the spelling of keys, `2011-04--2012-03`, are read too.
        Raises: PeriodError: `text` is none; the message says what to write.
        """
        match = _YEAR.match(text) or _LONG_YEAR.match(text)
        if match and int(match[2]) == (int(match[1]) + 1) % 100 and match[1] != "0000":
            return cls.financial_year(int(match[1]))
        try:
            period = cls.parse(text)
        except PeriodError:
            period = None
        if period is not None and period.kind is PeriodKind.YEAR:
            return period
        example = cls.financial_year(int(text) if re.fullmatch(r"[12]\d{3}", text, re.ASCII) else 2026)
        raise PeriodError(f"'{text}' is not a financial year: write {example.financial_year_name} for {example.title}")

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        """A calendar month."""
        return cls(date(year, month, 1), _last_day(year, month))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> Period:
        """A calendar quarter, 1 to 4: 2026-Q4 is October to December 2026."""
        return cls(date(year, 3 * quarter - 2, 1), _last_day(year, 3 * quarter))

    @classmethod
    def financial_year(cls, year: int) -> Period:
        """April of `year` to March of the next."""
        return cls(date(year, 4, 1), date(year + 1, 3, 31))

    @classmethod
    def financial_year_of(cls, day: date) -> Period:
        """The financial year that contains a day."""
        return cls.financial_year(day.year if day.month >= 4 else day.year - 1)

    @classmethod
    def day(cls, day: date) -> Period:
        """One day: a snapshot."""
        return cls(day, day)

    @classmethod
    def months_of(cls, first: date, last: date) -> Period:
        """The whole months from that of `first` to that of `last`."""
        return cls(date(first.year, first.month, 1), _last_day(last.year, last.month))

    @property
    def kind(self) -> PeriodKind:
        """The kind of this period; a financial year that is written as a range is still a year."""
        if self.start == self.end:
            return PeriodKind.DAY
        if (self.start.year, self.start.month) == (self.end.year, self.end.month):
            return PeriodKind.MONTH
        if self.start.month % 3 == 1 and self.end == _last_day(self.start.year, self.start.month + 2):
            return PeriodKind.QUARTER
        if self.start.month == 4 and self.end == date(self.start.year + 1, 3, 31):
            return PeriodKind.YEAR
        return PeriodKind.RANGE

    def __str__(self) -> str:
        """Spell the period as keys and the command line do."""
        year, month = self.start.year, self.start.month
        match self.kind:
            case PeriodKind.DAY:
                return self.start.isoformat()
            case PeriodKind.MONTH:
                return f"{year:04}-{month:02}"
            case PeriodKind.QUARTER:
                return f"{year:04}-Q{(month + 2) // 3}"
            case PeriodKind.YEAR if not 1 <= (year + 1) % 100 <= 12:
                return f"{year:04}-{(year + 1) % 100:02}"
            case _:
                return f"{year:04}-{month:02}--{self.end.year:04}-{self.end.month:02}"

    @property
    def title(self) -> str:
        """The period in words: October 2026; October to December 2026; 31 March 2026."""
        first, last = MONTHS[self.start.month - 1], MONTHS[self.end.month - 1]
        match self.kind:
            case PeriodKind.DAY:
                return f"{self.start.day} {first} {self.start.year}"
            case PeriodKind.MONTH:
                return f"{first} {self.start.year}"
            case _ if self.start.year == self.end.year:
                return f"{first} to {last} {self.end.year}"
            case _:
                return f"{first} {self.start.year} to {last} {self.end.year}"

    @property
    def financial_year_name(self) -> str:
        """The usual name of a financial year, 2011-12: a column or a parameter that holds years only may use it.

        Raises: PeriodError: this is no financial year.
        """
        if self.kind is not PeriodKind.YEAR:
            raise PeriodError(f"{self} is not a financial year")
        return f"{self.start.year:04}-{self.end.year % 100:02}"

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def overlaps(self, other: Period) -> bool:
        """Whether the two periods share a day."""
        return self.start <= other.end and other.start <= self.end

    def months(self) -> Iterator[Period]:
        """The calendar months that this period touches, in order."""
        year, month = self.start.year, self.start.month
        while (year, month) <= (self.end.year, self.end.month):
            yield Period.month(year, month)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)


@dataclass(frozen=True, slots=True)
class AmbiguousPeriod:
    """Text that reads as a month, `taken`, and that is also the usual name of a financial year, `other`."""

    text: str
    taken: Period
    other: Period

    def message(self, option: str = "year=") -> str:
        """Say what was taken and how to ask for the other; `option` is how a financial year is asked for here."""
        year = self.other.financial_year_name
        return f"{self.text} is read as {self.taken.title}; for {self.other.title} write {option}{year}"


def find_ambiguity(text: str) -> AmbiguousPeriod | None:
    """Say how else a period could be meant: 2011-12 is read as December 2011 and is also a financial year.

    Returns: None if `text` has one meaning, or none.
    """
    match = _MONTH.match(text)
    if not match or int(match[2]) != (int(match[1]) + 1) % 100 or match[1] == "0000":
        return None
    return AmbiguousPeriod(text, Period.month(int(match[1]), int(match[2])), Period.financial_year(int(match[1])))


def describe_period(text: str | None) -> str:
    """Put the spelling of a period in words: `2026-10` is October 2026; None is "not known"."""
    return "not known" if text is None else Period.parse(text).title


def _last_day(year: int, month: int) -> date:
    first_of_next = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return first_of_next - timedelta(days=1)
