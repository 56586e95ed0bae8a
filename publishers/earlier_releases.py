"""What the same body published for earlier periods: the releases that a new one is compared with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from piperoll import layout
from piperoll.model import Period, Series, Version
from publishers.pointer import list_series, read_history
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


def find_earlier_releases(store: Store, series: Series) -> tuple[EarlierRelease, ...]:
    """Find the earlier releases to compare a new one with, the nearest first: at most four.

    They have the same dataset, body and part, a period of as many months (or a day, for a day) that ends before this
    one begins, and a current version. They are the nearest three, and that of the same time a year before if it is none
    of the three.
    """
    start, months = series.period.start, _count_months(series.period)
    found: list[EarlierRelease] = []
    for year in range(start.year, start.year - _YEARS_BACK - 1, -1):
        if len(found) >= _NEAREST and year < start.year - 1:
            break  # a year before this one begins no period that is wanted
        comparable = (
            one
            for one in list_series(store, series.dataset, series.body, year)
            if one.part == series.part and one.period.end < start and _count_months(one.period) == months
        )
        for one in sorted(comparable, key=lambda one: one.period, reverse=True):
            begins = one.period.start
            a_year_before = (begins.year + 1, begins.month, begins.day) == (start.year, start.month, start.day)
            if len(found) < _NEAREST or a_year_before:
                current = read_history(store, one)[0].current_version
                found += [EarlierRelease(one, current)] if current else []
    return tuple(found)


def read_release_files(store: Store, release: EarlierRelease) -> tuple[bytes, dict[str, Any]]:
    """Read the Parquet file of a release, and its public report."""
    series, version = release.series, release.version
    report: dict[str, Any] = json.loads(store.read(layout.release_file(series, version, "report.json")).content)
    return store.read(layout.release_file(series, version, f"{series.dataset}.parquet")).content, report


def _count_months(period: Period) -> int:
    """How many months a period covers; 0 for a day."""
    return 0 if period.start == period.end else sum(1 for _ in period.months())
