"""Which versions a query reads, so that every day of a body counts once; and which series it leaves out, and why."""

from __future__ import annotations

from dataclasses import dataclass

from piperoll import layout
from piperoll.model import Series, Status, Version, count_once
from serving.cursors import Cursor, digest
from serving.documents import LeftOutSeries, UsedSeries
from serving.index_cache import PublishedIndex
from serving.problems import Problem, unknown_name
from serving.row_query import SeriesScope

TAKEN_BACK = (Status.WITHDRAWN, Status.PURGED)
"""The statuses of versions that are never served, not even for a day on which they were current."""


@dataclass(frozen=True, slots=True)
class SelectedVersion:
    """A version that a query reads."""

    series: Series
    version: Version

    @property
    def parquet_name(self) -> str:
        """The name of its Parquet file."""
        return f"{self.series.dataset}.parquet"

    @property
    def parquet_key(self) -> str:
        """The key of its Parquet file in the store."""
        return layout.release_file(self.series, self.version, self.parquet_name)


@dataclass(frozen=True, slots=True)
class Excluded:
    """A series that a query leaves out, the reason, and the series that are counted in its place."""

    series: Series
    reason: str
    because: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The versions that a query reads, in order of body, period and part, and the series that it leaves out."""

    used: tuple[SelectedVersion, ...]
    left_out: tuple[Excluded, ...]

    @property
    def digest(self) -> str:
        """Identifies the versions."""
        return digest([[str(one.series), one.version.manifest_sha256] for one in self.used])

    @property
    def until(self) -> str:
        """When the latest of the versions was published."""
        return max((one.version.published for one in self.used), default="")

    @property
    def rows(self) -> int:
        """The number of rows of all versions together."""
        return sum(one.version.rows for one in self.used)

    def describe_used(self) -> list[UsedSeries]:
        """The versions that are read, as JSON."""
        return [
            {"series": str(one.series), "version": one.version.version, "rows": one.version.rows} for one in self.used
        ]

    def describe_left_out(self) -> list[LeftOutSeries]:
        """The series that are left out, as JSON."""
        return [
            {"series": str(one.series), "reason": one.reason, "because": [str(other) for other in one.because]}
            for one in self.left_out
        ]


def select(index: PublishedIndex, scope: SeriesScope, cursor: Cursor | None = None) -> Selection:
    """Select the versions that a query reads. A further page (`cursor`) reads those that its first page read.

    Raises: Problem: a body has published nothing, or a version that the first page read is no longer available.
    """
    if scope.bodies:
        published = sorted({body for bodies in index.datasets().values() for body in bodies})
        for body in scope.bodies:
            if body not in published:
                raise unknown_name("body", body, published, see="/bodies lists them")
    if cursor is None:
        return _select_as_of(index, scope, scope.as_known_on)
    selection = _select_as_of(index, scope, cursor.until)
    if selection.digest != cursor.selection:
        # Withdrawn or purged since; or published within the second in which the first page was read.
        raise Problem(
            410,
            "changed-meanwhile",
            "the data that the first page was read from has changed: start again without the cursor",
        )
    return selection


def _select_as_of(index: PublishedIndex, scope: SeriesScope, instant: str | None) -> Selection:
    """Select the versions that were current at an instant (None: now)."""
    within = scope.within
    entries = {
        series: entry
        for series, entry in index.entries(scope.dataset, scope.bodies).items()
        if (not scope.periods or series.period in scope.periods)
        and (not scope.parts or (series.part or "none") in scope.parts)
        and (within is None or (within.start <= series.period.start and series.period.end <= within.end))
    }
    used: dict[Series, SelectedVersion] = {}
    left_out = []
    for history in index.histories(entries):
        version = history.as_known_on(instant) if instant else history.current_version
        if version is not None and version.status not in TAKEN_BACK:
            used[history.series] = SelectedVersion(history.series, version)
            continue
        if version is None and history.versions and history.versions[-1].ended is not None:
            version = history.versions[-1]  # no version is current, so the last one says why
        if version is not None:
            reason = f"{version.status} on {(version.ended or '')[:10]}: {version.because}"
            left_out.append(Excluded(history.series, reason))
    if scope.keep_overlapping:
        return Selection(tuple(used.values()), tuple(left_out))
    counted = count_once(used)
    left_out += [
        Excluded(one.series, "the same days are counted in other series", one.because) for one in counted.left_out
    ]
    return Selection(tuple(used[one] for one in counted.taken), tuple(sorted(left_out, key=lambda one: one.series)))
