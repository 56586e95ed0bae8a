"""What bodies were written to about, so that nobody gets the same twice. Addresses are kept as keyed hashes only.

Each thing is claimed for a recipient before the message that holds it is sent, and the claim is never removed. If the
message reached nobody for certain, that is recorded too, and the next run claims the thing again with the next number.
A process that is killed between the claim and the message leaves a claim that nobody repeats: no message is better than
two. The log has an entry for each message, written after it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from piperoll import layout
from piperoll.errors import AlreadyThere
from piperoll.model import from_document, to_document, to_json_bytes
from publishers.stores.protocol import Store

SENT, FAILED, UNKNOWN = "sent", "failed", "unknown"
"""What became of a message: taken by the server, certainly not taken, or the connection broke in the middle."""


@dataclass(frozen=True, slots=True)
class ChaseEntry:
    """One message: to which body and recipient (a keyed hash), when, by `mail` or `webhook`, and what became of it.

    `about` are the digests of what it was about, and `subjects` say so in words that name nobody.
    """

    id: str
    instant: str
    body: str
    recipient: str
    channel: str
    outcome: str
    why: str
    about: tuple[str, ...]
    subjects: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class ChaseClaim:
    """The last claim of one thing for one recipient: its number, and whether the message certainly reached nobody."""

    attempt: int
    failed: bool


def list_chase_claims(store: Store, body: str | None = None) -> dict[str, ChaseClaim]:
    """The last claim of everything that bodies, or one, were written to about, by its digest."""
    attempts: dict[str, int] = {}
    failed: set[tuple[str, int]] = set()
    for key in store.keys(layout.chase_claims(body)):
        _, digest, attempt, has_failed = layout.parse_chase_claim(key)
        attempts[digest] = max(attempt, attempts.get(digest, 0))
        if has_failed:
            failed.add((digest, attempt))
    return {digest: ChaseClaim(last, (digest, last) in failed) for digest, last in attempts.items()}


def claim_chase(store: Store, body: str, digest: str, attempt: int, message: str) -> bool:
    """Claim one thing for a message, whose identifier nobody else has; False if another process has claimed it."""
    try:
        store.create(layout.chase_claim(body, digest, attempt), to_json_bytes({"message": message}))
    except AlreadyThere:
        return False
    return True


def give_up_claim(store: Store, body: str, digest: str, attempt: int) -> None:
    """Record that the message certainly reached nobody, so that the thing may be claimed again."""
    store.create(layout.chase_failed(body, digest, attempt), b"")


def log_chase(store: Store, entry: ChaseEntry) -> None:
    """Add what became of a message to the log, which is never changed."""
    store.create(layout.chase_log(entry.instant, entry.id), to_json_bytes(to_document(entry)))


def read_chase_log(store: Store) -> Iterator[ChaseEntry]:
    """The log of messages, oldest first."""
    for key in store.keys(layout.chase_log()):
        yield from_document(ChaseEntry, json.loads(store.read(key).content))


def list_unfinished_chases(store: Store, known: Collection[str]) -> list[tuple[str, str]]:
    """The bodies and identifiers of messages that have claims and are not among the `known` ones of the log.

    Whether they were sent is not known: the process was killed, or is at work now.
    """
    found: set[tuple[str, str]] = set()
    failed = {key.removesuffix("-failed") for key in store.keys(layout.chase_claims()) if key.endswith("-failed")}
    for key in store.keys(layout.chase_claims()):
        body, _, _, has_failed = layout.parse_chase_claim(key)
        if not has_failed and key.removesuffix(".json") not in failed:
            message = json.loads(store.read(key).content)["message"]
            if message not in known:
                found.add((body, message))
    return sorted(found)
