"""How one column is written: decided once for the whole of it, from its distinct cells and how often each stands there.

Every decision is a small function of that evidence; `decide` puts them together. What it gives reads a cell by itself,
so that each distinct cell need be read only once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from piperoll.model import Finding
from piperoll.reading.cells.amounts import (
    is_foreign,
    notation_of,
    plain_number,
    read_amount,
    scale_of,
    style_of,
)
from piperoll.reading.cells.date_order import ALONE, Beside, exchanged, order_of, other_reading
from piperoll.reading.cells.dates import DateOrder, evenings, read_date, written
from piperoll.reading.cells.marks import means_nothing
from piperoll.reading.cells.periods import is_bare_quarter
from piperoll.reading.cells.values import Reader
from piperoll.reading.findings import dates as dates_say
from piperoll.reading.findings import values as say
from piperoll.reading.findings.values import Column, amounts_all_nought
from piperoll.reading.grids.grid import tidy

Counts = Mapping[str, int]
"""The distinct cells of a column as sent, and how often each stands there."""


def decide(column: Column, counts: Counts, beside: Beside = ALONE) -> tuple[Reader, list[Finding]]:
    """What reads the cells of a column, and what there is to say about how they are written.

    `beside` is what the table's other dates and the names of file and sheet say of a column of dates.
    """
    match column.field.type:
        case "date":
            return _dates(column, counts, replace(beside, within=column.within))
        case "number" | "integer":
            return _numbers(column, counts)
        case _:
            return Reader(column.field), list(_about_references(column, counts)) if column.reference else []


def _dates(column: Column, counts: Counts, beside: Beside) -> tuple[Reader, list[Finding]]:
    order = order_of(counts, beside)
    reader = Reader(column.field, order=order, stretches=column.within)
    found = [*_about_dates(column, counts, order, beside), *_about_stretches(column, counts, reader)]
    if days := other_epoch(counts):
        reader.told = True
        example = tidy(next(iter(days)))
        fallen = _2000 + timedelta(days=int(Decimal(example)))
        found.append(dates_say.dates_of_another_epoch(column, example, fallen, sum(days.values())))
    return reader, found


def other_epoch(counts: Counts) -> Counts:
    """The cells of a column that holds nothing but day numbers of another count than spreadsheets'; empty if not."""
    filled = _those(counts, lambda cell: not means_nothing(tidy(cell), typed=True))
    days = _those(filled, lambda cell: bool(_DAY_NUMBER.fullmatch(tidy(cell))))
    years = all(1900 <= int(Decimal(tidy(cell))) < 2100 for cell in days)
    return days if sum(days.values()) > 2 and len(days) == len(filled) and not years else {}


def _numbers(column: Column, counts: Counts) -> tuple[Reader, list[Finding]]:
    style = style_of(counts)
    reader = Reader(column.field, decimal_comma=style.decimal_comma)
    reader.scale = scale_of(column.heading) if column.field.type == "number" else Decimal(1)
    reader.refuses = reader.told = column.amount and is_foreign(column.heading)
    found = list(_about_notation(column, counts, reader))
    if reader.scale < 1_000_000 and reader.scale != 1 and style.with_pence > 0.5 * sum(counts.values()):
        least = column.least_amount
        small = column.amount and reader.scale > 1 and least is not None and _too_small(counts, reader, least)
        found.append(say.amounts_scale_doubtful(column, reader.scale, style.with_pence, small=small))
    if style.decimal_comma:
        proving = _those(counts, lambda cell: read_amount(cell) is None and _by_comma(cell))
        found.append(say.amounts_decimal_comma(column, tidy(next(iter(proving))), style.comma_proofs))
    elif style.three_places and column.field.unit == "GBP":
        points = _those(counts, lambda cell: "." in cell and read_amount(cell) is not None)
        example = tidy(next(iter(points)))
        other = plain_number((read_amount(example) or Decimal(0)) * 1000)
        found.append(say.amounts_three_places(column, example, f"{Decimal(other):,.0f}", sum(points.values())))
    if column.amount and not reader.refuses:
        found += _about_currency(column, counts, reader)
        found += _about_signs(column, counts, reader)
    return reader, found


def _too_small(counts: Counts, reader: Reader, least: Decimal) -> bool:
    """Whether most numbers, taken as pounds, are below the `least` amount that must be published."""
    values = {cell: read_amount(cell, decimal_comma=reader.decimal_comma) or Decimal(0) for cell in counts}
    return 2 * sum(counts[cell] for cell, value in values.items() if abs(value) < least) > sum(counts.values())


def _about_currency(column: Column, counts: Counts, reader: Reader) -> Iterator[Finding]:
    """What is told, once, of a column whose every amount is in another currency; its cells need not be named then."""
    amounts = _those(counts, lambda cell: any(char.isdigit() for char in cell))
    if len(amounts) > 1 and all(map(is_foreign, amounts)):
        reader.told = True
        yield say.amounts_not_in_pounds(column, tidy(next(iter(amounts))), sum(amounts.values()))


def _about_signs(column: Column, counts: Counts, reader: Reader) -> Iterator[Finding]:
    """What is told of a column that holds credits and nothing else."""
    values = {cell: read_amount(cell, decimal_comma=reader.decimal_comma) for cell in counts}
    stated = {cell: value for cell, value in values.items() if value}
    count = sum(counts[cell] for cell in stated)
    if count > 2 and all(value < 0 for value in stated.values()):
        yield say.amounts_all_negative(column, tidy(next(iter(stated))), count)


def _by_comma(cell: str) -> bool:
    return read_amount(cell, decimal_comma=True) is not None


def _those(counts: Counts, holds: Callable[[str], bool]) -> Counts:
    return {cell: count for cell, count in counts.items() if holds(cell)}


def _about_notation(column: Column, counts: Counts, reader: Reader) -> Iterator[Finding]:
    """What is told of credits, exponents and marks that stand beside numbers."""
    by_notation: dict[str, dict[str, int]] = {}
    for cell, count in counts.items():
        notation = notation_of(cell)
        if notation and read_amount(cell, decimal_comma=reader.decimal_comma) is not None:
            by_notation.setdefault(notation, {})[cell] = count
    for notation, cells in by_notation.items():
        example, count = tidy(next(iter(cells))), sum(cells.values())
        if notation == "credit":
            yield say.amounts_as_credits(column, example, count)
        elif notation == "exponent":
            read = read_amount(example, decimal_comma=reader.decimal_comma) or Decimal(0)
            yield say.amounts_in_exponents(column, example, f"{read:,f}", count)
        else:
            yield say.amounts_marked(column, example, count)


def _about_dates(column: Column, counts: Counts, order: DateOrder, beside: Beside) -> Iterator[Finding]:
    if order.year_first:
        yield _year_first(column, counts)
    elif order.mixed:
        yield dates_say.dates_mixed(column, order.day_proofs, order.month_proofs, order.months)
    elif order.month_first:
        yield _month_first(column, counts, order)
    elif order.doubtful:
        either = {cell: found for cell in counts if (found := written(cell)) and not found.certain}
        example, found = next(iter(either.items()))
        count = sum(counts[cell] for cell in either)
        yield dates_say.dates_order_doubtful(column, tidy(example), found.day_first, found.month_first, count)
    yield from _about_serials(column, counts, order)
    if cells := exchanged(counts, order, beside):
        yield _exchanged(column, counts, order, cells)
    if cells := evenings(counts):
        day, count = read_date(cells[0]), sum(counts[cell] for cell in cells)
        if day:
            yield dates_say.dates_before_midnight(column, tidy(cells[0]), day, day + timedelta(days=1), count)


def _about_stretches(column: Column, counts: Counts, reader: Reader) -> Iterator[Finding]:
    """What is told of months and quarters that stand where days are asked for."""
    if column.field.reading.edge is not None:
        if quarters := _those(counts, is_bare_quarter):
            example = next(iter(quarters))
            taken = str(reader.read(example))
            yield dates_say.dates_in_quarters(column, tidy(example), taken, sum(quarters.values()))
    elif months := _those(counts, lambda cell: read_date(cell) is None and reader.lacks_day(cell)):
        yield dates_say.dates_months_only(column, tidy(next(iter(months))), sum(months.values()))


def _year_first(column: Column, counts: Counts) -> Finding:
    numeric = {cell: found for cell in counts if (found := written(cell)) and found.notation == "numeric"}
    example, found = next(iter(numeric.items()))
    other, count = found.day_first or found.month_first, sum(counts[cell] for cell in numeric)
    return dates_say.dates_year_first(column, tidy(example), found.year_first, other, count)


def _exchanged(column: Column, counts: Counts, order: DateOrder, cells: Sequence[str]) -> Finding:
    readings = [(cell, found) for cell in cells if (found := written(cell))]
    cell, found = readings[0]
    other = other_reading(found, order)
    months = order.months or frozenset({(other.year, other.month)} if other else ())
    count = sum(counts[one] for one in cells)
    return dates_say.dates_exchanged(column, tidy(cell), order.choose(found), other, months, count)


def _month_first(column: Column, counts: Counts, order: DateOrder) -> Finding:
    """The finding of a column read month first, with a date that could be either as its example, if there is one."""
    numeric = {cell: found for cell in counts if (found := written(cell)) and found.notation == "numeric"}
    example = next((cell for cell, found in numeric.items() if not found.certain), next(iter(numeric)))
    found = numeric[example]
    count = sum(counts[cell] for cell in numeric)
    return dates_say.dates_month_first(
        column, tidy(example), found.month_first, found.day_first, guessed=order.guessed, count=count
    )


_2000 = date(2000, 1, 1)
_DAY_NUMBER = re.compile(r"(?:[1-9]\d{3}|1\d{4})(?:\.0+)?", re.ASCII)
"""Day numbers below those of spreadsheets since 1970: four digits, or five that begin with a one."""

_1904 = timedelta(days=1462)
"""From the spreadsheets' usual day 0 to that of workbooks that count from 1904."""


def _about_serials(column: Column, counts: Counts, order: DateOrder) -> Iterator[Finding]:
    serials = {cell: found.day_first for cell in counts if (found := written(cell)) and found.notation == "serial"}
    if serials:
        count = sum(counts[cell] for cell in serials)
        yield dates_say.dates_as_serials(column, tidy(next(iter(serials))), count)
    late = [(cell, day) for cell, day in serials.items() if day and not order.holds(day) and order.holds(day + _1904)]
    if late:
        cell, day = late[0]
        yield dates_say.dates_from_1904(column, tidy(cell), day, day + _1904, sum(counts[one] for one, _ in late))


def _about_references(column: Column, counts: Counts) -> Iterator[Finding]:
    width, short = short_references(counts, column.field.reading.characters)
    if short:
        yield say.references_short(column, tidy(short[0]), width, sum(counts[cell] for cell in short))
    if decimal := decimal_references(counts):
        yield say.references_decimal(column, tidy(decimal[0]), sum(counts[cell] for cell in decimal))


# References that a program has taken for numbers on their way: what the distinct cells of a column show of it.


_DECIMAL = re.compile(r"\d+\.0\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_LEAST_REFERENCES = 3
"""Distinct references that begin with a nought, from which on they show how long references are."""


def decimal_references(counts: Mapping[str, int]) -> list[str]:
    """The cells that are whole numbers with a point and a nought behind them: `12345.0`."""
    return [cell for cell in counts if _DECIMAL.match(tidy(cell))]


def short_references(counts: Mapping[str, int], width: int | None = None) -> tuple[int, list[str]]:
    """How many digits the references have, and the cells of digits alone that lack some of them.

    `width` is given for references of a register that gives all of them the same. Else the column must show it: every
    cell is digits alone, those with a nought before them are all of one length, and none is longer; then a shorter one
    has probably lost its own. (0, []) where nothing shows.
    """
    cells = {cell: tidy(cell) for cell in counts if tidy(cell)}
    width = width or _shown(list(cells.values()))
    short = [cell for cell, text in cells.items() if _DIGITS.match(text) and len(text) < width]
    return (width, short) if short else (0, [])


def _shown(texts: list[str]) -> int:
    """The length of the references that begin with a nought, if the column shows that all have it; else 0."""
    led = {len(text) for text in texts if text.startswith("0")}
    enough = sum(text.startswith("0") for text in texts) >= _LEAST_REFERENCES
    if len(led) != 1 or not enough or not all(map(_DIGITS.match, texts)) or max(map(len, texts)) > max(led):
        return 0
    return max(led)


# Amounts that are nearly all nought beside a column of sums: nought may stand for what is not known.


_NEARLY = 0.9
_FEW = 0.5
_ENOUGH = 3


@dataclass
class Noughts:
    """The columns of money of one table: those of its amounts that are nearly all nought, and those with sums."""

    empty: list[tuple[Column, int]] = field(default_factory=list)
    sums: list[Column] = field(default_factory=list)

    def look(self, column: Column, counts: Mapping[str, int]) -> None:
        """Note a column by its distinct cells and how often each stands there."""
        if column.field.unit != "GBP":
            return
        values = {cell: value for cell in counts if (value := read_amount(cell)) is not None}
        whole = sum(counts[cell] for cell in values)
        noughts = sum(counts[cell] for cell, value in values.items() if not value)
        if column.amount and whole >= _ENOUGH and noughts >= _NEARLY * whole:
            self.empty.append((column, noughts))
        elif whole and noughts < _FEW * whole:
            self.sums.append(column)

    def said(self) -> Iterator[Finding]:
        """What there is to say, once all columns have been looked at."""
        for column, count in self.empty if self.sums else ():
            yield amounts_all_nought(column, self.sums[0], count)


__all__ = ["Noughts"]
