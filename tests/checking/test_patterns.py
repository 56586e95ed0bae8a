"""Patterns: RE2, where it is used, finds what Python's `re` finds."""

from __future__ import annotations

import json
import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.checking.patterns import search_texts, suppress_warnings, to_re2, unusual_texts
from tests.fixtures.waiting import PATIENCE_SECONDS

ATOMS = ("a", "b", "K", "s", "1", " ", ".", r"\d", r"\s", r"\w", r"\S", r"\b", "^", "$", "[a-z]", "[^a]", r"[\d\s.,/-]")
ATOMS += (
    "é",
    "£",
    r"\.",
    r"\?",
    "(?:a|b)",
    "(ab)",
    "|",
    "x{2,}",
    "(?i:k)",
    r"\W",
    r"\B",
    "[^\\w]",
    "[Z-a]",
    r"\u0061",
    "]",
)
REPEATS = ("", "", "", "?", "*", "+", "{1,2}", "{2}", "*?", "{,2}")
CHARACTERS = "abkKsS1x .,£é\n\r\x0b\x1f\u00a0\u212a\u017f१-/?]_Z`"

expressions = st.builds(
    lambda parts, folded: ("(?i)" if folded else "") + "".join(parts),
    st.lists(
        st.builds(lambda atom, repeat: atom + repeat, st.sampled_from(ATOMS), st.sampled_from(REPEATS)), max_size=6
    ),
    st.booleans(),
)


def compiled(pattern: str) -> re.Pattern[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern)
        except re.error:
            return None


@settings(deadline=None, max_examples=300)
@given(expressions, st.lists(st.none() | st.text(CHARACTERS, max_size=6), min_size=1, max_size=20))
def test_what_is_found_is_what_python_finds(pattern: str, cells: list[str | None]) -> None:
    python, texts = compiled(pattern), pa.array(cells, pa.string())
    if python is None:
        with pytest.raises(re.error):
            search_texts(texts, pattern)
    else:
        wanted = [cell is not None and python.search(cell) is not None for cell in cells]
        assert search_texts(texts, pattern).tolist() == wanted


def patterns_in_use() -> set[str]:
    """Every pattern of our suites and descriptors."""
    found = set()
    for name in assets.dataset_names():
        found |= set(re.findall(r'"regex": ("(?:[^"\\]|\\.)*")', assets.suite(name)))
    own = {json.loads(pattern) for pattern in found}
    fields = [field for name in assets.dataset_names() for field in assets.dataset(name).fields]
    return own | {f"^{field.constraints['pattern']}$" for field in fields if "pattern" in (field.constraints or {})}


@pytest.mark.parametrize("pattern", sorted(patterns_in_use()))
def test_the_patterns_in_use_are_searched_by_re2(pattern: str) -> None:
    assert to_re2(pattern) is not None


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(a)\1", "a*+", "(?i)é", "(?i)\\u0130", "(?x) a", "(?s).", "a{2000}", r"\B", "(?i:a)"]
)
def test_what_re2_lacks_or_reads_differently_is_left_to_python(pattern: str) -> None:
    assert to_re2(pattern) is None


def test_an_empty_text_has_no_inner_boundary() -> None:
    """RE2 finds `\\B` in an empty text, Python does not; RE2 was asked."""
    assert search_texts(pa.array([""]), r"\B").tolist() == [re.search(r"\B", "") is not None]


def test_a_slice_has_the_unusual_texts_of_its_own() -> None:
    whole = pa.array(["first", "naïve", "", "eight by", "eight byt"], pa.string())
    assert unusual_texts(whole.slice(1, 3)).tolist() == [0]


def test_a_thread_that_leaves_does_not_end_the_suppression_of_another() -> None:
    """A pandas warning became an error in the audit when another thread had just compiled a pattern."""
    entered, left = threading.Event(), threading.Event()

    def warn_after_the_other_left() -> None:
        with suppress_warnings():
            entered.set()
            left.wait(PATIENCE_SECONDS)
            warnings.warn("about pandas", UserWarning, stacklevel=1)

    with ThreadPoolExecutor(1) as pool:
        with suppress_warnings():
            other = pool.submit(warn_after_the_other_left)
            entered.wait(0.2)
        left.set()
        other.result()
