"""Which encoding a text file has, and its text in pieces, so that a large file is never in memory as a whole.

UTF-8 and UTF-16 are recognised by their bytes. Any other text is in a single-byte code page, which is chosen by where
its pound signs, dashes and accents come out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

import numpy as np
import pyarrow as pa

from piperoll.model.columns import large_text
from piperoll.reading.files.contents import STRETCH, Content
from piperoll.reading.files.mojibake import LOST, TRACES, Damage, DamageInText, find_remains, repair
from piperoll.reading.grids.parallel import map_in_order

PIECE = 2_000_000
"""Bytes that are decoded at a time."""

_ASCII_TO_SPACES = b" " * 128 + bytes(range(128, 256))
"""A translation table that leaves only the bytes beyond ASCII."""

_UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CUT_CHARACTER = re.compile(rb"[\xc2\xc3\xe2](?=[\s,;\"|]|\Z)")
_UTF8 = ("ascii", "utf-8", "utf-8-sig")
"""Encodings whose bytes are UTF-8 as they are, apart from the byte order mark of the last one."""

_NOTABLE = TRACES | {"\ufffd"}
"""Characters that damage begins with. A text without any of them, and without NUL, has no damage to report."""

_BYTE_ORDER_MARKS = (
    *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)

CODE_PAGES = ("cp1252", "mac_roman", "cp850")
"""The single-byte code pages that British spreadsheet programs write; of two with equal scores the first is chosen."""

_HIGH = re.compile(rb"[\x80-\xff]")
_PARTS, _SAMPLES = 64, 64
"""Choose the code page by at most 64 bytes beyond ASCII from each of 64 equal parts of the file."""

_MARGIN = 1.0
"""If the scores of two code pages differ by less than this, about one weak clue, report the choice as doubtful."""

_QUOTES = "\u2018\u2019\u201c\u201d"
_DASHES = "\u2013\u2014"
_SYMBOLS = "•…·®©™°½¼¾²³€"
_ACCENTED = "éèêëàâäáåçîïíìôöóòøûüúùñæœ"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, in pieces, and the codec that decodes it.

    `sure` is False where another code page fits nearly as well and gives other text; `mixed` counts the lines that are
    not in the encoding of the rest; `runner_up` is the second best codec. `repaired` are characters that were garbled
    and have been restored (example: before, after), `garbled` those that could not be; `lost` are replacement
    characters (U+FFFD); `nuls` are NUL characters, which stay in the text.
    """

    content: Content = field(repr=False)
    encoding: str
    sure: bool = True
    mixed: int = 0
    runner_up: str | None = None
    repaired: Damage = field(default_factory=Damage)
    garbled: Damage = field(default_factory=Damage)
    lost: Damage = field(default_factory=Damage)
    nuls: Damage = field(default_factory=Damage)

    def pieces(self) -> Iterator[str]:
        """The text in pieces of about 2 MB, each but the last cut after a line end if it has one."""
        raw: Iterator[str]
        if self.mixed:
            raw = (self._decode_lines(block) for block in _blocks(self.content))
        else:
            decoder = codecs.getincrementaldecoder(self.encoding)("replace")
            starts = range(0, max(len(self.content), 1), PIECE)
            raw = (decoder.decode(self.content[at : at + PIECE], at + PIECE >= len(self.content)) for at in starts)
        for piece in _cut_at_line_ends(raw):
            yield repair(piece)[0] if self.repaired.count or self.lost.count else piece

    def utf8(self) -> Iterator[str | bytes]:
        """The same text; as bytes, cut anywhere, if the file is valid UTF-8 and needs no repair."""
        if self.mixed or self.repaired.count or self.lost.count or self.encoding not in _UTF8:
            return self.pieces()
        start = len(codecs.BOM_UTF8) if self.encoding == "utf-8-sig" else 0
        return (self.content[at : at + PIECE] for at in range(start, len(self.content), PIECE))

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces())

    def _decode_lines(self, block: bytes) -> str:
        """Decode each line of a mixed file with its own codec."""
        lines = block.splitlines(keepends=True)
        return "".join(line.decode(_line_codec(line, self.encoding, self.runner_up), "replace") for line in lines)


def _find_simple_encoding(block: bytes) -> str | None:
    """`ascii` or `utf-8` for a block that is that and has no damage to report; most files are not decoded further."""
    if b"\x00" in block:
        return None
    if block.isascii():
        return "ascii"
    return "utf-8" if _is_valid_utf8(block) and not _may_be_damaged(block) else None


def decode(content: Content) -> Decoded:
    """Decode a file with the encoding that makes best sense of it; never fails."""
    names = set()
    with closing(map_in_order(_find_simple_encoding, _blocks(content))) as found:
        for name in found:
            if name is None:
                return _report_damage(_choose_encoding(content))
            names.add(name)
    if content[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8:
        return Decoded(content, "utf-8-sig")
    return Decoded(content, max(names, default="ascii"))  # "utf-8" if any block is


def _choose_encoding(content: Content) -> Decoded:
    mark = next((encoding for bom, encoding in _BYTE_ORDER_MARKS if content[: len(bom)] == bom), None)
    if mark and mark != "utf-8-sig" and b"\x00" in content[:4000]:
        return Decoded(content, mark)
    if mark != "utf-8-sig":
        if wide := _utf16_without_mark(content):
            return Decoded(content, wide)
        if all(map(bytes.isascii, _blocks(content))):
            return Decoded(content, "ascii")
    encoding = "utf-8-sig" if mark == "utf-8-sig" else "utf-8"
    # A block can end within a character, so a file with invalid blocks is decoded as a whole.
    if all(map(_is_valid_utf8, _blocks(content))) or _is_decodable(content):
        return Decoded(content, encoding)
    if mark == "utf-8-sig" or _is_mostly_utf8(content):
        wrong = b"\n".join(
            line for block in _blocks(content) for line in _doubtful_lines(block, "utf-8") if not _is_decodable(line)
        )
        page = find_code_page(wrong).name
        mixed = _count_mixed(content, encoding, page)
        return Decoded(content, encoding, sure=not mixed, mixed=mixed, runner_up=page)
    found = find_code_page(content)
    mixed = _count_mixed(content, found.name, found.runner_up)
    return Decoded(content, found.name, found.sure, mixed, found.runner_up)


def _utf16_without_mark(content: Content) -> str | None:
    """UTF-16 of English text is recognised by every second byte being zero."""
    head = content[:2000]
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.4 * len(head[1::2]) and even < 0.05 * len(head[0::2]):
        return "utf-16-le"
    if even > 0.4 * len(head[0::2]) and odd < 0.05 * len(head[1::2]):
        return "utf-16-be"
    return None


def _is_valid_utf8(block: bytes) -> bool:
    try:
        large_text(block).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_decodable(content: Content) -> bool:
    """Whether all of it is UTF-8, decoded piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(content), PIECE):
            decoder.decode(content[at : at + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _may_be_damaged(block: bytes) -> bool:
    """Whether UTF-8 has any of the characters that garbled text begins with."""
    found = np.frombuffer(block, np.uint8)
    return not _NOTABLE.isdisjoint(found[found > 0x7F].tobytes().decode("utf-8", "replace"))


def _is_mostly_utf8(content: Content) -> bool:
    """Whether most of the bytes beyond ASCII form UTF-8 characters."""
    well_formed = high = 0
    for block in _blocks(content):
        runs = block.translate(_ASCII_TO_SPACES).split()
        well_formed += sum(map(len, _UTF8_CHARACTER.findall(b" ".join(runs))))
        high += sum(map(len, runs))
    return well_formed > 0.5 * high


def _count_mixed(content: Content, encoding: str, other: str | None) -> int:
    """Count the lines that are not in the encoding of the rest."""
    lines = (line for block in _blocks(content) for line in _doubtful_lines(block, encoding))
    return sum(1 for line in lines if _line_codec(line, encoding, other) != encoding)


def _doubtful_lines(block: bytes, encoding: str) -> Iterator[bytes]:
    """The lines that may be in another encoding: those beyond ASCII in UTF-8, else those that make no sense."""
    if block.isascii():
        return iter(())
    if encoding.startswith("utf-8"):
        return (line for line in block.splitlines() if not line.isascii())
    wrong = {sample.strip() for sample in set(_samples(block)) if _score_sample(sample, encoding) < 0}
    return (line for line in block.splitlines() if any(sample in line for sample in wrong)) if wrong else iter(())


def _line_codec(line: bytes, encoding: str, other: str | None) -> str:
    """The codec of one line of a file that is mostly in `encoding`."""
    if line.isascii():
        return encoding
    if encoding.startswith("utf-8"):
        if other is None or _is_decodable(line) or _has_only_cut_characters(line):
            return encoding
        return other
    samples = list(_samples(line))
    if _score(samples, encoding) >= 0:
        return encoding
    found = rank_code_pages(samples)
    return found.name if found.sure and _score(samples, found.name) > 0 else encoding


def _has_only_cut_characters(line: bytes) -> bool:
    """Whether a line is UTF-8 but for characters that lost their second byte: `C2` at the end of a word."""
    rest = _UTF8_CHARACTER.sub(b"", line)
    return not rest.isascii() and _CUT_CHARACTER.sub(b"", rest).isascii()


def _blocks(content: Content) -> Iterator[bytes]:
    """The content in blocks of about PIECE bytes, each but the last ending with a line end where one is near."""
    start = 0
    while start < len(content):
        block = content[start : start + PIECE]
        if start + len(block) < len(content) and (cut := block.rfind(b"\n") + 1):
            block = block[:cut]
        yield block
        start += len(block)


def _cut_at_line_ends(pieces: Iterable[str]) -> Iterator[str]:
    kept = ""
    for piece in pieces:
        text = kept + piece
        # A CR at the very end may be half of a CRLF.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1 or len(text)
        kept = text[cut:]
        yield text[:cut]
    if kept:
        yield kept


def _report_damage(decoded: Decoded) -> Decoded:
    """The same, with the damage among its characters."""
    repaired, remains, lost, nuls, line = Damage(), Damage(), Damage(), Damage(), 1

    def line_of(found: DamageInText, piece: str) -> int:
        return line + _count_lines(piece[: found.index])

    def occurrences(piece: str, char: str) -> DamageInText:
        return DamageInText(piece.count(char), max(piece.find(char), 0))

    for piece in decoded.pieces():
        found = occurrences(piece, "\x00")
        nuls = nuls.add(found, line_of(found, piece))
        if _may_be_damaged(piece.encode()):
            text, found = repair(piece)
            repaired = repaired.add(found, line_of(found, piece))
            found = find_remains(text)
            remains = remains.add(found, line_of(found, text))
            found = _find_lost(piece)
            lost = lost.add(found, line_of(found, piece))
        line += _count_lines(piece)
    return replace(decoded, repaired=repaired, garbled=remains, lost=lost, nuls=nuls)


def _find_lost(piece: str) -> DamageInText:
    indices = [match.start() for match in LOST.finditer(piece)]
    return DamageInText(len(indices), indices[0]) if indices else DamageInText()


def _count_lines(text: str) -> int:
    return max(text.count("\n"), text.count("\r"))


@dataclass(frozen=True, slots=True)
class CodePage:
    """The code page chosen, the second best that gives other text, and whether nothing fits nearly as well."""

    name: str
    runner_up: str | None
    sure: bool


def find_code_page(content: Content) -> CodePage:
    """The code page that makes best sense of a file, by samples from all its parts."""
    samples: list[bytes] = []
    size = len(content) // _PARTS + 1
    for start in range(0, len(content), size):
        before = start > 0  # read one more byte on either side: the neighbours of the first and the last
        part = content[start - before : start + size + 1]
        found = islice(_HIGH.finditer(part, before, before + size), _SAMPLES)
        samples += (_sample_at(part, match.start()) for match in found)

    def contains(byte: bytes) -> bool:
        return any(byte in content[at : at + STRETCH] for at in range(0, len(content), STRETCH))

    # Old Macintosh programs end lines with CR alone.
    bonus = {"mac_roman": 0.5 if contains(b"\r") and not contains(b"\n") else 0.0}
    bonus["cp1252"] = _SPACE_BETWEEN_WORDS * sum(map(_are_two_words, _find_words_around_spaces(content)))
    return rank_code_pages(samples, bonus)


_SPACE = re.compile(rb"([A-Za-z]{1,20})\xa0(?=([A-Za-z]{1,20}))")
_LONGEST_WORD = 20
_SPACE_BETWEEN_WORDS = 2.5
"""How much a no-break space of cp1252 between two words counts; in DOS text the byte is an accented letter (`á`)."""

_VOWEL = re.compile(r"[aeiouy]", re.I)
_ODD_START = re.compile(
    r"(?!bl|br|ch|cl|cr|dr|dw|fl|fr|gh|gl|gn|gr|kn|ph|pl|pr|ps|qu|rh|s[chklmnpqtw]|sh|th|tr|tw|wh|wr)[^aeiouy]{2}", re.I
)
_ODD_END = re.compile(
    r"(?!ch|ck|ct|ff|ft|gh|ks|lb|ld|lf|lk|ll|lm|ln|lp|ls|lt|lv|mb|mn|mp|ms|nc|nd|ng|nk|ns|nt|ph|ps|pt|rb|rc|rd|rf|rg|rk|rl"
    r"|rm|rn|rp|rs|rt|rv|sh|sk|sm|sp|ss|st|th|ts|tt|tz|wd|wk|wl|wn|ws|xt|ds|gs|bs|fs|hs|cs)[^aeiouy]{2}\Z",
    re.I,
)


def _find_words_around_spaces(content: Content) -> Iterator[tuple[str, str]]:
    """The letters before and after the byte A0, at most 64 times in each of 64 equal parts of the file."""
    size = max(len(content) // _PARTS, _LONGEST_WORD) + 1
    for start in range(0, len(content), size):
        before = min(start, _LONGEST_WORD)  # the words go on in the neighbouring parts
        part = content[start - before : start + size + _LONGEST_WORD]
        for match in islice(_SPACE.finditer(part), _SAMPLES):
            if before <= match.end(1) < before + size:
                yield match[1].decode("ascii"), match[2].decode("ascii")


def _are_two_words(around: tuple[str, str]) -> bool:
    """Whether the letters around a byte are two English words rather than the parts of one foreign word or name.

    `and of` is; `Hern ndez` and `M laga` are not: the parts have no vowel, or begin or end as no English word does.
    """
    left, right = around
    if left[-1].islower() and right[0].isupper():
        return True
    if min(len(left), len(right)) < 2 and not {left, right} & {"a", "A", "I", "&"}:
        return False
    whole = all(_VOWEL.search(part) for part in around)
    return whole and not _ODD_START.match(right) and not _ODD_END.search(left)


def rank_code_pages(samples: Sequence[bytes], bonus: dict[str, float] | None = None) -> CodePage:
    """The code page that makes best sense of samples: each is a byte beyond ASCII between its neighbours."""
    scores = {name: _score(samples, name) + (bonus or {}).get(name, 0.0) for name in CODE_PAGES}
    ranked = sorted(CODE_PAGES, key=lambda name: -scores[name])  # stable: of equal scores the first stays first
    together = b"".join(samples)
    texts = {name: together.decode(name, "replace") for name in CODE_PAGES}
    best, others = ranked[0], [name for name in ranked[1:] if texts[name] != texts[ranked[0]]]
    if not others:
        return CodePage(best, None, sure=True)
    return CodePage(best, others[0], sure=scores[best] - scores[others[0]] >= _MARGIN)


def _samples(content: bytes) -> Iterator[bytes]:
    return (_sample_at(content, match.start()) for match in _HIGH.finditer(content))


def _sample_at(content: bytes, index: int) -> bytes:
    """The byte at an index between its neighbours; the first byte gets a space before it."""
    return content[index - 1 : index + 2] if index else b" " + content[:2]


def _score(samples: Iterable[bytes], name: str) -> float:
    """How much sense samples make in a code page; higher is better."""
    return sum(_score_sample(sample, name) for sample in samples)


@lru_cache(4096)
def _score_sample(sample: bytes, name: str) -> float:
    text = sample.decode(name, "replace")
    before, char, after = text[0], text[1], text[2:3] or " "
    if char.isalpha() and ord(char) < 0x250:
        return _score_letter(before, char, after)
    if char in _QUOTES:
        return 3.0 if before.isalnum() or after.isalnum() else 1.0
    if char in _DASHES:
        return 2.0 if before.isspace() or after.isspace() or (before.isalnum() and after.isalnum()) else 0.5
    return _score_symbol(before, char, after)


def _score_symbol(before: str, char: str, after: str) -> float:
    if char == "£":
        return 3.0 if after.isdigit() or after in " (-,\"')m" or before in "(' -" else 1.0
    if char == "\xa0":  # most often at the end of a word
        return 0.5 if before.isalpha() and after.isalpha() else 1.5
    if char in _SYMBOLS:
        return 1.5 if char == "…" and before.isalnum() else 0.5
    return -4.0 if ord(char) < 0xA0 or ord(char) >= 0x2500 else -1.0


def _score_letter(before: str, char: str, after: str) -> float:
    if after.isdigit() or not (before.isalpha() or after.isalpha()):
        return -3.0
    if char.islower() and after.isupper():  # `áPayment`, `ReactiveáMaintenance`: a space of another code page
        return -2.0
    if char in (before, after) or (char.isupper() and before.islower()):  # ááá: spaces of another code page
        return -2.0
    if char not in _ACCENTED:
        return 0.5
    if before.isalpha() and after.isalpha():
        return 2.0
    return 2.0 if char == "é" else 0.75
