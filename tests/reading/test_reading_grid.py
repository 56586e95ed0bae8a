"""Rows behave as a plain sequence, whichever part of them is in a temporary file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.reading.grids import batch_spill, blocks
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.grid import Row, Rows

CELLS = st.lists(st.text(alphabet="aé£\x00 \n,", max_size=4), max_size=5)


def numbered(cells: list[list[str]]) -> list[Row]:
    return [Row(3 * number, number + 1, own) for number, own in enumerate(cells)]


@given(cells=st.lists(CELLS, max_size=30), size=st.integers(1, 8), memory=st.sampled_from([0, 10**6]), data=st.data())
def test_rows_behave_as_a_list_does(cells: list[list[str]], size: int, memory: int, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS", size)
        patch.setattr(batch_spill.BatchSpill.__init__, "__kwdefaults__", {"in_memory": memory})
        plain = numbered(cells)
        held = Rows.of(plain)
    assert (len(held), list(held), held.width) == (len(plain), plain, max(map(len, cells), default=0))
    bounds = st.one_of(st.none(), st.integers(-35, 35))
    part = slice(data.draw(bounds), data.draw(bounds), data.draw(st.integers(1, 4)))
    assert list(held[part]) == plain[part]
    assert list(held[part][::2] + held[:3]) == [*plain[part][::2], *plain[:3]]
    assert [held[index] for index in range(-len(plain), len(plain))] == plain + plain
    assert list(reversed(held)) == plain[::-1]
    column = data.draw(st.integers(0, 6))
    assert held.indices_where([column], lambda cell: "a" in cell) == [
        index for index, row in enumerate(plain) if "a" in "".join(row.cells[column : column + 1])
    ]
    assert list(held.longer_than(2)) == [row for row in plain if len(row.cells) > 2]


def test_an_index_beyond_the_rows_is_rejected() -> None:
    with pytest.raises(IndexError):
        Rows.of(numbered([["a"]]))[1]
    assert not Rows()


def test_a_very_wide_row_does_not_widen_its_neighbours() -> None:
    held = Rows.of(numbered([["a", "b"], [""] * 600_000, ["c"]]))
    assert len(list(held.blocks())) == 3
    assert held.width == 600_000
    assert held[2].cells == ["c"]


def test_a_lone_surrogate_does_not_stop_a_table() -> None:
    assert Rows.of([Row(1, None, ["\ud800 Ltd"])])[0].cells == ["? Ltd"]


def test_batches_on_a_spill_can_be_fetched_again_and_leave_nothing_behind(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    batches = [Block.of([number], [None], [[f"cell {number}"]]).batch for number in range(50)]
    spill = batch_spill.BatchSpill(batches, in_memory=500)
    assert [batch.to_pylist() for batch in spill] == [batch.to_pylist() for batch in batches]
    assert [batch.to_pylist() for batch in spill] == [batch.to_pylist() for batch in batches]
    assert not any(tmp_path.iterdir())
