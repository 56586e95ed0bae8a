"""Text that an earlier program garbled: UTF-8 read as a code page (`Â£`, `â€™`, `CafÃ©`), repaired where certain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from piperoll.reading.grids.grid import Grid, Row, Rows, letter

_READ_AS = {"cp1252": "ÂÃÄÅâïð", "mac_roman": "¬√\u201a", "cp850": "┬├Ô"}
"""The code pages as which UTF-8 gets misread, each with the letters that such garbling begins with."""

_POUND = re.compile(r"(?<!\w)Ł(?=[ \u00a0]?-?\d)")
"""A pound sign whose byte was read as Central European text (cp1250); no Polish word continues with a number."""

_ROUNDS = 3
"""Undo the same garbling at most this many times: files pass through several programs."""

_BRITISH = re.compile(
    "[\u00a0-\u00ffŴŵŶŷĀāĆćČčĐđĘęĄąĞğİŁłŃńŐőŒœŚśŞşŠšŰűŸŹźŻżŽž"
    "\u2000-\u200b\u2010-\u2027\u202f-\u203a\u2044\u20ac\u2116\u2122\u2212\ufb01\ufb02\ufeff\U0001f000-\U0001faff]"
)
"""The characters beyond ASCII of British text. Make no repair that gives any other: `CAFÉ’S` stays as it is."""

_REMAINS_LEADS = "âÂÃ\u201a¬┬Ô├"
_REMAINS = re.compile("â€|[ÂÃ][\u0080-\u00bf]|Ã(?= )|\u201aÄ|¬£|┬ú|ÔÇ|├[®ó¡║í]")
"""What is left of a garbled character that lost one of its bytes."""

_INVISIBLE = re.compile("[\u0080-\u009f]")
"""Control characters, which no program shows: a message shows a replacement character in their place."""

_CONTROL = re.compile("[\u0080\u0082-\u008c\u008e\u0091-\u009c\u009e\u009f]")
"""A character of cp1252 whose byte was read as Latin-1, such as U+0096 for a dash; texts have no control characters."""

_BETWEEN_LETTERS = r"(?<=[A-Za-z]){}(?=[a-z])"
_MACINTOSH = re.compile(_BETWEEN_LETTERS.format("[\u0087-\u008b\u008d-\u0090\u0095\u0098\u0099\u009b\u009f]"))
"""A letter of Macintosh text whose byte was read as Latin-1: within a word, cp1252 has a sign or a capital there."""
_MACINTOSH_WORD = re.compile(_BETWEEN_LETTERS.format("[\u0080-\u0090\u0095-\u009f]"))
"""Where a text has such letters, these are letters too, although cp1252 has a dash or a letter that fits as well."""

LOST = re.compile("\ufffd|ï¿½|Ã¯Â¿Â½")
"""A replacement character, as it is or garbled once or twice."""

TRACES = frozenset("".join(_READ_AS.values()) + _REMAINS_LEADS + "Ł") | {chr(code) for code in range(0x80, 0xA0)}
"""A text without any of these characters is neither repaired nor garbled."""

_SHEET_TRACES = tuple(trace.encode() for trace in "ÂÃâ¬┬├Ł\u0091\u0092\u0093\u0094\u0096\u0097")
"""What nearly all garbling begins with; a sheet without any of these is not searched."""

_WORD_END = ' ,;|"\t\r\n'


@dataclass(frozen=True, slots=True)
class DamageInText:
    """Damaged characters in one text: how many, the index of the first, and words that show it."""

    count: int = 0
    index: int = 0
    example: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damaged characters in a file: how many, where the first is (line or cell), words that show it."""

    count: int = 0
    line: int | None = None
    example: tuple[str, ...] = ()
    cell: str = ""

    def add(self, found: DamageInText, line: int | None = None, cell: str = "") -> Damage:
        """Add what was found further on; `line` or `cell` is where the first of it is."""
        if self.count or not found.count:
            return replace(self, count=self.count + found.count)
        return Damage(found.count, line, found.example, cell)


def _find_misreadings(codec: str) -> tuple[Mapping[str, int], re.Pattern[str]]:
    """How UTF-8 looks when it is read as a code page.

    Returns the byte of each character beyond ASCII, and a pattern for runs of characters whose bytes look like one
    UTF-8 character of two, three or four bytes. A byte that the code page leaves undefined is a control character.
    """
    chars = {byte: bytes([byte]).decode(codec, "replace") for byte in range(0x80, 0x100)}
    letters = {chr(byte) if char == "\ufffd" else char: byte for byte, char in chars.items()}

    def among(low: int, high: int) -> str:
        return "[" + "".join(re.escape(char) for char, byte in letters.items() if low <= byte <= high) + "]"

    more = among(0x80, 0xBF)
    runs = f"{among(0xC2, 0xC5)}{more}|{among(0xE2, 0xEF)}{more}{{2}}|{among(0xF0, 0xF4)}{more}{{3}}"
    return letters, re.compile(runs)


_MISREADINGS = {codec: _find_misreadings(codec) for codec in _READ_AS}


def repair(text: str) -> tuple[str, DamageInText]:
    """Restore every character that was certainly UTF-8 misread as a code page; runs in linear time.

    A run of characters is certain if its bytes are valid UTF-8 for one character of British text. The example is the
    first repaired word, before and after.
    """
    codecs = [codec for codec, leads in _READ_AS.items() if any(lead in text for lead in leads)]
    macintosh = _MACINTOSH.search(text) is not None
    if not codecs and not macintosh and not _POUND.search(text) and not _CONTROL.search(text):
        return text, DamageInText()
    pieces, found, start = [], DamageInText(), 0
    for line in text.splitlines(keepends=True):
        repaired, count, first = (line, 0, 0) if line.isascii() else _repair_line(line, codecs, macintosh=macintosh)
        if count and not found.count:
            word = _word_at(line, first)
            restored, _, _ = _repair_line(word, list(_READ_AS), macintosh=macintosh)
            found = DamageInText(0, start + first, (_INVISIBLE.sub("\ufffd", word), restored))
        found = replace(found, count=found.count + count)
        pieces.append(repaired)
        start += len(line)
    return "".join(pieces), found


def find_remains(text: str) -> DamageInText:
    """Find what is still garbled after repair because a byte was lost on the way."""
    if text.isascii() or not any(lead in text for lead in _REMAINS_LEADS):
        return DamageInText()
    indices = [match.start() for match in _REMAINS.finditer(text)]
    return DamageInText(len(indices), indices[0], (_word_at(text, indices[0]),)) if indices else DamageInText()


def _repair_line(text: str, codecs: Sequence[str], *, macintosh: bool) -> tuple[str, int, int]:
    """The repaired text, the number of characters that the first round restored, and the index of the first one.

    A garbled replacement character becomes one again. It is not counted: what it replaced is lost.
    """
    count, index = 0, 0
    text = LOST.sub("\ufffd", text)
    for _ in range(_ROUNDS):
        before = text
        for codec in codecs:
            text, more, first = _decode_again(text, codec)
            count, index = (count, index) if count else (more, first)
        if text == before:
            break
    if macintosh and (match := _MACINTOSH_WORD.search(text)):
        text, more = _MACINTOSH_WORD.subn(_as_macintosh, text)
        count, index = count + more, min(index, match.start()) if count else match.start()
    for pattern, put_right in ((_POUND, lambda _: "£"), (_CONTROL, _as_cp1252)):
        if match := pattern.search(text):
            text, more = pattern.subn(put_right, text)
            count, index = count + more, min(index, match.start()) if count else match.start()
    return text, count, index


def _as_macintosh(match: re.Match[str]) -> str:
    return match[0].encode("latin-1").decode("mac_roman")


def _as_cp1252(match: re.Match[str]) -> str:
    return match[0].encode("latin-1").decode("cp1252")


def _decode_again(text: str, codec: str) -> tuple[str, int, int]:
    indices: list[int] = []
    letters, runs = _MISREADINGS[codec]

    def restore(match: re.Match[str]) -> str:
        try:
            char = bytes(letters[each] for each in match[0]).decode("utf-8")
        except UnicodeDecodeError:
            return match[0]
        if not _BRITISH.fullmatch(char):
            return match[0]
        indices.append(match.start())
        return char

    text = runs.sub(restore, text)
    return text, len(indices), indices[0] if indices else 0


def _word_at(text: str, index: int) -> str:
    """The word around an index, at most 40 characters of it."""
    start, end = index, index
    while start > 0 and index - start < 20 and text[start - 1] not in _WORD_END:
        start -= 1
    while end < len(text) and end - index < 20 and text[end] not in _WORD_END:
        end += 1
    return text[start:end]


def repair_sheet(grid: Grid) -> tuple[Grid, Damage, Damage]:
    """Repair the cells of a sheet; return it with the damage that was repaired and the damage that remains."""
    repaired, remains = Damage(), Damage()
    if not any(trace in block.text for block in grid.rows.blocks() for trace in _SHEET_TRACES):
        return grid, repaired, remains

    def repair_row(row: Row) -> Row:
        nonlocal repaired, remains
        cells = list(row.cells)
        for column, cell in enumerate(cells):
            if not cell.isascii():
                address = f"cell {letter(column)}{row.number}"
                cells[column], found = repair(cell)
                repaired = repaired.add(found, cell=address)
                remains = remains.add(find_remains(cells[column]), cell=address)
        return row._replace(cells=cells)

    rows = Rows.of(map(repair_row, grid.rows))
    return (replace(grid, rows=rows) if repaired.count else grid), repaired, remains
