"""The log of what each web address answered. It knows the last good answer, and since when an address fails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere
from piperoll.model import to_json_bytes
from publishers import Store

_INSTANT = "%Y%m%dT%H%M%S%fZ"


@dataclass(slots=True)
class FetchLog:
    """The log of one address, one entry for each attempt.

    `last_good` and `failing_since` are instants as in the keys of the entries. `last_file` is the entry of the last
    good answer; None if there is none, or if a purge removed it. Opening the log reads one or two entries: a bad entry
    says which one was good before it.
    """

    store: Store
    body: str
    dataset: str
    address: str
    last_good: str | None = None
    failing_since: str | None = None
    last_file: Mapping[str, Any] | None = None
    _keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keys = sorted(self.store.keys(self._folder))
        for key in reversed(self._keys):
            entry = self._read(key)
            if entry is None:
                continue
            if _is_good(entry):
                self.last_good, self.last_file = _instant_of(key), entry
                return
            self.failing_since = entry.get("failing_since") or _instant_of(key)
            if "failing_since" in entry:  # entries of older versions do not say what was before them
                self.last_good = entry["last_good"]
                self.last_file = self._read(f"{self._folder}{self.last_good}.json") if self.last_good else None
                return

    def add(self, entry: Mapping[str, Any]) -> None:
        """Log an answer: `FetchResponse.to_json`."""
        instant = datetime.now(UTC).strftime(_INSTANT)
        document = {**entry, "address": self.address}
        if _is_good(entry):
            self.last_good, self.last_file, self.failing_since = instant, document, None
        else:
            self.failing_since = self.failing_since or instant
            document |= {"failing_since": self.failing_since, "last_good": self.last_good}
        self._keys.append(f"{self._folder}{instant}.json")
        self.store.create(self._keys[-1], to_json_bytes(document))

    def prune(self, keep: int) -> None:
        """Delete all but the last `keep` entries and the last good one."""
        good = f"{self._folder}{self.last_good}.json"
        for key in self._keys[:-keep]:
            if key != good:
                self.store.delete(key)
        self._keys = self._keys[-keep:]

    @property
    def _folder(self) -> str:
        return layout.fetches_folder(self.body, self.dataset, hash_address(self.address))

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            entry: dict[str, Any] = json.loads(self.store.read(key).content)
        except NotThere:  # pruned by another run, or purged
            return None
        return entry


def hash_address(address: str) -> str:
    """The name of the folder with the log of an address."""
    return hashlib.sha256(address.encode()).hexdigest()[:20]


def day_of(instant: str | None) -> str | None:
    """The day of an instant of the log, as `2026-11-03`."""
    return instant and datetime.strptime(instant, _INSTANT).replace(tzinfo=UTC).date().isoformat()


def _is_good(entry: Mapping[str, Any]) -> bool:
    return bool(entry["sha256"]) and not entry["trouble"]


def _instant_of(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")
