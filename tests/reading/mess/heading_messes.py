"""What befalls headings: preambles, two rows of them, none, at the end, again, changed half-way, beside their data."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from .drafts import HEADS, RAW, Draft, Line, Sheet, mess

TITLES = (
    *(("Fairshire Council",), ("Payments over £500",), ("Published under the transparency code",), ("April 2024",)),
    *(("Prepared by:", "Finance Team"), ("Contact", "", "finance@fairshire.example"), ("Run date 03/05/2024",), ()),
    *(("Page 1 of 1",), ("This report lists every payment the council has made. Amounts exclude VAT.",), ("", "", "")),
)


@mess(HEADS)
def preamble(draft: Draft, random: Random) -> Draft | None:
    """Titles and notes above the table: none to 300 rows of them."""
    rows = random.choice((1, 1, 2, 2, 3, 3, 5, 5, 12, 12, 40, 199, 300))
    lines = [Line(random.choice(TITLES), "free") for _ in range(rows)]
    return draft.with_sheet(draft.sheet.with_rows({0: lines}))


@mess(HEADS, group="titles")
def titles_over_groups_of_headings(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    if not sheet.headed:
        return None
    cells = [""] * len(sheet.columns)
    for title in ("Who was paid", "Section B", "For office use"):
        cells[random.randrange(len(cells))] = title
    return draft.with_sheet(sheet.with_rows({sheet.heading: [Line(tuple(cells), "free")]}))


@mess(HEADS, group="headings")
def headings_in_two_rows(draft: Draft, random: Random) -> Draft | None:
    """Each heading of several words broken over two cells, one above the other."""
    sheet = draft.sheet
    parts = [heading.split(None, 1) for heading in sheet.lines[sheet.heading].cells]
    if sum(len(part) == 2 for part in parts) < 2:
        return None
    upper = Line(tuple(part[0] if len(part) == 2 else "" for part in parts), "free")
    lower = Line(tuple(part[-1] if part else "" for part in parts), "heading")
    index = sheet.heading
    return draft.with_sheet(sheet.with_lines({index: lower}).with_rows({index: [upper]}))


@mess(HEADS, "headings-missing", "no-headings", group="headings")
def no_headings(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    above, below = _about(sheet)
    return replace(draft.with_sheet(replace(sheet, lines=(*above, *below))), given=True)


@mess(HEADS, "no-records", group="headings")
def headings_at_the_end(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    if _upper(sheet):
        return None
    above, below = _about(sheet)
    return draft.with_sheet(replace(sheet, lines=(*above, *below, sheet.lines[sheet.heading])))


def _about(sheet: Sheet) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The lines above all of the headings, and those below."""
    return sheet.lines[: sheet.heading - len(_upper(sheet))], sheet.lines[sheet.heading + 1 :]


@mess(HEADS, "records-above-headings", group="headings")
def headings_sorted_into_the_middle(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    if not sheet.records or draft.dataset not in ("spend", "contracts") or _upper(sheet):
        return None
    heading = sheet.lines[sheet.heading]
    lines = [*sheet.lines[: sheet.heading], *sheet.lines[sheet.heading + 1 :]]
    at = random.randint(sheet.heading, sheet.records[-1] - 1)
    lines = [replace(each, kind="free") if each.kind != "record" else each for each in lines[:at]] + lines[at:]
    lines.insert(at, heading)
    result = draft.with_sheet(replace(sheet, lines=tuple(lines)))
    moved = any(line.kind == "record" for line in lines[:at])
    return replace(result, must=(*result.must, frozenset({"records-above-headings"}))) if moved else result


@mess(HEADS, group="again")
def headings_again(draft: Draft, random: Random) -> Draft | None:
    """The headings repeated as at every page break."""
    sheet = draft.sheet
    if not sheet.headed:
        return None
    again = replace(sheet.lines[sheet.heading], kind="repeated_header")
    some = random.sample(sheet.records[1:], min(len(sheet.records) - 1, random.randint(1, 4)))
    return draft.with_sheet(sheet.with_rows({index: [*_upper(sheet), again] for index in some})) if some else None


def _upper(sheet: Sheet) -> tuple[Line, ...]:
    """The row right above the headings, if it is no narrower than they are: another part of them."""
    above = sheet.lines[max(sheet.heading - 1, 0) : max(sheet.heading, 0)]
    return tuple(line for line in above if len(line.cells) >= len(sheet.columns))


@mess(HEADS, "headings-changed", group="again")
def headings_changed_half_way(draft: Draft, random: Random) -> Draft | None:
    """A second row of headings with the same columns in another order, perhaps some columns further on."""
    sheet = draft.sheet
    if len(sheet.records) < 4 or not sheet.headed or _upper(sheet):
        return None
    at = random.choice(sheet.records[1:-1])
    order: list[int | None] = list(range(len(sheet.columns)))
    random.shuffle(order)
    order = [None] * random.choice((0, 0, 1, 2)) + order
    again = replace(sheet.lines[sheet.heading], kind="free").laid(order)
    below = tuple(line.laid(order) for line in sheet.lines[at:])
    result = draft.with_sheet(replace(sheet, lines=(*sheet.lines[:at], again, *below)))
    return replace(result, must=(*result.must, frozenset({"headings-changed"})))


@mess(HEADS, group="again")
def second_table_below(draft: Draft, random: Random) -> Draft | None:
    """A second table of the same kind with fewer columns, its own title and headings."""
    sheet = draft.sheet
    spare = [index for index, name in enumerate(sheet.columns) if name in _SPARE]
    if len(sheet.records) < 6 or not spare or not sheet.headed or _upper(sheet):
        return None
    at = random.choice(sheet.records[2:-2])
    lost = [line.cells[spare[0]] for line in sheet.lines[at:] if len(line.cells) > spare[0]]
    if any(RAW in cell or not cell.isascii() for cell in lost):  # what was spoilt would go with the column
        return None
    order = [index for index in range(len(sheet.columns)) if index != spare[0]]
    blank, title = Line((), "free"), Line((random.choice(("Schools", "Part two", "Capital")),), "free")
    heading = replace(sheet.lines[sheet.heading], kind="free").laid(order)
    gone = sheet.columns[spare[0]]
    below = [line.laid(order) for line in sheet.lines[at:]]
    below = [replace(each, means={k: v for k, v in each.means.items() if k != gone}) for each in below]
    return draft.with_sheet(replace(sheet, lines=(*sheet.lines[:at], blank, title, heading, *below)))


_SPARE = frozenset(
    ["purpose", "expense_area", "expense_type", "org_unit", "occupation", "department_family", "process_type"]
)


@mess(HEADS, "columns-shifted", "amount-unreadable", "date-unreadable", "number-unreadable", group="again")
def data_one_column_off(draft: Draft, random: Random) -> Draft | None:
    """From some heading on, at or before the first date or number, the data are one column to the right."""
    sheet = draft.sheet
    typed = [index for index, name in enumerate(sheet.columns) if name in ("payment_date", "net_amount", "start_date")]
    if not typed or len(sheet.records) < 6 or not sheet.headed:
        return None
    at = random.randint(0, min(typed))
    if at == 0:
        return None
    new: dict[int, Line] = {}
    for index, line in enumerate(sheet.lines):
        if index > sheet.heading:
            new[index] = replace(line, cells=(*line.cells[:at], "", *line.cells[at:])) if line.cells else line
    columns = (*sheet.columns[:at], None, *sheet.columns[at:])
    result = draft.with_sheet(replace(sheet.with_lines(new), columns=columns))
    return replace(result, must=(*result.must, frozenset({"columns-shifted", "amount-unreadable", "date-unreadable"})))
