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

    @property
    def archive_key(self) -> str:
        """Where the bytes are kept as received; private."""
        return f"archive/sha256/{self.sha256[:2]}/{self.sha256}"

    @property
    def public_report_key(self) -> str:
        """Where the public report of this submission stands."""
        return f"reports/{self.dataset}/{self.body}/{self.sha256}.json"

    @property
    def full_report_key(self) -> str:
        """Where the full report is kept; private."""
        return f"collected/{self.body}/{self.dataset}/{self.sha256}/report.json"

    @property
    def record_key(self) -> str:
        """Where this record is kept; private. The same bytes received again are a record of their own."""
        moment = self.received.replace(":", "").replace("-", "")
        return f"collected/{self.body}/{self.dataset}/{self.sha256}/received-{moment}.json"
