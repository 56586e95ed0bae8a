"""What proves the figures on the pages about bodies, datasets and all bodies together."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.figures.proving import Page, rule
from tests.figures.recomputing import PublishedTable, Recomputed, sum_totals
from tests.figures.scanning import Place

Value = Decimal | int

BODY = r"bodies/(?!index|page-|\d).*\.html"
BODIES = r"bodies/(?:index|page-\d+|\d+)\.html"
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
