"""A submission: one file as received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Submission:
    """One file as received: its bytes, its dataset and body, where it came from and when. It is never changed.

    `body` is a slug. `period` and `part` are what was given with the file, not what was found in it. `origin` is a path
    relative to the inbox, or a web address. `received` is an ISO 8601 instant in UTC. `response` has the status and
    headers of a web server.
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
