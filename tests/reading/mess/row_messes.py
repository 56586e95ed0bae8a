"""What befalls rows: blank ones, totals, footnotes, leftovers, empty columns, a pivot beside the table, more sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

from .cell_messes import amount_of
from .drafts import FILE, LAST, RAW, ROWS, UNREADABLE, Draft, Line, Sheet, mess
from .tables import AMOUNT, NAMES


def _row(sheet: Sheet, cells: dict[int, str]) -> tuple[str, ...]:
    return tuple(cells.get(column, "") for column in range(len(sheet.columns)))


def _sure(draft: Draft, indices: Sequence[int]) -> bool:
    """Whether there is one column of amounts and each can be read, so that a total can be proved."""
    name, headings = AMOUNT[draft.dataset], draft.sheet.lines[draft.sheet.heading].cells
    one = len(set(headings)) == len(headings)
    return bool(name) and one and all(draft.sheet.lines[index].means[name][0] != UNREADABLE for index in indices)


def _total(draft: Draft, value: Decimal, label: str, random: Random) -> Line:
    sheet = draft.sheet
    column = sheet.column(AMOUNT[draft.dataset])
    texts = [index for index, name in enumerate(sheet.columns) if name in (*NAMES[draft.dataset], None)]
    cells = {random.choice(texts): label} if label and texts else {}
    sent = value / draft.scale
    written = random.choice((f"{sent:f}", f"{sent:,f}", f"£{sent:,f}"))
    return Line(_row(sheet, cells | {column: written}), "total", amount=value)


@mess(ROWS, group="total")
def labelled_total(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    if len(sheet.records) < 2 or not _sure(draft, sheet.records):
        return None
    value = sum((amount_of(sheet.lines[index], draft) for index in sheet.records), Decimal(0))
    label = random.choice(("Total", "TOTAL", "Grand Total", "Total:", "Totals", "Sub-total", "Report total"))
    return draft.with_sheet(sheet.with_rows({len(sheet.lines): [_total(draft, value, label, random)]}))


@mess(ROWS, group="total")
def total_without_a_word(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    if len(sheet.records) < 3 or not _sure(draft, sheet.records):
        return None
    value = sum((amount_of(sheet.lines[index], draft) for index in sheet.records), Decimal(0))
    blank = [Line((), "blank")] * random.randint(0, 1)
    end = len(sheet.lines)
    return draft.with_sheet(sheet.with_rows({end: [*blank, _total(draft, value, "", random)]})) if value else None


@mess(ROWS, group="total")
def wrong_total(draft: Draft, random: Random) -> Draft | None:
    """A total that is labelled and does not add up is left out and reported."""
    sheet = draft.sheet
    if len(sheet.records) < 3 or not _sure(draft, sheet.records):
        return None
    value = sum((amount_of(sheet.lines[index], draft) for index in sheet.records), Decimal(0))
    value += draft.scale * random.choice((Decimal("100.00"), Decimal("-0.90"), Decimal("12345.67")))
    result = draft.with_sheet(sheet.with_rows({len(sheet.lines): [_total(draft, value, "Total", random)]}))
    return replace(result, must=(*result.must, frozenset({"total-does-not-add-up"})))


@mess(ROWS, group="total")
def subtotals(draft: Draft, random: Random) -> Draft | None:
    """A total after each few records, and one of all at the end."""
    sheet = draft.sheet
    if len(sheet.records) < 4 or not _sure(draft, sheet.records):
        return None
    rows: dict[int, list[Line]] = {}
    part = whole = Decimal(0)
    count = 0
    for index in sheet.records:
        value = amount_of(sheet.lines[index], draft)
        part, whole, count = part + value, whole + value, count + 1
        if count >= 2 and (random.random() < 0.4 or index == sheet.records[-1]):
            rows[index + 1] = [_total(draft, part, random.choice(("Sub total", "Total", "Subtotal")), random)]
            part, count = Decimal(0), 0
    if random.random() < 0.5:
        rows.setdefault(len(sheet.lines), []).append(_total(draft, whole, "Grand Total", random))
    return draft.with_sheet(sheet.with_rows(rows))


NOTES = (
    "Source: general ledger",
    "* Includes payments made by purchase card",
    "Note: figures exclude VAT where it can be recovered.",
    "1. Payments under £500 are not listed",
    "End of report",
    "Please contact finance@fairshire.example with any questions about this list of payments",
)


@mess(ROWS)
def footnotes(draft: Draft, random: Random) -> Draft | None:
    blank = [Line((), "blank")] * random.randint(0, 2)
    notes = [Line((random.choice(NOTES),), "note") for _ in range(random.randint(1, 3))]
    return draft.with_sheet(draft.sheet.with_rows({len(draft.sheet.lines): [*blank, *notes]}))


@mess(ROWS)
def blank_rows(draft: Draft, random: Random) -> Draft | None:
    """Rows of nothing among the records: empty, of delimiters, or of spaces."""
    sheet = draft.sheet
    forms = ((), _row(sheet, {}), _row(sheet, {0: " ", 1: "\u00a0"}))
    some = random.sample(sheet.records, min(len(sheet.records), random.randint(1, 3)))
    rows = {index: [Line(random.choice(forms), "blank")] * random.choice((1, 1, 1, 2, 2, 40)) for index in some}
    return draft.with_sheet(sheet.with_rows(rows))


@mess(ROWS)
def blank_rows_below(draft: Draft, random: Random) -> Draft | None:
    blank = [Line(_row(draft.sheet, {}), "blank")] * random.choice((1, 1, 5, 5, 20, 300))
    return draft.with_sheet(draft.sheet.with_rows({len(draft.sheet.lines): blank}))


@mess(ROWS)
def leftovers(draft: Draft, random: Random) -> Draft | None:
    """Formulas that were filled down below the last record."""
    name, sheet = AMOUNT[draft.dataset], draft.sheet
    if not name:
        return None
    column = sheet.column(name)
    text = random.choice(("-", "#REF!", "#VALUE!", " -   "))
    line = Line(_row(sheet, {column: text}), "other")
    return draft.with_sheet(sheet.with_rows({len(sheet.lines): [line] * random.randint(1, 3)}))


@mess(LAST)
def labels_filled_down(draft: Draft, random: Random) -> Draft | None:
    """One text of the last record repeated below it, alone in its row."""
    sheet = draft.sheet
    column = next((index for index, name in enumerate(sheet.columns) if name in NAMES[draft.dataset]), None)
    if column is None or len(sheet.records) < 8 or not sheet.lines[sheet.records[-1]].cells[column].strip(" -"):
        return None
    index = sheet.records[-1]
    line = Line(_row(sheet, {column: sheet.lines[index].cells[column]}), "other")
    if line.cells[column].startswith(RAW):
        return None
    return draft.with_sheet(sheet.with_rows({index + 1: [line] * random.randint(1, 3)}))


@mess(ROWS)
def empty_columns(draft: Draft, random: Random) -> Draft | None:
    """Columns of nothing before, among and after the others; hundreds of them after."""
    sheet = draft.sheet
    order: list[int | None] = list(range(len(sheet.columns)))
    for _ in range(random.randint(0, 2)):
        order.insert(random.randint(0, len(order)), None)
    order += [None] * random.choice((0, 0, 3, 3, 250))
    lines = tuple(line.laid(order) if len(line.cells) == len(sheet.columns) else line for line in sheet.lines)
    columns = tuple(None if index is None else sheet.columns[index] for index in order)
    return draft.with_sheet(replace(sheet, lines=lines, columns=columns))


@mess(ROWS, "amount-column-doubtful")
def pivot_beside_the_table(draft: Draft, random: Random) -> Draft | None:
    """A small summary to the right of the table, with a column between them."""
    sheet = draft.sheet
    beside = [("", "Row Labels", "Sum of it"), ("", "North", "1200.00"), ("", "South", "834.50"), ("", "", "")]
    lines = list(sheet.lines)
    start = max(sheet.heading, 0)
    for number, cells in enumerate(beside):
        index = start + number
        if index < len(lines) and len(lines[index].cells) == len(sheet.columns):
            kind = lines[index].kind if lines[index].kind in ("heading", "record") else "free"
            lines[index] = replace(lines[index], cells=lines[index].cells + cells, kind=kind)
    return draft.with_sheet(replace(sheet, lines=tuple(lines)))


@mess(FILE, group="sheets")
def more_sheets(draft: Draft, random: Random) -> Draft | None:
    """Sheets of notes, lists and pivots about the table; some of them hidden."""
    if draft.format not in ("xlsx", "ods"):
        return None
    pivot = (Line(("Row Labels", "Count"), "free"), Line(("North", "12"), "free"), Line(("South", "8"), "free"))
    notes = tuple(Line((text,), "free") for text in NOTES)
    lookup = tuple(Line((f"{number}", f"Cost centre {number}"), "free") for number in range(9))
    extra = [
        Sheet(lines, (), name, random.random() < 0.3)
        for name, lines in zip(_NAMES, (notes, pivot, lookup), strict=True)
    ]
    return replace(draft, sheets=(draft.sheet, *random.sample(extra, random.randint(1, 3)), *draft.sheets[1:]))


_NAMES = ("Notes ", "Pivot", "Lookup")


@mess(FILE, group="months")
def a_sheet_for_each_part(draft: Draft, random: Random) -> Draft | None:
    """The records on two sheets of the same shape, the second perhaps hidden."""
    sheet = draft.sheet
    plain = all(line.kind in ("heading", "record") for line in sheet.lines) and sheet.heading == 0
    if draft.format not in ("xlsx", "ods") or not plain or len(sheet.records) < 8:
        return None
    half = len(sheet.lines) // 2
    second = replace(sheet, lines=(sheet.lines[0], *sheet.lines[half:]), name="May", hidden=random.random() < 0.3)
    first = replace(sheet, lines=sheet.lines[:half], name="April ")
    result = replace(draft, sheets=(first, *draft.sheets[1:], second))
    return replace(result, must=(*result.must, frozenset({"sheet-hidden"}))) if second.hidden else result
