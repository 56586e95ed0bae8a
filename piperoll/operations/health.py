"""Whether a deployment is well: how the last run ended, what was interrupted, and what has waited too long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import publishers
from piperoll import layout
from piperoll.describing.wording import format_count
from piperoll.operations.run_record import COMPLETED, list_beginnings, read_last_runs, seconds_between
from publishers import Store

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a deployment. It is well if there are no `problems`.

    `last_runs` are records of runs, the last first. `running` and `interrupted` say when runs began. `unprocessed`
    counts files that were received and have no report, of which the oldest came at `oldest_unprocessed`;
    `catalogue_behind_since` is the oldest change that no build has taken up. `form` is that of the store.
    """

    problems: tuple[str, ...]
    last_runs: tuple[dict[str, Any], ...]
    running: tuple[str, ...]
    interrupted: tuple[str, ...]
    unprocessed: int
    oldest_unprocessed: str | None
    catalogue_behind_since: str | None
    form: int

    @property
    def gauges(self) -> dict[str, float]:
        """The state as metrics, beside those of the last runs."""
        return {
            "healthy": float(not self.problems),
            "runs_running": len(self.running),
            "runs_interrupted": len(self.interrupted),
            "files_unprocessed": self.unprocessed,
            "store_form": self.form,
        }


def check_health(store: Store, *, now: str, hours: float) -> Health:
    """Ask the store; nothing may be older than `hours`. It lists keys and reads a few small records."""
    runs, beginnings = read_last_runs(store), list_beginnings(store)
    interrupted = [one.began for one in beginnings if one.is_dead(now)]
    running = [one.began for one in beginnings if not one.is_dead(now)]
    received = _list_unprocessed(store)
    behind = [about.modified for _, about in store.list_objects(layout.CHANGES)]
    oldest, behind_since = (_instant(min(times)) if times else None for times in (received, behind))
    problems = [*_judge_runs(runs, now, hours)]
    if interrupted:
        problems.append(f"{format_count(len(interrupted), 'run was', 'runs were')} killed: run again")
    for what, since in (
        ("a file was received and is not processed", oldest),
        ("the catalogue is behind", behind_since),
    ):
        if since and seconds_between(since, now) > hours * _HOUR:
            problems.append(f"{what} since {since[:16]}")
    return Health(
        problems=tuple(problems),
        last_runs=tuple(runs),
        running=tuple(running),
        interrupted=tuple(interrupted),
        unprocessed=len(received),
        oldest_unprocessed=oldest,
        catalogue_behind_since=behind_since,
        form=publishers.read_form(store),
    )


def _judge_runs(runs: list[dict[str, Any]], now: str, hours: float) -> list[str]:
    if not runs:
        return ["no run has ended yet"]
    problems = []
    for one in runs:
        whose = f"the last run of shard {one['shard']}" if one["shard"] else "the last run"
        if one["outcome"] != COMPLETED:
            problems.append(f"{whose} ended {one['ended'][:16]}: {one['outcome']}")
    completed = _find_last_completed(runs)
    if completed is None:
        problems.append("no run has done everything yet")
    elif seconds_between(completed, now) > hours * _HOUR:
        problems.append(f"no run has done everything since {completed[:16]}")
    return problems


def _find_last_completed(runs: list[dict[str, Any]]) -> str | None:
    """When everything was last done: by a whole run, or by every shard of a run; None if it never was."""
    moments = [one["completed"] for one in runs if not one["shard"]]
    shards = {one["shard"]: one["completed"] for one in runs if one["shard"]}
    if shards and all(shards.values()) and len(shards) == int(next(iter(shards)).partition("/")[2]):
        moments.append(min(shards.values()))
    return max(filter(None, moments), default=None)


def _list_unprocessed(store: Store) -> list[float]:
    """When each file came that has no report and was not purged, in seconds since 1970: by listing keys alone."""
    done = {layout.parse_public_report(key) for key in store.keys(layout.REPORTS)}
    purged = {key.rpartition("/")[2].removesuffix(".json") for key in store.keys(layout.tombstones_prefix())}
    times = []
    for key, about in store.list_objects(layout.senders()):
        sha256, body, dataset = layout.parse_sender_link(key)
        if (dataset, body, sha256) not in done and sha256 not in purged:
            times.append(about.modified)
    waiting = [receipt.time for receipt, _ in publishers.list_waiting(store)]
    return times + [datetime.fromisoformat(moment).timestamp() for moment in waiting]


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(min(seconds, time.time()), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
