"""A file that has come in, before it is a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that has come in and lies at `path`.

    `dataset` is an inbox folder's name (a dataset or an alias of one), `sender` what names the body,
    `origin` a path relative to the inbox or a web address, `received` an ISO 8601 instant in UTC.
    `period` and `part` are what was given.
    """

    path: Path
    name: str
    dataset: str
    sender: str
    origin: str
    received: str
    period: str | None = None
    part: str | None = None
    response: Mapping[str, Any] | None = None
