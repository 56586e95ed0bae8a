"""Totals: exact, counted in rows of the source, and conserved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.checking.totals import count_table, exact_sum, require_conservation
from piperoll.errors import ConservationError
from piperoll.model import AmountTotals, DateSpan
from piperoll.terminal import report_view
from tests.checking.made_readings import examined, made_table, spend_row

SPEND = assets.dataset("spend")
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)


@given(st.lists(AMOUNTS.map(lambda amount: f"{amount:f}") | st.none(), max_size=30), st.sets(st.integers(2, 31)))
def test_what_is_read_is_accepted_or_held_to_the_last_place(cells: list[str | None], held: set[int]) -> None:
    table = made_table(rows=[spend_row(net_amount=cell) for cell in cells], columns=list(spend_row()), batch_rows=7)
    counted = count_table(table, SPEND, held, held)
    require_conservation([table], [counted])
    assert counted.amount is not None
    assert counted.amount.read == sum((Decimal(cell) for cell in cells if cell), Decimal(0))
    assert counted.rows.read == len(cells)
    assert counted.amount.missing == cells.count(None)


def test_sums_are_exact_where_floats_and_28_digits_are_not() -> None:
    assert exact_sum([Decimal("0.1")] * 3) == Decimal("0.3")
    assert exact_sum([Decimal("1e20"), Decimal("1e-20")]) == Decimal("100000000000000000000.00000000000000000001")


def test_lines_that_share_a_row_are_one_row_and_all_its_pounds() -> None:
    table = made_table(
        rows=[spend_row(net_amount="1"), spend_row(net_amount="2"), spend_row(net_amount="4")], numbers=[2, 2, 3]
    )
    counted = count_table(table, SPEND, {2}, set())
    assert (counted.rows.read, counted.rows.held, counted.lines) == (2, 1, 1)
    assert counted.amount == AmountTotals("net_amount", Decimal(7), Decimal(4), Decimal(3), 0, 0)


def test_a_row_with_one_amount_among_its_lines_is_not_missing_it() -> None:
    table = made_table(
        rows=[spend_row(net_amount=None), spend_row(net_amount="2"), spend_row(net_amount=None)], numbers=[2, 2, 3]
    )
    counted = count_table(table, SPEND, (), ())
    assert counted.amount is not None
    assert counted.amount.missing == 1


def test_unreadable_is_not_missing_and_dates_span_what_is_there() -> None:
    rows = [spend_row(payment_date="2026-10-31"), spend_row(payment_date=None), spend_row(payment_date="0026-10-01")]
    table = made_table(rows=rows, unreadable={"payment_date": [3]})
    counted = count_table(table, SPEND, (), ())
    assert counted.date == DateSpan("payment_date", "0026-10-01", "2026-10-31", 1, 0)


def test_what_is_left_out_stands_beside() -> None:
    table = made_table(rows=[spend_row()], excluded=[(3, "total", Decimal("1250.00")), (4, "blank", None)])
    (report,) = examined(table).report.tables
    assert report.amount is not None
    assert report.amount.excluded == Decimal("1250.00")
    assert report.rows.excluded == {"blank": 1, "total": 1, "repeated_header": 0, "note": 0, "other": 0}


def test_a_row_that_got_lost_between_reading_and_checking_stops_everything() -> None:
    table = made_table(rows=[spend_row()] * 3)
    with pytest.raises(ConservationError, match="4 records were read, but 3 are"):
        examined(replace(table, rows=4))


def test_pounds_that_do_not_add_up_stop_everything() -> None:
    table = made_table(rows=[spend_row()])
    counted = count_table(table, SPEND, (), ())
    assert counted.amount is not None
    with pytest.raises(ConservationError, match=r"£1250\.00 was read"):
        require_conservation([table], [replace(counted, amount=replace(counted.amount, accepted=Decimal("1249.99")))])


def test_a_held_amount_that_cannot_be_read_does_not_count_as_no_pounds_held() -> None:
    """A row with an amount that could not be read was said to hold back £0.00."""
    rows = "01/10/2026,Acme Ltd,Rent,600.00\n02/10/2026,Beta Ltd,Rent,six hundred\n"
    text = "Payment Date,Supplier,Purpose,Amount\n" + rows
    report = check_file(FileToCheck(text.encode(), "October 2026.csv", "spend"))
    amount = report.tables[0].amount
    assert (str(amount.held), amount.held_unreadable, report.tables[0].rows.held) == ("0", 1, 1)
    shown = StringIO()
    Console(file=shown, width=200).print(report_view(report, quick=False))
    assert "£600.00 accepted, held: 1 row whose amount cannot be read." in shown.getvalue()
