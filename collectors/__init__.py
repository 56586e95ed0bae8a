"""Collect files from an inbox (`folder`), or from the web (`web`) by a list of addresses (`sources`)."""

from collectors.fetch_queue import QueuedFetch, run_fetches
from collectors.folder import Arrival, InboxListing, SkippedPath, list_inbox, why_not_collected
from collectors.links import find_links
from collectors.sources import WebSource, read_sources
from collectors.web import FetchLimits, FetchResponse, fetch_file, fetch_hop, require_proxy

__all__ = [
    "Arrival",
    "FetchLimits",
    "FetchResponse",
    "InboxListing",
    "QueuedFetch",
    "SkippedPath",
    "WebSource",
    "fetch_file",
    "fetch_hop",
    "find_links",
    "list_inbox",
    "read_sources",
    "require_proxy",
    "run_fetches",
    "why_not_collected",
]
