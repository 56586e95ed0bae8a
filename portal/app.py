"""The portal's application: middleware, errors, routes, and the server that runs it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting.limits import WorkSlots
from hosting.problems import Problem
from hosting.sandboxed_check import start_fork_server
from hosting.server_process import server_process
from hosting.transfers import AnswerDeadline, UploadBudget
from piperoll.errors import NotThere, PiperollError, UsageError
from portal import home, machine, operator, questions, readers, receipts, replies, returns, sending, sign_in
from portal.audit import AccessLog
from portal.background import BackgroundWork
from portal.indexes import IndexKeeper
from portal.openid import OpenIdProvider
from portal.rates import RateLimits
from portal.rendering import SECURITY, error_page, page, style
from portal.sessions import (
    NotSignedIn,
    SessionCookies,
    Signed,
    guard,
    guard_form,
    public,
    require,
    settings_of,
    sign_in_address,
)
from portal.settings import PortalSettings

UVICORN_SETTINGS: dict[str, Any] = {
    "lifespan": "off",  # there is none, and a second Ctrl+C would print its traceback
    "access_log": False,  # addresses of pages and of people are in no log
    "log_level": "warning",
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": 10,
    "backlog": 64,  # accepted in one go, before an idle connection is closed
    "http": "hosting.transfers:PatientProtocol",
    "h11_max_incomplete_event_size": 16_384,
}

CHECK_WAIT_SECONDS = 60.0
"""How long a file waits for its check while others are checked; a dozen ordinary ones take less."""

TITLES = {
    400: "There is a problem with what was sent",
    401: "You are not signed in",
    403: "You cannot do this",
    404: "Page not found",
    405: "Page not found",
    408: "The file did not arrive in time",
    409: "Something has changed meanwhile",
    413: "The file is too large",
    422: "There is a problem with what was sent",
    429: "Too many requests",
    503: "The service is busy",
}
_NOT_FOUND = "If you typed the address, check that it is correct. If you followed a link, go to the start page."

ROUTERS: tuple[APIRouter, ...] = (
    sign_in.router,
    sending.router,
    receipts.router,
    returns.router,
    machine.router,
    home.router,
    questions.router,
    replies.router,
    readers.router,
    operator.router,
)
"""The areas of the portal, each in its own module."""


def create_portal(settings: PortalSettings) -> FastAPI:
    """The portal over a store. It keeps nothing that another process would need: run as many as are wanted."""
    start_fork_server()
    app = FastAPI(
        title="Piperoll portal",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(guard), Depends(guard_form)],
    )
    app.state.settings = settings
    app.state.upload_budget = UploadBudget(settings.limits.upload_bytes)
    app.state.check_slots = WorkSlots(settings.limits.checks_at_once, CHECK_WAIT_SECONDS)
    app.state.rates = RateLimits(settings)
    app.state.openid = None
    if settings.openid is not None:
        app.state.openid = OpenIdProvider(settings.openid, f"{settings.address}sign-in/organisation/return")
    app.state.once = []
    app.state.indexes = IndexKeeper(settings)
    app.state.work = BackgroundWork(settings)
    app.add_api_route("/style.css", get_style, methods=["GET"])
    app.add_api_route("/health", get_health, methods=["GET"])
    app.add_api_route("/", get_start, methods=["GET"])
    for router in ROUTERS:
        app.include_router(router)
    for kind in (NotSignedIn, Problem, HTTPException, RequestValidationError, PiperollError, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.add_middleware(AccessLog, settings=settings)
    app.add_middleware(SessionCookies, settings=settings)
    app.add_middleware(AnswerDeadline, limits=settings.limits)
    app.add_middleware(PortalHeaders, settings=settings)
    return app


def run_portal(settings: PortalSettings, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, and `say` where; with `settings.local`, an address that signs in once."""
    with server_process("portal"):
        app = create_portal(settings)
        say(f"The portal is at {settings.address} (stop it with Ctrl+C)")
        app.state.work.ask()  # what was recorded and not done when the portal last stopped
        if settings.local is not None:
            say(f"Sign in, once: {one_time_address(app)}")
        try:
            uvicorn.run(app, host=host, port=port, **UVICORN_SETTINGS)
        finally:
            app.state.work.stop()


def one_time_address(app: FastAPI) -> str:
    """An address that signs in once, on the machine on which the portal runs (`LocalSignIn`)."""
    token = secrets.token_urlsafe(24)
    app.state.once.append(token)
    settings: PortalSettings = app.state.settings
    return f"{settings.address}sign-in/link?token={token}"


def walk_routes(app: FastAPI) -> Iterator[tuple[str, frozenset[str], Any]]:
    """Every route of the application: its path, methods and endpoint."""

    def walk(routes: list[BaseRoute], prefix: str) -> Iterator[tuple[str, frozenset[str], Any]]:
        for route in routes:
            if (inner := getattr(route, "original_router", None)) is not None:
                yield from walk(inner.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
            else:
                methods = frozenset(getattr(route, "methods", None) or ())
                yield prefix + getattr(route, "path", ""), methods, getattr(route, "endpoint", None)

    return walk(app.routes, "")


@public
def get_style() -> Response:
    """The stylesheet."""
    return Response(style(), media_type="text/css; charset=utf-8", headers={"Cache-Control": "public, max-age=300"})


@public
def get_health() -> Response:
    """Say that the portal answers."""
    return JSONResponse({"status": "ok"})


def get_start(request: Request, signed: Signed = Depends(require())) -> Response:
    """Go to the one body that someone has, to a choice of several, or to the operator's queue."""
    if len(signed.bodies) == 1 and not signed.operates:
        return RedirectResponse(f"/bodies/{next(iter(signed.bodies))}/", 303)
    if signed.operates and not signed.bodies:
        return RedirectResponse("/operator/queue", 303)
    settings = settings_of(request)
    bodies = sorted((settings.find_body(slug) for slug in signed.bodies), key=lambda body: body.name)
    return page(request, "choose_body.html", bodies=bodies)


async def _answer_error(request: Request, error: Exception) -> Response:
    """Answer every error with a page, or machines with a problem document; an unexpected one reveals nothing."""
    machine = getattr(request.scope.get("endpoint"), "takes_key", False)
    match error:
        case NotSignedIn() if machine:
            problem = Problem(401, "no-key", "send a key that is valid: Authorization: Bearer KEY")
        case NotSignedIn() if request.method in ("GET", "HEAD"):
            return RedirectResponse(sign_in_address(request), 303)
        case NotSignedIn():
            problem = Problem(401, "not-signed-in", "you were signed out because you did nothing for a while: sign in")
        case Problem():
            problem = error
        case HTTPException(status_code=404 | 405):
            problem = Problem(404, "not-found", _NOT_FOUND)
        case HTTPException():
            problem = Problem(error.status_code, "refused", str(error.detail))
        case RequestValidationError():
            problem = Problem(400, "bad-parameter", "the address has a value that is not valid")
        case PiperollError() if error.retryable or isinstance(error, NotThere):
            problem = Problem(503, "store", "the store does not answer: try again", retry_after=5)
        case UsageError():
            problem = Problem(400, "refused", str(error))
        case _:
            problem = Problem(500, "ours", "something went wrong: try again, and tell the operator if it happens again")
    headers = dict(problem.headers())
    if machine:
        return JSONResponse(problem.document(), problem.status, headers)
    answer = error_page(request, problem.status, TITLES.get(problem.status, "There is a problem"), _sentence(problem))
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    answer.headers.update(SECURITY)  # an unexpected error is answered outside of the middleware
    return answer


def _sentence(problem: Problem) -> str:
    text = str(problem)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


class PortalHeaders:
    """Adds the security headers that a response does not have, and turns HEAD into a GET without a body."""

    def __init__(self, app: ASGIApp, settings: PortalSettings) -> None:
        self._app = app
        self._defaults = dict(SECURITY)
        if settings.is_secure:
            self._defaults["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._defaults.items():
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if head else scope, receive, send_with_headers)
