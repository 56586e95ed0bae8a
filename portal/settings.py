"""What a portal is started with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urlsplit

from hosting.limits import ApiLimits
from piperoll import assets
from piperoll.errors import SettingsError
from piperoll.model import Body, Register
from piperoll.operations.access import platform_secret
from piperoll.operations.remote_files import local_file
from piperoll.operations.run_request import known_bodies
from piperoll.settings import Settings
from publishers import Store, open_store

IDLE_SECONDS = 30 * 60
"""A session ends after this time without a request."""

SESSION_SECONDS = 8 * 3600
"""A session ends this long after sign-in: a working day."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `most` times in `seconds`."""

    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LocalSignIn:
    """Sign-in by a one-time address, for one machine: everything for one body, and if `operate` for the platform."""

    body: str | None
    operate: bool = False


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """The OpenID provider of an organisation: its issuer, and how we are registered there.

    `groups_claim` is the claim that lists the groups of a person.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "your organisation"
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The SMTP server that sends sign-in links and receipts, `smtp://` with STARTTLS or `smtps://`, and the sender."""

    server: str = field(repr=False)
    sender: str


@dataclass(frozen=True)
class PortalSettings:
    """What a portal is started with.

    `store` is a folder or s3:// address, `secret` signs sessions and keys the hashes of `access/`, `address` is where
    people reach the portal, `site` where the catalogue is served, `bodies` the operator's own register, if any.
    With `background`, answers are applied by a process of the portal; without, by `piperoll decisions --apply`.
    `proxies` is how many reverse proxies of our own stand in front: so many entries of X-Forwarded-For are believed.
    `per_address` and `per_account` are requests a minute; all officers of a council may share one address.
    """

    store: str
    secret: bytes = field(repr=False)
    address: str = "http://127.0.0.1:8090/"
    site: str = "http://localhost:8000/"
    publisher_name: str = "Piperoll"
    bodies: str | None = None
    local: LocalSignIn | None = None
    openid: OpenIdSettings | None = None
    mail: MailSettings | None = None
    limits: ApiLimits = field(default_factory=ApiLimits)
    proxies: int = 0
    per_address: int = 1_200
    per_account: int = 300
    idle_seconds: int = IDLE_SECONDS
    session_seconds: int = SESSION_SECONDS
    background: bool = True
    clock: Callable[[], float] = time.time

    @property
    def is_secure(self) -> bool:
        """True if people reach the portal by https."""
        return self.address.startswith("https:")

    @property
    def origin(self) -> str:
        """The scheme, host and port of the address, as browsers send it."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def opened(self) -> Store:
        """The store."""
        return open_store(self.store)

    @cached_property
    def register(self) -> Register:
        """The bodies that we know."""
        return known_bodies(local_file(self.bodies) if self.bodies else None)

    def find_body(self, slug: str) -> Body:
        """The body of a slug; one that is in no register has its slug as a name."""
        return self.register.at_slug(slug)

    def kind_of(self, slug: str) -> str | None:
        """The kind of a body that only the operator's own register has; None for one of ours, whose kind is known."""
        return self.find_body(slug).known_kind if assets.register().at_slug(slug).provisional else None

    @classmethod
    def from_settings(cls, store: str, settings: Settings, **given: object) -> PortalSettings:
        """The settings of PIPEROLL_PORTAL_ variables, and those given. Raises: SettingsError: they do not fit."""
        address = settings.portal_url or "http://127.0.0.1:8090/"
        if not settings.portal_secret and address.startswith("https:"):
            raise SettingsError("PIPEROLL_PORTAL_SECRET is needed for a portal that others reach: 32 random characters")
        portal = cls(
            store,
            platform_secret(open_store(store), settings),
            address,
            settings.base_url,
            settings.publisher_name,
            openid=_openid(settings),
            mail=read_mail_settings(settings),
            proxies=settings.portal_proxies,
        )
        return replace(portal, **given)  # type: ignore[arg-type]  # names and types are the caller's


def _openid(settings: Settings) -> OpenIdSettings | None:
    if not settings.portal_openid_issuer:
        return None
    if not settings.portal_openid_client:
        raise SettingsError(
            "PIPEROLL_PORTAL_OPENID_ISSUER needs PIPEROLL_PORTAL_OPENID_CLIENT, the client's identifier"
        )
    return OpenIdSettings(
        settings.portal_openid_issuer,
        settings.portal_openid_client,
        settings.portal_openid_secret,
        settings.portal_openid_name,
        settings.portal_openid_groups,
    )


def read_mail_settings(settings: Settings) -> MailSettings | None:
    """The mail server of the PIPEROLL_PORTAL_ variables; None without one. Raises: SettingsError: no sender is set."""
    if not settings.portal_smtp:
        return None
    if not settings.portal_mail_from:
        raise SettingsError("PIPEROLL_PORTAL_SMTP needs PIPEROLL_PORTAL_MAIL_FROM, the address that mail is sent from")
    return MailSettings(settings.portal_smtp, settings.portal_mail_from)


def is_loopback(host: str) -> bool:
    """True if only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
