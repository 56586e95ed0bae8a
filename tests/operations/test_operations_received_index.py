"""What bodies sent is read from an index that is right at any moment, and that an upgrade does not end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from piperoll import layout
from piperoll.model import Body, Report, Submission, Verdict, What
from piperoll.operations.body_index import StoreIndex, open_index
from piperoll.operations.catalogue.build import build_from_store
from piperoll.operations.catalogue.received_index import INDEX_FORMAT, IndexDocument, IndexUpdate
from piperoll.operations.due import list_duties
from piperoll.settings import Settings
from publishers import Store, archive_submission, file_reports, open_store, read_changes, remove_submission
from tests.fixtures.small_releases import catalogue_context

ON = date(2026, 11, 28)
BODIES = tuple(Body(f"gss:E0799990{number}", f"town-{number}", f"Town {number}", "council") for number in range(3))
REGISTER = "id,slug,name,kind,aliases,same_as,contact,licence\n" + "".join(
    f"{body.id},{body.slug},{body.name},council,,,,OGL-UK-3.0\n" for body in BODIES
)


def receive(store: Store, body: str, period: str, verdict: Verdict = Verdict.ACCEPTED) -> Submission:
    """Record a file and its reports, as a run does."""
    content = f"{body} {period}".encode()
    digest = hashlib.sha256(content).hexdigest()
    one = Submission(digest, len(content), f"{period}.csv", "spend", body, "x", "2026-10-20T09:00:00.000000Z")
    report = Report(
        one.name, digest, one.bytes, "spend", "csv", "utf-8", What.DATA, verdict, period, None, (), ()
    )  # fmt: skip
    archive_submission(store, content, one)
    file_reports(store, one, report, report)
    return one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "bodies.csv").write_text(REGISTER)
    store = open_store(str(tmp_path / "published"))
    for body in BODIES:
        receive(store, body.slug, "2026-Q2")
    return store


def build(store: Store, tmp_path: Path) -> None:
    context = catalogue_context(BODIES, f"{ON}T09:00:00Z")
    build_from_store(store, context, tmp_path)


def index(store: Store, tmp_path: Path, **given: Any) -> StoreIndex:
    return open_index(store, ON, bodies=tmp_path / "bodies.csv", settings=Settings(**given))


def count_reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    original: Callable[..., Any] = store.read
    monkeypatch.setattr(store, "read", lambda key, **options: (read.append(key), original(key, **options))[1])
    return read


def periods(found: StoreIndex, slug: str) -> list[str]:
    return sorted(outcome.period or "" for _, outcome in found.read(slug).received if outcome is not None)


def test_after_an_upgrade_no_record_or_report_is_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(store, tmp_path)
    read = count_reads(store, monkeypatch)
    # other settings change the hash of what makes pages, as other code does
    other = index(store, tmp_path, base_url="https://elsewhere.example/")
    assert other.is_complete
    assert [periods(other, body.slug) for body in BODIES] == [["2026-Q2"]] * 3
    assert list(other.first_starts) == ["spend"]
    assert not [key for key in read if layout.parse_record(key) or key.startswith(layout.REPORTS)]


def test_an_index_of_another_format_is_not_read(store: Store, tmp_path: Path) -> None:
    build(store, tmp_path)
    state = json.loads(store.read(layout.BUILD_STATE).content)
    assert state["received"] == INDEX_FORMAT
    store.put(layout.BUILD_STATE, json.dumps(state | {"received": INDEX_FORMAT + 1}).encode())
    store.put(layout.received_index("town-0"), b"of another time")
    found = index(store, tmp_path)
    assert not found.is_complete
    assert periods(found, "town-0") == ["2026-Q2"]


def test_what_was_received_changed_or_purged_since_the_build_is_in_the_index(store: Store, tmp_path: Path) -> None:
    build(store, tmp_path)
    receive(store, "town-0", "2026-Q3")
    purged = receive(store, "town-1", "2026-Q3")
    remove_submission(store, purged.sha256, because="personal data", now="2026-11-28T10:00:00Z")
    receive(store, "stranger", "2026-Q3")
    found = index(store, tmp_path)
    assert periods(found, "town-0") == ["2026-Q2", "2026-Q3"]
    assert periods(found, "town-1") == ["2026-Q2"]
    assert "stranger" in found.slugs
    assert found.senders == ("stranger", "town-0", "town-1", "town-2")
    build(store, tmp_path)
    again = index(store, tmp_path)
    assert periods(again, "town-0") == ["2026-Q2", "2026-Q3"]
    assert periods(again, "town-1") == ["2026-Q2"]
    assert not list(store.keys(layout.CHANGES))


def test_a_file_that_comes_while_a_build_writes_is_not_lost(store: Store, tmp_path: Path) -> None:
    build(store, tmp_path)
    receive(store, "town-0", "2026-Q3")
    ours = read_changes(store)
    slow = IndexUpdate(store, "town-0", ours)
    old = index(store, tmp_path).read("town-0").received
    receive(store, "town-0", "2026-Q1")
    build(store, tmp_path)  # another build sees the last file, and clears the log
    slow.write(old)
    assert periods(index(store, tmp_path), "town-0") == ["2026-Q1", "2026-Q2", "2026-Q3"]


def test_duties_are_the_same_from_the_index_and_from_everything(store: Store, tmp_path: Path) -> None:
    receive(store, "town-0", "2026-Q3", Verdict.REJECTED)
    receive(store, "town-1", "2026-07--2026-08")
    bodies, to = tmp_path / "bodies.csv", str(tmp_path / "published")
    whole = list_duties(to, ON, bodies=bodies)
    build(store, tmp_path)
    assert list_duties(to, ON, bodies=bodies) == whole
    quarter = {
        duty.body.slug: (str(duty.state), duty.months_arrived)
        for duty in whole.duties
        if (duty.dataset, duty.part, str(duty.period)) == ("spend", None, "2026-Q3")
    }
    assert quarter == {"town-0": ("rejected", 0), "town-1": ("missing", 2), "town-2": ("missing", 0)}


def test_another_form_of_what_is_kept_needs_another_number() -> None:
    def without_words(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without_words(each) for name, each in value.items() if name != "description"}
        return [without_words(each) for each in value] if isinstance(value, list) else value

    schema = msgspec.json.encode(without_words(msgspec.json.schema(IndexDocument)), order="deterministic")
    form = INDEX_FORMAT, hashlib.sha256(schema).hexdigest()[:12]
    assert form == (1, "ae38c2fc18e3"), "raise INDEX_FORMAT in received_index.py, then write both here"
