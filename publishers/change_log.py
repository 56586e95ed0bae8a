"""The log of what changed since the catalogue was last built, so that a build works on nothing else.

A writer of a pointer or a report adds an empty object to the log before it and another one after it, or before and
after several of them. If the writer is killed in between, the first one remains. If a build in between consumes the
first one, the second one follows. So every change is in the log until a build has seen it, and one listing of keys
reads the whole log. The record of a submission has an entry before it only: those of its reports follow.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from piperoll import layout
from piperoll.model import Series, Submission
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
    _log(store, series.dataset, series.body, _name(series))


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


def log_arrival(store: Store, submission: Submission) -> None:
    """Log that a submission changes, before its record is written. What is written of it later logs it again."""
    _log(store, submission.dataset, submission.body, f"{_FILE}{submission.sha256}")


@contextmanager
def logging_publication(store: Store, submission: Submission, series: Series | None) -> Iterator[None]:
    """Log that a submission changes, and the series that it is part of, before and after the block that writes both."""
    what = f"{_FILE}{submission.sha256}" if series is None else _name(series)
    _log(store, submission.dataset, submission.body, what, "" if series is None else submission.sha256)
    yield
    _log(store, submission.dataset, submission.body, what, "" if series is None else submission.sha256)


def read_changes(store: Store) -> LoggedChanges:
    """Read the whole log, with one listing of keys."""
    keys = tuple(store.keys(layout.CHANGES))
    series, files = set(), set()
    for key in keys:
        if (file := layout.parse_file_change(key)) is not None:
            files.add(file)
        dataset, body, what, _ = key.removeprefix(layout.CHANGES).split("/")
        if not what.startswith(_FILE):
            series.add(Series.parse(f"{dataset}/{body}/{what}"))
    return LoggedChanges(keys, frozenset(series), frozenset(files))


def clear_changes(store: Store, changes: LoggedChanges) -> None:
    """Delete the entries that a build has consumed; entries that were added since stay."""
    store.delete_many(changes.keys)


def _name(series: Series) -> str:
    return f"{series.period}--{series.part}" if series.part else str(series.period)


def _log(store: Store, dataset: str, body: str, what: str, sha256: str = "") -> None:
    mark = uuid.uuid4().hex[:16]
    store.create(layout.change(dataset, body, what, f"{mark}-{sha256}" if sha256 else mark), b"")
