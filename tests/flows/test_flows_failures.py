"""How runs and flows end when something failed, and what is recorded of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows import run
from piperoll.errors import UsageError
from piperoll.model import Submission
from piperoll.operations.run_record import read_last_runs
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import failure
from publishers import open_store
from tests.operations.inbox import put, spend


@pytest.mark.usefixtures("harness")
def test_a_spread_fails_if_a_file_could_not_be_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import record, spread  # noqa: PLC0415 - import Prefect

    def complete(shards: list[spread.ShardRun], *_: Any) -> None:
        for one in shards:
            one.ended = "COMPLETED"

    request = RunRequest(str(tmp_path / "out"), tmp_path)
    sent = Submission("ab" * 32, 1, "a.csv", "spend", "anytown", "spend/anytown/a.csv", "2026-11-02T06:00:00Z")
    monkeypatch.setattr(spread, "find_request", lambda _: request)
    monkeypatch.setattr(spread, "_run_shards", complete)
    monkeypatch.setattr(spread, "finish_answers", lambda _: ([failure(sent, "the store did not answer")], {}))
    monkeypatch.setattr(spread, "try_to_build", lambda _: (0, None))
    monkeypatch.setattr(record, "keep", lambda *_: None)
    with pytest.raises(spread.SpreadFailed, match="1 file could not be released"):
        spread.spread.fn(shards=1)


def test_a_run_with_new_files_records_one_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(3))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(run, "record_run", None)  # the flow records it, so it must not be called here
    assert run._run_if_nothing_new(RunRequest(str(tmp_path / "out"), tmp_path / "inbox")) is None


def test_a_run_whose_inbox_is_gone_is_recorded_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(UsageError):
        run._run_if_nothing_new(RunRequest(str(tmp_path / "out"), tmp_path / "inbox"))
    (last,) = read_last_runs(open_store(str(tmp_path / "out")))
    assert (last["outcome"], last["kind"]) == ("failed", "UsageError")
