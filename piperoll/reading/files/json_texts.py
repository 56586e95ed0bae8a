"""A JSON text to its values: one document or several (JSON Lines), with what is wrong said by line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_DEPTH = 60
"""Deeper than this no published data nest; a chain of brackets can be made as deep as one likes."""

_SPACE = re.compile(r"[\s,\x1e]*")
_HIGH, _LOW = r"u[dD][89abAB][0-9a-fA-F]{2}", r"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_HIGH}\\{_LOW}|{_HIGH}|{_LOW}|.)", re.S)


class JsonTrouble(ValueError):
    """A text that cannot be read as JSON: what is wrong, and the line (from 1)."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


@dataclass
class Repeats:
    """The names that stand twice in one record: the first such name, and in how many records."""

    name: str = ""
    count: int = 0

    def record(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """The record of these pairs; the last value of a name stands."""
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            self.name = self.name or next(name for name in names if names.count(name) > 1)
            self.count += 1
        return found


@dataclass(frozen=True)
class JsonText:
    """The values of a JSON text in order, numbers as they are written, and the names that repeat."""

    values: list[object] = field(repr=False)
    repeats: Repeats


def read_json(text: str) -> JsonText:
    """Every value of a text: one, or several one after the other.

    Raises:
        JsonTrouble: the text is no JSON, breaks off, or nests too deeply.
    """
    text = text.removeprefix("\ufeff")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(_whole, text)
    repeats = Repeats()
    try:
        values = list(_values(text, repeats))
    except json.JSONDecodeError as error:
        raise JsonTrouble(error.msg, error.lineno) from error
    except RecursionError as error:
        raise JsonTrouble("Its brackets nest too deeply") from error
    _bound_depth(values)
    return JsonText(values, repeats)


def _values(text: str, repeats: Repeats) -> Iterator[object]:
    decoder = json.JSONDecoder(
        object_pairs_hook=repeats.record, parse_float=str, parse_int=str, parse_constant=str, strict=False
    )
    place = _skip(text, 0)
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        yield value
        place = _skip(text, place)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _whole(match: re.Match[str]) -> str:
    """Half a surrogate pair names no character: it becomes the replacement mark."""
    half = len(match[0]) == 6 and match[0][1] == "u"
    return "\\ufffd" if half else match[0]


def _bound_depth(values: list[object]) -> None:
    level: list[object] = values
    for _ in range(_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise JsonTrouble("Its brackets nest too deeply")


def _children(node: object) -> Iterator[object]:
    held = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (child for child in held if isinstance(child, (dict, list)))
