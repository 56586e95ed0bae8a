"""Whether a release becomes the next version of its series. Pure: it looks at what stands and what comes."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Finding, Manifest, Version
from publishers.findings import fewer_pounds, fewer_rows, nil_over_rows
from publishers.outcome import Decision, Hold, Unchanged

_LEAST_PERCENT = 80
"""Under this share of the rows or pounds that stand a release is held: a half-sent file is commoner than a
correction that takes away a fifth (DESIGN, which version)."""


def decide(
    standing: Version | None, manifest: Manifest, decision: Decision = Decision.NORMAL
) -> Unchanged | Hold | None:
    """What comes of a release over the version that stands; None: it is the next version.

    The same rows, in whatever bytes, order or file, are Unchanged. A release much smaller than what stands is on
    Hold, unless someone has decided.
    """
    if standing is None:
        return None
    if standing.rows_sha256 == manifest.rows_sha256:
        return Unchanged(standing)
    if decision is not Decision.NORMAL:
        return None
    finding = _too_small(standing, manifest)
    return Hold(finding) if finding else None


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
