"""The log of what changed since the catalogue was last built, so that a build works on nothing else.

A writer of a pointer, a record or a report adds an empty object to the log before it and another one after it. If
the writer is killed in between, the first one remains. If a build in between consumes the first one, the second one
follows. So every change is in the log until a build has seen it, and one listing of keys reads the whole log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from piperoll import layout
from piperoll.model import Series
from publishers.stores.protocol import Store

_FILE = "sha256-"


@dataclass(frozen=True, slots=True)
class LoggedChanges:
    """Changed series, and changed submissions by dataset, body and sha256; `keys` are the entries of the log."""

    keys: tuple[str, ...]
    series: frozenset[Series]
    files: frozenset[tuple[str, str, str]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The (dataset, body) pairs whose releases changed, in order."""
        return sorted({(series.dataset, series.body) for series in self.series})

    @property
    def bodies(self) -> set[str]:
        """The bodies with any change."""
        return {series.body for series in self.series} | {body for _, body, _ in self.files}


def log_series_change(store: Store, series: Series) -> None:
    """Log that a series may have changed. Measures are made after all data and before pages: they need no log."""
    if series.dataset == layout.MEASURES:
        return
    name = f"{series.period}--{series.part}" if series.part else str(series.period)
    _log(store, series.dataset, series.body, name)


@contextmanager
def logging_series_change(store: Store, series: Series) -> Iterator[None]:
    """Log that a series changes, before and after the block that writes its pointer."""
    log_series_change(store, series)
    yield
    log_series_change(store, series)


@contextmanager
def logging_submission_change(store: Store, dataset: str, body: str, sha256: str) -> Iterator[None]:
    """Log that a submission changes, before and after the block that writes or removes its record or report."""
    _log(store, dataset, body, f"{_FILE}{sha256}")
    yield
    _log(store, dataset, body, f"{_FILE}{sha256}")


def read_changes(store: Store) -> LoggedChanges:
    """Read the whole log, with one listing of keys."""
    keys = tuple(store.keys(layout.CHANGES))
    series, files = set(), set()
    for key in keys:
        dataset, body, what, _ = key.removeprefix(layout.CHANGES).split("/")
        if what.startswith(_FILE):
            files.add((dataset, body, what.removeprefix(_FILE)))
        else:
            series.add(Series.parse(f"{dataset}/{body}/{what}"))
    return LoggedChanges(keys, frozenset(series), frozenset(files))


def clear_changes(store: Store, changes: LoggedChanges) -> None:
    """Delete the entries that a build has consumed; entries that were added since stay."""
    store.delete_many(changes.keys)


def _log(store: Store, dataset: str, body: str, what: str) -> None:
    store.create(layout.change(dataset, body, what, uuid.uuid4().hex[:16]), b"")
