"""Headings that drift: asked once, held until answered, and let go by the next run; from an inbox to the release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from piperoll.errors import MappingError, UsageError
from piperoll.model import BodyMapping, Question
from piperoll.operations import questions
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import Ending, RunSummary
from publishers import FolderStore, list_decisions, read_mapping, update_mapping
from tests.operations.inbox import contents, plain_run, put, spend

NOW = "2026-12-01T09:00:00Z"


class World:
    """An inbox and a store, month by month."""

    def __init__(self, place: Path) -> None:
        self.inbox, self.place = place / "inbox", place / "published"
        self.store = FolderStore(self.place)

    def send(self, name: str, content: bytes) -> None:
        put(self.inbox, f"spend/anytown/{name}", content)

    def run(self) -> RunSummary:
        return plain_run(RunRequest(to=str(self.place), inbox=self.inbox), catalogued=False)

    def ending(self, name: str) -> Ending:
        return {result.file.rpartition("/")[2]: result.ending for result in self.run().results}[name]

    def answer(self, heading: str, said: str) -> BodyMapping:
        mapping = read_mapping(self.store, "anytown", "spend")
        answered = questions.record_answer(
            self.store, mapping, heading, said, because="by telephone", moment=NOW, by="Records"
        )
        entry = list_decisions(self.store, "anytown")[-1]
        assert (entry.kind, entry.subject, entry.decided_as, entry.by) == ("heading", heading, said, "Records")
        return answered


@pytest.fixture
def world(tmp_path: Path) -> World:
    """October is published under the heading Amount, and November has come with another."""
    world = World(tmp_path)
    world.send("october.csv", spend(month="10/2026"))
    assert world.ending("october.csv") is Ending.PUBLISHED
    return world


def november(heading: str) -> bytes:
    return spend(month="11/2026", start=40).replace(b"Amount", heading.encode())


def test_what_a_file_showed_is_remembered_with_its_date(world: World) -> None:
    mapping = read_mapping(world.store, "anytown", "spend")
    (layout,) = mapping.layouts
    assert layout.columns["net_amount"] == "Amount"
    assert (layout.since, len(layout.seen), len(layout.source)) == ("2026-10", 10, 64)
    assert mapping.questions == ()
    assert b'net_amount = "Amount"' in (world.place / "mappings/anytown/spend.toml").read_bytes()


def test_a_heading_that_certainly_means_the_same_is_only_reported(world: World) -> None:
    world.send("november.csv", november("Net Amount"))
    assert world.ending("november.csv") is Ending.PUBLISHED
    assert read_mapping(world.store, "anytown", "spend").questions == ()


def test_gross_in_place_of_amount_is_held_until_it_is_answered_and_asked_once(world: World) -> None:
    world.send("november.csv", november("Gross"))
    assert world.ending("november.csv") is Ending.HELD
    assert world.ending("november.csv") is Ending.ALREADY_DONE
    (question,) = read_mapping(world.store, "anytown", "spend").open_questions
    assert (question.heading, question.field, question.replaced) == ("Gross", "net_amount", "Amount")
    assert len(question.waiting) == 1
    world.answer(" GROSS", "same")
    assert world.ending("november.csv") is Ending.PUBLISHED
    assert read_mapping(world.store, "anytown", "spend").open_questions == ()
    world.send("december.csv", spend(month="12/2026", start=70).replace(b"Amount", b"Gross"))
    assert world.ending("december.csv") is Ending.PUBLISHED


def test_the_report_says_why_it_is_held_and_which_mapping_it_was_read_by(world: World) -> None:
    world.send("november.csv", november("Gross"))
    (held,) = (result for result in world.run().results if result.ending is Ending.HELD)
    assert held.why is not None
    assert "replaced 'Amount'" not in held.why or "Gross" in held.why
    world.answer("Gross", "same")
    world.run()
    (key,) = (key for key in world.store.keys("data/spend/anytown/2026-11/") if key.endswith("report.json"))
    report = json.loads(world.store.read(key).content)
    assert report["mapping_version"]
    (table,) = report["tables"]
    assert table["column_scores"]["net_amount"]["how"] == "answered"


def test_different_means_that_the_column_is_not_taken(world: World) -> None:
    world.send("november.csv", november("Gross"))
    world.run()
    world.answer("Gross", "different")
    assert world.ending("november.csv") is Ending.REJECTED


def test_a_file_that_has_left_the_inbox_is_examined_again_all_the_same(world: World) -> None:
    world.send("november.csv", november("Gross"))
    world.run()
    (world.inbox / "spend/anytown/november.csv").unlink()
    world.answer("Gross", "same")
    assert world.ending("november.csv") is Ending.PUBLISHED
    assert [result.ending for result in world.run().results] == [Ending.ALREADY_DONE]


def test_an_answer_written_into_the_file_by_hand_counts(world: World) -> None:
    world.send("november.csv", november("Gross"))
    world.run()
    path = world.place / "mappings/anytown/spend.toml"
    path.write_text(path.read_text().replace('answer = ""', 'answer = "same"'))
    assert world.ending("november.csv") is Ending.PUBLISHED


def test_a_correction_needs_no_question(world: World) -> None:
    world.answer("Column F", "net_amount")
    world.send("november.csv", november("Column F"))
    assert world.ending("november.csv") is Ending.PUBLISHED


def test_a_mapping_that_makes_no_sense_stops_that_body_and_no_other(world: World) -> None:
    (world.place / "mappings/anytown/spend.toml").write_text("body = anytown")
    world.send("november.csv", november("Amount"))
    put(world.inbox, "spend/beeford/november.csv", spend(month="11/2026"))
    endings = {result.body: (result.ending, result.why) for result in world.run().results if "nov" in result.file}
    assert endings["beeford"][0] is Ending.PUBLISHED
    ending, why = endings["anytown"]
    assert ending is Ending.FAILED
    assert why is not None
    assert "mappings/anytown/spend.toml" in why


def test_a_run_that_finds_nothing_new_leaves_the_mapping_as_it_is(world: World) -> None:
    before = contents(world.store, "mappings/")
    world.run()
    assert contents(world.store, "mappings/") == before


def test_an_answer_needs_a_reason_and_must_be_valid(world: World) -> None:
    mapping = read_mapping(world.store, "anytown", "spend")
    with pytest.raises(UsageError, match="give a reason"):
        questions.record_answer(world.store, mapping, "Gross", "ignore", because=" ", moment=NOW)
    with pytest.raises(MappingError, match="there is no question about"):
        world.answer("Gross", "same")
    with pytest.raises(MappingError, match="'gros_amount' is not a valid answer"):
        world.answer("Gross", "gros_amount")


def test_a_replay_takes_over_answers_and_not_questions(world: World, tmp_path: Path) -> None:
    world.send("november.csv", november("Gross"))
    world.run()
    asked = Question("Net", "net_amount")
    update_mapping(world.store, "anytown", "spend", lambda mapping: mapping.with_question(asked))
    world.answer("Gross", "same")
    other = FolderStore(tmp_path / "other")
    questions.copy_answers(world.store, other)
    (carried,) = read_mapping(other, "anytown", "spend").questions
    assert (carried.heading, carried.answer, carried.waiting) == ("Gross", "same", ())
