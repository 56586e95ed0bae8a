"""Work on whole columns and blocks gives exactly the results of work on single cells, rows and lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.reading.cells.amounts import PlainAmounts, sum_millionths
from piperoll.reading.cells.marks import _NOTHING_TYPED
from piperoll.reading.cells.value_counts import PatternCounts
from piperoll.reading.cells.values import UNREADABLE, Reader, spell
from piperoll.reading.files import delimited
from piperoll.reading.files.delimited import TextRows, read_text
from piperoll.reading.grids import blocks
from piperoll.reading.grids.grid import Row, Rows
from piperoll.reading.tables.classified_rows import ClassifiedRow, TableShape, classify_row, classify_rows
from piperoll.reading.tables.total_rows import RunningSums

SPEND = assets.find_dataset("spend")[0]

amounts = st.one_of(
    st.from_regex(r"\A {0,2}[-+]?£?-? ?\d{1,4}(,\d{2,4}){0,2}(\.\d{0,3})? {0,2}\Z"),
    st.from_regex(r"\A\(?£?0{0,2}\d{0,6}\.?\d{0,7}\)?-?\Z"),
    st.sampled_from(["", "0", "-0", "-0.00", "007", "£ 1 234.50", "5.00 CR", "1.5E+05", "£", "-", "1,234*", "\u22125"]),
)  # fmt: skip
words = st.one_of(
    st.text(alphabet=" \t\n\x00\xa0\ufeffaZ0#£é-,.", max_size=18),
    st.sampled_from([*sorted(_NOTHING_TYPED), "#REF!", "Err:502", "#N/A", "Total", "Energy", "E7", "Total Gas Ltd"]),
)  # fmt: skip
dates = st.sampled_from(["", "01/04/2026", "2026-04-31", " 5 May 2026", "-", "46023", "n/a", "13/13/2026"])


def in_small_blocks(monkeypatch: pytest.MonkeyPatch, rows: int = 7) -> None:
    monkeypatch.setattr(blocks, "ROWS", rows)
    monkeypatch.setattr(delimited, "ROWS", rows)


@pytest.mark.parametrize("name", ["amount", "supplier_name", "payment_date", "transaction_number", "card"])
@given(cells=st.lists(st.one_of(amounts, words, dates), max_size=40))
def test_a_column_is_spelled_like_its_cells(name: str, cells: list[str]) -> None:
    wanted = next((each for each in SPEND.fields if each.name == name), SPEND.fields[0])
    read = list(map(Reader(wanted).read, cells))
    spelt = spell(pa.array(cells, pa.string()), Reader(wanted))
    assert spelt.values.to_pylist() == [value if isinstance(value, str) else None for value in read]
    assert spelt.unreadable == [index for index, value in enumerate(read) if value is UNREADABLE]


@given(cells=st.lists(amounts, max_size=40))
def test_plain_amounts_are_read_exactly(cells: list[str]) -> None:
    wanted = next(each for each in SPEND.fields if each.name in SPEND.amount)
    plain = PlainAmounts(pa.array(["a cell before them", *cells], pa.string())[1:])
    for cell, there, millionths in zip(cells, plain.plain.tolist(), plain.millionths.tolist(), strict=True):
        read = Reader(wanted).read(cell)
        assert isinstance(read, str) and Decimal(read).scaleb(6) == millionths if there else millionths == 0
    assert sum_millionths(plain.millionths) == sum(plain.millionths.tolist()) / Decimal(10**6)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], TableShape]:
    headings = ("date", "supplier", "amount", "purpose", "department")
    cell = st.one_of(words, st.sampled_from(headings))
    record = st.tuples(dates, cell, st.one_of(st.sampled_from(["10.00", "£2.50", "-1"]), amounts), cell, words)
    label = st.sampled_from(["Total", "", "Grand total", "Adults total"])
    total = st.tuples(st.just(""), label, st.sampled_from(["SUM", "PART"]), st.just(""), st.just(""))
    drawn = draw(st.lists(st.one_of(record, record, total, st.just(headings), st.just(())), max_size=40))
    rows = list(_with_sums([list(row)[: draw(st.sampled_from([5, 5, 5, 3]))] for row in drawn]))
    amount, date = draw(st.sampled_from([2, 2, None])), draw(st.sampled_from([(0,), ()]))
    return rows, TableShape(headings, (0, 1, 2), amount, date, draw(st.sampled_from([2.0, 4.0, 5.0])))


def _with_sums(rows: list[list[str]]) -> Iterator[list[str]]:
    """The rows with the sums of the plain amounts above where they are asked for."""
    whole = part = Decimal(0)
    for row in rows:
        cell = row[2] if len(row) > 2 else ""
        if cell in ("SUM", "PART"):
            yield [*row[:2], str(whole if cell == "SUM" else part), *row[3:]]
            part = Decimal(0)
        else:
            value = Decimal(cell.replace("£", "")) if re.fullmatch(r"-?£?\d+(\.\d+)?", cell, re.ASCII) else Decimal(0)
            whole, part = whole + value, part + value
            yield row


def one_by_one(rows: list[Row], shape: TableShape) -> Iterator[ClassifiedRow]:
    sums, last = RunningSums(), None
    for row in rows:
        judged = classify_row(row, shape, sums, last)
        if judged.kind == "record":
            sums.add(judged.amount)
            last = row
        elif judged.kind == "total":
            sums.restart()
        yield judged


@given(table=tables())
def test_rows_are_classified_together_as_one_by_one(table: tuple[list[list[str]], TableShape]) -> None:
    cells, shape = table
    rows = [Row(number, number + 3, row) for number, row in enumerate(cells, start=1)]
    expected = list(one_by_one(rows, shape))
    whole = classify_rows(Rows.of_blocks(blocks.blocks_of(rows[:9])) + Rows.of(rows[9:]), shape)
    assert [row.number for row in whole.records] == [one.row.number for one in expected if one.kind == "record"]
    others = [one for one in expected if one.kind != "record"]
    assert [(one.row.number, one.kind, one.amount, one.proved, one.difference) for one in whole.others] == [
        (one.row.number, one.kind, one.amount, one.proved, one.difference) for one in others
    ]


def read_record_by_record(whole: str) -> TextRows:
    """The records of a text in one block, each of them looked at singly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "split_rows", lambda *_, **__: None)
        of_one = delimited._one_record_a_line
        patch.setattr(
            delimited, "_one_record_a_line", lambda lines, mark: of_one(lines, mark) if len(lines) == 1 else None
        )
        return read_text([whole])


texts = st.lists(
    st.sampled_from([
        "a", "1,234.50", ",", ",", ";", "\t", '"', '"', '""', "\n", "\r\n", "\r", "\n", '"x\ny"', "£5", "\x85",
        "\u2028", "\x0b", '"a, b",c,d\n', "1,2,3\n", "x,y,z\r\n", ' "q"', "\x00",
    ]),
    max_size=60,
)  # fmt: skip


@settings(max_examples=200)
@given(pieces=texts, rows=st.integers(1, 9), repairs=st.sampled_from([0, 2, 200]), cuts=st.integers(1, 7))
def test_a_text_is_split_in_blocks_as_line_by_line(pieces: list[str], rows: int, repairs: int, cuts: int) -> None:
    whole = "".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        in_small_blocks(patch, rows)
        patch.setattr(delimited, "_REPAIRS", repairs)
        read = read_text(whole[start : start + cuts] for start in range(0, len(whole), cuts))
        patch.setattr(delimited, "ROWS", 1000)
        expected = read_record_by_record(whole)
    assert list(read.rows) == list(expected.rows)
    assert list(read.broken_quotes) == list(expected.broken_quotes)


def test_a_cell_that_never_ends_is_repaired_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_blocks(monkeypatch)
    whole = "a,b,c\n" * 10 + '1,"open,2\n' + "1,2,3\n" * 40_000
    read = read_text([whole])
    assert [row.number for row in read.broken_quotes] == [11]
    assert [tuple(row) for row in read.rows[9:12]] == [
        (10, 10, ["a", "b", "c"]), (11, 11, ["1", '"open', "2"]), (12, 12, ["1", "2", "3"]),
    ]  # fmt: skip
    assert len(read.rows) == 40_011


def test_the_first_three_of_similar_cells_represent_all() -> None:
    cells = [f"{number // 100},{number % 1000:03d}.{number % 89 + 11}" for number in range(10_000, 40_000)]
    cells += ["5.00 CR", "1.234", "n/a"] + [f"PAY{number:06d}" for number in range(5000)]
    tally = PatternCounts(names=True)
    for block in Rows.of(Row(number, None, [cell]) for number, cell in enumerate(cells)).blocks():
        tally.add(tally.prepare(block.column(0)))
    found = tally.found
    assert found.total() == len(cells)
    assert list(found)[:1000] == list(Counter(cells))[:1000]
    assert len(found) < 1500
    assert {"5.00 CR", "1.234", "n/a"} <= {*found}
