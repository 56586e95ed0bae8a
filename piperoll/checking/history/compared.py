"""An examination with what comparing it with earlier releases found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from piperoll.checking.examination import Examination
from piperoll.checking.examine import ordered
from piperoll.checking.history.comparison import compare_with_earlier
from piperoll.checking.history.findings import HOLDS
from piperoll.checking.history.profile import Profile
from piperoll.checking.verdict import of_findings
from piperoll.model import Cap, Dataset, Finding, Verdict


def compared(
    examination: Examination,
    ours: Profile,
    before: Sequence[Profile],
    dataset: Dataset,
    *,
    first: bool,
    may_hold: bool,
) -> Examination:
    """The examination of the release `ours` beside those of earlier periods, `before`, the nearest first.

    Its report names those that it was compared with. A file that is a repeat of one of them, empty beside them or
    halved is held whole; where someone has decided that already (not `may_hold`), that is not said again. `first` is
    as for `compare_with_earlier`. Pure: the same arguments give the same examination.
    """
    found = [
        finding
        for finding in compare_with_earlier(ours, before, dataset, first=first)
        if may_hold or finding.code not in HOLDS
    ]
    whole = told(examination, found)
    places = tuple(one.released.place for one in before if one.released.place)
    return replace(whole, report=replace(whole.report, compared_with=places))


def told(examination: Examination, found: Sequence[Finding]) -> Examination:
    """The examination with more findings, in their places; held if one of them holds a file."""
    report = examination.report
    said = ordered((*report.findings, *found), [table.sheet for table in report.tables])
    outcome = report.verdict
    if any(finding.code in HOLDS for finding in found):
        outcome = Verdict.HELD
    elif outcome is Verdict.ACCEPTED:
        outcome = of_findings(said)
    return replace(examination, report=replace(report, verdict=outcome, findings=Cap().apply(said)))
