"""The pages about all bodies, about one body, and about one file received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
from piperoll.describing.pages.body_lists import bodies_pages
from piperoll.describing.pages.rendering import ListPage, paginate, render_page
from piperoll.describing.wording import total
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
        rows=sum(overview.rows(dataset.name) for dataset in overview.datasets),
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
    yield render_page(
        overview, page, "dataset.html", overview=overview, dataset=dataset, bodies=bodies[0], periods=periods[0]
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
        files=files[0],
        timelines=draw_timelines(holdings, partial(urls.link, here=page)),
        qualities=quality_over_time(holdings),
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


# --- comparing bodies by consolidated files -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """The rows and pounds of one part that count in a year; `amount` is None if the dataset has no pounds."""

    part: str | None
    rows: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class ComparedBody:
    """One body in a year: its parts, and its consolidated files by kind with path, size in bytes and sha256."""

    slug: str
    name: str
    parts: tuple[ComparedPart, ...]
    files: Mapping[str, Mapping[str, Any]]


def render_compared_year(overview: Overview, name: str, year: str, bodies: Mapping[str, Any]) -> Files:
    """Render the pages that compare all bodies of a dataset and year, from the index of its consolidated files."""
    names = {digest.body.slug: digest.body.name for digest in overview.digests}
    lines = []
    for slug, entry in bodies.items():
        parts = tuple(
            ComparedPart(one["part"], one["rows"], None if one["amount_gbp"] is None else Decimal(one["amount_gbp"]))
            for one in entry["counted"]
        )
        files = {kind: entry[kind] for kind in ("csv", "parquet", "json")}
        lines.append(ComparedBody(slug, names.get(slug, slug), parts, files))
    lines.sort(key=lambda line: line.name)
    first = layout.comparison_page(name, year)
    for page in paginate(lines, layout.list_page(first, "bodies")):
        dataset = overview.dataset(name)
        yield render_page(overview, page.key, "compared.html", dataset=dataset, year=year, page=page)


def render_compared_index(overview: Overview, years: Mapping[str, Sequence[str]]) -> Files:
    """Render the page that links to the comparisons of each dataset and year, with a query over all bodies."""
    listed = [(overview.dataset(name), list(reversed(found))) for name, found in years.items() if found]
    yield render_page(overview, layout.COMPARE, "compare.html", years=listed, base_url=overview.base_url)


def is_compared_page(key: str, years: Sequence[tuple[str, str]]) -> bool:
    """True if a key is that of a page that `render_compared_year` renders for one of these datasets and years."""
    stems = [layout.comparison_page(name, year).removesuffix(".html") for name, year in years]
    return any(key == f"{stem}.html" or key.startswith(f"{stem}/") for stem in stems)
