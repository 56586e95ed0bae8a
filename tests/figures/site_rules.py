"""What proves the figures on the pages about bodies, datasets and all bodies together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.figures.proving import Page, rule
from tests.figures.published_tables import PublishedTable, sum_totals
from tests.figures.recomputing import Recomputed
from tests.figures.scanning import Place

Value = Decimal | int

BODY = r"bodies/(?!index|page-|\d).*\.html"
BODIES = r"bodies/(?:index|page-\d+|\d+)\.html|bodies-by/.*"
DATASET = r"datasets/.*\.html"
ANY = ".*"


def table_of(page: Page, place: Place) -> PublishedTable | None:
    """The table that a line of a page leads to."""
    return page.published.tables.get("/".join(place.link.removesuffix(".html").split("/")[1:4]))


def freshness(published: Recomputed, body: str) -> dict[str, Any]:
    """What the catalogue tells programs of how fresh a body's tables are."""
    path = published.store / "catalogue" / "bodies" / f"{body}.freshness.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


# --- a body -------------------------------------------------------------------------------------------------------


@rule(BODY, "cell", "(?:series|list)-caption", "Rows|Pounds|Held back|Version")
def _listed(page: Page, place: Place) -> Sequence[Value] | None:
    table = table_of(page, place)
    if table is None:
        return None
    total = page.published.total_of(table)
    pounds = [] if total.pounds is None else [total.pounds]
    number = table.history["current"]
    return {"Rows": [total.rows], "Pounds": pounds, "Held back": [table.held], "Version": [number]}[place.names[1]]


@rule(BODY, "cell", r"quality-\d+-table", "Rows read|Published|Held back|Must fix|Should fix")
def _quality(page: Page, place: Place) -> Sequence[Value] | None:
    table = table_of(page, place)
    if table is None:
        return None
    rows = [one["rows"] for one in table.report["tables"]]
    read, held = sum(one["read"] for one in rows), sum(one["held"] for one in rows)
    findings = [one for one in table.report["findings"] if one["acts"] == "body"]
    errors, warnings = (sum(one["count"] for one in findings if one["severity"] == s) for s in ("error", "warning"))
    rows_published = page.published.total_of(table).rows
    share = Decimal(100 * rows_published) / read if read else Decimal(0)
    told = {"Rows read": read, "Published": share, "Held back": held, "Must fix": errors, "Should fix": warnings}
    return [told[place.names[1]]]


@rule(BODY, "drawn", r"quality-\d+", ANY)
def _quality_drawn(page: Page, place: Place) -> Sequence[Value] | None:
    """What the picture says is in the table below it."""
    cells = {
        tuple(one.value for one in other.figures)
        for other in page.places
        if other.kind == "cell" and other.names[0] == f"{place.names[0]}-table" and other.names[1] == "Published"
    }
    figures = tuple(one.value for one in place.figures)
    return figures if figures in cells else []


@rule(BODY, "caption", r"The last # months?, latest first: # of # periods? not outstanding")
def _duties(page: Page, place: Place) -> Sequence[Value]:
    lines = freshness(page.published, page.key.removeprefix("bodies/").removesuffix(".html"))["duties"]
    calm = {"on-time", "late", "nil", "not-yet-due"}
    return [13, sum(one["state"] in calm for one in lines), len(lines)]


@rule(BODY, "cell", "duties-caption", "Received")
def _months_received(page: Page, place: Place) -> Sequence[Value] | None:
    return [one.value for one in place.figures] if re.fullmatch(r"\d+ of \d+ months?", place.text) else None


# --- lists of bodies ----------------------------------------------------------------------------------------------


@rule(BODIES, "cell", "bodies-caption", "Tables|Outstanding")
def _tables(page: Page, place: Place) -> Sequence[Value]:
    body = place.link.removeprefix("bodies/").removesuffix(".html")
    if place.names[1] == "Tables":
        return [sum(one.body == body for one in page.published.tables.values())]
    calm = {"on-time", "late", "nil", "not-yet-due"}
    return [sum(one["state"] not in calm for one in freshness(page.published, body)["duties"])]


@rule(DATASET, "cell", "(?:bodies|list)-caption", "Tables")
def _tables_of_dataset(page: Page, place: Place) -> Sequence[Value]:
    body, dataset = place.link.removeprefix("bodies/").removesuffix(".html"), _dataset(page)
    return [len(page.published.of(dataset, body))]


# --- a dataset ----------------------------------------------------------------------------------------------------


def _dataset(page: Page) -> str:
    return re.split(r"[/.]", page.key)[1]


@rule(DATASET, "term", "Version of the schema")
def _schema(page: Page, place: Place) -> Sequence[Value] | None:
    version = page.published.descriptor(_dataset(page))["version"]
    return [one.value for one in place.figures] if place.text == version else []


@rule(DATASET, "caption", "# fields?, in the order of the file")
def _fields(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.published.descriptor(_dataset(page))["resources"][0]["schema"]["fields"])]


@rule(DATASET, "cell", "duty-caption", "Due")
def _due(page: Page, place: Place) -> Sequence[Value] | None:
    rules = page.published.descriptor(_dataset(page))["x_piperoll"]["duties"]
    months = {rule["due"].get("months_after") for rule in rules if isinstance(rule.get("due"), dict)}
    return [one.value for one in place.figures] if {one.value for one in place.figures} <= months else []


def part_title(published: Recomputed, dataset: str, part: str) -> str:
    """The title of a part, as it stands within a sentence."""
    title: str = published.descriptor(dataset)["x_piperoll"]["parts"][part]["title"]
    return title[:1].lower() + title[1:]


def period_label(published: Recomputed, table: PublishedTable) -> str:
    """How a list of periods names the period and part of a table."""
    if not table.part:
        return table.span.words
    return f"{table.span.words}, {part_title(published, table.dataset, table.part)}"


@rule(DATASET, "cell", "(?:periods|list)-caption", "From|Rows|Pounds|Held back")
def _period(page: Page, place: Place) -> Sequence[Value]:
    """All tables of one period and part: no two of one body, so that none overlaps another."""
    dataset = _dataset(page)
    tables = [one for one in page.published.of(dataset) if period_label(page.published, one) == place.names[2]]
    assert len({one.body for one in tables}) == len(tables)
    total = sum_totals(page.published.total_of(one) for one in tables)
    if place.names[1] == "From":
        return [len(tables), page.published.expected_bodies(dataset)]
    if place.names[1] == "Held back":
        return [sum(one.held for one in tables)]
    return [total.rows] if place.names[1] == "Rows" else [] if total.pounds is None else [total.pounds]


# --- lists of bodies by kind and region ---------------------------------------------------------------------------

KINDS = {
    "Councils": "council",
    "Government departments": "department",
    "Agencies": "agency",
    "NHS bodies": "nhs",
    "Police forces": "police",
    "Fire authorities": "fire",
    "Other public bodies": "unknown",
}
WHOLE_COUNTRY = "whole-country-or-not-known"


def _region_of(body: Mapping[str, str]) -> str:
    """The region of a body in addresses: as its register says, else England where its area code is of England."""
    if body.get("region"):
        return re.sub(r"[^a-z]+", "-", body["region"].lower())
    return "england" if body.get("id", "").startswith("gss:E") else WHOLE_COUNTRY


def _bodies_of(page: Page, kind: str | None, region: str | None) -> list[str]:
    bodies = page.published.bodies.items()
    return [slug for slug, body in bodies if kind in (None, body["kind"]) and region in (None, _region_of(body))]


def _listed_bodies(page: Page, kind: str | None, region: str | None) -> int:
    return len(_bodies_of(page, kind, region))


def _filters(page: Page) -> tuple[str | None, str | None]:
    """The kind and the region that a list of bodies is of."""
    pieces = page.key.removesuffix(".html").split("/")
    if pieces[0] == "bodies":
        return None, None
    kind, region = pieces[1], pieces[2]
    kind = {"other": "unknown"}.get(kind, kind)
    return None if kind == "all" else kind, None if region == "all" else region


@rule(BODIES, "sentence", r"[A-Z][A-Za-z, ]+ #")
def _choices(page: Page, place: Place) -> Sequence[Value] | None:
    words = place.text.rpartition(" ")[0]
    kind, region = _filters(page)
    if words in KINDS or words == "All kinds":
        return [_listed_bodies(page, KINDS.get(words), region)]
    return [_listed_bodies(page, kind, None if words == "All regions" else _slug(words))]


def _slug(words: str) -> str:
    return re.sub(r"[^a-z]+", "-", words.lower())


@rule(BODIES, "cell", "regions-caption", "Bodies|Publishing", ANY)
def _of_regions(page: Page, place: Place) -> Sequence[Value]:
    """The bodies of a region and of the page's kind, and how many of them have published anything."""
    bodies = _bodies_of(page, _filters(page)[0], _slug(place.names[2]))
    sent = {name.split("/")[1] for name in page.published.tables}
    return [len(bodies) if place.names[1] == "Bodies" else sum(slug in sent for slug in bodies)]


@rule(BODIES, "drawn", ANY, "# of #")
def _tiles(page: Page, place: Place) -> Sequence[Value]:
    """What a tile says is a line of the table."""
    lines = {
        (int(other.line[2].replace(",", "")), int(other.line[1].replace(",", "")))
        for other in page.places
        if other.names[0] == "regions-caption"
    }
    figures = [one.value for one in place.figures]
    return figures if tuple(figures) in lines else []


@rule(BODIES, "caption", r"# bod(?:y|ies), with what each publishes .* last # months .*")
@rule(BODIES, "description", r".*: # bod(?:y|ies) in this catalogue, .*")
def _list_of_bodies(page: Page, place: Place) -> Sequence[Value]:
    return [_listed_bodies(page, *_filters(page)), *([13] if place.kind == "caption" else [])]


@rule(r"index\.html", "sentence", r"All # public bod(?:y|ies).*")
def _all_bodies(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.published.bodies)]


@rule(BODY, "description", r"What .* publishes: # tables?.*")
def _described(page: Page, place: Place) -> Sequence[Value]:
    body = page.key.removeprefix("bodies/").removesuffix(".html")
    return [sum(one.body == body for one in page.published.tables.values())]


@rule(BODY, "term", "Outstanding")
def _outstanding(page: Page, place: Place) -> Sequence[Value]:
    lines = freshness(page.published, page.key.removeprefix("bodies/").removesuffix(".html"))["duties"]
    return [sum(one["state"] not in {"on-time", "late", "nil", "not-yet-due"} for one in lines)]


# --- what waits ---------------------------------------------------------------------------------------------------


def _waiting(page: Page, body: str | None = None) -> list[dict[str, Any]]:
    """The reports of the files that wait, of all bodies or of one."""
    if body is None and page.key.startswith("bodies/"):
        body = page.key.removeprefix("bodies/").removesuffix(".html")
    return [report for key, report in page.published.waiting.items() if body in (None, key.split("/")[1])]


def _read(reports: Sequence[dict[str, Any]]) -> tuple[int, list[Value]]:
    """The rows that were read, and their pounds."""
    tables = [one for report in reports for one in report["tables"]]
    pounds = [Decimal(one["amount"]["read"]) for one in tables if one["amount"]]
    return sum(one["rows"]["read"] for one in tables), [sum(pounds, Decimal(0))] if pounds else []


@rule(rf"index\.html|{BODY}", "sentence", r"Files that wait .*\(#\)")
def _waits(page: Page, place: Place) -> Sequence[Value]:
    return [len(_waiting(page))]


@rule(rf"index\.html|{BODY}", "sentence", r".*# rows?(?: and #)? waits?\.")
def _waiting_rows(page: Page, place: Place) -> Sequence[Value]:
    rows, pounds = _read(_waiting(page))
    return [rows, *pounds]


@rule(rf"index\.html|{BODY}", "cell", "waiting-.*", "Rows|Pounds")
def _waiting_cells(page: Page, place: Place) -> Sequence[Value]:
    body = re.split(r"[/.]", place.link)[1] if place.link.startswith("bodies/") else None
    if place.link.startswith("reports/"):
        reports = [page.published.waiting[place.link.removeprefix("reports/").removesuffix(".html")]]
    else:
        reports = _waiting(page, body)
    rows, pounds = _read(reports)
    return [rows] if place.names[1] == "Rows" else pounds


# --- everything as one download -----------------------------------------------------------------------------------


@rule(r"download\.html", "sentence", ".*# tables?.*")
@rule(r"download\.html", "description", ".*# tables?.*")
def _download(page: Page, place: Place) -> Sequence[Value]:
    tables = page.published.tables.values()
    size = sum(one["bytes"] for table in tables for one in page.published.manifest(table)["files"])
    return [len(tables), size]
