"""Dates in the notations of the wild: day first, unless the column proves otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from piperoll.reading.grids import squeezed

_TIME = r"(?:[T ,]+\d{1,2}[:.]\d{2}.*)?\Z"
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME, re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)\Z", re.ASCII)
_NUMERIC = re.compile(r"(\d{1,2})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4}|\d{2})" + _TIME, re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?\Z", re.ASCII)
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s\-/.,]*(?:of\s+)?([a-z]{3,9})[\s\-/.,']*(\d{4}|\d{2})" + _TIME, re.I
)
_MONTH_DAY = re.compile(r"([a-z]{3,9})[\s\-/.]+(\d{1,2})(?:st|nd|rd|th)?[\s,\-/.]+(\d{4})" + _TIME, re.I)
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,.]?\s+", re.I)
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheet serials, after their false 29 February 1900
_SERIALS = range(25569, 73051)  # 1970 to 2099: outside these five digits are a number, not a day

MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb febuary",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How the numeric dates of one column are written, and the evidence.

    `day_proofs` and `month_proofs` count the cells that can only be read one way; `guessed` says that no cell
    proves it and that month first was taken because it puts the dates together.
    """

    month_first: bool = False
    day_proofs: int = 0
    month_proofs: int = 0
    guessed: bool = False

    @property
    def mixed(self) -> bool:
        """Whether some cells can only be day first and others only month first."""
        return self.day_proofs > 0 and self.month_proofs > 0


def order_of(counts: Mapping[str, int]) -> DateOrder:
    """The order of day and month in a column, from its distinct cells and how often each stands there."""
    day = month = 0
    either: list[tuple[int, int, int]] = []
    for text, count in counts.items():
        match = _NUMERIC.match(squeezed(text))
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if first <= 12 and second <= 12:
            if first != second:
                either.append((first, second, int(match[3])))
        elif first > 12 >= second:
            day += count
        elif second > 12 >= first:
            month += count
    if day or month:
        return DateOrder(month > day, day, month)
    return DateOrder(month_first=_together(either), guessed=_together(either))


def _together(either: list[tuple[int, int, int]]) -> bool:
    """Whether dates that could be read both ways fall into one month only when read month first."""
    if len(either) < 3:
        return False
    day_first = {(year, second) for _, second, year in either}
    month_first = {(year, first) for first, _, year in either}
    return len(month_first) == 1 and len(day_first) >= 3


def read_date(cell: str, order: DateOrder | None = None) -> date | None:
    """The day a cell states; None if it states none, or several, or one that does not exist.

    A numeric date that can only be read one way is read that way, whatever the order of the column.
    """
    text = _WEEKDAY.sub("", squeezed(cell))
    if not text or not any(char.isdigit() for char in text):
        return None
    if match := _ISO.match(text) or _COMPACT.match(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.match(text):
        first, second, year = int(match[1]), int(match[2]), _year(match[3])
        month_first = (order or DateOrder()).month_first
        if month_first:
            return _day(year, first, second) or _day(year, second, first)
        return _day(year, second, first) or _day(year, first, second)
    if match := _SERIAL.match(text):
        serial = int(match[1])
        return _EPOCH + timedelta(days=serial) if serial in _SERIALS else None
    return _in_words(text)


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
    if year < 1900:  # 0026 is a slip of the pen
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


_MONTH_ONLY = re.compile(r"(?:([a-z]{3,9})[\s\-/.,']*(\d{4}|\d{2})|(\d{4})[-/](\d{1,2}))\Z", re.I)


def read_month(cell: str) -> tuple[int, int] | None:
    """The year and month of a cell that names no day: `Apr-11`, `August 2020`, `2020-08`."""
    match = _MONTH_ONLY.match(squeezed(cell))
    if match is None:
        return None
    if match[1]:
        number = MONTHS.get(match[1].lower())
        return (_year(match[2]), number) if number else None
    return (int(match[3]), int(match[4])) if 1 <= int(match[4]) <= 12 else None


def is_date(cell: str) -> bool:
    """Whether a cell states a day in some notation other than a bare number."""
    return read_date(cell) is not None and not squeezed(cell).replace(".", "", 1).isdigit()


def is_serial(cell: str) -> bool:
    """Whether a cell may be a day as a spreadsheet counts them (41852 is 1 August 2014)."""
    return bool(_SERIAL.match(squeezed(cell))) and read_date(cell) is not None
