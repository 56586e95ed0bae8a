"""What a reader says about a published table, and what the body answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from piperoll.model.series import Series


class ReaderConcern(StrEnum):
    """What a reader's report is about."""

    WRONG = "wrong"
    MISSING = "missing"
    UNCLEAR = "unclear"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """A reader's report on a version of a table. It holds nothing about the reader.

    `line` is the `line_id` that it is about, if it is about one. `reported` is an ISO 8601 instant in UTC. `id` is
    empty until it is recorded.
    """

    series: Series
    version: int | None
    concern: ReaderConcern
    text: str
    reported: str
    line: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class ReaderAnswer:
    """A report with the body's answer, as both are published beside the table. `text` is what the reader wrote.

    `text` is None if it is not published. `by` is never published; see `publishers.reader_reports`.
    """

    id: str
    version: int | None
    concern: ReaderConcern
    text: str | None
    reported: str
    answer: str
    answered: str
