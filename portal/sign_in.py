"""Sign in and out."""

from __future__ import annotations

import hmac
import re

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from hosting.problems import Problem
from piperoll.operations.access import keyed_digest
from portal.rendering import page
from portal.sessions import LOCAL, begin_session, public, sent_form, settings_of, stop_session

router = APIRouter()

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


@router.get("/sign-in/link")
@public
def confirm_link(request: Request, token: str = "") -> Response:
    """The page that a sign-in link opens: programs that look at links in mail do not use the link up."""
    return page(request, "sign_in_link.html", token=token[:200])


@router.post("/sign-in/link")
@public
def use_link(request: Request, form: FormData = Depends(sent_form)) -> Response:
    """Sign in with a link that has not been used."""
    token, settings = str(form.get("token", "")), settings_of(request)
    once: list[str] = request.app.state.once
    for known in once:
        if hmac.compare_digest(known.encode(), token.encode()):
            once.remove(known)
            begin_session(request, f"local:{keyed_digest(settings.secret, 'local', '')[:12]}", "", [LOCAL])
            return RedirectResponse("/", 303)
    raise Problem(403, "link-used", "this link was used already, or is too old: ask for another")


@router.post("/sign-out")
@public
def sign_out(request: Request) -> Response:
    """End the session."""
    stop_session(request)
    return RedirectResponse("/sign-in", 303)


def _sign_in_page(request: Request, wanted: str, error: str = "", status: int = 200) -> Response:
    settings = settings_of(request)
    openid = settings.openid.name if settings.openid else None
    return page(
        request, "sign_in.html", status=status, next=wanted, error=error, openid=openid, mail=settings.mail is not None
    )
