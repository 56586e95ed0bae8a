"""Which versions an answer is made from: those that stand, each day counted once, and what is left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from piperoll import layout
from piperoll.model import History, Series, Status, Version, counted_once
from serving.cursors import Cursor, digest
from serving.index_cache import Shelf
from serving.problems import Problem, unknown
from serving.query import Scope

_GONE = (Status.WITHDRAWN, Status.PURGED)


@dataclass(frozen=True, slots=True)
class Used:
    """A version that an answer is made from."""

    series: Series
    version: Version

    def key(self, name: str) -> str:
        """The key of one of its files."""
        return layout.release_file(self.series, self.version, name)


@dataclass(frozen=True, slots=True)
class Left:
    """A series that an answer leaves out, the reason in words, and the series that stand in its place."""

    series: Series
    reason: str
    because: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an answer is made from, in order of body, period and part, and what it leaves out."""

    used: tuple[Used, ...]
    left_out: tuple[Left, ...]

    @property
    def digest(self) -> str:
        """A hash that changes when any other version is used."""
        return digest([[str(one.series), one.version.manifest_sha256] for one in self.used])

    @property
    def until(self) -> str:
        """When the latest of the versions was published."""
        return max((one.version.published for one in self.used), default="")

    @property
    def rows(self) -> int:
        """The rows of all versions together."""
        return sum(one.version.rows for one in self.used)


def choose(shelf: Shelf, scope: Scope, cursor: Cursor | None = None) -> Chosen:
    """The versions that a question is answered from; for a further page, those that its first page was made from.

    Raises: Problem: a body has nothing published of the dataset, or what the first page was made from is not there
    any more.
    """
    if cursor is None:
        return _chosen(shelf, scope, scope.as_known_on)
    chosen = _chosen(shelf, scope, cursor.until)
    if chosen.digest != cursor.chosen:
        raise Problem(
            410,
            "changed-meanwhile",
            "something that your first page was made from was taken back, or came at the very moment you asked: begin "
            "again without the cursor",
        )
    return chosen


def _chosen(shelf: Shelf, scope: Scope, instant: str | None) -> Chosen:
    entries = {
        series: entry for series, entry in shelf.entries(scope.dataset, scope.bodies).items() if _asked(series, scope)
    }
    if scope.bodies:
        _refuse_strangers(shelf, scope)
    used, left = [], []
    for history in shelf.histories(entries):
        version = history.as_known_on(instant) if instant else history.standing
        if version is not None and version.status in _GONE:
            left.append(Left(history.series, f"{version.status} on {(version.ended or '')[:10]}: {version.because}"))
        elif version is not None:
            used.append(Used(history.series, version))
        elif reason := _taken_back(history):
            left.append(Left(history.series, reason))
    return _once(used, left, keep=scope.keep_overlapping)


def _once(used: Iterable[Used], left: Iterable[Left], *, keep: bool) -> Chosen:
    """Each day of a body and part once, unless all is to be kept."""
    standing: Mapping[Series, Used] = {one.series: one for one in used}
    if keep:
        return Chosen(tuple(standing.values()), tuple(left))
    counted = counted_once(standing)
    over = (Left(one.series, "the same days are counted in other series", one.because) for one in counted.left_out)
    return Chosen(
        tuple(standing[series] for series in counted.taken), tuple(sorted([*left, *over], key=lambda one: one.series))
    )


def _taken_back(history: History) -> str | None:
    last = history.versions[-1] if history.versions else None
    return None if last is None or last.ended is None else f"{last.status} on {last.ended[:10]}: {last.because}"


def _asked(series: Series, scope: Scope) -> bool:
    """Whether a series is one of those that are asked about."""
    return (
        (not scope.periods or series.period in scope.periods)
        and (not scope.parts or (series.part or "none") in scope.parts)
        and (
            scope.within is None
            or (scope.within.start <= series.period.start and series.period.end <= scope.within.end)
        )
    )


def _refuse_strangers(shelf: Shelf, scope: Scope) -> None:
    there = shelf.datasets()
    everywhere = sorted({body for bodies in there.values() for body in bodies})
    for body in scope.bodies:
        if body not in everywhere:
            raise unknown("body", body, everywhere, see="/bodies lists them")


def told(chosen: Chosen) -> dict[str, Any]:
    """Which series an answer used, and which it left out, as its readers see it."""
    return {
        "used": [
            {"series": str(one.series), "version": one.version.version, "rows": one.version.rows} for one in chosen.used
        ],
        "left_out": [
            {"series": str(one.series), "reason": one.reason, "because": [str(each) for each in one.because]}
            for one in chosen.left_out
        ],
    }
