"""What is remembered of headings: the file, layouts, questions and answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import layout
from piperoll.errors import MappingError
from piperoll.model import BodyMapping, Layout, Question

LAYOUT = Layout({"net_amount": "Amount (£)", "purpose": 'What "for"\n\ttoo\x7f'}, "2026-10", "2026-11-03", "ab" * 32)
ASKED = Question("Gross", "net_amount", "Amount", asked="2026-12-01", waiting=("cd" * 32,))
MAPPING = BodyMapping("anytown", "spend", (ASKED,), (LAYOUT, replace(LAYOUT, part="card", since=None)))
FIELDS = ("net_amount", "gross_amount")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def test_what_is_written_is_read() -> None:
    assert BodyMapping.from_toml(MAPPING.to_toml()) == MAPPING
    assert layout.mapping(MAPPING.body, MAPPING.dataset) == "mappings/anytown/spend.toml"


@given(WORDS, WORDS, WORDS)
def test_whatever_headings_say_is_written_and_read(heading: str, other: str, because: str) -> None:
    question = Question(heading, "purpose", other, answer="ignore", because=because)
    mapping = BodyMapping("anytown", "spend", (question,), (Layout({"purpose": heading}, None, "2026-11-03", other),))
    assert BodyMapping.from_toml(mapping.to_toml()) == mapping


def test_an_open_question_shows_where_to_answer() -> None:
    assert 'answer = ""\nbecause = ""\n' in MAPPING.to_toml()


@pytest.mark.parametrize(
    "text", ["", "body = anytown", 'body = "a"\ndataset = "b"\ncolour = 1', 'body = "a"\ndataset = "b"\n[[question]]\n']
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(MappingError, match="the mapping is not valid"):
        BodyMapping.from_toml(text)


def test_a_layout_is_noted_once_with_its_earliest_period() -> None:
    mapping = BodyMapping("anytown", "spend").with_layout(LAYOUT)
    assert mapping.with_layout(replace(LAYOUT, since="2026-12", source="ef" * 32)) == mapping
    assert mapping.with_layout(replace(LAYOUT, since="2026-08")).layouts == (replace(LAYOUT, since="2026-08"),)


def test_a_question_is_asked_once_and_more_files_may_wait_for_it() -> None:
    again = MAPPING.with_question(replace(ASKED, asked="2027-01-01", waiting=("ef" * 32,)))
    assert again.questions == (replace(ASKED, waiting=("cd" * 32, "ef" * 32)),)


@pytest.mark.parametrize("later_first", [True, False])
def test_an_answer_given_while_a_replay_ran_is_not_replaced_by_the_one_that_was_replayed(later_first: bool) -> None:
    before = replace(ASKED, answer="same", answered="2026-12-02T10:00:00Z")
    corrected = replace(ASKED, answer="gross_amount", answered="2026-12-05T10:00:00Z", waiting=())
    pair = (corrected, before) if later_first else (before, corrected)
    (kept,) = replace(MAPPING, questions=pair[:1]).with_question(pair[1]).questions
    assert (kept.answer, kept.waiting) == ("gross_amount", ASKED.waiting)


@pytest.mark.parametrize(
    ("said", "means"),
    [("same", "net_amount"), ("gross_amount", "gross_amount"), ("different", None), ("ignore", None)],
)
def test_an_answer_settles_what_a_heading_means(said: str, means: str | None) -> None:
    (question,) = MAPPING.with_answer("Gross", said, "because", "2026-12-02T10:00:00Z", FIELDS).questions
    assert (question.open, question.means, question.waiting) == (False, means, ASKED.waiting)


def test_a_correction_is_a_question_that_nobody_asked() -> None:
    corrected = MAPPING.with_answer("Sum", "net_amount", "because", "2026-12-02T10:00:00Z", FIELDS)
    assert (corrected.questions[-1].heading, corrected.questions[-1].means, corrected.questions[-1].asked) == (
        "Sum",
        "net_amount",
        None,
    )
