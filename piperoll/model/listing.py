"""A series as the catalogue shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from piperoll.model.history import History
from piperoll.model.release import Manifest
from piperoll.model.series import Series


@dataclass(frozen=True, slots=True)
class Listing:
    """A series, its history and what its current version says of itself.

    `manifest`, `descriptor` (datapackage.json), `report` (report.json) and `first_rows` (the head of the CSV, header
    first) are None or empty if no version is current (all withdrawn or purged). `summary` sums up the rows of the
    current version, as `piperoll.describing.summarise_release` writes it; None if it was not made. `earlier` are the
    manifests of other versions that are still served, by number.
    """

    history: History
    manifest: Manifest | None
    descriptor: Mapping[str, Any] | None
    report: Mapping[str, Any] | None
    first_rows: tuple[tuple[str, ...], ...] = ()
    summary: Mapping[str, Any] | None = None
    earlier: Mapping[int, Manifest] = field(default_factory=dict)

    @property
    def series(self) -> Series:
        """Which series this is."""
        return self.history.series
