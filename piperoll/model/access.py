"""Who may do what in the portal: roles, and the grants that give them to people, groups, e-mail domains and keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What someone may do.

    `SUBMIT` sends files for a body. `DECIDE` answers questions about them, corrects and withdraws. `OPERATE` runs the
    platform and sees every body. `CALENDAR`, of a key only, reads the duty calendar of a body or of all at an address.
    """

    SUBMIT = "submit"
    DECIDE = "decide"
    OPERATE = "operate"
    CALENDAR = "calendar"


class SubjectKind(StrEnum):
    """Whom a grant is for: one person, everyone of an e-mail domain or of a group, or the holder of a key."""

    PERSON = "person"
    DOMAIN = "domain"
    GROUP = "group"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Grant:
    """Roles that a subject has for one body, or (`body` None) on the whole platform, which is `OPERATE` only.

    `id` names it in `piperoll access revoke`. `granted` is when (ISO 8601, UTC) and `by` is who, as the operator says.
    `note` is what the operator wrote to recognise it by; `until` is the day after which it ends, if it does.
    """

    id: str
    body: str | None
    roles: tuple[Role, ...]
    granted: str
    by: str
    note: str = ""
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom grants are for. `digest` is a keyed hash of the address, domain, group or key: none of them is kept."""

    kind: SubjectKind
    digest: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Subject:
        """The subject that `str` wrote. Raises: ValueError."""
        kind, _, digest = text.partition(":")
        return cls(SubjectKind(kind), digest)


def roles_for(grants: Iterable[Grant], body: str) -> frozenset[Role]:
    """The roles that grants give for one body; those on the whole platform are for every body."""
    return frozenset(role for grant in grants if grant.body in (None, body) for role in grant.roles)
