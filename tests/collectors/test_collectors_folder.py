"""Inboxes with the clutter that people and computers leave in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors import SkippedPath, list_inbox
from piperoll.errors import UsageError

NOW = "2026-11-02T06:00:00Z"


def lay(inbox: Path, *paths: str) -> None:
    for path in paths:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        (inbox / path).write_bytes(b"Supplier,Amount\n")


def test_files_come_in_order_with_dataset_and_sender(tmp_path: Path) -> None:
    lay(tmp_path, "spend/beeford/b.csv", "spend/anytown/2026/10/a.csv", "gpc/anytown/c.csv")
    found = list_inbox(tmp_path, received=NOW, period="2026-10").arrivals
    assert [(one.dataset, one.sender, one.origin) for one in found] == [
        ("gpc", "anytown", "gpc/anytown/c.csv"),
        ("spend", "anytown", "spend/anytown/2026/10/a.csv"),
        ("spend", "beeford", "spend/beeford/b.csv"),
    ]
    assert {(one.received, one.period) for one in found} == {(NOW, "2026-10")}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("spend/anytown/.hidden.csv", "hidden"),
        ("spend/anytown/~$October.xlsx", "hidden"),
        ("spend/anytown/.sync/a.csv", "hidden"),
        ("spend/anytown/Thumbs.db", "belongs to the operating system"),
        ("spend/anytown/__MACOSX/a.csv", "belongs to the operating system"),
        ("spend/anytown/a.csv.part", "still being copied"),
        ("spend/loose.csv", "not in the folder of a body"),
        ("loose.csv", "outside the folders"),
    ],
)
def test_clutter_is_left_out_with_the_reason(tmp_path: Path, path: str, why: str) -> None:
    lay(tmp_path, path, "spend/anytown/good.csv")
    found = list_inbox(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert [(one.path, why in one.why) for one in found.left_out] == [(path, True)]


def test_a_folder_that_is_not_a_dataset_is_left_out_once(tmp_path: Path) -> None:
    lay(tmp_path, "reference/x/a.csv", "reference/y/b.csv", "spend/anytown/good.csv")
    found = list_inbox(tmp_path, received=NOW)
    assert [one.path for one in found.left_out] == ["reference"]
    assert "spend" in found.left_out[0].why


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    lay(tmp_path, "spend/anytown/good.csv")
    (tmp_path / "spend/anytown/link.csv").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "spend/anytown/pipe.csv")
    found = list_inbox(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert [one.why for one in found.left_out] == [
        "it is a link: copy the file itself into the inbox",
        "it is not an ordinary file",
    ]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    """A link in place of a body's folder published the files of another folder of the machine."""
    lay(tmp_path / "elsewhere", "secret.csv")
    lay(tmp_path / "inbox", "spend/anytown/good.csv")
    (tmp_path / "inbox/spend/beeford").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "inbox/spend/anytown/deeper").symlink_to(tmp_path / "elsewhere")
    found = list_inbox(tmp_path / "inbox", received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert [(one.path, one.why[:12]) for one in found.left_out] == [
        ("spend/anytown/deeper", "it is a link"),
        ("spend/beeford", "it is a link"),
    ]


def test_a_name_that_is_not_utf_8_is_left_out_with_the_reason(tmp_path: Path) -> None:
    """It ended the run: the report could not be written."""
    lay(tmp_path, "spend/anytown/good.csv")
    (tmp_path / os.fsdecode(b"spend/anytown/Ao\xfbt.csv")).write_bytes(b"x")
    found = list_inbox(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert found.left_out == (SkippedPath(r"spend/anytown/Ao\xfbt.csv", "its name is not UTF-8: rename it"),)


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was skipped without a word. The permission is refused here for root as well."""
    lay(tmp_path, "spend/anytown/good.csv", "spend/beeford/lost.csv")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("beeford"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list_inbox(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert found.left_out == (SkippedPath("spend/beeford", "this folder cannot be read: Permission denied"),)


def test_a_missing_inbox_is_an_error_that_shows_the_layout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="<dataset>/<body>/<file>"):
        list_inbox(tmp_path / "inbox", received=NOW)
