"""What the pages and feeds of measures are rendered from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from piperoll.describing.context import InContext
from piperoll.describing.measures import PublishedMeasure


@dataclass(frozen=True)
class MeasureSite(InContext):
    """What the pages of measures are given: every published measure, and the kind of each body, by slug."""

    measures: Sequence[PublishedMeasure] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    def has(self, measure: str) -> bool:
        """True if a measure of this name is published."""
        return any(one.id == measure for one in self.measures)
