"""Publishing: the archive of files received, the versions of releases, and everything else that writes to a store.

Where each object is, who may read it and how long it may be cached is `piperoll.layout` (and docs/storage.md). The
protocol that makes a version current is in `publishers.versions` (and docs/publishing.md).
"""

from publishers.archive import (
    Ruling,
    archive_submission,
    file_reports,
    find_submission,
    list_rulings,
    list_submissions,
    read_full_report,
    read_received_bytes,
    read_report,
    read_submission,
    record_ruling,
)
from publishers.change_log import LoggedChanges, clear_changes, read_changes
from publishers.consolidated import (
    consolidate_body,
    list_consolidated_years,
    list_unreferenced,
    read_consolidated_year,
    summarise_account,
)
from publishers.decisions import (
    find_decision,
    list_applied,
    list_bodies_with_decisions,
    list_decisions,
    list_uses,
    mark_applied,
    mark_used,
    read_decisions,
    read_reviews,
    record_decision,
)
from publishers.earlier_releases import EarlierRelease, find_earlier_releases, read_release_files
from publishers.index import (
    PublishedTable,
    list_indexed_series,
    list_indexed_series_of,
    list_measured_series,
    list_published,
    update_index,
)
from publishers.mappings import list_mappings, read_mapping, update_mapping
from publishers.outside import archive_outside_source, read_outside_sources
from publishers.pointer import fetch_version, list_series, read_history, read_listing
from publishers.purge import (
    Tombstone,
    apply_tombstones,
    erase_old_pages,
    mark_withdrawn,
    read_tombstone,
    remove_submission,
    remove_versions,
)
from publishers.reader_reports import (
    find_reader_report,
    list_reader_reports,
    publish_reader_answer,
    read_reader_answers,
    record_reader_report,
)
from publishers.search import FoundValue, find_values
from publishers.site import SiteServer, serve_site
from publishers.stores import open_reader, open_store
from publishers.stores.folder import FolderStore
from publishers.stores.protocol import ObjectInfo, Store, StoredObject, StoreReader
from publishers.sweep import SweepResult, sweep_store
from publishers.verify import StoreFault, VerifiedSeries, verify_objects, verify_purges, verify_series
from publishers.versions import (
    CompareVersions,
    Decision,
    OnHold,
    Outcome,
    Published,
    Unchanged,
    decide_outcome,
    describe_series,
    publish_release,
    restore_files,
)

__all__ = [
    "CompareVersions",
    "Decision",
    "EarlierRelease",
    "FolderStore",
    "FoundValue",
    "LoggedChanges",
    "ObjectInfo",
    "OnHold",
    "Outcome",
    "Published",
    "PublishedTable",
    "Ruling",
    "SiteServer",
    "Store",
    "StoreFault",
    "StoreReader",
    "StoredObject",
    "SweepResult",
    "Tombstone",
    "Unchanged",
    "VerifiedSeries",
    "apply_tombstones",
    "archive_outside_source",
    "archive_submission",
    "clear_changes",
    "consolidate_body",
    "decide_outcome",
    "describe_series",
    "erase_old_pages",
    "fetch_version",
    "file_reports",
    "find_decision",
    "find_earlier_releases",
    "find_reader_report",
    "find_submission",
    "find_values",
    "list_applied",
    "list_bodies_with_decisions",
    "list_consolidated_years",
    "list_decisions",
    "list_indexed_series",
    "list_indexed_series_of",
    "list_mappings",
    "list_measured_series",
    "list_published",
    "list_reader_reports",
    "list_rulings",
    "list_series",
    "list_submissions",
    "list_unreferenced",
    "list_uses",
    "mark_applied",
    "mark_used",
    "mark_withdrawn",
    "open_reader",
    "open_store",
    "publish_reader_answer",
    "publish_release",
    "read_changes",
    "read_consolidated_year",
    "read_decisions",
    "read_full_report",
    "read_history",
    "read_listing",
    "read_mapping",
    "read_outside_sources",
    "read_reader_answers",
    "read_received_bytes",
    "read_release_files",
    "read_report",
    "read_reviews",
    "read_submission",
    "read_tombstone",
    "record_decision",
    "record_reader_report",
    "record_ruling",
    "remove_submission",
    "remove_versions",
    "restore_files",
    "serve_site",
    "summarise_account",
    "sweep_store",
    "update_index",
    "update_mapping",
    "verify_objects",
    "verify_purges",
    "verify_series",
]
