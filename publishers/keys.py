"""Keys: which are allowed, what they hold, and how long a reader may keep it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from piperoll.errors import StoreError
from piperoll.model import Submission

PUBLIC = ("catalogue/", "data/", "reports/")
"""The only keys that are ever served (DESIGN, storage layout)."""

WAYS = "archive/from/"
"""Below it an empty object for each submission leads from its hash to whose it is: `ab/abcd…/{body}/{dataset}`."""

_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*\Z")
_VERSION = re.compile(r"data/[^/]+/[^/]+/[^/]+/(v\d+-[0-9a-f]{12}/|changes/v\d+-v\d+-[0-9a-f]{12}\.csv\Z)")

_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".ttl": "text/turtle",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".atom": "application/atom+xml",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FEED = re.compile(r"catalogue/(feed|feeds/.+)\.json\Z")


def checked(key: str) -> str:
    """`key` if it is one: segments parted by single slashes, none empty, none that begins with a dot.

    Raises: StoreError: it is not; nothing outside the store can be named.
    """
    if not all(_SEGMENT.match(segment) for segment in key.split("/")):
        raise StoreError(f"{key!r} is not a key: segments parted by '/', none empty and none beginning with a dot")
    return key


def ways_from(sha256: str) -> str:
    """What the keys begin with that lead from a hash to the submissions of these bytes."""
    return f"{WAYS}{sha256[:2]}/{sha256}/"


def way_to(submission: Submission) -> str:
    """The key of the empty object that leads from the hash of the bytes to the record of their coming."""
    return f"{ways_from(submission.sha256)}{submission.body}/{submission.dataset}"


def is_public(key: str) -> bool:
    """Whether what stands under `key` may be served."""
    return key.startswith(PUBLIC)


def content_type(key: str) -> str:
    """The media type of what stands under `key`, by its name; bytes as received have none that we vouch for."""
    path = PurePosixPath(key)
    if not is_public(key):
        return "application/json" if path.suffix == ".json" else "application/octet-stream"
    if _FEED.match(key):
        return "application/feed+json"
    return _TYPES.get(path.suffix, "application/octet-stream")


def cache_control(key: str) -> str:
    """How long a reader may keep it: what is of one version for ever, the rest a minute, what is private not at all."""
    if not is_public(key):
        return "private, no-store"
    return "public, max-age=31536000, immutable" if _VERSION.match(key) else "public, max-age=60, must-revalidate"
