"""Keys of texts: different texts have different keys, and a slice has the keys of its own texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.checking.plausibility.columns import EncodedText, decode_cells
from piperoll.checking.plausibility.evidence import text_keys


def encoded(*cells: str) -> EncodedText:
    return EncodedText(np.arange(len(cells), dtype=np.int32), pa.array(cells, pa.string()))


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), unique=True, max_size=60))
def test_different_texts_have_different_keys(cells: list[str]) -> None:
    assert len(set(text_keys(encoded(*cells)).tolist())) == len(cells)


def test_a_slice_of_texts_has_the_keys_of_its_own() -> None:
    whole = pa.array(["first", "naïve", "", "eight by", "eight byt"], pa.string())
    part = EncodedText(np.arange(3, dtype=np.int32), whole.slice(1, 3))
    assert text_keys(part).tolist() == text_keys(encoded("naïve", "", "eight by")).tolist()


def test_a_column_that_reading_gave_a_dictionary_is_audited_as_one_without() -> None:
    """The method that decodes such a column was misspelled, and no test used one."""
    cells = pa.array(["Ash Roofing Ltd", None, "Birch Print plc", "Ash Roofing Ltd"])
    assert decode_cells(cells.dictionary_encode()).equals(cells)
    assert decode_cells(cells) is cells
