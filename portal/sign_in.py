"""Sign in and out: with an OpenID provider, with a link by e-mail, or once with the address that the portal printed."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature
from starlette.background import BackgroundTask
from starlette.datastructures import FormData

from hosting.problems import Problem
from piperoll.errors import PiperollError
from piperoll.model import Subject
from piperoll.operations.access import (
    derive_secret,
    grants_now,
    keyed_digest,
    normalise_address,
    person_of,
    subjects_of,
)
from portal.mail import send_mail
from portal.openid import Attempt, OpenIdProvider
from portal.rates import check_lock, client_address, note_failure
from portal.rendering import page
from portal.sessions import LOCAL, begin_session, note, public, sent_form, settings_of, signer, stop_session
from portal.settings import PortalSettings, Rate
from publishers.access import count_once, count_recent, forget_expired, keep_link, take_link

router = APIRouter()

LINK_SECONDS = 15 * 60
"""How long a sign-in link works."""

_MAIL_RATE, _ACCOUNT_RATE = Rate(30, 900), Rate(3, 900)
"""Links that one client may ask for, and that are sent to one address, in each process."""

_MOST_LINKS = 2 * _ACCOUNT_RATE.most
"""Links to one address within the time of `_ACCOUNT_RATE` in all processes: what one process sends at most."""

_ATTEMPT_SECONDS = 600
"""How long a sign-in at the provider may take."""

_ATTEMPT_SALT = "piperoll openid"
_LOCAL_PATH = re.compile(r"/(?!/)[\x21-\x7e]*")


def safe_path(text: str) -> str:
    """A path of the portal to go on to; `/` for anything that could lead to another site."""
    return text if _LOCAL_PATH.fullmatch(text) and "\\" not in text and len(text) < 1000 else "/"


@router.get("/sign-in")
@public
def sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The page to sign in."""
    if request.state.signed is not None:
        return RedirectResponse(safe_path(next), 303)
    return _sign_in_page(request, safe_path(next))


@router.post("/sign-in/email")
@public
def send_link(request: Request, form: FormData = Depends(sent_form)) -> Response:
    """Send a sign-in link. The answer, and the time that it takes, are the same whether we know the address or not."""
    settings = settings_of(request)
    if settings.mail is None:
        raise Problem(404, "no-mail", "this portal sends no links")
    request.app.state.rates.check("mail", client_address(request, settings), _MAIL_RATE)
    address = normalise_address(str(form.get("email", "")))
    if address is None:
        error = "Enter an e-mail address in the correct format, like name@example.gov.uk"
        return _sign_in_page(request, safe_path(str(form.get("next", "/"))), error, 400)
    account = keyed_digest(settings.secret, "mail", address)
    task = None
    if not request.app.state.rates.allow("mail-account", account, _ACCOUNT_RATE):
        task = BackgroundTask(_send_link, settings, address)
    return RedirectResponse("/sign-in/sent", 303, background=task)


@router.get("/sign-in/sent")
@public
def link_sent(request: Request) -> Response:
    """Say that a link was sent, if the address is known."""
    return page(request, "sign_in_sent.html", minutes=LINK_SECONDS // 60)


@router.get("/sign-in/link")
@public
def confirm_link(request: Request, token: str = "") -> Response:
    """The page that a sign-in link opens: programs that look at links in mail do not use the link up."""
    return page(request, "sign_in_link.html", token=token[:1000])


@router.post("/sign-in/link")
@public
def use_link(request: Request, form: FormData = Depends(sent_form)) -> Response:
    """Sign in with a link that has not been used."""
    settings, token = settings_of(request), str(form.get("token", ""))
    address = client_address(request, settings)
    check_lock(settings, address)
    if _take_once(request, token):
        begin_session(request, f"local-{keyed_digest(settings.secret, 'local', '')[:12]}", "", [LOCAL])
        note(request, "once")
        return RedirectResponse("/", 303)
    email = _take_link(settings, token)
    if email is None:
        note_failure(settings, address)
        raise Problem(403, "link-used", "this link was used already, or is too old: go to the start page for another")
    return _let_in(
        request, person_of(settings.secret, email).digest, email, [person_of(settings.secret, email)], "link"
    )


@router.get("/sign-in/organisation")
@public
def begin_openid(request: Request, next: str = "/") -> Response:  # noqa: A002
    """Go to the OpenID provider."""
    settings = settings_of(request)
    address, attempt = _provider(request).begin(safe_path(next), settings.clock())
    content = {name: getattr(attempt, name) for name in attempt.__slots__}
    answer = RedirectResponse(address, 303)
    cookie = str(signer(settings, _ATTEMPT_SALT).dumps({**content, "at": settings.clock()}))
    _set_attempt(settings, answer, cookie, _ATTEMPT_SECONDS)
    return answer


@router.get("/sign-in/organisation/return")
@public
def finish_openid(request: Request) -> Response:
    """Come back from the OpenID provider."""
    settings, provider = settings_of(request), _provider(request)
    attempt = _read_attempt(request)
    identity = provider.finish(attempt, dict(request.query_params), settings.clock())
    email = normalise_address(identity.email) or ""
    if email:
        subjects = subjects_of(settings.secret, email, identity.groups, proven_domain=True)
        person = subjects[0].digest
    else:
        subjects = subjects_of(settings.secret, "", identity.groups, proven_domain=False)[1:]
        person = keyed_digest(settings.secret, "openid", identity.subject)
    answer = _let_in(request, person, email, subjects, "organisation", attempt.next)
    _set_attempt(settings, answer, "", 0)
    return answer


@router.post("/sign-out")
@public
def sign_out(request: Request) -> Response:
    """End the session."""
    stop_session(request)
    return RedirectResponse("/sign-in", 303)


def _let_in(
    request: Request, person: str, email: str, subjects: list[Subject], how: str, wanted: str = "/"
) -> Response:
    """Begin a session, with those subjects that were granted something. Raises: Problem: none was."""
    settings = settings_of(request)
    today = _day(settings)
    via = [subject for subject in subjects if grants_now(settings.opened, [subject], today)]
    if not via:
        note(request, f"refused-{how}", person)
        raise Problem(403, "nothing-granted", "you are known, but nobody has given you access yet: ask the operator")
    begin_session(request, person, email, via)
    note(request, how)
    return RedirectResponse(wanted, 303)


def _sign_in_page(request: Request, wanted: str, error: str = "", status: int = 200) -> Response:
    settings = settings_of(request)
    openid = settings.openid.name if settings.openid else None
    return page(
        request, "sign_in.html", status=status, next=wanted, error=error, openid=openid, mail=settings.mail is not None
    )


def _send_link(settings: PortalSettings, address: str) -> None:
    """Send a link, if anything is granted to this person. Runs after the answer; a failure is no news to the asker."""
    if settings.mail is None or not grants_now(settings.opened, [person_of(settings.secret, address)], _day(settings)):
        return
    now, identifier = settings.clock(), secrets.token_urlsafe(24)
    account = keyed_digest(settings.secret, "mail", address)
    if count_recent(settings.opened, account, now - _ACCOUNT_RATE.seconds) >= _MOST_LINKS:
        return
    count_once(settings.opened, account, now, _ACCOUNT_RATE.seconds)
    token = _fernet(settings).encrypt_at_time(json.dumps([identifier, address]).encode(), int(now)).decode()
    keep_link(settings.opened, _link_digest(settings, identifier), {"expires": now + LINK_SECONDS})
    text = (
        f"Sign in to the {settings.publisher_name} portal:\n\n{settings.address}sign-in/link?token={token}\n\n"
        f"The link works once, within {LINK_SECONDS // 60} minutes. If you did not ask for it, do nothing.\n"
    )
    try:
        send_mail(settings.mail, address, f"Your link to sign in to the {settings.publisher_name} portal", text)
        forget_expired(settings.opened, now)
    except PiperollError as error:
        print(f"piperoll portal: {error}", flush=True)  # noqa: T201 - the server's log; the error names nobody


def _take_link(settings: PortalSettings, token: str) -> str | None:
    """The address that a link was sent to, the first time that it is used and in time; None for any other."""
    try:
        content = _fernet(settings).decrypt_at_time(token.encode(), LINK_SECONDS, int(settings.clock()))
        identifier, address = json.loads(content)
    except (InvalidToken, ValueError):
        return None
    link = take_link(settings.opened, _link_digest(settings, identifier))
    return str(address) if link is not None and link["expires"] > settings.clock() else None


def _take_once(request: Request, token: str) -> bool:
    """True if this is the address that the portal printed when it started, and nobody has used it."""
    once: list[str] = request.app.state.once
    for known in once:
        if hmac.compare_digest(known.encode(), token.encode()):
            once.remove(known)
            return True
    return False


def _fernet(settings: PortalSettings) -> Fernet:
    """Encrypts what a link says: an address that holds no name, also for whoever reads the mail server's log."""
    return Fernet(urlsafe_b64encode(derive_secret(settings.secret, "link")))


def _link_digest(settings: PortalSettings, identifier: str) -> str:
    return keyed_digest(settings.secret, "link", identifier)


def _provider(request: Request) -> OpenIdProvider:
    provider: OpenIdProvider | None = request.app.state.openid
    if provider is None:
        raise Problem(404, "no-openid", "this portal has no sign-in with an organisation")
    return provider


def _read_attempt(request: Request) -> Attempt:
    """The sign-in that this browser began. Raises: Problem: it began none, or too long ago."""
    settings = settings_of(request)
    try:
        content = signer(settings, _ATTEMPT_SALT).loads(request.cookies.get(_attempt_cookie(settings), ""))
        if settings.clock() - content.pop("at") <= _ATTEMPT_SECONDS:
            return Attempt(**content)
    except (BadSignature, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise Problem(403, "sign-in-refused", "you could not be signed in: go to the start page and try again")


def _set_attempt(settings: PortalSettings, answer: Response, value: str, seconds: int) -> None:
    answer.set_cookie(
        _attempt_cookie(settings), value, seconds, path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )


def _attempt_cookie(settings: PortalSettings) -> str:
    return "__Host-piperoll-openid" if settings.is_secure else "piperoll-openid"


def _day(settings: PortalSettings) -> str:
    return datetime.fromtimestamp(settings.clock(), UTC).date().isoformat()
