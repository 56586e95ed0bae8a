"""What proves the figures that add tables up: the first page, years, comparisons of bodies, and suppliers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.figures.proving import Page, rule
from tests.figures.recomputing import DATASETS, MONTHS, UNDATED, Recomputed, Span, Total
from tests.figures.scanning import Place
from tests.figures.site_rules import BODY, DATASET, part_title

Value = Decimal | int

HOME = r"index\.html"
COMPARE = r"compare/index\.html"
YEAR = r"compare/[a-z]+/[^/]+\.html"
KIND = r"compare/[a-z]+/[^/]+/[^/]+\.html"
SUPPLIER = r"suppliers/[^/]{1,3}/(?!index|\d+\.).*\.html"
SUPPLIERS = r"suppliers/(?:[^/]+|[^/]{1,3}/(?:index|\d+))\.html"
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

    def __init__(self, dataset: str, year: str | None = None, body: str | None = None, kind: str | None = None) -> None:
        self.dataset, self.year, self.body, self.kind = dataset, year, body, kind

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
    """What a dataset adds up to: over all years, or in the latest if years do not add up."""
    if adds_over_years(published, dataset):
        return Scope(dataset, body=body)
    return Scope(dataset, year=max(label for years in published.counts[dataset].values() for label in years), body=body)


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
    if scope.year is None and len({year for one in page.published.counts[scope.dataset].values() for year in one}) > 1:
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
    if "median" in place.text:
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


# --- suppliers ----------------------------------------------------------------------------------------------------


def key_of(page: Page) -> str:
    return page.key.removesuffix(".html").split("/")[2]


def paid(page: Page, more: str = "true", *values: Any) -> Total:
    for number, _ in enumerate(values, 2):
        more = more.replace("$?", f"${number}", 1)
    return page.published.sum_lines("spend", f"supplier_key = $1 AND {more}", key_of(page), *values)


@rule(SUPPLIER, "sentence", r"# public bod(?:y|ies) paid it .*")
def _paid(page: Page, place: Place) -> Sequence[Value]:
    total = paid(page)
    ((bodies,),) = page.published.query(
        "SELECT count(DISTINCT body) FROM figures_spend WHERE supplier_key = $1", key_of(page)
    )
    rounded = money(total) if re.search(r"[mb]illion\)", place.text) else []
    return [bodies, *money(total), *rounded, total.rows]


@rule(SUPPLIER, "sentence", r"No published payment names it; # contracts? (?:does|do)\.")
def _only_contracts(page: Page, place: Place) -> Sequence[Value]:
    return [len(_contracts(page))]


@rule(SUPPLIER, "sentence", r"In no month: .*")
def _no_month(page: Page, place: Place) -> Sequence[Value]:
    total = paid(page, "month IS NULL")
    return [total.rows, *money(total)]


@rule(SUPPLIER, "cell", "paid-caption", ANY, ANY)
def _payers(page: Page, place: Place) -> Sequence[Value] | None:
    column, where, values = place.names[1], "true", []
    if place.names[2] != "All bodies":
        where, values = "body = $?", [place.link.removeprefix("bodies/").removesuffix(".html")]
    if column == "Rows":
        return [paid(page, where, *values).rows]
    if column == "In all":
        return money(paid(page, where, *values))
    if column == "Latest rows":
        return _rows_of_tables(page, place.text)
    return money(paid(page, f"{where} AND year = $?", *values, year_of(column)))


def _rows_of_tables(page: Page, text: str) -> list[Value]:
    """`August 2026: 8 rows of City of PlaceholderOctober 2026: 4 rows …`: each is a table with that many rows of it."""
    found: list[Value] = []
    counts = page.published.query(
        "SELECT series, count(*) FROM figures_spend WHERE supplier_key = $1 GROUP BY series, supplier_name, year",
        key_of(page),
    )
    known = {(page.published.tables[series].span.words, rows) for series, rows in counts}
    for words, rows in re.findall(
        r"((?:[A-Z][a-z]+ (?:\d{4} )?to )?[A-Z][a-z]+ \d{4})(?: \([^)]*\))?: ([\d,]+) rows?", text
    ):
        assert (words, int(rows.replace(",", ""))) in known, (page.key, words, rows)
        found.append(int(rows.replace(",", "")))
    return found


@rule(SUPPLIER, "cell", "table-months", ANY, ANY)
def _by_month(page: Page, place: Place) -> Sequence[Value] | None:
    match = re.fullmatch(r"([A-Z][a-z]+) (\d{4})", place.names[2])
    if match is None:
        return None
    total = paid(page, "month = $?", f"{match[2]}-{MONTHS.index(match[1]) + 1:02}")
    return [total.rows] if place.names[1] == "Rows" else [total.pounds or Decimal(0)]


@rule(SUPPLIER, "sentence", r"Amount by month\. Covers (?:all # rows|the latest # months: # of # rows?)\.")
def _months_covered(page: Page, place: Place) -> Sequence[Value]:
    whole = paid(page, "month IS NOT NULL").rows
    if "latest" not in place.text:
        return [whole]
    last = page.published.query("SELECT max(month) FROM figures_spend WHERE supplier_key = $1", key_of(page))[0][0]
    first = f"{int(last[:4]) - 2}-{last[5:]}"
    return [24, paid(page, "month > $?", first).rows, whole]


def _contracts(page: Page) -> list[tuple[Any, ...]]:
    """The contracts that name a supplier in the latest year of each body's registers."""
    return page.published.query(
        "SELECT title, contract_ref, pounds FROM figures_contracts AS lines WHERE supplier_key = $1 AND year = "
        "(SELECT max(year) FROM figures_contracts AS other WHERE other.body = lines.body)",
        key_of(page),
    )


@rule(SUPPLIER, "cell", "contracts-caption", "Contract|Value", ANY)
def _contract(page: Page, place: Place) -> Sequence[Value] | None:
    figures = [one.value for one in place.figures]
    known = _contracts(page)
    if place.names[1] == "Value":
        return figures if figures[0] in {pounds for _, _, pounds in known} else []
    return figures if place.text in {f"{title} {reference}".strip() for title, reference, _ in known} else []


@rule(SUPPLIER, "caption", r"# spellings? with the number of rows.*")
def _spellings(page: Page, place: Place) -> Sequence[Value]:
    return [len(_names(page))]


@rule(SUPPLIER, "cell", "spellings-caption", ANY, ANY)
def _spelling(page: Page, place: Place) -> Sequence[Value] | None:
    if place.names[1] != "Rows":
        return [one.value for one in place.figures] if place.names[2] in _names(page) else []
    return [_names(page)[place.names[2]]]


def _names(page: Page) -> dict[str, int]:
    found: dict[str, int] = {}
    for dataset in ("spend", "contracts"):
        for name, rows in page.published.query(
            f"SELECT trim(regexp_replace(supplier_name, '\\s+', ' ', 'g')), count(*) FROM figures_{dataset} AS lines "
            "WHERE supplier_key = $1 "
            + (
                ""
                if dataset == "spend"
                else "AND year = (SELECT max(year) FROM figures_contracts AS other WHERE other.body = lines.body) "
            )
            + "GROUP BY 1",
            key_of(page),
        ):
            found[name] = found.get(name, 0) + rows
    return found


@rule(SUPPLIERS, "cell", "largest-caption|suppliers-caption|list-caption", "Bodies|Rows|Pounds", ANY)
def _listed_supplier(page: Page, place: Place) -> Sequence[Value] | None:
    key = place.link.removesuffix(".html").split("/")[2]
    total = page.published.sum_lines("spend", "supplier_key = $1", key)
    ((bodies,),) = page.published.query("SELECT count(DISTINCT body) FROM figures_spend WHERE supplier_key = $1", key)
    return {"Bodies": [bodies], "Rows": [total.rows], "Pounds": money(total)}[place.names[1]]


@rule(SUPPLIERS, "sentence", r"A name has a page if # or more .*|A public body, .* if it is paid # or more.*")
def _least(page: Page, place: Place) -> Sequence[Value]:
    return [2] if place.text.startswith("A name") else [25_000]


@rule(SUPPLIERS, "sentence", r".*# suppliers?.*")
def _letters(page: Page, place: Place) -> Sequence[Value] | None:
    letters = re.match(r"(\w+)(?:…|:)", place.text)
    if letters is None:
        return None
    pages = (page.published.store / "catalogue" / "suppliers").glob("*/*.html")
    start = letters[1].lower()
    return [sum(path.stem.startswith(start) and not re.fullmatch(r"index|\d+|page-\d+", path.stem) for path in pages)]


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
