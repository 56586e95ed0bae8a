"""The keys of backups, which have a place of their own, of a store that is being restored, and of records of runs."""

from __future__ import annotations

from piperoll.layout.records import COLLECTED, compact_instant

BACKUP = "backup/"
"""The prefix of everything in a backup place. A store has none of it."""

BACKUP_OBJECTS, BACKUP_LISTS = f"{BACKUP}objects/", f"{BACKUP}taken/"

BACKUP_UNFINISHED = f"{BACKUP}unfinished.json.gz"
"""What a backup that has not ended has copied, so that the next one need not read it again. Remade."""

RESTORING = f"{COLLECTED}restoring"
"""The name of the backup that a store is being made again from. Private; deleted when that has ended."""


def backup_object(sha256: str) -> str:
    """A content that some backup holds. Written once."""
    return f"{BACKUP_OBJECTS}{sha256[:2]}/{sha256}"


def backup_entries(taken: str) -> str:
    """The keys of one backup with the sha256 of what was there. Written once, before `backup_list`."""
    return f"{BACKUP}entries/{compact_instant(taken)}.json.gz"


def backup_list(taken: str) -> str:
    """One backup: how much it holds, and which purges it knows. Written once, last of all."""
    return f"{BACKUP_LISTS}{compact_instant(taken)}.json"


RUNS_AT_WORK = f"{COLLECTED}runs/at-work/"
"""One object for each run that has begun and not ended. Private; deleted at the end of the run."""

LAST_RUNS = f"{COLLECTED}runs/ended/"
"""How the last run ended, and the last of each shard. Pointers; private."""


def run_at_work(moment: str, identifier: str) -> str:
    """A run that began at an ISO 8601 instant and has not ended. Private."""
    return f"{RUNS_AT_WORK}{compact_instant(moment)}-{identifier}.json"


def last_run(shard: str | None) -> str:
    """How the last run ended, or the last of a shard such as `2/8`. A pointer; private."""
    return f"{LAST_RUNS}{f'shard-{shard}'.replace('/', '-of-') if shard else 'run'}.json"
