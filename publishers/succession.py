"""Whether a release becomes the next version of its series. Pure: it looks at what stands and what comes."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Cause, Finding, History, Manifest, Version
from publishers.findings import fewer_pounds, fewer_rows, nil_over_rows, taken_back_before
from publishers.outcome import Decision, OnHold, Unchanged

_LEAST_PERCENT = 80
"""Under this share of the rows or pounds that stand a release is held: a half-sent file is commoner than a
correction that takes away a fifth (DESIGN, which version)."""


def decide_outcome(
    history: History, manifest: Manifest, decision: Decision = Decision.NORMAL
) -> Unchanged | OnHold | None:
    """What comes of a release over what stands; None: it is the next version.

    The same rows, in whatever bytes, order or file, are Unchanged. A release much smaller than what stands, or with
    the rows of a version that was taken back, is on Hold, unless someone has decided.
    """
    standing = history.standing
    if standing is not None and standing.rows_sha256 == manifest.rows_sha256:
        return Unchanged(standing)
    if decision is not Decision.NORMAL:
        return None
    finding = _taken_back(history, manifest) or (_too_small(standing, manifest) if standing else None)
    return OnHold(finding) if finding else None


def cause_of(history: History, manifest: Manifest, decision: Decision) -> Cause:
    """Why a release that is to be the next version came.

    The same submissions read otherwise are a change of ours: of a mapping, or else of a rule.
    """
    standing = history.standing
    if not history.versions:
        return Cause.FIRST
    if decision is Decision.ADD:
        return Cause.ADDITION
    if standing is None or set(standing.sources) != set(manifest.sources):
        return Cause.CORRECTION
    return Cause.MAPPING if standing.rules_version == manifest.rules_version else Cause.RULES


def _taken_back(history: History, manifest: Manifest) -> Finding | None:
    """A release with the very rows of a version that was withdrawn or purged must not come back by itself."""
    for version in history.versions:
        if version.ended is not None and version.rows_sha256 == manifest.rows_sha256 and manifest.rows:
            return taken_back_before(manifest.series, version)
    return None


def _too_small(standing: Version, manifest: Manifest) -> Finding | None:
    if manifest.rows == 0 and standing.rows > 0:
        return nil_over_rows(manifest.series, standing)
    if manifest.rows * 100 < standing.rows * _LEAST_PERCENT:
        return fewer_rows(manifest.series, standing, manifest.rows)
    if standing.amount_gbp and manifest.amount_gbp is not None and _shrunk(standing.amount_gbp, manifest.amount_gbp):
        return fewer_pounds(manifest.series, standing, manifest.amount_gbp)
    return None


def _shrunk(before: Decimal, after: Decimal) -> bool:
    """Whether the pounds came under the least share, or changed sides (credits where payments were)."""
    least = before * _LEAST_PERCENT / 100
    return after < least if before > 0 else after > least
