"""The line of versions of a series: versions.json, which is also its pointer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from piperoll.errors import StoreCorrupt
from piperoll.model.release import FileEntry
from piperoll.model.serialize import from_document, to_document, to_json_bytes
from piperoll.model.series import Series


class Status(StrEnum):
    """Where a version stands."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"


class Cause(StrEnum):
    """Why a version came: what is different from the one before."""

    FIRST = "first"
    CORRECTION = "correction"
    ADDITION = "addition"
    MAPPING = "mapping"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Effect:
    """How many rows, and the pounds they bring or take (None where the dataset has no amount)."""

    rows: int
    amount_gbp: Decimal | None


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed from one version to another.

    `changed` counts rows that both versions have by their key and that say something else; its pounds are what they
    say now less what they said. `fields` counts, for each field, the changed rows in which it differs. The pounds of
    added and changed less those of removed are the difference between the two versions.
    """

    added: Effect
    removed: Effect
    changed: Effect
    fields: Mapping[str, int]

    @property
    def none(self) -> bool:
        """Whether both versions say the same."""
        return not (self.added.rows or self.removed.rows or self.changed.rows)


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences of a version from the one of number `against`, and the file that has their rows.

    The file's path is below the series' prefix; None: it was purged.
    """

    against: int
    differences: Differences
    file: FileEntry | None


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a series, as versions.json lists it.

    `path` is the folder below the series' prefix; `published`, and `received` (when its file was), are ISO 8601
    instants in UTC; `reason` says why it came in words and `cause` in kind; `changes` are those from the version it
    supersedes.
    A version that was withdrawn or purged says when and because of what in `ended` and `because`. Older stores lack
    what has a default here.
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
    """versions.json: the pointer to the current version of a series and the line of all."""

    series: Series
    versions: tuple[Version, ...] = ()
    current: int | None = None

    @property
    def current_version(self) -> Version | None:
        """The current version, if there is one."""
        return None if self.current is None else self.version(self.current)

    def version(self, number: int) -> Version | None:
        """The version of this number, if there is one."""
        return next((version for version in self.versions if version.version == number), None)

    def as_known_on(self, instant: str) -> Version | None:
        """The version that stood at an ISO 8601 instant in UTC, its status as it is today; None: none stood then.

        A day without a time means its end: all that was published on that day was known on it.
        """
        until = f"{instant}T23:59:59Z" if len(instant) == len("2026-11-01") else instant
        known = [version for version in self.versions if version.published <= until]
        if not known or (known[-1].ended is not None and known[-1].ended <= until):
            return None
        return known[-1]

    def to_bytes(self) -> bytes:
        """versions.json, byte for byte."""
        versions = to_document(self.versions)
        for entry in versions:
            if changes := entry["changes"]:
                entry["changes"] = {"against": changes["against"], **changes["differences"], "file": changes["file"]}
        return to_json_bytes({"series": str(self.series), "current": self.current, "versions": versions})

    @classmethod
    def from_bytes(cls, content: bytes) -> History:
        """The history that `to_bytes` wrote. Raises: StoreCorrupt: it is no versions.json."""
        try:
            document = json.loads(content)
            versions = tuple(_read_version(entry) for entry in document["versions"])
            return cls(Series.parse(document["series"]), versions, document["current"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreCorrupt(f"a versions.json cannot be read: {error}") from error


def _read_version(entry: Mapping[str, Any]) -> Version:
    """Make a version from its entry, where the differences are keys of `changes` and not an object in it."""
    changes = entry.get("changes")
    return from_document(Version, entry, changes=changes and {**changes, "differences": changes})
