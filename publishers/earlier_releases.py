"""What the same body published for earlier periods: the releases that a new one can be compared with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from piperoll.model import Period, Series, Version
from publishers.pointer import read_history
from publishers.stores.protocol import Store

_YEARS_BACK = 2
"""What is older than the second year before says little of this one; and the keys that are listed stay few."""

_NEAREST = 3


@dataclass(frozen=True, slots=True)
class EarlierRelease:
    """The version that stands of an earlier series."""

    series: Series
    version: Version

    @property
    def place(self) -> str:
        """The folder of its files, below `data/`."""
        return f"{self.series}/{self.version.path}"


def find_earlier_releases(store: Store, series: Series) -> tuple[EarlierRelease, ...]:
    """The releases before this one that are like it, the nearest first.

    Like it: the same dataset, body and part, a period of as many months (or a day, for a day) that ends before this
    one begins, and a version that stands. The nearest three, and the one of the same time a year before if it is none
    of them; so whatever is published, four releases at the most are looked into.
    """
    like = sorted((one for one in _series(store, series) if _is_like(one, series)), key=_when, reverse=True)
    found: list[EarlierRelease] = []
    for one in like:
        if len(found) < _NEAREST or _is_a_year_before(one.period, series.period):
            standing = read_history(store, one)[0].standing
            found += [EarlierRelease(one, standing)] if standing else []
    return tuple(found)


def read_release_files(store: Store, release: EarlierRelease) -> tuple[bytes, dict[str, Any]]:
    """The Parquet file of a release, and its public report."""
    place = f"data/{release.place}/"
    report: dict[str, Any] = json.loads(store.read(f"{place}report.json").content)
    return store.read(f"{place}{release.series.dataset}.parquet").content, report


def _series(store: Store, series: Series) -> Iterator[Series]:
    """Every series of the same dataset and body that begins in this year or the two before."""
    last = series.period.start.year
    for year in range(last - _YEARS_BACK, last + 1):
        for key in store.keys(f"data/{series.dataset}/{series.body}/{year}-"):
            if key.endswith("/versions.json") and key.count("/") == 4:
                yield Series.parse(key.removeprefix("data/").removesuffix("/versions.json"))


def _is_like(one: Series, series: Series) -> bool:
    return (
        one.part == series.part
        and one.period.end < series.period.start
        and _months(one.period) == _months(series.period)
    )


def _when(series: Series) -> Period:
    return series.period


def _months(period: Period) -> int:
    """How many months; 0 for a day."""
    return 0 if period.start == period.end else sum(1 for _ in period.months())


def _is_a_year_before(one: Period, other: Period) -> bool:
    return (one.start.year + 1, one.start.month, one.start.day) == (
        other.start.year,
        other.start.month,
        other.start.day,
    )
