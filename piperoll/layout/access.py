"""The keys of who may use the portal, and what they did there."""

from __future__ import annotations

from piperoll.layout.records import compact_instant

ACCESS = "access/"

PLATFORM_SECRET = f"{ACCESS}secret"
"""The secret of the portal, if the operator set none. Written once; private."""


def grants(kind: str = "", digest: str = "") -> str:
    """What one subject may do; without a digest the prefix of the subjects of a kind, or of all. A pointer; private."""
    return f"{ACCESS}grants/{kind and f'{kind}/'}{digest and f'{digest}.json'}"


def parse_grants(key: str) -> tuple[str, str]:
    """The kind and digest of the subject that a key made by `grants` names."""
    _, _, kind, name = key.split("/")
    return kind, name.removesuffix(".json")


def sign_in_link(digest: str) -> str:
    """A sign-in link that was sent, by the hash of its token. Written once, deleted when used or late; private."""
    return f"{ACCESS}links/{digest}.json"


def sign_in_link_prefix() -> str:
    """The prefix of the sign-in links that were sent."""
    return f"{ACCESS}links/"


def ended_sessions() -> str:
    """The prefix of the sessions that were signed out."""
    return f"{ACCESS}ended/"


def parse_ended_session(key: str) -> str:
    """The day on which the session began that a key made by `ended_session` names."""
    return key.split("/")[2]


def ended_session(digest: str, day: str) -> str:
    """An empty object: a session that began on a day was signed out. Written once; private."""
    return f"{ACCESS}ended/{day}/{digest}"


def access_attempts(digest: str | None = None) -> str:
    """How often an address failed to sign in, or an account was sent a link, by its hash; without one, the prefix.

    A pointer; private.
    """
    return f"{ACCESS}attempts/" if digest is None else f"{ACCESS}attempts/{digest}.json"


def parse_access_log(key: str) -> str:
    """The day (YYYY-MM-DD) that a key made by `access_log` names."""
    return key.split("/")[2]


def access_log(instant: str = "", identifier: str = "") -> str:
    """One thing that someone did in the portal; without arguments the prefix of all. Written once; private."""
    if not instant:
        return f"{ACCESS}log/"
    return f"{ACCESS}log/{instant[:10]}/{compact_instant(instant)}-{identifier}.json"
