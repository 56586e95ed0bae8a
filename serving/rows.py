"""`/rows/{dataset}`: from the request to the response."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from hosting.limits import ApiLimits, WorkSlots
from hosting.problems import Problem
from hosting.transfers import SpoolBudget
from piperoll.model import add_pounds
from serving import response_formats
from serving.body_names import name_bodies
from serving.cursors import digest
from serving.documents import RowsDocument, UsedDocument
from serving.listings import find_dataset
from serving.query import parse_query
from serving.query_service import QueryResult, QueryService
from serving.row_query import Aggregate, Grouping, QueryField, RowQuery
from serving.version_selection import Selection, spell_pounds

_LISTED_SERIES = 100
"""The most series that an answer lists in full; beyond that it counts them and links to the list."""


class RowsEndpoint:
    """Answers queries for rows; `at_once` of them run at a time."""

    def __init__(self, service: QueryService, limits: ApiLimits) -> None:
        self._service = service
        self._limits = limits
        self._slots = WorkSlots(limits.at_once, limits.wait_seconds)
        self._spool = SpoolBudget(limits.spool_bytes)

    async def get_rows(self, request: Request) -> Response:
        """The rows or groups of a query. Raises: Problem."""
        query, selection, form = await self._parse(request)
        headers = self._headers(request, selection, form)
        if response_formats.client_has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if request.scope.get("head"):  # set by serving.app: the headers need no query
            return Response(headers=headers, media_type=form.media_type)
        await self._slots.acquire()
        try:
            return await self._run(request, query, selection, form, headers)
        except BaseException:
            self._slots.release()
            raise

    async def get_series(self, request: Request) -> Response:
        """The series that a query for rows would use, and those it would leave out. Raises: Problem."""
        query, selection, _ = await self._parse(request)
        document: UsedDocument = {
            "dataset": query.scope.dataset,
            "rows": selection.rows,
            "used": selection.describe_used(),
            "left_out": selection.describe_left_out(),
            "not_added": selection.describe_not_added(),
            "notes": list(query.notes),
        }
        return response_formats.json_response(request, document)

    async def _parse(self, request: Request) -> tuple[RowQuery, Selection, response_formats.ResponseFormat]:
        """The query of a request, the versions that it reads, and the format of its answer."""
        parameters = await run_in_threadpool(name_bodies, request.query_params.multi_items(), self._service.index)
        query = parse_query(find_dataset(request.path_params["dataset"]), parameters, self._limits)
        names = [value for name, value in parameters if name == "format"]
        form = response_formats.choose_format(names, request.headers.get("Accept"))
        selection = await run_in_threadpool(self._service.selector.select, query.scope, query.cursor)
        return query, selection, form

    def _headers(self, request: Request, selection: Selection, form: response_formats.ResponseFormat) -> dict[str, str]:
        """The headers, which are known before any row is read: the ETag identifies the query and the versions."""
        left_out = [[str(one.series), one.reason, one.rows] for one in selection.left_out]
        etag = digest([request.url.path, request.url.query, form.name, selection.digest, left_out])
        return {
            "ETag": f'"{etag}"',
            "Cache-Control": response_formats.REVALIDATE,
            "Vary": "Accept",
            "Link": f'<{_series_url(request)}>; rel="describedby"',
            "Piperoll-Left-Out": str(len(selection.left_out)),
        }

    async def _run(
        self,
        request: Request,
        query: RowQuery,
        selection: Selection,
        form: response_formats.ResponseFormat,
        headers: dict[str, str],
    ) -> Response:
        """Run the query. The slot is released when the response is complete."""
        page_rows = query.limit
        if page_rows is None and not form.streams:
            page_rows = self._limits.workbook_rows if form is response_formats.XLSX else self._limits.usual_rows
        result = await run_in_threadpool(self._service.run, query, selection, page_rows=page_rows)
        if result.next is not None:
            if form is response_formats.XLSX and query.limit is None:  # a file that looks complete must be complete
                most = self._limits.workbook_rows
                raise Problem(
                    400, "too-many-rows", f"a workbook holds at most {most:,} rows: use format=csv or a limit"
                )
            headers["Link"] += f', <{_next_url(request, result)}>; rel="next"'
        answered: tuple[QueryField | Grouping | Aggregate, ...] = (
            *query.columns,
            *query.group_by,
            *query.aggregates,
        )
        pounds = frozenset(one.name for one in answered if one.unit == "GBP")
        if form is response_formats.JSON:
            content = await run_in_threadpool(self._json_content, request, query, selection, result, pounds)
            response = response_formats.json_response(request, content, etag=headers["ETag"], headers=headers)
            self._slots.release()
            return response
        first = await run_in_threadpool(next, result.batches)  # so that an error is still a problem document
        if form is response_formats.XLSX:
            headers["Content-Disposition"] = f'attachment; filename="{query.scope.dataset}.xlsx"'
        chunks = response_formats.encode_rows(form, first.schema, chain((first,), result.batches), pounds)
        return response_formats.ResultStream(chunks, form.media_type, headers, self._slots.release, self._spool)

    def _json_content(
        self, request: Request, query: RowQuery, selection: Selection, result: QueryResult, pounds: frozenset[str]
    ) -> RowsDocument:
        rows = list(response_formats.json_rows(result.batches, pounds))
        undated = self._service.count_undated(query, selection)
        return {
            "dataset": query.scope.dataset,
            "as_known_on": query.scope.as_known_on,
            "columns": query.names,
            "rows": rows,
            "undated": None if undated is None else undated.describe(),
            "notes": list(query.notes),
            "series": {
                "used": selection.describe_used()[:_LISTED_SERIES],
                "left_out": selection.describe_left_out()[:_LISTED_SERIES],
                "used_count": len(selection.used),
                "left_out_count": len(selection.left_out),
                "rows": selection.rows,
                "amount_gbp": spell_pounds(add_pounds(one.amount_gbp for one in selection.used)),
                "left_out_rows": sum(one.rows or 0 for one in selection.left_out),
                "left_out_amount_gbp": spell_pounds(add_pounds(one.amount_gbp for one in selection.left_out)),
                "not_added": selection.describe_not_added(),
                "all": _series_url(request),
            },
            "next": _next_url(request, result),
        }


def _series_url(request: Request) -> str:
    """The URL of the series of a query."""
    parameters = request.query_params.multi_items()
    kept = [(name, value) for name, value in parameters if name not in ("cursor", "limit", "format")]
    path = f"{request.url.path}/series"
    return f"{path}?{urlencode(kept)}" if kept else path


def _next_url(request: Request, result: QueryResult) -> str | None:
    """The URL of the next page of a query; None if there is none."""
    if result.next is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', result.next.token())])}"
