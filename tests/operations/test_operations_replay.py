"""A replay shows what today's rules would change, body by body, and is applied as labelled restatements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from piperoll.cli import app
from piperoll.errors import UsageError
from piperoll.model import Cause, DecisionKind, Series, Status
from piperoll.operations import run_request
from piperoll.operations.replay import apply_replay, replay
from piperoll.operations.restating import find_impact, sum_by_body
from publishers import FolderStore, list_decisions, open_store, read_history
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.deliveries import World
from tests.operations.inbox import contents, put, spend

WHY = "The finance team says what these columns are"
SEPTEMBER, OCTOBER, NOVEMBER = (Series.parse(f"spend/anytown/2026-{month}") for month in ("09", "10", "11"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """October and November are published and September is rejected; answers since change what each of them is."""
    world = World(tmp_path)
    september = spend(5, month="09/2026").replace(b"Supplier Name", b"Details")
    november = spend(7, month="11/2026", start=40).replace(b"Supplier Name", b"Payee")
    world.send(september=september, october=spend(month="10/2026"), november=november)
    world.answer("Details", "supplier_name")
    world.answer("Expense Type", "ignore")
    world.answer("Payee", "ignore")
    return world


def test_a_replay_shows_by_body_what_would_be_published_restated_and_held(world: World, tmp_path: Path) -> None:
    before = contents(world.store)
    replayed = replay(world.place, str(tmp_path / "replayed"), catalogued=False)
    shown = {str(one.what): (one.files, one.rows, one.pounds) for one in sum_by_body(replayed.impacts)}
    assert {what: (files, rows) for what, (files, rows, _) in shown.items()} == {
        "published": (1, (0, 5)),
        "restated": (1, (10, 10)),
        "held": (1, (7, 0)),
    }
    assert str(shown["held"][2][0]) == "6307.00"
    assert contents(world.store) == before


def test_applying_it_makes_the_store_what_it_showed(world: World, tmp_path: Path) -> None:
    applied = apply_replay(world.place, str(tmp_path / "replayed"), because=WHY, by="Op", catalogued=False)
    assert applied.applied is not None
    assert applied.applied.skipped == {}
    assert not [*find_impact(world.store, open_store(str(tmp_path / "replayed")))]
    september, october, november = (read_history(world.store, one)[0] for one in (SEPTEMBER, OCTOBER, NOVEMBER))
    assert september.current == 1
    assert (october.current, october.versions[1].cause) == (2, Cause.MAPPING)
    assert october.versions[1].reason == f"restated by today's rules: {WHY}"
    assert (november.current, november.versions[0].status) == (None, Status.WITHDRAWN)
    logged = [entry for entry in list_decisions(world.store, "anytown") if entry.kind is DecisionKind.RESTATE]
    assert sorted((entry.subject, entry.decided_as, entry.because, entry.by) for entry in logged) == [
        ("spend/anytown/2026-09", "published", WHY, "Op"),
        ("spend/anytown/2026-10", "restated", WHY, "Op"),
        ("spend/anytown/2026-11", "held", WHY, "Op"),
    ]


@pytest.mark.parametrize("writes", [9, 23])
def test_applying_it_can_be_interrupted_and_repeated(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    into = str(tmp_path / "replayed")

    def opened(to: str) -> object:
        store = open_store(to)
        return DyingStore(store, writes) if to == world.place else store

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(run_request, "open_store", opened)
        apply_replay(world.place, into, because=WHY, by="Op", catalogued=False)
    apply_replay(world.place, str(tmp_path / "again"), because=WHY, by="Op", catalogued=False)
    current = {str(one): read_history(world.store, one)[0].current for one in (SEPTEMBER, OCTOBER, NOVEMBER)}
    assert current == {str(SEPTEMBER): 1, str(OCTOBER): 2, str(NOVEMBER): None}
    assert not [*find_impact(world.store, open_store(str(tmp_path / "again")))]


def test_a_reason_that_names_a_person_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seems to name a person"):
        apply_replay(world.place, str(tmp_path / "replayed"), because="Mrs Jane Carer asked", by="Op")


def test_the_command_prints_json_applies_with_a_reason_and_is_in_the_log(world: World, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["replay", "--from", world.place, "--json"])
    document = json.loads(told.stdout)
    assert told.exit_code == 0
    assert [(one["body"], one["what"], one["rows_before"], one["rows"]) for one in document["bodies"]] == [
        ("anytown", "held", 7, 0),
        ("anytown", "published", 0, 5),
        ("anytown", "restated", 10, 10),
    ]
    applied = CliRunner().invoke(app, ["replay", "--from", world.place, "--apply", "--because", WHY, "--by", "Op"])
    assert applied.exit_code == 0
    assert "Applied to 3 files" in applied.stdout
    log = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["decide", "list", "--to", world.place])
    assert "spend/anytown/2026-10 is restated by today's rules" in log.stdout
    refused = CliRunner().invoke(app, ["replay", "--from", world.place, "--apply"])
    assert refused.exit_code != 0


def test_each_event_of_a_replay_asks_what_is_recorded_of_its_own_bodies_only(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listed the whole target for each event, so a replay of years took the square of its time."""
    for number in range(10):
        put(tmp_path / "inbox", f"spend/body{number}/October 2026.csv", spend(5))
    world.run(tmp_path / "inbox")
    asked: list[str] = []
    original = FolderStore.keys

    def keys(store: FolderStore, prefix: str = "") -> Iterator[str]:
        if "replayed" in str(store):
            asked.append(prefix)
        return original(store, prefix)

    monkeypatch.setattr(FolderStore, "keys", keys)
    replay(world.place, str(tmp_path / "replayed"), catalogued=False)
    assert "collected/examined-by/spend/anytown/" in asked
    # the ten bodies that came together list once
    assert asked.count("collected/examined-by/") == 1
