"""A release: the files of a published version, and their manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from piperoll.errors import StoreCorrupt
from piperoll.model.serialize import from_document, to_document, to_json_bytes
from piperoll.model.series import Series


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a release: its path in the version's folder, its size in bytes and its sha256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """manifest.json: every other file of a version, and what its table adds up to.

    `rows` counts published lines and `amount_gbp` is their exact sum (None if the dataset has no amount). `rows_sha256`
    is of the rows without their provenance: two versions with the same one have the same rows. `sources` are the sha256
    of the submissions. `dataset_version` is the version of the schema. The order of the fields is that of the file.
    """

    series: Series
    dataset_version: str
    rules_version: str
    rows: int
    amount_gbp: Decimal | None
    rows_sha256: str
    sources: tuple[str, ...]
    files: tuple[FileEntry, ...]

    def to_bytes(self) -> bytes:
        """Encode manifest.json; the same manifest always gives the same bytes."""
        return to_json_bytes(to_document(self))

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read what `to_bytes` wrote. Raises: StoreCorrupt: it is not a valid manifest.json."""
        try:
            document = json.loads(content)
            return from_document(cls, document, series=Series.parse(document["series"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreCorrupt(f"a manifest.json cannot be read: {error}") from error

    @property
    def sha256(self) -> str:
        """The sha256 of manifest.json, which identifies the whole version."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of a release in a local folder, not yet published."""

    folder: Path
    manifest: Manifest


def file_entry(folder: Path, name: str) -> FileEntry:
    """Hash a file in `folder` and make its entry."""
    with (folder / name).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return FileEntry(name, (folder / name).stat().st_size, digest.hexdigest())
