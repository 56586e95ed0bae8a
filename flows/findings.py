"""The findings of the flows, each worded in one place; docs/findings.md explains them."""

from __future__ import annotations

from piperoll.model import Acts, Finding, Severity
from publishers import Ruling


def released(ruling: Ruling) -> Finding:
    """A submission that was held was let go by someone."""
    words = {"replace": "in place of what stood", "add": "beside what stood"}
    return Finding(
        "released-by-decision",
        Severity.INFO,
        f"This file was held. On {ruling.decided[:10]} it was released, {words[ruling.decision]}, because: "
        f"{ruling.because}",
        "You need do nothing. If the decision was wrong, send a corrected file.",
        acts=Acts.PLATFORM,
    )
