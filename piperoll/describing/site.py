"""The whole catalogue, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from piperoll.describing import pages, places
from piperoll.describing.atom import atom
from piperoll.describing.dcat import dcat
from piperoll.describing.feeds import feeds
from piperoll.describing.freshness import freshness
from piperoll.describing.holdings import Holdings, gather
from piperoll.describing.json_feed import json_feed
from piperoll.model import Dataset, Listing, Register, Report, Submission


def catalogue(
    listings: Sequence[Listing],
    *,
    datasets: Iterable[Dataset],
    register: Register,
    base_url: str,
    publisher_name: str,
    on: date,
    submissions: Sequence[tuple[Submission, Report | None]] = (),
) -> Iterator[tuple[str, bytes]]:
    """Every file of the catalogue with its key relative to `catalogue/`, the first page last.

    A function of what is given: the same listings on the same day give the same bytes. `base_url`, ending in a
    slash, is where the store is served: `catalogue/`, `data/` and `reports/` stand below it. `submissions` come with
    their public reports, for what stands in them is published.
    Raises: UnknownDataset: something is published of a dataset that is not among `datasets`.
    """
    holdings = gather(
        listings,
        datasets=datasets,
        register=register,
        base_url=base_url,
        publisher_name=publisher_name,
        on=on,
        submissions=submissions,
    )
    for key, content in _files(holdings):
        yield key.removeprefix(places.ROOT), content


def _files(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    yield places.STYLE, pages.style()
    for listing in holdings.listings:
        for version in listing.history.versions:
            yield pages.version(holdings, listing, version)
        yield pages.series(holdings, listing)
    for submission, report in holdings.submissions:
        if report is not None:
            yield pages.submission(holdings, submission, report)
    for body in holdings.bodies:
        yield pages.body(holdings, body)
    for dataset in holdings.datasets:
        yield pages.dataset(holdings, dataset)
    for feed in feeds(holdings):
        yield feed.keys["atom"], atom(feed)
        yield feed.keys["json"], json_feed(feed)
    yield places.DCAT, dcat(holdings)
    yield places.FRESHNESS, freshness(holdings)
    yield pages.home(holdings)
