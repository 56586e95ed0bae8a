"""What befalls dates: every notation, columns that are month first or mixed, serial numbers, days that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

from .cell_messes import one_of
from .drafts import CELLS, UNREADABLE, Draft, mess
from .tables import DATES

_EPOCH = date(1899, 12, 30)


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


NOTATIONS: tuple[Callable[[date], str], ...] = (
    *(date.isoformat, lambda day: f"{day}T00:00:00", lambda day: f"{day} 00:00:00", lambda day: f"{day:%d/%m/%y}"),
    *(lambda day: f"{day:%d-%m-%Y}", lambda day: f"{day:%d.%m.%Y}", lambda day: f"{day.day}/{day.month}/{day.year}"),
    *(lambda day: f"{day:%d/%m/%Y} 00:00", lambda day: f"{day.day} {day:%B %Y}", lambda day: f"{day:%d-%b-%y}"),
    *(lambda day: f"{day.day}{_ordinal(day.day)} {day:%b %Y}", lambda day: f"{day:%A} {day.day} {day:%B %Y}"),
    *(lambda day: f"{day:%Y%m%d}", lambda day: f"{day:%B} {day.day}, {day.year}", lambda day: f"{day:%d %b %Y}"),
    *(lambda day: f"{day:%Y/%m/%d}", lambda day: f" {day:%d/%m/%Y}\u00a0", lambda day: f"{day:%d-%b-%Y}".upper()),
)


def _dated(draft: Draft, name: str, write: Callable[[date], str], indices: list[int] | None = None) -> Draft:
    sheet = draft.sheet
    column, new = sheet.column(name), {}
    for index in sheet.records if indices is None else indices:
        line = sheet.lines[index]
        if (said := line.means[name][0]) not in (None, UNREADABLE):
            new[index] = line.with_cell(column, write(date.fromisoformat(said)))
    return draft.with_sheet(sheet.with_lines(new))


IMPOSSIBLE = (
    "31/02/2026",
    "00/00/0000",
    "99/99/9999",
    "1/13/13/2024",
    "32 March 2024",
    "Q1",
    "to follow",
    "30.02.2024",
)


@mess(CELLS)
def dates_that_do_not_exist(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, DATES[draft.dataset])
    sheet = draft.sheet
    if name is None or len(sheet.records) < 4:
        return None
    index = random.choice(sheet.records)
    line = sheet.lines[index].with_cell(sheet.column(name), random.choice(IMPOSSIBLE), **{name: (UNREADABLE,)})
    said = draft.with_sheet(sheet.with_lines({index: line}))
    return replace(said, must=(*said.must, frozenset({"date-unreadable"})))


@mess(CELLS, group="dates")
def dates_in_one_notation(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, DATES[draft.dataset])
    return _dated(draft, name, random.choice(NOTATIONS)) if name else None


@mess(CELLS, group="dates")
def dates_in_every_notation(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, DATES[draft.dataset])
    return _dated(draft, name, lambda day: f"{random.choice(NOTATIONS)(day)}") if name else None


@mess(CELLS, group="dates")
def dates_as_numbers(draft: Draft, random: Random) -> Draft | None:
    """The days as a spreadsheet counts them, in a whole column or in some of its rows."""
    name = one_of(draft, random, DATES[draft.dataset])
    if name is None:
        return None
    share = random.choice((1.0, 0.5))
    some = [index for index in draft.sheet.records if random.random() < share] or draft.sheet.records
    tail = random.choice(("", "", ".0", ".5"))
    said = _dated(draft, name, lambda day: f"{(day - _EPOCH).days}{tail}", some)
    return replace(said, must=(*said.must, frozenset({"dates-as-serials"})))


def _proofs(draft: Draft, name: str, indices: list[int]) -> int:
    """In how many of these rows the day cannot be a month."""
    days = [draft.sheet.lines[index].means[name][0] for index in indices]
    return sum(1 for day in days if day not in (None, UNREADABLE) and date.fromisoformat(day).day > 12)


@mess(CELLS, group="dates")
def dates_month_first(draft: Draft, random: Random) -> Draft | None:
    """The whole column month first, with a day in it that proves it."""
    name = one_of(draft, random, DATES[draft.dataset])
    if name is None or not _proofs(draft, name, draft.sheet.records):
        return None
    said = _dated(draft, name, lambda day: f"{day:%m/%d/%Y}")
    return replace(said, must=(*said.must, frozenset({"dates-month-first"})))


@mess(CELLS, "dates-mixed", group="dates")
def dates_of_two_programs(draft: Draft, random: Random) -> Draft | None:
    """Part of the column month first and part day first, each with a proof; dates that can be either are reported."""
    name = one_of(draft, random, DATES[draft.dataset])
    if name is None:
        return None
    some = [index for index in draft.sheet.records if random.random() < 0.4]
    rest = [index for index in draft.sheet.records if index not in some]
    if not _proofs(draft, name, some) or not _proofs(draft, name, rest):
        return None
    said = _dated(draft, name, lambda day: f"{day:%m/%d/%Y}", some)
    if draft.typed and not draft.is_text:  # the others are days as the program holds them, and in no order
        return said
    return replace(said, must=(*said.must, frozenset({"dates-mixed"})))
