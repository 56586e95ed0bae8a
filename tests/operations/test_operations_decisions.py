"""A value is held, a decision publishes it from the archive, and taking the decision back removes it again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from piperoll import assets
from piperoll.errors import UsageError
from piperoll.model import Cause, DecidedAs, DecisionKind, Period, Series, Status, Submission, Verdict
from piperoll.operations import decisions, pipeline, run_request, steps
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import CollectedFiles, collect_inbox
from piperoll.operations.decisions import PendingDecisions
from piperoll.operations.preview import CandidateFile, preview_report
from piperoll.operations.release import release
from piperoll.operations.replay import replay
from piperoll.operations.run_request import Run, RunRequest, Shard
from piperoll.operations.run_summary import RunSummary
from piperoll.operations.run_summary_markdown import format_markdown
from piperoll.operations.takedown import purge_submission
from piperoll.releasing import compare_versions, find_faults
from publishers import (
    Store,
    find_values,
    list_indexed_series,
    list_submissions,
    open_store,
    read_full_report,
    read_history,
    verify_series,
)
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import contents, plain_run, put, spend

NAME = "Jane Quillfeather"
"""The rules hold this name; it is a firm's."""

MERCHANT = "Zebedeeko"
"""The rules publish this name; it is a private person's."""

REDACTED = "REDACTED PERSONAL DATA"
DONE = "already done"
PUBLIC = ("catalogue/", "data/", "reports/")
OCTOBER, NOVEMBER = (Series("spend", "anytown", Period.month(2026, month)) for month in (10, 11))


def lines(*names: str, month: str = "10/2026") -> bytes:
    """Ten tidy payments, and one of £5 to each name."""
    more = (f"28/{month},{name},5.00,X{number},Supplies,Estates\r\n" for number, name in enumerate(names))
    return spend(10, month=month) + "".join(more).encode()


class World:
    """An inbox and a store."""

    def __init__(self, folder: Path, to: str) -> None:
        self.request = RunRequest(to=to, inbox=folder / "inbox")
        self.store = open_store(to)
        self._moments = 0

    def send(self, path: str, content: bytes) -> None:
        assert self.request.inbox is not None
        put(self.request.inbox, f"spend/{path}", content)

    def run(self) -> RunSummary:
        summary = plain_run(self.request)
        assert not summary.failed
        return summary

    def decide(self, value: str, decided_as: str, **options: object) -> str:
        self._moments += 1
        given: dict[str, object] = {"body": "anytown", "because": "By telephone", "by": "j.officer"} | options
        (entry,) = decisions.record(
            self.store,
            [value],
            DecidedAs(decided_as),
            moment=f"2027-01-01T09:00:{self._moments:02}Z",
            **given,  # type: ignore[arg-type]
        )
        return entry.id

    def take_back(self, identifier: str) -> None:
        self._moments += 1
        decisions.take_back(
            self.store, identifier, because="A mistake", by="m.senior", moment=f"2027-01-01T09:00:{self._moments:02}Z"
        )

    def names(self, series: Series = OCTOBER) -> list[str]:
        """The suppliers that the current version publishes after the ten tidy ones."""
        version = read_history(self.store, series)[0].current_version
        assert version is not None
        key = f"data/{series}/{version.path}/spend.csv"
        rows = csv.DictReader(io.StringIO(self.store.read(key).content.decode()))
        return [row["supplier_name"] for row in rows][10:]

    def where(self, *values: str) -> list[str]:
        """The public keys that hold any of these values, in any form."""
        return sorted({found.key for found in find_values(self.store, values) if found.key.startswith(PUBLIC)})

    def faults(self) -> list[str]:
        compare = {one.name: partial(compare_versions, one) for one in assets.datasets()}
        series = list_indexed_series(self.store)
        return [
            fault.what
            for one in verify_series(self.store, series, find_faults, compare.__getitem__)
            for fault in one.faults
        ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """October is published without the row of one name, which the rules hold."""
    made = World(tmp_path, str(tmp_path / "out"))
    made.send("anytown/October 2026.csv", lines(NAME))
    made.send("beeford/October 2026.csv", lines(NAME))
    made.run()
    assert made.names() == []
    return made


def endings(summary: RunSummary) -> dict[str, str]:
    return {result.file: result.outcome.partition(" (")[0] for result in summary.results}


def held_then_decided_then_taken_back(world: World) -> None:
    """The whole life of a decision."""
    assert world.where(NAME) == []
    identifier = world.decide(f" {NAME.upper()} ", "business")
    assert endings(world.run()) == {
        "spend/anytown/October 2026.csv": "published v2",
        "spend/beeford/October 2026.csv": DONE,
    }
    assert world.names() == [NAME]
    assert world.names(Series("spend", "beeford", Period.month(2026, 10))) == []
    second = read_history(world.store, OCTOBER)[0].current_version
    assert second is not None
    assert (second.cause, second.reason) == (Cause.DECISION, decisions.RESTATED)
    assert second.changes is not None
    assert second.changes.differences.added.rows == 1
    assert [key for key in world.where(NAME) if "beeford" in key] == []
    assert set(endings(world.run()).values()) == {DONE}

    world.take_back(identifier)
    assert endings(world.run())["spend/anytown/October 2026.csv"] == "published v3"
    assert world.names() == []
    assert world.where(NAME) == []
    history, _ = read_history(world.store, OCTOBER)
    assert [version.status for version in history.versions] == [Status.SUPERSEDED, Status.PURGED, Status.CURRENT]
    assert world.faults() == []
    assert set(endings(world.run()).values()) == {DONE}

    world.decide(NAME, "business")  # again: its rows are those of the purged version
    assert endings(world.run())["spend/anytown/October 2026.csv"] == "published v4"
    assert world.names() == [NAME]


def test_a_held_value_is_published_by_a_decision_and_gone_when_it_is_taken_back(world: World) -> None:
    held_then_decided_then_taken_back(world)


def test_the_same_in_a_bucket(tmp_path: Path, bucket: str) -> None:
    made = World(tmp_path, f"s3://{bucket}/decisions")
    made.send("anytown/October 2026.csv", lines(NAME))
    made.send("beeford/October 2026.csv", lines(NAME))
    made.run()
    held_then_decided_then_taken_back(made)


def test_the_senders_report_has_every_value_and_row_and_the_public_has_none(world: World) -> None:
    submission, public = next(iter(list_submissions(world.store, "anytown")))
    full = read_full_report(world.store, submission)
    assert full is not None
    assert public is not None
    (value,) = full.held_values
    assert (value.value, value.rows, value.count) == (NAME, (12,), 1)
    assert (public.held_values, dict(public.decided)) == ((), {})
    world.decide(NAME, "business")
    assert NAME not in format_markdown(world.run())  # what Prefect keeps of a run
    full = read_full_report(world.store, submission)
    assert full is not None
    assert full.held_values == ()
    assert list(full.decided.values()) == [1]
    identifier = next(iter(full.decided))
    assert world.where("By telephone", "j.officer", identifier) == []


@pytest.mark.parametrize("writes", [1, 5, 8, 11, 14, 17, 20, 24, 30])
def test_a_run_that_is_killed_while_it_applies_a_decision_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Both ways: while a value is published, and while it is taken back and purged."""
    made = World(tmp_path, str(tmp_path / "out"))
    made.send("anytown/October 2026.csv", lines(NAME))
    plain_run(made.request, catalogued=False)

    def run_killed() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(run_request, "open_store", lambda to: DyingStore(open_store(to), writes))
            with suppress(Killed):
                plain_run(made.request)

    identifier = made.decide(NAME, "business")
    run_killed()
    made.run()
    assert made.names() == [NAME]
    made.take_back(identifier)
    run_killed()
    made.run()
    assert (made.names(), made.where(NAME), made.faults()) == ([], [], [])
    assert read_history(made.store, OCTOBER)[0].current == 3


def test_a_private_person_is_left_out_everywhere_and_earlier_versions_are_removed(tmp_path: Path) -> None:
    world = World(tmp_path, str(tmp_path / "out"))
    world.send("anytown/October 2026.csv", lines(MERCHANT))
    world.send("anytown/November 2026.csv", lines(MERCHANT.upper(), "Acorn Roofing Ltd", month="11/2026"))
    world.send("anytown/December 2026.csv", lines("Acorn Roofing Ltd", month="12/2026"))
    world.send("beeford/October 2026.csv", lines(MERCHANT))
    world.run()
    assert world.names() == [MERCHANT]
    identifier = world.decide(MERCHANT, "person")
    assert {file: outcome for file, outcome in endings(world.run()).items() if "v2" in outcome} == {
        "spend/anytown/October 2026.csv": "published v2",
        "spend/anytown/November 2026.csv": "published v2",
    }
    assert world.names() == [REDACTED]
    assert world.names(NOVEMBER) == [REDACTED, "Acorn Roofing Ltd"]
    assert [key for key in world.where(MERCHANT) if "anytown" in key] == []
    assert world.names(Series("spend", "beeford", Period.month(2026, 10))) == [MERCHANT]
    assert world.faults() == []
    world.take_back(identifier)
    world.run()
    assert (world.names(), world.names(NOVEMBER)) == ([MERCHANT], [MERCHANT.upper(), "Acorn Roofing Ltd"])


def test_a_decision_for_all_bodies_is_an_operators_and_recorded_as_such(world: World) -> None:
    identifier = world.decide(NAME, "business", body=None)
    assert next(world.store.keys("decisions/")).startswith("decisions/all/")
    assert set(endings(world.run()).values()) == {"published v2"}
    world.run()
    assert json.loads(world.store.read("collected/decisions-applied.json").content) == {"applied": [identifier]}


def test_a_check_beside_the_store_says_what_a_run_does(world: World) -> None:
    def check(body: str) -> dict[str, int]:
        report = preview_report(
            world.request.to, CandidateFile(lines(NAME, month="11/2026"), "November 2026.csv", body)
        )
        assert report is not None
        return {value.value: value.count for value in report.held_values}

    assert check("anytown") == {NAME: 1}
    world.decide(NAME, "business")
    assert (check("anytown"), check("beeford")) == ({}, {NAME: 1})


def test_a_file_that_is_held_whole_is_examined_again_too(tmp_path: Path) -> None:
    """So many of its rows are held that it has fewer than the version before it, which holds the file."""
    world = World(tmp_path, str(tmp_path / "out"))
    world.send("anytown/October 2026.csv", lines(*["Fern Ltd"] * 5))
    world.run()
    world.send("anytown/October 2026.csv", lines(*[NAME] * 6))
    before = endings(world.run())["spend/anytown/October 2026.csv"]
    world.decide(NAME, "business")
    after = endings(world.run())["spend/anytown/October 2026.csv"]
    assert before.startswith("held: ")
    assert after == "published v2"
    assert world.names() == [NAME] * 6


def test_a_release_of_a_held_file_is_in_the_log_with_who_decided(tmp_path: Path) -> None:
    world = World(tmp_path, str(tmp_path / "out"))
    world.send("anytown/October 2026.csv", spend(10))
    world.run()
    world.send("anytown/October 2026.csv", spend(3))
    world.run()
    held = next(
        one for one, report in list_submissions(world.store, "anytown") if report and report.verdict is Verdict.HELD
    )
    release(world.request.to, held.sha256, because="October was small", by="m.senior")
    (entry,) = decisions.list_log(world.store, "anytown")
    assert (entry.kind, entry.subject, entry.decided_as) == (DecisionKind.FILE, held.sha256, "replace")
    assert (entry.by, entry.because, entry.dataset) == ("m.senior", "October was small", "spend")
    assert set(endings(world.run()).values()) == {DONE}


def test_a_file_that_was_released_whole_and_one_that_was_added_stay_together(world: World) -> None:
    """A decision rebuilds the version from both, and neither is held again."""
    late = "Date paid,Supplier Name,Amount,Transaction Number,Expense Type,Department\r\n"
    more = f"29/10/2026,{NAME},7.00,Y1,Supplies,Estates\r\n30/10/2026,Fern Ltd,8.00,Y2,Supplies,Estates\r\n"
    world.send("anytown/October 2026 late.csv", late.replace("Date paid", "Payment Date").encode() + more.encode())
    assert "held" in endings(world.run())["spend/anytown/October 2026 late.csv"]
    held = next(
        one for one, report in list_submissions(world.store, "anytown") if report and report.verdict is Verdict.HELD
    )
    assert release(world.request.to, held.sha256, because="Late payments", how="add").result.version == 2
    assert world.names() == ["Fern Ltd"]
    identifier = world.decide(NAME, "business")
    world.run()
    assert world.names() == [NAME, NAME, "Fern Ltd"]
    world.take_back(identifier)
    world.run()
    assert world.names() == ["Fern Ltd"]
    assert (world.where(NAME), world.faults()) == ([], [])


def test_a_file_that_was_replaced_since_is_left_alone(world: World) -> None:
    """Its rows are held too, but a later file is current: a decision must not bring the earlier one back."""
    world.send("anytown/October 2026.csv", lines("Fern Ltd", NAME))
    assert endings(world.run())["spend/anytown/October 2026.csv"] == "published v2"
    world.decide(NAME, "business")
    assert "published v3" in endings(world.run()).values()
    assert world.names() == ["Fern Ltd", NAME]


def test_a_correction_that_arrives_with_a_decision_comes_after_it(world: World) -> None:
    world.decide(NAME, "business")
    world.send("anytown/October 2026.csv", lines("Fern Ltd", NAME))
    outcomes = [result.outcome for result in world.run().results if "anytown" in result.file]
    assert sorted(outcomes) == ["published v2", "published v3"]
    assert world.names() == ["Fern Ltd", NAME]


def test_a_decision_is_recorded_once_and_a_later_one_replaces_it(world: World) -> None:
    first = world.decide(NAME, "business")
    assert world.decide(NAME.lower(), "business") == first
    world.run()
    world.decide(NAME, "person")
    world.run()
    assert world.names() == [REDACTED]
    assert world.where(NAME) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda world: world.decide(NAME, "business", because=" "), "give a reason"),
        (lambda world: world.decide(NAME, "business", by=""), "give the name"),
        (lambda world: world.decide("--", "business"), "at least one letter"),
        (lambda world: world.take_back("abc"), "too short"),
        (lambda world: world.take_back("abcdef123456"), "0 decisions"),
    ],
)
def test_what_cannot_be_recorded_is_refused(world: World, call: Callable[[World], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(world)


def test_a_decision_is_taken_back_once(world: World) -> None:
    identifier = world.decide(NAME, "business")
    world.take_back(identifier[:6])
    with pytest.raises(UsageError, match=r"was taken back on 2027-01-01 by m\.senior"):
        world.take_back(identifier)
    assert [entry.kind for entry in decisions.list_log(world.store)] == [DecisionKind.VALUE, DecisionKind.TAKE_BACK]


def test_a_replay_begins_with_the_decisions(world: World, tmp_path: Path) -> None:
    world.decide(NAME, "business")
    world.run()
    replayed = World(tmp_path / "again", str(tmp_path / "replayed"))
    replay(world.request.to, str(tmp_path / "replayed"))
    assert replayed.names() == [NAME]
    assert contents(replayed.store, "decisions/") == contents(world.store, "decisions/")


def test_a_purged_file_is_no_longer_examined_again(world: World) -> None:
    submission, _ = next(iter(list_submissions(world.store, "anytown")))
    purge_submission(world.request.to, f"anytown/spend/{submission.sha256}", because="personal data")
    world.decide(NAME, "business")
    assert endings(world.run())["spend/anytown/October 2026.csv"].startswith("refused")


@pytest.mark.parametrize("decided_as", ["person", "business"])
def test_what_is_decided_while_a_run_publishes_is_applied_by_that_run(tmp_path: Path, decided_as: str) -> None:
    """Another run cannot see a version that is published after it looked."""
    world = World(tmp_path, str(tmp_path / "out"))
    value = MERCHANT if decided_as == "person" else NAME
    world.send("anytown/October 2026.csv", lines(value))

    def examine(run: Run, submission: Submission) -> steps.ExaminedFile:
        examined = steps.examine(run, submission)
        world.decide(value, decided_as)
        return examined

    with world.request.open() as run:
        (files,) = pipeline.group_by_body(run, collect_inbox(run, world.request))
        pipeline.process_body(run, files, pipeline.Steps(examine=examine))
        pipeline.summarise(CollectedFiles(), [], lambda: build_catalogue(run))
    assert world.names() == [REDACTED if decided_as == "person" else NAME]
    assert world.where(MERCHANT) == []
    assert read_history(world.store, OCTOBER)[0].current == 2


def test_a_text_that_is_freed_by_a_decision_about_a_name_is_gone_when_it_is_taken_back(tmp_path: Path) -> None:
    """The row with the name itself stays held for another reason."""
    world = World(tmp_path, str(tmp_path / "out"))
    own = f"28/10/2026,{NAME},5.00,X1,Case ref: 12345,Estates\r\n".encode()
    text = f"28/10/2026,Acorn Roofing Ltd,5.00,X2,Materials for {NAME},Estates\r\n".encode()
    world.send("anytown/October 2026.csv", spend(10) + own + text)
    world.run()
    assert world.where(NAME) == []
    identifier = world.decide(NAME, "business")
    world.run()
    shown = world.where(NAME)
    world.take_back(identifier)
    world.run()
    assert shown
    assert world.where(NAME) == []


def test_a_row_that_is_held_for_a_private_person_in_its_text_comes_back(tmp_path: Path) -> None:
    world = World(tmp_path, str(tmp_path / "out"))
    text = f"28/10/2026,Zebra,5.00,X2,Order by {MERCHANT},Estates\r\n".encode()
    world.send("anytown/October 2026.csv", spend(10) + text)
    world.run()
    identifier = world.decide(MERCHANT, "person")
    world.run()
    assert (world.names(), world.where(MERCHANT)) == ([], [])
    world.take_back(identifier)
    world.run()
    assert world.names() == ["Zebra"]


def test_the_folders_in_which_versions_are_put_together_are_gone_when_their_body_is_done(world: World) -> None:
    """They stayed until the run ended: a decision about a thousand versions filled the disk."""
    more = f"29/10/2026,{NAME},7.00,Y1,Supplies,Estates\r\n30/10/2026,Fern Ltd,8.00,Y2,Supplies,Estates\r\n"
    world.send("anytown/October 2026 late.csv", spend(0) + more.encode())
    assert "held" in endings(world.run())["spend/anytown/October 2026 late.csv"]
    held = next(
        one for one, report in list_submissions(world.store, "anytown") if report and report.verdict is Verdict.HELD
    )
    release(world.request.to, held.sha256, because="Late payments", how="add")
    world.decide(NAME, "business")
    with world.request.open() as run:
        (files,) = (one for one in pipeline.group_by_body(run, CollectedFiles()) if one.decided)
        assert len(pipeline.process_body(run, files)) == 2
        assert [path.name for path in run.scratch.rglob("*") if path.is_file()] == [".lock"]
    assert world.names()


def test_a_shard_looks_at_decisions_about_its_own_bodies_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a hundred shards read the reports of all bodies after a decision for all of them."""
    world.decide(NAME, "business", body=None)
    looked: list[str] = []
    original = decisions._find_files

    def find_files(store: Store, body: str, *given: Any) -> PendingDecisions:
        looked.append(body)
        return original(store, body, *given)

    monkeypatch.setattr(decisions, "_find_files", find_files)
    seen = []
    for number in (1, 2, 3, 4):
        shard = Shard(number, 4)
        looked.clear()
        with replace(world.request, shard=shard).open() as run:
            pending = [one.body for one in pipeline.group_by_body(run, CollectedFiles()) if one.decided]
        assert {*looked} == {one for one in ("anytown", "beeford") if shard.keeps(one)} == {*pending}
        seen += pending
    assert sorted(seen) == ["anytown", "beeford"]
    world.run()
    assert world.names() == [NAME]
    decisions.mark_for_all(world.store)
    looked.clear()
    assert list(decisions.find_pending(world.store)) == []
    assert looked == []
