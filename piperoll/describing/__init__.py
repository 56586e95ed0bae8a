"""Releases as text: the catalogue's pages, DCAT, feeds and search index, and reports in plain words.

Everything here is a function of its arguments; `piperoll.operations.catalogue` reads the store and writes the files.
"""

from piperoll.describing.body_digest import BodyDigest, digest_body
from piperoll.describing.catalogue import (
    body_prefixes,
    build_overview,
    collect_contributions,
    digest_group,
    group_prefixes,
    hash_renderer,
    hash_surroundings,
    render_body,
    render_group,
    render_overview,
    render_series,
)
from piperoll.describing.charts.summaries import SUMMARY_FORMAT, summarise_release
from piperoll.describing.context import (
    CatalogueContext,
    Holdings,
    collect_holdings,
    find_first_starts,
    identify_body,
    merge_first_starts,
)
from piperoll.describing.dcat.posts import extract_posts
from piperoll.describing.feeds.documents import (
    ArchivePages,
    FeedLog,
    add_items,
    archive_items,
    parse_items,
    render_feed,
)
from piperoll.describing.feeds.releases import Feed, FeedItem, belongs_in_feed, list_feeds, list_items
from piperoll.describing.overview import Overview
from piperoll.describing.pages.rendering import render_report_page
from piperoll.describing.pages.site_pages import (
    is_compared_page,
    render_compared_index,
    render_compared_year,
    render_submission,
)
from piperoll.describing.series_facts import SeriesFacts, extract_facts
from piperoll.describing.wording import (
    FindingGroup,
    ReportInWords,
    describe_address,
    describe_differences,
    describe_excluded,
    describe_held_rows,
    describe_verdict,
    explain_report,
    format_change,
    format_count,
    format_day,
    format_number,
    format_pounds,
    format_size,
)

__all__ = [
    "SUMMARY_FORMAT",
    "ArchivePages",
    "BodyDigest",
    "CatalogueContext",
    "Feed",
    "FeedItem",
    "FeedLog",
    "FindingGroup",
    "Holdings",
    "Overview",
    "ReportInWords",
    "SeriesFacts",
    "add_items",
    "archive_items",
    "belongs_in_feed",
    "body_prefixes",
    "build_overview",
    "collect_contributions",
    "collect_holdings",
    "describe_address",
    "describe_differences",
    "describe_excluded",
    "describe_held_rows",
    "describe_verdict",
    "digest_body",
    "digest_group",
    "explain_report",
    "extract_facts",
    "extract_posts",
    "find_first_starts",
    "format_change",
    "format_count",
    "format_day",
    "format_number",
    "format_pounds",
    "format_size",
    "group_prefixes",
    "hash_renderer",
    "hash_surroundings",
    "identify_body",
    "is_compared_page",
    "list_feeds",
    "list_items",
    "merge_first_starts",
    "parse_items",
    "render_body",
    "render_compared_index",
    "render_compared_year",
    "render_feed",
    "render_group",
    "render_overview",
    "render_report_page",
    "render_series",
    "render_submission",
    "summarise_release",
]
