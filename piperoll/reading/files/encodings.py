"""Which encoding a text file has, and its text in pieces, so that a large file never stands in memory as a whole."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from piperoll.model.columns import large_text
from piperoll.reading.files import codepages
from piperoll.reading.files.contents import Content
from piperoll.reading.files.mojibake import TRACES, Found, garbled, mend
from piperoll.reading.grids.ahead import ahead

PIECE = 2_000_000
"""Bytes that are decoded at a time."""

_SPACED = b" " * 128 + bytes(range(128, 256))
"""Every ASCII byte as a space, so that only the others are left to look at."""

_UTF8_PAIR = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UTF8 = ("ascii", "utf-8", "utf-8-sig")
"""Encodings whose bytes are UTF-8 as they stand, but for the mark of the last one."""

_TRACES = TRACES | {"\ufffd"}
"""Without any of these, and without NUL, a text has nothing to tell."""

_MARKS = (
    *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)


@dataclass(frozen=True, slots=True)
class Spot:
    """Something that happens in a text: how often, the line (from 1) or cell of the first, and what stands there."""

    count: int = 0
    line: int | None = None
    example: tuple[str, ...] = ()
    cell: str = ""

    def and_then(self, found: Found, piece: str, line: int) -> Spot:
        """This with what is found in a piece further on that begins in `line`."""
        if self.count or not found.count:
            return replace(self, count=self.count + found.count)
        return Spot(found.count, line + _lines(piece[: found.place]), found.example)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, in pieces, and the codec that gave it.

    `sure` is False where another code page fits nearly as well and gives other text; `mixed` counts the lines that
    are not in the encoding of the rest; `runner_up` is the second best codec. `mended` are characters that were
    garbled before and put right (example: before, after), `garbled` those that could not be; `lost` are replacement
    characters (U+FFFD), `nuls` NUL characters, which stay in the text.
    """

    content: Content = field(repr=False)
    encoding: str
    sure: bool = True
    mixed: int = 0
    runner_up: str | None = None
    mended: Spot = Spot()
    garbled: Spot = Spot()
    lost: Spot = Spot()
    nuls: Spot = Spot()

    def pieces(self) -> Iterator[str]:
        """The text in pieces of some megabytes, each but the last cut after a line end where it holds one."""
        for piece in _whole_lines(self._raw()):
            yield mend(piece)[0] if self.mended.count else piece

    def utf8(self) -> Iterator[str | bytes]:
        """The same text, as UTF-8 cut anywhere where the file is UTF-8 already."""
        if self.mixed or self.mended.count or self.lost.count or self.encoding not in _UTF8:
            return self.pieces()
        start = len(codecs.BOM_UTF8) if self.encoding == "utf-8-sig" else 0
        return (self.content[at : at + PIECE] for at in range(start, len(self.content), PIECE))

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces())

    def _raw(self) -> Iterator[str]:
        if self.mixed:
            return (_by_line(block, self.encoding, self.runner_up) for block in _blocks(self.content))
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        ends = range(0, max(len(self.content), 1), PIECE)
        return (decoder.decode(self.content[at : at + PIECE], at + PIECE >= len(self.content)) for at in ends)


def decode(content: Content) -> Decoded:
    """The text of a file in the encoding that makes best sense of it; never fails. Linear, and quick on ASCII."""
    names = set()
    with closing(ahead(_plain_name, _blocks(content))) as found:
        for name in found:
            if name is None:
                return _surveyed(_encoded(content))
            names.add(name)
    if content[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8:
        return Decoded(content, "utf-8-sig")
    return Decoded(content, max(names, default="ascii"))


def _plain_name(block: bytes) -> str | None:
    """The encoding of a part of a text, the widest last in the alphabet, if it is UTF-8 and has nothing to tell."""
    if b"\x00" in block:
        return None
    if block.isascii():
        return "ascii"
    return "utf-8" if _is_valid(block) and not _may_tell(block) else None


def _encoded(content: Content) -> Decoded:
    mark = next((encoding for bom, encoding in _MARKS if content[: len(bom)] == bom), None)
    if mark == "utf-8-sig":
        return _utf8(content, mark)
    if mark and b"\x00" in content[:4000]:
        return Decoded(content, mark)
    if wide := _utf16_without_mark(content):
        return Decoded(content, wide)
    return Decoded(content, "ascii") if all(map(bytes.isascii, _blocks(content))) else _utf8(content, "utf-8")


def _utf16_without_mark(content: Content) -> str | None:
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


def _utf8(content: Content, encoding: str) -> Decoded:
    if _is_utf8(content):
        return Decoded(content, encoding)
    if encoding == "utf-8-sig" or _mostly_utf8(content):
        wrong = b"\n".join(line for line in _high_lines(content) if not _can_be_decoded(line))
        page = codepages.code_page(wrong).name
        return Decoded(content, encoding, sure=False, mixed=_count(content, encoding, page), runner_up=page)
    page_found = codepages.code_page(content)
    whole = Decoded(content, page_found.name, page_found.sure, 0, page_found.runner_up)
    return replace(whole, mixed=_count(content, whole.encoding, whole.runner_up))


def _is_utf8(content: Content) -> bool:
    """Whether it is all UTF-8: block by block, or else, as a block may end within a character, as a whole."""
    return all(map(_is_valid, _blocks(content))) or _can_be_decoded(content)


def _is_valid(block: bytes) -> bool:
    try:
        large_text(block).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _can_be_decoded(content: Content) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(content), PIECE):
            decoder.decode(content[at : at + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _may_tell(block: bytes) -> bool:
    """Whether there may be something to tell about the characters of UTF-8 beyond ASCII."""
    found = np.frombuffer(block, np.uint8)
    return not _TRACES.isdisjoint(found[found > 0x7F].tobytes().decode("utf-8", "replace"))


def _mostly_utf8(content: Content) -> bool:
    """Whether most of the bytes beyond ASCII make UTF-8 characters."""
    well = high = 0
    for block in _blocks(content):
        runs = block.translate(_SPACED).split()
        well += sum(map(len, _UTF8_PAIR.findall(b" ".join(runs))))
        high += sum(map(len, runs))
    return well > 0.5 * high


def _count(content: Content, encoding: str, other: str | None) -> int:
    """How many lines are not in the encoding of the rest."""
    lines = (line for block in _blocks(content) for line in _doubtful(block, encoding))
    return sum(1 for line in lines if _codec(line, encoding, other) != encoding)


def _high_lines(content: Content) -> Iterator[bytes]:
    """The lines that are not ASCII."""
    return (line for block in _blocks(content) for line in _doubtful(block, "utf-8"))


def _doubtful(block: bytes, encoding: str) -> Iterator[bytes]:
    """The lines that may not be in the encoding: those beyond ASCII, or those that make no sense in a code page."""
    if block.isascii():
        return iter(())
    if encoding.startswith("utf-8"):
        return (line for line in block.splitlines() if not line.isascii())
    marks = codepages.senseless(block, encoding)
    return (line for line in block.splitlines() if any(mark in line for mark in marks)) if marks else iter(())


def _codec(line: bytes, encoding: str, other: str | None) -> str:
    """The codec of one line of a file that is mostly in `encoding`."""
    if not encoding.startswith("utf-8"):
        return codepages.line_page(line, encoding)
    return encoding if other is None or _can_be_decoded(line) else other


def _by_line(block: bytes, encoding: str, other: str | None) -> str:
    lines = block.splitlines(keepends=True)
    return "".join(
        line.decode("ascii" if line.isascii() else _codec(line, encoding, other), "replace") for line in lines
    )


def _blocks(content: Content) -> Iterator[bytes]:
    """The content in blocks of about PIECE bytes, each but the last ending with a line end where one is near."""
    start = 0
    while start < len(content):
        block = content[start : start + PIECE]
        if start + len(block) < len(content) and (cut := block.rfind(b"\n") + 1):
            block = block[:cut]
        yield block
        start += len(block)


def _whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    kept = ""
    for piece in pieces:
        whole = kept + piece
        cut = max(whole.rfind("\n"), whole.rfind("\r", 0, len(whole) - 1)) + 1 or len(whole)
        kept = whole[cut:]
        yield whole[:cut]
    if kept:
        yield kept


def _surveyed(decoded: Decoded) -> Decoded:
    """The same with what there is to tell about its characters."""
    mended, left, lost, nuls, line = Spot(), Spot(), Spot(), Spot(), 1
    for piece in decoded.pieces():
        nuls = nuls.and_then(_all(piece, "\x00"), piece, line)
        if _may_tell(piece.encode()):
            whole, repairs = mend(piece)
            mended = mended.and_then(repairs, piece, line)
            left = left.and_then(garbled(whole), whole, line)
            lost = lost.and_then(_all(piece, "\ufffd"), piece, line)
        line += _lines(piece)
    return replace(decoded, mended=mended, garbled=left, lost=lost, nuls=nuls)


def _all(text: str, char: str) -> Found:
    return Found(text.count(char), max(text.find(char), 0))


def _lines(text: str) -> int:
    """How many line ends a text holds."""
    return max(text.count("\n"), text.count("\r"))
