"""Apply a replay: make a store publish what today's rules make of everything it ever received, as restatements.

A replay into another store shows what each series would be. `find_impact` compares the two, and `apply_impact` makes
the first store's series the same, in order of period: each from the archive, audited, with a reason that is published.
What changes is found anew each time, so an interrupted call is finished by making it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import publishers
from piperoll.errors import PiperollError, StoreCorrupt
from piperoll.model import (
    BodyMapping,
    DecisionEntry,
    DecisionKind,
    Restated,
    Series,
    Status,
    Verdict,
    Version,
)
from piperoll.operations import auditing, steps
from piperoll.operations.pipeline import fail
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import Ending, FileResult, result_of


@dataclass(frozen=True, slots=True)
class SeriesImpact:
    """A series whose published rows today's rules change: the version before, and that in the replayed store."""

    series: Series
    what: Restated
    before: Version | None
    after: Version | None

    @property
    def version(self) -> Version:
        """The version that would be published; if there would be none, the one that would be withdrawn."""
        version = self.after or self.before
        assert version is not None, "a series without versions has no impact"  # noqa: S101
        return version


@dataclass(frozen=True, slots=True)
class BodyImpact:
    """What applying a replay would do to the tables of a body, in one way: files, rows and pounds before and after.

    Pounds are None for tables without amounts.
    """

    body: str
    what: Restated
    tables: int
    files: int
    rows: tuple[int, int]
    pounds: tuple[Decimal | None, Decimal | None]

    def to_document(self) -> dict[str, Any]:
        """The entry as `piperoll replay --json` prints it."""
        pounds = [None if amount is None else f"{amount:.2f}" for amount in self.pounds]
        return {
            "body": self.body,
            "what": str(self.what),
            "tables": self.tables,
            "files": self.files,
            "rows_before": self.rows[0],
            "rows": self.rows[1],
            "pounds_before": pounds[0],
            "pounds": pounds[1],
        }


@dataclass(frozen=True, slots=True)
class AppliedReplay:
    """The results of what was applied, and by series why something was not."""

    results: tuple[FileResult, ...]
    skipped: Mapping[str, str]


def find_impact(store: publishers.Store, replayed: publishers.Store) -> Iterator[SeriesImpact]:
    """Yield the series of which the two stores publish other rows, in order of period.

    What someone withdrew stays withdrawn.
    """
    listed = {*publishers.list_series(store), *publishers.list_series(replayed)}
    for series in sorted(listed, key=lambda one: (one.period, one)):
        history = publishers.read_history(store, series)[0]
        before = history.current_version
        after = publishers.read_history(replayed, series)[0].current_version
        taken_back = any(version.status is not Status.SUPERSEDED for version in history.versions) and before is None
        if taken_back or (before and before.rows_sha256) == (after and after.rows_sha256):
            continue
        what = Restated.HELD if after is None else Restated.PUBLISHED if before is None else Restated.RESTATED
        yield SeriesImpact(series, what, before, after)


def sum_by_body(impacts: Iterable[SeriesImpact]) -> list[BodyImpact]:
    """Add up what would be published, restated and held, by body."""
    groups: dict[tuple[str, Restated], list[SeriesImpact]] = {}
    for impact in impacts:
        groups.setdefault((impact.series.body, impact.what), []).append(impact)
    return [
        BodyImpact(
            body,
            what,
            len(group),
            len({sha256 for one in group for sha256 in one.version.sources}),
            (_count_rows(one.before for one in group), _count_rows(one.after for one in group)),
            (_add_amounts(one.before for one in group), _add_amounts(one.after for one in group)),
        )
        for (body, what), group in sorted(groups.items())
    ]


def apply_impact(
    run: Run,
    replayed: publishers.Store,
    impacts: Sequence[SeriesImpact],
    *,
    because: str,
    by: str,
) -> AppliedReplay:
    """Make the series of the run's store what they are in the replayed one, with the reason `because`, which is public.

    Each is recorded in the log of decisions before anything is done. A series that others have published to since it
    was compared, or that does not come out as the replay showed, is left as it is.
    """
    results: list[FileResult] = []
    skipped: dict[str, str] = {}
    for body, dataset in dict.fromkeys((one.series.body, one.series.dataset) for one in impacts):
        _copy_mapping(run.store, replayed, body, dataset)
    for impact in impacts:
        series = impact.series
        current = publishers.read_history(run.store, series)[0].current_version
        if (current and current.version) != (impact.before and impact.before.version):
            skipped[str(series)] = "it was published to meanwhile: replay again"
            continue
        entry = DecisionEntry(
            DecisionKind.RESTATE, str(series), str(impact.what), because, by, run.moment, series.body, series.dataset
        )
        publishers.record_decision(run.store, entry)
        try:
            results += (
                _withdraw(run, replayed, impact, because) if impact.after is None else _restate(run, impact, because)
            )
        except PiperollError as error:
            skipped[str(series)] = str(error)
        except Exception as error:
            found = publishers.read_submission(run.store, series.dataset, series.body, impact.version.sources[0])
            if found is None:
                raise
            results.append(fail(run, found[0], error))
        finally:
            steps.clear_scratch(run, series.dataset, series.body)
    return AppliedReplay(tuple(results), skipped)


def copy_reports(run: Run, replayed: publishers.Store, names: Iterable[tuple[str, str, str]]) -> None:
    """File the reports of the replayed store for files that neither store publishes, by dataset, body and sha256."""
    for dataset, body, sha256 in names:
        found = publishers.read_submission(replayed, dataset, body, sha256)
        report = publishers.read_full_report(replayed, found[0]) if found else None
        original = publishers.read_submission(run.store, dataset, body, sha256)
        if found and found[1] and report and original and not found[1].verdict.publishes:
            publishers.file_reports(run.store, original[0], report, found[1])


def _restate(run: Run, impact: SeriesImpact, because: str) -> list[FileResult]:
    """Publish a series anew from the files that the replayed version is made of."""
    series, version = impact.series, impact.version
    found = publishers.read_submission(run.store, series.dataset, series.body, version.sources[0])
    if found is None:
        raise StoreCorrupt(f"there is no record of the file {version.sources[0][:12]}")
    file = steps.examine_again(run, found[0], series)
    for error in auditing.audit([file]):
        if error is not None:
            raise error
    settled = steps.restate(run, file, version, f"restated by today's rules: {because}")
    return [settled.result()]


def _withdraw(run: Run, replayed: publishers.Store, impact: SeriesImpact, because: str) -> list[FileResult]:
    """Withdraw the current version of a series of which nothing would be published, and file why."""
    series, version = impact.series, impact.version
    reason = f"not published by today's rules: {because}"
    publishers.mark_withdrawn(run.store, series, version.version, because=reason, now=run.moment)
    copy_reports(run, replayed, ((series.dataset, series.body, sha256) for sha256 in version.sources))
    results = []
    for sha256 in version.sources:
        found = publishers.read_submission(run.store, series.dataset, series.body, sha256)
        if found and found[1]:
            ending = Ending.REJECTED if found[1].verdict is Verdict.REJECTED else Ending.HELD
            results.append(result_of(found[0], found[1], ending))
    return results


def _copy_mapping(store: publishers.Store, replayed: publishers.Store, body: str, dataset: str) -> None:
    """Take over what the replay has learnt of a body's headings, and its questions; answers are kept."""
    learnt = publishers.read_mapping(replayed, body, dataset)

    def merge(mapping: BodyMapping) -> BodyMapping:
        merged = replace(mapping, layouts=learnt.layouts)
        for question in learnt.questions:
            merged = merged.with_question(question)
        return merged

    publishers.update_mapping(store, body, dataset, merge)


def _count_rows(versions: Iterable[Version | None]) -> int:
    return sum(version.rows for version in versions if version)


def _add_amounts(versions: Iterable[Version | None]) -> Decimal | None:
    amounts = [version.amount_gbp for version in versions if version and version.amount_gbp is not None]
    return sum(amounts, Decimal(0)) if amounts else None
