"""Several tables in one sheet: one under another, side by side, or with other headings from some row on."""

from __future__ import annotations

from piperoll import assets
from piperoll.reading.columns.lexicon import build_lexicon
from piperoll.reading.grids.grid import Grid, Row, Rows
from piperoll.reading.tables.sections import Section, find_sections

SPEND = build_lexicon(assets.dataset("spend"), None)
HEAD = "Entity|Date|Supplier|Transaction Number|Amount"
DATA = "Fairshire|01/04/2026|Acme Ltd|T1|5.00"


def grid(*lines: str) -> Grid:
    return Grid(None, Rows.of(Row(number, number, line.split("|")) for number, line in enumerate(lines, start=1)))


def sections(*lines: str) -> list[Section]:
    return find_sections(grid(*lines), SPEND)


def filled(section: Section) -> list[list[str]]:
    rows = [[cell for cell in row.cells if cell] for row in section.rows]
    return [row for row in rows if row]


def test_a_second_heading_row_with_the_columns_reordered_opens_a_section() -> None:
    first, second = sections(HEAD, DATA, "Supplier|Amount|Date|Entity|Transaction Number", "Acme|5|02/04/2026|F|T2")
    assert [len(first.rows), len(second.rows)] == [1, 1]
    assert (first.heading.index, second.heading.index) == (0, 2)


def test_repeated_headings_do_not_open_a_section() -> None:
    (only,) = sections(HEAD, DATA, "", HEAD, DATA, "Page 2 of 3", HEAD, DATA)
    assert len(only.rows) == 7


def test_a_table_above_one_with_more_headings_is_not_lost() -> None:
    upper, lower = sections(
        "April", "Date|Supplier|Amount", "01/04/2026|Acme|5.00", "", "Entity|Date|Supplier|Amount", DATA
    )
    assert (len(upper.rows), len(lower.rows)) == (2, 1)
    assert not upper.lesser


def test_a_summary_with_the_core_alone_is_a_lesser_section_of_its_own() -> None:
    head = "Department Family|Entity|Date|Expense Type|Expense Area|Supplier|Transaction Number|Amount"
    data = "F|F|01/04/2026|Rent|Estates|Acme|T1|5.00"
    upper, lower = sections("Top suppliers", "Supplier|Total", "Acme|5.00", "", head, data)
    assert (upper.lesser, lower.lesser) == (True, False)


def test_tables_one_under_another_keep_their_own_rows() -> None:
    parts = sections("North", HEAD, DATA, "", "South", "Date|Entity|Supplier|Amount|Description", "2/4/2026|F|B|1|x")
    assert [part.heading.index for part in parts] == [1, 5]


def test_tables_side_by_side_are_each_read_with_their_own_columns() -> None:
    left, right = sections(
        "Date|Supplier|Amount||Date|Supplier|Amount",
        "01/04/2026|Acme|5.00||02/04/2026|Bolt|6.00",
        "03/04/2026|Crown|7.00||||",
    )
    assert (left.span, right.span) == ((0, 4), (4, 7))
    assert filled(left) == [["01/04/2026", "Acme", "5.00"], ["03/04/2026", "Crown", "7.00"]]
    assert filled(right) == [["02/04/2026", "Bolt", "6.00"]]
    assert right.rows[0].cells.index("Bolt") == 5


def test_tables_side_by_side_may_begin_in_different_rows() -> None:
    parts = sections(
        "April",
        "Date|Supplier|Amount|",
        "01/04/2026|Acme|5.00||May",
        "03/04/2026|Crown|7.00||Supplier|Date|Amount",
        "03/04/2026|Crown|8.00||Bolt|02/05/2026|6.00",
    )
    assert [filled(part) for part in parts][1] == [["Bolt", "02/05/2026", "6.00"]]
    assert len(filled(parts[0])) == 3


def test_headings_that_start_again_without_a_gap_are_tables_side_by_side() -> None:
    left, right = sections("Date|Supplier|Amount|Date|Supplier|Amount", "1/4/2026|Acme|5|2/4/2026|Bolt|6")
    assert (filled(left), filled(right)) == ([["1/4/2026", "Acme", "5"]], [["2/4/2026", "Bolt", "6"]])


def test_an_empty_column_within_a_table_does_not_divide_it() -> None:
    (only,) = sections("Date|Supplier||Amount|Description", "01/04/2026|Acme||5.00|Rent")
    assert only.span is None


def test_a_record_of_words_does_not_open_a_section() -> None:
    (only,) = sections(HEAD, DATA, "Fairshire|TBC|Supplier||Net", DATA)
    assert len(only.rows) == 3
