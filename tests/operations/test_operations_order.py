"""What is published does not depend on the order in which files arrive, nor on interruptions and shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.model import BodyMapping, Question, Series
from piperoll.operations.run_request import RunRequest
from publishers import read_history, read_mapping
from tests.operations.deliveries import World, outcomes
from tests.operations.inbox import contents, plain_run, put, spend


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def gross(content: bytes) -> bytes:
    return content.replace(b"Amount", b"Gross")


def test_a_file_is_read_by_what_earlier_periods_taught_and_not_by_later_ones(world: World) -> None:
    world.send(november=spend(month="11/2026"))
    sent = world.send(october=gross(spend(month="10/2026", start=20)), december=gross(spend(month="12/2026", start=40)))
    assert sent["october"] == "published v1"
    assert sent["december"] == "published v1"  # october has taught it before, though it came later


def test_files_of_one_run_that_came_in_the_wrong_order_are_asked_about_the_later_heading(world: World) -> None:
    sent = world.send(a_november=gross(spend(month="11/2026", start=40)), b_october=spend(month="10/2026"))
    assert sent["b_october"] == "published v1"
    assert sent["a_november"].startswith("held")
    assert "headings-drifted" in world.codes("a_november")


def test_a_late_file_names_the_later_releases_whose_report_would_differ(world: World) -> None:
    """Nothing of them is changed."""
    world.send(november=gross(spend(month="11/2026", start=40)))
    before = read_history(world.store, Series.parse("spend/anytown/2026-11"))[0]
    world.send(october=spend(month="10/2026"))
    told = world.codes("october")["later-release-differs"]
    assert "spend of November 2026 would have been held" in told
    assert "headings-drifted" in told
    assert read_history(world.store, Series.parse("spend/anytown/2026-11"))[0] == before


def test_a_late_file_that_a_later_release_repeats_names_it(world: World) -> None:
    repeated = spend(20, month="11/2026").splitlines(keepends=True)
    world.send(november=b"".join(repeated))
    october = spend(10, month="10/2026", start=40) + b"".join(repeated[1:6])
    told_in = world.send(october=october)
    assert told_in == {"october": "published v1"}
    assert "later-release-differs" in world.codes("october")


def test_a_file_in_its_own_order_names_no_later_release(world: World) -> None:
    world.send(october=spend(month="10/2026"), november=spend(month="11/2026", start=40))
    assert "later-release-differs" not in world.codes("october") | world.codes("november")


def test_what_earlier_files_taught_never_rejects_a_file(world: World) -> None:
    """A file was accepted alone and rejected after two others of its body, £586,366 with it."""
    world.teach("2026-08", purpose="Supplier Name")
    sent = world.send(october=spend(month="10/2026"))
    assert sent["october"].startswith("held")
    asked = world.codes("october")["headings-doubted"]
    assert "Read so, this file would be rejected. Read by itself, 10 rows (£6,385.00) can be published" in asked
    (question,) = read_mapping(world.store, "anytown", "spend").open_questions
    assert (question.heading, question.field, len(question.waiting)) == ("Supplier Name", "purpose", 1)


@pytest.mark.parametrize(("said", "outcome"), [("different", "published v1"), ("same", "rejected")])
def test_the_answer_decides_how_the_file_is_read(world: World, said: str, outcome: str) -> None:
    world.teach("2026-08", purpose="Supplier Name")
    world.send(october=spend(month="10/2026"))
    world.answer("SUPPLIER  name", said)
    assert outcomes(world.run())["october"].startswith(outcome)


def test_what_only_earlier_files_explain_is_asked_about(world: World) -> None:
    """Alone it would be rejected, so it is not published because of the others."""
    content = spend(month="10/2026").replace(b"Supplier Name", b"Details")
    world.teach("2026-08", supplier_name="Details")
    sent = world.send(october=content)
    assert sent["october"].startswith("held")
    assert "the file would be rejected" in world.codes("october")["headings-doubted"]


def test_questions_that_differ_in_case_or_spaces_are_one(world: World) -> None:
    """One question was asked three times, and one answer left two open."""
    world.send(september=spend(month="09/2026"))
    world.send(october=gross(spend(month="10/2026")), november=spend(month="11/2026").replace(b"Amount", b" GROSS "))
    (question,) = read_mapping(world.store, "anytown", "spend").open_questions
    assert len(question.waiting) == 2
    world.answer("gross", "same")
    assert not read_mapping(world.store, "anytown", "spend").open_questions
    assert outcomes(world.run()) == {"october": "published v1", "november": "published v1"}


def test_a_mapping_in_which_one_question_is_there_three_times_has_it_once() -> None:
    """Mappings of old have them; the answer to one of them is that to all."""
    spellings = ("AMOUNT", " Amount ", "Amount")
    asked = [Question(one, "net_amount", "Value", None, "2026-10-01", (one,)) for one in spellings]
    text = BodyMapping("anytown", "spend", (*asked[:2], replace(asked[2], answer="same"))).to_toml()
    (question,) = BodyMapping.from_toml(text).questions
    assert (question.answer, question.waiting) == ("same", spellings)


def test_a_new_rule_makes_held_and_rejected_files_be_examined_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is published stays as it is, and so does everything of other bodies."""
    rejected = spend(month="10/2026").replace(b"Amount", b"Zork").replace(b".00,", b",")
    world.send(october=rejected, november=spend(month="11/2026", start=40))
    before = contents(world.store, "data/")
    assert outcomes(world.run()) == {}
    monkeypatch.setattr(assets, "rules_version", lambda _: "9.9.9+0123456789ab")
    assert list(outcomes(world.run())) == ["october"]
    assert outcomes(world.run()) == {}
    assert contents(world.store, "data/") == before


def test_a_new_entry_in_the_register_makes_the_files_of_its_body_alone_be_examined_again(
    tmp_path: Path, world: World
) -> None:
    page = b"<!doctype html><title>404</title>"
    world.send(october=page)
    put(tmp_path / "beeford", "spend/beeford/October 2026.csv", page + b"<p>")
    world.run(tmp_path / "beeford")
    bodies, columns = tmp_path / "bodies.csv", "id,slug,name,kind,aliases,same_as,contact,licence"
    bodies.write_text(f"{columns}\nGB-LAE-ANY,anytown,Anytown Council,council,,,,OGL-UK-3.0\n")
    request = RunRequest(to=str(tmp_path / "published"), inbox=tmp_path / "empty", bodies=bodies)
    (tmp_path / "empty").mkdir()
    assert list(outcomes(plain_run(request, catalogued=False))) == ["october"]


def test_an_answer_makes_rejected_files_be_examined_again(world: World) -> None:
    """After `mapping answer` the next run said "already done"."""
    sent = world.send(october=spend(month="10/2026").replace(b"Supplier Name", b"Details"))
    assert sent["october"].startswith("rejected")
    world.answer("Details", "supplier_name")
    assert outcomes(world.run()) == {"october": "published v1"}


def test_a_file_that_is_examined_again_does_not_replace_one_that_came_later(world: World) -> None:
    world.send(october=spend(4, month="10/2026").replace(b"Supplier Name", b"Details"))
    world.send(corrected=spend(10, month="10/2026"))
    world.answer("Details", "supplier_name")
    assert outcomes(world.run())["october"].startswith("held")
    assert "newer-file-published" in world.codes("october")


def test_an_answer_leaves_files_alone_that_cannot_have_the_heading_and_are_of_earlier_periods(world: World) -> None:
    """After an answer about one file, every held and rejected file of the body was examined again."""
    world.send(september=spend(40, month="09/2026"), november=spend(40, month="11/2026", start=50))
    sent = world.send(
        fewer_september=spend(3, month="09/2026", start=90),
        october=spend(month="10/2026", start=40).replace(b"Supplier Name", b"Details"),
        fewer_november=spend(3, month="11/2026", start=95),
    )
    assert {outcome.partition(":")[0] for outcome in sent.values()} == {"held", "rejected"}
    world.answer("Details", "supplier_name")
    assert {*outcomes(world.run())} == {"october", "fewer_november"}
    assert outcomes(world.run()) == {}
    world.answer("Particulars", "supplier_name")  # no file has this heading
    assert outcomes(world.run()) == {}


def test_a_heading_in_two_rows_is_found_when_it_is_answered(world: World) -> None:
    head, rest = spend(month="10/2026").split(b"\r\n", 1)
    cells = head.split(b",")
    at = cells.index(b"Supplier Name")
    above = b",".join(b"Pay" if number == at else b"" for number in range(len(cells)))
    below = b",".join(b"Details" if number == at else cell for number, cell in enumerate(cells))
    world.send(october=b"\r\n".join((above, below, rest)))
    world.answer("Pay Details", "supplier_name")
    assert [*outcomes(world.run())] == ["october"]
