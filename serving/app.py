"""The FastAPI application: routes and error handlers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from piperoll import __version__
from piperoll.errors import NotThere, PiperollError
from serving import listings, openapi
from serving.check_upload import CheckEndpoint
from serving.limits import ApiLimits, WorkSlots
from serving.middleware import SecurityHeaders
from serving.problems import Problem
from serving.query_service import QueryService
from serving.response_formats import REVALIDATE, json_response, prefers
from serving.rows import RowsEndpoint


def create_app(service: QueryService, limits: ApiLimits) -> FastAPI:
    """The API over a store. It keeps no state, so a load balancer can share requests among several processes."""
    app = FastAPI(
        title="Piperoll",
        version=__version__,
        docs_url=None,  # FastAPI's documentation pages load scripts from another site
        redoc_url=None,
        openapi_tags=openapi.TAGS,
        redirect_slashes=False,
    )
    _add_catalogue_routes(app, service, limits)
    rows, uploads = RowsEndpoint(service, limits), CheckEndpoint(limits)
    app.add_api_route(endpoint=rows.get_rows, **openapi.describe_operation("rows"))
    app.add_api_route(endpoint=rows.get_series, **openapi.describe_operation("used"))
    app.add_api_route(endpoint=uploads.get_page, **openapi.describe_operation("check-page"))
    app.add_api_route(endpoint=uploads.check, **openapi.describe_operation("check"))
    for kind in (Problem, HTTPException, PiperollError, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: openapi.describe_api(app)  # type: ignore[method-assign]  # the documented way to replace it
    return app


def _add_catalogue_routes(app: FastAPI, service: QueryService, limits: ApiLimits) -> None:
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

    add("home", lambda _: listings.home())
    add("health", lambda _: listings.health(index), **{"Cache-Control": "no-store"})
    add("datasets", lambda _: listings.list_datasets(index))
    add("dataset", lambda request: listings.describe_dataset(request.path_params["dataset"], index))
    add("bodies", lambda _: listings.list_bodies(index))
    add("body", lambda request: listings.describe_body(request.path_params["slug"], index))
    add("series", lambda request: listings.list_series(request.query_params, index))
    add("history", lambda request: listings.describe_history(_series_name(request), index))
    app.add_api_route(endpoint=diff, **openapi.describe_operation("diff"))


def _series_name(request: Request) -> str:
    return "{dataset}/{body}/{period}".format(**request.path_params)


async def _answer_error(_: Request, error: Exception) -> Response:
    """Answer every error with a problem document; an unexpected one reveals nothing about the server."""
    more_headers: Mapping[str, str] = {}
    match error:
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
    return JSONResponse(problem.document(), problem.status, {**problem.headers(), **more_headers})
