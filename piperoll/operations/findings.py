"""The findings of the flows, each worded in one place; docs/findings.md explains them."""

from __future__ import annotations

from piperoll.model import Acts, Finding, Severity
from publishers import Ruling


def released(ruling: Ruling, why: str | None) -> Finding:
    """A submission that was held, because of `why` if that is on record, was let go by someone."""
    reason = f" ({why.removesuffix('.')})" if why else ""
    words = {"replace": "in place of what stood", "add": "beside what stood"}
    return Finding(
        "released-by-decision",
        Severity.INFO,
        f"This file was held{reason}. On {ruling.decided[:10]} it was released, "
        f"{words[ruling.decision]}, because: {ruling.because}",
        "You need do nothing. If the decision was wrong, send a corrected file.",
        acts=Acts.PLATFORM,
    )
