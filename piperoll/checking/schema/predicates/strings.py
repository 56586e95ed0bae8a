"""Text: lengths, patterns, lists of values, and those spellings of formats that are beyond doubt.

Table Schema, "string" and "Constraints".
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.schema.patterns import Portable
from piperoll.checking.schema.predicates.masks import Cells, Mask, mask, not_in, unlike

_EMAIL = r"\A[a-z0-9_]+(?:\.[a-z0-9_]+)*@(?:[a-z0-9]+\.){1,3}[a-z]{2,6}\z"
_EMAIL_LENGTH = 60
"""Within every limit that RFC 5321 sets, so that only the spelling is to be proven."""
_URI = r"\Ahttps?://[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*(?:/[A-Za-z0-9._/-]*)?\z"
_UUID = r"\A[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\z"
_BASE64 = r"\A(?:[A-Za-z0-9+/]{4})*\z"


def email_unproven(cells: Cells, _: object) -> Mask:
    """Not a short address of plain words."""
    return unlike(cells, _EMAIL) | longer(cells, _EMAIL_LENGTH)


def uri_unproven(cells: Cells, _: object) -> Mask:
    """Not a plain http address."""
    return unlike(cells, _URI)


def uuid_unproven(cells: Cells, _: object) -> Mask:
    """Not thirty-two hexadecimal digits in five groups."""
    return unlike(cells, _UUID)


def base64_unproven(cells: Cells, _: object) -> Mask:
    """Not whole groups of four, without padding."""
    return unlike(cells, _BASE64)


def shorter(cells: Cells, characters: int) -> Mask:
    """Fewer code points than that."""
    return mask(pc.less(pc.utf8_length(cells), pa.scalar(characters)))


def longer(cells: Cells, characters: int) -> Mask:
    """More code points than that."""
    return mask(pc.greater(pc.utf8_length(cells), pa.scalar(characters)))


def off_pattern(cells: Cells, pattern: Portable) -> Mask:
    """Not of the pattern."""
    return unlike(cells, pattern.expression)


def pattern_unproven(cells: Cells, pattern: Portable) -> Mask:
    """Text for which the pattern may mean something else in Python: line ends and, where it matters, beyond ASCII."""
    doubted = mask(pc.match_substring(cells, "\n"))
    return doubted | ~mask(pc.string_is_ascii(cells), null=True) if pattern.ascii_only else doubted


def not_among(cells: Cells, values: Cells) -> Mask:
    """None of the values, letter by letter."""
    return not_in(cells, values)
