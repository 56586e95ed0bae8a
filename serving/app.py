"""The FastAPI application: routes and error handlers."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from piperoll import __version__
from piperoll.errors import NotThere, PiperollError
from serving import listings
from serving.check_upload import CheckEndpoint
from serving.limits import ApiLimits, WorkSlots
from serving.middleware import SecurityHeaders
from serving.openapi import ROWS_PARAMETERS, SERIES_PARAMETERS, TAGS, describe_api, describe_operation
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
        openapi_tags=TAGS,
        redirect_slashes=False,
    )
    _add_catalogue_routes(app, service, limits)
    _add_rows_routes(app, RowsEndpoint(service, limits))
    _add_check_routes(app, CheckEndpoint(limits))
    _add_error_handlers(app)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: describe_api(app)  # type: ignore[method-assign]  # the documented way to replace it
    return app


def _add_catalogue_routes(app: FastAPI, service: QueryService, limits: ApiLimits) -> None:
    index = service.index
    diff_slots = WorkSlots(limits.checks_at_once, limits.wait_seconds)

    @app.get("/", **describe_operation("home"))
    async def home(request: Request) -> Response:
        return json_response(request, listings.home())

    @app.get("/health", **describe_operation("health"))
    async def health(request: Request) -> Response:
        document = await run_in_threadpool(listings.health, index)
        return json_response(request, document, headers={"Cache-Control": "no-store"})

    @app.get("/datasets", **describe_operation("datasets"))
    async def datasets(request: Request) -> Response:
        return json_response(request, await run_in_threadpool(listings.list_datasets, index))

    @app.get("/datasets/{dataset}", **describe_operation("dataset"))
    async def dataset(request: Request, dataset: str) -> Response:
        return json_response(request, await run_in_threadpool(listings.describe_dataset, dataset, index))

    @app.get("/bodies", **describe_operation("bodies"))
    async def bodies(request: Request) -> Response:
        return json_response(request, await run_in_threadpool(listings.list_bodies, index))

    @app.get("/bodies/{slug}", **describe_operation("body"))
    async def body(request: Request, slug: str) -> Response:
        return json_response(request, await run_in_threadpool(listings.describe_body, slug, index))

    @app.get("/series", **describe_operation("series", SERIES_PARAMETERS))
    async def series(request: Request) -> Response:
        return json_response(request, await run_in_threadpool(listings.list_series, request.query_params, index))

    @app.get("/series/{dataset}/{body}/{period}", **describe_operation("history"))
    async def history(request: Request, dataset: str, body: str, period: str) -> Response:
        name = f"{dataset}/{body}/{period}"
        return json_response(request, await run_in_threadpool(listings.describe_history, name, index))

    @app.get("/series/{dataset}/{body}/{period}/diff/{before}/{after}", **describe_operation("diff"))
    async def diff(request: Request, dataset: str, body: str, period: str, before: int, after: int) -> Response:
        media_type = prefers(request.headers.get("Accept"), ("application/json", "text/csv"))
        found = await run_in_threadpool(listings.find_history, f"{dataset}/{body}/{period}", index)
        await diff_slots.acquire()
        try:
            document, table = await run_in_threadpool(listings.diff_versions, index, found, before, after)
        finally:
            diff_slots.release()
        if media_type == "text/csv":
            return Response(table, media_type="text/csv", headers={"Cache-Control": REVALIDATE, "Vary": "Accept"})
        return json_response(request, document, headers={"Vary": "Accept"})


def _add_rows_routes(app: FastAPI, endpoint: RowsEndpoint) -> None:
    @app.get("/rows/{dataset}", **describe_operation("rows", ROWS_PARAMETERS))
    async def rows(request: Request, dataset: str) -> Response:
        return await endpoint.get_rows(request, dataset)

    @app.get("/rows/{dataset}/series", **describe_operation("used", ROWS_PARAMETERS))
    async def used(request: Request, dataset: str) -> Response:
        return await endpoint.get_series(request, dataset)


def _add_check_routes(app: FastAPI, endpoint: CheckEndpoint) -> None:
    @app.get("/check", **describe_operation("check-page"))
    async def page() -> Response:
        return endpoint.get_page()

    @app.post("/check", **describe_operation("check"))
    async def check(request: Request) -> Response:
        return await endpoint.check(request)


def _add_error_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document; an unexpected one reveals nothing about the server."""

    def respond(problem: Problem) -> Response:
        return JSONResponse(problem.document(), problem.status, problem.headers())

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return respond(error)

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        details = {
            404: "there is nothing at this address: / lists the links of the API",
            405: "this method is not allowed here: use GET, or POST to check a file",
        }
        response = respond(Problem(error.status_code, "refused", details.get(error.status_code, str(error.detail))))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def bad_path(_: Request, error: RequestValidationError) -> Response:
        # Only the version numbers in the path of a comparison have a type that FastAPI can refuse.
        name = str(error.errors()[0]["loc"][-1])
        return respond(Problem(404, "bad-address", f"{name} must be a whole number", parameter=name))

    @app.exception_handler(PiperollError)
    async def piperoll_error(_: Request, error: PiperollError) -> Response:
        if error.retryable or isinstance(error, NotThere):
            return respond(Problem(503, "store", "the store does not answer: try again", retry_after=5))
        return respond(_our_fault())

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return respond(_our_fault())


def _our_fault() -> Problem:
    return Problem(500, "ours", "something went wrong on the server: report it to the operator if it happens again")
