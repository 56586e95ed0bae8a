"""The folders, buckets and files that deployed flows work with, from the environment of the worker that runs them.

They are not parameters: anyone who can start a run of a deployment could then make it read and publish anything.
"""

from __future__ import annotations

from pathlib import Path

from piperoll.errors import UsageError
from piperoll.operations.remote_files import local_file
from piperoll.operations.run_request import RunRequest, parse_request
from piperoll.settings import Settings

PLACES = ("store", "inbox", "sources", "bodies", "replay_into")


def find_place(name: str) -> str:
    """The place with this name. Raises: UsageError: it is not set."""
    place: str = getattr(Settings.from_environment(), name)
    if not place:
        raise UsageError(f"set PIPEROLL_{name.upper()} in the environment of the worker: flows take no paths")
    return place


def find_bodies() -> Path | None:
    """The operator's list of bodies, if there is one."""
    bodies = Settings.from_environment().bodies
    return local_file(bodies) if bodies else None


def find_request(period: str | None, shard: str | None = None, moment: str | None = None) -> RunRequest:
    """The monthly request. Raises: UsageError: no store is set, or not one of inbox and sources."""
    settings = Settings.from_environment()
    return parse_request(find_place("store"), settings.inbox, settings.sources, period, settings.bodies, shard, moment)


def variables(request: RunRequest) -> dict[str, str]:
    """The environment in which `find_request` finds this request, but for its period."""
    places = {"store": request.to, "inbox": request.inbox, "sources": request.sources, "bodies": request.bodies}
    return {f"PIPEROLL_{name.upper()}": "" if place is None else str(place) for name, place in places.items()}
