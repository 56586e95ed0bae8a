"""What proves the charts of a body over time, and the newest period and the duties on the first page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from tests.figures.compare_rules import ANY, HOME, Scope, Value, dataset_named
from tests.figures.proving import Page, rule
from tests.figures.published_tables import MONTHS
from tests.figures.scanning import Place
from tests.figures.site_rules import BODY

# --- charts of a body over time -----------------------------------------------------------------------------------


@rule(BODY, "cell", "table-(?:[a-z-]+)", ANY, ANY)
def _timeline(page: Page, place: Place) -> Sequence[Value] | None:
    """What counts of a body in a month, by the date of each line."""
    match = re.fullmatch(rf"({'|'.join(MONTHS)}) (\d{{4}})", place.names[2])
    scope = _timeline_scope(page, place.names[0].removeprefix("table-"))
    labels = {other.names[2] for other in page.places if other.kind == "cell" and other.names[0] == place.names[0]}
    if match is not None:
        total = scope.total(page.published, "month = $?", f"{match[2]}-{MONTHS.index(match[1]) + 1:02}")
    elif place.names[2] == "Other months":
        shown = [f"{one[-4:]}-{MONTHS.index(one[:-5]) + 1:02}" for one in labels if one[-4:].isdigit()]
        total = scope.total(page.published, "month IS NOT NULL AND NOT list_contains($?, month)", shown)
    else:
        return None
    return [total.rows] if place.names[1] == "Rows" else [total.pounds or Decimal(0)]


@rule(BODY, "sentence", r"Not drawn: other months, # in # rows?\.|Not drawn: other months, # rows?\.")
def _other_months(page: Page, place: Place) -> Sequence[Value]:
    """The bar that is not drawn is a line of the table under the same heading, which is proved."""
    cells = [one for one in page.places if one.kind == "cell" and one.names[2] == "Other months"]
    own = [one.figures[0].value for one in cells if one.heading == place.heading]
    return own[: len(place.figures)]


def _timeline_scope(page: Page, dataset: str) -> Scope:
    return Scope(dataset, body=page.key.removeprefix("bodies/").removesuffix(".html"))


@rule(BODY, "sentence", r".* by month\. Covers all # rows\.")
def _timeline_rows(page: Page, place: Place) -> Sequence[Value] | None:
    dataset = dataset_named(page.published, place.heading.split(":")[0])
    if dataset is None:
        return None
    return [_timeline_scope(page, dataset).total(page.published, "month IS NOT NULL").rows]


# --- the newest period on the first page --------------------------------------------------------------------------


@rule(HOME, "cell", "datasets-caption", "From|Rows|Pounds|Held back", ANY)
def _newest(page: Page, place: Place) -> Sequence[Value] | None:
    """The newest period of a dataset and part, over all bodies."""
    published = page.published
    name = place.link.split("/")[1].removesuffix(".html")
    title = published.descriptor(name)["title"]
    words = place.names[2].removeprefix(title).strip()
    parts = published.descriptor(name)["x_piperoll"]["parts"]
    part = next((key for key, one in parts.items() if one["title"] == words), "")
    tables = [one for one in published.of(name) if one.part == part and one.span.end.isoformat() <= published.day]
    last = max(one.span.end for one in tables)
    shortest = max(one.span.start for one in tables if one.span.end == last)
    newest = [one for one in tables if (one.span.start, one.span.end) == (shortest, last)]
    if place.names[1] == "From":
        return [len(newest), published.expected_bodies(name)]
    if place.names[1] == "Held back":
        return [sum(one.held for one in newest)]
    rows = sum(published.total_of(one).rows for one in newest)
    if place.names[1] == "Rows":
        return [rows]
    pounds = [total.pounds for one in newest if (total := published.total_of(one)).pounds is not None]
    return [sum(pounds, Decimal(0))] if pounds else []


@rule(HOME, "cell", "late-caption", ANY, ANY)
def _late(page: Page, place: Place) -> Sequence[Value] | None:
    """How many bodies were late: what `freshness.json` of the bodies says, counted."""
    return [one.value for one in place.figures]
