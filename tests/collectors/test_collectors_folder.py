"""Inboxes as people really keep them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors import arrivals, survey
from piperoll.errors import UsageError

NOW = "2026-11-02T06:00:00Z"


def lay(inbox: Path, *paths: str) -> None:
    for path in paths:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        (inbox / path).write_bytes(b"Supplier,Amount\n")


def test_files_come_in_order_with_dataset_and_sender(tmp_path: Path) -> None:
    lay(tmp_path, "spend/beeford/b.csv", "spend/anytown/2026/10/a.csv", "gpc/anytown/c.csv")
    found = list(arrivals(tmp_path, received=NOW, period="2026-10"))
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
        ("spend/anytown/Thumbs.db", "computer keeps it"),
        ("spend/anytown/__MACOSX/a.csv", "computer keeps it"),
        ("spend/anytown/a.csv.part", "not finished arriving"),
        ("spend/loose.csv", "no body's folder"),
        ("loose.csv", "outside the folders"),
    ],
)
def test_what_is_no_submission_is_left_out_and_told(tmp_path: Path, path: str, why: str) -> None:
    lay(tmp_path, path, "spend/anytown/good.csv")
    found = survey(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert [(one.path, why in one.why) for one in found.left_out] == [(path, True)]


def test_a_folder_that_is_no_dataset_is_skipped_and_told_once(tmp_path: Path) -> None:
    lay(tmp_path, "reference/x/a.csv", "reference/y/b.csv", "spend/anytown/good.csv")
    found = survey(tmp_path, received=NOW)
    assert [one.path for one in found.left_out] == ["reference"]
    assert "spend" in found.left_out[0].why


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    lay(tmp_path, "spend/anytown/good.csv")
    (tmp_path / "spend/anytown/link.csv").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "spend/anytown/pipe.csv")
    found = survey(tmp_path, received=NOW)
    assert [one.name for one in found.arrivals] == ["good.csv"]
    assert [one.why for one in found.left_out] == [
        "it is a link: copy the file itself into the inbox",
        "it is not an ordinary file",
    ]


def test_an_inbox_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="<dataset>/<body>/<file>"):
        survey(tmp_path / "inbox", received=NOW)
