"""Consolidated files that are made for a query, where the published ones hold other versions than it asks for.

The rule that counts lines is that of the published files (`piperoll.releasing.consolidating`), and the same versions
give the same lines in the same order. Copies are kept for the next query, by what they were made from.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll import layout
from piperoll.errors import StoreCorrupt
from piperoll.model import CurrentRelease, Dataset, Manifest, Series, Version, YearAccount, file_entry, to_json_bytes
from piperoll.releasing.consolidating import SPLIT_ABOVE, consolidate_years, rules_version, spread_over_years
from publishers import fetch_version
from serving.cursors import digest
from serving.index_cache import PublishedIndex


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store, with its size and hash by the index."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SelectedYear:
    """The consolidated lines of a body and year, their totals, and the account of both.

    Files are in the store, or local if they were made for a query.
    """

    account: YearAccount
    lines: tuple[StoredFile | Path, ...]
    totals: StoredFile | Path | None


class ConsolidatedCopies:
    """Makes consolidated files in `folder`, one body at a time; several processes can share the folder."""

    def __init__(self, index: PublishedIndex, folder: Path, limits: ApiLimits) -> None:
        self._index = index
        self.folder = folder.absolute()
        self._limits = limits
        self._lock = threading.Lock()
        self._known: dict[str, tuple[SelectedYear, ...]] = {}
        self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, dataset: Dataset, versions: Mapping[Series, Version]) -> tuple[SelectedYear, ...] | None:
        """The years made from exactly these versions of a body, in order; None if they have not been made."""
        name = _digest(dataset, versions)
        try:
            os.utime(self.folder / name)  # `_make_room` removes what was used longest ago
        except FileNotFoundError:
            return None
        if name not in self._known:
            self._known[name] = tuple(_read_years(dataset, self.folder / name))
        return self._known[name]

    def make(self, dataset: Dataset, versions: Mapping[Series, Version]) -> tuple[SelectedYear, ...]:
        """The years of these versions of a body, made if they are not there.

        Raises: Problem: others are being made for too long. StoreCorrupt, NotThere: a version cannot be read.
        """
        with self._alone():
            found = self.find(dataset, versions)
            if found is not None:
                return found
            self._make_room()
            scratch = self.folder / f"{uuid.uuid4().hex}.part"
            try:
                self._make_years(dataset, versions, scratch)
                with suppress(OSError):  # another process was faster, and the same versions give the same files
                    (scratch / "years").replace(self.folder / _digest(dataset, versions))
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        found = self.find(dataset, versions)
        if found is None:
            raise Problem(503, "busy", "other queries use the whole cache: try again in a minute", retry_after=60)
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._limits.query_seconds):
            raise Problem(503, "busy", "the server is reading other versions: try again", retry_after=10)
        try:
            yield
        finally:
            self._lock.release()

    def _make_years(self, dataset: Dataset, versions: Mapping[Series, Version], scratch: Path) -> None:
        releases = [self._open(series, version, scratch) for series, version in sorted(versions.items())]
        years = sorted({year for release in releases for year in spread_over_years(dataset, release)})
        folder = scratch / "years"
        folder.mkdir(parents=True)
        for account in consolidate_years(dataset, releases, years, folder, split_above=SPLIT_ABOVE):
            for path in (folder / account.year).rglob("*.csv"):
                path.unlink()
            (folder / account.year / "account.json").write_bytes(to_json_bytes(account.to_json()))

    def _open(self, series: Series, version: Version, scratch: Path) -> CurrentRelease:
        def fetch() -> Path:
            return self._find_in_place(series, version) or fetch_version(
                self._index.store, series, version, scratch / "releases" / str(series)
            )

        return CurrentRelease(series, version.version, fetch, version.path)

    def _find_in_place(self, series: Series, version: Version) -> Path | None:
        """The folder of a version in the folder of the store, verified; None if the store is not a folder."""
        path = self._index.store.local_path(layout.release_file(series, version, "manifest.json"))
        if path is None:
            return None
        manifest: Manifest = self._index.manifest(series, version)
        for entry in manifest.files:
            if file_entry(path.parent, entry.path) != entry:
                raise StoreCorrupt(f"{layout.release_file(series, version, entry.path)} does not match its manifest")
        return path.parent

    def _make_room(self) -> None:
        """Remove the copies that were used longest ago, but none that a running query may still read."""
        found = {path: path.stat().st_mtime for path in self.folder.iterdir() if path.suffix != ".part"}
        sizes = {path: sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) for path in found}
        size = sum(sizes.values())
        for path in sorted(found, key=lambda path: found[path]):
            if size <= self._limits.cache_bytes // 2 or time.time() - found[path] <= self._limits.stream_seconds:
                return
            self._known.pop(path.name, None)
            shutil.rmtree(path, ignore_errors=True)
            size -= sizes[path]


def _digest(dataset: Dataset, versions: Mapping[Series, Version]) -> str:
    made_from = [[str(series), version.manifest_sha256] for series, version in sorted(versions.items())]
    return digest([dataset.name, dataset.version, rules_version(dataset), made_from])


def _read_years(dataset: Dataset, folder: Path) -> Iterator[SelectedYear]:
    for path in sorted(folder.iterdir()):
        account = YearAccount.from_json(json.loads((path / "account.json").read_bytes()))
        totals = path / f"{dataset.name}.totals.parquet"
        tables = tuple(sorted((path / "tables").glob("*.parquet")))
        lines = tables or (path / f"{dataset.name}.parquet",)
        yield SelectedYear(account, lines, totals if totals.exists() else None)
