"""Decisions about held values: recorded by people, applied by the next run from the archived bytes, and taken back.

A decision is recorded once in the log `decisions/`. The next run finds the files that it bears on, examines them again
(`piperoll.operations.pipeline`), removes versions that publish what must not be published (`settle`), and records that
the decision has been applied. A run that is killed in between does all of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

import publishers
from piperoll import assets, layout
from piperoll.checking.privacy.decisions import Decided, fold_value
from piperoll.errors import UsageError
from piperoll.model import (
    DecidedAs,
    DecisionEntry,
    DecisionKind,
    Field,
    HeldValue,
    Origin,
    Report,
    Series,
    Status,
    Submission,
    Verdict,
    Version,
)
from piperoll.scratch import scratch_folder

RESTATED = "examined again after a decision about held rows"
"""The published reason of a version that a decision led to. It quotes no decision: a reason could name a person."""

_PURGED = "it had rows that are held by a later decision"
"""The published reason of a purge that a decision led to."""


@dataclass(frozen=True, slots=True)
class PendingDecisions:
    """Entries of the log that have not been applied yet to the files of a body and dataset.

    `held` are the submissions that they bear on and that are held as a whole; `published` are those in the current
    version of a series, with that series.
    """

    body: str
    dataset: str
    entries: tuple[DecisionEntry, ...]
    held: tuple[Submission, ...] = ()
    published: tuple[tuple[Submission, Series], ...] = ()


@dataclass(frozen=True, slots=True)
class _FiledSubmission:
    """A submission with its full report (None in an old store), and its series if the report has a period."""

    submission: Submission
    verdict: Verdict
    report: Report | None
    series: Series | None


def record(  # noqa: PLR0913 - keyword-only options
    store: publishers.Store,
    values: Iterable[str],
    decided_as: DecidedAs,
    *,
    because: str,
    by: str,
    moment: str,
    body: str | None,
    dataset: str | None = None,
    area: bool = False,
) -> list[DecisionEntry]:
    """Record a decision about each of `values`, or service areas; a decision that is in force already is not repeated.

    `body` None is every body. The next run applies them.
    Raises: UsageError: no reason or no name is given, there are no values, or one has no letter or digit.
    """
    because, by = _require(because, "a reason"), _require(by, "the name of who decided (--by)")
    wanted = {fold_value(value): value.strip() for value in values}
    if not wanted or "" in wanted:
        raise UsageError("give at least one value, and for each at least one letter or digit")
    entries = publishers.list_decisions(store, body)
    taken_back = {entry.subject for entry in entries if entry.kind is DecisionKind.TAKE_BACK}
    kind = DecisionKind.AREA if area else DecisionKind.VALUE
    in_force = {
        fold_value(entry.subject): entry
        for entry in entries
        if entry.kind is kind and entry.dataset == dataset and entry.id not in taken_back
    }
    recorded = []
    for folded, value in wanted.items():
        known = in_force.get(folded)
        if known is not None and known.decided_as == decided_as:
            recorded.append(known)
            continue
        entry = DecisionEntry(kind, value, str(decided_as), because, by, moment, body, dataset)
        recorded.append(publishers.record_decision(store, entry))
    return recorded


def take_back(store: publishers.Store, identifier: str, *, because: str, by: str, moment: str) -> DecisionEntry:
    """Record that a decision is taken back. The next run holds the rows again, and removes what was published by it.

    A reply or review that is taken back counts no more when measures are next made.
    Raises: UsageError: there is no such decision, it is about a file, or it was taken back before.
    """
    because, by = _require(because, "a reason"), _require(by, "the name of who decided (--by)")
    entry = publishers.find_decision(store, identifier)
    if not (entry.kind.is_review or entry.kind in (DecisionKind.VALUE, DecisionKind.AREA)):
        raise UsageError(
            f"{entry.id} is not a decision that can be taken back: to withdraw a file, use piperoll withdraw or purge"
        )
    for other in publishers.list_decisions(store, entry.body):
        if other.kind is DecisionKind.TAKE_BACK and other.subject == entry.id:
            raise UsageError(f"{entry.id} was taken back on {other.decided[:10]} by {other.by}: {other.because}")
    taken = DecisionEntry(
        DecisionKind.TAKE_BACK, entry.id, entry.decided_as, because, by, moment, entry.body, entry.dataset
    )
    return publishers.record_decision(store, taken)


def list_log(store: publishers.Store, body: str | None = None) -> list[DecisionEntry]:
    """The whole log, oldest first; with `body`, the entries about its files and those for all bodies."""
    bodies = publishers.list_bodies_with_decisions(store) if body is None else [body]
    entries = [entry for one in (None, *bodies) for entry in publishers.list_decisions(store, one)]
    return sorted(entries, key=lambda entry: (entry.decided, entry.id))


def copy_log(store: publishers.Store, to: publishers.Store) -> None:
    """Copy the log from one store to another, so that a replay begins with all decisions."""
    for entry in list_log(store):
        publishers.record_decision(to, entry)


def find_pending(store: publishers.Store, keeps: Callable[[str], bool] | None = None) -> Iterator[PendingDecisions]:
    """Yield what is to be applied to each body and dataset; record what bears on nothing as applied.

    With `keeps`, only of the bodies for which it is True. A decision for all bodies is then recorded as applied to
    these bodies only; call `mark_for_all` to record it for all.
    """
    for_all = _not_applied(publishers.list_decisions(store, None), publishers.list_applied(store))
    bodies = {*publishers.list_bodies_with_decisions(store), *(_list_bodies(store) if for_all else ())}
    left = keeps is not None
    for body in sorted(bodies if keeps is None else filter(keeps, bodies)):
        entries = [*for_all, *publishers.list_decisions(store, body)]
        for dataset in sorted(about.name for about in assets.datasets()):
            known = [entry for entry in entries if entry.dataset in (None, dataset)]
            waiting = _not_applied(known, publishers.list_applied(store, body, dataset)) if known else ()
            if not waiting:
                continue
            pending = _find_files(store, body, dataset, waiting)
            published = next(publishers.list_series(store, dataset, body), None) is not None
            if pending.held or pending.published or (published and any(map(_removes, waiting))):
                left = left or any(entry.body is None for entry in waiting)
                yield pending
            else:
                publishers.mark_applied(store, [entry.id for entry in waiting], body, dataset)
    if for_all and not left:
        publishers.mark_applied(store, [entry.id for entry in for_all])


def mark_for_all(store: publishers.Store) -> None:
    """Record what was decided for all bodies as applied where it bears on nothing, before a run in parts begins."""
    if _not_applied(publishers.list_decisions(store, None), publishers.list_applied(store)):
        for _ in find_pending(store):
            pass


def list_known(store: publishers.Store, body: str) -> frozenset[str]:
    """The identifiers of all entries of the log that may be about files of a body."""
    return frozenset(entry.id for one in (None, body) for entry in publishers.list_decisions(store, one))


def find_late(store: publishers.Store, body: str, dataset: str, known: frozenset[str]) -> PendingDecisions | None:
    """What was decided about files of a body and dataset since the entries `known` were listed; None if nothing was.

    A run that publishes asks for it afterwards: a run that applies a decision at the same time cannot see its version.
    """
    entries = [entry for one in (None, body) for entry in publishers.list_decisions(store, one)]
    late = [one for one in _not_applied(entries, known) if one.dataset in (None, dataset)]
    return _find_files(store, body, dataset, late) if late else None


def settle(store: publishers.Store, pending: PendingDecisions, *, unpublished: Iterable[str], now: str) -> None:
    """Remove the versions that publish what the entries forbid, then record that the entries have been applied.

    `unpublished` are the files, by sha256, that were examined again and are not published any more: what is current of
    them is removed too.
    """
    removing = [entry for entry in pending.entries if _removes(entry)]
    if removing:
        effects = _Effects(store, pending.body, pending.dataset, removing)
        gone = {*unpublished}
        for series in list(publishers.list_series(store, pending.dataset, pending.body)):
            history, _ = publishers.read_history(store, series)
            numbers = {
                version.version
                for version in history.versions
                if version.status is not Status.PURGED
                and (version.version != history.current or gone.intersection(version.sources))
                and (effects.used_by(series, version) or effects.names_person(series, version))
            }
            publishers.remove_versions(store, series, numbers, because=_PURGED, now=now)
    publishers.mark_applied(store, [entry.id for entry in pending.entries], pending.body, pending.dataset)


class _Effects:
    """What entries of the log bear on: the versions and reports of a body and dataset."""

    def __init__(self, store: publishers.Store, body: str, dataset: str, entries: Sequence[DecisionEntry]) -> None:
        self._store, self._dataset, self._entries = store, assets.dataset(dataset), entries
        known = [*publishers.list_decisions(store, None), *publishers.list_decisions(store, body)]
        self._related = {one.id for one in known for entry in entries if _is_related(one, entry)}
        uses = publishers.list_uses(store, body, dataset)
        self._used = {use for identifier in self._related for use in uses.get(identifier, ())}
        persons = any(entry.kind is DecisionKind.VALUE and _removes(entry) for entry in entries)
        self._persons = Decided(publishers.read_decisions(store, body, dataset) if persons else ())

    def used_by(self, series: Series, version: Version) -> bool:
        """Whether rows of a version are published, or lack a name, because of a decision that the entries replace."""
        return (series, version.manifest_sha256) in self._used

    def names_person(self, series: Series, version: Version) -> bool:
        """Whether a version names, in a column that is screened, someone decided to be a private person."""
        if not self._persons:
            return False
        with scratch_folder("decisions") as scratch:
            path = scratch / "table.parquet"
            self._store.fetch(layout.release_file(series, version, f"{series.dataset}.parquet"), path)
            screened = {field.name for field in self._dataset.fields if _is_screened(field)}
            file = pq.ParquetFile(path, memory_map=False)
            columns = [name for name in file.schema_arrow.names if name in screened]
            return any(
                bool((self._persons.find_persons(column) >= 0).any())
                for batch in file.iter_batches(columns=columns)
                for column in batch.columns
            )

    def bear_on(self, report: Report | None) -> bool:
        """Whether an entry may change what becomes of the rows of a file, by its full report."""
        if report is None or self._related.intersection(report.decided):
            return True
        if any(finding.private for finding in report.findings) and not report.held_values:
            return True  # filed before reports had held values, or with names that are not due
        return any(self._is_about(entry, value) for entry in self._entries for value in report.held_values)

    def _is_about(self, entry: DecisionEntry, value: HeldValue) -> bool:
        if entry.kind is DecisionKind.AREA:
            return "privacy-service-area" in value.rules
        is_name = self._dataset.field(value.field).privacy == "name"
        return entry.kind is DecisionKind.VALUE and _same(entry.subject, value.value, is_name=is_name)


def _require(text: str, what: str) -> str:
    if not text.strip():
        raise UsageError(f"give {what}: it is kept with the decision")
    return text.strip()


def _not_applied(entries: Iterable[DecisionEntry], applied: Iterable[str]) -> tuple[DecisionEntry, ...]:
    done = frozenset(applied)
    return tuple(entry for entry in entries if entry.id not in done and entry.bears_on_files)


def _removes(entry: DecisionEntry) -> bool:
    """Whether an entry forbids to publish what may be published already."""
    person = entry.decided_as == DecidedAs.PERSON
    return not person if entry.kind is DecisionKind.TAKE_BACK else person


def _list_bodies(store: publishers.Store) -> set[str]:
    """Every body that has sent something."""
    named = (layout.parse_record(key) for key in store.keys(layout.COLLECTED))
    return {record[0] for record in named if record is not None}


def _is_screened(field: Field) -> bool:
    """Whether the cells of a field are examined for people, and could be published with a name."""
    return field.privacy is not None or (field.type == "string" and field.origin is not Origin.DERIVED)


def _is_related(one: DecisionEntry, entry: DecisionEntry) -> bool:
    """Whether `entry` takes `one` back, or is about the same value and may replace it."""
    if entry.kind is DecisionKind.TAKE_BACK:
        return one.id == entry.subject
    return one.kind is entry.kind and (_same(one.subject, entry.subject, is_name=True) or one.subject == entry.subject)


def _same(one: str, other: str, *, is_name: bool) -> bool:
    return fold_value(one, is_name=is_name) == fold_value(other, is_name=is_name)


def _find_files(store: publishers.Store, body: str, dataset: str, entries: Sequence[DecisionEntry]) -> PendingDecisions:
    """The submissions of a body and dataset that are examined again because of entries of the log."""
    effects = _Effects(store, body, dataset, entries)
    current = {
        series: version
        for series in publishers.list_series(store, dataset, body)
        if (version := publishers.read_history(store, series)[0].current_version)
    }
    affected = {
        series
        for series, version in current.items()
        if effects.used_by(series, version) or effects.names_person(series, version)
    }
    held: dict[Series | str, Submission] = {}
    published: list[tuple[Submission, Series]] = []
    for filed in sorted(_list_filed(store, body, dataset), key=lambda one: one.submission.received):
        submission, series = filed.submission, filed.series
        version = current.get(series) if series else None
        if series and version and submission.sha256 in version.sources:
            if series in affected or effects.bear_on(filed.report):
                published.append((submission, series))
        elif filed.verdict is Verdict.HELD and not (version and (version.received or "") > submission.received):
            held.pop(series or "", None)  # a later file of a series replaces an earlier one
            if effects.bear_on(filed.report):
                held[series or submission.sha256] = submission
    return PendingDecisions(body, dataset, tuple(entries), tuple(held.values()), tuple(published))


def _list_filed(store: publishers.Store, body: str, dataset: str) -> Iterator[_FiledSubmission]:
    for submission, public in publishers.list_submissions(store, body):
        if submission.dataset == dataset and public is not None:
            report = publishers.read_full_report(store, submission)
            series = None
            if public.period:
                part = f"--{public.part}" if public.part else ""
                series = Series.parse(f"{dataset}/{body}/{public.period}{part}")
            yield _FiledSubmission(submission, public.verdict, report, series)
