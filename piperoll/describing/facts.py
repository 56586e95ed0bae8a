"""What is kept of a series and of a file as received once their own pages are made.

Everything else in the catalogue (pages of bodies and datasets, feeds, DCAT, search) is made of these, so that the
release itself is read only when it is new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from piperoll.describing.posts import posts_of
from piperoll.describing.quality import Quality, quality_of
from piperoll.describing.summaries import summary_of
from piperoll.duties import ReportOutcome
from piperoll.model import (
    FileEntry,
    History,
    Listing,
    Manifest,
    Series,
    Submission,
    Verdict,
    Version,
    from_document,
    to_document,
)


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series as other pages tell it.

    `manifest` and `licence` (as a descriptor names it) are None where no version stands. `held` counts the rows of the
    submission behind the version that stands that are held back. `sender` is the body as the release names it.
    `earlier` are the manifests of other versions that are still served, by number. `names` are those one may search
    by, with their rows; `quality` is what the report behind the version that stands comes to; `posts` counts
    those that it tells of.
    """

    history: History
    manifest: Manifest | None
    held: int = 0
    licence: Mapping[str, str] | None = None
    sender: Mapping[str, str] | None = None
    earlier: Mapping[int, Manifest] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    quality: Quality | None = None
    posts: int = 0

    @property
    def series(self) -> Series:
        """Which series this is."""
        return self.history.series

    def files_of(self, version: Version) -> tuple[FileEntry, ...]:
        """The files of a version that is served; none where it was withdrawn or purged."""
        manifest = self.manifest if version.version == self.history.current else self.earlier.get(version.version)
        return () if manifest is None else manifest.files

    def to_json(self) -> dict[str, Any]:
        """The facts as they are kept."""
        return {
            "history": json.loads(self.history.to_bytes()),
            "manifest": _manifest_json(self.manifest),
            "held": self.held,
            "licence": self.licence,
            "sender": self.sender,
            "earlier": {str(number): _manifest_json(one) for number, one in self.earlier.items()},
            "names": dict(self.names),
            "quality": None if self.quality is None else asdict(self.quality),
            "posts": self.posts,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SeriesFacts:
        """The facts that `to_json` wrote."""
        return cls(
            history=History.from_bytes(json.dumps(document["history"]).encode()),
            manifest=_manifest(document["manifest"]),
            held=document["held"],
            licence=document["licence"],
            sender=document["sender"],
            earlier={
                int(number): one for number, kept in document["earlier"].items() if (one := _manifest(kept)) is not None
            },
            names=document["names"],
            quality=None if document["quality"] is None else Quality(**document["quality"]),
            posts=document["posts"],
        )


def _manifest_json(manifest: Manifest | None) -> Any:
    return None if manifest is None else json.loads(manifest.to_bytes())


def _manifest(document: Any) -> Manifest | None:
    return None if document is None else Manifest.from_bytes(json.dumps(document).encode())


def facts_of(listing: Listing) -> SeriesFacts:
    """What is kept of a series."""
    descriptor = listing.descriptor
    return SeriesFacts(
        history=listing.history,
        manifest=listing.manifest,
        held=held_rows(listing),
        licence=None if descriptor is None else descriptor["licenses"][0],
        sender=None if descriptor is None else descriptor["x_piperoll"]["body"],
        earlier=listing.earlier,
        names=summary_of(listing).names,
        quality=quality_of(listing.report),
        posts=len(posts_of(listing.summary)),
    )


def held_rows(listing: Listing | SeriesFacts) -> int:
    """How many rows of the submission behind the current version are held back."""
    if isinstance(listing, SeriesFacts):
        return listing.held
    if listing.report is None:
        return 0
    return sum(table["rows"]["held"] for table in listing.report["tables"])


def came_to_json(submission: Submission, told: ReportOutcome | None) -> dict[str, Any]:
    """A file as received as it is kept; what a web server answered is left out."""
    record = to_document(replace(submission, response=None))
    return {"submission": record, "told": None if told is None else asdict(told)}


def came_from_json(document: Mapping[str, Any]) -> tuple[Submission, ReportOutcome | None]:
    """What `came_to_json` wrote."""
    told = document["told"]
    verdict = None if told is None else ReportOutcome(**(dict(told) | {"verdict": Verdict(told["verdict"])}))
    return from_document(Submission, document["submission"]), verdict
