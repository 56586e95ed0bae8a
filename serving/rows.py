"""The rows of a dataset over HTTP: from the request to the answer in its form."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from urllib.parse import urlencode

import pyarrow as pa
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from piperoll import assets
from piperoll.errors import UnknownDataset
from piperoll.model import Dataset
from serving.cursors import Cursor, digest
from serving.limits import Limits
from serving.problems import Problem, unknown
from serving.query import Asked, understood
from serving.query_service import Answer, Desk, first_of
from serving.replies import FRESH, Stream, document, has, is_head
from serving.response_formats import JSON, Form, Spell, form_of, records, written
from serving.slots import Slots
from serving.version_selection import Chosen, told

_TOLD_IN_FULL = 100
"""Series that an answer lists itself; where there are more it counts them, and leads to the list."""


def dataset_called(name: str) -> Dataset:
    """A dataset by its name. Raises: Problem: there is none."""
    try:
        return assets.dataset(name)
    except UnknownDataset as error:
        raise unknown("dataset", name, assets.dataset_names(), status=404, see="/datasets lists them") from error


class Rows:
    """Answers questions about rows, so many at once."""

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self._desk = desk
        self._limits = limits
        self._slots = Slots(limits.at_once, limits.wait_seconds)

    async def answer(self, request: Request, name: str) -> Response:
        """The rows or groups that a request asks for. Raises: Problem."""
        asked, form = self._understood(request, name)
        chosen = await run_in_threadpool(self._desk.choose, asked)
        headers = self._headers(request, chosen, form)
        if has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if is_head(request):
            return Response(headers=headers, media_type=form.media_type)
        await self._slots.take()
        try:
            return await self._made(request, asked, chosen, form, headers)
        except BaseException:
            self._slots.leave()
            raise

    async def series(self, request: Request, name: str) -> Response:
        """Which series an answer to the same parameters would use, and which it would leave out. Raises: Problem."""
        asked, _ = self._understood(request, name)
        chosen = await run_in_threadpool(self._desk.choose, asked)
        return document(request, {"dataset": name, "rows": chosen.rows} | told(chosen))

    def _understood(self, request: Request, name: str) -> tuple[Asked, Form]:
        given = request.query_params.multi_items()
        asked = understood(dataset_called(name), given, self._limits)
        return asked, form_of([text for key, text in given if key == "format"], request.headers.get("Accept"))

    def _headers(self, request: Request, chosen: Chosen, form: Form) -> dict[str, str]:
        """What can be told before anything is read: the tag stands for the question and the versions."""
        left = [[str(one.series), one.reason] for one in chosen.left_out]
        tag = digest([request.url.path, request.url.query, form.name, chosen.digest, left])
        about = _address(request, f"{request.url.path}/series", drop=("cursor", "limit", "format"))
        return {
            "ETag": f'"{tag}"',
            "Cache-Control": FRESH,
            "Vary": "Accept",
            "Link": f'<{about}>; rel="describedby"',
            "Piperoll-Left-Out": str(len(chosen.left_out)),
        }

    async def _made(
        self, request: Request, asked: Asked, chosen: Chosen, form: Form, headers: dict[str, str]
    ) -> Response:
        """The answer; its slot is left when all of it is sent."""
        answer = await run_in_threadpool(self._desk.answer, asked, chosen, page=self._page(asked, form))
        if answer.next is not None and form.name == "xlsx" and asked.limit is None:
            raise Problem(
                400, "too-many-rows", f"a workbook holds {self._limits.workbook_rows:,} rows here: ask for CSV"
            )
        if answer.next is not None:
            headers["Link"] += f', <{_next(request, answer.next)}>; rel="next"'
        spell = Spell(_pounds(asked))
        if form is JSON:
            content = await run_in_threadpool(self._content, request, asked, chosen, answer, spell)
            made = document(request, content, tag=headers["ETag"], headers=headers)
            self._slots.leave()
            return made
        schema, batches = await run_in_threadpool(first_of, answer.batches)
        pieces = _pieces(form, schema, batches, spell)
        if form.name == "xlsx":
            headers["Content-Disposition"] = f'attachment; filename="{asked.scope.dataset}.xlsx"'
        return Stream(pieces, form.media_type, headers, self._slots.leave)

    def _page(self, asked: Asked, form: Form) -> int | None:
        """How many rows the answer has at the most; None: all that there are."""
        if asked.limit is not None:
            return asked.limit
        if form.name == "xlsx":
            return self._limits.workbook_rows
        return None if form.streams else self._limits.usual_rows

    def _content(
        self, request: Request, asked: Asked, chosen: Chosen, answer: Answer, spell: Spell
    ) -> dict[str, object]:
        """An answer as a JSON document."""
        series = told(chosen)
        counts = {"used_count": len(chosen.used), "left_out_count": len(chosen.left_out)}
        about = _address(request, f"{request.url.path}/series", drop=("cursor", "limit", "format"))
        shown = {name: items[:_TOLD_IN_FULL] for name, items in series.items()}
        return {
            "dataset": asked.scope.dataset,
            "as_known_on": asked.scope.as_known_on,
            "columns": asked.names,
            "rows": list(records(answer.batches, spell)),
            "series": shown | counts | {"all": about},
            "next": _next(request, answer.next) if answer.next else None,
        }


def _pieces(
    form: Form, schema: pa.Schema, batches: Iterator[pa.RecordBatch], spell: Spell
) -> Generator[bytes, None, None]:
    yield from written(form, schema, batches, spell)


def _pounds(asked: Asked) -> frozenset[str]:
    """The columns that hold pounds, in groups too."""
    fields = {one.name: one.unit for one in (*asked.columns, *asked.group_by)}
    fields |= {one.name: one.field.unit for one in asked.measures if one.field is not None}
    return frozenset(name for name, unit in fields.items() if unit == "GBP")


def _next(request: Request, cursor: Cursor) -> str:
    kept = [(name, text) for name, text in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor.token())])}"


def _address(request: Request, path: str, drop: tuple[str, ...]) -> str:
    kept = [(name, text) for name, text in request.query_params.multi_items() if name not in drop]
    return f"{path}?{urlencode(kept)}" if kept else path


def refuse_parameters(request: Request, known: tuple[str, ...]) -> None:
    """Nothing, if a request has no other parameters than those. Raises: Problem: it has."""
    for name in request.query_params:
        if name not in known:
            raise unknown("parameter", name, known, see=f"this takes {', '.join(known) or 'none'}")


def twice(request: Request, name: str) -> str | None:
    """The value of a parameter that stands once. Raises: Problem: it stands more often."""
    texts = request.query_params.getlist(name)
    if len(texts) > 1:
        raise Problem(400, "bad-parameter", f"{name} stands {len(texts)} times: write it once", parameter=name)
    return texts[0] if texts else None
