"""The facts of a series that other pages need, kept after its own pages are rendered.

Pages of bodies and datasets, feeds, DCAT and the search index are made from these facts, so that a release is read
only when it is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from piperoll.describing.charts.summaries import read_summary
from piperoll.describing.dcat.posts import read_posts
from piperoll.model import Acts, FileEntry, History, Listing, Manifest, Series, Severity, Version


@dataclass(frozen=True, slots=True)
class ReportQuality:
    """How good a file was: rows read, published and held, and places in it that the body must or should fix."""

    read: int
    published: int
    held: int
    must: int
    should: int

    @property
    def share(self) -> Decimal | None:
        """The rows published as a percentage of those read, to one decimal place; None if no rows were read."""
        if not self.read:
            return None
        return (Decimal(self.published) * 100 / self.read).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """The facts of one series.

    `manifest` and `licence` (as a descriptor names it) are None if the series has no current version. `held` counts
    the rows held back from the current version's file and `quality` sums up its report. `sender` is the body as the
    release names it. `earlier` has the manifests of other versions that are still served, by number. `names` are the
    searchable names with their row counts. `posts` counts the posts that the release describes.
    """

    history: History
    manifest: Manifest | None
    held: int = 0
    licence: Mapping[str, str] | None = None
    sender: Mapping[str, str] | None = None
    earlier: Mapping[int, Manifest] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    quality: ReportQuality | None = None
    posts: int = 0

    @property
    def series(self) -> Series:
        """The series that these facts describe."""
        return self.history.series

    def files_of(self, version: Version) -> tuple[FileEntry, ...]:
        """Return the files of a version; none if it was withdrawn or purged."""
        manifest = self.manifest if version.version == self.history.current else self.earlier.get(version.version)
        return () if manifest is None else manifest.files


def extract_facts(listing: Listing) -> SeriesFacts:
    """Take the facts of a series from its listing."""
    descriptor = listing.descriptor
    return SeriesFacts(
        history=listing.history,
        manifest=listing.manifest,
        held=count_held_rows(listing),
        licence=None if descriptor is None else descriptor["licenses"][0],
        sender=None if descriptor is None else descriptor["x_piperoll"]["body"],
        earlier=listing.earlier,
        names=read_summary(listing).names,
        quality=None if listing.report is None else _assess_report(listing.report),
        posts=len(read_posts(listing.summary)),
    )


def count_held_rows(listing: Listing) -> int:
    """Count the rows held back from the file of the current version."""
    return 0 if listing.report is None else sum(table["rows"]["held"] for table in listing.report["tables"])


def _assess_report(report: Mapping[str, Any]) -> ReportQuality:
    rows = [table["rows"] for table in report["tables"]]
    places = dict.fromkeys((Severity.ERROR, Severity.WARNING), 0)
    for finding in report["findings"]:
        if finding["acts"] == Acts.BODY and finding["severity"] in places:
            places[Severity(finding["severity"])] += finding["count"]
    return ReportQuality(
        read=sum(one["read"] for one in rows),
        published=sum(one["accepted"] for one in rows),
        held=sum(one["held"] for one in rows),
        must=places[Severity.ERROR],
        should=places[Severity.WARNING],
    )
