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
    submission_as_filed,
    submissions,
    submissions_of,
)
from publishers.consolidated import ROOT as CONSOLIDATED
from publishers.consolidated import consolidate_body, consolidated, unnamed, years
from publishers.earlier import Earlier, earlier, files_of
from publishers.findings import series_claimed_twice
from publishers.folder import FolderStore
from publishers.histories import bring, history_of, listing, listings, series_of
from publishers.index import enter, indexed, indexed_of
from publishers.ledger import Before, InHand, Ledger, hash_of
from publishers.mappings import keep, mapping_of, mappings
from publishers.marks import Changed, changed, forget
from publishers.opening import open_reader, open_store
from publishers.outcome import Decision, Hold, Outcome, Published, Unchanged
from publishers.scanning import Sighting, sightings
from publishers.series import Compare, publish
from publishers.site import serve
from publishers.store import Reader, Seen, Store, Stored
from publishers.succession import decide
from publishers.sweeping import Swept, sweep
from publishers.taking_back import Tombstone, purge, tombstone_of, withdraw
from publishers.verification import Fault, Verified, verify

__all__ = [
    "CONSOLIDATED",
    "Before",
    "Changed",
    "Compare",
    "Decision",
    "Earlier",
    "Fault",
    "FolderStore",
    "Hold",
    "InHand",
    "Ledger",
    "Outcome",
    "Published",
    "Reader",
    "Ruling",
    "Seen",
    "Sighting",
    "Store",
    "Stored",
    "Swept",
    "Tombstone",
    "Unchanged",
    "Verified",
    "bring",
    "changed",
    "consolidate_body",
    "consolidated",
    "decide",
    "earlier",
    "enter",
    "file_report",
    "files_of",
    "find_submission",
    "forget",
    "hash_of",
    "history_of",
    "indexed",
    "indexed_of",
    "keep",
    "listing",
    "listings",
    "mapping_of",
    "mappings",
    "open_reader",
    "open_store",
    "publish",
    "purge",
    "receive",
    "received_bytes",
    "record_ruling",
    "report_on",
    "rulings",
    "series_claimed_twice",
    "series_of",
    "serve",
    "sightings",
    "submission_as_filed",
    "submissions",
    "submissions_of",
    "sweep",
    "tombstone_of",
    "unnamed",
    "verify",
    "withdraw",
    "years",
]
