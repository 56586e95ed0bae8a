"""The facts of a series that other pages need, kept after its own pages are rendered.

Pages of bodies and datasets, feeds, DCAT and the search index are made from these facts, so that a release is read
only when it is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from piperoll.describing.release_summary import read_summary
from piperoll.model import Acts, FileEntry, History, Listing, Manifest, Series, Severity, Version


@dataclass(frozen=True, slots=True)
class ReportQuality:
    """How good a file was: rows read, published and held, and how many errors and warnings the body has to act on."""

    read: int
    published: int
    held: int
    must: int
    should: int


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """The facts of one series.

    `manifest` and `licence` (as a descriptor names it) are None if the series has no current version. `held` counts
    the rows held back from the current version's file and `quality` summarises its report. `sender` is the body as the
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
    descriptor, summary, quality = listing.descriptor, read_summary(listing), None
    if listing.report is not None:
        rows = [table["rows"] for table in listing.report["tables"]]
        counts = dict.fromkeys((Severity.ERROR, Severity.WARNING), 0)
        for finding in listing.report["findings"]:
            if finding["acts"] == Acts.BODY and finding["severity"] in counts:
                counts[Severity(finding["severity"])] += finding["count"]
        quality = ReportQuality(
            read=sum(one["read"] for one in rows),
            published=sum(one["accepted"] for one in rows),
            held=sum(one["held"] for one in rows),
            must=counts[Severity.ERROR],
            should=counts[Severity.WARNING],
        )
    return SeriesFacts(
        history=listing.history,
        manifest=listing.manifest,
        held=0 if quality is None else quality.held,
        licence=None if descriptor is None else descriptor["licenses"][0],
        sender=None if descriptor is None else descriptor["x_piperoll"]["body"],
        earlier=listing.earlier,
        names=summary.names,
        quality=quality,
        posts=len(summary.posts),
    )
