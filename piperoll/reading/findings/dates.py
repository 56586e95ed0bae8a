"""What reading has to say about how a column's dates are written. One function a code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from piperoll.model import MONTHS, Finding, Severity
from piperoll.reading.findings.values import Column, about
from piperoll.reading.grids.grid import letter

_WRITE_DATES = "Write every date as 2026-10-31 or 31/10/2026."


def dates_month_first(
    column: Column, example: str, taken: date | None, other: date | None, *, guessed: str, count: int
) -> Finding:
    """Numeric dates that stand month first; `guessed` is why, if none of them proves it."""
    why = guessed or "some cannot be read any other way"
    return about(
        column,
        "dates-month-first",
        Severity.WARNING if guessed else Severity.INFO,
        f"The dates in column {letter(column.place)} were read with the month first: {why}. So '{example}' is "
        f"{_spoken(taken)}; with the day first it would be {_spoken(other)}.",
        _WRITE_DATES,
        value=example,
        count=count,
    )


def dates_order_doubtful(column: Column, example: str, taken: date | None, other: date | None, count: int) -> Finding:
    """Numeric dates that make as much sense with the month first."""
    return about(
        column,
        "dates-order-doubtful",
        Severity.WARNING,
        f"Nothing in column {letter(column.place)} shows whether the day or the month stands first: {count:,} dates "
        f"make sense both ways. We read '{example}' with the day first, as {_spoken(taken)}; with the month first it "
        f"would be {_spoken(other)}.",
        _WRITE_DATES,
        value=example,
        count=count,
    )


def dates_mixed(column: Column, day: int, month: int, months: frozenset[tuple[int, int]]) -> Finding:
    """Some dates can only be day first, others only month first."""
    first = "day" if day >= month else "month"
    apart = f"by what puts them into {_in_months(months)}, and where that does not tell, " if months else ""
    return about(
        column,
        "dates-mixed",
        Severity.WARNING,
        f"In column {letter(column.place)} {day:,} dates can only be read day first and {month:,} only month first. "
        f"Those that could be either were read {apart}{first} first; read the other way they are other days.",
        _WRITE_DATES,
        count=max(1, min(day, month)),
    )


def dates_year_first(column: Column, example: str, taken: date | None, other: date | None, count: int) -> Finding:
    """Three numbers of two digits, of which the first is the year."""
    return about(
        column,
        "dates-year-first",
        Severity.WARNING,
        f"The dates in column {letter(column.place)} were read with the year first: only so do they lie in one year. "
        f"So '{example}' is {_spoken(taken)}; with the year last it would be {_spoken(other)}.",
        _WRITE_DATES,
        value=example,
        count=count,
    )


def dates_exchanged(
    column: Column, example: str, taken: date | None, other: date | None, months: frozenset[tuple[int, int]], count: int
) -> Finding:
    """Dates that lie elsewhere than the others, and among them once day and month change places."""
    return about(
        column,
        "dates-exchanged",
        Severity.WARNING,
        f"{count:,} {'date' if count == 1 else 'dates'} in column {letter(column.place)} would lie in "
        f"{_in_months(months)} if day and month changed places, which happens when a spreadsheet opens a file. We read "
        f"'{example}' as it stands, as {_spoken(taken)}; it may be {_spoken(other)}.",
        "Open the file of your finance system again with the dates set to day, month, year, and send that.",
        value=example,
        count=count,
    )


def dates_as_serials(column: Column, example: str, count: int) -> Finding:
    """Dates that a spreadsheet left as day numbers."""
    return about(
        column,
        "dates-as-serials",
        Severity.INFO,
        f"{count:,} dates in column {letter(column.place)} are a spreadsheet's day numbers (such as {example}), "
        "and were read as the days they stand for.",
        "Format the column as a date before you save it as CSV.",
        value=example,
        count=count,
    )


def dates_from_1904(column: Column, example: str, taken: date, other: date, count: int) -> Finding:
    """Day numbers that fit the other dates only if they are counted from 1904."""
    return about(
        column,
        "dates-from-1904",
        Severity.WARNING,
        f"{count:,} day numbers in column {letter(column.place)} lie four years before the other dates: they may be "
        f"counted from 1904, as old Macintosh workbooks do. We read {example} as {_spoken(taken)}; it may be "
        f"{_spoken(other)}.",
        "Format the column as a date before you save it as CSV.",
        value=example,
        count=count,
    )


def dates_months_only(column: Column, example: str, count: int) -> Finding:
    """Cells that name a month and no day, where a day is asked for."""
    return about(
        column,
        "dates-months-only",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} name a month or several and no day (such as '{example}'). "
        f"We made up no day, so the {column.field.title.lower()} is missing there.",
        "Give the day, such as 2026-10-31.",
        value=example,
        count=count,
    )


def dates_in_quarters(column: Column, example: str, taken: str, count: int) -> Finding:
    """Quarters of a single year, which may be the calendar's or the financial year's."""
    return about(
        column,
        "dates-in-quarters",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} name a quarter of a single year. We took the calendar's, so "
        f"'{example}' gives {taken}; the same quarter of a financial year is three months later.",
        "Write the year as 2015/16 if the quarter is a financial year's, or give the days.",
        value=example,
        count=count,
    )


def dates_of_another_epoch(column: Column, example: str, from_2000: date, count: int) -> Finding:
    """A column of day numbers that no spreadsheet counts."""
    return about(
        column,
        "dates-of-another-epoch",
        Severity.ERROR if column.field.level == "core" else Severity.WARNING,
        f"The {count:,} cells of column {letter(column.place)} (such as {example}) are whole numbers too low for a "
        "spreadsheet's days. They may be days that your system counts from another year: from the start of 2000, "
        f"{example} falls in {MONTHS[from_2000.month - 1]} {from_2000.year}. We took none of them.",
        _WRITE_DATES,
        value=example,
        count=count,
    )


def dates_before_midnight(column: Column, example: str, taken: date | None, other: date, count: int) -> Finding:
    """Timestamps of eleven in the evening in Greenwich: midnight in a London summer."""
    return about(
        column,
        "dates-before-midnight",
        Severity.WARNING,
        f"{count:,} dates in column {letter(column.place)} are given as 23:00 in universal time, which in summer is "
        f"midnight in London. We read '{example}' as {_spoken(taken)}; it may be {_spoken(other)}.",
        "Give the date without a time.",
        value=example,
        count=count,
    )


def _spoken(day: date | None) -> str:
    """A day in words: 4 March 2012; in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else "no day"


def _in_months(months: Iterable[tuple[int, int]]) -> str:
    names = [f"{MONTHS[month - 1]} {year}" for year, month in sorted(months)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
