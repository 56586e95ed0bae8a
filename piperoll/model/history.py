"""The versions of a series: versions.json, which is also the pointer to the published one, and the catalogue's view."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from piperoll.errors import StoreCorrupt, UsageError
from piperoll.model.reader_report import ReaderAnswer
from piperoll.model.release import FileEntry, Manifest
from piperoll.model.serialize import from_document, to_document, to_json_bytes
from piperoll.model.series import Series

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+\Z", re.ASCII)


def parse_instant(moment: str | date) -> str:
    """Read the day or instant of `as_known_on`, given as text, date or datetime; the result is what versions compare.

    A day stays a day: 2026-11-01. An instant becomes one in UTC: 2026-11-01T09:00:00Z; without an offset it is UTC.
    Raises: UsageError: it is neither.
    """
    text = moment.isoformat() if isinstance(moment, date) else moment
    try:
        if _DAY.match(text):
            return date.fromisoformat(text).isoformat()
        if _INSTANT.match(text):
            read = datetime.fromisoformat(text)
            return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        pass  # a 31 February: reported below
    raise UsageError(
        f"'{text}' is not a day or an instant: write a day as 2026-11-01, or an instant as 2026-11-01T09:00:00Z"
    )


class Status(StrEnum):
    """Whether a version is the published one, and if not, why not."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"


class Cause(StrEnum):
    """Why a version was published: what differs from the one before."""

    FIRST = "first"
    CORRECTION = "correction"
    ADDITION = "addition"
    MAPPING = "mapping"
    RULES = "rules"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Effect:
    """How many rows changed, and by how many pounds (None if the dataset has no amount)."""

    rows: int
    amount_gbp: Decimal | None


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed from one version to another.

    `changed` counts the rows that both versions have by their key and that differ; its pounds are the new amounts less
    the old ones. `fields` counts the changed rows in which each field differs. The pounds of `added` and `changed`,
    less those of `removed`, are the difference between the two versions.
    """

    added: Effect
    removed: Effect
    changed: Effect
    fields: Mapping[str, int]

    @property
    def none(self) -> bool:
        """Whether both versions have the same rows."""
        return not (self.added.rows or self.removed.rows or self.changed.rows)


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences of a version from version `against`, and the file with the rows that differ.

    The file's path is relative to the prefix of the series; None if it was purged.
    """

    against: int
    differences: Differences
    file: FileEntry | None


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a series, as versions.json lists it.

    `path` is its folder, relative to the prefix of the series. `published` and `received` (when its file arrived) are
    ISO 8601 instants in UTC. `reason` says in words why it was published, and `cause` in kind. `changes` are those from
    the version that it supersedes. If it was withdrawn or purged, `ended` says when and `because` why. Older stores
    lack the keys that have a default here.
    """

    version: int
    path: str
    manifest_sha256: str
    published: str
    status: Status
    supersedes: int | None
    reason: str
    rows: int
    amount_gbp: Decimal | None
    rows_sha256: str
    sources: tuple[str, ...]
    received: str | None = None
    rules_version: str | None = None
    cause: Cause | None = None
    changes: Changes | None = None
    ended: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """versions.json: the pointer to the current version of a series, and every version there has been."""

    series: Series
    versions: tuple[Version, ...] = ()
    current: int | None = None

    @property
    def current_version(self) -> Version | None:
        """The published version; None if there is none, or it was withdrawn or purged."""
        return None if self.current is None else self.version(self.current)

    def version(self, number: int) -> Version | None:
        """The version with this number, if there is one."""
        return next((version for version in self.versions if version.version == number), None)

    def as_known_on(self, instant: str) -> Version | None:
        """The version that was published at an ISO 8601 instant in UTC, with its status of today; None if none was.

        A day without a time means its end: everything published on that day was known on it.
        """
        until = f"{instant}T23:59:59Z" if len(instant) == len("2026-11-01") else instant
        known = [version for version in self.versions if version.published <= until]
        if not known or (known[-1].ended is not None and known[-1].ended <= until):
            return None
        return known[-1]

    def to_bytes(self) -> bytes:
        """Encode versions.json; the same history always gives the same bytes."""
        versions = to_document(self.versions)
        for entry in versions:
            if changes := entry["changes"]:
                entry["changes"] = {"against": changes["against"], **changes["differences"], "file": changes["file"]}
        return to_json_bytes({"series": str(self.series), "current": self.current, "versions": versions})

    @classmethod
    def from_bytes(cls, content: bytes) -> History:
        """Read what `to_bytes` wrote. Raises: StoreCorrupt: it is not a valid versions.json."""
        try:
            document = json.loads(content)
            versions = []
            for entry in document["versions"]:
                changes = entry.get("changes")  # the differences are keys of it, and not an object in it
                nested = changes and {**changes, "differences": changes}
                versions.append(from_document(Version, entry, changes=nested))
            return cls(Series.parse(document["series"]), tuple(versions), document["current"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreCorrupt(f"a versions.json cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Listing:
    """A series as the catalogue shows it: its history, and what its published version says about itself.

    `manifest`, `descriptor` (datapackage.json), `report` (report.json) and `first_rows` (the start of the CSV, header
    first) are None or empty if no version is published (all were withdrawn or purged). `summary` is what
    `piperoll.describing.summarise` made of the rows; None if it has not been made. `earlier` maps the numbers of other
    versions that are still served to their manifests. `answers` are those of the body to readers' reports.
    """

    history: History
    manifest: Manifest | None
    descriptor: Mapping[str, Any] | None
    report: Mapping[str, Any] | None
    first_rows: tuple[tuple[str, ...], ...] = ()
    summary: Mapping[str, Any] | None = None
    earlier: Mapping[int, Manifest] = field(default_factory=dict)
    answers: tuple[ReaderAnswer, ...] = ()

    @property
    def series(self) -> Series:
        """The series that is listed."""
        return self.history.series
