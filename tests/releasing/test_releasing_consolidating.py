from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from piperoll import assets
from piperoll.model import CurrentRelease, Packed
from piperoll.releasing import consolidate_releases

COLUMNS = ("payment_date", "supplier_name", "net_amount", "transaction_number")
Line = dict[str, str | None]


def spend(day: str, supplier: str, amount: str, number: str | None = None) -> Line:
    return dict(zip(COLUMNS, (day, supplier, amount, number), strict=True))


@pytest.fixture
def standing(packing, make_table) -> Callable[..., CurrentRelease]:
    def make(period: str, lines: Sequence[Line], *, dataset: str = "spend", part: str | None = None) -> CurrentRelease:
        columns = tuple(lines[0]) if lines else COLUMNS
        packed: Packed = packing([make_table(lines, columns)], dataset=dataset, period=period, part=part)
        return CurrentRelease(packed.manifest.series, 1, lambda: packed.folder)

    return make


def rows(folder: Path, dataset: str = "spend") -> list[dict[str, str]]:
    with (folder / f"{dataset}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_line_leads_to_its_release(standing, tmp_path: Path) -> None:
    own = [
        standing("2026-11", [spend("2026-11-02", "Beta Ltd", "5.00")]),
        standing("2026-10", [spend("2026-10-01", "Acme Ltd", "1250.00")]),
    ]
    made = consolidate_releases(assets.dataset("spend"), own, [], tmp_path)
    assert [(row["body"], row["series"], row["version"]) for row in rows(tmp_path)] == [
        ("anytown", "spend/anytown/2026-10", "1"),
        ("anytown", "spend/anytown/2026-11", "1"),
    ]
    assert (made.rows, made.amount_gbp, made.republished) == (2, Decimal("1255.00"), ())
    table = pq.read_table(tmp_path / "spend.parquet")
    assert table.column("net_amount").to_pylist() == [Decimal("1250.0000"), Decimal("5.0000")]


def test_an_october_payment_repeated_in_the_november_file_is_counted_once(standing, tmp_path: Path) -> None:
    late = spend("2026-10-31", "Acme Ltd", "10.00", "T1")
    own = [
        standing("2026-10", [late, spend("2026-10-01", "Beta Ltd", "1.00", "T0")]),
        standing("2026-11", [late, spend("2026-11-02", "Beta Ltd", "5.00", "T2")]),
    ]
    made = consolidate_releases(assets.dataset("spend"), own, [], tmp_path)
    assert [row["transaction_number"] for row in rows(tmp_path)] == ["T1", "T0", "T2"]
    (left,) = made.republished
    assert (str(left.series), str(left.counted_in)) == ("spend/anytown/2026-11", "spend/anytown/2026-10")
    assert (left.rows, left.amount_gbp) == (1, Decimal("10.00"))


def test_two_like_payments_of_which_one_comes_again_stay_two(standing, tmp_path: Path) -> None:
    twice = spend("2026-10-31", "Acme Ltd", "10.00")
    own = [standing("2026-10", [twice]), standing("2026-11", [twice, twice])]
    made = consolidate_releases(assets.dataset("spend"), own, [], tmp_path)
    assert made.rows == 2
    assert [left.rows for left in made.republished] == [1]


def test_a_late_payment_that_no_other_file_has_counts(standing, tmp_path: Path) -> None:
    own = [
        standing("2026-10", [spend("2026-10-01", "Beta Ltd", "1.00")]),
        standing("2026-11", [spend("2026-10-31", "Acme Ltd", "10.00")]),
    ]
    assert consolidate_releases(assets.dataset("spend"), own, [], tmp_path).republished == ()


def test_a_march_payment_in_aprils_file_is_counted_in_the_year_before(standing, tmp_path: Path) -> None:
    late = spend("2026-03-31", "Acme Ltd", "10.00")
    before = standing("2026-03", [late])
    made = consolidate_releases(assets.dataset("spend"), [standing("2026-04", [late])], [before], tmp_path)
    assert made.rows == 0
    assert made.republished[0].counted_in == before.series


def test_a_release_of_another_year_is_fetched_only_if_a_line_is_dated_in_it(standing, tmp_path: Path) -> None:
    def unwanted() -> Path:
        raise AssertionError("nothing in the file is dated in its time")

    march = standing("2026-03", [])
    own = [standing("2026-04", [spend("2026-04-01", "Acme Ltd", "10.00")])]
    made = consolidate_releases(assets.dataset("spend"), own, [CurrentRelease(march.series, 1, unwanted)], tmp_path)
    assert made.rows == 1


def test_a_payment_by_card_is_not_taken_for_one_by_the_ledger(standing, tmp_path: Path) -> None:
    same = spend("2026-10-31", "Acme Ltd", "10.00")
    own = [standing("2026-10", [same]), standing("2026-11", [same], part="card")]
    assert consolidate_releases(assets.dataset("spend"), own, [], tmp_path).rows == 2


def contract(ref: str | None, title: str, amount: str) -> Line:
    return {"contract_ref": ref, "title": title, "supplier_name": "Acme Ltd", "original_value": amount}


def test_the_latest_register_counts_for_a_contract_that_several_list(standing, tmp_path: Path) -> None:
    dataset = assets.dataset("contracts")
    own = [
        standing("2026-04", [contract("C1", "Roads", "100.00"), contract("C2", "Bins", "7.00")], dataset="contracts"),
        standing("2026-05", [contract("C1", "Roads, extended", "150.00")], dataset="contracts"),
    ]
    made = consolidate_releases(dataset, own, [], tmp_path)
    assert [row["title"] for row in rows(tmp_path, "contracts")] == ["Bins", "Roads, extended"]
    assert [(str(left.series.period), left.rows) for left in made.republished] == [("2026-04", 1)]


def test_an_amount_of_five_places_is_kept_beside_one_of_two(standing, tmp_path: Path) -> None:
    own = [
        standing("2026-10", [spend("2026-10-01", "Acme Ltd", "0.00001")]),
        standing("2026-11", [spend("2026-11-01", "Acme Ltd", "1.00")]),
    ]
    made = consolidate_releases(assets.dataset("spend"), own, [], tmp_path)
    assert made.amount_gbp == Decimal("1.00001")
    assert pq.read_schema(tmp_path / "spend.parquet").field("net_amount").type.scale == 10
