r"""Regular expressions over whole columns: RE2 where it agrees with Python's `re`, and `re` itself everywhere else.

Frictionless and Great Expectations match texts with `re`, one by one. Arrow matches a column with RE2, ten times as
fast, but the two differ: in what `\d` and `\s` match beyond ASCII, in line ends, and in features that RE2 lacks. So
RE2 is used only for texts of printable ASCII. The expression that it gets is generated from Python's own parse of the
pattern, and only if every part of it means the same in both.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.model.columns import Cells, Flags, pc, text_offsets, to_flags, utf8

_ONE_THREAD = threading.RLock()
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E
_LAST_ASCII, _LAST_CHARACTER = 0x7F, 0x10FFFF
_CLASSES = {
    opcodes.CATEGORY_DIGIT: "0-9",
    opcodes.CATEGORY_WORD: "0-9A-Za-z_",
    opcodes.CATEGORY_SPACE: r"\x09-\x0d\x1c-\x20",
}
_NEGATED_CLASSES = {
    opcodes.CATEGORY_NOT_DIGIT: _CLASSES[opcodes.CATEGORY_DIGIT],
    opcodes.CATEGORY_NOT_WORD: _CLASSES[opcodes.CATEGORY_WORD],
    opcodes.CATEGORY_NOT_SPACE: _CLASSES[opcodes.CATEGORY_SPACE],
}
_ANCHORS = {
    opcodes.AT_BEGINNING: r"\A",
    opcodes.AT_BEGINNING_STRING: r"\A",
    opcodes.AT_END: r"\z",
    opcodes.AT_END_STRING: r"\z",
    opcodes.AT_BOUNDARY: r"\b",
}
"""`\\B` is left out: RE2 finds it in an empty text and Python does not."""


class _NotPortable(Exception):
    """A part of a pattern that RE2 lacks or reads differently."""


def search_texts(texts: Cells, pattern: str, unusual: npt.NDArray[np.intp] | None = None) -> Flags:
    """Return where `re.search` finds `pattern` in `texts`; false for a null.

    `unusual` is `unusual_texts(texts)`, for a caller who searches the same texts more than once.

    Raises: re.error: `pattern` is not a regular expression.
    """
    python, re2 = compile_pattern(pattern), to_re2(pattern)
    if re2 is None:
        return _search_one_by_one(texts, python)
    found = to_flags(pc.match_substring_regex(texts, re2))
    unusual = unusual_texts(texts) if unusual is None else unusual
    if len(unusual):
        found = found.copy()
        found[unusual] = _search_one_by_one(texts.take(unusual), python)
    return found


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Suppress Python's warnings in the block, in one thread at a time.

    `warnings.catch_warnings` replaces the filters of the whole process: of two threads in such blocks, the first to
    leave would end the suppression of the other.
    """
    with _ONE_THREAD, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern without Python's warnings about syntax whose meaning may change in a later version.

    Raises: re.error: it is not a regular expression.
    """
    with suppress_warnings():
        return re.compile(pattern)


@cache
def to_re2(pattern: str) -> str | None:
    """Translate a pattern that `re` compiles into RE2 for printable ASCII; None if the two might disagree."""
    with suppress_warnings():
        tree = parser.parse(pattern)
    flags = tree.state.flags & ~(re.UNICODE | re.ASCII)
    if flags & ~re.IGNORECASE:
        return None
    # beyond ASCII, re and RE2 disagree about which letters are upper and lower case of each other
    highest = _LAST_ASCII if flags else _LAST_CHARACTER
    try:
        expression = ("(?i)" if flags else "") + _write(tree, highest)
        pc.match_substring_regex(pa.array([""], pa.string()), expression)
    except (_NotPortable, pa.ArrowInvalid):
        return None
    return expression


def _write(tree: Any, highest: int) -> str:
    """Write a parsed pattern in RE2's syntax, with no character above `highest`."""
    parts = []
    for code, argument in tree:
        match code:
            case opcodes.LITERAL:
                parts.append(_character(argument, highest))
            case opcodes.NOT_LITERAL:
                parts.append(f"[^{_character(argument, highest)}]")
            case opcodes.ANY:
                parts.append(r"[^\n]")
            case opcodes.IN:
                parts.append(_write_class(argument, highest))
            case opcodes.AT if argument in _ANCHORS:
                parts.append(_ANCHORS[argument])
            case opcodes.BRANCH:
                parts.append(f"(?:{'|'.join(_write(branch, highest) for branch in argument[1])})")
            case opcodes.SUBPATTERN if not (argument[1] or argument[2]):  # no flags of its own
                parts.append(f"(?:{_write(argument[3], highest)})")
            case opcodes.MAX_REPEAT | opcodes.MIN_REPEAT:
                least, most, inner = argument
                parts.append(f"(?:{_write(inner, highest)}){{{least},{'' if most is opcodes.MAXREPEAT else most}}}")
            case _:
                raise _NotPortable(code)
    return "".join(parts)


def _write_class(members: Any, highest: int) -> str:
    if len(members) == 1 and members[0][1] in _NEGATED_CLASSES:
        return f"[^{_NEGATED_CLASSES[members[0][1]]}]"
    negated = members[0][0] is opcodes.NEGATE
    parts = []
    for code, argument in members[1:] if negated else members:
        match code:
            case opcodes.LITERAL:
                parts.append(_character(argument, highest))
            case opcodes.RANGE:
                parts.append(f"{_character(argument[0], highest)}-{_character(argument[1], highest)}")
            case opcodes.CATEGORY if argument in _CLASSES:
                parts.append(_CLASSES[argument])
            case _:  # a negated class within a class is rare and easy to get wrong
                raise _NotPortable(code)
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _character(code_point: int, highest: int) -> str:
    if code_point > highest:
        raise _NotPortable(chr(code_point))
    return rf"\x{{{code_point:x}}}"


def unusual_texts(texts: Cells) -> npt.NDArray[np.intp]:
    """Return the indices of the texts with a character that is not printable ASCII."""
    offsets, utf8 = text_bytes(texts)
    at = np.flatnonzero((utf8 < _FIRST_PRINTABLE) | (utf8 > _LAST_PRINTABLE))
    which: npt.NDArray[np.intp] = np.searchsorted(offsets, at, side="right") - 1
    return which[np.flatnonzero(np.diff(which, prepend=-1))]


def text_bytes(texts: Cells) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the UTF-8 of all texts in one array, and the offsets at which each text starts and the last one ends."""
    offsets = text_offsets(texts).astype(np.int64)
    return offsets - offsets[0], utf8(texts)[offsets[0] : offsets[-1]]


def _search_one_by_one(texts: Cells, pattern: re.Pattern[str]) -> Flags:
    found = (text is not None and pattern.search(text) is not None for text in texts.to_pylist())
    return np.fromiter(found, np.bool_, len(texts))
