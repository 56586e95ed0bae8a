"""The index of what is published, for readers who cannot list keys: a root, a page a body, a page a body and year.

Publishing a release changes one page, that of its year. The two levels above are written only when a body or a year is
new, and before the page that they lead to. So a release costs the same however many exist, and a page that is named may
not exist yet. The pointers are the truth; the index is made from them and can be made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

from piperoll import layout
from piperoll.model import History, Period, Series, format_decimal
from publishers.pointer import read_history
from publishers.stores.protocol import JsonObject, Store, StoreReader, read_json, update_json
from publishers.stores.view import latest

_READERS = 8
"""Pages of the index that are read at the same time."""


def update_index(store: Store, series: Series, written: History | None = None) -> None:
    """Write to the index what the pointer of a series says.

    `written` is what we have just written to the pointer. It is what the pointer says unless others wrote it since; the
    index then has as many versions, or gets them by their own call, and the pointer is read.
    Raises: PointerMoved (retryable): others write to the index faster than we can.
    """
    dataset, body, year = series.dataset, series.body, series.period.start.year

    def add_body(page: JsonObject) -> JsonObject:
        datasets = page.get("datasets", {})
        bodies = sorted({*datasets.get(dataset, ()), body})
        return {"datasets": dict(sorted((datasets | {dataset: bodies}).items()))}

    def add_year(page: JsonObject) -> JsonObject:
        return {"dataset": dataset, "body": body, "years": sorted({*page.get("years", ()), year})}

    def add_series(page: JsonObject) -> JsonObject:
        if not page:  # the pages above come first: a run that is killed in between comes here again
            update_json(store, layout.root_index(dataset), add_body)
            update_json(store, layout.body_index(dataset, body), add_year)
        known = page.get("series", {}).get(str(series), {}).get("versions", 0)
        is_newest = written is not None and len(written.versions) > known
        history = written if written and is_newest else read_history(latest(store), series)[0]
        entries = page.get("series", {}) | {str(series): _make_entry(history)}
        return {"dataset": dataset, "body": body, "series": dict(sorted(entries.items()))}

    update_json(store, layout.year_index(dataset, body, year), add_series)


def list_indexed_series(store: StoreReader) -> Iterator[Series]:
    """List every series of datasets in the index, in order of dataset, body and period, without listing keys."""
    yield from _list_indexed(store, layout.INDEX)


def list_measured_series(store: StoreReader) -> Iterator[Series]:
    """List every series of measures in their index, in order of measure and year."""
    yield from _list_indexed(store, layout.MEASURES_INDEX)


def _list_indexed(store: StoreReader, root: str) -> Iterator[Series]:
    for dataset, bodies in sorted(read_json(store, root).get("datasets", {}).items()):
        for body in bodies:
            yield from list_indexed_series_of(store, dataset, body)


def list_indexed_series_of(store: StoreReader, dataset: str, body: str) -> Iterator[Series]:
    """List the series of a body and dataset in the index, in order of period."""
    for year in read_json(store, layout.body_index(dataset, body)).get("years", ()):
        page = read_json(store, layout.year_index(dataset, body, year))
        yield from sorted(map(Series.parse, page.get("series", ())))


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A series in the index, and its published version: all None if every version was withdrawn or purged."""

    series: Series
    versions: int
    version: int | None
    published: str | None
    rows: int | None
    amount_gbp: Decimal | None


def list_published(
    store: StoreReader, dataset: str | None = None, body: str | None = None, within: Period | None = None
) -> list[PublishedTable]:
    """List what is published, in order of dataset, body and period: all of it, or of a dataset, of a body, in a time.

    `within` chooses the tables whose periods overlap it.
    """
    listed = [
        (name, slug)
        for name, bodies in sorted(read_json(store, layout.INDEX).get("datasets", {}).items())
        for slug in bodies
        if dataset in (None, name) and body in (None, slug)
    ]

    def read_pages(one: tuple[str, str]) -> list[PublishedTable]:
        years = read_json(store, layout.body_index(*one)).get("years", ())
        pages = [read_json(store, layout.year_index(*one, year)).get("series", {}) for year in years]
        found = (_read_entry(series, entry) for page in pages for series, entry in page.items())
        return [one for one in found if within is None or one.series.period.overlaps(within)]

    with ThreadPoolExecutor(_READERS) as readers:  # each page is a request, if the store is on the web
        return sorted((one for page in readers.map(read_pages, listed) for one in page), key=lambda each: each.series)


def _read_entry(series: str, entry: JsonObject) -> PublishedTable:
    amount = entry.get("amount_gbp")
    return PublishedTable(
        Series.parse(series),
        entry.get("versions", 0),
        entry.get("current"),
        entry.get("published"),
        entry.get("rows"),
        None if amount is None else Decimal(amount),
    )


def index_matches(store: StoreReader, history: History) -> bool:
    """True if the index says of a series what its history says."""
    series = history.series
    page = read_json(store, layout.year_index(series.dataset, series.body, series.period.start.year))
    return bool(page.get("series", {}).get(str(series)) == _make_entry(history))


def _make_entry(history: History) -> JsonObject:
    """What a reader needs to go on: which version is current, where it is, and how much it holds."""
    current = history.current_version
    if current is None:
        return {"versions": len(history.versions), "current": None}
    return {
        "versions": len(history.versions),
        "current": current.version,
        "path": current.path,
        "manifest_sha256": current.manifest_sha256,
        "published": current.published,
        "rows": current.rows,
        "amount_gbp": None if current.amount_gbp is None else format_decimal(current.amount_gbp),
    }
