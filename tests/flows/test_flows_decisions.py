"""Each of the small flows does what its command does."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import prefect_server
from piperoll.operations.run_request import RunRequest
from publishers import open_store, read_history
from tests.operations.inbox import plain_run, put, releases, spend
from tests.operations.test_operations_pipeline import OCTOBER

pytestmark = pytest.mark.usefixtures("harness")


def test_release_replay_withdraw_purge_and_catalogue(tmp_path: Path) -> None:
    from flows.catalogue import catalogue  # noqa: PLC0415 - after the harness has set the environment
    from flows.purge import purge  # noqa: PLC0415
    from flows.release import release  # noqa: PLC0415
    from flows.replay import replay  # noqa: PLC0415
    from flows.withdraw import withdraw  # noqa: PLC0415

    out, store = str(tmp_path / "out"), open_store(str(tmp_path / "out"))
    request = RunRequest(to=out, inbox=tmp_path / "inbox")
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(10))
    plain_run(request, catalogued=False)
    put(tmp_path / "inbox", "spend/anytown/October 2026 half.csv", spend(5))
    held = next(one for one in plain_run(request, catalogued=False).results if one.ending == "held")
    with prefect_server.environment({"PIPEROLL_STORE": out, "PIPEROLL_REPLAY_INTO": str(tmp_path / "again")}):
        assert catalogue() > 0
        assert release(held.sha256, because="they closed for two weeks").result.outcome == "published v2"
        assert len(replay().results) == 2
        assert releases(open_store(str(tmp_path / "again"))) == releases(store)
        assert withdraw(str(OCTOBER), 2, because="it was wrong after all").version.version == 2
        assert purge(held.sha256, because="a private person").tombstone.sha256 == held.sha256
    assert read_history(store, OCTOBER)[0].current is None
