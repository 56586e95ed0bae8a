"""What reading has to say about how a column's values are written. One function a code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from piperoll.model import MONTHS, Field, Finding, Severity
from piperoll.reading.grids import letter


@dataclass(frozen=True, slots=True)
class Column:
    """One column that was taken for a field: where it stands, and the heading it was taken by.

    `amount` says that it holds the amounts that are added up, `reference` that it holds numbers of papers.
    """

    field: Field
    place: int
    heading: str
    sheet: str | None = None
    amount: bool = False
    reference: bool = False

    @property
    def counted(self) -> bool:
        """Whether its distinct cells say something of how it is written: words and names do not."""
        return self.reference or self.field.type != "string"


def _about(
    column: Column, code: str, severity: Severity, message: str, fix: str, *, value: str | None = None, count: int = 1
) -> Finding:
    where = letter(column.place)
    field, sheet = column.field.name, column.sheet
    return Finding(code, severity, message, fix, sheet=sheet, column=where, field=field, value=value, count=count)


def _spoken(day: date | None) -> str:
    """A day in words: 4 March 2012; in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else "no day"


def _in_months(months: Iterable[tuple[int, int]]) -> str:
    names = [f"{MONTHS[month - 1]} {year}" for year, month in sorted(months)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


_WRITE_DATES = "Write every date as 2026-10-31 or 31/10/2026."


def dates_month_first(
    column: Column, example: str, taken: date | None, other: date | None, *, guessed: bool, count: int
) -> Finding:
    """Numeric dates that stand month first."""
    why = "no other reading puts them into one month" if guessed else "some cannot be read any other way"
    return _about(
        column,
        "dates-month-first",
        Severity.WARNING if guessed else Severity.INFO,
        f"The dates in column {letter(column.place)} were read with the month first: {why}. So '{example}' is "
        f"{_spoken(taken)}; with the day first it would be {_spoken(other)}.",
        _WRITE_DATES,
        value=example,
        count=count,
    )


def dates_mixed(column: Column, day: int, month: int, months: frozenset[tuple[int, int]]) -> Finding:
    """Some dates can only be day first, others only month first."""
    first = "day" if day >= month else "month"
    apart = f"by what puts them into {_in_months(months)}, and where that does not tell, " if months else ""
    return _about(
        column,
        "dates-mixed",
        Severity.WARNING,
        f"In column {letter(column.place)} {day:,} dates can only be read day first and {month:,} only month first. "
        f"Those that could be either were read {apart}{first} first; read the other way they are other days.",
        _WRITE_DATES,
        count=max(1, min(day, month)),
    )


def dates_exchanged(
    column: Column, example: str, taken: date | None, other: date | None, months: frozenset[tuple[int, int]], count: int
) -> Finding:
    """Dates that lie elsewhere than the others, and among them once day and month change places."""
    return _about(
        column,
        "dates-exchanged",
        Severity.WARNING,
        f"{count:,} dates in column {letter(column.place)} do not lie in {_in_months(months)} like the others, but "
        f"would if day and month changed places, which happens when a spreadsheet opens a file. We read '{example}' as "
        f"it stands, as {_spoken(taken)}; it may be {_spoken(other)}.",
        "Open the file of your finance system again with the dates set to day, month, year, and send that.",
        value=example,
        count=count,
    )


def dates_as_serials(column: Column, example: str, count: int) -> Finding:
    """Dates that a spreadsheet left as day numbers."""
    return _about(
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
    return _about(
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
    return _about(
        column,
        "dates-months-only",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} name a month and no day (such as '{example}'). We made up "
        f"no day, so the {column.field.title.lower()} is missing there.",
        "Give the day, such as 2026-10-31.",
        value=example,
        count=count,
    )


def dates_before_midnight(column: Column, example: str, taken: date | None, other: date, count: int) -> Finding:
    """Timestamps of eleven in the evening in Greenwich: midnight in a London summer."""
    return _about(
        column,
        "dates-before-midnight",
        Severity.WARNING,
        f"{count:,} dates in column {letter(column.place)} are given as 23:00 in universal time, which in summer is "
        f"midnight in London. We read '{example}' as {_spoken(taken)}; it may be {_spoken(other)}.",
        "Give the date without a time.",
        value=example,
        count=count,
    )


def amounts_decimal_comma(column: Column, example: str, proofs: int) -> Finding:
    """A whole column with commas for decimal points."""
    return _about(
        column,
        "amounts-decimal-comma",
        Severity.WARNING,
        f"{proofs:,} numbers in column {letter(column.place)} (such as '{example}') have a comma where the pence "
        "begin, and none says otherwise. So a comma was read as the decimal point and a point as parting thousands. "
        "If that is wrong, the amounts are too small.",
        "Write amounts with a point before the pence: 1234.50.",
        value=example,
        count=proofs,
    )


def amounts_three_places(column: Column, example: str, other: str, count: int) -> Finding:
    """A whole column with three digits behind every point."""
    return _about(
        column,
        "amounts-three-places",
        Severity.WARNING,
        f"Every point in column {letter(column.place)} has three digits behind it. We read '{example}' as pounds with "
        f"three decimals; if the point parts thousands, it is {other}, and every such amount a thousand times larger.",
        "Write amounts without marks between thousands and with two digits of pence: 1234.50.",
        value=example,
        count=count,
    )


def amounts_scale_doubtful(column: Column, scale: Decimal, count: int) -> Finding:
    """A heading that says thousands or pence, over amounts in pounds and pence by their looks."""
    unit = "in pence" if scale < 1 else "in thousands"
    wrong = "a hundred times too small" if scale < 1 else "a thousand times too large"
    return _about(
        column,
        "amount-unit-doubtful",
        Severity.WARNING,
        f"The heading '{column.heading.strip()}' says that amounts are {unit}, but {count:,} of them have a point and "
        f"two digits behind it, like pounds and pence. Each was multiplied by {scale:f}, as the heading says; if they "
        f"are pounds, every amount is {wrong}.",
        "Give amounts in pounds and pence, and call the column 'Amount'.",
        value=column.heading,
        count=count,
    )


def amounts_as_credits(column: Column, example: str, count: int) -> Finding:
    """Numbers with CR or DR at their side."""
    return _about(
        column,
        "amounts-as-credits",
        Severity.INFO,
        f"{count:,} numbers in column {letter(column.place)} are marked CR or DR (such as '{example}'). A credit was "
        "read as negative, a debit as positive.",
        "Write credits with a minus sign: -1234.50.",
        value=example,
        count=count,
    )


def amounts_in_exponents(column: Column, example: str, read: str, count: int) -> Finding:
    """Numbers that a spreadsheet has written with an exponent, mostly rounded."""
    return _about(
        column,
        "amounts-in-exponents",
        Severity.WARNING,
        f"{count:,} numbers in column {letter(column.place)} are written as a spreadsheet shows what does not fit: "
        f"'{example}' was read as {read}, but probably was rounded before it came here.",
        "Format the column as a number with two decimals before you save it as CSV.",
        value=example,
        count=count,
    )


def amounts_marked(column: Column, example: str, count: int) -> Finding:
    """Numbers with an asterisk or dagger behind them."""
    return _about(
        column,
        "amounts-marked",
        Severity.INFO,
        f"{count:,} numbers in column {letter(column.place)} have a mark behind them (such as '{example}'), which was "
        "left off.",
        "Put notes into a column of their own.",
        value=example,
        count=count,
    )


def references_short(column: Column, example: str, width: int, count: int) -> Finding:
    """References that have lost their leading noughts, by the side of others that have theirs."""
    return _about(
        column,
        "reference-zeros-lost",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} (such as '{example}') are shorter than the {width} "
        "digits of those that begin with a nought: they have probably lost theirs to a spreadsheet.",
        "Format the column as text before the references are put in.",
        value=example,
        count=count,
    )


def references_decimal(column: Column, example: str, count: int) -> Finding:
    """References that were taken for numbers on their way and came back with a point and a nought."""
    return _about(
        column,
        "reference-decimal",
        Severity.WARNING,
        f"{count:,} cells in column {letter(column.place)} (such as '{example}') end in '.0': a program has taken "
        "them for numbers. They are published as they stand.",
        "Keep references as text.",
        value=example,
        count=count,
    )
