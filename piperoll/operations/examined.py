"""A submission with what examining it found, and how it compares with what is published for other periods."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import publishers
from piperoll import assets, checking, releasing
from piperoll.errors import BytesPurged
from piperoll.findings import holds_file, make_finding
from piperoll.model import (
    BodyMapping,
    Dataset,
    Finding,
    Packed,
    Period,
    Report,
    Series,
    Severity,
    Submission,
    from_document,
)
from piperoll.operations import questions

Check = Callable[[Submission, Series, BodyMapping], checking.Examination]
"""Examines a published submission again, as part of its series, with a mapping of its body's headings."""


@dataclass(frozen=True, slots=True)
class ExaminedSubmission:
    """A submission with what examining it found; its tables are no longer in memory.

    `series` is None if the period is not known, `packed` is None if there is nothing to publish. `used` are the
    decisions about values that have an effect on its rows.
    """

    submission: Submission
    examination: checking.Examination
    series: Series | None = None
    packed: Packed | None = None
    used: frozenset[str] = frozenset()

    @property
    def report(self) -> Report:
        """The full report."""
        return self.examination.report

    @property
    def public_name(self) -> str:
        """The name of the file as it is published: as sent, unless it names a private person."""
        return self.examination.disposition.withheld.get(self.submission.name, self.submission.name)


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """The small result of `examine`: what the order of publishing depends on, and where the rest is kept.

    `rows_sha256` identifies the rows to publish; None if there are none. `kept_at` is a file in the scratch folder.
    `public_name` is the file's name as it is published.
    `restates` is True if the file is published already, and was examined again because of a decision about its values.
    `sample_at` is a file with the tables to be audited before the release may be published (`auditing`); None if there
    is nothing to publish. `audited` is True if what is packed was handed out to be audited already.
    """

    submission: Submission
    period: Period | None
    part: str | None
    series: Series | None
    rows_sha256: str | None
    kept_at: Path
    public_name: str
    restates: bool = False
    sample_at: Path | None = None
    audited: bool = False


class _Pickler(pickle.Pickler):
    """Writes a dataset as its name: its 500 headings take 2 ms to write and 2 to read, the rest less than one."""

    def persistent_id(self, obj: object) -> str | None:
        if isinstance(obj, Dataset) and obj.name in assets.dataset_names() and obj is assets.dataset(obj.name):
            return obj.name
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: str) -> Dataset:
        return assets.dataset(pid)


def write_examined(examined: ExaminedSubmission, path: Path) -> None:
    """Keep what examining a submission found in a file of the scratch folder."""
    with path.open("wb") as stream:
        _Pickler(stream).dump(examined)


def read_examined(path: Path) -> ExaminedSubmission:
    """Read what `write_examined` wrote."""
    with path.open("rb") as stream:
        examined: ExaminedSubmission = _Unpickler(stream).load()
    return examined


def compare_with_earlier(
    store: publishers.Store, examined: ExaminedSubmission, *, decided: bool = False
) -> ExaminedSubmission:
    """Add findings from the comparison with earlier releases to the report; a suspicious file is held.

    Nothing is held if a person has `decided` to release it, or if its rows are already the current version.
    """
    series, packed = examined.series, examined.packed
    if series is None or packed is None:
        return examined
    earlier = publishers.find_earlier_releases(store, series)
    if not earlier:
        return examined
    dataset = assets.dataset(series.dataset)
    history, _ = publishers.read_history(store, series)
    is_current = (
        history.current_version is not None and history.current_version.rows_sha256 == packed.manifest.rows_sha256
    )
    examination = checking.compare_with_earlier_releases(
        examined.examination,
        _profile_packed(dataset, series, packed, examined.report),
        [_profile_earlier(store, dataset, release) for release in earlier],
        dataset,
        first=all(examined.submission.sha256 in version.sources for version in history.versions),
        may_hold=not (decided or is_current),
    )
    if not examination.report.verdict.publishes:
        return replace(examined, examination=examination, packed=None)
    packed = releasing.replace_report(packed, examination.report, examination.disposition)
    return replace(examined, examination=examination, packed=packed)


def compare_with_later(store: publishers.Store, examined: ExaminedSubmission, check: Check) -> ExaminedSubmission:
    """Add a finding for each published release of a later period whose own report would differ, had this come first.

    They are compared anew with this release among the earlier ones, and read again if this one teaches other headings.
    Nothing of them is changed.
    """
    series, packed = examined.series, examined.packed
    if series is None or packed is None:
        return examined
    later: dict[Series, set[str]] = {}
    holding: set[Series] = set()
    for one, codes in [
        *_find_other_comparisons(store, examined, series, packed),
        *_find_other_readings(store, examined, series, check),
    ]:
        later.setdefault(one, set()).update(codes)
        if any(map(holds_file, codes)):
            holding.add(one)
    findings = [
        make_finding(
            "later-release-differs",
            variant="held" if one in holding else "told",
            severity=Severity.WARNING if one in holding else Severity.INFO,
            table=publishers.describe_series(one),
            codes=", ".join(sorted(codes)),
        )
        for one, codes in sorted(later.items(), key=lambda item: item[0].period)
    ]
    if not findings:
        return examined
    examination = checking.add_findings(examined.examination, findings)
    packed = releasing.replace_report(packed, examination.report, examination.disposition)
    return replace(examined, examination=examination, packed=packed)


def _find_other_comparisons(
    store: publishers.Store, examined: ExaminedSubmission, series: Series, packed: Packed
) -> Iterator[tuple[Series, set[str]]]:
    """Yield the later releases of which the comparison with earlier ones would say more, and what it would say."""
    dataset = assets.dataset(series.dataset)
    profiles: dict[str, checking.ReleaseProfile] = {}

    def profile(release: publishers.EarlierRelease | None) -> checking.ReleaseProfile:
        path = release.path if release else ""
        if path not in profiles:
            profiles[path] = (
                _profile_earlier(store, dataset, release)
                if release
                else _profile_packed(dataset, series, packed, examined.report)
            )
        return profiles[path]

    for later in publishers.find_later_releases(store, series, examined.submission.sha256):
        before, after = (
            {
                finding.code
                for finding in checking.find_differences(
                    profile(later.release), [*map(profile, others)], dataset, first=True
                )
            }
            for others in (later.before, later.after)
        )
        if more := after - before:
            yield later.release.series, more


def _find_other_readings(
    store: publishers.Store, examined: ExaminedSubmission, series: Series, check: Check
) -> Iterator[tuple[Series, set[str]]]:
    """Yield the later releases that would be read or questioned otherwise, and what their reports would say more."""
    submission = examined.submission
    known = publishers.read_mapping(store, submission.body, submission.dataset)
    taught = questions.teach(known, submission, examined.examination, published=True)
    if taught.layouts == known.layouts:
        return
    for later in publishers.list_body_series(store, series.dataset, series.body):
        if later.period <= series.period or taught.as_of(later.period) == known.as_of(later.period):
            continue
        current = publishers.read_history(store, later)[0].current_version
        for sha256 in current.sources if current else ():
            found = publishers.read_submission(store, series.dataset, series.body, sha256)
            if found is None:
                continue
            try:
                before, after = (check(found[0], later, mapping).report for mapping in (known, taught))
            except BytesPurged:
                continue
            more = {finding.code for finding in after.findings} - {finding.code for finding in before.findings}
            if more or _figures_of(before) != _figures_of(after):
                yield later, more or {"columns-changed"}


def _figures_of(report: Report) -> object:
    """What a report says of columns, rows and pounds, to compare two readings of one file."""
    return report.verdict, [(table.columns, table.rows, table.amount) for table in report.tables]


def hold(examined: ExaminedSubmission, finding: Finding) -> ExaminedSubmission:
    """Hold a submission whole because of `finding`; one that has nothing to publish stays as it is."""
    if examined.packed is None:
        return examined
    return replace(examined, examination=checking.hold_file(examined.examination, finding), packed=None)


def hold_if_older(store: publishers.Store, examined: ExaminedSubmission) -> ExaminedSubmission:
    """Hold a file that was received before the one that is published in its series: it was held or rejected then."""
    series, packed, submission = examined.series, examined.packed, examined.submission
    current = publishers.read_history(store, series)[0].current_version if series else None
    if current is None or packed is None or series is None or submission.sha256 in current.sources:
        return examined
    if (current.received or "") <= submission.received or current.rows_sha256 == packed.manifest.rows_sha256:
        return examined
    table = publishers.describe_series(series)
    return hold(examined, make_finding("newer-file-published", table=table, version=current.version))


def _profile_packed(dataset: Dataset, series: Series, packed: Packed, report: Report) -> checking.ReleaseProfile:
    parquet, columns = packed.folder / f"{dataset.name}.parquet", checking.columns_profiled(dataset)
    lines = releasing.read_typed_lines(parquet, columns, skip_empty=True)
    return checking.profile_release(
        dataset, checking.ReleaseIdentity(series, sources=packed.manifest.sources), report.tables, lines
    )


def _profile_earlier(
    store: publishers.Store, dataset: Dataset, release: publishers.EarlierRelease
) -> checking.ReleaseProfile:
    parquet, report = publishers.read_release_files(store, release)
    released = checking.ReleaseIdentity(release.series, release.path, release.version.version, release.version.sources)
    lines = releasing.read_typed_lines(parquet, checking.columns_profiled(dataset), skip_empty=True)
    return checking.profile_release(dataset, released, from_document(Report, report).tables, lines)
