"""The keys of what bodies were written to about."""

from __future__ import annotations

from piperoll.layout.records import compact_instant

CHASING = "chasing/"


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
