"""The pages about all bodies, about one body, and about one file received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from piperoll import assets, layout
from piperoll.describing import urls
from piperoll.describing.charts import draw_timelines, quality_over_time
from piperoll.describing.context import Holdings, InContext, newest_first
from piperoll.describing.overview import (
    MOST_WAITING,
    BodyDigest,
    DutyDigest,
    Overview,
    WaitingFile,
    WaitingTotal,
    digest_body,
)
from piperoll.describing.pages.body_lists import bodies_list_of, bodies_pages, region_of
from piperoll.describing.pages.rendering import ListPage, paginate, render_page
from piperoll.describing.wording import total
from piperoll.describing.year_figures import latest_first
from piperoll.duties import DutyState, next_due_day
from piperoll.model import Acts, Dataset, Report, Submission

Files = Iterator[tuple[str, bytes]]


# --- all bodies ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How punctual bodies were with one duty, for the last period that is due.

    `duty` is that of one of the `bodies`, `kinds` are the kinds of body that it binds, and `counts` has the number of
    bodies in each state.
    """

    duty: DutyDigest
    bodies: int
    kinds: Sequence[str]
    counts: Mapping[str, int]


def home_page(overview: Overview) -> tuple[str, bytes]:
    """Render the first page: what is published by dataset and by body, how fresh it is, and what is late or held."""
    digests = overview.digests
    groups: dict[tuple[str, str, str], list[DutyDigest]] = {}
    for duty in (duty for digest in digests for duty in digest.duties):
        groups.setdefault((duty.dataset, duty.part or "", duty.name), []).append(duty)
    punctuality = []
    for _, group in sorted(groups.items()):
        last = min((duty.period for duty in group), key=newest_first)
        duties = [duty for duty in group if duty.period == last]
        states = [duty.state for duty in duties]
        counts = {state.value: states.count(state) for state in DutyState}
        punctuality.append(Punctuality(duties[0], len(duties), sorted({duty.kind for duty in duties}), counts))
    return render_page(
        overview,
        layout.HOME,
        "index.html",
        overview=overview,
        tables=sum(digest.tables for digest in digests),
        bodies_published=sum(digest.tables > 0 for digest in digests),
        wholes={dataset.name: overview.whole(dataset.name) for dataset in overview.datasets},
        newest_end=max((digest.newest_end for digest in digests if digest.newest_end), default=None),
        punctuality=punctuality,
        waiting=[queue for acts in Acts if (queue := _waiting_queue(digests, acts)).total.files],
    )


@dataclass(frozen=True, slots=True)
class WaitingQueue:
    """The files of all bodies, or of one, that wait for one party: their totals, and the last of them."""

    acts: Acts
    total: WaitingTotal
    files: Sequence[WaitingFile]


def _waiting_queue(digests: Iterable[BodyDigest], acts: Acts) -> WaitingQueue:
    totals = [one.waits[acts] for one in digests if acts in one.waits]
    files = [file for digest in digests for file in digest.waiting if file.acts is acts]
    files.sort(key=lambda file: (file.submission.received, file.submission.sha256), reverse=True)
    whole = WaitingTotal(
        files=sum(one.files for one in totals),
        rows=sum(one.rows for one in totals),
        amount=total([one.amount for one in totals]),
    )
    return WaitingQueue(acts, whole, files[:MOST_WAITING])


def lookup_pages(overview: Overview) -> Files:
    """Render the page that searches in the browser, the lists of bodies, and how to download everything."""
    datasets = {one.name: {"title": one.title, "search": assets.shown(one.name)["search"]} for one in overview.datasets}
    yield render_page(overview, layout.SEARCH_PAGE, "search.html", settings={"datasets": datasets})
    yield from bodies_pages(overview)
    held = [digest.datasets.values() for digest in overview.digests]
    sizes = {
        "tables": sum(one.tables for datasets in held for one in datasets),
        "bytes": sum(one.bytes for datasets in held for one in datasets),
    }
    yield render_page(overview, layout.DOWNLOAD_ALL, "download.html", overview=overview, sizes=sizes)
    yield render_page(overview, layout.README, "README.txt", overview=overview)


def not_found_page(overview: Overview) -> tuple[str, bytes]:
    """Render the page of an address without a page. Its links are from the root, since it is sent for any address."""
    return render_page(
        overview, layout.NOT_FOUND, "not_found.html", link=partial(urls.address, urlsplit(overview.base_url).path)
    )


def dataset_pages(overview: Overview, dataset: Dataset) -> Files:
    """Render a dataset's page and the further pages of its lists of periods and bodies."""
    page = layout.dataset_page(dataset.name)
    bodies = paginate(overview.publishing(dataset.name), layout.list_page(page, "bodies"))
    periods = paginate(overview.periods(dataset.name), layout.list_page(page, "periods"))
    years = overview.years.get(dataset.name, {})
    yield render_page(
        overview,
        page,
        "dataset.html",
        overview=overview,
        dataset=dataset,
        bodies=bodies[0],
        periods=periods[0],
        years=[(year, years[year]) for year in latest_first(years)],
        whole=overview.whole(dataset.name),
    )
    lists: dict[str, Sequence[ListPage[Any]]] = {"bodies": bodies, "periods": periods}
    yield from _further_pages(overview, page, dataset.title, lists, dataset=dataset, overview=overview)


# --- one body -----------------------------------------------------------------------------------------------------


def body_pages(holdings: Holdings) -> Files:
    """Render a body's page and the further pages of its lists of tables and files."""
    body = holdings.body
    page, digest = layout.body_page(body.slug), digest_body(holdings)
    days = {dataset.name: next_due_day(dataset, body, holdings.on) for dataset in holdings.datasets}
    tables = paginate(holdings.series, layout.list_page(page, "tables"))
    files = paginate(holdings.submissions, layout.list_page(page, "files"))
    yield render_page(
        holdings,
        page,
        "body.html",
        body=body,
        tables=tables[0],
        duties=holdings.duties,
        waiting=[queue for acts in Acts if (queue := _waiting_queue([digest], acts)).total.files],
        digest=digest,
        region=region_of(body),
        kind_list=bodies_list_of(body, by="kind"),
        region_list=bodies_list_of(body, by="region"),
        files=files[0],
        timelines=draw_timelines(holdings, partial(urls.link, here=page)),
        qualities=quality_over_time(holdings),
        years=[
            (holdings.dataset(name), [(year, own[year].figures) for year in latest_first(own)])
            for name, own in sorted(holdings.years.items())
        ],
        next_days={name: day for name, day in days.items() if day is not None},
    )
    yield from _further_pages(holdings, page, body.name, {"tables": tables, "files": files})


def _further_pages(
    context: InContext, parent: str, title: str, lists: Mapping[str, Sequence[ListPage[Any]]], **values: Any
) -> Files:
    """Render every page but the first of the lists of the page `parent`, which shows the first pages itself."""
    for table, pages in lists.items():
        for one in pages[1:]:
            up = [(parent, title)]
            yield render_page(
                context, one.key, "list.html", page=one, up=up, title=f"{title}: {table}", table=table, **values
            )


def render_submission(holdings: Holdings, submission: Submission, report: Report) -> Files:
    """Render the page of the public report of one file received."""
    yield render_page(
        holdings,
        layout.submission_page(submission),
        "submission.html",
        submission=submission,
        report=report,
        dataset=holdings.dataset(submission.dataset),
        body=holdings.body,
    )
