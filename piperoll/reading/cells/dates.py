"""Dates in the notations of real files: day first, unless the column proves otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from piperoll.reading.grids.grid import squeeze

_TIME = r"(?:[T ,]+\d{1,2}[:.]\d{2}.*)?\Z"
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME, re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)\Z", re.ASCII)
_NUMERIC = re.compile(r"(\d{1,2})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4}|\d{2})" + _TIME, re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?\Z", re.ASCII)
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s\-/.,]*(?:of\s+)?([a-z]{3,10})[\s\-/.,']*(\d{4}|\d{2})" + _TIME, re.I
)
_MONTH_DAY = re.compile(r"([a-z]{3,10})[\s\-/.]+(\d{1,2})(?:st|nd|rd|th)?[\s,\-/.]+(\d{4})" + _TIME, re.I)
_MONTH_ONLY = re.compile(r"(?:([a-z]{3,10})[\s\-/.,']*(\d{4}|\d{2})|(\d{4})[-/](\d{1,2})|(\d{1,2})[-/](\d{4}))\Z", re.I)
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,.]?\s+", re.I)
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheet serials, after their false 29 February 1900
_SERIALS = range(25569, 73051)  # 1970 to 2099: outside these five digits are a number, not a day

MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan ionawr",
            "february feb febuary chwefror",
            "march mar mawrth",
            "april apr ebrill",
            "may mai",
            "june jun mehefin",
            "july jul gorffennaf",
            "august aug awst",
            "september sep sept medi",
            "october oct hydref",
            "november nov tachwedd",
            "december dec rhagfyr",
        ),
        start=1,
    )
    for name in names.split()
}
"""Months in English and Welsh, by name and usual abbreviation."""


class DateReadings(NamedTuple):
    """The readings of a cell that states a day; None for a reading that is not an existing day.

    Cells with `numeric` notation can mean either. In other notations the cell means `day_first`; `month_first` is then
    the day before a program swapped day and month, if one did, and the same day if the month is written in words.
    `year_first` is the third reading of three numbers of two digits each.
    """

    notation: str
    day_first: date | None
    month_first: date | None
    year_first: date | None = None

    @property
    def certain(self) -> date | None:
        """The day, if swapping day and month gives no other."""
        if self.day_first and self.month_first and self.day_first != self.month_first:
            return None
        return self.day_first or self.month_first


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How the numeric dates of one column are written, and the evidence.

    `day_proofs` and `month_proofs` count the cells that can only be read one way. `guessed` is the reason for month
    first although no cell proves it, a variant of the finding `dates-month-first`; `doubtful` says that the other order
    is as likely; `year_first` that the year is first. `months` are the one to three months with nearly all certain
    dates; empty if they are in more. `unproved` is True if no cell proves an order although some can be read both ways.
    """

    month_first: bool = False
    day_proofs: int = 0
    month_proofs: int = 0
    guessed: str = ""
    doubtful: bool = False
    year_first: bool = False
    months: frozenset[tuple[int, int]] = frozenset()
    unproved: bool = field(default=False, compare=False)

    @property
    def mixed(self) -> bool:
        """True if some cells can only be day first and others only month first."""
        return self.day_proofs > 0 and self.month_proofs > 0

    def holds(self, day: date | None) -> bool:
        """True if a day is in the months of the certain dates."""
        return day is not None and (day.year, day.month) in self.months

    def choose(self, written: DateReadings) -> date | None:
        """The day that a cell means in this column.

        In a column with proofs of both orders, a numeric date that can be either is read so that it is in the months of
        the column; if that does not decide, in the order that most dates prove.
        """
        if written.notation != "numeric":
            return written.day_first
        if self.year_first and written.year_first:
            return written.year_first
        if self.mixed and self.holds(written.day_first) != self.holds(written.month_first):
            return written.day_first if self.holds(written.day_first) else written.month_first
        if self.month_first:
            return written.month_first or written.day_first
        return written.day_first or written.month_first


@lru_cache(maxsize=100_000)
def find_date_readings(cell: str) -> DateReadings | None:
    """The readings of a cell that looks like a day; None for any other cell."""
    text = _WEEKDAY.sub("", squeeze(cell))
    if not text or not any(char.isdigit() for char in text):
        return None
    if match := _ISO.match(text) or _COMPACT.match(text):
        return _unambiguous("iso", _day(int(match[1]), int(match[2]), int(match[3])))
    if match := _NUMERIC.match(text):
        first, second, year = int(match[1]), int(match[2]), _year(match[3])
        other = _day(_year(match[1]), second, int(match[3])) if len(match[1]) == len(match[3]) == 2 else None
        return DateReadings("numeric", _day(year, second, first), _day(year, first, second), other)
    if match := _SERIAL.match(text):
        serial = int(match[1])
        return _unambiguous("serial", _EPOCH + timedelta(days=serial)) if serial in _SERIALS else None
    day = _in_words(text)
    return DateReadings("words", day, day) if day else None


def _unambiguous(notation: str, day: date | None) -> DateReadings | None:
    return DateReadings(notation, day, _day(day.year, day.day, day.month)) if day else None


def read_date(cell: str, order: DateOrder | None = None) -> date | None:
    """The day that a cell states; None if it states none, or several, or one that does not exist.

    A numeric date that can only be read one way is read that way, whatever the order of the column.
    """
    found = find_date_readings(cell)
    return (order or DateOrder()).choose(found) if found else None


def _in_words(text: str) -> date | None:
    if match := _DAY_MONTH.match(text):
        day, month, year = int(match[1]), match[2], match[3]
    elif match := _MONTH_DAY.match(text):
        day, month, year = int(match[2]), match[1], match[3]
    else:
        return None
    number = MONTHS.get(month.lower())
    return _day(_year(year), number, day) if number else None


def _year(text: str) -> int:
    """Two digits are 1970 to 2069."""
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) < 70 else 1900)


def _day(year: int, month: int, day: int) -> date | None:
    if year < 1900:  # such as 0026, a typing error
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_month(cell: str) -> tuple[int, int] | None:
    """The year and month of a cell that names no day: `Apr-11`, `August 2020`, `2020-08`, `08/2020`."""
    match = _MONTH_ONLY.match(squeeze(cell))
    if match is None:
        return None
    if match[1]:
        number = MONTHS.get(match[1].lower())
        return (_year(match[2]), number) if number else None
    year, month = (int(match[3]), int(match[4])) if match[3] else (int(match[6]), int(match[5]))
    return (year, month) if 1 <= month <= 12 else None


@lru_cache(maxsize=20_000)
def is_date(cell: str) -> bool:
    """Whether a cell states a day in some notation other than a bare number."""
    return read_date(cell) is not None and not squeeze(cell).replace(".", "", 1).isdigit()


def is_serial(cell: str) -> bool:
    """Whether a cell is a bare number that can be a day: a day number of a spreadsheet (41852), or 20140801."""
    text = squeeze(cell)
    return bool(_SERIAL.match(text) or _COMPACT.match(text)) and read_date(text) is not None


_TIME_SHAPES = (_ISO, re.compile(r"\d{8}\Z", re.ASCII), _NUMERIC, _SERIAL, _DAY_MONTH, _MONTH_DAY)


def may_be_time(shape: str) -> bool:
    """Whether any cell of this shape can state a day or a month."""
    text = squeeze(shape)
    day = _WEEKDAY.sub("", text)
    return any(pattern.match(day) for pattern in _TIME_SHAPES) or bool(_MONTH_ONLY.match(text))


def names_day(cell: str) -> bool:
    """Whether a cell is written like a day, even if there is no such day: `30 February 2012`, `31/06/2012`."""
    text = _WEEKDAY.sub("", squeeze(cell))
    if any(pattern.match(text) for pattern in (_ISO, _COMPACT, _NUMERIC)):
        return True
    in_words = _DAY_MONTH.match(text), _MONTH_DAY.match(text)
    return any(match and {match[1].lower(), match[2].lower()} & MONTHS.keys() for match in in_words)
