"""A total is proved by its sums, not by its words; and every row that is left out is counted and told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from piperoll import assets
from piperoll.reading import Reading, read
from piperoll.reading.cells.marks import is_label

HEAD = "Entity,Date,Expense Type,Expense Area,Supplier,Transaction Number,Amount"
ROWS = (
    "Fairshire,01/04/2026,Printing,Central,Acme Ltd,T1,100.50",
    "Fairshire,02/04/2026,Rent,Estates,Total Gas & Power,T2,200.00",
    "Fairshire,03/04/2026,Rent,Estates,Bolt Ltd,T3,-50.25",
)


def spend(*lines: str) -> Reading:
    content = "\r\n".join((HEAD, *lines)).encode()
    return read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))


def totals(reading: Reading) -> list[int]:
    return [row.row for table in reading.tables for row in table.excluded_rows if row.kind == "total"]


def records(reading: Reading) -> list[int]:
    return [row for table in reading.tables for batch in table.batches() for row in batch.column("row").to_pylist()]


def codes(reading: Reading) -> list[str]:
    return [finding.code for finding in reading.findings]


@pytest.mark.parametrize(
    "row",
    [
        ",,,,,,250.25",
        "Total,,,,,,250.25",
        ",,,,Grand total:,,250.25",
        ",,,,,Total for April 2026,250.25",
        "TOTAL SPEND,,,,,,250.25",
        ",,,,,Carried forward,250.25",
        ",30/04/2026,,,Total,,250.25",
        "Total (excl. VAT),,,,,,250.25",
        "Total,,,,,,250",
    ],
)
def test_a_row_that_states_the_sum_of_the_others_is_a_total(row: str) -> None:
    reading = spend(*ROWS, row)
    assert (totals(reading), records(reading)) == ([5], [2, 3, 4])
    assert "total-row-left-out" in codes(reading)


@pytest.mark.parametrize(
    "row",
    [
        "Fairshire,30/04/2026,Rent,Estates,Crown plc,T4,250.25",
        "Fairshire,30/04/2026,Rent,Estates,Total Gas & Power,T4,250.25",
    ],
)
def test_a_full_record_that_equals_the_sum_is_kept_and_reported(row: str) -> None:
    reading = spend(*ROWS, row)
    assert (totals(reading), records(reading)) == ([], [2, 3, 4, 5])
    assert "record-equals-total" in codes(reading)


def test_a_supplier_called_total_is_a_record_in_a_narrow_table() -> None:
    content = (
        b"Supplier,Amount\r\nAcme Ltd,200.00\r\nTotal Gas & Power,200.00\r\nTotal UK Ltd,400.00\r\nBolt Ltd,1.00\r\n"
    )
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert (totals(reading), records(reading)) == ([], [2, 3, 4, 5])


def test_subtotals_of_groups_and_totals_over_them_are_proved() -> None:
    reading = spend(
        *ROWS[:2],
        "Central Total,,,,,,300.50",
        ROWS[2],
        "Fairshire,04/04/2026,Rent,Estates,Bolt Ltd,T5,10.00",
        "Estates Total,,,,,,-40.25",
        "Finance Total,,,,,,260.25",
        *ROWS[:2],
        "Schools Total,,,,,,300.50",
        "Fairshire,09/04/2026,Rent,Estates,Bolt Ltd,T6,9.00",
        "Roads Total,,,,,,9.00",
        "Children Total,,,,,,309.50",
        "Grand Total,,,,,,569.75",
    )
    assert totals(reading) == [4, 7, 8, 11, 13, 14, 15]
    assert codes(reading).count("total-row-left-out") == 7


def test_subtotals_without_a_label_are_proved_by_their_groups() -> None:
    reading = spend(*ROWS[:2], ",,,,,,300.50", ROWS[2], ",,,,,,-50.25", ",,,,,,250.25")
    assert totals(reading) == [4, 6, 7]


def test_a_repeated_amount_is_not_a_total_of_one_row() -> None:
    reading = spend(ROWS[0], ",,,,,,100.50", *ROWS[1:])
    assert (totals(reading), records(reading)) == ([], [2, 3, 4, 5])


def test_page_totals_and_amounts_carried_forward_are_not_records() -> None:
    reading = spend(
        *ROWS, "Page total,,,,,,250.25", "Carried forward,,,,,,250.25", HEAD, "Brought forward,,,,,,250.25", *ROWS
    )
    assert (totals(reading), len(records(reading))) == ([5, 6, 8], 6)


def test_a_total_that_does_not_add_up_is_left_out_and_its_difference_reported() -> None:
    reading = spend(*ROWS, "Total,,,,,,260.25")
    told = next(finding for finding in reading.findings if finding.code == "total-does-not-add-up")
    assert totals(reading) == [5]
    assert "the difference is 10.00" in told.message
    assert (told.row, told.field) == (5, "net_amount")


def test_rounded_amounts_may_differ_a_little_from_their_rounded_total() -> None:
    rows = [f"Fairshire,01/04/2026,Rent,Estates,Acme Ltd,T{number},10{number}" for number in range(8)]
    assert codes(spend(*rows, "Total,,,,,,830")).count("total-does-not-add-up") == 1
    larger = [f"Fairshire,01/04/2026,Rent,Estates,Acme Ltd,T{number},{number}0007" for number in range(1, 9)]
    assert codes(spend(*larger, "Total,,,,,,360058")).count("total-row-left-out") == 1


def test_a_total_right_below_the_headings_is_proved_by_the_rows_below() -> None:
    reading = spend("Total,,,,,,250.25", *ROWS)
    assert (totals(reading), records(reading)) == ([2], [3, 4, 5])


def test_a_total_below_the_headings_that_does_not_add_up_is_reported() -> None:
    reading = spend("Total,,,,,,999.00", *ROWS)
    assert totals(reading) == [2]
    assert "total-does-not-add-up" in codes(reading)


@pytest.mark.parametrize(
    "summary",
    [
        ("Printing,,,,,,100.50", "Rent,,,,,,149.75"),
        ("Printing,,,,,,100.50", "Rent,,,,,,149.75", "All,,,,,,250.25"),
        (",,,,,Acme and others,100.50", ",,,,,the rest,149.75"),
    ],
    ids=["by class", "with their sum", "unknown classes"],
)
def test_a_summary_at_the_end_is_not_a_record(summary: tuple[str, ...]) -> None:
    reading = spend(*ROWS, "", *summary)
    assert records(reading) == [2, 3, 4]
    assert len(totals(reading)) == len(summary)


def test_a_part_of_the_classes_is_proved_by_its_labels() -> None:
    reading = spend(*ROWS, "Rent,,,,,,149.75", "Bolt Ltd,,,,,,-50.25")
    assert (records(reading), totals(reading)) == ([2, 3, 4], [5, 6])


def test_sums_of_classes_in_a_table_of_many_figures_are_proved() -> None:
    lines = [
        "Body,Class,A,B,C,D",
        *(f"Town {n},{'UA' if n % 2 else 'SD'},{n}11,{n}7,{n * 3},{n}9" for n in range(1, 9)),
    ]
    figures = [[int(cell) for cell in line.split(",")[2:]] for line in lines[1:]]
    sums = [[sum(row[c] for row in figures[start::2]) for c in range(4)] for start in (0, 1)]
    whole = [one + other for one, other in zip(*sums, strict=True)]
    for name, row in zip(("ENGLAND,", "Unitary,UA", "Districts,SD"), (whole, *sums), strict=True):
        lines.append(f"{name},{','.join(map(str, row))}")
    head = {"A": "Total transactions", "B": "Digital transactions", "C": "Cost", "D": "Phone"}
    lines[0] = "Department,Category," + ",".join(head.values())
    content = "\r\n".join(lines).encode()
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("transactions"))
    assert (len(records(reading)), totals(reading)) == (8, [10, 11, 12])
    assert "total-rows-left-out" in codes(reading)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("End of report,,,,,,", "note"),
        ("Page 1 of 3,,,,,,", "note"),
        ("Printed on 01/05/2026,,,,,,", "note"),
        ("Signed: A. Treasurer,,,,,,", "note"),
        ("* includes VAT,,,,,,", "note"),
        (",1. Payments under £500 are not listed,,,,,", "note"),
        (",Printed on 01/05/2026,,,,,", "note"),
        (",,,,,,#REF!", "other"),
        ("Fairshire,,,,,,", "other"),
        ("Total,,,,,25.00,", "total"),
        (",,,,,,", "blank"),
    ],
)
def test_excluded_rows_are_counted_by_kind(line: str, kind: str) -> None:
    reading = spend(*ROWS, line)
    assert records(reading) == [2, 3, 4]
    assert reading.tables[0].excluded == {kind: 1}


def test_every_row_below_the_headings_is_a_record_or_counted() -> None:
    lines = [*ROWS, "", "Sub total,,,,,,250.25", HEAD, *ROWS, "Total,,,,,,500.50", "", "Page 2", "Rent,,,,,,"]
    reading = spend(*lines)
    (table,) = reading.tables
    assert table.rows + sum(table.excluded.values()) == len(lines)


def test_several_records_in_one_row_are_reported() -> None:
    reading = spend(*ROWS, 'Fairshire,04/04/2026,Rent,Estates,"A Ltd\nB Ltd",T4,"1.00\n2.00"')
    told = next(finding for finding in reading.findings if finding.code == "records-in-one-row")
    assert (told.row, told.field) == (5, "net_amount")


@pytest.mark.parametrize(
    "name", ["Total Gas & Power", "Total UK Ltd", "Total Produce", "Totally Local", "Net Total Ltd"]
)
def test_a_name_is_not_the_label_of_a_total(name: str) -> None:
    assert not is_label(name)


def test_the_sum_of_records_and_totals_is_the_sum_of_the_cells() -> None:
    reading = spend(*ROWS, "Total,,,,,,250.25")
    excluded = sum((row.amount or Decimal(0)) for row in reading.tables[0].excluded_rows)
    assert excluded == Decimal("250.25")


@pytest.mark.parametrize("day", ["31/02/2026", "32nd April 2026", "30/04/2026", "46142"])
def test_a_row_with_a_day_alone_is_a_record_with_gaps(day: str) -> None:
    assert records(spend(*ROWS, f",{day},,,,,")) == [2, 3, 4, 5]


def test_sums_beside_the_table_are_not_records() -> None:
    rows = [f"{row},,,," for row in ROWS]
    reading = spend(*rows, ",,,,,,,,,19961,95006962", ",,,,,,,,,42699,95006974")
    table = reading.tables[0]
    assert table.rows == len(ROWS)
    assert [(row.row, row.kind) for row in table.excluded_rows] == [(5, "other"), (6, "other")]
    assert "residue-left-out" in codes(reading)
    assert "row-too-long" not in codes(reading)


def test_sums_beside_a_table_without_amounts_are_not_records() -> None:
    content = b"Job title,Grade,FTE,Organisation,,,\r\n"
    content += b"".join(b"Head of %d,SCS1,1,Fairshire,,,\r\n" % row for row in range(4)) + b",,,,199,95006962,7\r\n"
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("roles"))
    assert (reading.tables[0].rows, dict(reading.tables[0].excluded)) == (4, {"other": 1})


def test_the_label_of_a_total_among_dates_does_not_spoil_the_column() -> None:
    content = (
        b"Transaction Date,Post Date,Supplier,Amount\r\n02/01/2020,04/01/2020,Acme Ltd,12.00\r\n"
        b"03/01/2020,06/01/2020,Bolt Ltd,55.55\r\nGrand Total,,,67.55\r\n"
    )
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert reading.tables[0].columns["payment_date"] == "Transaction Date"
