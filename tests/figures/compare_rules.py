"""What proves the figures that add tables up: the first page, years and comparisons of bodies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.figures.proving import Page, rule
from tests.figures.published_tables import DATASETS, MONTHS, UNDATED, Span, Total
from tests.figures.recomputing import Recomputed
from tests.figures.scanning import Place
from tests.figures.site_rules import BODY, DATASET, part_title

Value = Decimal | int

HOME = r"index\.html"
COMPARE = r"compare/index\.html"
YEAR = r"compare/[a-z]+/[^/]+\.html"
KIND = r"compare/[a-z]+/[^/]+/[^/]+\.html"
SUPPLIER = r"suppliers/[^/]{1,3}/(?!index|\d+\.).*\.html"
TOTALS = f"(?:{HOME}|{DATASET}|{YEAR}|{KIND})"
ANY = ".*"

GROUPS = {
    "To suppliers": ("company", "charity"),
    "To other public bodies": ("public-body",),
    "To people or redacted": ("person-or-redacted",),
    "Not known": ("not-known",),
}
KINDS = {"other": "unknown"}


class Scope:
    """The lines that a figure is about: of a dataset, and perhaps of a year, of a body or of bodies of a kind."""

    def __init__(
        self,
        dataset: str,
        year: str | None = None,
        body: str | None = None,
        kind: str | None = None,
        newest: Sequence[str] = (),
    ) -> None:
        self.dataset, self.year, self.body, self.kind = dataset, year, body, kind
        self.newest = newest

    def where(self, published: Recomputed) -> tuple[str, list[Any]]:
        conditions, values = ["true"], []
        if self.year is not None:
            values.append(self.year)
            conditions.append(f"year = ${len(values)}")
        if self.body is not None:
            values.append([self.body])
            conditions.append(f"list_contains(${len(values)}, body)")
        if self.kind is not None:
            values.append([slug for slug, one in published.bodies.items() if one["kind"] == self.kind])
            conditions.append(f"list_contains(${len(values)}, body)")
        if self.newest:
            values.append(list(self.newest))
            conditions.append(f"list_contains(${len(values)}, body || ' ' || year)")
        return " AND ".join(conditions), values

    def total(self, published: Recomputed, more: str = "true", *values: Any) -> Total:
        where, own = self.where(published)
        for value in values:
            own.append(value)
            more = more.replace("$?", f"${len(own)}", 1)
        return published.sum_lines(self.dataset, f"{where} AND {more}", *own)

    def left_out(self, published: Recomputed) -> tuple[Total, int]:
        where, values = self.where(published)
        return published.left_out(self.dataset, where, *values)

    def count(self, published: Recomputed, what: str) -> int:
        where, values = self.where(published)
        ((found,),) = published.query(
            f"SELECT count(DISTINCT {what}) FROM figures_{self.dataset} WHERE {where}", *values
        )
        return int(found)

    def bodies(self, published: Recomputed) -> list[str]:
        where, values = self.where(published)
        return [
            body
            for (body,) in published.query(f"SELECT DISTINCT body FROM figures_{self.dataset} WHERE {where}", *values)
        ]


def year_of(words: str) -> str:
    """The financial year that a heading means: April 2011 to March 2012."""
    if words == "Not in one year":
        return UNDATED
    match = re.fullmatch(r"April (\d{4}) to March (\d{4})", words)
    assert match is not None, words
    assert int(match[2]) == int(match[1]) + 1
    return f"{match[1]}-{int(match[2]) % 100:02}"


def label_of(key: str) -> str:
    """The financial year that a key means."""
    return key if key == UNDATED else Span.of(key).year


def dataset_named(published: Recomputed, title: str) -> str | None:
    """The dataset with a title."""
    return next((name for name in DATASETS if published.descriptor(name)["title"] == title), None)


def adds_over_years(published: Recomputed, dataset: str) -> bool:
    """Whether a line is in one year only: registers and snapshots say again what they said the year before."""
    rules = published.descriptor(dataset)["x_piperoll"]
    return not rules["snapshot"] and (not rules.get("restates") or bool(rules.get("row_period")))


def over_years(published: Recomputed, dataset: str, body: str | None = None) -> Scope:
    """What a dataset adds up to: over all years, or in the newest of each body if years do not add up."""
    if adds_over_years(published, dataset):
        return Scope(dataset, body=body)
    own = {slug: years for slug, years in published.counts[dataset].items() if body in (None, slug) and years}
    newest = {slug: max(years, key=lambda year: (year != UNDATED, year)) for slug, years in own.items()}
    return Scope(dataset, newest=[f"{slug} {year}" for slug, year in newest.items()])


def money(total: Total) -> list[Value]:
    return [] if total.pounds is None else [total.pounds]


def scope_of(page: Page, place: Place) -> Scope | None:
    """What the total at a place is about."""
    if page.key == "index.html":
        dataset = dataset_named(page.published, place.heading.split(":")[0])
        return over_years(page.published, dataset) if dataset else None
    pieces = page.key.removesuffix(".html").split("/")
    if pieces[0] == "datasets":
        return over_years(page.published, pieces[1])
    if pieces[0] == "compare" and len(pieces) == 3:
        return Scope(pieces[1], year=label_of(pieces[2]))
    if pieces[0] == "compare" and len(pieces) == 4:
        kind = re.sub(r"-(?:by-amount|months|services)\Z|-(?:by-amount|months|services)-\d+\Z", "", pieces[3])
        return Scope(pieces[1], year=label_of(pieces[2]), kind=KINDS.get(kind, kind))
    return None


# --- totals with what they leave out ------------------------------------------------------------------------------


@rule(HOME, "term", "lines")
def _lines(page: Page, place: Place) -> Sequence[Value]:
    return [sum(over_years(page.published, name).total(page.published).rows for name in DATASETS)]


@rule(HOME, "aside", "lines")
def _all_tables(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.published.tables)]


@rule(HOME, "term", "public bodies")
def _publishing(page: Page, place: Place) -> Sequence[Value]:
    return [len({table.body for table in page.published.tables.values()})]


@rule(HOME, "aside", "public bodies")
def _listed(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.published.bodies)]


@rule(HOME, "(?:term|aside)", "spending on suppliers")
@rule(HOME, "term", "spending on suppliers")
@rule(HOME, "aside", "spending on suppliers")
def _to_suppliers(page: Page, place: Place) -> Sequence[Value]:
    total = Scope("spend").total(page.published, "payee_class IN ('company', 'charity')")
    return [total.pounds] * len(place.figures) if total.pounds is not None else []


@rule(TOTALS, "sentence", r"[A-Z][a-z ]+: # lines?(?:, #)?|# lines?, .*")
def _total(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    total = scope.total(page.published)
    return [total.rows, *(money(total) if "£" in place.text else [])]


@rule(HOME, "sentence", r".*, # tables?\.")
def _tables(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    if (
        not scope.newest
        and scope.year is None
        and len({year for one in page.published.counts[scope.dataset].values() for year in one}) > 1
    ):
        return [len(page.published.of(scope.dataset))]
    return [scope.count(page.published, "series")]


@rule(TOTALS, "sentence", r"Left out: .*")
def _left_out(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    total, tables = scope.left_out(page.published)
    return [total.rows, *money(total), *([tables] if re.search(r"tables?\.\Z", place.text) else [])]


@rule(BODY, "sentence", r".*, left out: .*")
def _left_out_of_a_body(page: Page, place: Place) -> Sequence[Value] | None:
    title, _, rest = place.text.partition(", ")
    dataset, body = dataset_named(page.published, title), page.key.removeprefix("bodies/").removesuffix(".html")
    if dataset is None:
        return None
    total, tables = Scope(dataset, year=year_of(rest.partition(", left out: ")[0]), body=body).left_out(page.published)
    return [total.rows, *money(total), *([tables - 6] if re.search(r" and \d+ other tables?\.\Z", rest) else [])]


@rule(TOTALS, "sentence", r"Included without a date of their own: .*")
def _undated(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    total = scope.total(page.published, "undated")
    return [total.rows, *money(total)]


@rule(TOTALS, "sentence", r"Included, and also given apart: .*")
def _part(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    words = place.text.removeprefix("Included, and also given apart: ").rpartition(", ")[0] or place.text
    found = re.match(r"Included, and also given apart: (.*?), (?:-?£|\d)", place.text)
    words = found[1] if found else words
    return _of_part(page, scope, words)


def _of_part(page: Page, scope: Scope, words: str) -> list[Value]:
    """The pounds of a part, named in words; its rows if the dataset has no pounds."""
    titles = page.published.descriptor(scope.dataset)["x_piperoll"]["parts"]
    part = next(name for name in titles if part_title(page.published, scope.dataset, name) == words)
    total = scope.total(page.published, "table_part = $?", part)
    return money(total) or [total.rows]


@rule(TOTALS, "sentence", r"Not added up: the figures of # rows?.*")
def _overlapping(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    words = re.search(r"\((.*)\)", place.text)
    months = [int(one) for one in re.findall(r"(\d+) months?", words[1])] if words else []
    return [_count_overlapping(page.published, scope), *months]


def _count_overlapping(published: Recomputed, scope: Scope) -> int:
    """Rows whose own period shares a day with that of another row about the same thing, or leaves its year."""
    where, values = scope.where(published)
    sql = f"""
        WITH own AS (
            SELECT body, year, series, line,
                   TRY_CAST(period_start AS DATE) AS starts, TRY_CAST(period_end AS DATE) AS ends,
                   concat_ws('|', body, coalesce(nullif(service_id, ''), concat_ws('|', body_name, service_name)),
                             coalesce(channel, '')) AS thing
            FROM figures_{scope.dataset} WHERE {where}
        )
        SELECT count(*) FROM own WHERE starts IS NOT NULL AND ends IS NOT NULL AND (
            starts < make_date(left(year, 4)::INTEGER, 4, 1) OR EXISTS (
                SELECT 1 FROM own AS other WHERE other.thing = own.thing AND other.year = own.year
                AND (other.series, other.line) <> (own.series, own.line)
                AND other.starts <= own.ends AND own.starts <= other.ends
            )
        )
    """
    ((found,),) = published.query(sql, *values)
    return int(found)


@rule(TOTALS, "cell", "(?:paid|payees).*", "Rows|Pounds|Share", "In all|" + "|".join(GROUPS))
def _payees(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    whole = scope.total(page.published)
    total = whole
    if place.names[2] != "In all":
        total = scope.total(page.published, "list_contains($?, payee_class)", list(GROUPS[place.names[2]]))
    if place.names[1] == "Rows":
        return [total.rows]
    if place.names[1] == "Pounds":
        return money(total)
    return [percentage(total, whole)]


def percentage(part: Total, whole: Total) -> Decimal:
    """A share to one decimal place."""
    assert whole.pounds
    return ((part.pounds or Decimal(0)) * 100 / whole.pounds).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


# --- years --------------------------------------------------------------------------------------------------------


@rule(
    f"(?:{BODY}|{COMPARE}|{DATASET})",
    "cell",
    "years-.*|[a-z]+-caption",
    ANY,
    r"April \d{4} to March \d{4}|Not in one year",
)
def _years(page: Page, place: Place) -> Sequence[Value] | None:
    if not place.link.startswith("compare/"):
        return None
    name = place.link.split("/")[1]
    body = re.sub(r"(?:/.*)?\.html\Z", "", page.key.removeprefix("bodies/")) if page.key.startswith("bodies/") else None
    scope = Scope(name, year=year_of(place.names[2]), body=body)
    return _year_cell(page, place, scope)


def _year_cell(page: Page, place: Place, scope: Scope) -> Sequence[Value] | None:
    published, column = page.published, place.names[1]
    if column in GROUPS:
        return money(scope.total(published, "list_contains($?, payee_class)", list(GROUPS[column])))
    if column == "Rows":
        return [scope.total(published).rows]
    if column == "Undated":
        return [scope.total(published, "undated").rows]
    if column == "Bodies":
        return [len(scope.bodies(published))]
    if column == "Left out":
        total, _ = scope.left_out(published)
        return [total.rows, *money(total)] if total.rows else []
    if column == "Months covered":
        return [len(covered_months(published, scope)), 12]
    if column in ("Pounds", "Pounds in all"):
        parts = [
            value for words in re.findall(r"of which (.*?): ", place.text) for value in _of_part(page, scope, words)
        ]
        return [*money(scope.total(published)), *parts]
    return None


def covered_months(published: Recomputed, scope: Scope) -> list[str]:
    """The months of a body's year that a table of the whole month has a line in; of the main list, if there is one."""
    where, values = scope.where(published)
    lines = published.query(
        f"SELECT DISTINCT series, month FROM figures_{scope.dataset} WHERE {where} AND month IS NOT NULL", *values
    )
    every = {
        series
        for (series,) in published.query(f"SELECT DISTINCT series FROM figures_{scope.dataset} WHERE {where}", *values)
    }
    has_main = any(not published.tables[series].part for series in every)
    found = set()
    for series, month in lines:
        table, span = published.tables[series], Span.of(month)
        if (has_main and table.part) or span.year != scope.year:
            continue
        if table.span.start <= span.start and span.end <= table.span.end:
            found.add(month)
    return sorted(found)


def per_month(published: Recomputed, scope: Scope) -> Decimal | None:
    """The pounds of the covered months for each of them; None of fewer than three."""
    months = covered_months(published, scope)
    pounds = scope.total(published, "list_contains($?, month)", months).pounds
    if len(months) < 3 or pounds is None:
        return None
    return (pounds / len(months)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


# --- bodies side by side ------------------------------------------------------------------------------------------


@rule(
    f"(?:{YEAR}|{KIND})", "sentence", r"# rows?(?: of #)?(?: \(#\))?, from # bod(?:y|ies)\..*|# bod(?:y|ies), # rows?.*"
)
def _compared(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    total, bodies = scope.total(page.published), len(scope.bodies(page.published))
    if place.text.startswith(f"{total.rows:,} row"):
        rounded = money(total) if re.search(r"[mb]illion\)", place.text) else []
        return [total.rows, *money(total), *rounded, bodies]
    found = [bodies, total.rows, *money(total)]
    known = _known_per_month(page, scope)
    if "median" in place.text and known:
        found += [len(known), median(known)]
    elif "None has the" in place.text:
        found += [3 if not known else -1]
    return found


def _known_per_month(page: Page, scope: Scope) -> list[Decimal]:
    own = [per_month(page.published, Scope(scope.dataset, scope.year, body)) for body in scope.bodies(page.published)]
    return sorted(one for one in own if one is not None)


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle of some values, which are in order; of two, the mean to the penny."""
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return ((values[middle - 1] + values[middle]) / 2).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


@rule(YEAR, "cell", "kinds-caption", ANY, ANY)
def _kinds(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None or not place.link:
        return None
    kind = re.sub(r"\.html\Z", "", place.link.rsplit("/", 1)[1])
    own = Scope(scope.dataset, scope.year, kind=KINDS.get(kind, kind))
    if place.names[1].startswith("Median"):
        known = _known_per_month(page, own)
        return [median(known), len(known)] if known else []
    return _year_cell(page, place, own)


@rule(f"(?:{YEAR}|{KIND})", "cell", "compared-caption", ANY, ANY)
def _compared_body(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None or not place.link.startswith("bodies/"):
        return None
    own = Scope(scope.dataset, scope.year, body=place.link.removeprefix("bodies/").removesuffix(".html"))
    column = place.names[1]
    if "Service" in place.columns:
        return _service(page, place, own, place.line[place.columns.index("Service")])
    if column == "Pounds a month":
        value = per_month(page.published, own)
        months = covered_months(page.published, own)
        return [value] if value is not None else [len(months), 12]
    if column in GROUPS:
        whole = own.total(page.published)
        return [percentage(own.total(page.published, "list_contains($?, payee_class)", list(GROUPS[column])), whole)]
    if column == "Rows" and "overlapping" in place.text:
        both = f"{own.total(page.published).rows}{_count_overlapping(page.published, own)}"
        return (
            [int(both)]
            if len(place.figures) == 1
            else [own.total(page.published).rows, _count_overlapping(page.published, own)]
        )
    month = re.fullmatch(r"([A-Z][a-z]+)(?: (\d{4}))?", column)
    if month and any(name.startswith(month[1]) for name in MONTHS):
        return _month(page, own, month[1], month[2])
    return _year_cell(page, place, own)


def _month(page: Page, scope: Scope, name: str, year: str | None) -> list[Value]:
    number = next(n for n, one in enumerate(MONTHS, 1) if one.startswith(name))
    first = int((scope.year or "0")[:4])
    own = f"{int(year) if year else first + (number < 4)}-{number:02}"
    return money(scope.total(page.published, "month = $?", own))


def _service(page: Page, place: Place, scope: Scope, service: str) -> Sequence[Value] | None:
    """A service of a body: of the first field of the chart of services that at least half of its lines fill."""
    published = page.published
    column = place.names[1]
    if column == "Months covered":
        return [len(covered_months(published, scope)), 12]
    own = scope.total(published, f"{_service_field(published, scope)} = $?", service)
    if column == "Rows":
        return [own.rows]
    if column == "Pounds":
        return money(own)
    return [percentage(own, scope.total(published))]


def _service_field(published: Recomputed, scope: Scope) -> str:
    """The first field of the chart of services that half of the lines fill; else the fullest."""
    charts = published.catalogue(scope.dataset)["charts"]
    fields: list[str] = next(one["by"] for one in charts if one["name"] == "services")
    filled = {name: scope.total(published, f"coalesce({name}, '') <> ''").rows for name in fields}
    whole = scope.total(published).rows
    return next((name for name in fields if filled[name] * 2 >= whole), max(fields, key=lambda name: filled[name]))


@rule(KIND, "cell", "table-.*", ANY, ANY)
def _chart_of_bodies(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None or not place.link.startswith("bodies/"):
        return None
    own = Scope(scope.dataset, scope.year, body=place.link.removeprefix("bodies/").removesuffix(".html"))
    if place.names[1] == "Rows":
        return [own.total(page.published).rows]
    value = per_month(page.published, own)
    return [] if value is None else [value]


@rule(KIND, "sentence", r".*names that at least two bodies use, of the # services with the most pounds.*")
def _most_services(page: Page, place: Place) -> Sequence[Value]:
    return [60]


@rule(KIND, "sentence", r"Pounds a month by body\. Of the covered months of # bod(?:y|ies)\..*")
def _charted_bodies(page: Page, place: Place) -> Sequence[Value] | None:
    scope = scope_of(page, place)
    if scope is None:
        return None
    known, bodies = len(_known_per_month(page, scope)), len(scope.bodies(page.published))
    return [known, *([bodies - known] if "left out" in place.text else [])]


@rule(f"(?:{YEAR}|{KIND})", "sentence", "“Pounds (?:a month|per head)” is .*")
def _rules(page: Page, place: Place) -> Sequence[Value]:
    return [3] if "a month" in place.text.split("”")[0] else [12]


@rule(f"(?:{KIND}|{SUPPLIER}|{BODY})", "drawn", "chart-.*", ANY)
def _drawn(page: Page, place: Place) -> Sequence[Value] | None:
    """What a picture says is in its table; the highest of a scale is one of its figures."""
    cells = [
        one for one in page.places if one.kind == "cell" and one.names[0] == place.names[0].replace("chart", "table")
    ]
    values = {figure.value for cell in cells for figure in cell.figures} | {Decimal(0)}
    return [one.value for one in place.figures] if {one.value for one in place.figures} <= values else []
