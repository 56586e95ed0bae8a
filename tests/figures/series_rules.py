"""What proves the figures on the pages of series, versions and received files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.figures.proving import Page, figures_of, rule
from tests.figures.published_tables import MONTHS, Group
from tests.figures.scanning import Place

SERIES = r"series/(?!.*/v\d+(?:\.html|/)).*"
VERSION = r"series/.*/v\d+\.html"
REPORT = r"reports/.*"
FILE = f"(?:{SERIES}|{REPORT})"
ANY = ".*"

Value = Decimal | int


# --- a series -----------------------------------------------------------------------------------------------------


@rule(SERIES, "term", "rows published")
def _rows(page: Page, place: Place) -> Sequence[Value]:
    return [page.published.total_of(page.table).rows]


@rule(SERIES, "aside", "rows published")
def _rows_held(page: Page, place: Place) -> Sequence[Value]:
    return [page.table.held]


@rule(SERIES, "term", "pounds published")
def _pounds(page: Page, place: Place) -> Sequence[Value]:
    pounds = page.published.total_of(page.table).pounds
    return [] if pounds is None else [pounds]


@rule(SERIES, "term", r"version \(of #\)")
def _version(page: Page, place: Place) -> Sequence[Value]:
    return [page.history["current"]]


@rule(SERIES, "term", r"Schema")
def _schema(page: Page, place: Place) -> Sequence[Value]:
    return figures_of(page.published.manifest(page.table)["dataset_version"])


@rule(SERIES, "caption", "# fields?, in the order of the file")
def _fields(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.published.fields_of(page.table))]


@rule(SERIES, "sentence", r"(?:Charts cover the|Sort, filter and page through all) # (?:published )?rows?\b.*")
def _charted(page: Page, place: Place) -> Sequence[Value]:
    held = [page.table.held] if "held back" in place.text else []
    return [page.published.total_of(page.table).rows, *held]


@rule(SERIES, "caption", r"(?:The first # of # rows|All # rows|The one row)\. Not shown: # columns? .*")
def _shown(page: Page, place: Place) -> Sequence[Value]:
    whole = page.published.total_of(page.table).rows
    shown = len({other.names[2] for other in page.places if other.names[0] == "rows-caption"}) and _preview_rows(page)
    hidden = len(page.published.fields_of(page.table)) - _preview_columns(page)
    return [*([shown] if place.text.startswith("The first") else []), whole, hidden]


def _preview_columns(page: Page) -> int:
    return len(next(one.columns for one in page.places if one.kind == "cell" and one.names[0] == "rows-caption"))


def _preview_rows(page: Page) -> int:
    return min(10, page.published.total_of(page.table).rows)


FILES = {
    "the table, for spreadsheets": "{dataset}.csv",
    "the table with its types": "{dataset}.parquet",
    "what the table holds": "datapackage.json",
    "what was found in the file": "report.json",
    "what this version is": "manifest.json",
}


@rule(SERIES, "sentence", r"@ # – .*|@ # bytes? – .*|.*\b@ # – .*")
def _size(page: Page, place: Place) -> Sequence[Value]:
    purpose = place.text.partition("–")[2].strip()
    name = next((file for words, file in FILES.items() if purpose.startswith(words)), None)
    path = page.table.folder / (name or "manifest.json").format(dataset=page.table.dataset)
    return [path.stat().st_size] * len(place.figures)


@rule(SERIES, "description", r".*: # rows?(?:, #)?(?:, # rows? held back)?\. Version # published on @.*")
def _description(page: Page, place: Place) -> Sequence[Value]:
    total = page.published.total_of(page.table)
    pounds = [] if total.pounds is None or "£" not in place.text else [total.pounds]
    held = [page.table.held] if "held back" in place.text else []
    return [total.rows, *pounds, *held, page.history["current"]]


@rule(SERIES, "caption", "# fields? that holds? something, in the order of the file")
@rule(SERIES, "sentence", r"Empty in this version \(#\)")
def _filled(page: Page, place: Place) -> Sequence[Value]:
    names = [one["name"] for one in page.published.fields_of(page.table)]
    filled = sum(any(page.published.cells_of(page.table, name)) for name in names)
    return [filled if place.kind == "caption" else len(names) - filled]


@rule(SERIES, "cell", "fields-caption", "Filled in", ANY)
def _filled_in(page: Page, place: Place) -> Sequence[Value] | None:
    """In how many rows a field holds something."""
    meaning = place.line[place.columns.index("Meaning")]
    field = max(
        (one for one in page.published.fields_of(page.table) if f"{meaning}.".startswith(f"{one['title']}.")),
        key=lambda one: len(one["title"]),
    )
    cells = page.published.cells_of(page.table, field["name"])
    filled, whole = sum(cell != "" for cell in cells), len(cells)
    if place.text.count("%"):
        return [filled, whole, Decimal(100 * filled) / whole][-len(place.figures) :]
    return [filled, whole][: len(place.figures)]


@rule(SERIES, "sentence", r"Not drawn: .*")
def _not_drawn(page: Page, place: Place) -> Sequence[Value]:
    """What a picture leaves out is in its table: a line of several values, or of none."""
    cells = [one for one in page.places if one.kind == "cell" and one.heading == place.heading]
    known = {figure.value for one in cells for figure in one.figures}
    return [one.value for one in place.figures] if {one.value for one in place.figures} <= known else []


@rule(SERIES, "cell", "rows-caption", ANY)
def _preview(page: Page, place: Place) -> Sequence[Value] | None:
    """A cell of the first rows: it stands in this column of the CSV."""
    cells = page.published.cells_of(page.table, _field_of(page, place.names[1]), most=10)
    texts = {re.sub(r"\s+", " ", cell).strip() for cell in cells}
    shown = place.text.replace("£", "").replace(",", "")
    numbers = {f"{Decimal(cell):f}" for cell in cells if re.fullmatch(r"-?\d+(\.\d+)?", cell)}
    known = place.text in texts or (
        re.fullmatch(r"-?\d+(\.\d+)?", shown) and any(Decimal(shown) == Decimal(number) for number in numbers)
    )
    return [one.value for one in place.figures] if known else []


def _field_of(page: Page, heading: str) -> str:
    """The name of the field that a heading of a page names, by its name or its title."""
    fields = page.published.fields_of(page.table)
    bare = re.sub(r"\s*\((?:£|GBP)\)", "", heading).strip()
    for one in fields:
        if bare in (one["name"], one["title"]) or heading in (one["name"], one["title"]):
            return str(one["name"])
    raise LookupError(f"no field of {page.series} is called {heading!r}")


# --- charts -------------------------------------------------------------------------------------------------------


@rule(SERIES, "cell", "table-(?!\\d).*", ANY, ANY)
def _chart(page: Page, place: Place) -> Sequence[Value] | None:
    """A figure in the table of a chart: the sum, count or mean of the rows that its line means."""
    if place.names[1] == place.columns[0]:  # the label: a value of the field, or a number of others
        labels = page.published.cells_of(page.table, _field_of(page, place.columns[0]))
        if place.names[2] in {re.sub(r"\s+", " ", label).strip() for label in labels}:
            return [one.value for one in place.figures]
        if re.fullmatch(r"All [\d,]+ others?", place.names[2]):
            shown = {_thing(page, place, label) for label in _chart_labels(page, place)}
            return [len({_thing(page, place, label) for label in labels if label} - shown)]
        return [one.value for one in place.figures] if _days_of(place.names[2]) else []
    kind, of, weight = _measure_of(page, place)
    groups = page.published.groups_of(page.table, _field_of(page, place.columns[0]), of, weight)
    return _measure([group for text, group in groups.items() if _means(page, place, text)], kind)


def _measure(groups: Sequence[Group], kind: str) -> Sequence[Value]:
    rows = sum(group.rows for group in groups)
    if kind == "count":
        return [rows]
    if rows and not any(group.filled for group in groups):
        return []
    total = sum((group.total for group in groups), Decimal(0))
    if kind == "sum" or sum(group.filled for group in groups) == 1:
        return [total]
    pairs = [pair for group in groups for pair in group.pairs]
    weight = sum((heavy for _, heavy in pairs), Decimal(0))
    mean = sum((one * heavy for one, heavy in pairs), Decimal(0)) / weight
    return [mean.quantize(Decimal("0.01"), ROUND_HALF_EVEN)]


def _chart_labels(page: Page, place: Place) -> list[str]:
    """The labels of the chart's lines, other than those of several values."""
    if place.names[0] in page.labels:
        return page.labels[place.names[0]]
    found = {other.names[2] for other in page.places if other.kind == "cell" and other.names[0] == place.names[0]}
    page.labels[place.names[0]] = [
        one for one in found if not re.fullmatch(r"All [\d,]+ others?|Not said|No date", one)
    ]
    return page.labels[place.names[0]]


def _measure_of(page: Page, place: Place) -> tuple[str, str, str]:
    """How the column of a chart's table is measured: `count`, `sum` or `mean`, of which field, weighted by which."""
    heading = place.names[1]
    if heading == "Rows":
        return ("count", "", "")
    if heading == "Pounds":
        charts = {one["name"]: one for one in page.published.catalogue(page.table.dataset)["charts"]}
        of = charts[place.names[0].removeprefix("table-")]["of"]
        return ("sum", next(name for name in of if any(page.published.cells_of(page.table, name))), "")
    if heading.endswith(", mean"):
        return ("mean", _field_of(page, heading.removesuffix(", mean")), "completed")
    return ("sum", _field_of(page, heading), "")


def _means(page: Page, place: Place, text: str) -> bool:
    """Whether the line of a chart's table means the lines with this text."""
    label = place.names[2]
    if label in ("Not said", "No date"):
        return not text
    if re.fullmatch(r"All [\d,]+ others?", label):
        shown = {_thing(page, place, label) for label in _chart_labels(page, place)}
        return bool(text) and _thing(page, place, text) not in shown
    if days := _days_of(label):
        return bool(text) and days[0] <= text <= days[1]
    return bool(text) and _thing(page, place, text) == _thing(page, place, label)


def _thing(page: Page, place: Place, text: str) -> str:
    """What a text means: a supplier is the same in all of its spellings, any other text is only itself."""
    squeezed = re.sub(r"\s+", " ", text).strip()
    if page.table.dataset != "spend" or _field_of(page, place.columns[0]) != "supplier_name":
        return squeezed
    key = page.published.keys_of_spellings.get(squeezed)
    return squeezed if key is None else f"key {key}"


def _days_of(label: str) -> tuple[str, str] | None:
    """The first and last day that a label of time means."""
    names = "|".join(MONTHS)
    if match := re.fullmatch(rf"(Before |After )?(\d\d?) ({names}) (\d{{4}})", label):
        day = f"{int(match[4]):04}-{MONTHS.index(match[3]) + 1:02}-{int(match[2]):02}"
        ends = {"Before ": ("0001-01-01", _shift(day, -1)), "After ": (_shift(day, 1), "9999-12-31")}
        return ends.get(match[1] or "", (day, day))
    if match := re.fullmatch(rf"({names}) (\d{{4}})", label):
        return _months(int(match[2]), MONTHS.index(match[1]) + 1, MONTHS.index(match[1]) + 1)
    if match := re.fullmatch(r"([A-Z][a-z]{2}) to ([A-Z][a-z]{2}) (\d{4})", label):
        short = [name[:3] for name in MONTHS]
        return _months(int(match[3]), short.index(match[1]) + 1, short.index(match[2]) + 1)
    if re.fullmatch(r"\d{4}", label):
        return _months(int(label), 1, 12)
    return None


def _months(year: int, first: int, last: int) -> tuple[str, str]:
    after = f"{year + last // 12:04}-{last % 12 + 1:02}-01"
    return f"{year:04}-{first:02}-01", _shift(after, -1)


def _shift(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


@rule(SERIES, "drawn", "chart-.*", ANY)
def _drawn(page: Page, place: Place) -> Sequence[Value] | None:
    """What a picture says is in its table, with the same label; the highest of a scale is the largest of them."""
    name = place.names[0].replace("chart-", "table-")
    cells = [one for one in page.places if one.kind == "cell" and one.names[0] == name]
    label, _, figure = place.text.rpartition(": ")
    told = figures_of(figure)
    for cell in cells:
        if cell.names[2] == label and [one.value for one in cell.figures] == told:
            return [one.value for one in place.figures]
    values = [value.value for cell in cells for value in cell.figures]
    alone = [one.value for one in place.figures]
    labels = {cell.names[2] for cell in cells}
    cut = place.text.rstrip("…").rstrip()
    if any(one == place.text or one.startswith(cut) for one in labels):
        return alone
    amounts = [value.value for cell in cells if cell.names[1] != "Rows" for value in cell.figures]
    is_top_of_credits = alone == [0] and max(amounts, default=0) <= 0
    return alone if is_top_of_credits or (len(alone) == 1 and alone[0] in values) else []


@rule(SERIES, "sentence", r".* by .*\. Covers # of # rows: the periods of # rows? overlap .* are not added\.")
def _coverage_of_row_periods(page: Page, place: Place) -> Sequence[Value] | None:
    """How many rows a sum covers: those about a thing none of whose other rows shares a day with them."""
    measured, by = re.fullmatch(r"(.*) by (.*?)\. Covers .*", place.text, re.DOTALL).groups()  # type: ignore[union-attr]
    fields = {one["title"].lower(): one["name"] for one in page.published.fields_of(page.table)}
    of, where = fields[measured.lower()], fields[by.lower()]
    thing = "CASE WHEN service_id <> '' THEN service_id ELSE concat(body_name, '/', service_name) END, channel"
    sql = (
        f"WITH own AS (SELECT *, ({thing}) AS thing FROM transactions WHERE series = $1), marked AS (SELECT *, "
        "EXISTS (SELECT 1 FROM own AS other WHERE other.thing = own.thing AND other.line <> own.line AND "
        "other.period_start <= own.period_end AND own.period_start <= other.period_end) AS rolling FROM own) "
        f"SELECT count(*) FILTER (WHERE NOT rolling AND coalesce({of}, '') <> '' AND coalesce({where}, '') <> ''), "
        "count(*), count(*) FILTER (WHERE rolling) FROM marked"
    )
    return list(page.published.query(sql, page.series)[0])


@rule(SERIES, "sentence", r".* by .*\. (?:Covers (?:all # rows|the one row)|# of # rows? have both)\.")
def _coverage(page: Page, place: Place) -> Sequence[Value] | None:
    """How many rows a chart covers: those that have both the field grouped by and the field measured."""
    measured, by = re.fullmatch(r"(.*) by (.*?)\. (?:Covers|[\d,]+ of).*", place.text, re.DOTALL).groups()  # type: ignore[union-attr]
    fields = {one["title"].lower(): one["name"] for one in page.published.fields_of(page.table)}
    where = [fields[by.lower()]]
    if measured != "Rows":
        where.append(fields[measured.removesuffix(", mean").lower()])
    condition = " AND ".join(f"coalesce({name}, '') <> ''" for name in where)
    sql = f"SELECT count(*) FROM {page.table.dataset} WHERE series = $1 AND {condition}"
    both = [count for (count,) in page.published.query(sql, page.series)]
    whole = page.published.total_of(page.table).rows
    return [whole] if "Covers" in place.text else [*both, whole]


# --- versions -----------------------------------------------------------------------------------------------------


def _version_of(page: Page, number: int) -> dict[str, Any]:
    return next(one for one in page.history["versions"] if one["version"] == number)


@rule(SERIES, "cell", "versions-caption", "(?:Version|Rows|Pounds)", r"Version \d+")
def _versions(page: Page, place: Place) -> Sequence[Value]:
    number = int(place.names[2].removeprefix("Version "))
    version = _version_of(page, number)
    if place.names[1] == "Version":
        return [version["version"]]
    rows, pounds = page.published.version_total(page.series, version)
    return [rows] if place.names[1] == "Rows" else [pounds] if pounds is not None else []


@rule(SERIES, "cell", "versions-caption", "Why", r"Version \d+")
def _why(page: Page, place: Place) -> Sequence[Value] | None:
    number = int(place.names[2].removeprefix("Version "))
    return _change_figures(page, _version_of(page, number), place.text)


def _change_figures(page: Page, version: dict[str, Any], text: str) -> Sequence[Value] | None:
    """The figures of a sentence about what a version changed are those of the differences of the two CSVs."""
    if not version.get("changes"):
        return None
    found = page.published.differences(page.series, version)
    told: list[Value] = []
    for name in ("added", "removed", "changed"):
        rows, pounds = found[name]
        told += [rows, *([pounds] if pounds is not None else [])]
    figures = figures_of(text)
    return (
        figures if all(one in told or -one in told or one == version["changes"]["against"] for one in figures) else []
    )


@rule(VERSION, "term", "Rows|Pounds")
def _version_figures(page: Page, place: Place) -> Sequence[Value]:
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    version = _version_of(page, number)
    rows, pounds = page.published.version_total(page.series, version)
    own = rows if place.names[0] == "Rows" else pounds
    before = version["supersedes"]
    if before is None or "against" not in place.text:
        return [] if own is None else [own]
    rows_before, pounds_before = page.published.version_total(page.series, _version_of(page, before))
    other = rows_before if place.names[0] == "Rows" else pounds_before
    if own is None or other is None:
        return []
    change = [] if own == other else [own - other]
    return [own, *change, before]


@rule(VERSION, "term", "Replaces")
def _replaces(page: Page, place: Place) -> Sequence[Value]:
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    return [_version_of(page, number)["supersedes"]]


@rule(VERSION, "cell", "changes-caption", "Rows|Pounds", "Added|Removed|Corrected")
def _changes(page: Page, place: Place) -> Sequence[Value]:
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    name = {"Added": "added", "Removed": "removed", "Corrected": "changed"}[place.names[2]]
    rows, pounds = page.published.differences(page.series, _version_of(page, number))[name]
    return [rows] if place.names[1] == "Rows" else [] if pounds is None else [pounds]


@rule(VERSION, "caption", "What changed against version #")
def _against(page: Page, place: Place) -> Sequence[Value]:
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    return [_version_of(page, number)["supersedes"]]


@rule(VERSION, "term", "What it changed")
@rule(VERSION, "sentence", "Of the rows that were corrected, .*")
def _changed(page: Page, place: Place) -> Sequence[Value] | None:
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    version = _version_of(page, number)
    if place.kind == "sentence":
        return list(page.published.differences(page.series, version)["fields"].values())
    sentence, _, link = place.text.partition("The rows that differ")
    changed = _change_figures(page, version, sentence)
    size = [version["changes"]["file"]["bytes"]] if link else []
    return None if changed is None else [*changed, *size]


@rule(VERSION, "sentence", ANY)
@rule(VERSION, "page title", ANY)
@rule(VERSION, "description", ANY)
def _number(page: Page, place: Place) -> Sequence[Value] | None:
    """Sentences that name the version."""
    number = int(re.search(r"/v(\d+)\.html", page.key)[1])  # type: ignore[index]
    if re.search(r"[Vv]ersion [\d,]+", place.text):
        numbers = {one["version"] for one in page.history["versions"]}
        figures = [one.value for one in place.figures]
        return figures if number in figures or set(figures) <= numbers else None
    return None


# --- what was found in a file -------------------------------------------------------------------------------------


@rule(FILE, "cell", r"table-\d+", "Read|Can be published|Held back", "Rows|Pounds.*")
def _report_rows(page: Page, place: Place) -> Sequence[Value]:
    """What was read is in the report; what is published of a current version is what its CSV holds."""
    table = page.report["tables"][int(place.names[0].removeprefix("table-")) - 1]
    column = {"Read": "read", "Can be published": "accepted", "Held back": "held"}[place.names[1]]
    if place.names[2] == "Rows":
        return [table["rows"][column]]
    unreadable = [table["amount"]["held_unreadable"]] if column == "held" and table["amount"]["held_unreadable"] else []
    return [Decimal(table["amount"][column]), *unreadable]


@rule(FILE, "caption", r".*Left out because they are not records: .*")
def _left_out(page: Page, place: Place) -> Sequence[Value]:
    table = next(
        one
        for one in page.report["tables"]
        if one["sheet"] is None or re.sub(r"\s+", " ", one["sheet"]) in place.text or len(page.report["tables"]) == 1
    )
    excluded = [count for count in table["rows"]["excluded"].values() if count]
    return [*([table["header_row"]] if "headings in row" in place.text else []), *excluded]


@rule(FILE, "sentence", r"(?:All of it|# of # rows) can be published.*|.*could not be read and # (?:is|are) missing.*")
def _verdict(page: Page, place: Place) -> Sequence[Value] | None:
    rows = {name: sum(one["rows"][name] for one in page.report["tables"]) for name in ("read", "accepted", "held")}
    if place.text.startswith("All of it"):
        return [rows["accepted"]]
    if "rows can be published" in place.text:
        return [rows["accepted"], rows["read"], rows["held"]]
    figures = [one.value for one in place.figures]
    known = {
        one[key]
        for table in page.report["tables"]
        for one in (table["amount"], table["date"])
        if one
        for key in ("unreadable", "missing")
    }
    return figures if set(figures) <= known else []


@rule(FILE, "sentence", r"(?:Must fix|Rows held back until you act|Should fix|For us to look at|Good to know) \(.*\)")
def _counts(page: Page, place: Place) -> Sequence[Value] | None:
    """The kinds and places of all sections together are those of the report's findings."""
    sections = [
        one for one in page.places if one.kind == "sentence" and re.search(r"\(# kinds?, # places?\)", one.names[-1])
    ]
    kinds, places = (sum(int(one.figures[at].value) for one in sections) for at in (0, 1))
    findings = page.report["findings"]
    own = page.report["counts"]
    assert sum(one["count"] for one in findings) == own["places"]
    return [one.value for one in place.figures] if (kinds, places) == (own["kinds"], own["places"]) else [kinds, places]


@rule(FILE, "sentence", r"Passed \(#\)")
def _passed(page: Page, place: Place) -> Sequence[Value]:
    return [len(page.report["passed"])]


@rule(FILE, "sentence", r"and # more places?")
def _more(page: Page, place: Place) -> Sequence[Value] | None:
    counts = [one["count"] for one in page.report["findings"]]
    return [one.value for one in place.figures] if place.figures[0].value <= sum(counts) else []


@rule(FILE, "sentence", r"Rows? #.*|.* – and # more places?")
def _address(page: Page, place: Place) -> Sequence[Value] | None:
    rows = {one.get("row") for one in page.report["findings"]} | {
        row for one in page.report["findings"] for row in one.get("rows") or []
    }
    return [one.value for one in place.figures] if place.figures[0].value in rows else None


@rule(FILE, "sentence", r"File as received: .*")
@rule(REPORT, "term", "Size")
def _received(page: Page, place: Place) -> Sequence[Value]:
    return [page.report["bytes"]]
