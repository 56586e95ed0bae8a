"""Expressions: what is found by RE2 where it is proven to read them alike is what `re` finds."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.checking.plausibility.columns import Text
from piperoll.checking.plausibility.hashing import text_keys
from piperoll.checking.plausibility.patterns import found_in, portable
from piperoll.checking.plausibility.suite import NotCompiled

ATOMS = ("a", "b", "K", "s", "1", " ", ".", r"\d", r"\s", r"\w", r"\S", r"\b", "^", "$", "[a-z]", "[^a]", r"[\d\s.,/-]")
ATOMS += ("é", "£", r"\.", r"\?", "(?:a|b)", "(ab)", "|", "x{2,}", "(?i:k)", r"\W", "[^\\w]", "[Z-a]", r"\u0061", "]")
REPEATS = ("", "", "", "?", "*", "+", "{1,2}", "{2}", "*?", "{,2}")
CHARACTERS = "abkKsS1x .,£é\n\r\x0b\x1f\u00a0\u212a\u017f१-/?]_Z`"

expressions = st.builds(
    lambda parts, folded: ("(?i)" if folded else "") + "".join(parts),
    st.lists(
        st.builds(lambda atom, repeat: atom + repeat, st.sampled_from(ATOMS), st.sampled_from(REPEATS)), max_size=6
    ),
    st.booleans(),
)


def text(*cells: str) -> Text:
    return Text(np.arange(len(cells), dtype=np.int32), pa.array(cells, pa.string()))


def read(pattern: str) -> re.Pattern[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(pattern)
        except (re.error, Warning):
            return None


@settings(deadline=None, max_examples=300)
@given(expressions, st.lists(st.text(CHARACTERS, max_size=6), min_size=1, max_size=20))
def test_what_is_found_is_what_python_finds(pattern: str, cells: list[str]) -> None:
    sought = read(pattern)
    if sought is None:
        with pytest.raises(NotCompiled):
            found_in(text(*cells), pattern)
    else:
        assert found_in(text(*cells), pattern).tolist() == [sought.search(cell) is not None for cell in cells]


@pytest.mark.parametrize(
    "pattern", [r"(?i)^\s*(tests?|x{2,}|\?+)\s*$", r"^[\d\s.,/£-]+$", r"\bmisc(ellaneous)?\b", "é|â€"]
)
def test_the_expressions_of_our_suites_are_portable(pattern: str) -> None:
    assert portable(pattern)


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(a)\1", "a*+", "(?i)é", "a{,3}", "[[:alpha:]]", r"a\Z", "(?x) a", "a{2000}"]
)
def test_what_only_python_reads_so_is_left_to_it(pattern: str) -> None:
    assert not portable(pattern)


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), unique=True, max_size=60))
def test_different_texts_have_different_keys(cells: list[str]) -> None:
    assert len(set(text_keys(text(*cells)).tolist())) == len(cells)


def test_a_slice_of_texts_has_the_keys_and_the_unusual_of_its_own() -> None:
    whole = pa.array(["first", "naïve", "", "eight by", "eight byt"], pa.string())
    part = Text(np.arange(3, dtype=np.int32), whole.slice(1, 3))
    assert text_keys(part).tolist() == text_keys(text("naïve", "", "eight by")).tolist()
    assert part.unusual.tolist() == [0]
