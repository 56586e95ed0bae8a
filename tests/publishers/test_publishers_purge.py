"""Withdrawals and purges: what stays, what goes, and the proof that it is gone."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import publishers
from piperoll import layout
from piperoll.errors import BytesPurged, UsageError
from piperoll.model import Differences, Effect, Packed, Status, Submission, file_entry
from tests.publishers.small_releases import NOW, SERIES, packed

LATER = "2026-11-20T09:00:00Z"
NAME = "Jane Carer"


def with_name(made: Packed) -> Packed:
    """The release with a private person's name in its CSV, its Parquet and its report."""
    rows = pa.table({"supplier_name": ["Acme Ltd", NAME]})
    pq.write_table(rows, made.folder / "spend.parquet")
    for name in ("spend.csv", "report.json"):
        (made.folder / name).write_bytes((made.folder / name).read_bytes() + f"\r\n{NAME.upper()},1.00".encode())
    entries = tuple(file_entry(made.folder, entry.path) for entry in made.manifest.files)
    manifest = replace(made.manifest, files=entries)
    (made.folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(made.folder, manifest)


def compare(before: Path, after: Path, to: Path) -> Differences:
    to.write_bytes(before.joinpath("spend.csv").read_bytes() + after.joinpath("spend.csv").read_bytes())
    return Differences(Effect(1, None), Effect(1, None), Effect(0, None), {})


def submission(store: publishers.Store, content: bytes) -> Submission:
    """Bytes received, with a report that names the person."""
    came = Submission(
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        name="payments.csv",
        dataset="spend",
        body="anytown",
        origin="payments.csv",
        received=NOW,
    )
    publishers.archive_submission(store, content, came)
    store.put(layout.full_report(came), json.dumps({"value": NAME}).encode())
    store.put(layout.public_report_of(came), b"{}")
    return came


def test_a_withdrawn_version_stays_in_the_history_and_no_version_is_current(store: publishers.Store, release) -> None:
    for rows in (3, 4):
        publishers.publish_release(store, release(rows), reason=f"{rows} rows", now=NOW)
    publishers.mark_withdrawn(store, SERIES, 2, because="wrong month", now=LATER)
    history, _ = publishers.read_history(store, SERIES)
    assert history.current_version is None
    assert [version.status for version in history.versions] == [Status.SUPERSEDED, Status.WITHDRAWN]
    assert (history.versions[1].ended, history.versions[1].because) == (LATER, "wrong month")
    assert store.exists(f"{layout.version_folder(SERIES, history.versions[1])}spend.csv")
    assert len(list(store.keys("log/"))) == 1


def test_a_missing_version_cannot_be_withdrawn(store: publishers.Store, release) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    with pytest.raises(UsageError, match="does not exist"):
        publishers.mark_withdrawn(store, SERIES, 2, because="no", now=LATER)


def test_withdrawn_rows_do_not_come_back_by_themselves(store: publishers.Store, release) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    publishers.mark_withdrawn(store, SERIES, 1, because="wrong month", now=LATER)
    outcome = publishers.publish_release(store, release(3, note="in another workbook"), reason="again", now=LATER)
    assert isinstance(outcome, publishers.OnHold)
    assert outcome.finding.code == "taken-back-before"


def test_the_next_version_after_a_withdrawal_has_the_next_number(store: publishers.Store, release) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    publishers.mark_withdrawn(store, SERIES, 1, because="wrong month", now=LATER)
    publishers.publish_release(store, release(2), reason="the right month", now=LATER)
    history, _ = publishers.read_history(store, SERIES)
    assert (history.current, history.versions[1].supersedes) == (2, None)


def test_as_known_on_any_day(store: publishers.Store, release) -> None:
    publishers.publish_release(store, release(3), reason="first", now="2026-11-02T09:00:00Z")
    publishers.publish_release(store, release(4), reason="second", now="2026-11-09T09:00:00Z")
    publishers.mark_withdrawn(store, SERIES, 2, because="wrong", now="2026-11-20T09:00:00Z")
    publishers.publish_release(store, release(5), reason="third", now="2026-11-25T09:00:00Z")
    history, _ = publishers.read_history(store, SERIES)
    days = ("2026-11-01", "2026-11-02", "2026-11-09T08:59:59Z", "2026-11-09", "2026-11-20", "2026-11-30")
    known = [history.as_known_on(day) for day in days]
    assert [version and version.version for version in known] == [None, 1, 1, 2, None, 3]


def test_a_purge_leaves_no_trace_of_the_values_and_keeps_a_tombstone(store: publishers.Store, tmp_path: Path) -> None:
    came = submission(store, f"supplier,amount\n{NAME},1.00\n".encode("utf-16"))
    named = with_name(packed(tmp_path / "named", 3, source=came.sha256))
    publishers.publish_release(store, packed(tmp_path / "old", 3, note="old"), reason="first", now=NOW)
    publishers.publish_release(store, replace_rows(named, "2"), reason="second", now=NOW, compare=compare)
    publishers.publish_release(store, packed(tmp_path / "new", 4), reason="third", now=NOW, compare=compare)
    assert len({seen.key for seen in publishers.find_values(store, [NAME])}) >= 6
    tombstone = publishers.remove_submission(store, came.sha256, because="a private person's name", now=LATER)
    assert list(publishers.find_values(store, [NAME])) == []
    history, _ = publishers.read_history(store, SERIES)
    assert [version.status for version in history.versions] == [Status.SUPERSEDED, Status.PURGED, Status.CURRENT]
    assert [version.changes and version.changes.file for version in history.versions] == [None, None, None]
    assert tombstone.versions == ("spend/anytown/2026-10/v2",)
    assert publishers.read_tombstone(store, came.sha256) == tombstone
    assert not store.exists(layout.received_bytes(came.sha256))
    assert not store.exists(layout.public_report_of(came))


def replace_rows(made: Packed, mark: str) -> Packed:
    """The release with other rows, by their hash."""
    manifest = replace(made.manifest, rows_sha256=hashlib.sha256(mark.encode()).hexdigest())
    (made.folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(made.folder, manifest)


def test_purged_bytes_are_refused_when_they_come_again(store: publishers.Store, tmp_path: Path) -> None:
    came = submission(store, b"supplier,amount\nJane Carer,1.00\n")
    made = packed(tmp_path / "made", 3, source=came.sha256)
    publishers.publish_release(store, made, reason="first", now=NOW)
    publishers.remove_submission(store, came.sha256, because="a name", now=LATER)
    with pytest.raises(BytesPurged, match="a name"):
        publishers.archive_submission(store, b"supplier,amount\nJane Carer,1.00\n", came)
    with pytest.raises(BytesPurged):
        publishers.publish_release(store, replace_rows(made, "other rows of the same bytes"), reason="again", now=LATER)
    assert publishers.read_history(store, SERIES)[0].current_version is None


def test_a_version_written_while_its_submission_is_purged_does_not_stay(
    store: publishers.Store, tmp_path: Path
) -> None:
    came = submission(store, b"supplier,amount\nJane Carer,1.00\n")
    made = packed(tmp_path / "made", 3, source=came.sha256)

    def meanwhile(before: Path, after: Path, to: Path) -> Differences:
        publishers.remove_submission(store, came.sha256, because="a name", now=LATER)
        return compare(before, after, to)

    publishers.publish_release(store, packed(tmp_path / "old", 2), reason="first", now=NOW)
    with pytest.raises(BytesPurged):
        publishers.publish_release(store, made, reason="second", now=NOW, compare=meanwhile)
    history, _ = publishers.read_history(store, SERIES)
    assert [version.status for version in history.versions] == [Status.SUPERSEDED, Status.PURGED]
    assert not list(store.keys(f"{layout.series_folder(SERIES)}v2-"))


def test_a_version_published_between_a_purge_s_listing_and_its_tombstone_is_purged_too(
    store: publishers.Store, tmp_path: Path
) -> None:
    came = submission(store, b"supplier,amount\nJane Carer,1.00\n")
    made = with_name(packed(tmp_path / "made", 3, source=came.sha256))

    class Overtaken:
        """A store in which someone publishes just before the tombstone is written."""

        def create(self, key: str, content: bytes | Path) -> None:
            if key.startswith("archive/purged/"):
                publishers.publish_release(store, made, reason="just in time", now=NOW)
            store.create(key, content)

        def __getattr__(self, name: str):
            return getattr(store, name)

    publishers.remove_submission(Overtaken(), came.sha256, because="a name", now=LATER)  # type: ignore[arg-type]
    assert [version.status for version in publishers.read_history(store, SERIES)[0].versions] == [Status.PURGED]
    assert not list(publishers.find_values(store, [NAME]))


def test_a_purge_that_was_killed_half_way_is_finished_by_the_next(store: publishers.Store, tmp_path: Path) -> None:
    came = submission(store, b"supplier,amount\nJane Carer,1.00\n")
    publishers.publish_release(
        store, with_name(packed(tmp_path / "made", 3, source=came.sha256)), reason="first", now=NOW
    )

    class Killed(Exception):
        pass

    class Dying:
        """The store, which fails after a number of deletions."""

        def __init__(self, deletions: int) -> None:
            self.left = deletions

        def delete(self, key: str) -> None:
            self.left -= 1
            if self.left < 0:
                raise Killed
            store.delete(key)

        def __getattr__(self, name: str):
            return getattr(store, name)

    deletions = 0
    while True:
        try:
            publishers.remove_submission(Dying(deletions), came.sha256, because="a name", now=LATER)  # type: ignore[arg-type]
        except Killed:
            deletions += 1
            continue
        break
    assert deletions >= 3  # kills
    assert not list(publishers.find_values(store, [NAME]))
    assert not list(store.keys(f"{layout.series_folder(SERIES)}v1-"))


def test_values_are_found_in_workbooks_parquet_and_any_spelling(folder_store: publishers.Store, tmp_path: Path) -> None:
    workbook = tmp_path / "book.xlsx"
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<t>Ann O&#x27;Neil</t>")
    folder_store.create("archive/sha256/aa/one", workbook)
    folder_store.put("catalogue/page.html", b"<td>ANN O&#x27;NEIL</td>")
    folder_store.put("archive/sha256/bb/two", "ZOË Brontë".encode("cp1252"))
    assert {seen.key for seen in publishers.find_values(folder_store, ["Ann O'Neil"])} == {
        "archive/sha256/aa/one",
        "catalogue/page.html",
    }
    assert [seen.key for seen in publishers.find_values(folder_store, ["Zoë Brontë"])] == ["archive/sha256/bb/two"]
