"""Consolidated files: what counts of every body, made anew only where something changed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import duckdb
import pyarrow.parquet as pq
import pytest
from lxml import html

from piperoll import layout
from piperoll.model import MONTHS, Period, Series
from piperoll.operations.catalogue.build import update_consolidated
from piperoll.operations.run_request import RunRequest
from piperoll.operations.takedown import withdraw_version
from piperoll.releasing import consolidating
from piperoll.settings import Settings
from publishers import Store, list_consolidated_years, list_indexed_series, open_store, sweep_store
from publishers import read_consolidated_year as pointer
from publishers.download import fetch_consolidated_year
from tests.fixtures.counting_store import Cost, CountingStore
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import contents, plain_run, put, spend

YEAR = "2026-27"
PLACE = f"catalogue/consolidated/spend/{YEAR}/"


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


@pytest.fixture
def store(order: RunRequest) -> Store:
    return open_store(order.to)


def send(order: RunRequest, path: str, content: bytes) -> None:
    assert order.inbox is not None
    put(order.inbox, path, content)


def make(order: RunRequest, store: Store, *bodies: str) -> int:
    plain_run(order, catalogued=False)
    return again(store, *bodies)


def again(store: Store, *bodies: str) -> int:
    with TemporaryDirectory() as scratch:
        pairs = [("spend", body) for body in bodies]
        return update_consolidated(store, pairs, Path(scratch), careful=False).total()


def details(store: Store, body: str) -> dict[str, Any]:
    entry = pointer(store, "spend", YEAR)["bodies"][body]
    found: dict[str, Any] = json.loads(store.read(PLACE + entry["json"]["path"]).content)
    return found


def test_one_query_compares_all_bodies(order: RunRequest, store: Store, tmp_path: Path) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    send(order, "spend/otherton/October 2026.csv", spend(4))
    make(order, store, "anytown", "otherton")
    bodies = pointer(store, "spend", YEAR)["bodies"]
    files = [str(Path(order.to) / PLACE / entry["parquet"]["path"]) for entry in bodies.values()]
    query = "SELECT body, count(*), sum(net_amount) FROM read_parquet($files) GROUP BY 1 ORDER BY 1"
    with duckdb.connect() as database:
        rows = database.execute(query, {"files": files}).fetchall()
    assert [(body, count) for body, count, _ in rows] == [("anytown", 10), ("otherton", 4)]
    for body, count, pounds in rows:
        (told,) = bodies[body]["counted"]
        assert (told["rows"], Decimal(told["amount_gbp"])) == (count, pounds)


def test_every_file_matches_the_index(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    make(order, store, "anytown")
    entry = pointer(store, "spend", YEAR)["bodies"]["anytown"]
    for kind in ("parquet", "csv", "json", "rollup"):
        content = store.read(PLACE + entry[kind]["path"]).content
        assert hashlib.sha256(content).hexdigest() == entry[kind]["sha256"]
        assert len(content) == entry[kind]["bytes"]
    lines = list(csv.DictReader(io.StringIO(store.read(PLACE + entry["csv"]["path"]).content.decode(), newline="")))
    assert {line["series"] for line in lines} == {"spend/anytown/2026-10"}


def test_three_months_and_their_quarter_are_counted_once(order: RunRequest, store: Store) -> None:
    for number, name in ((10, "October"), (11, "November"), (12, "December")):
        send(order, f"spend/anytown/{name} 2026.csv", spend(5, month=f"{number}/2026", start=number * 100))
    quarter = b"".join(
        [spend(5, month="10/2026", start=1000), *(rest.split(b"\r\n", 1)[1] for rest in
         (spend(5, month="11/2026", start=1100), spend(5, month="12/2026", start=1200)))]
    )  # fmt: skip
    send(order, "spend/anytown/Q4 2026.csv", quarter)
    make(order, store, "anytown")
    told = details(store, "anytown")
    assert [each["series"][-7:] for each in told["counted"]] == ["2026-10", "2026-11", "2026-12"]
    assert {left["series"] for left in told["left_out"]} == {"spend/anytown/2026-Q4"}
    assert [left["counted_in"][-7:] for left in told["left_out"]] == ["2026-10", "2026-11", "2026-12"]
    assert sum(left["rows"] for left in told["left_out"]) == 15
    (summary,) = pointer(store, "spend", YEAR)["bodies"]["anytown"]["left_out"]
    assert (summary["because"], summary["tables"], summary["rows"]) == ("recurs", 1, 15)


def test_a_payment_repeated_a_month_later_is_counted_once(order: RunRequest, store: Store) -> None:
    october = spend(10)
    send(order, "spend/anytown/October 2026.csv", october)
    november = spend(9, month="11/2026", start=500)
    send(order, "spend/anytown/November 2026.csv", november + october.split(b"\r\n")[1] + b"\r\n")
    make(order, store, "anytown")
    (left,) = details(store, "anytown")["left_out"]
    assert (left["series"], left["counted_in"]) == ("spend/anytown/2026-11", "spend/anytown/2026-10")
    assert left["rows"] == 1


def test_without_changes_nothing_is_written(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    assert make(order, store, "anytown") > 0
    before = contents(store, PLACE)
    assert again(store, "anytown") == 0
    assert contents(store, PLACE) == before


def test_a_correction_of_one_body_leaves_the_files_of_others_alone(order: RunRequest, store: Store) -> None:
    for body in ("anytown", "otherton"):
        send(order, f"spend/{body}/October 2026.csv", spend(10))
    make(order, store, "anytown", "otherton")
    before = contents(store, PLACE)
    send(order, "spend/anytown/October 2026.csv", spend(11))
    make(order, store, "anytown")
    after = contents(store, PLACE)
    assert {key for key in before if "otherton" in key} == {key for key in after if "otherton" in key}
    assert len(after) == len(before)
    assert pointer(store, "spend", YEAR)["bodies"]["anytown"]["counted"][0]["rows"] == 11


def test_withdrawn_rows_are_in_no_consolidated_file(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    make(order, store, "anytown")
    withdraw_version(order.to, Series("spend", "anytown", Period.month(2026, 10)), 1, because="a mistake")
    assert contents(store, PLACE) == {}
    assert list_consolidated_years(store, "spend") == ()


def test_a_run_writes_them_and_a_whole_rebuild_keeps_them(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    before = contents(store, PLACE)
    assert len(before) == 6
    store.delete("catalogue/index.html")
    plain_run(order)
    assert contents(store, PLACE) == before
    assert store.exists("catalogue/index.html")


def test_a_file_that_no_pointer_names_is_swept_away(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    before = contents(store)
    store.create(f"{PLACE}anytown-0123456789ab.csv", b"left by someone who was killed")
    assert sweep_store(store, older_than=0).removed == (f"{PLACE}anytown-0123456789ab.csv",)
    assert contents(store) == before


def test_the_query_on_the_page_runs_and_its_sum_is_of_a_column_that_the_dataset_has(
    order: RunRequest, store: Store
) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    page = html.fromstring(store.read("catalogue/compare/index.html").content)
    (query,) = (each.text_content() for each in page.iter("pre") if "read_parquet" in each.text_content())
    base = Settings.from_environment().base_url
    here = query.replace(base, f"{order.to}/")
    with duckdb.connect() as database:
        for statement in filter(str.strip, here.split(";")):
            found = database.execute(statement).fetchall()
    assert [(body, count) for body, count, _ in found] == [("anytown", 10)]


@pytest.fixture
def large_years(monkeypatch: pytest.MonkeyPatch) -> None:
    """Years of more than 12 lines are large."""
    monkeypatch.setattr(consolidating, "SPLIT_ABOVE", 12)


def send_months(order: RunRequest, months: Iterable[int]) -> None:
    for month in months:
        lines = spend(8, month=f"{month:02}/2026", start=month * 100)
        late = spend(2, month=f"{month - 1:02}/2026", start=month * 100 + 50).split(b"\r\n", 1)[1]
        send(order, f"spend/anytown/{MONTHS[month - 1]} 2026.csv", lines + late)


def tables_of(store: Store) -> dict[str, Any]:
    return {table["series"][-7:]: table for table in pointer(store, "spend", YEAR)["bodies"]["anytown"]["lines"]}


@pytest.mark.usefixtures("large_years")
def test_a_month_is_not_written_again_when_another_comes(order: RunRequest, store: Store) -> None:
    """A year of a large body was written again each month: the twelfth cost thirteen times what the first did."""
    send_months(order, range(6, 9))
    make(order, store, "anytown")
    before = tables_of(store)
    assert sorted(before) == ["2026-06", "2026-07", "2026-08"]
    send_months(order, [9])
    plain_run(order, catalogued=False)
    written: Any = _WritingStore(store)
    touched = again(written, "anytown")
    own = [key for key in written.written if key.count(".") == 1 and not key.endswith(".json")]
    after = tables_of(store)
    assert {name: after[name] for name in before} == before
    assert sorted(own) == sorted(PLACE + after["2026-09"][kind]["path"] for kind in ("csv", "parquet"))
    assert touched == 2 * 3 + 2 + 1, "account, rollup and totals for others, the month, and the index"


@pytest.mark.usefixtures("large_years")
def test_a_large_year_is_as_if_made_from_nothing(order: RunRequest, store: Store, tmp_path: Path) -> None:
    """Months that come one by one, one of them corrected, with a payment that recurs, give the bytes of one build."""
    for month in (6, 7, 8, 9):
        send_months(order, [month])
        make(order, store, "anytown")
    recurring = spend(1, month="08/2026", start=800).split(b"\r\n", 1)[1]
    send(order, "spend/anytown/July 2026.csv", spend(9, month="07/2026", start=700, pence=7) + recurring)
    make(order, store, "anytown")
    found = contents(store, PLACE)
    told = details(store, "anytown")
    assert [(left["series"][-7:], left["rows"]) for left in told["left_out"]] == [("2026-08", 1)]
    for key in list(store.keys("catalogue/consolidated/")):
        store.delete(key)
    again(store, "anytown")
    assert contents(store, PLACE) == found


@pytest.mark.usefixtures("large_years")
def test_a_large_year_says_what_a_small_one_says(
    order: RunRequest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the penny: lines, account, rollup, totals, pages, and what is downloaded."""
    send_months(order, range(6, 10))
    plain_run(order)
    entry = pointer(store, "spend", YEAR)["bodies"]["anytown"]
    large = {name: entry[name] for name in ("rows", "amount_gbp", "counted", "payees", "months", "json")}
    lines = read_year(order, tmp_path / "large.parquet")
    totals = read_totals(store)
    figures = store.read("catalogue/bodies/anytown.figures.json").content
    monkeypatch.setattr(consolidating, "SPLIT_ABOVE", 1000)
    monkeypatch.setattr(consolidating, "RULES_VERSION", "other")
    store.delete("catalogue/index.html")
    plain_run(order)
    entry = pointer(store, "spend", YEAR)["bodies"]["anytown"]
    assert "lines" not in entry
    assert {name: entry[name] for name in large} == large
    assert read_year(order, tmp_path / "small.parquet") == lines
    assert read_totals(store) == totals
    assert store.read("catalogue/bodies/anytown.figures.json").content == figures


@pytest.mark.usefixtures("large_years")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_of_a_large_year_that_is_gone_is_made_again(order: RunRequest, store: Store, kind: str) -> None:
    send_months(order, range(6, 9))
    make(order, store, "anytown")
    before = contents(store, PLACE)
    store.delete(PLACE + tables_of(store)["2026-07"][kind]["path"])
    with TemporaryDirectory() as scratch:
        update_consolidated(store, [("spend", "anytown")], Path(scratch), careful=True)
    assert contents(store, PLACE) == before


@pytest.mark.usefixtures("large_years")
def test_a_table_that_another_build_deleted_meanwhile_is_not_named(order: RunRequest, store: Store) -> None:
    """A build named the table of a month that was withdrawn while it worked, and that the other build had deleted."""
    send_months(order, range(6, 9))
    plain_run(order)
    send_months(order, (9,))
    plain_run(order, catalogued=False)
    overtaken: Any = _OvertakenStore(
        store, lambda: withdraw_version(order.to, Series("spend", "anytown", Period.month(2026, 7)), 1, because="wrong")
    )
    again(overtaken, "anytown")
    assert overtaken.overtake is None, "the other build came while this one worked"
    assert sorted(tables_of(store)) == ["2026-06", "2026-08", "2026-09"]
    named = {file["path"] for table in tables_of(store).values() for file in (table["csv"], table["parquet"])}
    assert named <= {key.removeprefix(PLACE) for key in store.keys(PLACE)}
    assert again(store, "anytown") == 0


def test_the_index_of_a_year_is_written_once_for_three_bodies(order: RunRequest, store: Store) -> None:
    """It has an entry for each body, so a build of hundreds of bodies that wrote it for each took ever longer."""
    bodies = ("anytown", "otherton", "wessing")
    for body in bodies:
        send(order, f"spend/{body}/October 2026.csv", spend(4))
    plain_run(order, catalogued=False)
    cost = Cost()
    again(cast("Store", CountingStore(store, cost)), *bodies)
    assert cost.asked["replace"] == 2, "the index of the year, and that of the years"
    assert sorted(pointer(store, "spend", YEAR)["bodies"]) == [*bodies]


def test_a_body_that_another_build_changes_meanwhile_does_not_hold_up_the_others(
    order: RunRequest, store: Store
) -> None:
    for month, name in ((9, "September"), (10, "October")):
        send(order, f"spend/anytown/{name} 2026.csv", spend(4, month=f"{month:02}/2026", start=month * 100))
    send(order, "spend/otherton/October 2026.csv", spend(6))
    plain_run(order, catalogued=False)
    overtaken: Any = _OvertakenStore(
        store, lambda: withdraw_version(order.to, Series("spend", "anytown", Period.month(2026, 9)), 1, because="wrong")
    )
    again(overtaken, "anytown", "otherton")
    assert overtaken.overtake is None, "the other build came while this one worked"
    bodies = pointer(store, "spend", YEAR)["bodies"]
    assert {body: entry["rows"] for body, entry in bodies.items()} == {"anytown": 4, "otherton": 6}
    named = {entry[kind]["path"] for entry in bodies.values() for kind in ("csv", "parquet", "json")}
    assert named <= {key.removeprefix(PLACE) for key in store.keys(PLACE)}
    assert again(store, "anytown", "otherton") == 0


class _OvertakenStore:
    """A store in which something happens just before the index of the year is replaced for the first time."""

    def __init__(self, store: Store, overtake: Callable[[], object]) -> None:
        self._store = store
        self.overtake: Callable[[], object] | None = overtake

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def replace(self, key: str, content: bytes, tag: str | None) -> None:
        overtake, is_index = self.overtake, key == layout.consolidated_index("spend", YEAR)
        if overtake is not None and is_index:
            self.overtake = None
            overtake()
        self._store.replace(key, content, tag)


def read_totals(store: Store) -> list[list[dict[str, Any]]]:
    entry = pointer(store, "spend", YEAR)["bodies"]["anytown"]
    files = (store.read(PLACE + entry[kind]["path"]).content for kind in ("rollup", "totals"))
    return [pq.read_table(io.BytesIO(file)).to_pylist() for file in files]


def read_year(order: RunRequest, out: Path) -> list[dict[str, Any]]:
    """The year as `piperoll get --year` downloads it, in order of the lines' identifiers."""
    fetch_consolidated_year(open_store(order.to), "spend", YEAR, out)
    fetch_consolidated_year(open_store(order.to), "spend", YEAR, out.with_suffix(".csv"))
    lines: list[dict[str, Any]] = sorted(pq.read_table(out).to_pylist(), key=lambda line: line["line_id"])
    with out.with_suffix(".csv").open(newline="", encoding="utf-8") as stream:
        assert sorted(line["line_id"] for line in csv.DictReader(stream)) == [line["line_id"] for line in lines]
    return lines


class _WritingStore:
    """A store that remembers which keys were written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, content: bytes | Path) -> None:
        self.written.append(key)
        self._store.create(key, content)


def years_of(store: Store, body: str) -> dict[str, tuple[int, str | None]]:
    """Rows and pounds of a body in each year that it has."""
    found = {}
    for year in list_consolidated_years(store, "spend"):
        entry = pointer(store, "spend", year)["bodies"].get(body)
        if entry is not None:
            found[year] = (entry["rows"], entry["amount_gbp"])
    return found


def two_years(pence: int = 0) -> bytes:
    """A table with five payments of March and ten of April."""
    april = spend(10, month="04/2026", start=100, pence=pence)
    return spend(5, month="03/2026", start=50) + april.split(b"\r\n", 1)[1]


def test_a_table_of_two_years_is_in_both(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/March and April 2026.csv", two_years())
    make(order, store, "anytown")
    assert {year: rows for year, (rows, _) in years_of(store, "anytown").items()} == {"2025-26": 5, "2026-27": 10}
    (elsewhere,) = details(store, "anytown")["elsewhere"]
    assert (elsewhere["year"], elsewhere["rows"]) == ("2025-26", 5)


def test_a_release_makes_only_the_years_of_its_lines_again(order: RunRequest, store: Store) -> None:
    for year in (2023, 2024, 2025):
        send(order, f"spend/anytown/October {year}.csv", spend(10, month=f"10/{year}", start=year))
    make(order, store, "anytown")
    send(order, "spend/anytown/October 2024.csv", spend(11, month="10/2024", start=2024))
    plain_run(order, catalogued=False)
    with TemporaryDirectory() as scratch:
        touched = update_consolidated(store, [("spend", "anytown")], Path(scratch), careful=False)
    assert {year for *_, year in touched} == {"2024-25"}


def test_releases_that_have_not_changed_are_not_read_again(order: RunRequest, store: Store) -> None:
    for year in (2023, 2024, 2025):
        send(order, f"spend/anytown/October {year}.csv", spend(10, month=f"10/{year}", start=year))
    make(order, store, "anytown")
    send(order, "spend/anytown/October 2024.csv", spend(11, month="10/2024", start=2024))
    plain_run(order, catalogued=False)
    reading: Any = _FetchingStore(store)
    again(reading, "anytown")
    assert {key.split("/")[3] for key in reading.fetched} == {"2024-10"}


class _FetchingStore:
    """A store that remembers which keys were fetched."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fetched: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def fetch(self, key: str, to: Path) -> None:
        self.fetched.append(key)
        self._store.fetch(key, to)


def test_after_a_kill_at_any_write_another_run_repairs_every_year(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/March and April 2026.csv", two_years())
    make(order, store, "anytown")
    send(order, "spend/anytown/March and April 2026.csv", two_years(pence=50))
    plain_run(order, catalogued=False)
    writes = 0
    while True:
        killed = Path(order.to).with_name(f"killed-{writes}")
        shutil.copytree(order.to, killed)
        dying: Any = DyingStore(open_store(str(killed)), writes)
        try:
            again(dying, "anytown")
        except Killed:
            writes += 1
            again(open_store(str(killed)), "anytown")
            sweep_store(open_store(str(killed)), older_than=0)
        else:
            break
        finally:
            found = contents(open_store(str(killed)), "catalogue/consolidated/")
        if writes == 1:
            expected = found
        assert found == expected, writes
    assert writes > 12


def test_lines_that_leave_a_year_leave_its_files(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/March and April 2026.csv", two_years())
    make(order, store, "anytown")
    withdraw_version(order.to, next(iter(series_of(store))), 1, because="a mistake")
    again(store, "anytown")
    assert years_of(store, "anytown") == {}
    assert list_consolidated_years(store, "spend") == ()


def series_of(store: Store) -> list[Series]:
    return list(list_indexed_series(store))
