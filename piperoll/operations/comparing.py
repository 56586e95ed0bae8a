"""A submission beside what its body published for earlier periods, before it is published itself."""

from __future__ import annotations

from dataclasses import replace

from piperoll import assets
from piperoll.checking import (
    ReleaseIdentity,
    ReleaseProfile,
    columns_profiled,
    compare_with_earlier_releases,
    profile_release,
)
from piperoll.model import Dataset, Packed, Report, Series, from_document
from piperoll.operations.steps import Examined
from piperoll.releasing import read_typed_lines, replace_report
from publishers import EarlierRelease, Store, find_earlier_releases, read_history, read_release_files


def compare(store: Store, examined: Examined, *, decided: bool = False) -> Examined:
    """The same submission with what sets it apart from earlier releases in its report; held if it looks like one.

    What was packed says so too. `decided`: someone has looked at it and let it go, so that nothing holds it. What
    holds the rows that stand in its series already is never held for its likeness to others.
    """
    series, packed = examined.series, examined.packed
    if series is None or packed is None:
        return examined
    before = find_earlier_releases(store, series)
    if not before:
        return examined
    dataset = assets.dataset(series.dataset)
    history, _ = read_history(store, series)
    ours = examined.submission.sha256
    stands = history.standing is not None and history.standing.rows_sha256 == packed.manifest.rows_sha256
    examination = compare_with_earlier_releases(
        examined.examination,
        _of_packed(dataset, series, packed, examined.report),
        [_of_earlier(store, dataset, one) for one in before],
        dataset,
        first=all(ours in version.sources for version in history.versions),
        may_hold=not (decided or stands),
    )
    if not examination.report.verdict.publishes:
        return replace(examined, examination=examination, packed=None)
    told = replace_report(packed, examination.report, examination.disposition)
    return replace(examined, examination=examination, packed=told)


def _of_packed(dataset: Dataset, series: Series, packed: Packed, report: Report) -> ReleaseProfile:
    lines = read_typed_lines(packed.folder / f"{dataset.name}.parquet", columns_profiled(dataset))
    return profile_release(dataset, ReleaseIdentity(series, sources=packed.manifest.sources), report.tables, lines)


def _of_earlier(store: Store, dataset: Dataset, one: EarlierRelease) -> ReleaseProfile:
    parquet, report = read_release_files(store, one)
    released = ReleaseIdentity(one.series, one.path, one.version.version, one.version.sources)
    lines = read_typed_lines(parquet, columns_profiled(dataset))
    return profile_release(dataset, released, from_document(Report, report).tables, lines)
