"""Where a page ended: a token that leads to the next one, whichever copy of the server is asked."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from serving.problems import Problem
from serving.terms import Value

_LONGEST = 8_000
"""Characters: the sort values of one row, far under what a web address may hold."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The question it belongs to and the versions it was answered from, each as a digest, and the last row's keys.

    `until` is when the latest of those versions was published: at that instant just these versions stood.
    """

    question: str
    chosen: str
    until: str
    keys: tuple[Value | None, ...]

    def token(self) -> str:
        """As it stands in an address."""
        words = [self.question, self.chosen, self.until, [_spelt(key) for key in self.keys]]
        packed = zlib.compress(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> Cursor:
        """The cursor that `token` spells. Raises: Problem: it spells none."""
        try:
            return cls(*_words(token))
        except (ValueError, RecursionError, ArithmeticError, zlib.error) as error:
            raise Problem(
                400,
                "bad-cursor",
                "this cursor is none of ours: follow `next` as it is, or leave it out and begin again",
            ) from error


def _words(token: str) -> tuple[str, str, str, tuple[Value | None, ...]]:
    """What a token holds. Raises: any of the errors of its packing: it is none of ours."""
    if len(token) > _LONGEST:
        raise ValueError
    packed = base64.urlsafe_b64decode((token + "=" * (-len(token) % 4)).encode("ascii"))
    match json.loads(zlib.decompressobj().decompress(packed, _LONGEST * 8)):
        case [str(question), str(chosen), str(until), list(keys)]:
            return question, chosen, until, tuple(map(_value, keys))
    raise ValueError


def digest(words: Sequence[Any]) -> str:
    """A short hash of what can be told apart by its spelling; enough to tell a mistake, and no secret."""
    return hashlib.sha256(json.dumps(words, ensure_ascii=False, default=str).encode()).hexdigest()[:16]


def _spelt(key: Value | None) -> Any:
    if isinstance(key, Decimal):
        return {"n": str(key)}
    return {"d": key.isoformat()} if isinstance(key, date) else key


def _value(key: Any) -> Value | None:
    match key:
        case {"n": str(digits)}:
            found = Decimal(digits)
            if not found.is_finite():
                raise ValueError
            return found
        case {"d": str(day)}:
            return date.fromisoformat(day)
        case None | str() | bool() | int():
            return key
    raise ValueError
