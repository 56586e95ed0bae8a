"""One file as received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Submission:
    """One file as received: what bytes, for which dataset and body, from where and when; never altered.

    `body` is a slug, `period` and `part` are what was given with it, not what was found in it.
    `origin` is a path relative to the inbox, or a web address. `received` is an ISO 8601 instant in UTC.
    `response` holds a web server's status and headers.
    """

    sha256: str
    bytes: int
    name: str
    dataset: str
    body: str
    origin: str
    received: str
    period: str | None = None
    part: str | None = None
    response: Mapping[str, Any] | None = None
