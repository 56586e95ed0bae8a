"""Tests on shapes agree with tests on cells, and so does the index of the shapes in a block."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.model.columns import texts
from piperoll.reading.cells import value_counts
from piperoll.reading.cells.amounts import is_number, read_amount
from piperoll.reading.cells.dates import is_date, is_serial, may_be_time, read_month
from piperoll.reading.cells.values import Reader, is_plain_text
from piperoll.reading.columns.lexicon import build_lexicon
from piperoll.reading.columns.profiles import _RANGE, COMPANY, is_reference
from piperoll.reading.grids import cell_shapes
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.cell_shapes import index_shapes, match_cells, to_shape, to_shapes
from piperoll.reading.grids.grid import Row, Rows, tidy
from piperoll.reading.tables import classified_rows as sure
from piperoll.reading.tables import table_findings as doubts

SPEND = assets.find_dataset("spend")[0]
LEXICON = build_lexicon(SPEND, None)
PATTERNS = sorted(
    {
        rule
        for field in SPEND.fields
        for rule in (field.reading.cells_match, field.reading.unless_beside_matches)
        if rule
    }
)
"""The patterns of reading.json are searched in the shapes of cells."""
HEADINGS = [heading.heading for heading in SPEND.headings]

cells = st.one_of(
    st.text(alphabet=" \t\x00\xa0\ufeffaTotalZ0159#£é-,.()/eE+٣²'", max_size=14),
    st.from_regex(r"\A[(-]?£? ?\d{1,4}([, ]?\d{2,4}){0,2}(\.\d{0,3})?(e[+-]?\d\d?| CR|\))?\Z"),
    st.from_regex(r"\A\d{1,4}[-/. ]([a-zA-Z]{3}|\d{1,2})[-/. ]\d{2,4}( \d\d:\d\d)?\Z", alphabet="0123489-/. :janfebMA"),
    st.from_regex(r"\A(\d{5,8}|\d(\.\d+)?E\+?\d+|\d{15,17}0{2,4}|[A-Z]{2,3}\d{1,6}|\d{1,2}[/-]\d{4})\Z"),
    st.sampled_from(
        [*HEADINGS, "Invoice 2", "Total:", "Grand total", "England", "n/a", "nil", "Err:502", "#REF!", "#9"]
    ),
    st.sampled_from(
        ["May 2012", "4 May 2012", "May 14, 2012", "Thursday 14 June 2012", "100-105", "Capital 25k to 30k"]
    ),
)


def states_amount(cell: str) -> bool:
    return read_amount(cell) is not None


SAME: list[Callable[[str], object]] = [
    is_number,
    states_amount,
    is_reference,
    COMPANY.search,
    _RANGE.match,
    *(re.compile(pattern, re.IGNORECASE).search for pattern in PATTERNS),
    doubts._is_whole,
    doubts._is_total,
    doubts._is_credit,
    sure._ends_in_total,
    is_plain_text,
]


@pytest.mark.parametrize("holds", SAME, ids=lambda holds: holds.__name__)
@given(cell=cells)
def test_a_test_that_ignores_digits_gives_the_same_for_a_cell_and_its_shape(
    holds: Callable[[str], object], cell: str
) -> None:
    assert bool(holds(cell)) == bool(holds(to_shape(cell)))


@settings(deadline=None)
@given(cell=cells, heading=st.sampled_from([*LEXICON.exact]))
def test_no_cell_matches_whose_shape_does_not(cell: str, heading: str) -> None:
    form = to_shape(cell)
    assert LEXICON.may_know(form) or not LEXICON.knows(cell)
    assert doubts._may_be_damaged(form) or not doubts._is_damaged(cell)
    assert may_be_time(to_shape(tidy(cell))) or not any(asked(tidy(cell)) for asked in (is_date, is_serial, read_month))
    for text in (cell, heading.title()):
        assert sure._may_say(heading)(to_shape(text)) or not sure._saying(heading)(text)


@given(heading=st.sampled_from(HEADINGS), digits=st.text("0123456789", max_size=2))
def test_a_heading_is_known_by_its_shape(heading: str, digits: str) -> None:
    for cell in (heading, heading + digits, f"{heading} / {digits}", f"1 / {heading}{digits}"):
        assert LEXICON.may_know(to_shape(cell)) or not LEXICON.knows(cell)


@given(cell=cells)
def test_a_text_with_a_plain_shape_is_its_own_spelling(cell: str) -> None:
    wanted = next(each for each in SPEND.fields if each.name == "supplier_name")
    assert not is_plain_text(to_shape(cell)) or Reader(wanted).read(cell) == (cell or None)


rows = st.lists(st.lists(cells, max_size=5), max_size=12)


@given(drawn=rows, many=st.sampled_from([2, 4096]), start=st.integers(0, 4))
def test_an_index_of_shapes_agrees_with_the_cells_of_a_column(drawn: list[list[str]], many: int, start: int) -> None:
    whole = Block.of(range(len(drawn)), range(len(drawn)), drawn)
    block, drawn = Block(whole.batch.slice(start)), drawn[start:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_shapes, "_SHAPES_PER_COLUMN", many)
        shapes = index_shapes([block])[0]
    for column in range(7):
        own = {to_shape("".join(row[column : column + 1])) for row in drawn}
        for holds in (bool, is_number, sure._ends_in_total):
            assert shapes.may_match(column, holds) or not any(map(holds, own))
            assert not shapes.all_match(column, holds) or all(map(holds, own))
            if many > len(own) and own:
                assert shapes.may_match(column, holds) == any(map(holds, own))


@given(drawn=st.lists(cells, max_size=20), start=st.integers(0, 3))
def test_the_shapes_of_a_column_are_those_of_its_cells(drawn: list[str], start: int) -> None:
    column = texts(drawn)[start:]
    assert to_shapes(column).to_pylist() == [to_shape(cell) for cell in column.to_pylist()]
    found = match_cells(column, is_date, may_be_time).to_pylist()
    assert found == [is_date(cell) for cell in column.to_pylist()]


def test_shapes_beyond_the_limit_are_not_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_shapes, "_SHAPES_KEPT", 2)
    first, second = index_shapes(Block.of([1], [1], [[cell, ""]]) for cell in ("a", "b"))
    assert not first.may_match(0, is_number)
    assert second.may_match(0, is_number)
    assert not second.all_match(0, bool)


def of_cells(drawn: list[str]) -> Block:
    return Block.of(range(len(drawn)), range(len(drawn)), [[cell] for cell in drawn])


def in_words(drawn: list[str], names: bool) -> Counter[str]:
    """What `tally` promises, cell by cell."""
    found: Counter[str] = Counter()
    seen: dict[str, list[str]] = {}
    for start in range(0, len(drawn), 5):
        full = {pattern for pattern, alike in seen.items() if len(alike) == value_counts.ALIKE}
        patterns = {cell: pattern_of(cell, names) for cell in drawn[start : start + 5]}
        usual = [cell for cell in drawn[start : start + 5] if patterns[cell] in full]
        for cell in usual:
            found[seen[str(patterns[cell])][-1]] += 1
        for cell, count in Counter(cell for cell in drawn[start : start + 5] if patterns[cell] not in full).items():
            alike = seen.setdefault(str(patterns[cell]), [])
            apart = patterns[cell] is None or cell in found or len(found) < value_counts._MANY
            if not apart and len(alike) < value_counts.ALIKE:
                alike.append(cell)
                apart = True
            found[cell if apart else alike[-1]] += count
    return found


def pattern_of(cell: str, names: bool) -> str | None:
    if re.fullmatch(r"-?£?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]{2})?", cell):
        return re.sub("[1-9]", "1", cell)
    named = names and re.fullmatch(r"[0-9/_-]*[A-Za-z][A-Za-z0-9/_-]*", cell)
    return re.sub("[A-Za-z0-9]", "a", cell) if named else None


@given(
    drawn=st.lists(st.from_regex(r"\A(£?\d{1,2}(\.\d\d)?|[AB]\d?|é|-|)\Z", alphabet="0123AB£.é-"), max_size=60),
    names=st.booleans(),
)
def test_cells_are_counted_by_their_patterns(drawn: list[str], names: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_counts, "_MANY", 4)
        blocks = [of_cells(drawn[at : at + 5]) for at in range(0, len(drawn), 5)]
        tally = value_counts.PatternCounts(names=names)
        for block in blocks:
            tally.add(tally.prepare(block.column(0)))
        assert list(tally.found.items()) == list(in_words(drawn, names).items())


def test_rows_too_short_for_a_column_count_as_empty_cells() -> None:
    held = Rows.of([Row(1, 1, ["a", "Total"]), Row(2, 2, ["b"]), Row(3, 3, [])])
    assert held.indices_where([1], doubts._is_total, doubts._is_total) == [0]
    assert held.indices_where([1], lambda cell: not cell, lambda form: not form) == [1, 2]
