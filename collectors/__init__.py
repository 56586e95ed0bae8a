"""Collect files from an inbox (`folder`), or from the web (`web`) by a list of addresses (`sources`)."""

from collectors.folder import Arrival, InboxListing, SkippedPath, list_inbox
from collectors.sources import WebSource, read_sources
from collectors.web import FetchLimits, FetchResponse, fetch_file, find_links

__all__ = [
    "Arrival",
    "FetchLimits",
    "FetchResponse",
    "InboxListing",
    "SkippedPath",
    "WebSource",
    "fetch_file",
    "find_links",
    "list_inbox",
    "read_sources",
]
