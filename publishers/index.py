"""The index of what is published, for readers who cannot list keys: three levels, of which a release touches one.

`data/index.json` names the bodies of each dataset, `data/{dataset}/{body}/index.json` the years in which their periods
begin, and `data/{dataset}/{body}/index-{year}.json` every series of such a year with the version that stands. The upper
two are written only when a body or a year is new, and before the page that they lead to: so a release costs the same
however many there are, and a page that is led to may not be there yet. The pointers are the truth; the index is made
from them and can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from piperoll.errors import NotThere, PointerMoved, StoreCorrupt
from piperoll.model import History, Series, plain, to_json_bytes
from publishers.histories import TRIES, history_of
from publishers.store import Reader, Store

ROOT = "data/index.json"

Document = dict[str, Any]


def enter(store: Store, series: Series) -> None:
    """See that the index says of a series what its pointer says.

    Raises: PointerMoved (retryable): others write to the index faster than we can.
    """
    year = series.period.start.year
    if not store.exists(_of_year(series)):  # what leads to a page comes first: killed between, we come here again
        _amend(store, ROOT, lambda page: _with_body(page, series))
        _amend(store, _of_body(series.dataset, series.body), lambda page: _with_year(page, series, year))
    _amend(store, _of_year(series), lambda page: _with_series(page, store, series))


def indexed(store: Reader) -> Iterator[Series]:
    """Every series that the index leads to, in order of dataset, body and period; it asks for no list of keys."""
    for dataset, bodies in sorted(_page(store, ROOT).get("datasets", {}).items()):
        for body in bodies:
            for year in _page(store, _of_body(dataset, body)).get("years", ()):
                page = _page(store, f"data/{dataset}/{body}/index-{year}.json")
                yield from sorted(map(Series.parse, page.get("series", ())))


def says_what_stands(store: Reader, history: History) -> bool:
    """Whether the index says of a series what its history says."""
    entries = _page(store, _of_year(history.series)).get("series", {})
    return bool(entries.get(str(history.series)) == _entry(history))


def _of_body(dataset: str, body: str) -> str:
    return f"data/{dataset}/{body}/index.json"


def _of_year(series: Series) -> str:
    return f"data/{series.dataset}/{series.body}/index-{series.period.start.year}.json"


def _with_series(page: Document, store: Reader, series: Series) -> Document:
    """The page of a year with one series as its pointer has it now."""
    entries = page.get("series", {}) | {str(series): _entry(history_of(store, series)[0])}
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


def _amend(store: Store, key: str, change: Callable[[Document], Document]) -> None:
    """Write a page with `change` made to it, unless it says so already."""
    for _ in range(TRIES):
        page, tag = _read(store, key)
        content = to_json_bytes(change(page))
        if tag is not None and content == to_json_bytes(page):
            return
        try:
            store.replace(key, content, tag)
        except PointerMoved:
            continue
        return
    raise PointerMoved(f"{key} was written by others {TRIES} times while we tried: try again later")


def _read(store: Reader, key: str) -> tuple[Document, str | None]:
    try:
        stored = store.read(key)
    except NotThere:
        return {}, None
    try:
        page: Document = json.loads(stored.content)
    except ValueError as error:
        raise StoreCorrupt(f"{key} is no JSON: {error}") from error
    return page, stored.tag


def _page(store: Reader, key: str) -> Document:
    return _read(store, key)[0]
