"""Which engine applies the rules."""

from __future__ import annotations

from enum import StrEnum


class CheckEngine(StrEnum):
    """COMPILED checks whole columns and hands what it cannot prove to the references; REFERENCE is these alone.

    The references, Frictionless for structure and Great Expectations for plausibility, say what the rules mean: both
    engines give the same findings.
    """

    COMPILED = "compiled"
    REFERENCE = "reference"
