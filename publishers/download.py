"""Getting what is published: which series is meant, which version of it, and a file of that, with its hash compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt, UsageError
from piperoll.model import FileEntry, History, Manifest, Series, Status, Version, file_entry
from publishers.opening import open_reader
from publishers.pointer import read_history
from publishers.stores.protocol import StoreReader


def find_series(place: str, series: Series) -> tuple[StoreReader, History]:
    """The place and the history of a series in it. Raises: UsageError: there is no such series."""
    reader = open_reader(place)
    found, _ = read_history(reader, series)
    if not found.versions:
        raise UsageError(f"{series} is not published in {place}: piperoll site, or the catalogue, lists what is")
    return reader, found


def choose_version(found: History, known: str | None, number: int | None) -> Version:
    """The version that is asked for, whose files are still there; the one that stands if nothing is asked.

    Raises: UsageError: there is none, it was purged, or both a day and a number are given.
    """
    if known and number:
        raise UsageError("say either a day or a version's number")
    version = found.version(number) if number else found.as_known_on(known) if known else found.standing
    if version is None:
        asked = f"no version {number}" if number else f"nothing stood on {known}" if known else "nothing stands now"
        raise UsageError(f"{found.series}: {asked}: piperoll history {found.series} lists its versions")
    if version.status is Status.PURGED:
        raise UsageError(f"version {version.version} of {found.series} was purged: {version.because}")
    return version


def fetch_file(reader: StoreReader, series: Series, version: Version, name: str, out: Path) -> FileEntry:
    """Bring one file of a version to `out`; its entry in the manifest.

    Raises: StoreCorrupt: it is not the one that the manifest names, or a file is missing: nothing is left at `out`.
    """
    place = layout.version_folder(series, version)
    try:
        content = reader.read(f"{place}manifest.json").content
        if hashlib.sha256(content).hexdigest() != version.manifest_sha256:
            raise StoreCorrupt(f"{place}manifest.json is not the one that {layout.pointer(series)} names")
        wanted = next(entry for entry in Manifest.from_bytes(content).files if entry.path == name)
        partial_file = out.with_name(out.name + ".part")
        reader.fetch(place + name, partial_file)
    except NotThere as error:
        raise StoreCorrupt(f"{error}: piperoll verify says what else is missing") from error
    got = file_entry(partial_file.parent, partial_file.name)
    if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
        partial_file.unlink()
        raise StoreCorrupt(f"{place}{name} is not the file that its manifest names: nothing was kept")
    partial_file.replace(out)
    return wanted
