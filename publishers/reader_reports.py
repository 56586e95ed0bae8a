"""Reports of readers on published tables (private), and the answers of bodies to them (published with the table)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from piperoll import layout
from piperoll.errors import NotThere
from piperoll.model import ReaderAnswer, ReaderReport, Series, from_document, to_document, to_json_bytes
from publishers.change_log import logging_series_change
from publishers.stores.protocol import JsonObject, Store, StoreReader, read_json, update_json


def record_reader_report(store: Store, report: ReaderReport) -> ReaderReport:
    """Keep a report, and return it with its identifier. The same report is kept once."""
    content = to_json_bytes(to_document(replace(report, id="")))
    report = replace(report, id=hashlib.sha256(content).hexdigest()[:12])
    store.create(layout.reader_report(report.series, report.id), to_json_bytes(to_document(report)))
    return report


def list_reader_reports(store: Store, body: str | None = None) -> Iterator[ReaderReport]:
    """The reports on tables of a body, or of all bodies, in order of table and identifier."""
    for key in store.keys(layout.reader_reports_prefix(body)):
        yield _parse(store.read(key).content)


def find_reader_report(store: Store, series: Series, identifier: str) -> ReaderReport | None:
    """The report on a table with this identifier; None if there is none."""
    try:
        return _parse(store.read(layout.reader_report(series, identifier)).content)
    except NotThere:
        return None


def publish_reader_answer(store: Store, series: Series, answer: ReaderAnswer, *, by: str, because: str = "") -> None:
    """Publish an answer beside the table, in place of an earlier one; keep privately who gave it.

    The next build of the catalogue shows it.
    """
    record = to_document(answer) | {"by": by, "because": because}
    digest = hashlib.sha256(to_json_bytes(record)).hexdigest()[:12]
    store.create(layout.reader_answer_record(series, answer.id, digest), to_json_bytes(record))

    def add(document: JsonObject) -> JsonObject:
        others = [one for one in document.get("answers", ()) if one["id"] != answer.id]
        answers = sorted([*others, to_document(answer)], key=lambda one: (one["answered"], one["id"]))
        return {"series": str(series), "answers": answers}

    with logging_series_change(store, series):
        update_json(store, layout.reader_answers(series), add)


def read_reader_answers(store: StoreReader, series: Series) -> tuple[ReaderAnswer, ...]:
    """The published answers about a table, oldest first."""
    document = read_json(store, layout.reader_answers(series))
    return tuple(from_document(ReaderAnswer, one) for one in document.get("answers", ()))


def _parse(content: bytes) -> ReaderReport:
    document: JsonObject = json.loads(content)
    return from_document(ReaderReport, document, series=Series.parse(document["series"]))
