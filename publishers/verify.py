"""Verifying what is published: every pointer, file, total and difference is read or made again, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from piperoll.model import History, Manifest, Series, Status, Version, file_entry
from piperoll.scratch import scratch_folder
from publishers.index import index_matches
from publishers.pointer import fetch_version, read_history
from publishers.purge import list_returned, list_tombstones
from publishers.stores.protocol import Store, StoreReader, sha256_of
from publishers.versions import CompareVersions

InspectVersion = Callable[[Path], Iterator[str]]
"""Finds what is wrong with the files of a version in a folder: `piperoll.releasing.find_faults`."""


@dataclass(frozen=True, slots=True)
class StoreFault:
    """Something published that does not match what is said of it: the key, and what is wrong in words."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class VerifiedSeries:
    """The result for one series: how many versions were read, and what is wrong."""

    series: Series
    versions: int
    faults: tuple[StoreFault, ...]


def verify_series(
    store: StoreReader,
    series: Iterable[Series],
    inspect: InspectVersion,
    compare_for: Callable[[str], CompareVersions],
) -> Iterator[VerifiedSeries]:
    """Verify series one by one with no more rights than a visitor: pointer, history, index, files, totals, differences.

    `compare_for` returns, for the name of a dataset, the function that compares two versions.
    Raises: StoreUnavailable: the store does not answer, which says nothing about what is published.
    """
    for one in series:
        try:
            history, _ = read_history(store, one)
        except StoreCorrupt as error:
            yield VerifiedSeries(one, 0, (StoreFault(layout.pointer(one), str(error)),))
            continue
        with scratch_folder("verify") as scratch:
            faults = tuple(_verify_versions(store, history, scratch, inspect, compare_for(one.dataset)))
        yield VerifiedSeries(one, len(history.versions), faults)


def verify_objects(store: Store, prefix: str) -> Iterator[StoreFault]:
    """Compare every object below a prefix with the sha256 that its writer stored, but for the files of versions.

    Those `verify_series` compares with their manifests. Bytes as received are compared with their name as well.
    Raises: StoreUnavailable: the store does not answer.
    """
    for key in store.keys(prefix):
        if layout.is_immutable(key):
            continue
        try:
            store.compare(key)
            digest = layout.parse_received_bytes(key)
            if digest and sha256_of(store.read(key).content) != digest:
                yield StoreFault(key, "it does not hold the bytes that it is named for")
        except StoreCorrupt as error:
            yield StoreFault(key, str(error))
        except NotThere:  # removed since it was listed
            continue


def verify_purges(store: Store) -> Iterator[StoreFault]:
    """Find what was purged and is in the store again, or in versions of objects that a bucket keeps.

    Raises: StoreError: the bucket does not let us list its versions.
    """
    for tombstone in list_returned(store):
        yield StoreFault(layout.tombstone(tombstone.sha256), "it was purged, and is there again: purge it again")
    purged = {tombstone.sha256 for tombstone in list_tombstones(store)}
    paths: dict[Series, set[str]] = {}
    for key in store.old_versions():
        folder = layout.parse_version_key(key) if layout.is_immutable(key) else None
        if folder is not None and folder[0] not in paths:
            history, _ = read_history(store, folder[0])
            paths[folder[0]] = {
                layout.version_folder(history.series, one) for one in history.versions if one.status is Status.PURGED
            }
        is_purged = folder is not None and key.startswith(tuple(paths[folder[0]]))
        if is_purged or any(sha256 in key and key != layout.tombstone(sha256) for sha256 in purged):
            yield StoreFault(key, "it was purged, and the bucket keeps old versions of it: purge it again")


def _verify_versions(
    store: StoreReader, history: History, scratch: Path, inspect: InspectVersion, compare: CompareVersions
) -> Iterator[StoreFault]:
    pointer = layout.pointer(history.series)
    yield from (StoreFault(pointer, what) for what in _verify_history(history))
    if not index_matches(store, history):
        yield StoreFault(pointer, "the index does not match it: publish anything to this series to correct the index")
    sound: set[int] = set()  # versions whose files are there and whole, so that differences between them can be made
    for version in history.versions:
        faults = list(_verify_files(store, history.series, version, scratch / str(version.version), inspect))
        if not faults:
            sound.add(version.version)
        comparable = version.changes is not None and {version.version, version.changes.against} <= sound
        faults += _verify_differences(store, history.series, version, scratch, compare if comparable else None)
        yield from (StoreFault(layout.version_folder(history.series, version), what) for what in faults)


def _verify_history(history: History) -> Iterator[str]:
    """What is wrong with the line of versions in itself."""
    numbers = [version.version for version in history.versions]
    if not numbers:
        yield "there is no version in it"
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the versions are not numbered one by one: {numbers}"
    current = [version.version for version in history.versions if version.status is Status.CURRENT]
    if current != ([] if history.current is None else [history.current]):
        yield f"current is {history.current}, but the versions with that status are {current}"
    if any(one.published > other.published for one, other in zip(history.versions, history.versions[1:], strict=False)):
        yield "a version was published before the one that it follows"
    for version in history.versions:
        if version.path != layout.version_name(version.version, version.manifest_sha256):
            yield f"version {version.version} is in {version.path}, which does not match its number and manifest"
        if version.supersedes is not None and version.supersedes >= version.version:
            yield f"version {version.version} supersedes {version.supersedes}"
        if (version.status in (Status.WITHDRAWN, Status.PURGED)) != (version.ended is not None):
            yield f"version {version.version} is {version.status}, and ended {version.ended or 'never'}"


def _verify_files(
    store: StoreReader, series: Series, version: Version, folder: Path, inspect: InspectVersion
) -> Iterator[str]:
    """What is wrong with the files of a version; a purged version must have none."""
    if version.status is Status.PURGED:
        if store.exists(layout.release_file(series, version, "manifest.json")):
            yield "it was purged, and its files are still there: purge again"
        return
    try:
        fetch_version(store, series, version, folder)
    except (NotThere, StoreCorrupt) as error:
        yield str(error)
        return
    yield from inspect(folder)
    manifest = Manifest.from_bytes((folder / "manifest.json").read_bytes())
    for name in ("rows", "amount_gbp", "rows_sha256", "sources"):
        if getattr(manifest, name) != getattr(version, name):
            yield f"versions.json and manifest.json do not agree on {name}"
    if manifest.series != series:
        yield f"its manifest is of {manifest.series}"


def _verify_differences(
    store: StoreReader, series: Series, version: Version, scratch: Path, compare: CompareVersions | None
) -> Iterator[str]:
    """What is wrong with the published differences of a version; with `compare` they are made again and compared."""
    changes = version.changes
    if changes is None or changes.file is None:
        return
    published, made_again = scratch / "changes.csv", scratch / "again.csv"
    try:
        store.fetch(layout.series_folder(series) + changes.file.path, published)
    except NotThere as error:
        yield str(error)
        return
    entry = file_entry(scratch, published.name)
    if (entry.bytes, entry.sha256) != (changes.file.bytes, changes.file.sha256):
        yield f"{changes.file.path} is not the file that versions.json names"
    if compare is None:
        return
    if compare(scratch / str(changes.against), scratch / str(version.version), made_again) != changes.differences:
        yield f"the differences from version {changes.against} are not those that versions.json states"
    elif file_entry(scratch, made_again.name).sha256 != changes.file.sha256:
        yield f"the rows that differ from version {changes.against} are not those of {changes.file.path}"
