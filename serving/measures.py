"""`/measures`: what is measured, the figures of a measure, and one figure with its working."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams

from hosting.limits import ApiLimits, WorkSlots
from hosting.problems import Problem, bad_parameter, printable, unknown_name
from hosting.transfers import SpoolBudget
from piperoll import layout
from piperoll.describing.measures import MeasureDefinition, read_definition
from piperoll.errors import NotThere
from piperoll.model import KINDS, Series, Version
from piperoll.model.columns import pc
from serving import response_formats
from serving.body_names import find_body
from serving.consolidated_copies import StoredFile
from serving.cursors import Cursor, bad_cursor, digest
from serving.documents import FigureDocument, MeasureDescription, MeasureRowsDocument, MeasuresDocument
from serving.listings import SiteLinks
from serving.query import single_value, split_list
from serving.query_service import QueryService

STATUSES = ("shown", "indicative", "list-only", "withheld")
"""What a reader may do with a figure, from compare it freely to not at all."""

PARAMETERS = ("body", "kind", "year", "figure", "item", "status", "limit", "cursor", "format")
_NO_ITEM = "none"
"""The value of `item` for figures as a whole."""

_TABLE = "measures.parquet"


@dataclass(frozen=True, slots=True)
class PublishedYear:
    """A published year of a measure: its series and its current version."""

    series: Series
    version: Version

    @property
    def name(self) -> str:
        """The financial year, as `2026-27`."""
        first = self.series.period.start.year
        return f"{first}-{(first + 1) % 100:02}"


@dataclass(frozen=True, slots=True)
class MeasureQuery:
    """A query for the figures of a measure: its years, and the values that each filter allows (empty: any)."""

    years: tuple[PublishedYear, ...]
    filters: Mapping[str, tuple[str, ...]]
    limit: int | None
    offset: int
    selection: str
    digest: str


class MeasureEndpoint:
    """Answers queries for figures; `at_once` of them run at a time."""

    def __init__(self, service: QueryService, limits: ApiLimits, site: SiteLinks) -> None:
        self._service, self._limits, self._site = service, limits, site
        self._slots = WorkSlots(limits.at_once, limits.wait_seconds)
        self._spool = SpoolBudget(limits.spool_bytes)

    async def list_measures(self, request: Request) -> Response:
        """Every measure that is published. Raises: Problem."""
        return response_formats.json_response(request, await run_in_threadpool(self._list_measures))

    async def get_figure(self, request: Request) -> Response:
        """One figure with its working. Raises: Problem."""
        await self._slots.acquire()
        try:
            document = await run_in_threadpool(
                self._find_figure, request.path_params["measure"], request.path_params["figure_id"]
            )
        finally:
            self._slots.release()
        return response_formats.json_response(request, document)

    async def get_rows(self, request: Request) -> Response:
        """The figures of a measure. Raises: Problem."""
        form = response_formats.choose_format(request.query_params.getlist("format"), request.headers.get("Accept"))
        query = await run_in_threadpool(self._parse, request.path_params["measure"], request.query_params)
        etag = digest([request.url.path, request.url.query, form.name, query.selection])
        headers = {"ETag": f'"{etag}"', "Cache-Control": response_formats.REVALIDATE, "Vary": "Accept"}
        if response_formats.client_has(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if request.scope.get("head"):  # set by serving.app: the headers need no query
            return Response(headers=headers, media_type=form.media_type)
        await self._slots.acquire()
        try:
            return await run_in_threadpool(self._answer, request, query, form, headers)
        finally:
            self._slots.release()

    def _answer(
        self, request: Request, query: MeasureQuery, form: response_formats.ResponseFormat, headers: dict[str, str]
    ) -> Response:
        table = self._read(query)
        most = query.limit
        if most is None:
            most = self._limits.usual_rows if form is response_formats.JSON else table.num_rows
            if form is response_formats.XLSX and table.num_rows > self._limits.workbook_rows:
                raise Problem(400, "too-many-rows", "the figures do not fit a workbook: use format=csv or a limit")
        page = table.slice(query.offset, most)
        following = None
        if query.offset + page.num_rows < table.num_rows:
            until = max(year.version.published for year in query.years)
            cursor = Cursor(query.digest, query.selection, until, (query.offset + page.num_rows,))
            kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
            following = f"{request.url.path}?{urlencode([*kept, ('cursor', cursor.token())])}"
            headers["Link"] = f'<{following}>; rel="next"'
        batches = page.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=page.schema)]
        if form is response_formats.JSON:
            content = self._describe_rows(request.path_params["measure"], query, table.num_rows, batches, following)
            return response_formats.json_response(request, content, etag=headers["ETag"], headers=headers)
        if form is response_formats.XLSX:
            headers["Content-Disposition"] = f'attachment; filename="{request.path_params["measure"]}.xlsx"'
        chunks = response_formats.encode_rows(form, page.schema, iter(batches), frozenset())
        return response_formats.ResultStream(chunks, form.media_type, headers, lambda: None, self._spool)

    def _describe_rows(
        self, measure: str, query: MeasureQuery, count: int, batches: Sequence[pa.RecordBatch], following: str | None
    ) -> MeasureRowsDocument:
        return {
            "measure": measure,
            "years": [{"year": one.name, "version": one.version.version} for one in query.years],
            "columns": batches[0].schema.names,
            "rows_count": count,
            "rows": list(response_formats.json_rows(iter(batches), frozenset())),
            "links": {"about": f"/measures#{measure}", **self._site.to(layout.measure_page(measure))},
            "next": following,
        }

    # --- what is published ----------------------------------------------------------------------------------------

    def _years(self, measure: str) -> tuple[PublishedYear, ...]:
        """The published years of a measure, newest first. Raises: Problem: 404: there is no such measure."""
        known = self._service.index.measures()
        if measure not in known:
            raise unknown_name("measure", measure, known, status=404, see="/measures lists them")
        entries = self._service.index.entries(layout.MEASURES, [measure])
        found = [
            PublishedYear(history.series, version)
            for history in self._service.index.histories(entries)
            if (version := history.current_version) is not None
        ]
        if not found:
            raise Problem(410, "taken-back", f"every version of the measure {measure} was withdrawn")
        return tuple(sorted(found, key=lambda one: one.series.period.start, reverse=True))

    def _read_document(self, year: PublishedYear, name: str) -> dict[str, Any]:
        key = layout.release_file(year.series, year.version, name)
        try:
            document: dict[str, Any] = json.loads(self._service.index.store.read(key).content)
        except NotThere as error:
            self._service.index.forget()
            raise Problem(410, "moved", "the figures were made again a moment ago: try again") from error
        return document

    def _definition(self, year: PublishedYear) -> tuple[MeasureDefinition, Mapping[str, str]]:
        """The definition of a measure, and the texts of its files by name."""
        files: dict[str, str] = self._read_document(year, "definition.json")["files"]
        return read_definition(tomllib.loads(files["measure.toml"])), files

    def _list_measures(self) -> MeasuresDocument:
        found = []
        for name in self._service.index.measures():
            try:
                years = self._years(name)
            except Problem:  # every version was withdrawn
                continue
            found.append(self._describe(self._definition(years[0])[0], years))
        return {"measures": found, "statuses": list(STATUSES)}

    def _describe(self, definition: MeasureDefinition, years: Sequence[PublishedYear]) -> MeasureDescription:
        return {
            "measure": definition.id,
            "title": definition.title,
            "question": definition.question,
            "summary": definition.summary,
            "method": list(definition.method),
            "method_version": definition.version,
            "perimeter": definition.perimeter,
            "compared_with": definition.comparators,
            "datasets": list(definition.datasets),
            "figures": [
                {
                    "figure": one.id,
                    "title": one.title,
                    "unit": one.unit,
                    "headline": one.headline,
                    "high_is": one.high_is,
                }
                for one in definition.figures
            ],
            "years": [{"year": one.name, "version": one.version.version} for one in years],
            "links": {"rows": f"/measures/{definition.id}", **self._site.to(layout.measure_page(definition.id))},
        }

    # --- figures --------------------------------------------------------------------------------------------------

    def _parse(self, measure: str, parameters: QueryParams) -> MeasureQuery:
        """A query from the parameters of a request. Raises: Problem: one is not valid."""
        texts = {name: parameters.getlist(name) for name in parameters}
        for name in texts:
            if name not in PARAMETERS:
                raise unknown_name("parameter", name, PARAMETERS, see=f"use {', '.join(PARAMETERS)}")
        years = self._years(measure)
        chosen = self._choose_years(measure, years, _list_of("year", texts))
        definition, _ = self._definition(years[0])
        filters = {
            "body": tuple(find_body(one, self._service.index) for one in _list_of("body", texts)),
            "kind": _known("kind", _list_of("kind", texts), KINDS),
            "figure": _known("figure", _list_of("figure", texts), [one.id for one in definition.figures]),
            "status": _known("status", _list_of("status", texts), STATUSES),
            "item": _list_of("item", texts),
        }
        selection = digest([[str(one.series), one.version.version, one.version.manifest_sha256] for one in chosen])
        identity = digest([measure, sorted(filters.items())])
        return MeasureQuery(
            years=chosen,
            filters=filters,
            limit=_parse_limit(texts, self._limits),
            offset=_parse_offset(texts, identity, selection),
            selection=selection,
            digest=identity,
        )

    def _choose_years(
        self, measure: str, years: Sequence[PublishedYear], asked: Sequence[str]
    ) -> tuple[PublishedYear, ...]:
        """The newest year; those that are asked for, as financial years or days within them; `all`."""
        if not asked:
            return (years[0],)
        if "all" in asked:
            return tuple(years)
        names = [one.name for one in years]
        unknown = [one for one in asked if one not in names]
        if unknown:
            detail = f"{measure} has no figures of '{printable(unknown[0])}': it has {', '.join(names)}, or use all"
            raise bad_parameter("year", detail)
        return tuple(one for one in years if one.name in asked)

    def _read(self, query: MeasureQuery) -> pa.Table:
        """The figures that match, newest year first, otherwise in the order of the published tables."""
        return pa.concat_tables(
            [self._filter(pq.read_table(path), query.filters) for path in self._paths(query.years)],
            promote_options="permissive",
        )

    def _filter(self, table: pa.Table, filters: Mapping[str, tuple[str, ...]]) -> pa.Table:
        for name, values in filters.items():
            if not values:
                continue
            if name == "kind":
                # A row has the kind of its body only if bodies are compared; the register has it for the others.
                of_kind = [body.slug for body in self._service.index.register() if body.kind in values]
                wanted = pc.or_(_is_in(table["peer_kind"], values), _is_in(table["body"], of_kind))
            else:
                wanted = _is_in(table[name], ["" if name == "item" and one == _NO_ITEM else one for one in values])
            table = table.filter(wanted)
        return table

    def _paths(self, years: Sequence[PublishedYear]) -> list[str]:
        index = self._service.index
        stored = []
        try:
            for year in years:
                files = index.manifest(year.series, year.version).files
                entry = next(one for one in files if one.path == _TABLE)
                key = layout.release_file(year.series, year.version, _TABLE)
                stored.append(StoredFile(key, entry.bytes, entry.sha256))
            return self._service.files.paths(stored)
        except NotThere as error:
            index.forget()
            raise Problem(410, "moved", "the figures were made again a moment ago: try again") from error

    def _find_figure(self, measure: str, figure_id: str) -> FigureDocument:
        """One figure of any year. Raises: Problem: 404."""
        if not re.fullmatch(r"[0-9a-f]{16}", figure_id):
            raise Problem(404, "unknown-figure", "a figure is named by 16 digits and letters, as in `figure_id`")
        for year in self._years(measure):
            [path] = self._paths([year])
            table = pq.read_table(path, filters=[("figure_id", "==", figure_id)])
            if not table.num_rows:
                continue
            [row] = response_formats.json_rows(iter(table.slice(0, 1).to_batches()), frozenset())
            return self._describe_figure(measure, year, row)
        raise Problem(404, "unknown-figure", f"{measure} has no figure '{figure_id}': /measures/{measure} lists them")

    def _describe_figure(self, measure: str, year: PublishedYear, row: Mapping[str, Any]) -> FigureDocument:
        definition, files = self._definition(year)
        inputs = self._read_document(year, "inputs.json")
        own = inputs["bodies"].get(row["body"], {"inputs": []})
        figure = definition.figure(row["figure"])
        return {
            "measure": measure,
            "question": definition.question,
            "title": row["figure"] if figure is None else figure.title,
            "year": year.name,
            "version": year.version.version,
            "row": dict(row),
            "working": {
                "method": list(definition.method),
                "method_version": row["method_version"],
                "query": files["query.sql"],
                "inputs": [*inputs["shared"], *own["inputs"]],
                "command": f"piperoll measure --to STORE --explain {measure} {row['body']} {year.name}",
            },
            "links": {
                "rows": f"/measures/{measure}?body={row['body']}&year={year.name}",
                **self._site.to(layout.profile_page(row["body"])),
            },
        }


def _is_in(column: Any, values: Sequence[str]) -> Any:
    return pc.is_in(pc.fill_null(column.cast(pa.string()), ""), value_set=pa.array(values, pa.string()))


def _list_of(name: str, texts: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The values of a parameter that takes a list, separated by commas."""
    if name not in texts:
        return ()
    return tuple(one for one in split_list(single_value(name, texts[name])) if one)


def _known(name: str, values: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        if value not in known:
            raise unknown_name(name, value, known, see=f"use {', '.join(known)}")
    return values


def _parse_limit(texts: Mapping[str, Sequence[str]], limits: ApiLimits) -> int | None:
    if "limit" not in texts:
        return None
    text = single_value("limit", texts["limit"])
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= limits.page_rows:
        raise bad_parameter("limit", f"limit must be a whole number from 1 to {limits.page_rows}")
    return int(text)


def _parse_offset(texts: Mapping[str, Sequence[str]], identity: str, selection: str) -> int:
    if "cursor" not in texts:
        return 0
    cursor = Cursor.parse(single_value("cursor", texts["cursor"]))
    if cursor.query != identity:
        raise bad_cursor("the cursor belongs to another query: follow `next` unchanged, or leave out cursor")
    if cursor.selection != selection:
        raise Problem(410, "changed", "the figures have changed since the first page: leave out cursor and start again")
    match cursor.keys:
        case (int(offset),) if offset > 0:
            return offset
    raise bad_cursor("the cursor is not valid: leave out cursor and start again")
