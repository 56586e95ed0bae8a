"""The application: its addresses, and what goes wrong told as problems."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from piperoll import __version__, assets
from piperoll.errors import NotThere, PiperollError
from serving import listings
from serving.check_upload import Checks
from serving.diffs import compared
from serving.limits import Limits
from serving.middleware import Middle
from serving.openapi import DIFF, LIST, OPENAPI_TAGS, ROWS, SERIES, described_as, whole
from serving.problems import Problem
from serving.query_service import Desk
from serving.replies import FRESH, document
from serving.response_formats import preferred
from serving.rows import Rows, dataset_called, refuse_parameters, twice
from serving.slots import Slots


def application(desk: Desk, limits: Limits) -> FastAPI:
    """The API over what a store publishes. It keeps no state: any number of copies may stand behind a balancer."""
    app = FastAPI(
        title="Piperoll",
        version=__version__,
        docs_url=None,  # their pages bring scripts from elsewhere
        redoc_url=None,
        openapi_tags=OPENAPI_TAGS,
        redirect_slashes=False,
    )
    _add_listings(app, desk)
    _add_series(app, desk, limits)
    _add_rows(app, Rows(desk, limits))
    _add_checks(app, Checks(limits))
    _add_faults(app)
    app.add_middleware(Middle)
    app.openapi = lambda: whole(app)  # type: ignore[method-assign]  # as FastAPI's documentation has it
    return app


def _add_listings(app: FastAPI, desk: Desk) -> None:
    @app.get("/", **described_as("home"))
    async def home(request: Request) -> Response:
        return document(request, listings.home())

    @app.get("/health", **described_as("health"))
    async def health(request: Request) -> Response:
        there = await run_in_threadpool(desk.shelf.datasets)
        return document(request, {"status": "ok", "datasets": len(there)}, headers={"Cache-Control": "no-store"})

    @app.get("/datasets", **described_as("datasets"))
    async def datasets(request: Request) -> Response:
        return document(request, await run_in_threadpool(listings.datasets, desk.shelf))

    @app.get("/datasets/{dataset}", **described_as("dataset"))
    async def dataset(request: Request, dataset: str) -> Response:
        return document(request, await run_in_threadpool(listings.dataset, dataset_called(dataset), desk.shelf))

    @app.get("/bodies", **described_as("bodies"))
    async def bodies(request: Request) -> Response:
        return document(request, await run_in_threadpool(listings.bodies, desk.shelf))

    @app.get("/bodies/{slug}", **described_as("body"))
    async def body(request: Request, slug: str) -> Response:
        return document(request, await run_in_threadpool(listings.body, slug, desk.shelf))


def _add_series(app: FastAPI, desk: Desk, limits: Limits) -> None:
    slots = Slots(limits.checks_at_once, limits.wait_seconds)

    @app.get("/series", **described_as("series", LIST))
    async def series(request: Request) -> Response:
        refuse_parameters(request, ("dataset", "body", "period", "after"))
        name = twice(request, "dataset")
        names = [dataset_called(name).name] if name else assets.dataset_names()
        more = (twice(request, one) for one in ("body", "period", "after"))
        return document(request, await run_in_threadpool(listings.series, desk.shelf, names, *more))

    @app.get("/series/{dataset}/{body}/{period}", **described_as("history", SERIES))
    async def history(request: Request, dataset: str, body: str, period: str) -> Response:
        def found() -> dict[str, Any]:
            return listings.history_document(listings.history(f"{dataset}/{body}/{period}", desk.shelf), desk.shelf)

        return document(request, await run_in_threadpool(found))

    @app.get("/series/{dataset}/{body}/{period}/diff/{before}/{after}", **described_as("diff", DIFF))
    async def diff(request: Request, dataset: str, body: str, period: str, before: int, after: int) -> Response:
        kind = preferred(request.headers.get("Accept"), ("application/json", "text/csv"))
        found = await run_in_threadpool(listings.history, f"{dataset}/{body}/{period}", desk.shelf)
        await slots.take()
        try:
            told, table = await run_in_threadpool(compared, desk.shelf, found, before, after)
        finally:
            slots.leave()
        if kind == "text/csv":
            return Response(table, media_type="text/csv", headers={"Cache-Control": FRESH, "Vary": "Accept"})
        return document(request, told, headers={"Vary": "Accept"})


def _add_rows(app: FastAPI, rows: Rows) -> None:
    @app.get("/rows/{dataset}", **described_as("rows", ROWS))
    async def answer(request: Request, dataset: str) -> Response:
        return await rows.answer(request, dataset)

    @app.get("/rows/{dataset}/series", **described_as("used", ROWS))
    async def used(request: Request, dataset: str) -> Response:
        return await rows.series(request, dataset)


def _add_checks(app: FastAPI, checks: Checks) -> None:
    @app.get("/check", **described_as("check-page"))
    async def page() -> Response:
        return checks.page()

    @app.post("/check", **described_as("check"))
    async def check(request: Request) -> Response:
        return await checks.check(request)


def _add_faults(app: FastAPI) -> None:
    """Each kind of trouble as a problem; what nobody foresaw says nothing of our insides."""

    def told(problem: Problem) -> Response:
        return JSONResponse(problem.document(), problem.status, problem.headers())

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return told(error)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        words = {404: "there is nothing here: / says what there is", 405: "this cannot be done here: / says what can"}
        made = told(Problem(error.status_code, "refused", words.get(error.status_code, str(error.detail))))
        made.headers.update(error.headers or {})
        return made

    @app.exception_handler(RequestValidationError)
    async def unlike(_: Request, error: RequestValidationError) -> Response:
        name = str(error.errors()[0]["loc"][-1])
        return told(Problem(404, "bad-address", f"{name} must be a whole number", parameter=name))

    @app.exception_handler(PiperollError)
    async def trouble(_: Request, error: PiperollError) -> Response:
        if error.retryable or isinstance(error, NotThere):
            return told(Problem(503, "store", "what is published cannot be read just now: ask again", retry_after=5))
        return told(Problem(500, "ours", "this is our fault, and we have to mend it"))

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, __: Exception) -> Response:
        return told(Problem(500, "ours", "this is our fault, and we have to mend it"))
