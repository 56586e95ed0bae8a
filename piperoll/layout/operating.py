"""The keys of what running the platform keeps: backups, runs, what files were examined by, and whom it wrote to.

Backups have a place of their own, which is no store.
"""

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


EXAMINED_BY = f"{COLLECTED}examined-by/"
"""The prefix of what the files of each dataset and body were last examined by. Private."""


def examined_by(dataset: str, body: str, basis: str) -> str:
    """The answers, as digests: files of a body were last examined by these, these rules and register entry. Private."""
    return f"{EXAMINED_BY}{dataset}/{body}/{basis}"


def parse_examined_by(key: str) -> tuple[str, str, str]:
    """The dataset, body and basis that a key made by `examined_by` names."""
    dataset, body, basis = key.removeprefix(EXAMINED_BY).split("/")
    return dataset, body, basis


CHASING = "chasing/"

CHASE_SECRET = f"{CHASING}secret"
"""What keys the hashes of what was sent to whom. Written once; private."""


def chase_claims(body: str | None = None) -> str:
    """The prefix of what bodies, or one, were or are being written to about."""
    return f"{CHASING}claims/{'' if body is None else f'{body}/'}"


def chase_claim(body: str, digest: str, attempt: int) -> str:
    """The record that one thing is being sent to one recipient. Written once, before it is sent; private."""
    return f"{chase_claims(body)}{digest}/{attempt:03}.json"


def chase_failed(body: str, digest: str, attempt: int) -> str:
    """An empty object: that attempt reached nobody, so the next run tries again. Written once; private."""
    return f"{chase_claims(body)}{digest}/{attempt:03}-failed"


def parse_chase_claim(key: str) -> tuple[str, str, int, bool]:
    """The body, digest and attempt that a key below `chase_claims` names, and whether it says that it failed."""
    body, digest, name = key.removeprefix(chase_claims()).split("/")
    number = name.removesuffix(".json").removesuffix("-failed")
    return body, digest, int(number), name.endswith("-failed")


def chase_log(instant: str = "", identifier: str = "") -> str:
    """What became of one message, at an ISO 8601 instant; without one, the prefix of all. Written once; private."""
    return f"{CHASING}log/{instant and f'{compact_instant(instant)}-{identifier}.json'}"
