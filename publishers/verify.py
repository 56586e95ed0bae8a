"""Whether a published place is what it says it is: every pointer, every file, every total, made anew and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from piperoll.model import History, Manifest, Series, Status, Version, file_entry
from publishers.index import index_matches
from publishers.pointer import fetch_version, read_history
from publishers.stores.protocol import StoreReader
from publishers.versions import Compare

Inspect = Callable[[Path], Iterator[str]]
"""What is wrong with the files of a version in a folder: `piperoll.releasing.faults`."""


@dataclass(frozen=True, slots=True)
class StoreFault:
    """Something that is not as it says: where, and what in words."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class VerifiedSeries:
    """A series looked through: how many versions, files and bytes of it were read, and what is wrong with it."""

    series: Series
    versions: int
    faults: tuple[StoreFault, ...]


def verify_series(
    store: StoreReader, series: Iterable[Series], inspect: Inspect, compare: Callable[[str], Compare]
) -> Iterator[VerifiedSeries]:
    """Look through series one by one, as a stranger can: pointer, history, index, files, totals, differences.

    `compare` gives for a dataset's name what computes differences anew. Raises: StoreUnavailable: the place does not
    answer; that is no fault of what is published.
    """
    for one in series:
        try:
            history, _ = read_history(store, one)
        except StoreCorrupt as error:
            yield VerifiedSeries(one, 0, (StoreFault(layout.pointer(one), str(error)),))
            continue
        with TemporaryDirectory() as scratch:
            found = tuple(_faults(store, history, Path(scratch), inspect, compare(one.dataset)))
        yield VerifiedSeries(one, len(history.versions), found)


def _faults(
    store: StoreReader, history: History, scratch: Path, inspect: Inspect, compare: Compare
) -> Iterator[StoreFault]:
    yield from (StoreFault(layout.pointer(history.series), what) for what in _of_history(history))
    if not index_matches(store, history):
        yield StoreFault(
            layout.pointer(history.series), "the index says otherwise: publish anything to this series to mend it"
        )
    sound: set[int] = set()
    for version in history.versions:
        wrong = list(_of_version(store, history, version, scratch / str(version.version), inspect))
        if not wrong:
            sound.add(version.version)
        wrong += _of_changes(store, history, version, scratch, compare if _both(version, sound) else None)
        yield from (StoreFault(layout.version_folder(history.series, version), what) for what in wrong)


def _both(version: Version, sound: set[int]) -> bool:
    """Whether a version and the one that its differences are from can be compared: both are there and whole."""
    return version.changes is not None and {version.version, version.changes.against} <= sound


def _of_history(history: History) -> Iterator[str]:
    """What is wrong with the line of versions in itself."""
    numbers = [version.version for version in history.versions]
    if not numbers:
        yield "there is no version in it"
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the versions are not numbered one by one: {numbers}"
    current = [version.version for version in history.versions if version.status is Status.CURRENT]
    if current != ([] if history.current is None else [history.current]):
        yield f"current is {history.current}, but the versions that say so are {current}"
    if any(one.published > other.published for one, other in zip(history.versions, history.versions[1:], strict=False)):
        yield "a version was published before the one that it follows"
    for version in history.versions:
        if version.path != f"v{version.version}-{version.manifest_sha256[:12]}":
            yield f"version {version.version} stands in {version.path}, which is not named for its number and manifest"
        if version.supersedes is not None and version.supersedes >= version.version:
            yield f"version {version.version} supersedes {version.supersedes}"
        if (version.status in (Status.WITHDRAWN, Status.PURGED)) != (version.ended is not None):
            yield f"version {version.version} is {version.status}, and ended {version.ended or 'never'}"


def _of_version(
    store: StoreReader, history: History, version: Version, folder: Path, inspect: Inspect
) -> Iterator[str]:
    """What is wrong with the files of a version; of a purged one none may be there."""
    if version.status is Status.PURGED:
        if store.exists(layout.release_file(history.series, version, "manifest.json")):
            yield "it was purged, and its files are still there: purge again"
        return
    try:
        fetch_version(store, history.series, version, folder)
    except (NotThere, StoreCorrupt) as error:
        yield str(error)
        return
    yield from inspect(folder)
    manifest = Manifest.from_bytes((folder / "manifest.json").read_bytes())
    for name in ("rows", "amount_gbp", "rows_sha256", "sources"):
        if getattr(manifest, name) != getattr(version, name):
            yield f"versions.json and manifest.json do not agree on {name}"
    if manifest.series != history.series:
        yield f"its manifest is of {manifest.series}"


def _of_changes(
    store: StoreReader, history: History, version: Version, scratch: Path, compare: Compare | None
) -> Iterator[str]:
    """What is wrong with the differences that a version states, compared anew where `compare` is given."""
    changes = version.changes
    if changes is None or changes.file is None:
        return
    written, again = scratch / "changes.csv", scratch / "again.csv"
    try:
        store.fetch(layout.series_folder(history.series) + changes.file.path, written)
    except NotThere as error:
        yield str(error)
        return
    entry = file_entry(scratch, written.name)
    if (entry.bytes, entry.sha256) != (changes.file.bytes, changes.file.sha256):
        yield f"{changes.file.path} is not the file that versions.json names"
    if compare is None:
        return
    if compare(scratch / str(changes.against), scratch / str(version.version), again) != changes.differences:
        yield f"the differences from version {changes.against} are not those that versions.json states"
    elif file_entry(scratch, again.name).sha256 != changes.file.sha256:
        yield f"the rows that differ from version {changes.against} are not those of {changes.file.path}"
