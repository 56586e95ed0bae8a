"""Text that a program before us garbled: UTF-8 taken for a code page (`Â£`, `â€™`, `CafÃ©`), mended where certain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_READ_AS = {"cp1252": "ÂÃÄÅâïð", "mac_roman": "¬√\u201a", "cp850": "┬├Ô"}
"""The code pages that UTF-8 is taken for, each with the letters that such an accident begins with."""

_POUND = re.compile(r"(?<!\w)Ł(?=[ \u00a0]?-?\d)")
"""A pound sign whose byte was taken for Central European text (cp1250): no Polish word goes on with a number."""

_TIMES = 3
"""How often the same accident happens to one text, at most."""

_SENSE = re.compile(
    "[\u00a0-\u00ffŴŵŶŷĀāĆćČčĐđĘęĄąĞğİŁłŃńŐőŒœŚśŞşŠšŰűŸŹźŻżŽž"
    "\u2010-\u2027\u2030-\u203a\u2044\u20ac\u2116\u2122\u2212\ufb01\ufb02\ufeff\ufffd\u200b\U0001f000-\U0001faff]"
)
"""What British text holds beyond ASCII. A run that would give anything else was no accident: `CAFÉ’S` stays."""

_LEFT_LEADS = "âÂÃ\u201a¬┬Ô├"
_LEFT = re.compile("â€|[ÂÃ][\u0080-\u00bf]|Ã(?= )|\u201aÄ|¬£|┬ú|ÔÇ|├[®ó¡║í]")
"""What a garbled character leaves when one of its bytes is lost."""

TRACES = frozenset("".join(_READ_AS.values()) + _LEFT_LEADS + "Ł")
"""A text without any of these is neither mended nor garbled."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many of something are in a text, where the first stands (from 0), and words that show it."""

    count: int = 0
    place: int = 0
    example: tuple[str, ...] = ()


def _letters(codec: str) -> Mapping[str, int]:
    """The byte of each character beyond ASCII; what the code page leaves out is a control character."""
    chars = {byte: bytes([byte]).decode(codec, "replace") for byte in range(0x80, 0x100)}
    return {chr(byte) if char == "\ufffd" else char: byte for byte, char in chars.items()}


def _pattern(letters: Mapping[str, int]) -> re.Pattern[str]:
    def among(low: int, high: int) -> str:
        return "[" + "".join(re.escape(char) for char, byte in letters.items() if low <= byte <= high) + "]"

    more = among(0x80, 0xBF)
    return re.compile(f"{among(0xC2, 0xC5)}{more}|{among(0xE2, 0xEF)}{more}{{2}}|{among(0xF0, 0xF4)}{more}{{3}}")


_LETTERS = {codec: _letters(codec) for codec in _READ_AS}
_PATTERNS = {codec: _pattern(letters) for codec, letters in _LETTERS.items()}


def mend(text: str) -> tuple[str, Found]:
    """The text with every character put right that was certainly UTF-8 read as a code page; linear in its length.

    Certain is a run of characters whose bytes are valid UTF-8 and give one character of British text. The example is
    the first word, before and after.
    """
    codecs = [codec for codec, leads in _READ_AS.items() if any(lead in text for lead in leads)]
    if not codecs and not _POUND.search(text):
        return text, Found()
    pieces, found, place = [], Found(), 0
    for line in text.splitlines(keepends=True):
        mended, count, first = (line, 0, 0) if line.isascii() else _mend(line, codecs)
        if count:
            found = replace(found, count=found.count + count) if found.count else _example(line, place, first, count)
        pieces.append(mended)
        place += len(line)
    return "".join(pieces), found


def _example(line: str, place: int, first: int, count: int) -> Found:
    word = _word(line, first)
    return Found(count, place + first, (word, _mend(word, list(_READ_AS))[0]))


def garbled(text: str) -> Found:
    """What is still garbled after repair, as it lost a byte on the way."""
    if text.isascii() or not any(lead in text for lead in _LEFT_LEADS):
        return Found()
    places = [match.start() for match in _LEFT.finditer(text)]
    return Found(len(places), places[0], (_word(text, places[0]),)) if places else Found()


def _mend(text: str, codecs: Sequence[str]) -> tuple[str, int, int]:
    """The text after repair, how many characters the first pass put right, and where the first of them stood."""
    count, place = 0, 0
    for _ in range(_TIMES):
        before = text
        for codec in codecs:
            text, more, first = _once(text, codec)
            count, place = (count, place) if count else (more, first)
        if text == before:
            break
    if match := _POUND.search(text):
        text, more = _POUND.subn("£", text)
        count, place = count + more, min(place, match.start()) if count else match.start()
    return text, count, place


def _once(text: str, codec: str) -> tuple[str, int, int]:
    places: list[int] = []

    def put_right(match: re.Match[str]) -> str:
        try:
            char = bytes(_LETTERS[codec][each] for each in match[0]).decode("utf-8")
        except UnicodeDecodeError:
            return match[0]
        if not _SENSE.fullmatch(char):
            return match[0]
        places.append(match.start())
        return char

    text = _PATTERNS[codec].sub(put_right, text)
    return text, len(places), places[0] if places else 0


def _word(text: str, place: int) -> str:
    """The word about a place, of at most 40 characters."""
    start, end = place, place
    while start > 0 and place - start < 20 and text[start - 1] not in ' ,;|"\t\r\n':
        start -= 1
    while end < len(text) and end - place < 20 and text[end] not in ' ,;|"\t\r\n':
        end += 1
    return text[start:end]
