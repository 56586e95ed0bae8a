"""How one column is written: decided once for the whole column from its distinct cells and how often each occurs.

`decide` returns a `Reader` for the cells of the column, and the findings about how they are written. The reader then
reads each cell on its own, so each distinct cell is read only once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from piperoll.findings import make_finding
from piperoll.model import MONTHS, Address, Field, Finding, Severity
from piperoll.reading.cells.amounts import (
    AmountStyle,
    find_amount_style,
    find_notation,
    find_scale,
    has_accounting_format,
    is_accounting_zero,
    is_foreign,
    read_amount,
    read_rounded,
    spell_number,
)
from piperoll.reading.cells.date_order import NO_CONTEXT, DateContext, decide_order, find_exchanged, find_swapped_day
from piperoll.reading.cells.dates import DateOrder, find_date_readings, read_date
from piperoll.reading.cells.marks import means_nothing
from piperoll.reading.cells.periods import is_bare_quarter
from piperoll.reading.cells.values import Reader
from piperoll.reading.grids.grid import letter, tidy

Counts = Mapping[str, int]
"""The distinct cells of a column as sent, and how often each occurs."""

_2000 = date(2000, 1, 1)
_DAY_NUMBER = re.compile(r"(?:[1-9]\d{3}|1\d{4})(?:\.0+)?", re.ASCII)
"""A number below the day numbers of spreadsheets since 1970: four digits, or five that begin with a one."""

_1904 = timedelta(days=1462)
"""The difference between day 0 of most spreadsheets and that of workbooks that count from 1904."""

_EVENING = re.compile(r"T23:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)\Z")
_DECIMAL_REFERENCE = re.compile(r"\d+\.0\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_LEAST_REFERENCES = 3
"""At least this many distinct references with a leading zero show how long the references of a column are."""

_MOSTLY, _FEW, _LEAST_CELLS = 0.9, 0.5, 3


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """One column that is read as a field: its index, and the heading it was recognised by.

    `amount` says that it holds the amounts that are added up, `reference` that it holds identifiers, `within` that its
    days are in the period that the file covers. `least_amount` is the smallest amount in pounds that must be published.
    """

    field: Field
    column: int
    heading: str
    sheet: str | None = None
    amount: bool = False
    reference: bool = False
    within: bool = False
    least_amount: Decimal | None = None

    @property
    def counted(self) -> bool:
        """Whether its distinct cells show how it is written; words and names do not."""
        return self.reference or self.field.type != "string"

    @property
    def address(self) -> Address:
        """The address of the column."""
        return Address(sheet=self.sheet, column=letter(self.column), field=self.field.name)

    def finding(self, code: str, cells: Counts | None = None, **values: Any) -> Finding:
        """Make a finding about the column; of the `cells` it is about, the first is its value and all are counted."""
        if cells:
            values = {"value": tidy(next(iter(cells))), "count": sum(cells.values()), **values}
        return make_finding(code, self.address, heading=self.heading.strip(), title=self.field.title.lower(), **values)


def decide(column: FieldColumn, counts: Counts, context: DateContext = NO_CONTEXT) -> tuple[Reader, list[Finding]]:
    """Return the reader for the cells of a column, and the findings about how they are written.

    `context` is what the table's other dates and the names of file and sheet show about a column of dates.
    """
    match column.field.type:
        case "date":
            return _decide_dates(column, counts, replace(context, within=column.within))
        case "number" | "integer":
            return _decide_numbers(column, counts)
        case _:
            return Reader(column.field), list(_report_references(column, counts)) if column.reference else []


def _only(counts: Counts, test: Callable[[str], bool]) -> Counts:
    return {cell: count for cell, count in counts.items() if test(cell)}


def _decide_numbers(column: FieldColumn, counts: Counts) -> tuple[Reader, list[Finding]]:
    style = find_amount_style(counts)
    reader = Reader(column.field, decimal_comma=style.decimal_comma)
    reader.scale = find_scale(column.heading) if column.field.type == "number" else Decimal(1)
    reader.refuses = reader.reported = column.amount and is_foreign(column.heading)
    found = [*_report_notation(column, counts, reader), *_report_scale(column, counts, reader, style)]
    if (zeros := _only(counts, is_accounting_zero)) and has_accounting_format(counts):
        reader.accounting = True
        found.append(column.finding("amounts-zero-as-dash", zeros))
    if rounded := _find_rounded(counts):
        reader.rounded = reader.scale == 1
        amount = read_rounded(next(iter(rounded))) or Decimal(0)
        found += [column.finding("amounts-rounded", rounded, amount=f"{amount:,f}")] if reader.rounded else []
    if style.decimal_comma:
        proofs = _only(
            counts, lambda cell: read_amount(cell) is None and read_amount(cell, decimal_comma=True) is not None
        )
        found.append(column.finding("amounts-decimal-comma", proofs, count=style.comma_proofs))
    elif style.three_places and column.field.unit == "GBP":
        points = _only(counts, lambda cell: "." in cell and read_amount(cell) is not None)
        example = read_amount(tidy(next(iter(points)))) or Decimal(0)
        other = f"{Decimal(spell_number(example * 1000)):,.0f}"
        found.append(column.finding("amounts-three-places", points, other=other))
    if column.amount and not reader.refuses:
        amounts = _only(counts, lambda cell: any(char.isdigit() for char in cell))
        if len(amounts) > 1 and all(map(is_foreign, amounts)):
            reader.reported = True  # reported here once, so the cells need no findings of their own
            found.append(column.finding("amount-not-in-pounds", amounts, variant="cells"))
        values = {cell: read_amount(cell, decimal_comma=reader.decimal_comma) for cell in counts}
        stated = _only(counts, lambda cell: bool(values[cell]))
        if sum(stated.values()) > 2 and all((values[cell] or 0) < 0 for cell in stated):
            found.append(column.finding("amounts-all-negative", stated))
    return reader, found


def _find_rounded(counts: Counts) -> Counts:
    """Return the cells that give thousands or millions by a letter, if most do and hardly one is unclear."""
    rounded = _only(counts, lambda cell: read_rounded(cell) is not None)
    if not rounded:
        return {}
    stated = _only(counts, lambda cell: any(char.isdigit() for char in cell))
    read = sum(counts[cell] for cell in stated if cell in rounded or read_amount(cell) is not None)
    enough = 2 * sum(rounded.values()) >= sum(stated.values()) > 0
    return rounded if enough and read >= _MOSTLY * sum(stated.values()) else {}


def _report_scale(column: FieldColumn, counts: Counts, reader: Reader, style: AmountStyle) -> Iterator[Finding]:
    """Report amounts with pence under a heading that says thousands or pence: the heading may be wrong."""
    if reader.scale == 1 or reader.scale >= 1_000_000 or style.with_pence <= 0.5 * sum(counts.values()):
        return
    small = False
    if column.least_amount is not None and column.amount and reader.scale > 1:
        # If most numbers as written are below the least amount that must be published, they are thousands.
        values = {cell: read_amount(cell, decimal_comma=reader.decimal_comma) or Decimal(0) for cell in counts}
        below = sum(counts[cell] for cell, value in values.items() if abs(value) < column.least_amount)
        small = 2 * below > sum(counts.values())
    yield column.finding(
        "amount-unit-doubtful",
        variant="pence" if reader.scale < 1 else "thousands",
        severity=Severity.INFO if small else Severity.WARNING,
        value=column.heading,
        count=style.with_pence,
        scale=reader.scale,
    )


def _report_notation(column: FieldColumn, counts: Counts, reader: Reader) -> Iterator[Finding]:
    """Report credits, exponents and footnote marks among numbers that could be read."""
    by_notation: dict[str, dict[str, int]] = {}
    for cell, count in counts.items():
        notation = find_notation(cell)
        if notation and read_amount(cell, decimal_comma=reader.decimal_comma) is not None:
            by_notation.setdefault(notation, {})[cell] = count
    codes = {"credit": "amounts-as-credits", "exponent": "amounts-in-exponents", "mark": "amounts-marked"}
    for notation, cells in by_notation.items():
        amount = read_amount(tidy(next(iter(cells))), decimal_comma=reader.decimal_comma) or Decimal(0)
        yield column.finding(codes[notation], cells, amount=f"{amount:,f}")


def _decide_dates(column: FieldColumn, counts: Counts, context: DateContext) -> tuple[Reader, list[Finding]]:
    order = decide_order(counts, context)
    reader = Reader(column.field, order=order, accepts_periods=column.within)
    found = [
        *_report_order(column, counts, order),
        *_report_serials(column, counts, order),
        *_report_exchanged(column, counts, order, context),
    ]
    # Timestamps at 23:00 in universal time, which in summer is midnight of the next day in London.
    late = _only(counts, lambda cell: bool(_EVENING.search(cell)))
    if late and (day := read_date(next(iter(late)))):
        taken, other = _in_words(day), _in_words(day + timedelta(days=1))
        found.append(column.finding("dates-before-midnight", late, taken=taken, other=other))
    # Months and quarters where days are needed.
    if column.field.reading.edge:
        if quarters := _only(counts, is_bare_quarter):
            found.append(column.finding("dates-in-quarters", quarters, taken=str(reader.read(next(iter(quarters))))))
    elif months := _only(counts, lambda cell: read_date(cell) is None and reader.lacks_day(cell)):
        found.append(column.finding("dates-months-only", months))
    if days := find_days_of_another_epoch(counts):
        reader.reported = True
        day = _2000 + timedelta(days=int(Decimal(tidy(next(iter(days))))))
        severity = Severity.ERROR if column.field.level == "core" else Severity.WARNING
        month = f"{MONTHS[day.month - 1]} {day.year}"
        found.append(column.finding("dates-of-another-epoch", days, severity=severity, month=month))
    return reader, found


def find_days_of_another_epoch(counts: Counts) -> Counts:
    """The cells of a column in which all are day numbers of another count than that of spreadsheets; else none."""
    stated = _only(counts, lambda cell: not means_nothing(tidy(cell), typed=True))
    days = _only(stated, lambda cell: bool(_DAY_NUMBER.fullmatch(tidy(cell))))
    years = all(1900 <= int(Decimal(tidy(cell))) < 2100 for cell in days)
    return days if sum(days.values()) > 2 and len(days) == len(stated) and not years else {}


def _report_order(column: FieldColumn, counts: Counts, order: DateOrder) -> Iterator[Finding]:
    """Report an order of day, month and year that is not day first, or not certain."""
    numeric = {cell: found for cell in counts if (found := find_date_readings(cell)) and found.notation == "numeric"}
    cells = _only(counts, numeric.__contains__)
    if order.year_first:
        found = next(iter(numeric.values()))
        taken, other = _in_words(found.year_first), _in_words(found.day_first or found.month_first)
        yield column.finding("dates-year-first", cells, taken=taken, other=other)
    elif order.mixed:
        yield column.finding(
            "dates-mixed",
            variant="by-months" if order.months else "by-majority",
            count=max(1, min(order.day_proofs, order.month_proofs)),
            day_count=order.day_proofs,
            month_count=order.month_proofs,
            first="day" if order.day_proofs >= order.month_proofs else "month",
            months=_months_in_words(order.months),
        )
    elif order.month_first or order.doubtful:
        yield from _report_choice(column, counts, order)


def _report_choice(column: FieldColumn, counts: Counts, order: DateOrder) -> Iterator[Finding]:
    """Report dates that are read month first, and an order that nothing decides."""
    readings = {cell: found for cell in counts if (found := find_date_readings(cell))}
    if order.month_first and not order.doubtful:
        # The example is a date that could be read either way, if there is one.
        numeric = {cell: found for cell, found in readings.items() if found.notation == "numeric"}
        cells = _only(counts, numeric.__contains__)
        example = next((cell for cell, found in numeric.items() if not found.certain), next(iter(numeric)))
        yield column.finding(
            "dates-month-first",
            cells,
            variant=order.guessed or "proved",
            severity=Severity.WARNING if order.guessed else Severity.INFO,
            value=tidy(example),
            taken=_in_words(numeric[example].month_first),
            other=_in_words(numeric[example].day_first),
        )
    if order.doubtful:
        either = {cell: found for cell, found in readings.items() if not found.certain}
        found = next(iter(either.values()))
        first_days = all(found.day_first and found.day_first.day == 1 for found in either.values())
        taken, other = _in_words(order.choose(found)), _in_words(find_swapped_day(found, order))
        code = "dates-order-undecided" if column.within and not first_days else "dates-order-doubtful"
        yield column.finding(code, _only(counts, either.__contains__), taken=taken, other=other)


def _report_serials(column: FieldColumn, counts: Counts, order: DateOrder) -> Iterator[Finding]:
    """Report day numbers, and those that fit the other dates only if they are counted from 1904."""
    serials = {
        cell: found.day_first for cell in counts if (found := find_date_readings(cell)) and found.notation == "serial"
    }
    if serials:
        yield column.finding("dates-as-serials", _only(counts, serials.__contains__))
    late = {cell: day for cell, day in serials.items() if day and not order.holds(day) and order.holds(day + _1904)}
    if late:
        day = next(iter(late.values()))
        cells = _only(counts, late.__contains__)
        yield column.finding("dates-from-1904", cells, taken=_in_words(day), other=_in_words(day + _1904))


def _report_exchanged(column: FieldColumn, counts: Counts, order: DateOrder, context: DateContext) -> Iterator[Finding]:
    """Report dates that would fit the others if day and month were swapped."""
    cells = find_exchanged(counts, order, context)
    readings = [found for cell in cells if (found := find_date_readings(cell))]
    if readings:
        other = find_swapped_day(readings[0], order)
        yield column.finding(
            "dates-exchanged",
            value=tidy(cells[0]),
            count=sum(counts[cell] for cell in cells),
            taken=_in_words(order.choose(readings[0])),
            other=_in_words(other),
            months=_months_in_words(order.months or ({(other.year, other.month)} if other else ())),
        )


def _in_words(day: date | None) -> str:
    """A day as in "4 March 2012", in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else "no day"


def _months_in_words(months: Iterable[tuple[int, int]]) -> str:
    names = [f"{MONTHS[month - 1]} {year}" for year, month in sorted(months)]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _report_references(column: FieldColumn, counts: Counts) -> Iterator[Finding]:
    """Report references that a program treated as numbers: their leading zeros are lost, or they end with `.0`."""
    cells = {cell: tidy(cell) for cell in counts if tidy(cell)}
    width = column.field.reading.characters
    if not width:
        # The register gives no length for its identifiers, so the column must show it: all cells have only digits,
        # those with a leading zero are all of one length, and none is longer.
        led = [len(text) for text in cells.values() if text.startswith("0")]
        alike = len(led) >= _LEAST_REFERENCES and len(set(led)) == 1 and all(map(_DIGITS.match, cells.values()))
        width = led[0] if alike and max(map(len, cells.values())) == led[0] else 0
    short = {cell: counts[cell] for cell, text in cells.items() if _DIGITS.match(text) and len(text) < width}
    if short:
        yield column.finding("reference-zeros-lost", short, width=width)
    if decimal := _only(counts, lambda cell: bool(_DECIMAL_REFERENCE.match(tidy(cell)))):
        yield column.finding("reference-decimal", decimal)


@dataclass
class MostlyZero:
    """Finds columns of amounts that are mostly zero beside columns of sums: zero may mean that nothing is known."""

    zero: list[tuple[FieldColumn, int]] = field(default_factory=list)
    sums: list[FieldColumn] = field(default_factory=list)

    def add(self, column: FieldColumn, counts: Counts) -> None:
        """Look at a column of the table."""
        if column.field.unit != "GBP":
            return
        values = {cell: value for cell in counts if (value := read_amount(cell)) is not None}
        read = sum(counts[cell] for cell in values)
        zeros = sum(counts[cell] for cell, value in values.items() if not value)
        if column.amount and read >= _LEAST_CELLS and zeros >= _MOSTLY * read:
            self.zero.append((column, zeros))
        elif read and zeros < _FEW * read:
            self.sums.append(column)

    def findings(self) -> Iterator[Finding]:
        """What to report once all columns have been looked at."""
        for column, count in self.zero if self.sums else ():
            other = self.sums[0]
            yield column.finding(
                "amounts-nearly-all-nought",
                value="0",
                count=count,
                other_column=letter(other.column),
                other_heading=other.heading.strip(),
            )
