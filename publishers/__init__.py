"""Publishers: into the stores. The archive of bytes as received, versions and pointers, the site."""

from publishers.archive import (
    Ruling,
    file_report,
    find_submission,
    receive,
    received_bytes,
    record_ruling,
    report_on,
    rulings,
    submissions,
)
from publishers.findings import series_claimed_twice
from publishers.folder import FolderStore
from publishers.opening import open_store
from publishers.outcome import Decision, Hold, Outcome, Published, Unchanged
from publishers.series import bring, history_of, listing, listings, publish
from publishers.site import serve
from publishers.store import Store, Stored
from publishers.succession import decide

__all__ = [
    "Decision",
    "FolderStore",
    "Hold",
    "Outcome",
    "Published",
    "Ruling",
    "Store",
    "Stored",
    "Unchanged",
    "bring",
    "decide",
    "file_report",
    "find_submission",
    "history_of",
    "listing",
    "listings",
    "open_store",
    "publish",
    "receive",
    "received_bytes",
    "record_ruling",
    "report_on",
    "rulings",
    "series_claimed_twice",
    "serve",
    "submissions",
]
