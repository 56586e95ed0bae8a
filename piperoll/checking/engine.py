"""The two engines that can apply the rules."""

from __future__ import annotations

from enum import StrEnum


class CheckEngine(StrEnum):
    """COMPILED checks whole columns and passes what it cannot prove to the references; REFERENCE uses only these.

    The references define what the rules mean: Frictionless for the schema, Great Expectations for plausibility. Both
    engines give the same findings.
    """

    COMPILED = "compiled"
    REFERENCE = "reference"
