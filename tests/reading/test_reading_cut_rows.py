"""Rows cut by a comma that is not in quotes: put together where only one way is right, and otherwise left in doubt."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.reading import Reading, read

HEAD = "Entity,Date,Expense Type,Supplier,Transaction Number,Amount,Description"
ROWS = [f"Fairshire,0{n}/04/2026,Rent,Supplier {'ABCDEFGH'[n]} Ltd,T10{n},{n}00.50,roof" for n in range(1, 8)]


def spend(*lines: str) -> Reading:
    content = "\r\n".join((HEAD, *ROWS, *lines)).encode()
    return read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))


def last(reading: Reading, field: str) -> str | None:
    return [cell for batch in reading.tables[0].batches() for cell in batch.column(field).to_pylist()][-1]


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings}


@pytest.mark.parametrize(
    ("row", "supplier"),
    [
        ("Fairshire,09/04/2026,Rent,Bolt, Nut & Co,T109,900.50,roof", "Bolt, Nut & Co"),
        ("Fairshire,09/04/2026,Rent,Bolt,Nut & Co,T109,900.50,roof", "Bolt,Nut & Co"),
        ("Fairshire,09/04/2026,Rent,Bolt, Nut, Screw Ltd,T109,900.50,roof", "Bolt, Nut, Screw Ltd"),
    ],
)
def test_a_supplier_cut_at_a_comma_is_joined(row: str, supplier: str) -> None:
    reading = spend(row)
    assert (last(reading, "supplier_name"), last(reading, "net_amount")) == (supplier, "900.50")
    assert last(reading, "transaction_number") == "T109"
    assert "row-mended" in codes(reading)
    assert "row-too-long" not in codes(reading)


def test_an_amount_cut_at_its_thousands_separator_is_joined() -> None:
    lines = [line.rsplit(",", 1)[0] for line in (HEAD, *ROWS)]
    content = "\r\n".join([*lines, "Fairshire,09/04/2026,Rent,Bolt Ltd,T109,1,200.00"]).encode()
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert last(reading, "net_amount") == "1200.00"
    assert "row-mended" in codes(reading)


def test_an_amount_that_may_be_cut_before_words_is_not_guessed() -> None:
    reading = spend("Fairshire,09/04/2026,Rent,Bolt Ltd,T109,1,200.00,roof")
    assert last(reading, "net_amount") is None
    assert "row-too-long" in codes(reading)


def test_a_description_cut_at_the_end_of_the_row_is_joined() -> None:
    reading = spend("Fairshire,09/04/2026,Rent,Bolt Ltd,T109,5.00,roof, gutter")
    assert last(reading, "purpose") == "roof, gutter"


def test_a_row_that_could_have_been_cut_in_two_places_stays_doubtful() -> None:
    reading = spend("Fairshire,09/04/2026,North,East,West Ltd,T109,5.00,roof")
    assert "row-mended" not in codes(reading)
    assert "row-too-long" in codes(reading)


def test_trailing_commas_are_not_a_cut() -> None:
    reading = spend("Fairshire,09/04/2026,Rent,Bolt Ltd,T109,5.00,roof,,")
    assert codes(reading).isdisjoint({"row-mended", "row-too-long"})


LEFT_OVER = "Date,Amount,Supplier,Purpose,,"
FIVE = [f"0{n}/04/2026,{n}00.50,Supplier {'ABCDEFGH'[n]} Ltd,Repair {n}," + "," * (n % 4) for n in range(1, 8)]


def ending(*lines: str) -> Reading:
    content = "\r\n".join((LEFT_OVER, *FIVE, *lines)).encode()
    return read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))


def test_a_row_cut_right_of_all_figures_is_joined_despite_trailing_delimiters() -> None:
    reading = ending("09/04/2026,900.50,Bolt, Nut & Co,Rent,,")
    assert (last(reading, "supplier_name"), last(reading, "purpose")) == ("Bolt, Nut & Co", "Rent")
    assert "row-mended" in codes(reading)


def test_a_row_that_may_be_cut_right_of_all_figures_is_reported_and_keeps_its_amount() -> None:
    reading = ending("09/04/2026,900.50,Bolt,Nut & Co,Rent,")
    assert (last(reading, "supplier_name"), last(reading, "net_amount")) == ("Bolt", "900.50")
    assert "row-too-long" in codes(reading)


def test_a_cut_row_is_reported_despite_varying_trailing_delimiters() -> None:
    rows = ["24/04/2021,3M Kingdom PLC,Licences,31183.29,,,", "18/04/2021,Cost Cutters Ltd,Nurse,12455.00,,"]
    rows += ["20/04/2021,Old Bakery Ltd,Survey,15364.19,,,,", "07/04/2021,Marsh, Fen & Co,Signs,-44153.00,"]
    content = "\r\n".join(("Payment date,Supplier name,Purpose,Net amount,", *rows)).encode()
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert codes(reading) & {"row-too-long", "row-mended"}


@pytest.mark.parametrize("left_over", [4, 40])
def test_trailing_delimiters_cut_no_row(left_over: int) -> None:
    odd = "Fairshire,08/04/2026,Rent,Bolt Ltd,several payments of April,800.50,roof"
    content = "\r\n".join(line + "," * left_over for line in (HEAD, *ROWS, odd)).encode()
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert not codes(reading) & {"row-too-long", "row-mended"}
