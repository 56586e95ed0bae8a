"""What Prefect keeps of the flows that people start, and what a purge deletes of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from piperoll.errors import UsageError
from piperoll.operations import release as releasing
from piperoll.operations.run_request import RunRequest
from tests.operations.inbox import plain_run, put, spend

NAME = "Quillfeather"
CONTENT = spend(10)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def kept_by_prefect() -> list[str]:
    """The parameters, states, artifacts and logs of every flow run about people's requests."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - once the environment is set

    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.parameters.get("submission", "")[:6] == SHA256[:6]]
        return [f"{run.name} {run.parameters} {run.state} {client.read_flow_run_states(run.id)}" for run in runs]


@pytest.mark.usefixtures("harness")
def test_a_purge_deletes_the_reasons_that_prefect_keeps_and_errors_name_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect records what was typed as a reason, even where we refuse it, and the messages of errors."""
    from flows.purge import purge  # noqa: PLC0415 - imports Prefect
    from flows.release import release  # noqa: PLC0415
    from flows.tasks import StepFailed  # noqa: PLC0415

    put(tmp_path / "inbox", f"spend/anytown/{NAME} October 2026.csv", CONTENT)
    plain_run(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"), catalogued=False)
    monkeypatch.setenv("PIPEROLL_STORE", str(tmp_path / "out"))
    with pytest.raises(UsageError, match="is not held"):
        release(SHA256, because="it is right")
    assert kept_by_prefect()
    assert not any(NAME in text for text in kept_by_prefect())

    def break_off(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(f"while it read {NAME}.csv")

    with monkeypatch.context() as patch:
        patch.setattr(releasing.publishers, "find_submission", break_off)
        with pytest.raises(StepFailed):
            release(SHA256[:12], because="it is right")
    assert not any(NAME in text for text in kept_by_prefect())
    with pytest.raises(UsageError, match=r"names? a person|is not held"):
        release(SHA256[:12], because=f"Jane {NAME} has asked for it")
    assert any(NAME in text for text in kept_by_prefect())
    monkeypatch.setattr("piperoll.operations.takedown.build_for_run", lambda _: (0, None))
    purge(SHA256, because="a private person")
    assert [text for text in kept_by_prefect() if NAME in text] == []
    assert len(kept_by_prefect()) == 1  # the run that purges
