"""What befalls columns: other headings, slips of the pen, another order, more columns, other units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

from .drafts import COLUMNS, UNREADABLE, Draft, Line, Sheet, mess
from .tables import AMOUNT, plain_headings


def renamed(draft: Draft, headings: Sequence[str]) -> Draft:
    """The draft with other headings."""
    sheet = draft.sheet
    index = sheet.heading
    return draft.with_sheet(sheet.with_lines({index: replace(sheet.lines[index], cells=tuple(headings))}))


def with_column(sheet: Sheet, at: int, heading: str, cells: Sequence[str], name: str | None = None) -> Sheet:
    """The sheet with one more column; `cells` are those of its records, in order."""
    own = iter(cells)
    lines = []
    for line in sheet.lines:
        text = heading if line.kind == "heading" else next(own) if line.kind == "record" else ""
        means = {**line.means, name: (text or None,)} if name and line.kind == "record" else line.means
        lines.append(replace(line, cells=(*line.cells[:at], text, *line.cells[at:]), means=means))
    return replace(sheet, lines=tuple(lines), columns=(*sheet.columns[:at], name, *sheet.columns[at:]))


@mess(COLUMNS, group="words")
def synonyms(draft: Draft, random: Random) -> Draft | None:
    listed = plain_headings(draft.dataset)
    return renamed(draft, [random.choice(listed[name]) if name else "" for name in draft.sheet.columns])


def _slip(word: str, random: Random) -> str:
    at = random.randrange(1, len(word) - 1)
    kind = random.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + random.choice("aeioust") + word[at + 1 :]


@mess(
    COLUMNS, "heading-guessed", "column-not-mapped", "column-not-found", "column-guessed", "no-headings", group="words"
)
def slips_in_headings(draft: Draft, random: Random) -> Draft | None:
    """One letter wrong in some of the longer headings."""
    headings = list(draft.sheet.lines[draft.sheet.heading].cells)
    long = [index for index, heading in enumerate(headings) if len(heading) > 6]
    for index in random.sample(long, min(len(long), random.randint(1, 3))):
        headings[index] = _slip(headings[index], random)
    return renamed(draft, headings)


@mess(COLUMNS)
def decorated_headings(draft: Draft, random: Random) -> Draft | None:
    """Capitals, spaces, asterisks, numbers and line breaks about the same words."""
    ways = (
        *(str.upper, str.lower, str.title, lambda text: f"  {text} ", lambda text: f"{text}*", lambda text: f"{text}:"),
        *(lambda text: text.replace(" ", "\n", 1), lambda text: text.replace(" ", "  "), lambda text: f"\u00a0{text}"),
        *(lambda text: text.replace(" ", "_"), lambda text: f"'{text}", lambda text: text.replace(" ", "\u00a0")),
    )
    way = random.choice(ways)
    return renamed(draft, [way(heading) for heading in draft.sheet.lines[draft.sheet.heading].cells])


@mess(COLUMNS)
def columns_in_another_order(draft: Draft, random: Random) -> Draft | None:
    order = list(range(len(draft.sheet.columns)))
    random.shuffle(order)
    sheet = draft.sheet
    lines = tuple(line.laid(order) for line in sheet.lines)
    return draft.with_sheet(replace(sheet, lines=lines, columns=tuple(sheet.columns[index] for index in order)))


UNKNOWN = {
    "Ward": ("Northgate", "Marsh", "Castle"),
    "Batch": ("B1", "B2", "B3"),
    "Checked by": ("JS", "AB"),
    "Row": ("1", "2", "3"),
    "Colour": ("red", "green"),
    "": ("x", "", "y"),
    "Inside leg": ("31", "32.5", "29"),
    "Postcode": ("FA1 1AA", "FA2 2BB"),
}


@mess(COLUMNS)
def columns_nobody_knows(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    for heading in random.sample(sorted(UNKNOWN), random.randint(1, 3)):
        cells = [random.choice(UNKNOWN[heading]) for _ in sheet.records]
        sheet = with_column(sheet, random.randint(0, len(sheet.columns)), heading, cells)
    return draft.with_sheet(sheet)


@mess(COLUMNS, "amount-column-doubtful")
def gross_and_vat_beside_net(draft: Draft, random: Random) -> Draft | None:
    name, sheet = AMOUNT[draft.dataset], draft.sheet
    if draft.dataset != "spend":
        return None
    nets = [sheet.lines[index].means[name][0] for index in sheet.records]
    net = [Decimal(0) if text in (None, UNREADABLE) else Decimal(str(text)) for text in nets]
    gross = [f"{value * Decimal('1.2'):.2f}" for value in net]
    vat = [f"{value * Decimal('0.2'):.2f}" for value in net]
    words = random.choice((("Gross amount", "VAT amount"), ("Amount inc VAT", "VAT"), ("Gross", "Recoverable VAT")))
    listed = None if words[1].startswith("Recoverable") else "irrecoverable_vat"  # as datapackages/spend has it
    at = sheet.column(name) + random.randint(0, 1)
    return draft.with_sheet(with_column(with_column(sheet, at, words[1], vat, listed), at, words[0], gross))


@mess(COLUMNS, "amount-column-doubtful", group="unit")
def two_columns_of_amounts_alike(draft: Draft, random: Random) -> Draft | None:
    """The same heading over net and gross: unless a column of VAT is beside them, nothing shows which is which."""
    name, sheet = AMOUNT[draft.dataset], draft.sheet
    if not name:
        return None
    column = sheet.column(name)
    nets = [sheet.lines[index].means[name][0] for index in sheet.records]
    gross = ["" if text in (None, UNREADABLE) else f"{Decimal(str(text)) * Decimal('1.2'):.2f}" for text in nets]
    heading = sheet.lines[sheet.heading].cells[column]
    result = draft.with_sheet(with_column(sheet, column + random.randint(0, 1), heading, gross))
    others = tuple(
        one for one in result.must if "amount-unreadable" not in one
    )  # the other column may be the one taken
    proved = any("VAT" in text for text in sheet.lines[sheet.heading].cells)
    return replace(result, must=others if proved else (*others, frozenset({"amount-column-doubtful"})))


def _with_unit(draft: Draft, unit: str, write: Decimal) -> Draft | None:
    """The amounts as they are, but stated in another unit: what they mean is `write` times as much."""
    name, sheet = AMOUNT[draft.dataset], draft.sheet
    if not name:
        return None
    column = sheet.column(name)
    new: dict[int, Line] = {}
    for index, line in enumerate(sheet.lines):
        if line.kind == "heading":
            new[index] = line.with_cell(column, f"{line.cells[column]} {unit}")
        elif line.kind == "record":
            means = tuple(_times(text, write) for text in line.means[name])
            new[index] = replace(line, means={**line.means, name: means})
    return replace(draft.with_sheet(sheet.with_lines(new)), scale=write)


def _times(text: str | None, by: Decimal) -> str | None:
    return text if text in (None, UNREADABLE) else f"{Decimal(text) * by:f}"


@mess(COLUMNS, group="unit")
def amounts_in_thousands(draft: Draft, random: Random) -> Draft | None:
    result = _with_unit(draft, random.choice(("(£000)", "£000s", "(£'000)", "(£k)", "in thousands")), Decimal(1000))
    return result and replace(result, must=(*result.must, frozenset({"amount-scaled"})))


@mess(COLUMNS, group="unit")
def amounts_in_pence(draft: Draft, random: Random) -> Draft | None:
    result = _with_unit(draft, random.choice(("(pence)", "in pence", "(p)")), Decimal("0.01"))
    return result and replace(result, must=(*result.must, frozenset({"amount-scaled"})))


@mess(COLUMNS, group="unit")
def amounts_in_pounds_as_said(draft: Draft, random: Random) -> Draft | None:
    return _with_unit(draft, random.choice(("(£)", "£", "GBP", "in £", "(pounds)", "£ p")), Decimal(1))


@mess(COLUMNS, group="unit")
def amounts_in_another_currency(draft: Draft, random: Random) -> Draft | None:
    result = _with_unit(draft, random.choice(("(€)", "EUR", "(US$)", "in dollars")), Decimal(1))
    if result is None:
        return None
    name, sheet = AMOUNT[draft.dataset], result.sheet
    lines = {index: sheet.lines[index] for index in sheet.records}
    new = {
        index: replace(line, means={**line.means, name: (UNREADABLE if line.means[name][0] else None,)})
        for index, line in lines.items()
    }
    others = tuple(one for one in result.must if "amount-unreadable" not in one)  # no amount was taken, so none is told
    return replace(result.with_sheet(sheet.with_lines(new)), must=(*others, frozenset({"amount-not-in-pounds"})))
