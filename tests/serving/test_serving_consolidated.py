"""The API over consolidated years: a line belongs to its own date, counts once, and every answer says what it lacks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.limits import ApiLimits
from piperoll.model import Series
from publishers import FolderStore, mark_withdrawn
from publishers.consolidated import list_consolidated_years, read_consolidated_year
from tests.serving.published_place import (
    Row,
    Served,
    consolidate,
    published,
    released,
    row,
    serving,
    source_of,
)


def payment(number: int, day: str | None, **more: str) -> dict[str, str]:
    own = {"supplier_name": f"Supplier {number % 3} Ltd", "transaction_number": f"T{number}", **more}
    return row(number, **own) if day is None else row(number, payment_date=day, **own)


LONG = [payment(n, f"20{21 + n // 12}-{n % 12 + 1:02}-15") for n in range(3, 31)]
"""April 2021 to July 2023, one payment a month."""
WITHOUT = [payment(40, None), payment(41, None, supplier_name="Birch (North) plc")]
MAY = [payment(n, "2021-05-20") for n in (50, 51)]
TABLES: dict[str, list[dict[str, str]]] = {
    "spend/longtown/2021-04--2023-07": [*LONG, *WITHOUT],
    "spend/longtown/2021-05": [*MAY, LONG[1]],
    "spend/longtown/2022-06": [payment(60, None), payment(61, "2022-06-30", supplier_name="BIRCH (NORTH) LIMITED")],
    "spend/longtown/2022-06--card": [payment(70, "2022-06-02", card="Purchase card")],
    "spend/otherby/2022-Q2": [payment(80, "2022-04-02"), payment(81, "2022-07-01")],
}


def publish_tables(store: FolderStore, scratch: Path, tables: dict[str, list[dict[str, str]]]) -> None:
    for number, (series, rows) in enumerate(tables.items()):
        now = f"2024-01-{number + 1:02}T09:00:00Z"
        published(store, released(scratch, series, rows, source=source_of(series)), now)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years")
    publish_tables(FolderStore(folder / "store"), folder, TABLES)
    consolidate(FolderStore(folder / "store"), folder)
    return folder / "store"


@pytest.fixture(scope="module")
def years(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(str(place), tmp_path_factory.mktemp("cache")) as served:
        yield served


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over the same releases, of which no catalogue was ever built."""
    folder = tmp_path_factory.mktemp("raw")
    publish_tables(FolderStore(folder / "store"), folder, TABLES)
    with serving(str(folder / "store"), folder / "cache") as served:
        yield served


def numbers(rows: list[dict[str, object]]) -> set[int]:
    return {int(str(one["line_id"]).removeprefix("line-")) for one in rows}


def pounds(rows: list[Row]) -> Decimal:
    return sum((Decimal(one["net_amount"]) for one in rows), Decimal(0))


def test_a_table_of_several_years_is_spread_over_them(years: Served) -> None:
    """A table of five years stood whole in the year in which it begins, and in no year of the API."""
    for year, first, last in (("2021-22", 3, 14), ("2022-23", 15, 26), ("2023-24", 27, 30)):
        rows = years.rows(body="longtown", year=year, series="spend/longtown/2021-04--2023-07", limit=100)
        assert numbers(rows) == set(range(first, last + 1)) - {4}
    everything = years.json("/rows/spend", body="longtown", sum="net_amount", count="")["rows"][0]
    by_year = years.rows(body="longtown", group_by="financial_year", sum="net_amount", count="")
    assert sum(row["count"] for row in by_year) == everything["count"] == 35
    assert sum(Decimal(row["sum_net_amount"]) for row in by_year) == Decimal(everything["sum_net_amount"])
    assert [row["financial_year"] for row in by_year] == ["2021-22", "2022-23", "2023-24", None]


def test_within_takes_lines_by_their_own_date(years: Served) -> None:
    assert numbers(years.rows(body="longtown", within="2021-05")) == {4, 50, 51}
    assert numbers(years.rows(within="2022-Q2")) == {15, 16, 17, 60, 61, 70, 80}
    assert numbers(years.rows(body="otherby", within="2022-Q3")) == {81}


def test_a_line_that_recurs_is_counted_in_the_shorter_table_and_told(years: Served) -> None:
    series = years.json("/rows/spend", body="longtown", year="2021-22")["series"]
    assert series["left_out"] == [
        {
            "series": "spend/longtown/2021-04--2023-07",
            "reason": "the same lines are counted in another table",
            "because": ["spend/longtown/2021-05"],
            "rows": 1,
            "amount_gbp": "4.00",
        }
    ]
    assert (series["left_out_rows"], series["left_out_amount_gbp"]) == (1, "4.00")
    assert years.json("/rows/spend/series", body="longtown", year="2021-22")["left_out"] == series["left_out"]
    kept = years.json("/rows/spend", body="longtown", year="2021-22", overlapping="keep", limit=100)
    assert sorted(one["line_id"] for one in kept["rows"]).count("line-00004") == 2
    assert kept["series"]["left_out_rows"] == 0


def test_lines_without_a_date_that_may_belong_to_the_time_asked_are_told(years: Served) -> None:
    document = years.json("/rows/spend", body="longtown", year="2022-23", limit=100)
    assert {60} <= numbers(document["rows"])  # its table covers one month, so it belongs to the year
    assert document["undated"] == {"rows": 2, "amount_gbp": "81.00"}
    assert years.json("/rows/spend", body="longtown", within="2022-06")["undated"] == {"rows": 2, "amount_gbp": "81.00"}
    dated = years.json("/rows/spend", body="longtown", payment_date__gte="2022-06-01", payment_date__lte="2022-06-30")
    assert dated["undated"] == {"rows": 3, "amount_gbp": "141.00"}
    assert years.json("/rows/spend", body="otherby", year="2022-23")["undated"] is None


def test_tables_and_parts_narrow_what_counts_and_never_change_it(years: Served) -> None:
    assert numbers(years.rows(part="card")) == {70}
    assert numbers(years.rows(period="2021-05")) == {4, 50, 51}
    assert 4 not in numbers(years.rows(period="2021-04--2023-07", limit=100))


def test_suppliers_are_found_and_grouped_under_one_name(years: Served) -> None:
    for name in ("Birch (North) plc", "birch (north)", "The Birch (North) Ltd"):
        assert numbers(years.rows(supplier_key=name)) == {41, 61}
    groups = years.rows(group_by="supplier_key", count="", having="count=2")
    [key] = {row["supplier_key"] for row in years.rows(supplier_key="birch (north)")}
    assert {"supplier_key": key, "count": 2} in groups


def test_the_api_and_the_accounts_have_one_total(place: Path, years: Served) -> None:
    store = FolderStore(place)
    for year in list_consolidated_years(store, "spend"):
        entries = read_consolidated_year(store, "spend", year)["bodies"]
        name = {"undated": {"line_date__isnull": "true", "financial_year__isnull": "true"}}.get(year, {"year": year})
        for body, entry in entries.items():
            [total] = years.rows(body=body, sum="net_amount", count="", **name)
            assert (total["count"], Decimal(total["sum_net_amount"])) == (entry["rows"], Decimal(entry["amount_gbp"]))
            path = place / "catalogue/consolidated/spend" / year / entry["csv"]["path"]
            with path.open(newline="", encoding="utf-8") as stream:
                lines = list(csv.DictReader(stream))
            assert pounds(lines) == Decimal(total["sum_net_amount"])


QUESTIONS = [
    "limit=1000",
    "year=2021-22&limit=1000",
    "within=2022-Q2&sort=-net_amount",
    "group_by=month(payment_date),part&sum=net_amount&count",
    "group_by=supplier_key&sum=net_amount&avg=net_amount&sort=-sum_net_amount",
    "as_known_on=2024-01-02&group_by=financial_year&sum=net_amount&count",
    "q=birch+north",
    "body=longtown&payment_date__gte=2022-06-01",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_years_made_for_a_query_are_those_of_the_catalogue(years: Served, made: Served, question: str) -> None:
    assert made.get(f"/rows/spend?{question}").json() == years.get(f"/rows/spend?{question}").json()


def test_the_versions_of_an_earlier_day_are_counted_by_the_same_rule(years: Served) -> None:
    first = years.json("/rows/spend", as_known_on="2024-01-01", body="longtown", count="", sum="net_amount")
    assert first["rows"] == [{"count": 30, "sum_net_amount": f"{pounds(TABLES['spend/longtown/2021-04--2023-07'])}"}]
    assert first["series"]["left_out"] == []
    second = years.json("/rows/spend", as_known_on="2024-01-02", body="longtown", count="")
    assert (second["rows"], second["series"]["left_out_rows"]) == ([{"count": 32}], 1)
    latest = years.json("/rows/spend", as_known_on="2024-02-01", limit=1000)
    assert {**latest, "as_known_on": None} == {
        **years.json("/rows/spend", limit=1000),
        "series": {**latest["series"]},
    }


GROUPS = st.lists(
    st.sampled_from(
        ["supplier_name", "supplier_key", "payee_class", "month", "financial_year", "body", "part", "series", "period"]
        + [f"{function}(payment_date)" for function in ("month", "quarter", "year", "financial_year")]
    ),
    max_size=2,
    unique=True,
)
FILTERS = st.sampled_from(
    [
        {},
        {"year": "2022-23"},
        {"within": "2022-06"},
        {"part": "none"},
        {"period": "2022-06"},
        {"payment_date__gte": "2021-06-01", "payment_date__lt": "2022-07-01"},
        {"supplier_key": "Supplier 1"},
        {"payee_class__ne": "company"},
        {"supplier_name__contains": "birch"},
    ]
)
FIGURES = st.sampled_from([{"sum": "net_amount"}, {"avg": "net_amount"}, {"min": "net_amount"}, {"max": "net_amount"}])


@settings(deadline=None, max_examples=60)
@given(GROUPS, FILTERS, FIGURES)
def test_totals_answer_as_the_lines_do(
    years: Served, groups: list[str], filters: dict[str, str], figures: dict[str, str]
) -> None:
    asked = {"count": "", **filters, **figures, **({"group_by": ",".join(groups)} if groups else {})}
    from_totals = years.json("/rows/spend", **asked)
    from_lines = years.json("/rows/spend", **asked, line_id__isnull="false")  # totals do not have line_id
    assert from_totals["rows"] == from_lines["rows"]
    assert from_totals["undated"] == from_lines["undated"]


def test_a_version_withdrawn_since_the_catalogue_was_built_is_not_served(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_tables(store, tmp_path, TABLES)
    consolidate(store, tmp_path)
    mark_withdrawn(store, Series.parse("spend/longtown/2021-05"), 1, because="wrong", now="2024-02-01T09:00:00Z")
    with serving(str(tmp_path / "store"), tmp_path / "cache") as api:
        document = api.json("/rows/spend", body="longtown", within="2021-05")
        assert numbers(document["rows"]) == {4}
        assert [one["reason"] for one in document["series"]["left_out"]] == ["withdrawn on 2024-02-01: wrong"]
    with serving(str(tmp_path / "store"), tmp_path / "cache2", ApiLimits(made_rows=1)) as api:
        answer = api.get("/rows/spend?body=longtown")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:piperoll:problem:catalogue-behind")
        assert api.get("/rows/spend?body=otherby").status_code == 200


def test_many_lines_published_since_the_catalogue_was_built_are_left_out_and_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_tables(store, tmp_path, TABLES)
    consolidate(store, tmp_path)
    late = {"spend/otherby/2022-08": [payment(90, "2022-08-02")]}
    published(store, released(tmp_path, *late, *late.values()), "2024-03-01T09:00:00Z")
    with serving(str(tmp_path / "store"), tmp_path / "cache") as api:
        assert numbers(api.rows(body="otherby")) == {80, 81, 90}
    with serving(str(tmp_path / "store"), tmp_path / "cache2", ApiLimits(made_rows=2)) as api:
        document = api.json("/rows/spend", body="otherby")
        assert numbers(document["rows"]) == {80, 81}
        [left] = document["series"]["left_out"]
        assert (left["series"], left["rows"], left["amount_gbp"]) == ("spend/otherby/2022-08", 1, "90.00")
        assert left["reason"].startswith("published since the catalogue was built")
        answer = api.get("/rows/spend?as_known_on=2024-01-01")
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:piperoll:problem:too-much")


def rolling(number: int, start: str, end: str, count: str) -> dict[str, str]:
    return {
        "line_id": f"line-{number:05}",
        "service_name": "Parking permits",
        "channel": "all",
        "period_start": start,
        "period_end": end,
        "completed": count,
    }


def test_figures_of_rolling_years_are_in_no_sum(tmp_path: Path) -> None:
    """Rolling twelve months that overlap by nine were added: 1.24 billion where a year has 110 million."""
    store = FolderStore(tmp_path / "store")
    rows = [
        rolling(1, "2021-07-01", "2022-06-30", "100"),
        rolling(2, "2021-10-01", "2022-09-30", "110"),
        rolling(3, "2022-10-01", "2022-12-31", "7"),
    ]
    published(store, released(tmp_path, "transactions/longtown/2022-23", rows), "2024-01-01T09:00:00Z")
    with serving(str(tmp_path / "store"), tmp_path / "cache") as api:
        document = api.json("/rows/transactions", sum="completed", max="completed", count="")
        assert document["rows"] == [{"sum_completed": "7", "max_completed": 110, "count": 3}]
        assert document["series"]["not_added"]["rows"] == 2


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("more", [{}, {"sort": "-net_amount"}, {"group_by": "supplier_name,month", "count": ""}])
def test_pages_go_on_over_the_years_that_the_first_page_read(tmp_path: Path, size: int, more: dict[str, str]) -> None:
    store = FolderStore(tmp_path / "store")
    publish_tables(store, tmp_path, TABLES)
    consolidate(store, tmp_path)
    now = [0.0]
    with serving(str(tmp_path / "store"), tmp_path / "cache", clock=lambda: now[0]) as api:
        whole = api.rows(limit=1000, **more)
        pages = api.pages(f"/rows/spend?{urlencode({'limit': size, **more})}")
        paged = next(pages)
        corrected = released(tmp_path, "spend/longtown/2022-06", [payment(62, "2022-06-01")], source=source_of("more"))
        published(store, corrected, "2024-03-01T09:00:00Z")
        consolidate(store, tmp_path)
        now[0] += 3.0
        assert [one for page in (paged, *pages) for one in page] == whole


def test_a_history_leads_to_all_lines_of_its_table(years: Served) -> None:
    link = years.json("/series/spend/longtown/2021-04--2023-07")["links"]["rows"]
    assert len(years.get(f"{link}&limit=100").json()["rows"]) == len(TABLES["spend/longtown/2021-04--2023-07"])
