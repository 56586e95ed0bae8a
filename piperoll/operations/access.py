"""Who may use the portal: grant, list and revoke; and what a session or a key may do at this moment."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from piperoll.errors import SettingsError, UsageError
from piperoll.model import Grant, Role, Subject, SubjectKind
from piperoll.settings import Settings
from publishers import Store
from publishers.access import AccessEvent, change_grants, keep_secret, list_grants, log_access, read_grants

KEY_PREFIX = "piperoll_"
"""The beginning of every machine key, so that scanners of source code find one that was left there."""

_LEAST_SECRET = 32
"""Characters of a secret."""

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)
_DOMAIN = re.compile(r"([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)
_BODY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be made: to whom (an e-mail address, a domain, a group; empty for a new key), where and what.

    `body` is a slug; None is the platform. `until` is the last day of the grant, YYYY-MM-DD.
    """

    kind: SubjectKind
    name: str
    body: str | None
    roles: tuple[Role, ...]
    note: str = ""
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant that was made, its subject, and for a new key the key itself, which is never shown again."""

    grant: Grant
    subject: Subject
    key: str | None = None


def platform_secret(store: Store, settings: Settings) -> bytes:
    """The secret that keys the hashes: the operator's setting, or one that is kept in the private part of the store.

    Raises: SettingsError: the setting is too short.
    """
    if not settings.portal_secret:
        return keep_secret(store)
    if len(settings.portal_secret) < _LEAST_SECRET:
        raise SettingsError(f"PIPEROLL_PORTAL_SECRET is too short: use at least {_LEAST_SECRET} random characters")
    return settings.portal_secret.encode()


def keyed_digest(secret: bytes, purpose: str, text: str) -> str:
    """A hash that nobody can make or look up without the secret; the purpose keeps kinds of hashes apart."""
    return hmac.new(secret, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:40]


def derive_secret(secret: bytes, purpose: str) -> bytes:
    """A 32-byte secret of its own for each purpose."""
    return hmac.new(secret, f"derive\0{purpose}".encode(), hashlib.sha256).digest()


def normalise_address(text: str) -> str | None:
    """An e-mail address in lower case; None if it is not one that we would write to."""
    address = text.strip().lower()
    return address if _ADDRESS.fullmatch(address) else None


def person_of(secret: bytes, address: str) -> Subject:
    """The subject of a person, by a normalised e-mail address."""
    return Subject(SubjectKind.PERSON, keyed_digest(secret, "person", address))


def subjects_of(secret: bytes, address: str, groups: Collection[str] = (), *, proven_domain: bool) -> list[Subject]:
    """Every subject that someone is: a person, of groups, and (if someone vouches for it) of an e-mail domain."""
    domain = [Subject(SubjectKind.DOMAIN, keyed_digest(secret, "domain", address.rpartition("@")[2]))]
    named = [Subject(SubjectKind.GROUP, keyed_digest(secret, "group", group)) for group in sorted(groups)]
    return [person_of(secret, address), *(domain if proven_domain else ()), *named]


def key_of(secret: bytes, key: str) -> Subject:
    """The subject of a machine key."""
    return Subject(SubjectKind.KEY, keyed_digest(secret, "key", key))


def grants_now(store: Store, subjects: Iterable[Subject], day: str) -> list[Grant]:
    """What subjects may do on a day, read from the store: what was revoked a moment ago is not in it."""
    found = (grant for subject in subjects for grant in read_grants(store, subject))
    return [grant for grant in found if grant.until is None or day <= grant.until]


def grant_access(store: Store, secret: bytes, wanted: NewGrant, *, by: str) -> Granted:
    """Give roles to a person, domain, group, or to a new key. Raises: UsageError: the grant makes no sense."""
    _check_roles(wanted)
    key = KEY_PREFIX + secrets.token_urlsafe(32) if wanted.kind is SubjectKind.KEY else None
    subject = find_subject(secret, wanted.kind, key or wanted.name)
    roles, now = tuple(sorted(wanted.roles)), current_instant()[:19] + "Z"
    grant = Grant(secrets.token_hex(6), wanted.body, roles, now, by, wanted.note, wanted.until)
    change_grants(store, subject, lambda before: (*before, grant))
    log_access(store, AccessEvent(current_instant(), _operator(secret, by), "grant", grant.id))
    return Granted(grant, subject, key)


def find_subject(secret: bytes, kind: SubjectKind, name: str) -> Subject:
    """The subject of an e-mail address, domain, group or key. Raises: UsageError: it is not one."""
    if kind is SubjectKind.KEY:
        return key_of(secret, name)
    if kind is SubjectKind.PERSON:
        address = normalise_address(name)
        if address is None:
            raise UsageError(f"'{name}' is not an e-mail address")
        return person_of(secret, address)
    if kind is SubjectKind.DOMAIN:
        domain = name.strip().lower().removeprefix("@")
        if not _DOMAIN.fullmatch(domain):
            raise UsageError(f"'{name}' is not a domain: write it like anytown.gov.uk")
        return Subject(kind, keyed_digest(secret, "domain", domain))
    if not name.strip():
        raise UsageError("the name of a group is empty")
    return Subject(kind, keyed_digest(secret, "group", name))


def revoke_access(store: Store, secret: bytes, identifier: str, *, by: str) -> Grant:
    """Take back the grant with an identifier; sessions and keys lose it with their next request.

    Raises: UsageError: there is no such grant.
    """
    for subject, grant in list_grants(store):
        if grant.id == identifier:
            change_grants(store, subject, lambda before: tuple(one for one in before if one.id != identifier))
            log_access(store, AccessEvent(current_instant(), _operator(secret, by), "revoke", identifier))
            return grant
    raise UsageError(f"there is no grant '{identifier}': piperoll access list shows them")


def _check_roles(wanted: NewGrant) -> None:
    body, roles = wanted.body, set(wanted.roles)
    if not roles:
        raise UsageError("give at least one role: submit, decide, operate or calendar")
    if body is None and roles not in ({Role.OPERATE}, {Role.CALENDAR}):
        raise UsageError("name the body with --body: only the roles operate and calendar are for the whole platform")
    if body is not None and Role.OPERATE in roles:
        raise UsageError("the role operate is for the whole platform: leave out --body")
    if body is not None and not _BODY.fullmatch(body):
        raise UsageError(f"'{body}' is not the short name of a body: write it like anytown-council")
    if wanted.kind is SubjectKind.KEY and roles not in ({Role.SUBMIT}, {Role.CALENDAR}):
        raise UsageError("a key can have one role, submit or calendar: people sign in for what they decide")
    if wanted.kind is not SubjectKind.KEY and Role.CALENDAR in roles:
        raise UsageError("the role calendar is for an address that needs no sign-in: use it with --key")


def current_instant() -> str:
    """Now, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _operator(secret: bytes, by: str) -> str:
    return f"operator:{keyed_digest(secret, 'by', by)[:12]}"
