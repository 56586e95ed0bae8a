"""The published figures of a body, and its right to reply to them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

import publishers
from piperoll import layout
from piperoll.describing.measures import Figure, read_figures
from piperoll.errors import NotThere, UsageError
from piperoll.measuring.definition import measures
from piperoll.measuring.engine import figure_id
from piperoll.measuring.packing import DATASET
from piperoll.model import DecisionEntry, Series
from piperoll.operations.reviews import parse_figure_id, record_reply

_FILE = "measures.parquet"


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """A published figure of a measure, in words."""

    measure: str
    year: str
    title: str
    figure: Figure


def list_measure_years(store: publishers.StoreReader, measure: str) -> list[Series]:
    """The years of which a measure is published, newest first; none if there is no such measure."""
    return list(publishers.list_indexed_series_of(store, DATASET, measure))[::-1] if measure in measures() else []


def list_own_figures(store: publishers.StoreReader, body: str, series: Series) -> list[OwnFigure]:
    """The figures of a body in a year of a measure: those as a whole, headlines first, and then the largest items."""
    declared = sorted(measures()[series.body].figures, key=lambda one: not one.headline)
    order = {one.id: place for place, one in enumerate(declared)}
    figures = read_figures(_read_table(store, series), body=body)
    ordered = sorted(figures, key=lambda one: (bool(one.item), order.get(one.figure, len(order))))
    return [_describe(series, one) for one in ordered]


def find_figure(store: publishers.StoreReader, identifier: str) -> OwnFigure | None:
    """The published figure of an identifier, of any body and year; None if there is none."""
    for series in sorted(publishers.list_measured_series(store), key=lambda one: one.period.start, reverse=True):
        table = _read_table(store, series, identifier)
        if table.num_rows:
            return _describe(series, read_figures(table)[0])
    return None


def name_figure(store: publishers.StoreReader, body: str, identifier: str) -> str:
    """A published figure of a body in words; its identifier if it is not published any more.

    Figures as a whole are found without reading any rows, because their identifiers follow from their names.
    """
    for series in publishers.list_measured_series(store):
        for figure in measures()[series.body].figures if series.body in measures() else ():
            if figure_id(series.body, body, str(series.period), figure.id) == identifier:
                return f"{figure.title}, {series.period.title}"
    found = find_figure(store, identifier)
    return f"{found.title}, {found.year}" if found else identifier


def find_own_figure(store: publishers.StoreReader, identifier: str, body: str) -> OwnFigure:
    """The published figure of an identifier. Raises: UsageError: there is none, or it is about another body."""
    identifier = parse_figure_id(identifier)
    found = find_figure(store, identifier)
    if found is None:
        raise UsageError(f"no figure '{identifier}' is published: choose one of the list")
    if found.figure.body != body:
        raise UsageError(
            f"the figure '{identifier}' is about {found.figure.body_name}: choose a figure about the body that replies"
        )
    return found


def reply_to_figure(
    store: publishers.Store, identifier: str, note: str, *, by: str, moment: str, body: str, ahead: bool = False
) -> DecisionEntry:
    """Record what a body says about a figure of its own (`record_reply`); `ahead` also before it is published.

    Raises: UsageError: as `record_reply` and `find_own_figure`.
    """
    if not ahead or find_figure(store, parse_figure_id(identifier)) is not None:
        find_own_figure(store, identifier, body)
    return record_reply(store, identifier, note, by=by, moment=moment, body=body)


def _read_table(store: publishers.StoreReader, series: Series, identifier: str | None = None) -> pa.Table:
    """The rows of the current version, or only those of a figure; none if there is no version."""
    version = publishers.read_history(store, series)[0].current_version
    try:
        content = store.read(layout.release_file(series, version, _FILE)).content if version else b""
    except NotThere:  # replaced since we read the pointer
        content = b""
    if not content:
        return pa.table({"figure_id": pa.array([], pa.string()), "body": pa.array([], pa.string())})
    return pq.read_table(io.BytesIO(content), filters=[("figure_id", "==", identifier)] if identifier else None)


def _describe(series: Series, figure: Figure) -> OwnFigure:
    measure = measures().get(series.body)
    known = measure.figure(figure.figure) if measure else None
    title = known.title if known else figure.figure
    label = figure.item_label or figure.item
    return OwnFigure(
        measure.title if measure else series.body,
        series.period.title,
        f"{title}: {label}" if label and figure.item else title,
        figure,
    )
