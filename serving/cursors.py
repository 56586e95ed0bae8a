"""Cursors: where the next page of a query begins, as text for a URL."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from hosting.problems import Problem

FieldValue: TypeAlias = "str | int | bool | Decimal | date"

_MAX_CURSOR_CHARACTERS = 8_000
"""A cursor holds the sort values of one row; a URL may be eight times as long."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins. It holds everything that is needed, so any process can answer for it.

    `query` and `selection` are digests of the query and of the versions that the first page read. `until` is when the
    latest of those versions was published: selecting versions as of that instant gives the same ones again. `keys` are
    the sort values of the last row of the page before.
    """

    query: str
    selection: str
    until: str
    keys: tuple[FieldValue | None, ...]

    def token(self) -> str:
        """The cursor as text for a URL."""
        # JSON has neither decimals nor dates: {"n": …} and {"d": …} stand for them, as `parse` expects.
        keys: list[Any] = []
        for key in self.keys:
            if isinstance(key, Decimal):
                keys.append({"n": str(key)})
            else:
                keys.append({"d": key.isoformat()} if isinstance(key, date) else key)
        content = [self.query, self.selection, self.until, keys]
        packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> Cursor:
        """Read a token. Raises: Problem: it is not the token of a cursor."""
        problem = bad_cursor("the cursor is not valid: follow `next` unchanged, or leave out cursor")
        if len(token) > _MAX_CURSOR_CHARACTERS:
            raise problem
        try:
            packed = base64.urlsafe_b64decode((token + "=" * (-len(token) % 4)).encode("ascii"))
            # Bound the decompressed size: a few bytes could expand to gigabytes.
            match json.loads(zlib.decompressobj().decompress(packed, _MAX_CURSOR_CHARACTERS * 8)):
                case [str(query), str(selection), str(until), list(keys)]:
                    return cls(query, selection, until, tuple(map(_decode_key, keys)))
        except (ValueError, RecursionError, ArithmeticError, zlib.error) as error:
            raise problem from error
        raise problem


def bad_cursor(detail: str) -> Problem:
    """The problem for a cursor that cannot be used."""
    return Problem(400, "bad-cursor", detail)


def digest(content: Sequence[Any]) -> str:
    """A short hash of JSON content, to recognise what is the same. It is not for security."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, default=str).encode()).hexdigest()[:16]


def _decode_key(key: Any) -> FieldValue | None:
    match key:
        case {"n": str(digits)}:
            number = Decimal(digits)
            if not number.is_finite():
                raise ValueError
            return number
        case {"d": str(day)}:
            return date.fromisoformat(day)
        case None | str() | bool() | int():
            return key
    raise ValueError
