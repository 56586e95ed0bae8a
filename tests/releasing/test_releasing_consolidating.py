"""The files and accounts of consolidated years."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from piperoll import assets
from piperoll.errors import ConservationError
from piperoll.model import UNDATED, CurrentRelease, Packed, YearAccount, YearShare
from piperoll.releasing.consolidating import consolidate_years, spread_over_years

COLUMNS = ("payment_date", "supplier_name", "net_amount", "transaction_number")
Line = dict[str, str | None]
Standing = Callable[..., CurrentRelease]


def spend(day: str | None, supplier: str, amount: str, number: str | None = None) -> Line:
    return dict(zip(COLUMNS, (day, supplier, amount, number), strict=True))


@pytest.fixture
def standing(packing, make_table) -> Standing:
    def make(period: str, lines: Sequence[Line], *, dataset: str = "spend", part: str | None = None) -> CurrentRelease:
        columns = tuple(lines[0]) if lines else COLUMNS
        packed: Packed = packing([make_table(lines, columns)], dataset=dataset, period=period, part=part)
        series = packed.manifest.series
        return CurrentRelease(series, 1, lambda: packed.folder, f"v1-{packed.manifest.sha256[:12]}")

    return make


def consolidate(folder: Path, *releases: CurrentRelease, dataset: str = "spend") -> dict[str, YearAccount]:
    """The accounts of all years that the releases have lines in."""
    standard = assets.dataset(dataset)
    years = sorted({year for one in releases for year in spread_over_years(standard, one)})
    return {one.year: one for one in consolidate_years(standard, releases, years, folder)}


def rows(folder: Path, year: str = "2026-27", dataset: str = "spend") -> list[dict[str, str]]:
    with (folder / year / f"{dataset}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_line_leads_to_its_release_and_says_when_it_was(standing: Standing, tmp_path: Path) -> None:
    november = standing("2026-11", [spend("2026-11-02", "Beta Ltd", "5.00")], part="card")
    october = standing("2026-10", [spend("2026-10-01", "Acme Ltd", "1250.00")])
    account = consolidate(tmp_path, november, october)["2026-27"]
    found = sorted(rows(tmp_path), key=lambda row: row["series"])
    ours = ("body", "series", "version", "part", "line_date", "month", "financial_year")
    assert [[row[name] for name in ours] for row in found] == [
        ["anytown", "spend/anytown/2026-10", "1", "", "2026-10-01", "2026-10", "2026-27"],
        ["anytown", "spend/anytown/2026-11--card", "1", "card", "2026-11-02", "2026-11", "2026-27"],
    ]
    assert list(found[0])[:7] == list(ours)
    assert (account.rows, account.amount_gbp, account.left_out) == (2, Decimal("1255.00"), ())
    table = pq.read_table(tmp_path / "2026-27/spend.parquet")
    assert sorted(table.column("net_amount").to_pylist()) == [Decimal("5.0000"), Decimal("1250.0000")]
    assert table.schema.names == list(found[0])


def test_a_table_of_several_years_is_spread_over_them(standing: Standing, tmp_path: Path) -> None:
    """A council published four years in one table, and its first year said £104.4 million for £1.35 million."""
    lines = [spend(f"{year}-05-01", "Acme Ltd", f"{year}.00", str(year)) for year in (2021, 2022, 2023, 2024)]
    table = standing("2021-04--2025-03", lines)
    accounts = consolidate(tmp_path, table)
    assert {year: account.amount_gbp for year, account in accounts.items()} == {
        "2021-22": 2021, "2022-23": 2022, "2023-24": 2023, "2024-25": 2024
    }  # fmt: skip
    elsewhere = accounts["2021-22"].elsewhere
    assert [(one.year, one.rows, one.amount_gbp) for one in elsewhere] == [
        ("2022-23", 1, 2022), ("2023-24", 1, 2023), ("2024-25", 1, 2024)
    ]  # fmt: skip


def test_tables_of_overlapping_time_that_share_no_line_all_count(standing: Standing, tmp_path: Path) -> None:
    """£151 million was in no total because another table covered the same days."""
    quarter = standing("2026-Q4", [spend("2026-10-05", "Acme Ltd", "7.00", "T1")])
    month = standing("2026-10", [spend("2026-10-05", "Beta Ltd", "5.00", "T2")])
    account = consolidate(tmp_path, quarter, month)["2026-27"]
    assert (account.amount_gbp, account.left_out) == (12, ())


def test_only_recurring_lines_of_tables_of_overlapping_time_count_once(standing: Standing, tmp_path: Path) -> None:
    again = spend("2026-10-05", "Acme Ltd", "7.00", "T1")
    month = standing("2026-10", [again])
    quarter = standing(
        "2026-Q4", [again | {"supplier_name": "ACME  LTD"}, spend("2026-11-05", "Acme Ltd", "1.00", "T2")]
    )
    account = consolidate(tmp_path, quarter, month)["2026-27"]
    assert account.amount_gbp == 8
    (left,) = account.left_out
    assert (str(left.series), str(left.counted_in)) == ("spend/anytown/2026-Q4", "spend/anytown/2026-10")
    assert (left.rows, left.amount_gbp, left.because) == (1, 7, "recurs")


def test_an_october_payment_repeated_in_the_november_file_is_counted_once(standing: Standing, tmp_path: Path) -> None:
    late = spend("2026-10-31", "Acme Ltd", "10.00", "T1")
    account = consolidate(
        tmp_path,
        standing("2026-10", [late, spend("2026-10-01", "Beta Ltd", "1.00", "T0")]),
        standing("2026-11", [late, spend("2026-11-02", "Beta Ltd", "5.00", "T2")]),
    )["2026-27"]
    assert sorted(row["transaction_number"] for row in rows(tmp_path)) == ["T0", "T1", "T2"]
    (left,) = account.left_out
    assert (str(left.series), str(left.counted_in)) == ("spend/anytown/2026-11", "spend/anytown/2026-10")
    assert (left.rows, left.amount_gbp) == (1, Decimal("10.00"))


def test_two_like_payments_of_which_one_comes_again_stay_two(standing: Standing, tmp_path: Path) -> None:
    twice = spend("2026-10-31", "Acme Ltd", "10.00")
    account = consolidate(tmp_path, standing("2026-10", [twice]), standing("2026-11", [twice, twice]))["2026-27"]
    assert account.rows == 2
    assert [left.rows for left in account.left_out] == [1]


def test_a_march_payment_in_aprils_file_belongs_to_the_year_before(standing: Standing, tmp_path: Path) -> None:
    late = spend("2026-03-31", "Acme Ltd", "10.00")
    accounts = consolidate(tmp_path, standing("2026-03", [late]), standing("2026-04", [late]))
    assert [(year, account.rows) for year, account in accounts.items()] == [("2025-26", 1)]
    (left,) = accounts["2025-26"].left_out
    assert str(left.series.period) == "2026-04"


def test_a_card_payment_that_the_ledger_repeats_counts_once_and_other_cards_are_added(
    standing: Standing, tmp_path: Path
) -> None:
    both = spend("2026-10-31", "Acme Ltd", "10.00", "T1")
    account = consolidate(
        tmp_path,
        standing("2026-10", [both]),
        standing("2026-10", [both, spend("2026-10-30", "Cafe", "2.00", "C1")], part="card"),
    )["2026-27"]
    assert [(one.part, one.amount_gbp) for one in account.counted] == [(None, 10), ("card", 2)]
    (left,) = account.left_out
    assert (left.part, left.amount_gbp, left.counted_in.part) == ("card", 10, None)


def test_lines_without_a_date_are_in_their_tables_year_and_counted_apart(standing: Standing, tmp_path: Path) -> None:
    table = standing("2026-10", [spend(None, "Acme Ltd", "-3.00"), spend("2026-10-02", "Acme Ltd", "5.00")])
    account = consolidate(tmp_path, table)["2026-27"]
    (counted,) = account.counted
    assert (counted.rows, counted.amount_gbp, counted.undated_rows, counted.undated_amount_gbp) == (2, 2, 1, -3)
    assert [row["line_date"] for row in rows(tmp_path)] == ["2026-10-02", ""]
    assert {row["month"] for row in rows(tmp_path)} == {"2026-10"}


def test_lines_without_a_date_in_a_table_of_several_years_belong_to_no_year(standing: Standing, tmp_path: Path) -> None:
    table = standing("2025-04--2027-03", [spend(None, "Acme Ltd", "3.00"), spend("2026-10-02", "Acme Ltd", "5.00")])
    accounts = consolidate(tmp_path, table)
    assert {year: account.amount_gbp for year, account in accounts.items()} == {"2026-27": 5, UNDATED: 3}
    assert rows(tmp_path, UNDATED)[0]["financial_year"] == ""
    assert accounts[UNDATED].months[0].month is None


def test_undated_lines_recur_only_where_tables_share_time(standing: Standing, tmp_path: Path) -> None:
    rent = spend(None, "Landlord plc", "100.00")
    months = [standing(f"2026-{month}", [rent]) for month in (10, 11, 12)]
    account = consolidate(tmp_path, *months, standing("2026-Q4", [rent, rent, rent, rent]))["2026-27"]
    assert account.amount_gbp == 400
    assert [(str(one.counted_in.period), one.rows) for one in account.left_out] == [
        ("2026-10", 1), ("2026-11", 1), ("2026-12", 1)
    ]  # fmt: skip


def test_an_undated_line_of_a_table_of_several_years_yields_to_that_of_its_month(
    standing: Standing, tmp_path: Path
) -> None:
    rent = spend(None, "Landlord plc", "100.00")
    month, years = standing("2026-10", [rent]), standing("2025-04--2027-03", [rent])
    accounts = consolidate(tmp_path, years, month)
    assert (accounts["2026-27"].rows, accounts[UNDATED].rows) == (1, 0)
    assert [one.counted_in for one in accounts[UNDATED].left_out] == [month.series]


def contract(ref: str | None, title: str, amount: str) -> Line:
    return {"contract_ref": ref, "title": title, "supplier_name": "Acme Ltd", "original_value": amount}


def test_the_latest_register_counts_for_a_contract_that_several_list(standing: Standing, tmp_path: Path) -> None:
    own = [
        standing("2026-04", [contract("C1", "Roads", "100.00"), contract("C2", "Bins", "7.00")], dataset="contracts"),
        standing("2026-05", [contract("C1", "Roads, extended", "150.00")], dataset="contracts"),
        standing("2027-04", [contract("C1", "Roads", "160.00")], dataset="contracts"),
    ]
    accounts = consolidate(tmp_path, *own, dataset="contracts")
    assert sorted(row["title"] for row in rows(tmp_path, dataset="contracts")) == ["Bins", "Roads, extended"]
    left_out = accounts["2026-27"].left_out
    assert [(str(left.series.period), left.rows, left.because) for left in left_out] == [
        ("2026-04", 1, "restated later")
    ]
    assert accounts["2027-28"].amount_gbp == 160


def test_of_two_snapshots_of_a_year_the_latest_counts(standing: Standing, tmp_path: Path) -> None:
    post = {"job_title": "Clerk", "fte": "1"}
    days = ("2025-09-30", "2026-03-31", "2026-09-30")
    accounts = consolidate(tmp_path, *(standing(day, [post], dataset="roles") for day in days), dataset="roles")
    assert {year: account.rows for year, account in accounts.items()} == {"2025-26": 1, "2026-27": 1}
    (left,) = accounts["2025-26"].left_out
    assert (str(left.series.period), left.because) == ("2025-09-30", "older snapshot")


def rolling(start: str, end: str, completed: str) -> Line:
    return {"service_name": "Driving tests", "period_start": start, "period_end": end, "completed": completed}


def test_rolling_years_are_listed_and_never_added(standing: Standing, tmp_path: Path) -> None:
    """1.24 billion arrivals were shown where a year had about 110 million."""
    lines = [
        rolling("2012-04-01", "2013-03-31", "10"),
        rolling("2012-07-01", "2013-06-30", "11"),
        rolling("2012-10-01", "2013-09-30", "12"),
    ]
    table = standing("2012-04--2013-09", lines, dataset="transactions")
    accounts = consolidate(tmp_path, table, dataset="transactions")
    assert {year: account.rows for year, account in accounts.items()} == {"2012-13": 1, "2013-14": 2}
    assert accounts["2012-13"].not_added == ()
    (apart,) = accounts["2013-14"].not_added
    assert (apart.rows, apart.row_periods) == (2, "rolling 12 months")
    assert [row["adds_up"] for row in rows(tmp_path, "2013-14", "transactions")] == ["false", "false"]


def test_quarters_of_a_service_add_up(standing: Standing, tmp_path: Path) -> None:
    lines = [rolling("2012-04-01", "2012-06-30", "10"), rolling("2012-07-01", "2012-09-30", "11")]
    table = standing("2012-04--2012-09", lines, dataset="transactions")
    assert consolidate(tmp_path, table, dataset="transactions")["2012-13"].not_added == ()


def test_an_amount_of_five_places_is_kept_beside_one_of_two(standing: Standing, tmp_path: Path) -> None:
    account = consolidate(
        tmp_path,
        standing("2026-10", [spend("2026-10-01", "Acme Ltd", "0.00001")]),
        standing("2026-11", [spend("2026-11-01", "Acme Ltd", "1.00")]),
    )["2026-27"]
    assert account.amount_gbp == Decimal("1.00001")
    assert pq.read_schema(tmp_path / "2026-27/spend.parquet").field("net_amount").type.scale == 10


def test_a_nil_return_is_in_the_account_of_its_year(standing: Standing, tmp_path: Path) -> None:
    nil = standing("2026-10", [])
    assert spread_over_years(assets.dataset("spend"), nil) == {"2026-27": YearShare(0, 0)}
    (counted,) = consolidate(tmp_path, nil)["2026-27"].counted
    assert (str(counted.series), counted.rows) == ("spend/anytown/2026-10", 0)


def test_a_release_that_lost_a_line_is_not_consolidated(standing: Standing, tmp_path: Path) -> None:
    release = standing("2026-10", [spend("2026-10-01", "Acme Ltd", "1.00"), spend("2026-10-02", "Acme Ltd", "2.00")])
    file = release.files / "spend.parquet"
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(ConservationError, match="2 rows"):
        consolidate(tmp_path, release)


def test_an_account_is_read_as_it_was_written(standing: Standing, tmp_path: Path) -> None:
    late = spend("2026-10-31", "Acme Ltd", "10.00", "T1")
    releases = standing("2026-10", [late]), standing("2026-11", [late, spend("2027-05-01", "Acme Ltd", "1.00")])
    for account in consolidate(tmp_path, *releases).values():
        assert YearAccount.from_json(account.to_json()) == account


def test_a_rollup_has_every_month_and_payee_of_the_year(standing: Standing, tmp_path: Path) -> None:
    lines = [
        spend("2026-10-31", "Acme Ltd", "10.00"),
        spend("2026-10-30", "Acme Ltd", "5.00"),
        spend(None, "Z", "1.00"),
    ]
    account = consolidate(tmp_path, standing("2026-Q4", lines))["2026-27"]
    rollup = pq.read_table(tmp_path / "2026-27/spend.rollup.parquet").to_pylist()
    assert sum(row["rows"] for row in rollup) == account.rows
    assert sum(row["amount_gbp"] for row in rollup) == account.amount_gbp
    assert {row["month"] for row in rollup} == {"2026-10", None}


def test_who_looks_for_a_reference_reads_the_row_groups_that_may_have_it(standing: Standing, tmp_path: Path) -> None:
    consolidate(tmp_path, standing("2026-10", [spend("2026-10-05", "Acme Ltd", "7.00", "T1")]))
    sql = "SELECT path_in_schema FROM parquet_metadata($file) WHERE bloom_filter_offset IS NOT NULL"
    with duckdb.connect() as engine:
        found = engine.execute(sql, {"file": str(tmp_path / "2026-27/spend.parquet")}).fetchall()
    assert {name for (name,) in found} == {"line_id", "transaction_number"}


def test_texts_that_repeat_in_one_table_and_not_in_another_stay_as_they_are(standing: Standing, tmp_path: Path) -> None:
    many = [spend("2026-10-01", "Acme Ltd", f"{number}.00", "PO 1") for number in range(1, 400)]
    few = [spend("2026-11-02", None, "5.00", "PO 1"), spend("2026-11-03", 'Beta "B" Ltd', "6.00", None)]
    nameless = [{name: cell for name, cell in spend("2026-12-01", None, "7.00").items() if name != "supplier_name"}]
    releases = [standing("2026-10", many), standing("2026-11", few), standing("2026-12", nameless)]
    account = consolidate(tmp_path, *releases)["2026-27"]
    assert (account.rows, account.amount_gbp) == (402, Decimal(400 * 399 // 2 + 18))
    found = [(row["line_date"], row["supplier_name"], row["transaction_number"]) for row in rows(tmp_path)]
    assert found == [
        *[("2026-10-01", "Acme Ltd", "PO 1")] * 399,
        ("2026-11-03", 'Beta "B" Ltd', ""),
        ("2026-11-02", "", "PO 1"),
        ("2026-12-01", "", ""),
    ]
    table = pq.read_table(tmp_path / "2026-27" / "spend.parquet")
    assert table.schema.field("supplier_name").type == table.schema.field("body").type == pa.string()
    assert table.column("supplier_key").null_count == table.column("supplier_name").null_count == 2


def test_a_table_by_itself_counts_as_it_does_beside_others(standing: Standing, tmp_path: Path) -> None:
    lines = [spend("2026-10-01", "Acme Ltd", "5.00")] * 2 + [spend(None, "Acme Ltd", "5.00")] * 2
    october = standing("2026-10", lines)
    alone = consolidate(tmp_path / "alone", october)["2026-27"]
    beside = consolidate(tmp_path / "beside", october, standing("2026-09", [spend("2026-09-01", "B Ltd", "1.00")]))
    assert alone.counted[0] == beside["2026-27"].counted[1]
    assert alone.rows == 4
