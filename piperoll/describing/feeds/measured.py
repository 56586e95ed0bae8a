"""The feeds of measures: new and changed figures by measure and year, and the contracts that end soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.feeds.documents import FeedLog, render_feed
from piperoll.describing.feeds.releases import Attachment, Feed, FeedItem
from piperoll.describing.measure_site import MeasureSite
from piperoll.describing.measures import ENDING, Figure, MeasuredYear, MeasureYear, PublishedMeasure
from piperoll.describing.wording import format_count
from piperoll.model import Version

Files = Iterator[tuple[str, bytes]]

MOST = 100
"""Items of a feed: the newest versions, or the contracts that end first."""


def render_measure_feed(site: MeasureSite, measure: PublishedMeasure) -> Files:
    """Render the feed of one measure."""
    feed = _make_feed(
        site,
        layout.measures_feed(measure.id),
        f"urn:piperoll:feed:measure:{measure.id}",
        measure.definition.title,
        f"A new item when the figures of a year are new or have changed. {measure.definition.question}",
        layout.measure_page(measure.id),
    )
    return _render(feed, _list_items(site, measure))


def render_all_measures_feed(site: MeasureSite) -> Files:
    """Render the feed of all measures."""
    feed = _make_feed(
        site,
        layout.measures_feed(None),
        "urn:piperoll:feed:measures",
        "New figures",
        "A new item when the figures of a measure and year are new or have changed.",
        layout.MEASURES_PAGE,
    )
    return _render(feed, (item for measure in site.measures for item in _list_items(site, measure)))


def render_ending_feed(site: MeasureSite, measure: PublishedMeasure, year: MeasuredYear) -> Files:
    """Render the feed of contracts that end soon, if this is the measure of contracts; otherwise nothing."""
    if measure.id == ENDING[0]:
        rows = [row for name in ENDING[1] for row in year.items_of(name) if row.value is not None]
        rows.sort(key=lambda row: (row.value or 0, row.body, row.item))
        yield from _render(
            _ending_feed(site), (_ending_item(site, measure, year.published, row) for row in rows[:MOST])
        )


def render_no_ending_feed(site: MeasureSite) -> Files:
    """Render the feed of contracts that end soon while there are no figures of contracts."""
    return _render(_ending_feed(site), ())


def _render(feed: Feed, items: Iterable[FeedItem]) -> Files:
    ordered = sorted(items, key=lambda item: item.position)
    return render_feed(feed, FeedLog(tail=tuple(ordered[-MOST:])), {})


def _make_feed(site: MeasureSite, stem: str, name: str, title: str, description: str, page: str) -> Feed:
    return Feed(
        id=name,
        title=f"{title} – {site.publisher_name}",
        description=description,
        home=urls.address(site.base_url, page),
        stem=stem,
        base_url=site.base_url,
        interval="monthly",
        next_expected=None,
        author=site.publisher_name,
    )


def _ending_feed(site: MeasureSite) -> Feed:
    return _make_feed(
        site,
        layout.ENDING_FEED,
        "urn:piperoll:feed:contracts-ending",
        "Contracts that end soon",
        "An item for each contract of any body that ends within 6 months, and another within 12. The first to end come "
        f"first, and there are at most {MOST}.",
        layout.measure_page(ENDING[0]) if site.has(ENDING[0]) else layout.MEASURES_PAGE,
    )


def _list_items(site: MeasureSite, measure: PublishedMeasure) -> Iterator[FeedItem]:
    for year in measure.years:
        for version in year.versions:
            yield _version_item(site, measure, year, version)


def _version_item(site: MeasureSite, measure: PublishedMeasure, year: MeasureYear, version: Version) -> FeedItem:
    files = year.files if version == year.current else ()
    attachments = [
        Attachment(
            urls.address(site.base_url, layout.release_file(year.series, version, file.path)),
            "text/csv",
            file.path,
            file.bytes,
        )
        for file in files
        if file.path == "measures.csv"
    ]
    return FeedItem(
        id=urls.release_urn(year.series, version),
        url=urls.address(site.base_url, layout.measure_page(measure.id)),
        title=f"{measure.definition.title}, {year.title} (version {version.version})",
        summary=f"{format_count(version.rows, 'figure')}. {version.reason.rstrip('.')}.",
        published=version.published,
        updated=version.ended or version.published,
        body=site.publisher_name,
        tags=(layout.MEASURES, measure.id, year.year),
        attachments=tuple(attachments),
    )


def _ending_item(site: MeasureSite, measure: PublishedMeasure, year: MeasureYear, row: Figure) -> FeedItem:
    page = urls.address(site.base_url, layout.profile_page(row.body))
    months = "6" if row.figure == ENDING[1][0] else "12"
    days = format_count(int(row.value or 0), "day")
    return FeedItem(
        id=f"urn:piperoll:figure:{row.figure_id}",
        url=f"{page}#{measure.id}",
        title=f"{row.body_name}: {row.item_label or row.item}",
        summary=f"Ends within {months} months of the newest register of {row.body_name}: {days} after it.",
        published=year.current.published,
        updated=year.current.published,
        body=row.body_name,
        tags=(layout.MEASURES, measure.id, row.body, row.figure),
        attachments=(),
    )
