"""The storage layout: every key of a store, made and parsed here and nowhere else.

A store is a folder or a bucket; a key is a path in it, relative and separated by `/`. `docs/storage.md` describes the
same layout for operators and readers.

    archive/      the bytes of every file received, by their sha256             private
    collected/    what was received when, full reports, the catalogue's state   private
    mappings/     what each body's headings mean, and questions about them      private
    decisions/    what people decided: held values, suppliers, replies          private
    log/          what was withdrawn and purged                                 private
    drafts/       files that bodies are preparing to send                       private
    receipts/     receipts of what was sent, and the key that signs them        private
    returns/      what bodies said of returns that they do not send             private
    readers/      what readers report about published tables                    private
    access/       who may use the portal, and what they did there               private
    chasing/      what bodies were written to about                             private
    reports/      the public report of every file received                      public
    data/         releases, the pointers that name them, and an index           public
    catalogue/    pages, feeds, DCAT, consolidated files                        public

Three kinds of object: *written once* and never changed (`Store.create`); a *pointer*, changed only by conditional write
(`Store.replace`); and *remade*, which can be made again from the others at any time (`Store.put`).

Use this package as one module: `layout.pointer(series)`. It is not part of `publishers`, because `piperoll.describing`
links to keys and may not import a store.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from piperoll.errors import StoreError
from piperoll.layout.access import *  # noqa: F403
from piperoll.layout.access import ACCESS, access_log
from piperoll.layout.catalogue import *  # noqa: F403 - callers use the package as one module
from piperoll.layout.catalogue import CATALOGUE, CONSOLIDATED
from piperoll.layout.operating import *  # noqa: F403
from piperoll.layout.operating import CHASING, EXAMINED_BY, LAST_RUNS
from piperoll.layout.records import *  # noqa: F403
from piperoll.layout.records import (
    ARCHIVE,
    COLLECTED,
    DATA,
    DECISIONS,
    DRAFTS,
    LOG,
    MAPPINGS,
    READERS,
    RECEIPTS,
    REPORTS,
    RETURNS,
    senders,
    tombstones_prefix,
)

PUBLIC = (CATALOGUE, DATA, REPORTS)
"""The only prefixes that are ever served."""

PRIVATE = (ACCESS, ARCHIVE, CHASING, COLLECTED, MAPPINGS, DECISIONS, LOG, READERS, DRAFTS, RECEIPTS, RETURNS)
"""The prefixes that only the operator reads."""

_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*\Z")
_BODY_AT = {
    "data": 2,
    "reports": 2,
    "decisions": 2,
    "receipts": 2,
    "readers": 2,
    "collected": 1,
    "mappings": 1,
    "drafts": 1,
    "returns": 1,
    "chasing": 2,
}
"""Which segment of a key names a body, by the first."""

_SHARED = ("catalogue", "measures", "runs")
"""Segments that stand where a body or dataset stands in other keys."""

_REWRITTEN_RECORDS = ("report.json", "decisions-applied.json", "sources.json", "state.json")
"""The names of the objects below `collected/` that are pointers or remade."""

_IMMUTABLE = re.compile(r"data/[^/]+/[^/]+/[^/]+/(v\d+-[0-9a-f]{12}/|changes/v\d+-v\d+-[0-9a-f]{12}\.csv\Z)")
_JSON_FEED = re.compile(r"catalogue/(feed|feeds/.+)\.json\Z")
_TEXT = "; charset=utf-8"
_MEDIA_TYPES = {
    ".csv": f"text/csv{_TEXT}", ".html": f"text/html{_TEXT}", ".css": f"text/css{_TEXT}", ".txt": f"text/plain{_TEXT}",
    ".js": f"text/javascript{_TEXT}", ".json": "application/json", ".jsonld": "application/ld+json",
    ".ttl": "text/turtle", ".atom": "application/atom+xml", ".xml": "application/xml", ".svg": "image/svg+xml",
    ".png": "image/png", ".gz": "application/gzip", ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def check_key(key: str) -> str:
    """Return `key`: it names nothing outside the store. Raises: StoreError: a segment is empty or begins with a dot."""
    if not all(_SEGMENT.match(segment) for segment in key.split("/")):
        raise StoreError(f"{key!r} is not a key: segments separated by '/', none empty, none beginning with a dot")
    return key


def is_public(key: str) -> bool:
    """True if the object under `key` may be served."""
    return key.startswith(PUBLIC)


def is_immutable(key: str) -> bool:
    """True for the files of versions and the differences between them, which their pointers vouch for by hash."""
    return bool(_IMMUTABLE.match(key))


def is_rewritten(key: str) -> bool:
    """True if the object under `key` is written more than once: a pointer, or what can be made again."""
    if key.startswith(DATA):
        return key.endswith(".json") and not is_immutable(key)
    if key.startswith(COLLECTED):
        return PurePosixPath(key).name in _REWRITTEN_RECORDS or key.startswith(LAST_RUNS)
    return key.startswith((REPORTS, CATALOGUE, MAPPINGS, DRAFTS)) or (
        key.startswith(ACCESS) and not key.startswith(access_log())
    )


def body_of(key: str) -> str | None:
    """The slug of the body that an object is about; None if it is about several or none."""
    pieces = key.split("/")
    at = _BODY_AT.get(pieces[0])
    if key.startswith(senders()):
        at = 4
    elif key.startswith(EXAMINED_BY):
        at = 3
    elif key.startswith(CONSOLIDATED):
        return pieces[4].rpartition("-")[0] if len(pieces) == 5 else None
    elif pieces[0] in ("decisions", "receipts", "readers") and pieces[1] == "all":
        return None
    if at is None or len(pieces) < at + 2:
        return None
    return None if pieces[0] in ("data", "collected") and pieces[1] in _SHARED else pieces[at]


def is_purge_record(key: str) -> bool:
    """True for the records that a submission, or versions of a series, were purged."""
    return key.startswith(tombstones_prefix()) or (key.startswith(LOG) and "-purge" in key)


def content_type(key: str) -> str:
    """The media type of the object under `key`, by its name; we vouch for none of the bytes as received."""
    suffix = PurePosixPath(key).suffix
    if not is_public(key) and suffix != ".json":
        return "application/octet-stream"
    return "application/feed+json" if _JSON_FEED.match(key) else _MEDIA_TYPES.get(suffix, "application/octet-stream")


def cache_control(key: str) -> str:
    """Cache-Control for a key: immutable for version files, one minute for other public keys, no-store for private."""
    if not is_public(key):
        return "private, no-store"
    return "public, max-age=31536000, immutable" if is_immutable(key) else "public, max-age=60, must-revalidate"
