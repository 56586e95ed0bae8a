"""The pages for people: templates from `catalogue/`, everything escaped, links relative."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from piperoll import assets, layout
from piperoll.describing import figures, places, releases, restating, statics, views, wording
from piperoll.describing.courses import courses, qualities
from piperoll.describing.facts import held_rows
from piperoll.describing.holdings import Holdings
from piperoll.describing.lists import paged
from piperoll.describing.media import told
from piperoll.describing.overview import Overview
from piperoll.describing.schema_org import linked_data
from piperoll.duties import DutyState, duty_rules, next_due_day, publication_interval
from piperoll.model import Dataset, Listing, Report, Status, Submission, Version, from_document

STATES = {
    DutyState.ON_TIME: "On time",
    DutyState.LATE: "Late",
    DutyState.NIL: "Nil return",
    DutyState.HELD: "Held",
    DutyState.REPEATED: "An old file again",
    DutyState.REJECTED: "Rejected",
    DutyState.FAILED: "Failed with us",
    DutyState.MISSING: "Missing",
    DutyState.NOT_YET_DUE: "Not due yet",
}

STATUSES = {
    Status.CURRENT: "Current",
    Status.SUPERSEDED: "Superseded",
    Status.WITHDRAWN: "Withdrawn",
    Status.PURGED: "Removed, because it held personal data",
}

LEVELS = {"core": "Core", "duty": "Asked for by law or code", "wanted": "Wanted"}


FILTERS: dict[str, Callable[..., Any]] = {
    "pounds": wording.pounds_or_none,
    "number": figures.number,
    "change": figures.change,
    "counted": figures.counted,
    "day": figures.day,
    "size": figures.size,
    "where": wording.where,
    "plain_words": wording.plain_words,
    "excluded": wording.excluded_words,
    "told": told,
    "kind": wording.kind_words,
    "kinds": wording.kinds_words,
    "period": wording.period_words,
    "lower_first": wording.lower_first,
    "how_often": wording.how_often,
    "when_due": wording.when_due,
}

GLOBALS: dict[str, Any] = {
    "layout": layout,
    "places": places,
    "policy": statics.POLICY,
    "part_title": wording.part_title,
    "held_rows": held_rows,
    "states": STATES,
    "statuses": STATUSES,
    "levels": LEVELS,
    "verdicts": wording.VERDICTS,
    "causes": restating.CAUSES,
    "restatement": restating.restatement,
    "ending": restating.ending,
    "changes_file": restating.changes_file,
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(assets.folder("catalogue")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    environment.globals |= GLOBALS
    return environment


def report_page(report: Report) -> str:
    """A page of its own, styles and all, that tells an officer what is found in their file and what to do."""
    style = statics.style()
    template = _environment().get_template("report.html")
    return template.render(report=report, style=style, policy_of_this=statics.policy_of_one_style(style))


def render(holdings: Holdings | Overview, key: str, template: str, **context: Any) -> tuple[str, bytes]:
    """A page of the catalogue with its key: a template with what it is told of."""
    page = _environment().get_template(template)
    link = partial(places.link, here=key)
    return key, page.render(holdings=holdings, here=key, link=link, **context).encode()


def home(overview: Overview) -> tuple[str, bytes]:
    """The first page: what there is by dataset and by body, how fresh, and what is late or held."""
    return render(overview, layout.HOME, "index.html", overview=overview)


def search(overview: Overview) -> tuple[str, bytes]:
    """The page that searches, in the browser, over the shards of the index."""
    told = {one.name: {"title": one.title, "search": assets.shown(one.name)["search"]} for one in overview.datasets}
    return render(overview, layout.SEARCH_PAGE, "search.html", told={"datasets": told})


def bodies(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """The pages of the list of all bodies, in order of name."""
    for page in paged(overview.lines, layout.bodies_page):
        yield render(overview, page.key, "bodies.html", page=page)


def dataset(overview: Overview, dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    """A dataset's page: what it is, the duty behind it, its fields, its periods, and every body that publishes it."""
    page = layout.dataset_page(dataset.name)
    bodies = list(paged(overview.of_dataset(dataset.name), layout.list_page(page, "bodies")))
    periods = list(paged(overview.periods(dataset.name), layout.list_page(page, "periods")))
    yield render(
        overview, page, "dataset.html", overview=overview, dataset=dataset, bodies=bodies[0], periods=periods[0]
    )
    up = [(page, dataset.title)]
    for one in bodies[1:]:
        title = f"{dataset.title}: bodies"
        yield render(overview, one.key, "list.html", page=one, up=up, title=title, table="shelves", dataset=dataset)
    for line in periods[1:]:
        title = f"{dataset.title}: periods"
        yield render(overview, line.key, "list.html", page=line, up=up, title=title, table="periods", dataset=dataset)


def body(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    """A body's page: what it publishes, owes and owed, how good it was, and what became of each file it sent."""
    body = holdings.the_body
    page = layout.body_page(body.slug)
    tables = list(paged(holdings.listings, layout.list_page(page, "tables")))
    files = list(paged(holdings.submissions, layout.list_page(page, "files")))
    yield render(
        holdings,
        page,
        "body.html",
        body=body,
        tables=tables[0],
        duties=holdings.duties,
        files=files[0],
        courses=courses(holdings, partial(places.link, here=page)),
        qualities=qualities(holdings),
        next_days={
            dataset.name: day
            for dataset in holdings.datasets
            if (day := next_due_day(dataset, body, holdings.on)) is not None
        },
    )
    up = [(page, body.name)]
    for one in tables[1:]:
        yield render(holdings, one.key, "list.html", page=one, up=up, title=f"{body.name}: tables", table="series")
    for file in files[1:]:
        yield render(holdings, file.key, "list.html", page=file, up=up, title=f"{body.name}: files", table="files")


def series(holdings: Holdings, listing: Listing) -> tuple[str, bytes]:
    """A series' page: the table that stands, how far to trust it, its files, its fields and its versions."""
    dataset, body = holdings.dataset(listing.series.dataset), holdings.the_body
    return render(
        holdings,
        layout.series_page(listing.series),
        "series.html",
        listing=listing,
        series=listing.series,
        title=wording.series_title(dataset, body, listing.series),
        dataset=dataset,
        body=body,
        part=wording.part_title(dataset, listing.series.part),
        standing=listing.history.standing,
        report=None if listing.report is None else from_document(Report, dict(listing.report)),
        fields=views.released_fields(listing),
        preview=views.preview(listing),
        downloads=views.downloads(listing),
        by_law=bool(duty_rules(dataset, body)),
        held=held_rows(listing),
        overlapping=holdings.overlapping(listing.series),
        every=publication_interval(dataset, body, (one.series for one in holdings.listings)),
        linked_data=linked_data(holdings, listing),
        **releases.extras(holdings, listing),
    )


def version(holdings: Holdings, listing: Listing, version: Version) -> tuple[str, bytes]:
    """The page of one version: what is known of it from the history, and what it changed."""
    dataset, body = holdings.dataset(listing.series.dataset), holdings.the_body
    earlier = {entry.version: entry for entry in listing.history.versions}
    return render(
        holdings,
        layout.version_page(listing.series, version),
        "version.html",
        listing=listing,
        series=listing.series,
        title=wording.series_title(dataset, body, listing.series),
        dataset=dataset,
        body=body,
        version=version,
        before=None if version.supersedes is None else earlier.get(version.supersedes),
        files=views.files_of(listing, version),
        served=views.is_served(version),
        told_sources={
            submission.sha256: layout.submission_page(submission)
            for submission, report in holdings.submissions
            if report is not None and submission.dataset == listing.series.dataset
        },
    )


def submission(holdings: Holdings, submission: Submission, report: Report) -> tuple[str, bytes]:
    """The page of the public report of one file as received."""
    return render(
        holdings,
        layout.submission_page(submission),
        "submission.html",
        submission=submission,
        report=report,
        dataset=holdings.dataset(submission.dataset),
        body=holdings.the_body,
    )
