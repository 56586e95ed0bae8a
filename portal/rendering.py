"""Render the templates in `portal/templates`: everything is escaped, and an unknown name is an error."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from piperoll import assets
from piperoll.describing.pages.rendering import FILTERS, GLOBALS, read_style
from portal.sessions import Session, Signed, settings_of

_HERE = Path(__file__).parent

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Content-Security-Policy of every page: no scripts at all, and nothing loads from another server."""

SECURITY = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Defaults for every response."""


@cache
def environment() -> Environment:
    """The templates of the portal, and those of the catalogue (`macros.html`, `report.html`) for them to use."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(_HERE / "templates"), FileSystemLoader(assets.folder("catalogue"))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= FILTERS
    made.globals |= GLOBALS
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Answer with a page.

    Templates extend `layout.html` and also get `request`, `signed` (None if nobody is), `body` and `body_name` (of the
    address, if it has a body), `flash`, `publisher_name`, `site` and `csrf_field()`, which every form must have.
    """
    settings = settings_of(request)
    session: Session | None = getattr(request.state, "session", None)
    signed: Signed | None = getattr(request.state, "signed", None)
    slug = request.path_params.get("body")
    if signed is None or slug is None or not signed.may_see(slug):  # also on the page that says 404
        slug = None
    token = session.csrf if session is not None else ""
    context = {
        "request": request,
        "signed": signed,
        "body": slug,
        "body_name": settings.find_body(slug).name if slug else "",
        "publisher_name": settings.publisher_name,
        "site": settings.site,
        "flash": getattr(request.state, "flash", ""),
        "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
    }
    content = environment().get_template(template).render(**(context | values))
    return HTMLResponse(content, status)


def error_page(request: Request, status: int, title: str, detail: str) -> Response:
    """Answer with a page that says what is wrong and what to do next."""
    return page(request, "error.html", status=status, title=title, detail=detail, phrase=HTTPStatus(status).phrase)


@cache
def style() -> bytes:
    """The stylesheet: the catalogue's, which has the colours, type and tables, and then the portal's own."""
    return f"{read_style()}\n{(_HERE / 'style.css').read_text('utf-8')}".encode()
