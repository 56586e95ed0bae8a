"""Links between pages, web addresses of keys, and URNs, which do not depend on where the catalogue is served."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from posixpath import dirname
from urllib.parse import quote, urlencode

from piperoll.model import Series, Version


def link(target: str, here: str) -> str:
    """Return the relative link from the page `here` to `target`, both keys; it works on servers, buckets and disks."""
    return _relative_link(target, dirname(here))


@lru_cache(maxsize=1 << 14)
def _relative_link(target: str, folder: str) -> str:
    """The pages of a folder share most of their links."""
    there, here = (path.strip("/").split("/") if path else [] for path in (target, folder))
    shared = 0
    while there[shared : shared + 1] == here[shared : shared + 1] != []:
        shared += 1
    return quote("/".join([".."] * (len(here) - shared) + there[shared:]) or ".")


def address(base_url: str, key: str) -> str:
    """Return the web address of a key; `base_url` is where the store is served and ends in a slash."""
    return base_url + quote(key)


def api_rows(api_url: str, series: Series) -> str:
    """Return the API's query for the rows of a table."""
    query = {"body": series.body, "period": str(series.period), "part": series.part or "none"}
    return f"{api_url}rows/{series.dataset}?{urlencode(query)}"


def api_body_rows(api_url: str, dataset: str, body: str) -> str:
    """Return the API's query for everything that a body has published of a dataset."""
    return f"{api_url}rows/{dataset}?{urlencode({'body': body})}"


def api_supplier_rows(api_url: str, dataset: str, key: str) -> str:
    """Return the API's query for everything that names a supplier."""
    return f"{api_url}rows/{dataset}?{urlencode({'supplier_key': key})}"


def series_urn(series: Series) -> str:
    """Return the URN of a series."""
    return f"urn:piperoll:series:{series}"


def release_urn(series: Series, version: Version) -> str:
    """Return the URN of a release, which never changes and is never reused."""
    return f"urn:piperoll:release:{series}/v{version.version}"


def collection_urn(dataset: str, body: str) -> str:
    """Return the URN of everything a body publishes of a dataset."""
    return f"urn:piperoll:collection:{dataset}/{body}"


def body_urn(identifier: str) -> str:
    """Return the URN of a body, made from its identifier in a public register."""
    return f"urn:piperoll:body:{quote(identifier, safe=':')}"


def licence_uri(licence: Mapping[str, str]) -> str:
    """Return the address of a licence as a descriptor gives it; a URN if the descriptor gives only its name."""
    return licence.get("path") or f"urn:piperoll:licence:{quote(licence['name'])}"


def api_measure(api_url: str, measure: str, year: str, body: str | None = None) -> str:
    """Return the API's query for the figures of a measure in a financial year: of all bodies, or of one."""
    query = {"year": year} if body is None else {"body": body, "year": year}
    return f"{api_url}measures/{measure}?{urlencode(query)}"


def api_figure(api_url: str, measure: str, figure_id: str) -> str:
    """Return the API's address of one figure with its working."""
    return f"{api_url}measures/{measure}/{figure_id}"


def measure_urn(measure: str) -> str:
    """Return the URN of a measure."""
    return f"urn:piperoll:measure:{measure}"
