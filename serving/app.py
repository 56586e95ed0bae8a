"""The FastAPI application (routes, error handlers, headers), and the uvicorn server that runs it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hosting.limits import ApiLimits, WorkSlots
from hosting.problems import Problem
from hosting.sandboxed_check import start_fork_server
from hosting.server_process import server_process
from hosting.transfers import AnswerDeadline
from piperoll import __version__
from piperoll.errors import NotThere, PiperollError
from publishers import open_store
from serving import check_upload, listings, openapi
from serving.check_upload import CheckEndpoint
from serving.consolidated_copies import ConsolidatedCopies
from serving.index_cache import PublishedIndex
from serving.measures import MeasureEndpoint
from serving.parquet_cache import ParquetCache
from serving.query_service import QueryEngine, QueryService
from serving.response_formats import FORMATS, REVALIDATE, json_response, prefers
from serving.rows import RowsEndpoint
from serving.version_selection import Selector

_OPTIONS_VARIABLE = "SERVING_OPTIONS"
"""The environment variable that passes the options to worker processes, which uvicorn starts without arguments."""

UVICORN_SETTINGS: dict[str, Any] = {
    "lifespan": "off",  # there is none, and a second Ctrl+C would print its traceback
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 10,
    "backlog": 64,  # accepted in one go, before an idle connection is closed
    "http": "hosting.transfers:PatientProtocol",
    "h11_max_incomplete_event_size": 65_536,  # a URL may have a cursor and a long list of values
}

_SECURITY = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"cross-origin",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""Defaults for every response; an HTML page sets a policy of its own, which allows its style."""

_CORS = {
    b"access-control-allow-origin": b"*",
    b"access-control-expose-headers": b"ETag, Link, Retry-After, Piperoll-Left-Out",
}
"""For requests that read: scripts of any web page may use public data."""

_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Accept, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]
"""The answer to a CORS preflight. It lacks POST, so no other site can send a file to `/check`."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What to serve and where. `store` is a folder or bucket; `cache` is a folder for copies of a bucket's files.

    Without a `cache` the copies are in a temporary folder. `site` is where the pages of the catalogue are served.
    """

    store: str
    cache: str | None
    limits: ApiLimits
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    site: str | None = None


def run_server(options: ServerOptions) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that are being answered."""
    with server_process("api") as folder:
        os.environ[_OPTIONS_VARIABLE] = json.dumps(asdict(replace(options, cache=options.cache or str(folder))))
        uvicorn.run(
            f"{__name__}:create_app_from_environment",
            factory=True,
            host=options.host,
            port=options.port,
            workers=options.workers,
            **UVICORN_SETTINGS,
        )


def create_app_from_environment() -> FastAPI:
    """The application of a process that `run_server` started."""
    options = json.loads(os.environ[_OPTIONS_VARIABLE])
    limits = ApiLimits(**options["limits"])
    service = create_service(options["store"], Path(options["cache"]), limits)
    return create_app(service, limits, options["store"], options["site"])


def create_service(
    store: str, cache: Path, limits: ApiLimits, clock: Callable[[], float] = time.monotonic
) -> QueryService:
    """The query service over a store. Raises: UsageError, StoreError."""
    start_fork_server()
    index = PublishedIndex(open_store(store), clock)
    files = ParquetCache(index, cache / "copies", limits)
    made = ConsolidatedCopies(index, cache / "consolidated", limits)
    engine = QueryEngine((files.readable_folder, made.folder), cache / f"spill-{os.getpid()}", limits)
    return QueryService(index, Selector(index, made, limits), files, engine)


def create_app(service: QueryService, limits: ApiLimits, store: str | None = None, site: str | None = None) -> FastAPI:
    """The API over a store. It keeps no state, so a load balancer can share requests among several processes.

    `store` is the address of the store: with it, the file of a known body is compared with its earlier releases.
    `site` is where the pages of the catalogue are served: with it, documents link to them.
    """
    app = FastAPI(
        title="Piperoll",
        version=__version__,
        docs_url=None,  # FastAPI's documentation pages load scripts from another site
        redoc_url=None,
        openapi_tags=openapi.TAGS,
        redirect_slashes=False,
    )
    _add_catalogue_routes(app, service, limits, listings.SiteLinks(site))
    rows, uploads = RowsEndpoint(service, limits), CheckEndpoint(limits, store)
    app.add_api_route(endpoint=rows.get_rows, **openapi.describe_operation("rows"))
    app.add_api_route(endpoint=rows.get_series, **openapi.describe_operation("used"))
    measured = MeasureEndpoint(service, limits, listings.SiteLinks(site))
    app.add_api_route(endpoint=measured.list_measures, **openapi.describe_operation("measures"))
    app.add_api_route(endpoint=measured.get_rows, **openapi.describe_operation("measure"))
    app.add_api_route(endpoint=measured.get_figure, **openapi.describe_operation("figure"))
    app.add_api_route(endpoint=uploads.get_page, **openapi.describe_operation("check-page"))
    app.add_api_route(endpoint=uploads.check, **openapi.describe_operation("check"))
    app.add_api_route(endpoint=check_upload.get_template, **openapi.describe_operation("template"))
    for kind in (Problem, HTTPException, PiperollError, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.add_middleware(AnswerDeadline, limits=limits)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: openapi.describe_api(app)  # type: ignore[method-assign]  # the documented way to replace it
    return app


def _add_catalogue_routes(app: FastAPI, service: QueryService, limits: ApiLimits, site: listings.SiteLinks) -> None:
    """Add the routes that describe what is published. Each answers with a document of `serving.listings`."""
    index = service.index
    diff_slots = WorkSlots(limits.checks_at_once, limits.wait_seconds)

    def add(name: str, make: Callable[[Request], Mapping[str, Any]], **headers: str) -> None:
        async def answer(request: Request) -> Response:
            return json_response(request, await run_in_threadpool(make, request), headers=headers)

        app.add_api_route(endpoint=answer, **openapi.describe_operation(name))

    async def diff(request: Request) -> Response:
        media_type = prefers(request.headers.get("Accept"), ("application/json", "text/csv"))
        for name in ("before", "after"):
            if not re.fullmatch(r"\d{1,9}", request.path_params[name], re.ASCII):
                raise Problem(404, "bad-address", f"{name} must be a whole number", parameter=name)
        before, after = int(request.path_params["before"]), int(request.path_params["after"])
        found = await run_in_threadpool(listings.find_history, _series_name(request), index)
        await diff_slots.acquire()
        try:
            document, table = await run_in_threadpool(listings.diff_versions, index, found, before, after)
        finally:
            diff_slots.release()
        if media_type == "text/csv":
            return Response(table, media_type="text/csv", headers={"Cache-Control": REVALIDATE, "Vary": "Accept"})
        return json_response(request, document, headers={"Vary": "Accept"})

    add("home", lambda _: listings.home(site))
    add("health", lambda _: listings.health(index), **{"Cache-Control": "no-store"})
    add("datasets", lambda _: listings.list_datasets(index, site))
    add("dataset", lambda request: listings.describe_dataset(request.path_params["dataset"], index, site))
    add("bodies", lambda _: listings.list_bodies(index, site))
    add("body", lambda request: listings.describe_body(request.path_params["slug"], index, site))
    add("series", lambda request: listings.list_series(request.query_params, index, site))
    add("history", lambda request: listings.describe_history(_series_name(request), index, site))
    app.add_api_route(endpoint=diff, **openapi.describe_operation("diff"))


def _series_name(request: Request) -> str:
    return "{dataset}/{body}/{period}".format(**request.path_params)


async def _answer_error(request: Request, error: Exception) -> Response:
    """Answer every error with a problem document; an unexpected one reveals nothing about the server.

    An error of the page to check a file is a page, if the client prefers pages.
    """
    more_headers: Mapping[str, str] = {}
    match error:
        case HTTPException(status_code=404) | Problem(status=404) if (
            other := find_elsewhere(request.url.path)
        ) is not None:
            return RedirectResponse(_with_query(other, request.url.query), 308)
        case Problem():
            problem = error
        case HTTPException():
            details = {
                404: "there is nothing at this address: / lists the links of the API",
                405: "this method is not allowed here: use GET, or POST to check a file",
            }
            problem = Problem(error.status_code, "refused", details.get(error.status_code, str(error.detail)))
            more_headers = error.headers or {}
        case PiperollError() if error.retryable or isinstance(error, NotThere):
            problem = Problem(503, "store", "the store does not answer: try again", retry_after=5)
        case _:
            problem = Problem(
                500, "ours", "something went wrong on the server: report it to the operator if it happens again"
            )
    accepted = prefers(request.headers.get("Accept"), ("application/json", "text/html"))
    if accepted == "text/html" and request.url.path.startswith(check_upload.PAGES):
        return check_upload.problem_response(problem)
    return JSONResponse(problem.document(), problem.status, {**problem.headers(), **more_headers})


_ELSEWHERE = {"/docs": "/openapi.json", "/redoc": "/openapi.json", "/swagger": "/openapi.json"}


def find_elsewhere(path: str) -> str | None:
    """The address that is meant by one that does not exist, if there can be no doubt; None if there can.

    A slash at the end and the addresses at which other services describe themselves are exchanged, and
    `/rows/spend.csv` is `/rows/spend?format=csv`, and so with measures.
    """
    plain = "/" + path.strip("/")
    if not re.fullmatch(r"/[\w/.-]*", plain, re.ASCII) or "//" in plain:  # `//host` would be another site
        return None
    found = re.fullmatch(r"(/rows/\w+|/measures/[\w-]+)\.(\w+)", plain, re.ASCII)
    if found and found[2] in FORMATS:
        return f"{found[1]}?format={found[2]}"
    if found := re.fullmatch(r"(/[\w/-]+)\.json", plain, re.ASCII):
        return found[1]
    other = _ELSEWHERE.get(plain, plain)
    return None if other == path else other


def _with_query(address: str, query: str) -> str:
    return address if not query else f"{address}{'&' if '?' in address else '?'}{query}"


class SecurityHeaders:
    """Adds security and CORS headers, answers preflights, and turns HEAD into a GET whose body is not sent.

    The application sees `scope["head"]`, so that it can skip the work that only the body needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        added = _SECURITY | (_CORS if method in ("GET", "HEAD", "OPTIONS") else {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                # A response that skipped its body has a Content-Length of 0, which is not what GET would send.
                skipped_body = method == "HEAD" and headers.get(b"content-length") == b"0"
                kept = [pair for pair in message["headers"] if not (skipped_body and pair[0] == b"content-length")]
                message["headers"] = [*kept, *(pair for pair in added.items() if pair[0] not in headers)]
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
            await send_with_headers({"type": "http.response.body"})
        elif method == "HEAD":
            await self._app({**scope, "method": "GET", "head": True}, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)
