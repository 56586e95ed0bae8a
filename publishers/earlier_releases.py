"""What the same body published for earlier periods: the releases that a new one is compared with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from piperoll import layout
from piperoll.model import Period, Series, Version
from publishers.pointer import list_body_series, read_history
from publishers.stores.protocol import Store

_YEARS_BACK = 2
"""Years to look back: older releases say little about this one, and listing more would cost more."""

_NEAREST = 3
"""Earlier releases that are compared, besides that of the same time a year before."""


@dataclass(frozen=True, slots=True)
class EarlierRelease:
    """The current version of an earlier series."""

    series: Series
    version: Version

    @property
    def path(self) -> str:
        """The folder of its files, relative to `data/`."""
        return layout.version_folder(self.series, self.version).removeprefix(layout.DATA).removesuffix("/")


@dataclass(frozen=True, slots=True)
class LaterRelease:
    """A published release that will be compared with a new one of an earlier period.

    `before` is what it is compared with as things are, the nearest first, and `after` what it is compared with once the
    new one is published, which is None there.
    """

    release: EarlierRelease
    before: tuple[EarlierRelease, ...]
    after: tuple[EarlierRelease | None, ...]


def find_earlier_releases(store: Store, series: Series) -> tuple[EarlierRelease, ...]:
    """Find the earlier releases to compare a new one with, the nearest first: at most four.

    They have the same dataset, body and part, a period of as many months (or a day, for a day) that ends before this
    one begins, and a current version. They are the nearest three, and that of the same time a year before if it is none
    of the three.
    """
    return tuple(_choose_nearest(series, _list_earlier(store, series), partial(_find_release, store)))


def find_later_releases(store: Store, series: Series, source: str) -> tuple[LaterRelease, ...]:
    """Find the published releases of later periods that are compared with one of `series`, the nearest first.

    `source` is the sha256 of the new one's file: what a killed run has published of it already counts as new.
    """
    year = series.period.start.year
    later = [
        one for one in _list_comparable(store, series, year, year + _YEARS_BACK) if one.period.start > series.period.end
    ]
    if not later:
        return ()
    history = read_history(store, series)[0]
    standing = history.current_version
    if standing is not None and source in standing.sources:
        standing = history.version(standing.supersedes) if standing.supersedes else None
    found = []
    for release in _choose_nearest(series, sorted(later, key=lambda one: one.period), partial(_find_release, store)):
        others = _list_earlier(store, release.series)
        find = partial(_find_release, store, instead={series: EarlierRelease(series, standing) if standing else None})
        before = tuple(_choose_nearest(release.series, others, find))
        new = EarlierRelease(series, release.version)  # only its place is needed
        find = partial(_find_release, store, instead={series: new})
        after = _choose_nearest(
            release.series, sorted({*others, series}, key=lambda one: one.period, reverse=True), find
        )
        found.append(LaterRelease(release, before, tuple(None if one is new else one for one in after)))
    return tuple(found)


def _list_comparable(store: Store, series: Series, first: int, last: int) -> list[Series]:
    """The series with the same dataset, body and part, and periods of as many months that begin in some years."""
    months = _count_months(series.period)
    return [
        one
        for one in list_body_series(store, series.dataset, series.body)
        if first <= one.period.start.year <= last and one.part == series.part and _count_months(one.period) == months
    ]


def _list_earlier(store: Store, series: Series) -> list[Series]:
    """The comparable series of periods that end before this one begins, the nearest first."""
    start = series.period.start
    comparable = _list_comparable(store, series, start.year - _YEARS_BACK, start.year)
    return sorted((one for one in comparable if one.period.end < start), key=lambda one: one.period, reverse=True)


def _choose_nearest(
    series: Series, nearest_first: Iterable[Series], find: Callable[[Series], EarlierRelease | None]
) -> Iterator[EarlierRelease]:
    """Yield the nearest three that have a release, and that of the same time a year before or after."""
    start, count = series.period.start, 0
    for one in nearest_first:
        begins = one.period.start
        a_year_away = abs(begins.year - start.year) == 1 and (begins.month, begins.day) == (start.month, start.day)
        if (count < _NEAREST or a_year_away) and (release := find(one)):
            count += 1
            yield release


def _find_release(
    store: Store, series: Series, instead: Mapping[Series, EarlierRelease | None] = MappingProxyType({})
) -> EarlierRelease | None:
    if series in instead:
        return instead[series]
    current = read_history(store, series)[0].current_version
    return EarlierRelease(series, current) if current else None


def read_release_files(store: Store, release: EarlierRelease) -> tuple[bytes, dict[str, Any]]:
    """Read the Parquet file of a release, and its public report."""
    series, version = release.series, release.version
    report: dict[str, Any] = json.loads(store.read(layout.release_file(series, version, "report.json")).content)
    return store.read(layout.release_file(series, version, f"{series.dataset}.parquet")).content, report


def _count_months(period: Period) -> int:
    """How many months a period covers; 0 for a day."""
    return 0 if period.start == period.end else sum(1 for _ in period.months())
