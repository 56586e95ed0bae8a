"""The verdict, by DESIGN's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from piperoll.checking import findings
from piperoll.checking.sums import exact_sum
from piperoll.checking.tally import Tally
from piperoll.model import Finding, Severity, Verdict, plain


def too_much_held(tallies: Sequence[Tally], counting: int) -> Finding | None:
    """What to say if more than one in ten rows, or absolute pounds, would be held for other reasons than privacy.

    `counting` is the number of such rows.
    """
    rows = sum(tally.rows.read for tally in tallies)
    pounds = exact_sum(tally.pounds for tally in tallies)
    held = exact_sum(tally.held_pounds for tally in tallies)
    if counting * 10 > rows or held * 10 > pounds:
        return findings.too_much_held(counting, rows, plain(held), plain(pounds))
    return None


def of_findings(said: Iterable[Finding]) -> Verdict:
    """Accepted, or accepted with warnings where anything that is said is an error or a warning."""
    if any(finding.severity is not Severity.INFO for finding in said):
        return Verdict.ACCEPTED_WITH_WARNINGS
    return Verdict.ACCEPTED


def net_pounds(tallies: Iterable[Tally]) -> Decimal | None:
    """The accepted pounds of all tables; None where none has an amount."""
    sums = [tally.amount.accepted for tally in tallies if tally.amount]
    return exact_sum(sums) if sums else None
