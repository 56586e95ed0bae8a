"""The replay flow: everything that was ever received, through today's rules, into an empty store."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from piperoll.operations.replay import ReplayResult
from piperoll.operations.replay import replay as replay_store


@flow(name="replay", log_prints=False, persist_result=False)
def replay(source: str, into: str, bodies: str | None = None) -> ReplayResult:
    """Replay the store at `source` into the empty store at `into`. Raises: UsageError: `into` is not empty."""
    return replay_store(source, into, bodies=Path(bodies) if bodies else None)
