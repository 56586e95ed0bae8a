"""Headings that take several rows, stand far down, or are hard to tell from what is around them."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.reading.columns.lexicon import build_lexicon
from piperoll.reading.grids.grid import Grid, Row, Rows
from piperoll.reading.tables.heading_rows import (
    HeadingRow,
    choose_heading_row,
    find_heading_rows,
    is_numbering_row,
    is_unit_row,
    join_headings,
)

SPEND = build_lexicon(assets.dataset("spend"), None)
HEAD = "Department Family|Entity|Date|Expense Type|Supplier|Transaction Number|Amount"
DATA = "Fairshire|Fairshire Council|01/04/2026|Printing|Acme Printing Ltd|T001|100.50"


def grid(*lines: str) -> Grid:
    return Grid(None, Rows.of(Row(number, number, line.split("|")) for number, line in enumerate(lines, start=1)))


def best(*lines: str) -> HeadingRow:
    found = choose_heading_row(find_heading_rows(grid(*lines), SPEND))
    assert found is not None
    return found


@pytest.mark.parametrize("length", [0, 1, 12, 199, 200, 201, 1000])
def test_headings_below_a_preamble_of_any_length_are_found(length: int) -> None:
    preamble = [f"Note {number}|about the data" for number in range(length)]
    assert best(*preamble, HEAD, DATA).index == length


def test_headings_far_down_are_found_although_their_first_cells_are_unknown() -> None:
    preamble = ["words"] * 300
    assert best(*preamble, "q1|q2|q3|q4|q5|q6|q7|Supplier|Date|Amount", "||||||x|Acme Ltd|01/04/2026|5.00").index == 300


def test_headings_continued_in_the_next_row_are_joined() -> None:
    found = best(
        "Department|Payment|Supplier|Transaction|Net",
        "Family|Date|Name|Number|Amount",
        "Fairshire|01/04/2026|Acme Ltd|T1|5.00",
    )
    assert (found.index, found.extra) == (1, 1)
    assert found.cells == ("Department Family", "Payment Date", "Supplier Name", "Transaction Number", "Net Amount")


def test_headings_continued_over_three_rows_are_joined() -> None:
    found = best("Date|Supplier||", "of||Transaction|Net", "Payment|Name|Number|Amount", "01/04/2026|Acme Ltd|T1|5.00")
    assert (found.index, found.extra) == (2, 2)
    assert found.cells == ("Date of Payment", "Supplier Name", "Transaction Number", "Net Amount")


def test_a_group_title_applies_to_every_column_of_its_group() -> None:
    assert join_headings(["", "", "Amount", "", "", ""], ["Supplier", "Date", "Gross", "Net", "VAT", ""], SPEND) == (
        "Supplier",
        "Date",
        "Amount Gross",
        "Amount Net",
        "VAT Amount",
        "",
    )


def test_a_group_title_ends_at_the_next_title() -> None:
    upper = ["Payment", "", "Supplier", ""]
    lower = ["Date", "Reference", "Name", "Town"]
    assert join_headings(upper, lower, SPEND) == ("Payment Date", "Payment Reference", "Supplier Name", "Town")


def test_a_title_above_the_headings_is_not_part_of_them() -> None:
    found = best("Spend over £500|||Finance", HEAD, DATA)
    assert (found.index, found.extra, found.cells) == (1, 0, tuple(HEAD.split("|")))


@pytest.mark.parametrize("units", ["||||||(£)", "|||||No.|£", "||dd/mm/yyyy||||£", "A|B|C|D|E|F|G", "1|2|3|4|5|6|7"])
def test_units_and_numbers_below_the_headings_belong_to_them(units: str) -> None:
    found = best(HEAD, units, DATA)
    assert (found.index, found.after, found.end) == (0, 1, 2)


def test_a_unit_below_the_headings_is_read_with_its_heading() -> None:
    assert best(HEAD, "||||||(£000)", DATA).cells[-1] == "Amount (£000)"


def test_units_and_numbers_can_both_be_below_the_headings() -> None:
    assert best(HEAD, "(a)|(b)|(c)|(d)|(e)|(f)|(g)", "||||||£", DATA).after == 2


def test_a_record_is_not_a_row_of_units_or_numbers() -> None:
    assert not is_unit_row(Row(1, 1, ["Acme", "£"]))
    assert not is_unit_row(Row(1, 1, ["", ""]))
    assert not is_numbering_row(Row(1, 1, ["1", "2"]))
    assert not is_numbering_row(Row(1, 1, ["1", "2", "4"]))
    assert not is_numbering_row(Row(1, 1, ["1", "Acme", "3"]))


def test_the_detail_is_read_and_not_the_summary_above_it() -> None:
    assert best("Supplier|Total", "Acme Ltd|100.50", "", HEAD, DATA).index == 3


def test_a_first_record_does_not_continue_the_headings() -> None:
    found = best("Supplier|Date|Amount|Description", "Family|TBC||Number", "Acme Ltd|01/04/2026|5.00|x")
    assert (found.index, found.extra) == (0, 0)


def test_continued_headings_are_joined_although_the_lower_word_alone_has_a_meaning() -> None:
    found = best("Expense|Expense|Contract|Supplier|Payment|Net", "type|area|ref|name|date|amount", DATA)
    joint = "Expense type|Expense area|Contract ref|Supplier name|Payment date|Net amount"
    assert found.cells == tuple(joint.split("|"))
    assert found.fields >= {"expense_type", "expense_area", "contract_ref"}
