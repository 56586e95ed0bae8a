"""How often an address or an account may ask: in memory for each process, and a lock-out that every process knows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from fastapi import Request

from hosting.problems import Problem
from piperoll.operations.access import keyed_digest
from portal.settings import PortalSettings, Rate
from publishers.access import count_once, count_recent

_MOST_REMEMBERED = 50_000
"""Addresses and accounts that are remembered; those that asked longest ago are forgotten."""

LOCK_SECONDS, LOCK_FAILURES = 900, 20
"""After this many wrong links or keys within this time, an address can use none, right or wrong, for this time."""


class RateLimits:
    """Counts what each address and account does. Any thread may use it.

    Each has an allowance that fills up evenly: `most` at once, and then one each `seconds / most`.
    """

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, what: str, who: str, rate: Rate) -> float:
        """Count one; return 0 if it is allowed, or else the seconds after which it will be."""
        now = self._settings.clock()
        with self._lock:
            left, when = self._left.pop((what, who), (float(rate.most), now))
            left = min(float(rate.most), left + max(now - when, 0) * rate.most / rate.seconds)
            allowed = left >= 1
            self._left[what, who] = (left - 1 if allowed else left, now)
            if len(self._left) > _MOST_REMEMBERED:
                self._left.popitem(last=False)
        return 0 if allowed else (1 - left) * rate.seconds / rate.most

    def check(self, what: str, who: str, rate: Rate) -> None:
        """Count one. Raises: Problem: 429, with the time to wait."""
        if wait := self.allow(what, who, rate):
            raise Problem(
                429,
                "too-many",
                "there were too many requests: wait a little and try again",
                retry_after=max(1, round(wait)),
            )


def client_address(request: Request, settings: PortalSettings) -> str:
    """The address of a client: that of the connection, or what our own proxies say of it.

    Of an IPv6 address only the network (/64), since one client has all of it. What a client writes into
    X-Forwarded-For itself stands before what our proxies add, and is not believed.
    """
    peer = request.client.host if request.client else ""
    if settings.proxies:
        named = [part.strip() for value in request.headers.getlist("X-Forwarded-For") for part in value.split(",")]
        peer = named[-settings.proxies] if len(named) >= settings.proxies else peer
    try:
        parsed = ip_address(peer)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def check_lock(settings: PortalSettings, address: str) -> None:
    """Refuse an address that tried too many wrong links or keys. Raises: Problem: 429."""
    digest = keyed_digest(settings.secret, "attempts", address)
    if count_recent(settings.opened, digest, settings.clock() - LOCK_SECONDS) >= LOCK_FAILURES:
        raise Problem(
            429, "locked", "there were too many wrong attempts: wait 15 minutes and try again", retry_after=LOCK_SECONDS
        )


def note_failure(settings: PortalSettings, address: str) -> None:
    """Record, for every process, that an address tried a wrong link or key."""
    digest = keyed_digest(settings.secret, "attempts", address)
    count_once(settings.opened, digest, settings.clock(), LOCK_SECONDS)
