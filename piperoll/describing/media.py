"""What kind each published file is."""

from __future__ import annotations

from pathlib import PurePosixPath

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".atom": "application/atom+xml",
    ".html": "text/html",
    ".css": "text/css",
}

TOLD = {
    ".csv": "the table, for spreadsheets and any program",
    ".parquet": "the table with its types, for analysis",
    "datapackage.json": "what the table holds, for machines",
    "report.json": "what was found in the file as received",
    "manifest.json": "every file of this version with its hash",
}


def media_type(name: str) -> str:
    """The media type of a file of ours by its ending. Raises: KeyError: we publish no such file."""
    return MEDIA_TYPES[PurePosixPath(name).suffix]


def order(name: str) -> int:
    """Where a file stands in a list of downloads: what most people want first."""
    return list(TOLD).index(name if name in TOLD else PurePosixPath(name).suffix)


def told(name: str) -> str:
    """What a file of a release is for, in a few words."""
    return TOLD.get(name) or TOLD[PurePosixPath(name).suffix]
