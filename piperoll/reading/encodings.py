"""Which encoding a text file has, decided by where its pound signs, dashes and accents come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UNMARKED = ("cp1252", "mac_roman", "cp850")
"""The single-byte code pages that British spreadsheets write; in doubt the earlier one stands."""

_HIGH = re.compile(r"[^\x00-\x7f]")
_SAMPLE = 4000
_MARGIN = 1.0
"""What one telling character makes: with less between two code pages the choice is doubtful."""

_QUOTES = "\u2018\u2019\u201c\u201d"
_DASHES = "\u2013\u2014"
_MARKS = "•…·®©™°½¼¾²³€"
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file and the codec that gave it.

    `sure` is False where another code page fits nearly as well and gives other text; `mixed` counts the lines that
    are not in the encoding of the rest; `runner_up` is the second best codec.
    """

    text: str
    encoding: str
    sure: bool = True
    mixed: int = 0
    runner_up: str | None = None


def decode(content: bytes) -> Decoded:
    """The text of a file in the encoding that makes best sense of it; never fails."""
    if content.startswith(b"\xef\xbb\xbf"):
        return _marked(content[3:], "utf-8-sig")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Decoded(content.decode("utf-16", "replace"), "utf-16")
    if wide := _utf16_without_mark(content):
        return Decoded(content.decode(wide, "replace"), wide)
    if content.isascii():
        return Decoded(content.decode("ascii"), "ascii")
    return _marked(content, "utf-8")


def _marked(content: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(content.decode("utf-8"), encoding)
    except UnicodeDecodeError:
        pass
    whole = _single_byte(content)
    mixed = _line_by_line(content, whole.encoding)
    return mixed if encoding == "utf-8-sig" or _mostly_utf8(content) else whole


def _utf16_without_mark(content: bytes) -> str | None:
    """UTF-16 is told by every second byte being zero, as it is in English text."""
    head = content[:2000]
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.4 * len(head[1::2]) and even < 0.05 * len(head[0::2]):
        return "utf-16-le"
    if even > 0.4 * len(head[0::2]) and odd < 0.05 * len(head[1::2]):
        return "utf-16-be"
    return None


_UTF8_PAIR = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def _mostly_utf8(content: bytes) -> bool:
    well = sum(len(match) for match in _UTF8_PAIR.findall(content))
    high = len(content) - len(content.translate(None, bytes(range(128, 256))))
    return well > 0.5 * high


def _line_by_line(content: bytes, fallback: str) -> Decoded:
    pieces, wrong = [], 0
    for line in _LINE.findall(content):
        try:
            pieces.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            wrong += 1
            pieces.append(line.decode(fallback, "replace"))
    return Decoded("".join(pieces), "utf-8", sure=False, mixed=wrong, runner_up=fallback)


def _single_byte(content: bytes) -> Decoded:
    scores: list[tuple[float, int, str, str]] = []
    for place, encoding in enumerate(_UNMARKED):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        bonus = 0.5 if encoding == "mac_roman" and b"\r" in content and b"\n" not in content else 0.0
        scores.append((_sense(text) + bonus, -place, encoding, text))
    scores.sort(reverse=True)
    best = scores[0]
    others = [score for score in scores[1:] if score[3] != best[3]]
    doubt = bool(others) and best[0] - others[0][0] < _MARGIN
    return Decoded(best[3], best[2], sure=not doubt, runner_up=others[0][2] if others else None)


def _sense(text: str) -> float:
    """How much sense the characters beyond ASCII make where they stand; higher is better."""
    return sum(_one(*neighbours) for neighbours in _neighbours(text))


def _neighbours(text: str) -> Iterator[tuple[str, str, str]]:
    for count, match in enumerate(_HIGH.finditer(text)):
        if count == _SAMPLE:
            return
        place = match.start()
        yield text[place - 1 : place] or " ", match[0], text[place + 1 : place + 2] or " "


def _one(before: str, char: str, after: str) -> float:
    if char == "£":
        return 3.0 if after.isdigit() or after in " (-,\"')m" or before in "(' -" else 1.0
    if char in _QUOTES:
        return 3.0 if before.isalnum() or after.isalnum() else 1.0
    if char in _DASHES:
        return 2.0 if before.isspace() or after.isspace() or (before.isalnum() and after.isalnum()) else 0.5
    if char in _MARKS or char == "\xa0":
        return 0.5
    if char.isalpha() and ord(char) < 0x250:
        return _letter_sense(before, char, after)
    return -4.0 if ord(char) < 0xA0 or ord(char) >= 0x2500 else -1.0


def _letter_sense(before: str, char: str, after: str) -> float:
    if after.isdigit() or not (before.isalpha() or after.isalpha()):
        return -3.0
    if char in (before, after):  # ááá: spaces of another code page
        return -2.0
    if char.isupper() and before.islower():
        return -2.0
    if char.islower() and before.isupper() and after.isupper():
        return -1.0
    if char not in "éèêëàâäáåçîïíìôöóòøûüúùñæœ":
        return 0.5
    return 2.0 if (before.isalpha() and after.isalpha()) or char == "é" else 1.0
