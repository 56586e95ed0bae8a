r"""Regular expressions: proven to mean the same in Python and in RE2, or left to Python.

Frictionless takes a pattern as `re.compile(f"^{pattern}$").match(cell)`. RE2 finds the same language of texts as
long as the expression is a regular one; where the two read the text differently (line ends, classes such as `\d`
beyond ASCII) the cell is doubted. The expression is written anew from Python's own parse of it, so that no spelling
is taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any
from warnings import catch_warnings, simplefilter

import pyarrow as pa
import pyarrow.compute as pc

_CLASSES = {
    sre.CATEGORY_DIGIT: r"0-9",
    sre.CATEGORY_WORD: r"0-9A-Za-z_",
    sre.CATEGORY_SPACE: r"\x09-\x0d\x1c-\x20",
}
_OTHERS = {
    sre.CATEGORY_NOT_DIGIT: _CLASSES[sre.CATEGORY_DIGIT],
    sre.CATEGORY_NOT_WORD: _CLASSES[sre.CATEGORY_WORD],
    sre.CATEGORY_NOT_SPACE: _CLASSES[sre.CATEGORY_SPACE],
}
_MOST_REPEATS = 1000
"""RE2 refuses more."""


class _NotPortable(Exception):
    """Something that RE2 does not have, or reads otherwise."""


@dataclass(frozen=True, slots=True)
class Portable:
    """`expression` for RE2; `ascii_only` where it means the same for ASCII text only."""

    expression: str
    ascii_only: bool


def portable(pattern: str) -> Portable | None:
    """The pattern for RE2, None where it is not proven portable.

    Raises: re.error: it is no regular expression at all.
    """
    with catch_warnings():
        simplefilter("ignore", FutureWarning)  # of what may one day be read otherwise: it is read as it is today
        tree = parser.parse(f"^{pattern}$")
    if tree.state.flags & ~(re.UNICODE | re.ASCII):
        return None
    try:
        expression = rf"\A(?:{''.join(_written(tree))})"
        pc.match_substring_regex(pa.array([""], pa.string()), expression)
    except (_NotPortable, pa.ArrowInvalid):
        return None
    return Portable(expression, ascii_only=_has_classes(tree))


def _written(tree: Any) -> Iterator[str]:
    for code, argument in tree:
        if code not in _WRITERS:
            raise _NotPortable(code)
        yield _WRITERS[code](argument)


def _literal(character: int) -> str:
    return rf"\x{{{character:x}}}"


def _members(members: Any) -> str:
    if len(members) == 1 and members[0][1] in _OTHERS:
        return f"[^{_OTHERS[members[0][1]]}]"
    negated = members and members[0][0] is sre.NEGATE
    written = "".join(_member(*member) for member in (members[1:] if negated else members))
    return f"[{'^' if negated else ''}{written}]"


def _member(code: Any, argument: Any) -> str:
    if code is sre.LITERAL:
        return _literal(argument)
    if code is sre.RANGE:
        return f"{_literal(argument[0])}-{_literal(argument[1])}"
    if code is sre.CATEGORY and argument in _CLASSES:
        return _CLASSES[argument]
    raise _NotPortable(code)  # a negated class within a class, too: rare, and easily got wrong


def _at(where: Any) -> str:
    anchors = {sre.AT_BEGINNING: r"\A", sre.AT_BEGINNING_STRING: r"\A", sre.AT_END: r"\z", sre.AT_END_STRING: r"\z"}
    if where not in anchors:
        raise _NotPortable(where)
    return anchors[where]


def _branch(argument: Any) -> str:
    return f"(?:{'|'.join(''.join(_written(each)) for each in argument[1])})"


def _group(argument: Any) -> str:
    _number, added, removed, inner = argument
    if added or removed:
        raise _NotPortable("flags")
    return f"(?:{''.join(_written(inner))})"


def _repeat(argument: Any) -> str:
    least, most, inner = argument
    if least > _MOST_REPEATS or (most is not sre.MAXREPEAT and most > _MOST_REPEATS):
        raise _NotPortable("repeats")
    return f"(?:{''.join(_written(inner))}){{{least},{'' if most is sre.MAXREPEAT else most}}}"


_WRITERS = {
    sre.LITERAL: _literal,
    sre.NOT_LITERAL: lambda character: f"[^{_literal(character)}]",
    sre.ANY: lambda _: r"[^\n]",
    sre.IN: _members,
    sre.AT: _at,
    sre.BRANCH: _branch,
    sre.SUBPATTERN: _group,
    sre.MAX_REPEAT: _repeat,
    sre.MIN_REPEAT: _repeat,
}


def _has_classes(tree: Any) -> bool:
    r"""Whether `\d` and its like stand anywhere in a parse: beyond ASCII Python and RE2 know them differently."""
    if isinstance(tree, parser.SubPattern | list | tuple):
        return any(_has_classes(each) for each in tree)
    return tree is sre.CATEGORY
