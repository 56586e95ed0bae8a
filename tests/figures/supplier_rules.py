"""What proves the figures about suppliers: their pages, and the lists that lead to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.figures.compare_rules import ANY, SUPPLIER, Value, money, year_of
from tests.figures.proving import Page, rule
from tests.figures.published_tables import MONTHS, Total
from tests.figures.scanning import Place

SUPPLIERS = r"suppliers/(?:[^/]+|[^/]{1,3}/(?:index|\d+))\.html"


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


def _rows_of_tables(page: Page, text: str, key: str = "") -> list[Value]:
    """`August 2026: 8 rows of City of PlaceholderOctober 2026: 4 rows …`: each is a table with that many rows of it."""
    found: list[Value] = []
    counts = page.published.query(
        "SELECT series, count(*) FROM figures_spend WHERE supplier_key = $1 GROUP BY series, supplier_name, year",
        key or key_of(page),
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
    """The contracts that name a supplier in the latest year of each body's registers, with their value as it is now."""
    return page.published.query(
        "SELECT title, contract_ref, coalesce(CAST(nullif(current_value, '') AS DECIMAL(38, 10)), pounds) "
        "FROM figures_contracts AS lines WHERE supplier_key = $1 AND year = "
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
    key = _listed_key(page, place)
    total = page.published.sum_lines("spend", "supplier_key = $1", key)
    ((bodies,),) = page.published.query("SELECT count(DISTINCT body) FROM figures_spend WHERE supplier_key = $1", key)
    return {"Bodies": [bodies], "Rows": [total.rows], "Pounds": money(total)}[place.names[1]]


@rule(SUPPLIERS, "cell", "suppliers-caption", "Paid by|Latest rows|Supplier", ANY)
def _listed_whole(page: Page, place: Place) -> Sequence[Value] | None:
    key = _listed_key(page, place)
    if place.names[1] == "Supplier":
        return [one.value for one in place.figures] if key else []
    if place.names[1] == "Latest rows":
        return _rows_of_tables(page, place.text, key)
    bodies = page.published.query(
        "SELECT body FROM figures_spend WHERE supplier_key = $1 "
        "GROUP BY body ORDER BY coalesce(sum(pounds), 0) DESC, body",
        key,
    )
    found: list[Value] = []
    for (body,) in bodies:
        of_body = "supplier_key = $1 AND body = $2"
        months = page.published.query(
            f"SELECT DISTINCT coalesce(month, '') FROM figures_spend WHERE {of_body} ORDER BY 1", key, body
        )
        if len(bodies) > 1:
            total = page.published.sum_lines("spend", of_body, key, body)
            found += [*money(total), total.rows]
        for (month,) in months if len(bodies) > 1 or len(months) > 1 else ():
            of_month = f"{of_body} AND coalesce(month, '') = $3"
            found += money(page.published.sum_lines("spend", of_month, key, body, month))
    return found


def _listed_key(page: Page, place: Place) -> str:
    """The key of a supplier in a list: that of its page, or, if its line shows it whole, of those with its name."""
    if place.link.startswith("suppliers/"):
        return place.link.removesuffix(".html").split("/")[2]
    spelled = "trim(regexp_replace(supplier_name, '\\s+', ' ', 'g'))"
    name = place.names[2].split(" also written ")[0]
    keys = page.published.query(f"SELECT DISTINCT supplier_key FROM figures_spend WHERE {spelled} = $1", name)
    return str(keys[0][0]) if keys else ""


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
