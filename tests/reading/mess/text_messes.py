"""What befalls text and files: encodings, ends of lines, quotes, breaks, NULs, ragged rows, mojibake."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from .cell_messes import one_of, rewritten
from .drafts import FILE, LAST, RAW, TEXT, Draft, Line, mess
from .tables import NAMES

_FANCY = (
    "Café Élan Ltd",
    "Müller’s – of Fairshire",
    "£50 vouchers, Siân Jones & Co",
    "“Quoted” Zoë Ltd",
    "Crédit à Nîmes",
)
_PLAIN = ("Café Élan Ltd", "£50 vouchers, Siân Jones & Co", "Crédit à Nîmes Ltd", "Müller of Fairshire £5")


def _worded(draft: Draft, random: Random, words: tuple[str, ...], share: float) -> Draft | None:
    """The draft with words beyond ASCII in some of its names."""
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None:
        return None
    some = [index for index in draft.sheet.records if random.random() < share] or draft.sheet.records[:1]
    for index in some:
        text = random.choice(words)
        draft = rewritten(draft, name, [index], text, text)
    return draft


@mess(TEXT, group="letters")
def letters_beyond_ascii(draft: Draft, random: Random) -> Draft | None:
    return _worded(draft, random, random.choice((_FANCY, _PLAIN)), 0.5)


@mess(TEXT, "encoding-guessed", group="letters")
def saved_in_a_code_page(draft: Draft, random: Random) -> Draft | None:
    """The text in cp1252, CP850 or Mac Roman, with nothing to say so but what its characters mean."""
    encoding, words = random.choice((("cp1252", _FANCY), ("mac_roman", _FANCY), ("cp850", _PLAIN)))
    result = _worded(draft, random, words, random.choice((0.1, 0.6)))
    if result is None or not draft.is_text or not _encodable(result, encoding):
        return None
    return replace(result, encoding=encoding)


@mess(TEXT, "encoding-mixed", "encoding-guessed", group="letters")
def two_encodings_in_one_file(draft: Draft, random: Random) -> Draft | None:
    """Lines of cp1252 within UTF-8, as when two exports are pasted together."""
    result = _worded(draft, random, _PLAIN, 0.8)
    if result is None or not draft.is_text or len(draft.sheet.records) < 6:
        return None
    odd = {index: result.sheet.lines[index] for index in result.sheet.records if random.random() < 0.3}
    if not all(_fits(line, "cp1252") for line in odd.values()):
        return None
    lines = {index: replace(line, odd=True) for index, line in odd.items()}
    result = replace(result.with_sheet(result.sheet.with_lines(lines)), odd_encoding="cp1252")
    codes = frozenset({"encoding-mixed", "letters-mended"})
    return replace(result, must=(*result.must, codes)) if _high(result, frozenset(odd)) else result


def _high(draft: Draft, indices: frozenset[int]) -> bool:
    """Whether some of these lines have letters beyond ASCII, and some of the others too."""
    lines = draft.sheet.lines
    there = {index for index in draft.sheet.records if not "".join(lines[index].cells).isascii()}
    return bool(there & indices) and bool(there - indices)


def _fits(line: Line, encoding: str) -> bool:
    try:
        "".join(line.cells).replace(RAW, "").encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _encodable(draft: Draft, encoding: str) -> bool:
    return all(_fits(line, encoding) for line in draft.sheet.lines)


@mess(TEXT, "letters-garbled", group="letters")
def mojibake(draft: Draft, random: Random) -> Draft | None:
    """UTF-8 that an earlier program read as cp1252: repaired, or reported with its address."""
    result = _worded(draft, random, _FANCY, 0.5)
    if result is None:
        return None
    sheet, new = result.sheet, {}
    for index in sheet.records:
        line = sheet.lines[index]
        for column, name in enumerate(sheet.columns):
            if name in NAMES[draft.dataset] and not line.cells[column].isascii():
                spoilt = line.cells[column].encode("utf-8").decode("cp1252", "ignore")
                line = line.with_cell(column, spoilt)
        new[index] = line
    return result.with_sheet(sheet.with_lines(new))


@mess(TEXT)
def breaks_within_cells(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None:
        return None
    some = random.sample(draft.sheet.records, min(3, len(draft.sheet.records)))
    new = draft
    for index in some:
        column = draft.sheet.column(name)
        text = draft.sheet.lines[index].cells[column].replace(" ", random.choice(("\n", "\r\n")), 1)
        if draft.sheet.lines[index].means[name][0] is not None:
            new = rewritten(new, name, [index], text)
    return new


@mess(TEXT)
def nuls(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None or not draft.is_text:
        return None
    where = random.choice((lambda cell: cell + "\0", lambda cell: "\0" + cell, "\0".join))
    return rewritten(draft, name, random.sample(draft.sheet.records, 1), where)


@mess(TEXT, "quotes-broken", group="quotes")
def a_quote_that_never_closes(draft: Draft, random: Random) -> Draft | None:
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None or not draft.is_text:
        return None
    index = random.choice(draft.sheet.records)
    text = draft.sheet.lines[index].cells[draft.sheet.column(name)]
    if set(text) & set('",;|\t\r\n') or not text.strip():
        return None
    result = rewritten(draft, name, [index], lambda cell: RAW + '"' + cell, '"' + text.strip(), text.strip())
    return replace(result, must=(*result.must, frozenset({"quotes-broken"})))


@mess(TEXT, "row-too-long", "quotes-broken", group="quotes")
def a_delimiter_without_quotes(draft: Draft, random: Random) -> Draft | None:
    """A comma in a name or an amount without quotes: the rest of the row moves by one column."""
    name = one_of(draft, random, NAMES[draft.dataset])
    if name is None or not draft.is_text or len(draft.sheet.records) < 4:
        return None
    if draft.odd_encoding or any(line.kind == "total" for line in draft.sheet.lines) or _beside(draft):
        return None
    index = random.choice(draft.sheet.records)
    whole = f"Marsh{draft.delimiter} Fen & Co"
    spoilt = rewritten(draft, name, [index], f"{RAW}{whole}")
    line = spoilt.sheet.lines[index]
    meant = replace(line, means={**line.means, name: (whole,)})
    spoilt = spoilt.with_sheet(spoilt.sheet.with_lines({index: meant}))
    return replace(spoilt, must=(*spoilt.must, frozenset({"row-too-long", "row-mended"})))


def _beside(draft: Draft) -> bool:
    """Whether something is beside the table, so that a row that is too long does not show."""
    return any(len(line.cells) > len(draft.sheet.columns) for line in draft.sheet.lines if line.kind == "heading")


@mess(LAST, group="ragged")
def short_rows(draft: Draft, random: Random) -> Draft | None:
    """Empty cells at the ends of rows left out, in some rows."""
    sheet, new = draft.sheet, {}
    for index, line in enumerate(sheet.lines):
        cells = line.cells
        while random.random() < 0.8 and len(cells) > 1 and not cells[-1]:
            cells = cells[:-1]
        new[index] = replace(line, cells=cells)
    return draft.with_sheet(sheet.with_lines(new))


@mess(LAST, group="ragged")
def rows_with_delimiters_left_over(draft: Draft, random: Random) -> Draft | None:
    sheet = draft.sheet
    tail = {index: ("",) * random.randint(0, 4) for index in range(len(sheet.lines))}
    lines = {index: replace(line, cells=line.cells + tail[index]) for index, line in enumerate(sheet.lines)}
    return draft.with_sheet(sheet.with_lines(lines)) if draft.is_text else None


@mess(FILE, group="quoting")
def everything_in_quotes(draft: Draft, random: Random) -> Draft | None:
    return replace(draft, quoting="all") if draft.is_text else None


@mess(FILE, group="delimiter")
def another_delimiter(draft: Draft, random: Random) -> Draft | None:
    raw = any(RAW in cell for line in draft.sheet.lines for cell in line.cells)
    return replace(draft, delimiter=random.choice("\t;|")) if draft.is_text and not raw else None


@mess(FILE, group="ends")
def other_ends_of_lines(draft: Draft, random: Random) -> Draft | None:
    return replace(draft, ends=random.choice((("\n",), ("\r",), ("\r\n", "\n"), ("\r\n", "\n", "\r"))))


@mess(FILE, group="encoding")
def unicode_in_another_form(draft: Draft, random: Random) -> Draft | None:
    if not draft.is_text or draft.encoding != "utf-8" or draft.odd_encoding:
        return None
    return replace(draft, encoding=random.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")))


@mess(FILE, group="given")
def nobody_says_which_dataset(draft: Draft, random: Random) -> Draft | None:
    return replace(draft, given=False) if draft.sheet.heading >= 0 else None
