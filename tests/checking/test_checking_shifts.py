"""Cells that are not below their headings: made-up tables are read right or held, and never published wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation

import pytest

from piperoll.checking.check_file import FileToCheck, examine_file
from piperoll.checking.examine import Examination
from tests.checking.made_shifts import LAYOUTS, ROWS, ShiftedTable, plain_table, shifted_tables

SEEDS = (1, 2)


def examined(table: ShiftedTable) -> Examination:
    return examine_file(FileToCheck(table.to_csv(), "spend May 2024.csv", dataset="spend"))


def published(examination: Examination) -> Iterator[tuple[int, str, str]]:
    """The row, field and value of every cell that would be published."""
    if not examination.report.verdict.publishes:
        return
    for number, table in enumerate(examination.reading.tables):
        held = set(examination.disposition.held.get(number, ()))
        for batch in table.batches():
            for line in batch.to_pylist():
                if line["row"] not in held:
                    yield from ((line["row"], name, line[name]) for name in table.columns if line[name])


def spelt(field: str, cell: str) -> str:
    if field == "payment_date" and "/" in cell:
        return f"{datetime.strptime(cell, '%d/%m/%Y'):%Y-%m-%d}"  # noqa: DTZ007 - a day
    try:
        return str(Decimal(cell.replace(",", "")).normalize()) if field in ("net_amount", "irrecoverable_vat") else cell
    except InvalidOperation:
        return cell


def wrong_cells(table: ShiftedTable, examination: Examination) -> list[tuple[int, str, str]]:
    return [
        (row, field, value)
        for row, field, value in published(examination)
        if spelt(field, value) != spelt(field, table.truth.get(row, {}).get(field, ""))
        and (field in table.truth.get(row, {}) or field in {name for _, _, name in LAYOUTS[table.name.split(":")[0]]})
    ]


def shift_codes(examination: Examination) -> set[str]:
    codes = {finding.code for finding in examination.report.findings}
    return codes & {"columns-shifted", "columns-perhaps-shifted", "column-contradicts-heading"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_whose_cells_are_below_their_headings_is_not_shifted(layout: str) -> None:
    table = plain_table(layout, 1)
    examination = examined(table)
    assert examination.report.verdict.publishes
    assert not shift_codes(examination)
    assert not wrong_cells(table, examination)
    assert len({row for row, _, _ in published(examination)}) == ROWS


def test_shifted_cells_are_read_right_or_held_and_never_published_wrong() -> None:
    outcomes: Counter[str] = Counter()
    for seed in SEEDS:
        for table in shifted_tables(seed):
            examination = examined(table)
            assert wrong_cells(table, examination) == [], table.name
            outcomes["right" if examination.report.verdict.publishes else "held"] += 1
    assert outcomes.total() == 144 * len(SEEDS)
    assert outcomes["right"] > 0.5 * outcomes.total()


def test_a_contradicted_column_is_one_finding_that_counts_what_follows_from_it() -> None:
    lines = ["Payment Date,Supplier,Purpose,Amount"]
    lines += [f"Works {day},Alder Roofing Ltd,Repairs,{day}50.25" for day in range(1, 13)]
    report = examine_file(FileToCheck("\n".join(lines).encode(), "spend May 2024.csv", dataset="spend")).report
    assert str(report.verdict) == "held"
    (cause,) = (each for each in report.findings if str(each.severity) == "error")
    assert (cause.code, cause.column, cause.field) == ("column-contradicts-heading", "A", "payment_date")
    assert cause.message.endswith("13 findings that follow from this are not listed.")
    assert not any(each.code in ("date-unreadable", "core-unreadable", "too-much-held") for each in report.findings)


def test_rows_that_are_shifted_from_some_row_on_are_read_where_their_cells_are() -> None:
    tables = {table.name.split(" (")[0]: table for table in shifted_tables(1)}
    table = tables["council: right from the middle, from row 30"]
    examination = examined(table)
    (finding,) = (each for each in examination.report.findings if each.code == "columns-shifted")
    assert (finding.row, finding.column, finding.count) == (30, "D", 20)
    assert not wrong_cells(table, examination)
    assert examination.reading.tables[0].letter("net_amount", 40) == "G"
    assert examination.reading.tables[0].letter("net_amount", 20) == "F"
