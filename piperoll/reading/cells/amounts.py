"""Money and numbers in the notations of real files, as exact decimals; nothing here is ever a float.

`read_amount` reads one cell. `PlainAmounts` reads a column of cells in plain notation (`-£1,234.50`) at once: the
shapes of the cells show which are plain, and the rest is done on the bytes of all cells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Flags, Integers, pc, text_offsets, texts_from_buffers, to_flags, utf8
from piperoll.reading.grids.cell_shapes import to_shapes
from piperoll.reading.grids.grid import tidy

_NUMBER = re.compile(
    r"(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d{1,3}(?:'\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,2})?\Z",
    re.ASCII,
)
_SPACES = dict.fromkeys("\xa0\u2002\u2003\u2005\u2007\u2008\u2009\u200a\u202f\u3000\t\r\n", " ")
_MINUSES = dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\u00ad\ufe63\uff0d", "-")
_WIDE = dict(zip("\uff0e\uff0c\uffe1\uff08\uff09\uff0b\u066b\u066c\u2019", ".,£()+.,'", strict=True))
_SIGNS = str.maketrans(_SPACES | _MINUSES | _WIDE)
_SWAPPED = str.maketrans(",.", ".,")
_GBP = re.compile(r"\u00c2?£|(?<![a-z])gbp(?![a-z])", re.I)
_CODES = "eur|euros?|usd|us dollars?|dollars?|chf|francs?|jpy|yen|aud|cad|nzd|sek|nok|dkk|pln|inr|zar|hkd|sgd|cny|aed"
_FOREIGN = re.compile(rf"[€$¥₹]|(?<![a-z])(?:{_CODES})(?![a-z])", re.I)
_POUNDS = re.compile(r"£|\bgbp\b|\bsterling\b|\bpounds?\b", re.I)
_CREDIT = re.compile(r"(?<![a-z])(cr|dr)\.?\Z|\A(cr|dr)\b\.?", re.I)
_FOOTNOTE = re.compile(r"(?<=[\d)])\s*[*†‡]+\Z")
_SECOND_POINT = re.compile(r"(?<=\.\d\d)\.\Z")
_THREE_PLACES = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3},\d{3}", re.ASCII)

_WORD = r"(?<!\bper )(?<!\d )(?<!\d)\b"
"""The start of a word for a unit, but not after a number (`over 25 thousand`) or `per`, which is a rate."""

_SCALES = (
    (Decimal(1_000_000_000), rf"{_WORD}billions?\b", r"£\s?bn\b"),
    (
        Decimal(1_000_000),
        rf"{_WORD}millions?\b",
        r"(?:£|\bgbp)\s*['’]?(?:m|mn|mln|millions?)\b",
        r"\(m\)",
        r"£\s*0{3},?0{3}",
    ),
    (
        Decimal(1000),
        rf"{_WORD}(?:thousands?|thous|ths)\b",
        r"[x×*]\s?£?\s?1[,.]?000\b",
        r"(?:[£(]|(?<![\d,.])\s)\s*['\u2018\u2019]?0{3}['\u2019]?s?\b",
        r"£\s?['’]?k\b",
        r"\bk£",
        r"\(k\)",
    ),
    (Decimal("0.01"), r"\bpence\b", r"\(p\)"),
)
_SCALE_PATTERNS = tuple((scale, re.compile("|".join(words), re.I)) for scale, *words in _SCALES)

_MOST_DIGITS = 40
"""Characters of a number: longer ones count nothing, and sums of them would not be exact."""

MOST_POUNDS = Decimal(10) ** 12
"""More than any public body spends in a year: a cell with more is a mistake."""

_ROUNDED = re.compile(
    r"(?P<sign>[-(]?)\s?£?\s?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?)\s?(?P<unit>k|m|mn|mln|bn)\)?",
    re.I,
)
_LETTER = re.compile("[a-z]", re.I)
_UNITS = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "mln": 1_000_000, "bn": 1_000_000_000}

_USUAL = re.compile(r"(-?)£?((?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,6})?)", re.ASCII)
"""Most amounts: they need no further parsing and fit into a decimal of 28 digits."""


_ACCOUNTING_ZERO = re.compile(r"\s*£?\s*-\s{2,}")
_ACCOUNTING_NUMBER = re.compile(r"\s*-?\s*£?\s*-?[\d,]+(?:\.\d+)? |\s+£?\s*\(£?[\d,]+(?:\.\d+)?\) ?")


def is_accounting_zero(cell: str) -> bool:
    """Whether a cell shows zero as the accounting format of spreadsheet programs does: `" -   "`, `" £-   "`.

    Only other amounts in the column can show that it has this format (`has_accounting_format`).
    """
    return _ACCOUNTING_ZERO.fullmatch(cell) is not None


def has_accounting_format(counts: Mapping[str, int]) -> bool:
    """Whether the numbers of a column, as sent, end with one blank, as they do in that format: `" 1,234.50 "`.

    A negative one can be in brackets after a blank, `" (1,234.50)"`.
    One in twenty can be without, as if it was added by hand.
    """
    numbers = {cell: count for cell, count in counts.items() if any(char.isdigit() for char in cell)}
    fitting = sum(count for cell, count in numbers.items() if _ACCOUNTING_NUMBER.fullmatch(cell))
    return 0 < 0.95 * sum(numbers.values()) <= fitting


_LONGEST = 100
"""The most characters of a cell with an amount: sums are exact to 200 digits, and a cell can have a million."""


@lru_cache(maxsize=100_000)
def read_amount(cell: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The number that a cell states, in the unit it is written in; None if it is not certain.

    Accepted: `1,234.50`, `£ 1 234.50`, `-£5`, `£-5`, `(1,234.00)`, `165,546.00-`, `5.00 CR`, `1.5E+05`, `1,234*`;
    a Unicode minus or dash is a minus, and digits of any script are digits.
    Rejected as doubtful: `34,551,00`, `1234,56`, `1.234,56`, `1,23,456`, `€5`, `£1.2m`, `5%`, `500.00 (1)`.
    With `decimal_comma`, which a whole column must prove, `1234,56` and `1.234,56` are numbers and `1,234` is not.
    """
    if len(cell) > _LONGEST:
        return None
    if not decimal_comma and (usual := _USUAL.fullmatch(cell)):
        return Decimal(usual[1] + usual[2].replace(",", "")) or Decimal(0)
    text = _normalize(cell)
    if not any(char.isdigit() for char in text):
        return None
    digits, negative = _split_sign(_GBP.sub(" ", text).strip())
    if digits is not None and decimal_comma:
        digits = None if _THOUSANDS.fullmatch(digits) else digits.translate(_SWAPPED)
    if digits is None or len(digits) > _MOST_DIGITS or not _NUMBER.match(digits):
        return None
    value = Decimal(digits.replace(",", "").replace(" ", "").replace("'", ""))
    return (-value if negative else value) + Decimal(0) if value else Decimal(0)


@lru_cache(maxsize=20_000)
def read_rounded(cell: str) -> Decimal | None:
    """The number that a cell states in thousands or millions (`37.5k`, `£1.2m`); None if it is not certain.

    Three digits after a point are doubtful (`1.200k`): the point may separate thousands.
    """
    match = _ROUNDED.fullmatch(_normalize(cell)) if _LETTER.search(cell) else None
    if match is None:
        return None
    value = Decimal(match["digits"].replace(",", "")) * _UNITS[match["unit"].lower()]
    return -value if match["sign"] else value


def states_number(cell: str) -> bool:
    """Whether a cell states a number, perhaps rounded to thousands or millions."""
    return is_number(cell) or _ROUNDED.fullmatch(_normalize(cell)) is not None or bool(_ROUNDED_POINT.fullmatch(cell))


_ROUNDED_POINT = re.compile(r"-?£?\d{1,3}(?:\.\d{3})+\s?[km]", re.I)
"""Rounded, with a point that may separate thousands."""


def _normalize(cell: str) -> str:
    """The cell with ASCII digits, spaces and minus signs, without footnote marks."""
    text = tidy(cell)
    if not text.isascii():
        text = text.translate(_SIGNS)
        text = "".join(str(unicodedata.decimal(char, char)) for char in text) if not text.isascii() else text
        text = text.strip()
    text = _FOOTNOTE.sub("", text.removeprefix("'"))
    return _SECOND_POINT.sub("", text)


def _split_sign(text: str) -> tuple[str | None, bool]:
    """The digits without their sign, and whether they are negative; None in place of digits if there are two signs."""
    signs = 0
    if match := _CREDIT.search(text):
        signs += (match[1] or match[2]).lower() == "cr"
        text = (text[: match.start()] + text[match.end() :]).strip()
    if text.startswith("(") and text.endswith(")"):
        signs, text = signs + 1, text[1:-1].strip()
    if text.endswith("-"):
        signs, text = signs + 1, text[:-1].strip()
    if text.startswith("-"):
        signs, text = signs + 1, text[1:].strip()
    elif text.startswith("+"):
        text = text[1:].strip()
    return (text if signs <= 1 else None), signs == 1


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How the numbers of one column are written, and the evidence: cells that can only be read one way.

    `comma_proofs` and `point_proofs` count the cells in which only a comma, or only a point, can be the decimal mark;
    `with_pence` those with a point and two digits after it. `three_places`: every point has three digits after it, as
    if it separated thousands.
    """

    comma_proofs: int = 0
    point_proofs: int = 0
    with_pence: int = 0
    three_places: bool = False

    @property
    def decimal_comma(self) -> bool:
        """True if at least two cells prove a decimal comma, and at least twenty for each that contradicts it."""
        return self.comma_proofs > 1 and self.comma_proofs >= 20 * self.point_proofs


_PLAIN = re.compile(r"-?£?(?:\d{1,3}(?:,\d{3})+|\d+)(?P<pence>\.\d\d)?\Z", re.ASCII)
"""Most cells: they need no further parsing."""


def find_amount_style(counts: Mapping[str, int]) -> AmountStyle:
    """How the numbers of a column are written, from its distinct cells and how often each occurs."""
    comma = point = pence = 0
    fractions: list[str] = []
    for cell, count in counts.items():
        if plain := _PLAIN.match(cell):
            pence += count * bool(plain["pence"])
            point += count * bool(plain["pence"] or "," in cell)
            continue
        text = _normalize(cell)
        by_point, by_comma = read_amount(text), read_amount(text, decimal_comma=True)
        comma += count * (by_point is None and by_comma is not None)
        point += count * (by_comma is None and by_point is not None)
        if by_point is not None and "." in text:
            fractions.append(_split_sign(_GBP.sub(" ", text).strip())[0] or "")
            pence += count * (by_point.as_tuple().exponent == -2)
    three = not pence and len(fractions) > 2 and all(map(_THREE_PLACES.fullmatch, fractions))
    return AmountStyle(comma, point, pence, three_places=three)


_ODD = re.compile(r"[A-Za-z*†‡]")


def find_notation(cell: str) -> str | None:
    """What to report about the notation of a cell that was read: `credit`, `exponent`, `mark` or None."""
    if not _ODD.search(cell):
        return None
    text = _normalize(cell)
    if _CREDIT.search(text):
        return "credit"
    if re.search(r"\de[+-]?\d", text, re.I):
        return "exponent"
    return "mark" if _FOOTNOTE.search(tidy(cell)) else None


_REASONS = (
    (_FOREIGN, "foreign"),
    (re.compile(r"%"), "share"),
    (re.compile(r"\d\s*(?:k|m|bn|million|thousand|billion)\b", re.I), "rounded"),
    (re.compile(r"\d\s*\(?\d?\d?\)\s*\Z"), "brackets"),
    (re.compile(r"(?<=[\d.,])[oO]|[oO](?=[\d.,])"), "letter-o"),
    (re.compile(r"(?<=[\d.,])[lI]|[lI](?=[\d.,])"), "letter-one"),
    (re.compile(r"\d,\d{1,2}(?!\d)"), "comma"),
    (re.compile(r"\d\s*(?:[/;|]|to|and|&)\s*£?\d|\d +£\d", re.I), "several"),
)


_VERY_LONG = re.compile(r"[-£\s]*\d[\d,]{30,}(?:\.\d*)?|[-£\s]*\d+(?:\.\d+)?[eE]\+?\d\d")


def explain_unreadable(cell: str) -> str:
    """Why a cell is not certainly an amount: the variant of the finding `amount-unreadable`."""
    text = tidy(cell)
    if not any(char.isdigit() for char in text):
        return "plain"
    amount = read_amount(text)
    if (amount is not None and abs(amount) > MOST_POUNDS) or _VERY_LONG.fullmatch(text):
        return "too-large"
    return next((reason for pattern, reason in _REASONS if pattern.search(text)), "plain")


def find_scale(heading: str) -> Decimal:
    """The factor for amounts under a heading: 1000 for `£000`, 0.01 for pence, else 1."""
    for scale, pattern in _SCALE_PATTERNS:
        if pattern.search(heading):
            return scale
    return Decimal(1)


def is_foreign(heading: str) -> bool:
    """Whether a heading says that its amounts are in euros, dollars or another currency than pounds."""
    return bool(_FOREIGN.search(heading)) and not _POUNDS.search(heading)


def spell_number(value: Decimal) -> str:
    """A number as digits and a point, without an exponent, with as many decimals as it has."""
    return f"{value + Decimal(0):f}"


@lru_cache(maxsize=20_000)
def is_number(cell: str) -> bool:
    """Whether a cell certainly states a number, even if only its column can show which (`1234,56`)."""
    return read_amount(cell) is not None or read_amount(cell, decimal_comma=True) is not None


_PLAIN_SHAPE = r"^ *(?:-?£?|£-)(?:9{1,3}(?:,9{3}){1,4}|9{1,15})(?:\.9{1,6})? *$"
"""The shape of a plain amount (RE2 syntax)."""

_CANONICAL = r"^-?(?:[1-9][0-9]*(?:\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)$"
"""A number without commas that is already in canonical spelling: no leading zero, and not zero."""

PLACES = 6
"""Decimal places of the whole numbers in which plain amounts are summed: millionths of a pound."""
_DIGITS = 12
"""The most digits before the point of a plain amount: with six decimals they fit into 64 bits."""

_MINUS, _POINT, _ZERO = b"-.0"


@dataclass(frozen=True)
class PlainAmounts:
    """The cells of a column that are amounts in plain notation."""

    cells: Cells

    @cached_property
    def _coded(self) -> Any:
        return to_shapes(self.cells).dictionary_encode()

    @cached_property
    def _by_shape(self) -> tuple[Flags, Integers]:
        """For each distinct shape: whether it is a plain amount, and its number of decimals."""
        shapes = self._coded.dictionary
        plain = to_flags(pc.match_substring_regex(shapes, _PLAIN_SHAPE)).copy()
        decimals = np.zeros(len(shapes), np.int64)
        for index in np.flatnonzero(plain):
            whole, _, part = shapes[index].as_py().strip().partition(".")
            decimals[index] = len(part)
            plain[index] = whole.count("9") <= _DIGITS
        return plain, decimals

    @cached_property
    def plain(self) -> Flags:
        """Which cells are plain amounts of at most twelve digits before the point."""
        found: Flags = self._by_shape[0][self._coded.indices.to_numpy()]
        return found

    @property
    def no_amount(self) -> Flags:
        """Which cells certainly state no amount: no cell of their shape does."""
        amount: Flags = self._by_shape[0].copy()
        for index in np.flatnonzero(~amount):
            amount[index] = read_amount(self._coded.dictionary[index].as_py()) is not None
        found: Flags = ~amount[self._coded.indices.to_numpy()]
        return found

    @cached_property
    def _plain_cells(self) -> Cells:
        return self.cells if self.plain.all() else self.cells.filter(pa.array(self.plain))

    @cached_property
    def millionths(self) -> Integers:
        """The amount of each cell in millionths; 0 where it is not a plain amount."""
        decimals = self._by_shape[1][self._coded.indices.to_numpy()[self.plain]]
        digits, signed = _keep(self._plain_cells, signs=False), _keep(self._plain_cells, signs=True)
        values = digits.cast(pa.int64()).to_numpy() * 10 ** (PLACES - decimals)
        found = np.zeros(len(self.cells), np.int64)
        found[self.plain] = np.where(_first_byte_is(signed, _MINUS), -values, values)
        return found

    @property
    def spelled(self) -> Cells:
        """The canonical spelling of the plain amounts; null for all other cells and for some with leading zeros."""
        spelled = _keep(self._plain_cells, signs=True)
        led = _first_byte_is(_keep(self._plain_cells, signs=False), _ZERO)
        if led.any():
            wrong = led.copy()
            wrong[led] = ~to_flags(pc.match_substring_regex(spelled.filter(pa.array(led)), _CANONICAL))
            spelled = pc.if_else(pa.array(wrong), None, spelled)
        if self.plain.all():
            return spelled
        return pc.replace_with_mask(pa.nulls(len(self.cells), pa.string()), pa.array(self.plain), spelled)


def _keep(cells: Cells, *, signs: bool) -> Cells:
    """The cells with only their digits, or with only digits, signs and points."""
    offsets = text_offsets(cells)
    text = utf8(cells)[offsets[0] : offsets[-1]]
    kept = text - _ZERO < len("0123456789")
    if signs:
        kept |= (text == _MINUS) | (text == _POINT)
    so_far = np.zeros(len(text) + 1, np.int32)
    np.cumsum(kept, out=so_far[1:])
    return texts_from_buffers(so_far[offsets - offsets[0]], text[kept].tobytes())


def _first_byte_is(cells: Cells, byte: int) -> Flags:
    """Which cells, none of them empty, begin with a byte."""
    first: Flags = utf8(cells)[text_offsets(cells)[:-1]] == byte
    return first


def sum_millionths(millionths: Integers) -> Decimal:
    """The exact sum."""
    whole, part = np.divmod(millionths, 10**PLACES)
    return Decimal(int(whole.sum()) * 10**PLACES + int(part.sum())).scaleb(-PLACES)
