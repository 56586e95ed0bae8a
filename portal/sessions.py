"""Who is signed in: signed cookies, what a session may do at this moment, and the guard that every route has.

A session is a signed cookie and nothing on the server. It holds whom its sign-in proved (`via`), not what they may do:
that is read from the store with every request, so a grant that was revoked has no effect any more.

The guard is a dependency of the whole application, so that a route cannot be forgotten: without a session there is
nothing but pages marked `public`, and a body in an address is 404 for the sessions of others.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting.problems import Problem
from hosting.uploads import read_upload_form, upload_body
from piperoll.model import Grant, Role, Subject, roles_for
from piperoll.operations.access import KEY_PREFIX, derive_secret, grants_now, key_of
from portal.rates import check_lock, client_address, note_failure
from portal.settings import PortalSettings, Rate
from publishers.access import end_session, has_ended

LOCAL = "local"
"""What `via` has for a session that began with the one-time address on this machine."""

_REFRESH_SECONDS = 60
"""A cookie is signed again if it is older: the time without a request is known this exactly."""

_MOST_FORM_BYTES = 262_144
"""Bytes of a form without a file: a decision on some hundred names."""

_MOST_FIELDS, _MOST_ANSWERS = 50, 2_000
"""Text fields of a form with a file, and of one without."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie says: an identifier, who (opaque, and the e-mail address), by what they are somebody, since when.

    `via` are subjects as text. `flash` is a message for the next page only.
    """

    id: str
    person: str
    email: str
    via: tuple[str, ...]
    csrf: str
    since: float
    flash: str = ""

    @property
    def day(self) -> str:
        """The day on which it began."""
        return datetime.fromtimestamp(self.since, UTC).date().isoformat()

    def content(self) -> dict[str, Any]:
        """What the cookie holds."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Signed:
    """Someone who is signed in, and what they may do at this moment.

    `person` is an opaque identifier, the only one that may be recorded; `email` is empty for a key. `bodies` are slugs.
    `roles` are those for the body in the address; without one, all that they have for any body.
    """

    person: str
    email: str
    bodies: frozenset[str]
    roles: frozenset[Role]
    csrf: str
    is_key: bool = False
    grants: tuple[Grant, ...] = field(default=(), repr=False)

    @property
    def operates(self) -> bool:
        """True if they run the platform, and so see every body."""
        return any(Role.OPERATE in grant.roles for grant in self.grants)

    def may_see(self, body: str) -> bool:
        """True if they may know anything about this body beyond what is public."""
        return self.operates or body in self.bodies

    def roles_at(self, body: str) -> frozenset[Role]:
        """The roles that they have for a body."""
        return roles_for(self.grants, body)


class NotSignedIn(Exception):
    """The request has no session, or one that has ended."""


def signer(settings: PortalSettings, purpose: str) -> URLSafeSerializer:
    """What signs cookies for a purpose."""
    key = derive_secret(settings.secret, "cookies")
    return URLSafeSerializer(key, purpose, signer_kwargs={"digest_method": hashlib.sha256})


def session_signer(settings: PortalSettings) -> URLSafeSerializer:
    """What signs the cookies of sessions."""
    return signer(settings, "piperoll session")


class SessionCookies:
    """Reads the session of each request from its cookie into `scope["state"]`, and writes what became of it."""

    def __init__(self, app: ASGIApp, settings: PortalSettings) -> None:
        self._app = app
        self._settings = settings
        # __Host- makes browsers refuse the cookie from another host or without https
        self._name = "__Host-piperoll" if settings.is_secure else "piperoll"
        self._signer = session_signer(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
        cookie = cookie_parser("; ".join(sent)).get(self._name, "")
        before, fresh = self._read(cookie)
        state = scope.setdefault("state", {})
        state["session"] = before

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                after = state["session"]
                if after is None and cookie:
                    self._set(message, "", 0)
                elif after is not None and (after != before or not fresh):
                    self._set(message, self._write(after), self._settings.session_seconds)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _read(self, cookie: str) -> tuple[Session | None, bool]:
        """The session of a cookie, and whether it was signed a moment ago."""
        settings, now = self._settings, self._settings.clock()
        try:
            content = self._signer.loads(cookie)
            seen = float(content.pop("seen"))
            session = Session(**{**content, "via": tuple(content["via"])})
        except (BadSignature, KeyError, TypeError, ValueError, AttributeError):
            return None, False
        if now - seen > settings.idle_seconds or now - session.since > settings.session_seconds:
            return None, False
        return session, now - seen < _REFRESH_SECONDS

    def _write(self, session: Session) -> str:
        return str(self._signer.dumps({**session.content(), "seen": self._settings.clock()}))

    def _set(self, message: Message, value: str, seconds: int) -> None:
        secure = "; Secure" if self._settings.is_secure else ""
        cookie = f"{self._name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        MutableHeaders(scope=message).append("Set-Cookie", cookie)


def begin_session(request: Request, person: str, email: str, via: Iterable[Subject | str]) -> Session:
    """Sign someone in: a new session takes the place of any that there was, with another identifier and token."""
    session = Session(
        secrets.token_urlsafe(16),
        person,
        email,
        tuple(str(subject) for subject in via),
        secrets.token_urlsafe(24),
        settings_of(request).clock(),
    )
    request.state.session = session
    return session


def stop_session(request: Request) -> None:
    """Sign out: the cookie is deleted, and no copy of it is a session any more."""
    session: Session | None = request.state.session
    request.state.session = None
    if session is not None:
        end_session(settings_of(request).opened, _digest(session), session.day)


def note(request: Request, outcome: str, who: str | None = None) -> None:
    """Have this request logged with an outcome, and by whom if nobody is signed in."""
    request.state.noted = (who, outcome)


def settings_of(request: Request) -> PortalSettings:
    """The settings of the portal that answers this request."""
    settings: PortalSettings = request.app.state.settings
    return settings


def public(endpoint: EndpointT) -> EndpointT:
    """Mark a route that needs no session."""
    endpoint.is_public = True  # type: ignore[attr-defined]
    return endpoint


def for_machines(endpoint: EndpointT) -> EndpointT:
    """Mark a route that takes a key (`Authorization: Bearer`) and no session."""
    endpoint.takes_key = True  # type: ignore[attr-defined]
    return endpoint


def log_reading(endpoint: EndpointT) -> EndpointT:
    """Mark a route that only reads, and whose use is logged all the same: it hands out values that are held."""
    endpoint.is_logged = True  # type: ignore[attr-defined]
    return endpoint


def signed_now(request: Request) -> Signed | None:
    """Who is signed in, by what the store says at this moment; None if nobody is, or they may do nothing any more."""
    session: Session | None = request.state.session
    settings = settings_of(request)
    if session is None or has_ended(settings.opened, _digest(session), session.day):
        return None
    grants = tuple(_grants_of(settings, session.via))
    return _as_signed(request, session.person, session.email, grants, session.csrf) if grants else None


def guard(request: Request) -> None:
    """Find out who sends a request, and refuse it if they may not: the dependency of every route.

    Raises: NotSignedIn; HTTPException: 404 for a body of others.
    """
    endpoint, settings = request.scope["endpoint"], settings_of(request)
    request.state.signed = None
    address = client_address(request, settings)
    request.app.state.rates.check("address", address, Rate(settings.per_address, 60))
    if getattr(endpoint, "takes_key", False):
        request.state.signed = _signed_by_key(request, address)
    else:
        request.state.signed = signed_now(request)
        if request.state.signed is None:
            request.state.session = None
    if request.state.signed is None and not getattr(endpoint, "is_public", False):
        raise NotSignedIn
    if request.state.signed is not None:
        request.app.state.rates.check("account", request.state.signed.person, Rate(settings.per_account, 60))
    body = _body_of(request)
    if body is not None and (request.state.signed is None or not request.state.signed.may_see(body)):
        raise HTTPException(404)


async def guard_form(request: Request, _: None = Depends(guard)) -> AsyncIterator[None]:
    """Read the form of a request that changes something, and refuse it if no page of ours sent it.

    A dependency of every route, after `guard`: nobody who is not signed in sends us a file. Routes take what was read
    with `sent_form`. Raises: Problem: 403, or the form is too large or too slow.
    """
    request.state.form = FormData()
    if request.method in _SAFE_METHODS or getattr(request.scope["endpoint"], "takes_key", False):
        yield
        return
    check_origin(request)
    settings, kind = settings_of(request), request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data" and request.state.session is not None:
        body = upload_body(request, request.app.state.upload_budget, settings.limits)
        try:
            request.state.form = form = await read_upload_form(request, body, settings.limits, fields=_MOST_FIELDS)
            try:
                _check_csrf(request, form)
                yield
            finally:
                await form.close()
        finally:
            body.close()
        return
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > _MOST_FORM_BYTES:
        raise Problem(413, "too-large", "the form is too large: send fewer answers at a time")
    try:
        async with asyncio.timeout(settings.limits.patience_seconds):
            request.state.form = await request.form(max_files=0, max_fields=_MOST_ANSWERS)
    except TimeoutError as error:
        raise Problem(408, "too-slow-to-send", "the form did not arrive in time: send it again") from error
    if request.state.session is not None:  # sign-in itself has none to abuse, and is protected by `check_origin`
        _check_csrf(request, request.state.form)
    yield


def sent_form(request: Request) -> FormData:
    """The form that was sent; files in it are in memory. Routes take it with `Depends(sent_form)`."""
    form: FormData = request.state.form
    return form


def _check_csrf(request: Request, form: FormData) -> None:
    """Refuse a form that lacks the token of the session. Raises: Problem: 403."""
    session: Session | None = request.state.session
    token = form.get("csrf")
    if session is None or not isinstance(token, str) or not hmac.compare_digest(token.encode(), session.csrf.encode()):
        raise Problem(
            403, "not-our-form", "this form is no longer valid: go back, load the page again, and send it again"
        )


def check_origin(request: Request) -> None:
    """Refuse a request that a page of another site made. Raises: Problem: 403."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site in ("cross-site", "same-site") or (origin is not None and origin != settings_of(request).origin):
        raise Problem(403, "other-site", "this form was sent from another site: open the portal and send it from there")


@cache
def require(*roles: Role) -> Callable[[Request], Signed]:
    """The dependency that someone is signed in, with at least one of these roles for the body in the address.

    Without roles any will do. Someone who operates may do everything. The dependency raises Problem (403).
    """

    def required(request: Request) -> Signed:
        signed: Signed | None = request.state.signed
        if signed is None:
            raise NotSignedIn
        if roles and not signed.operates and signed.roles.isdisjoint(roles):
            names = " or ".join(roles)
            raise Problem(403, "not-allowed", f"this needs the role {names}: ask the operator for it")
        return signed

    return required


def own_body(request: Request, signed: Signed = Depends(require())) -> str:
    """The slug of the body in the address or query, which is one of theirs. Raises: HTTPException: 404 if it is not."""
    body = _body_of(request)
    if body is None or not signed.may_see(body):
        raise HTTPException(404)
    return body


def sign_in_address(request: Request) -> str:
    """The address of the page to sign in, which leads back to the page that was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='/')}"


def _signed_by_key(request: Request, address: str) -> Signed | None:
    """The holder of the key that was sent. Raises: Problem: 429: too many wrong keys came from this address."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    subject, grants = _grants_of_key(request, address, key.strip())
    return _as_signed(request, str(subject), "", grants, "", is_key=True) if grants else None


def find_calendars(request: Request, key: str) -> tuple[str | None, ...]:
    """The bodies whose calendar the key in an address opens, None for all bodies; empty if it opens none.

    Raises: Problem: 429: too many wrong keys came from this address.
    """
    if not key.startswith(KEY_PREFIX):
        return ()
    _, grants = _grants_of_key(request, client_address(request, settings_of(request)), key)
    return tuple(grant.body for grant in grants if Role.CALENDAR in grant.roles)


def _grants_of_key(request: Request, address: str, key: str) -> tuple[Subject, tuple[Grant, ...]]:
    """What the holder of a key may do. Raises: Problem: 429: too many wrong keys came from this address."""
    settings = settings_of(request)
    check_lock(settings, address)
    subject = key_of(settings.secret, key)
    grants = tuple(_grants_of(settings, [str(subject)])) if key.startswith(KEY_PREFIX) else ()
    if not grants:
        note_failure(settings, address)
    return subject, grants


def _as_signed(
    request: Request, person: str, email: str, grants: tuple[Grant, ...], csrf: str, *, is_key: bool = False
) -> Signed:
    body = _body_of(request)
    roles = {role for grant in grants for role in grant.roles} if body is None else roles_for(grants, body)
    bodies = frozenset(grant.body for grant in grants if grant.body is not None)
    return Signed(person, email, bodies, frozenset(roles), csrf, is_key, grants)


def _grants_of(settings: PortalSettings, via: Iterable[str]) -> Iterable[Grant]:
    today = datetime.fromtimestamp(settings.clock(), UTC).date().isoformat()
    subjects = []
    for text in via:
        if text != LOCAL:
            subjects.append(Subject.parse(text))
        elif settings.local is not None:
            if settings.local.body:
                yield Grant("local", settings.local.body, (Role.SUBMIT, Role.DECIDE), "", "this machine")
            if settings.local.operate:
                yield Grant("local", None, (Role.OPERATE,), "", "this machine")
    yield from grants_now(settings.opened, subjects, today)


def _body_of(request: Request) -> str | None:
    """The body that an address or its query names. Raises: HTTPException: 404: it names none that there could be."""
    named = [*request.query_params.getlist("body"), *filter(None, [request.path_params.get("body")])]
    if not named:
        return None
    if len(set(named)) > 1 or not _SLUG.fullmatch(named[0]):
        raise HTTPException(404)
    return str(named[0])


def _digest(session: Session) -> str:
    return hashlib.sha256(session.id.encode()).hexdigest()[:32]
