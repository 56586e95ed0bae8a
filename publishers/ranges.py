"""Which bytes of an object a request over HTTP asks for (RFC 9110 §14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*\Z", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 18
"""Digits: no object has more bytes, and none of ours takes a longer number apart."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` to just before `stop`."""

    start: int
    stop: int


class Unsatisfiable(ValueError):
    """None of the bytes that are asked for are there: the answer is 416."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The part of an object of `size` bytes that a `Range` header asks for; None: the whole.

    What we do not serve in parts (several ranges at once, another unit, nonsense) asks for the whole, as the standard
    lets us read it. Raises: Unsatisfiable: it asks for bytes behind the end, or for the last none.
    """
    match = _ONE.match(header or "")
    if not match or match[0].endswith("=-") or max(map(len, match.groups())) > _LONGEST_NUMBER:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:
        start, stop = max(0, size - (last or 0)), size
    elif last is not None and last < first:
        return None
    else:
        start, stop = first, size if last is None else min(last + 1, size)
    if start >= stop:
        raise Unsatisfiable
    return ByteRange(start, stop)


def tag_matches(header: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` header names `tag`, which stands in quotes; compared weakly (RFC 9110 §13.1.2)."""
    named = {one.strip().removeprefix("W/") for one in (header or "").split(",")}
    return bool(named & {tag, "*"})
