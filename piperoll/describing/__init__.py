"""Releases as text: the catalogue's pages, DCAT, feeds and search index, and reports in plain words. No I/O."""

from piperoll.describing.comparing import (
    compares as is_compared_page,
)
from piperoll.describing.comparing import (
    of_year as render_compared_year,
)
from piperoll.describing.comparing import (
    of_years as render_compared_index,
)
from piperoll.describing.facts import (
    SeriesFacts,
)
from piperoll.describing.facts import (
    came_from_json as received_from_json,
)
from piperoll.describing.facts import (
    came_to_json as received_to_json,
)
from piperoll.describing.facts import (
    facts_of as extract_facts,
)
from piperoll.describing.feeds import (
    Feed,
)
from piperoll.describing.feeds import (
    Item as FeedItem,
)
from piperoll.describing.feeds import (
    items_of as list_items,
)
from piperoll.describing.figures import (
    change as format_change,
)
from piperoll.describing.figures import (
    counted as format_count,
)
from piperoll.describing.figures import (
    day as format_day,
)
from piperoll.describing.figures import (
    number as format_number,
)
from piperoll.describing.figures import (
    pounds as format_pounds,
)
from piperoll.describing.figures import (
    size as format_size,
)
from piperoll.describing.holdings import (
    Holdings,
)
from piperoll.describing.holdings import (
    first_starts as find_first_starts,
)
from piperoll.describing.holdings import (
    gather as collect_holdings,
)
from piperoll.describing.json_feed import (
    items_in as parse_items,
)
from piperoll.describing.lines import (
    BodyLine as BodyDigest,
)
from piperoll.describing.lines import (
    line_of as digest_body,
)
from piperoll.describing.overview import (
    Overview,
)
from piperoll.describing.pages import (
    report_page as render_report_page,
)
from piperoll.describing.paging import (
    Log as FeedLog,
)
from piperoll.describing.paging import (
    Pages as ArchivePages,
)
from piperoll.describing.paging import (
    amended as add_items,
)
from piperoll.describing.paging import (
    logged as archive_items,
)
from piperoll.describing.posts import (
    posts_in as extract_posts,
)
from piperoll.describing.restating import (
    difference_words as describe_differences,
)
from piperoll.describing.site import (
    body_of as identify_body,
)
from piperoll.describing.site import (
    contributions as collect_contributions,
)
from piperoll.describing.site import (
    digest as digest_group,
)
from piperoll.describing.site import (
    earliest as merge_first_starts,
)
from piperoll.describing.site import (
    feeds_of_all as list_feeds,
)
from piperoll.describing.site import (
    in_feed as belongs_in_feed,
)
from piperoll.describing.site import (
    made_by as hash_renderer,
)
from piperoll.describing.site import (
    of_all as render_overview,
)
from piperoll.describing.site import (
    of_body as render_body,
)
from piperoll.describing.site import (
    of_feed as render_feed,
)
from piperoll.describing.site import (
    of_group as render_group,
)
from piperoll.describing.site import (
    of_series as render_series,
)
from piperoll.describing.site import (
    of_submission as render_submission,
)
from piperoll.describing.site import (
    overview as build_overview,
)
from piperoll.describing.site import (
    places_of as body_prefixes,
)
from piperoll.describing.site import (
    places_of_group as group_prefixes,
)
from piperoll.describing.site import (
    surroundings as hash_surroundings,
)
from piperoll.describing.summaries import (
    FORM as SUMMARY_FORMAT,
)
from piperoll.describing.summaries import (
    summarise as summarise_release,
)
from piperoll.describing.wording import (
    Matter as FindingGroup,
)
from piperoll.describing.wording import (
    PlainWords as ReportInWords,
)
from piperoll.describing.wording import (
    excluded_words as describe_excluded,
)
from piperoll.describing.wording import (
    held_back as describe_held_rows,
)
from piperoll.describing.wording import (
    plain_words as explain_report,
)
from piperoll.describing.wording import (
    verdict_sentence as describe_verdict,
)
from piperoll.describing.wording import (
    where as describe_address,
)
from piperoll.describing.world import (
    World as CatalogueContext,
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
    "received_from_json",
    "received_to_json",
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
