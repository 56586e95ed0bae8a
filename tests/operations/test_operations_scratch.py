"""Temporary folders: deleted with their block, or by the next process if theirs was killed."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from piperoll.scratch import scratch_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def abandon(place: Path, name: str, age_seconds: float) -> Path:
    folder = place / name
    folder.mkdir()
    (folder / "rows.parquet").write_bytes(b"x")
    (folder / ".lock").write_bytes(b"")
    then = time.time() - age_seconds
    os.utime(folder, (then, then))
    return folder


def test_a_folder_ends_with_its_block(place: Path) -> None:
    with scratch_folder("run") as folder:
        (folder / "rows.parquet").write_bytes(b"x")
    assert list(place.iterdir()) == []


def test_folders_of_killed_runs_are_deleted_at_the_next_start(place: Path) -> None:
    """Fifty-five were left behind by thirty kills."""
    killed = abandon(place, "piperoll-tmp-run-killed", 2 * 3600)
    starting = abandon(place, "piperoll-tmp-run-starting", 10)
    strange = abandon(place, "somebody-elses", 2 * 3600)
    with scratch_folder("run"):
        assert (killed.exists(), starting.exists(), strange.exists()) == (False, True, True)


def test_the_folder_of_a_long_run_is_not_deleted(place: Path) -> None:
    with scratch_folder("run") as long:
        then = time.time() - 2 * 3600
        os.utime(long, (then, then))
        with scratch_folder("run"):
            assert long.is_dir()
