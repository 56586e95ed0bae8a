"""What befalls cells: notations of money, errors, marks for nothing, redactions, references that a program spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

from .drafts import CELLS, UNREADABLE, Draft, Line, Meanings, mess
from .tables import AMOUNT, DATES, NAMES, NUMBERS, REFERENCES

Notation = Callable[[Decimal], str]


def rewritten(
    draft: Draft, name: str, indices: list[int], write: str | Callable[[str], str], *means: str | None
) -> Draft:
    """The draft with the cells of a field written otherwise (or as one text); `means` replaces what they mean."""
    sheet = draft.sheet
    column = sheet.column(name)
    new = {}
    for index in indices:
        line = sheet.lines[index]
        meaning: Meanings = means or line.means[name]
        text = write if isinstance(write, str) else write(line.cells[column])
        new[index] = line.with_cell(column, text, **{name: meaning})
    return draft.with_sheet(sheet.with_lines(new))


def one_of(draft: Draft, random: Random, names: tuple[str, ...]) -> str | None:
    """One of the fields that the table has."""
    there = [name for name in names if name in draft.sheet.columns]
    return random.choice(there) if there else None


def _grouped(value: Decimal) -> str:
    return f"{value:,}"


def _bracketed(value: Decimal) -> str:
    return f"({abs(value):,})" if value < 0 else f"{value:,}"


def _trailing(value: Decimal) -> str:
    return f"{abs(value):,}-" if value < 0 else f"{value:,}"


def _credit(value: Decimal) -> str:
    return f"{abs(value)} {'CR' if value < 0 else 'DR'}"


def _spaced(value: Decimal) -> str:
    return f"£ {value:,}".replace(",", " ")


def _signed(sign: str, form: str) -> Notation:
    return lambda value: form.format(sign if value < 0 else "", abs(value))


NOTATIONS: tuple[Notation, ...] = (
    *(_grouped, _bracketed, _trailing, _credit, _spaced),
    *(_signed("-", "{}£{:,}"), _signed("-", "£{}{:,}"), _signed("\u2212", "{}{:,}"), _signed("–", "{}£{:,}")),
    *(_signed("-", "'{}{}"), _signed("-", "  {}{:,} "), _signed("-", "\u00a0{}£{:,}\u00a0"), _signed("-", "{}GBP {}")),
    *(_signed("-", "{}{:,} GBP"), _signed("- ", "{}£{:,}"), _signed("-", "Â£{}{:,}"), _signed("-", "£{}{:,}\u2009")),
)


@mess(CELLS, group="money")
def money_in_one_notation(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NUMBERS[draft.dataset])
    notation = random.choice(NOTATIONS)
    if name is None:
        return None
    return rewritten(draft, name, draft.sheet.records, lambda cell: notation(Decimal(cell)))


@mess(CELLS, group="money")
def money_in_every_notation(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NUMBERS[draft.dataset])
    if name is None:
        return None
    return rewritten(draft, name, draft.sheet.records, lambda cell: random.choice(NOTATIONS)(Decimal(cell)))


@mess(CELLS, group="money")
def money_in_scientific_notation(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NUMBERS[draft.dataset])
    if name is None:
        return None
    some = [index for index in draft.sheet.records if random.random() < 0.3]
    return rewritten(draft, name, some, lambda cell: f"{Decimal(cell):E}")


@mess(CELLS)
def zero_amounts(draft: Draft, random: Random) -> Draft | None:
    """A record of nothing paid is a record."""
    name = AMOUNT[draft.dataset]
    if not name or len(draft.sheet.records) < 4:
        return None
    return rewritten(draft, name, [random.choice(draft.sheet.records)], "0.00", "0.00")


DOUBTFUL = {
    "34,551,00": (),
    "1234,56": ("1234.56",),
    "1.234,56": ("1234.56",),
    "1,23": ("1.23",),
    **dict.fromkeys(("€5.00", "£1.2m", "5%", "TBC", "see note 4", "12.34.56", "$12.50"), ()),
}
"""Cells without a certain meaning, each with the readings allowed if the column shows them and a finding says so."""


@mess(CELLS)
def money_that_says_nothing_certain(draft: Draft, random: Random) -> Draft | None:
    """Cells without a certain meaning, in one row or two; the amount is unreadable and is reported."""
    name = one_of(draft, random, NUMBERS[draft.dataset])
    if name is None or len(draft.sheet.records) < 4:
        return None
    result = draft
    for index in random.sample(draft.sheet.records, random.randint(1, 2)):
        text = random.choice(sorted(DOUBTFUL))
        result = rewritten(result, name, [index], text, UNREADABLE, *DOUBTFUL[text])
    codes = frozenset({"amount-unreadable", "number-unreadable", "amounts-decimal-comma"})
    return replace(result, must=(*result.must, codes))


@mess(CELLS)
def errors_of_a_spreadsheet(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NUMBERS[draft.dataset] + DATES[draft.dataset])
    if name is None or len(draft.sheet.records) < 4:
        return None
    errors = ("#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "########", "Err:502", "#NUM!")
    result = rewritten(draft, name, [random.choice(draft.sheet.records)], random.choice(errors), UNREADABLE)
    unreadable = frozenset({"amount-unreadable", "number-unreadable", "date-unreadable"})
    return replace(result, must=(*result.must, unreadable))


@mess(CELLS)
def marks_for_nothing(draft: Draft, random: Random) -> Draft | None:
    """A dash or `n/a` where there is no value: missing, and no more."""
    sheet = draft.sheet
    name = one_of(draft, random, NUMBERS[draft.dataset] + DATES[draft.dataset] + NAMES[draft.dataset])
    if name is None or len(sheet.records) < 4:
        return None
    marks = ("", "-", "n/a", "N/A", "#N/A", "not applicable", "–", " - ", "NULL")
    marks += ("nil", "None", "unknown") if name not in NAMES[draft.dataset] else ()
    sure = [index for index in sheet.records if sheet.lines[index].means[name][0] != UNREADABLE]
    return rewritten(draft, name, [random.choice(sure)], random.choice(marks), None)


REDACTED = ("REDACTED PERSONAL DATA", "Redacted", "**********", "Name withheld", "Redacted - commercial", "XXXXXXXX")


@mess(CELLS)
def redactions(draft: Draft, random: Random) -> Draft | None:
    """A name that was blacked out stays as the body sent it."""
    name = one_of(draft, random, NAMES[draft.dataset][:1])
    if name is None:
        return None
    new = draft
    for index in random.sample(draft.sheet.records, min(2, len(draft.sheet.records))):
        words = random.choice(REDACTED)
        new = rewritten(new, name, [index], words, words)
    return new


@mess(CELLS, group="references")
def references_rounded(draft: Draft, random: Random) -> Draft | None:
    """Long references that a spreadsheet took for numbers: the digits are lost, and this must be reported."""
    name = REFERENCES[draft.dataset]
    if name not in draft.sheet.columns:
        return None
    new = draft
    for index in draft.sheet.records:
        text = f"4.{random.randint(10, 99)}E+{random.randint(12, 21)}"
        new = rewritten(new, name, [index], text, text)
    return replace(new, must=(*new.must, frozenset({"reference-damaged"})))


@mess(CELLS, group="references")
def references_without_their_zeros(draft: Draft, random: Random) -> Draft | None:
    """Company numbers have eight characters: those of seven have lost a zero, which is restored or reported."""
    name = "supplier_company_number"
    if name not in draft.sheet.columns or len(draft.sheet.records) < 3:
        return None
    column, new = draft.sheet.column(name), draft
    for index in draft.sheet.records:
        text = draft.sheet.lines[index].cells[column]
        new = rewritten(new, name, [index], lambda cell: cell.lstrip("0"), text.lstrip("0"), text)
    return replace(new, must=(*new.must, frozenset({"reference-damaged", "reference-zeros-lost"})))


@mess(CELLS)
def spaces_about_words(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None:
        return None
    pads = (" ", "\u00a0", "\t", "  ", "\u200b")
    return rewritten(draft, name, draft.sheet.records, lambda cell: random.choice(pads) + cell + random.choice(pads))


def amount_of(line: Line, draft: Draft) -> Decimal:
    """What a record's amount means, zero where it has none."""
    result = line.means.get(AMOUNT[draft.dataset], (None,))[0]
    return Decimal(0) if result in (None, UNREADABLE) else Decimal(result)
