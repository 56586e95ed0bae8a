"""Compare a release with the body's releases of earlier periods: how a month is compared with the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from piperoll.checking.examine import Examination, add_findings
from piperoll.checking.history.contents import (
    find_changed_columns,
    find_emptied_columns,
    find_missing_days,
    find_new_codes,
    find_repeated_lines,
)
from piperoll.checking.history.profile import ReleaseProfile
from piperoll.checking.history.sizes import (
    find_other_scale,
    find_reversed_signs,
    find_too_small,
    find_unusual_size,
)
from piperoll.findings import holds_file
from piperoll.model import Dataset, Finding

_RECENT = 3
"""Columns are compared with this many of the nearest releases: a layout of a year ago may have been given up since."""


def compare_with_earlier_releases(
    examination: Examination,
    ours: ReleaseProfile,
    before: Sequence[ReleaseProfile],
    dataset: Dataset,
    *,
    first: bool,
    may_hold: bool,
) -> Examination:
    """Add what sets the release `ours` apart from those of earlier periods, `before`, the nearest first.

    A file that repeats an earlier one, or is empty or halved beside them, is held whole, unless someone has already
    decided to publish it (not `may_hold`). `first` is as for `find_differences`. The report names what was compared.
    """
    findings = [
        finding
        for finding in find_differences(ours, before, dataset, first=first)
        if may_hold or not holds_file(finding.code)
    ]
    compared = add_findings(examination, findings)
    places = tuple(one.released.place for one in before if one.released.place)
    return replace(compared, report=replace(compared.report, compared_with=places))


def find_differences(
    ours: ReleaseProfile, before: Sequence[ReleaseProfile], dataset: Dataset, *, first: bool
) -> Iterator[Finding]:
    """Yield what sets a release apart from those of earlier periods, `before`, the nearest first.

    `first` is True if it would be the first version of its series: only then can it be held for its size. A later
    version is compared with the published one instead, which is the better measure.
    """
    if not before:
        return
    recent = before[:_RECENT]
    yield from find_repeated_lines(ours, before)
    if first:
        yield from find_too_small(ours, before)
    yield from find_unusual_size(ours, before)
    yield from find_other_scale(ours, before)
    yield from find_reversed_signs(ours, before)
    yield from find_missing_days(ours, before)
    yield from find_changed_columns(ours, recent, dataset)
    yield from find_emptied_columns(ours, recent, dataset)
    yield from find_new_codes(ours, recent, dataset)
