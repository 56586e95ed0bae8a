"""The index of what is published, for readers who cannot list keys: three levels, of which a release touches one.

`data/index.json` names the bodies of each dataset, `data/{dataset}/{body}/index.json` the years in which their periods
begin, and `data/{dataset}/{body}/index-{year}.json` every series of such a year with the version that stands. The upper
two are written only when a body or a year is new, and before the page that they lead to: so a release costs the same
however many there are, and a page that is led to may not be there yet. The pointers are the truth; the index is made
from them and can be made again.
"""

from __future__ import annotations

from collections.abc import Iterator

from piperoll import layout
from piperoll.model import History, Series, plain
from publishers.documents import Document, amend_document, document_of
from publishers.pointer import read_history
from publishers.stores.protocol import Store, StoreReader


def update_index(store: Store, series: Series) -> None:
    """See that the index says of a series what its pointer says.

    Raises: PointerMoved (retryable): others write to the index faster than we can.
    """
    year = series.period.start.year
    if not store.exists(_of_year(series)):  # what leads to a page comes first: killed between, we come here again
        amend_document(store, layout.INDEX, lambda page: _with_body(page, series))
        amend_document(store, _of_body(series.dataset, series.body), lambda page: _with_year(page, series, year))
    amend_document(store, _of_year(series), lambda page: _with_series(page, store, series))


def list_indexed_series(store: StoreReader) -> Iterator[Series]:
    """Every series that the index leads to, in order of dataset, body and period; it asks for no list of keys."""
    for dataset, bodies in sorted(document_of(store, layout.INDEX).get("datasets", {}).items()):
        for body in bodies:
            yield from list_indexed_series_of(store, dataset, body)


def list_indexed_series_of(store: StoreReader, dataset: str, body: str) -> Iterator[Series]:
    """Every series of a body and dataset that the index leads to, in order of period."""
    for year in document_of(store, _of_body(dataset, body)).get("years", ()):
        page = document_of(store, layout.year_index(dataset, body, year))
        yield from sorted(map(Series.parse, page.get("series", ())))


def index_matches(store: StoreReader, history: History) -> bool:
    """Whether the index says of a series what its history says."""
    entries = document_of(store, _of_year(history.series)).get("series", {})
    return bool(entries.get(str(history.series)) == _entry(history))


def _of_body(dataset: str, body: str) -> str:
    return layout.body_index(dataset, body)


def _of_year(series: Series) -> str:
    return layout.year_index(series.dataset, series.body, series.period.start.year)


def _with_series(page: Document, store: StoreReader, series: Series) -> Document:
    """The page of a year with one series as its pointer has it now."""
    entries = page.get("series", {}) | {str(series): _entry(read_history(store, series)[0])}
    return {"dataset": series.dataset, "body": series.body, "series": dict(sorted(entries.items()))}


def _entry(history: History) -> Document:
    """What a reader needs to go on: which version stands, where, and how much it holds."""
    standing = history.standing
    if standing is None:
        return {"versions": len(history.versions), "current": None}
    return {
        "versions": len(history.versions),
        "current": standing.version,
        "path": standing.path,
        "manifest_sha256": standing.manifest_sha256,
        "published": standing.published,
        "rows": standing.rows,
        "amount_gbp": None if standing.amount_gbp is None else plain(standing.amount_gbp),
    }


def _with_year(page: Document, series: Series, year: int) -> Document:
    years = sorted({*page.get("years", ()), year})
    return {"dataset": series.dataset, "body": series.body, "years": years}


def _with_body(page: Document, series: Series) -> Document:
    datasets = page.get("datasets", {})
    bodies = sorted({*datasets.get(series.dataset, ()), series.body})
    return {"datasets": dict(sorted((datasets | {series.dataset: bodies}).items()))}
