"""Broken quotation marks change neither other cells nor the rows around them."""

from __future__ import annotations

import pytest

from piperoll.reading.files.delimited import read_text, repair_record

HEAD = "date,supplier,type,amount\n"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('01/04/2026,"Acme Ltd,Rent,5.00', ["01/04/2026", '"Acme Ltd', "Rent", "5.00"]),
        ('01/04/2026,"Acme Ltd,"Training, two days",5.00', ["01/04/2026", '"Acme Ltd', "Training, two days", "5.00"]),
        ('01/04/2026,"The "Old" Bakery, Ltd",Rent,5.00', ["01/04/2026", 'The "Old" Bakery, Ltd', "Rent", "5.00"]),
        ('01/04/2026,"Acme\nLtd","Rent,5.00', ["01/04/2026", "Acme\nLtd", '"Rent', "5.00"]),
    ],
    ids=["never closed", "closed by the next cell's", "quotes within quotes", "after a cell of two lines"],
)
@pytest.mark.parametrize("after", ["", '02/04/2026,"Bolt, Nut & Co",Rent,6.00\n'], ids=["last row", "not last"])
def test_a_broken_quote_changes_no_other_cell(row: str, cells: list[str], after: str) -> None:
    read = read_text([f"{HEAD}{row}\n{after}"])
    assert list(read.rows[1].cells) == cells
    assert [each.number for each in read.broken_quotes] == [2]
    assert [list(each.cells) for each in read.rows[2:]] == [["02/04/2026", "Bolt, Nut & Co", "Rent", "6.00"]][
        : bool(after)
    ]


def test_a_space_after_a_closing_quote_breaks_nothing() -> None:
    read = read_text([f'{HEAD}01/04/2026,"Bolt, Nut & Co" ,Rent,5.00\n'])
    assert read.rows[1].cells[1].strip() == "Bolt, Nut & Co"
    assert not list(read.broken_quotes)


def test_each_dead_end_of_many_quotes_is_tried_once() -> None:
    record = '"",' * 300 + '"x\n'
    assert len(repair_record([record], ",", 8).cells) == 301


def test_a_broken_quote_does_not_swallow_the_rows_below_to_have_as_many_cells_as_the_headings() -> None:
    rows = ["a,b,c,d,e,f,,x,y", '1,"2,3,4,5,6', *['1,2,3,4,"5, and",6'] * 4]
    read = read_text(["\n".join(rows)])
    assert [len(row.cells) for row in read.rows] == [9, 6, 6, 6, 6, 6]
