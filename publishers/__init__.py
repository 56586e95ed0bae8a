"""Publishers: into the stores. The archive of bytes as received, versions and pointers, the site."""

from publishers.archive import (
    Ruling,
    archive_submission,
    file_reports,
    find_submission,
    list_rulings,
    list_submissions,
    read_received_bytes,
    read_report,
    read_submission,
    record_ruling,
    submissions_of,
)
from publishers.change_log import LoggedChanges, clear_changes, read_changes
from publishers.consolidated import consolidate_body, list_consolidated_years, list_unreferenced, read_consolidated_year
from publishers.earlier_releases import EarlierRelease, find_earlier_releases, read_release_files
from publishers.findings import series_claimed_twice
from publishers.index import list_indexed_series, list_indexed_series_of, update_index
from publishers.mappings import list_mappings, read_mapping, update_mapping
from publishers.opening import open_reader, open_store
from publishers.outcome import Decision, OnHold, Outcome, Published, Unchanged
from publishers.pointer import fetch_version, list_series, read_history, read_listing, read_listings
from publishers.purge import Tombstone, mark_withdrawn, read_tombstone, remove_submission
from publishers.search import FoundValue, find_values
from publishers.site import serve_site
from publishers.stores.folder import FolderStore
from publishers.stores.protocol import ObjectInfo, Store, StoredObject, StoreReader
from publishers.succession import decide_outcome
from publishers.sweep import SweepResult, sweep_store
from publishers.verify import StoreFault, VerifiedSeries, verify_series
from publishers.versions import Compare, publish_release

__all__ = [
    "LoggedChanges",
    "clear_changes",
    "read_changes",
    "Compare",
    "Decision",
    "EarlierRelease",
    "StoreFault",
    "FolderStore",
    "OnHold",
    "Outcome",
    "Published",
    "StoreReader",
    "Ruling",
    "ObjectInfo",
    "FoundValue",
    "Store",
    "StoredObject",
    "SweepResult",
    "Tombstone",
    "Unchanged",
    "VerifiedSeries",
    "fetch_version",
    "consolidate_body",
    "read_consolidated_year",
    "decide_outcome",
    "find_earlier_releases",
    "update_index",
    "file_reports",
    "read_release_files",
    "find_submission",
    "read_history",
    "list_indexed_series",
    "list_indexed_series_of",
    "update_mapping",
    "read_listing",
    "read_listings",
    "read_mapping",
    "list_mappings",
    "open_reader",
    "open_store",
    "publish_release",
    "remove_submission",
    "archive_submission",
    "read_received_bytes",
    "record_ruling",
    "read_report",
    "list_rulings",
    "series_claimed_twice",
    "list_series",
    "serve_site",
    "find_values",
    "read_submission",
    "list_submissions",
    "submissions_of",
    "sweep_store",
    "read_tombstone",
    "list_unreferenced",
    "verify_series",
    "mark_withdrawn",
    "list_consolidated_years",
]
