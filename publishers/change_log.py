"""Marks of what changed since the catalogue was last made, so that it is made anew only there.

Whoever writes a pointer, a record or a report leaves a mark before it and another after it, each under a name of its
own: `collected/catalogue/changed/{dataset}/{body}/{what}/…`. Killed in between, the first one stands. If the catalogue
is made in between and takes the first one away, the second one comes after. So nothing changes without a mark, and one
listing finds all that there are.
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
class Changed:
    """What changed: series, and files as received by dataset, body and sha256; `keys` are the marks that say so."""

    keys: tuple[str, ...]
    series: frozenset[Series]
    files: frozenset[tuple[str, str, str]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The datasets and bodies of which releases changed, in order."""
        return sorted({(series.dataset, series.body) for series in self.series})

    @property
    def bodies(self) -> set[str]:
        """The bodies of which anything changed."""
        return {series.body for series in self.series} | {body for _, body, _ in self.files}


def mark_series(store: Store, series: Series) -> None:
    """Say that a series may have changed."""
    _mark(store, str(series))


@contextmanager
def marking_series(store: Store, series: Series) -> Iterator[None]:
    """Say so before and after its pointer is written."""
    _mark(store, str(series))
    yield
    _mark(store, str(series))


@contextmanager
def marking_file(store: Store, dataset: str, body: str, sha256: str) -> Iterator[None]:
    """Say that a file as received changed, before and after its record or report is written or removed."""
    place = f"{dataset}/{body}/{_FILE}{sha256}"
    _mark(store, place)
    yield
    _mark(store, place)


def changed(store: Store) -> Changed:
    """Everything that is marked, by one listing."""
    keys = tuple(store.keys(layout.CHANGES))
    series, files = set(), set()
    for key in keys:
        dataset, body, what, _ = key.removeprefix(layout.CHANGES).split("/")
        if what.startswith(_FILE):
            files.add((dataset, body, what.removeprefix(_FILE)))
        else:
            series.add(Series.parse(f"{dataset}/{body}/{what}"))
    return Changed(keys, frozenset(series), frozenset(files))


def forget(store: Store, seen: Changed) -> None:
    """Take away the marks that were seen, once everything is made of what they say; later ones stay."""
    for key in seen.keys:
        store.delete(key)


def _mark(store: Store, place: str) -> None:
    store.create(f"{layout.CHANGES}{place}/{uuid.uuid4().hex[:16]}", b"")
