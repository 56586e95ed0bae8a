"""The pointer of a series, `versions.json`: reading it, changing it, and fetching what it names.

`publishers.versions` writes it for a new version, `amend_history` for everything else; nothing else writes pointers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from piperoll.model import History, Listing, Manifest, Series, Status, Version, file_entry
from publishers.change_log import logging_series_change
from publishers.reader_reports import read_reader_answers
from publishers.stores.protocol import Store, StoreReader, update_object

_HEAD_BYTES = 65_536
"""Bytes of a CSV that are read for its first rows."""

_FIRST_ROWS = 10
"""Rows that the page of a table shows without a script."""


def read_history(store: StoreReader, series: Series) -> tuple[History, str | None]:
    """Read the history of a series and the tag of its pointer; an empty history and None if nothing is published."""
    try:
        stored = store.read(layout.pointer(series))
    except NotThere:
        return History(series), None
    return parse_history(series, stored.content), stored.tag


def amend_history(store: Store, series: Series, change: Callable[[History], History]) -> History:
    """Write the pointer with `change` made to the history, and return the new history.

    The change is logged even if the pointer is already as wanted: a run may have been killed after it wrote the
    pointer and before it logged the change.
    Raises: PointerMoved (retryable): others write the pointer faster than we can.
    """
    amended = History(series)

    def change_content(content: bytes | None) -> bytes | None:
        nonlocal amended
        before = History(series) if content is None else parse_history(series, content)
        amended = change(before)
        return None if amended == before else amended.to_bytes()

    with logging_series_change(store, series):
        update_object(store, layout.pointer(series), change_content)
    return amended


def fetch_version(
    store: StoreReader, series: Series, version: Version, folder: Path, names: Collection[str] | None = None
) -> Path:
    """Copy the files of a version into `folder`, compare each with the manifest, and return the folder.

    With `names`, only those files are copied, and the manifest.

    Raises: StoreCorrupt: a file is not what the manifest says, or the manifest is not the one that the history names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = layout.release_file(series, version, "manifest.json")
    store.fetch(key, folder / "manifest.json")
    if file_entry(folder, "manifest.json").sha256 != version.manifest_sha256:
        raise StoreCorrupt(f"{key} is not the one that {layout.pointer(series)} names")
    for entry in Manifest.from_bytes((folder / "manifest.json").read_bytes()).files:
        if names is not None and entry.path not in names:
            continue
        key = layout.release_file(series, version, entry.path)
        store.fetch(key, folder / entry.path)
        if file_entry(folder, entry.path) != entry:
            raise StoreCorrupt(f"{key} is not the file that its manifest names")
    return folder


def list_series(store: Store, dataset: str = "", body: str = "", year: int | None = None) -> Iterator[Series]:
    """List the series in the store, in order of key: all, or of a dataset, a body, the year in which periods begin.

    Those of measures are listed only if `dataset` names them.
    """
    for key in store.keys(layout.series_prefix(dataset, body, year)):
        series = layout.parse_pointer(key)
        if series is not None and (dataset or series.dataset != layout.MEASURES):
            yield series


def list_body_series(store: Store, dataset: str, body: str) -> Iterator[Series]:
    """List the series of a body and dataset, in order of key; nothing of one may be published, or be published yet.

    This is one request, however many releases there are.
    """
    for name in store.folders(layout.series_prefix(dataset, body)):
        yield Series.parse(f"{dataset}/{body}/{name}")


def read_listing(store: Store, series: Series) -> Listing:
    """Read what the catalogue shows of a series: its history, and its version's manifest, descriptor and report."""
    history, _ = read_history(store, series)
    superseded = {
        version.version: Manifest.from_bytes(store.read(layout.release_file(series, version, "manifest.json")).content)
        for version in history.versions
        if version.status is Status.SUPERSEDED
    }
    current, answers = history.current_version, read_reader_answers(store, series)
    if current is None:
        return Listing(history, None, None, None, earlier=superseded, answers=answers)

    def read_json_file(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(store.read(layout.release_file(series, current, name)).content)
        return document

    return Listing(
        history,
        Manifest.from_bytes(store.read(layout.release_file(series, current, "manifest.json")).content),
        read_json_file("datapackage.json"),
        read_json_file("report.json"),
        _read_first_rows(store, layout.release_file(series, current, f"{series.dataset}.csv")),
        earlier=superseded,
        answers=answers,
    )


def parse_history(series: Series, content: bytes) -> History:
    """Read the bytes of the pointer of a series. Raises: StoreCorrupt: they are of another series."""
    history = History.from_bytes(content)
    if history.series != series:
        raise StoreCorrupt(f"{layout.pointer(series)} is the pointer of {history.series}")
    return history


def _read_first_rows(store: Store, key: str) -> tuple[tuple[str, ...], ...]:
    """Read the header and the first rows of a CSV from its first bytes, without a row that is cut off."""
    head = store.read(key, first=_HEAD_BYTES).content
    lines = csv.reader(io.StringIO(head.decode("utf-8", errors="ignore"), newline=""))
    rows = [tuple(row) for row in islice(lines, _FIRST_ROWS + 2)]  # one more: the last may be cut off
    whole = rows if len(head) < _HEAD_BYTES else rows[:-1]
    return tuple(whole[: _FIRST_ROWS + 1])
