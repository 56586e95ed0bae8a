"""Who may use the portal, sign-in links, failed attempts, and the log of what people did. All of it is private."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved
from piperoll.model import Grant, Subject, SubjectKind, from_document, to_document, to_json_bytes
from publishers.stores.protocol import JsonObject, Store, read_json, update_json

_REMEMBERED_SECONDS = 2 * 86_400
"""Longer than any session lasts."""

_MOST_ATTEMPTS = 200
"""Failed attempts that are kept."""

_MOST_LOOKED_AT = 500
"""Counts that are looked at when expired ones are deleted: a flood from many addresses must not slow down sign-in."""


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """One entry of the log: `who` (an opaque identifier) did `what`, to `subject`, with `outcome`, at `instant`.

    Nothing in it is personal: no names, addresses, file names or values.
    """

    instant: str
    who: str
    what: str
    subject: str = ""
    outcome: str = ""


def read_grants(store: Store, subject: Subject) -> tuple[Grant, ...]:
    """What a subject may do; empty if it may do nothing."""
    document = read_json(store, layout.grants(subject.kind, subject.digest))
    return tuple(from_document(Grant, one) for one in document.get("grants", ()))


def change_grants(store: Store, subject: Subject, change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]]) -> None:
    """Replace what a subject may do by `change` of it, also if others change it at the same time."""

    def changed(document: JsonObject) -> JsonObject:
        before = tuple(from_document(Grant, one) for one in document.get("grants", ()))
        return {"grants": to_document(change(before))}

    update_json(store, layout.grants(subject.kind, subject.digest), changed)


def list_grants(store: Store) -> Iterator[tuple[Subject, Grant]]:
    """Every grant with its subject, by kind of subject."""
    for key in store.keys(layout.grants()):
        kind, digest = layout.parse_grants(key)
        subject = Subject(SubjectKind(kind), digest)
        for grant in read_grants(store, subject):
            yield subject, grant


def keep_secret(store: Store, key: str = layout.PLATFORM_SECRET) -> bytes:
    """The secret under a key of the store, made the first time."""
    try:
        return store.read(key).content
    except NotThere:
        made = secrets.token_hex(32).encode()
    try:
        store.replace(key, made, None)
    except PointerMoved:  # another process made it at the same moment
        return store.read(key).content
    return made


def chase_secret(store: Store, *, write: bool) -> bytes:
    """The secret that keys what was sent to whom: one of the store's own, so that no setting changes what is known.

    Without `write`, it is not made: if there is none yet, nothing was sent, and any other will do.
    """
    if write or store.exists(layout.CHASE_SECRET):
        return keep_secret(store, layout.CHASE_SECRET)
    return b"nothing was ever sent"


def keep_link(store: Store, digest: str, link: Mapping[str, str | float]) -> None:
    """Keep what a sign-in link is for, by the hash of its token."""
    store.create(layout.sign_in_link(digest), to_json_bytes(dict(link)))


def take_link(store: Store, digest: str) -> JsonObject | None:
    """What a sign-in link is for, the first time that it is used; None for any other.

    Two who use it at the same moment: one conditional write decides. Each writes a mark of its own, because a store
    takes a write of what is there already.
    """
    taken: list[JsonObject] = []
    mark = secrets.token_hex(8)

    def take(document: JsonObject) -> JsonObject:
        taken.clear()
        if document and not document.get("used"):
            taken.append(document)
        return document if document.get("used") else {**document, "used": mark}

    key = layout.sign_in_link(digest)
    if not store.exists(key):
        return None
    update_json(store, key, take)
    return taken[0] if taken else None


def forget_expired(store: Store, now: float) -> None:
    """Delete links that no longer work, counts of long ago, and records of sessions that would have ended by now."""
    for key in list(store.keys(layout.sign_in_link_prefix())):
        if read_json(store, key).get("expires", now) <= now:
            store.delete(key)
    for key in list(islice(store.keys(layout.access_attempts()), _MOST_LOOKED_AT)):
        if all(when < now - _REMEMBERED_SECONDS for when in read_json(store, key).get("failed", ())):
            store.delete(key)
    oldest = datetime.fromtimestamp(now - _REMEMBERED_SECONDS, UTC).date().isoformat()
    for key in list(store.keys(layout.ended_sessions())):
        if layout.parse_ended_session(key) < oldest:
            store.delete(key)


def count_once(store: Store, digest: str, now: float, seconds: float) -> None:
    """Count a failed attempt of an address, or a link sent to an account; those `seconds` ago are forgotten."""

    def add(document: JsonObject) -> JsonObject:
        recent = [when for when in document.get("failed", ()) if when > now - seconds]
        return {"failed": [*recent[-_MOST_ATTEMPTS:], now]}

    update_json(store, layout.access_attempts(digest), add)


def count_recent(store: Store, digest: str, since: float) -> int:
    """What `count_once` has counted since a moment."""
    return sum(when > since for when in read_json(store, layout.access_attempts(digest)).get("failed", ()))


def end_session(store: Store, digest: str, day: str) -> None:
    """Record that a session was signed out."""
    store.create(layout.ended_session(digest, day), b"")


def has_ended(store: Store, digest: str, day: str) -> bool:
    """True if a session was signed out."""
    return store.exists(layout.ended_session(digest, day))


def log_access(store: Store, event: AccessEvent) -> None:
    """Add an entry to the log, which is never changed."""
    store.create(layout.access_log(event.instant, secrets.token_hex(6)), to_json_bytes(to_document(event)))


def read_access_log(store: Store) -> Iterator[AccessEvent]:
    """The entries of the log, oldest first."""
    for key in store.keys(layout.access_log()):
        yield from_document(AccessEvent, json.loads(store.read(key).content))
