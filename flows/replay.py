"""The replay flow: everything that was ever received, through today's rules, into an empty store."""

from __future__ import annotations

from prefect import flow

from flows.places import find_bodies, find_place
from piperoll.operations.replay import ReplayResult
from piperoll.operations.replay import replay as replay_store


@flow(name="replay", log_prints=False, persist_result=False)
def replay() -> ReplayResult:
    """Replay the store into the empty store that PIPEROLL_REPLAY_INTO names. Raises: UsageError: it is not empty."""
    return replay_store(find_place("store"), find_place("replay_into"), bodies=find_bodies())
