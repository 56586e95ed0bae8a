"""Links between pages, web addresses of keys, and names (URNs) that do not depend on where the catalogue is served."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname, relpath
from urllib.parse import quote

from piperoll.model import Series, Version


def link(target: str, here: str) -> str:
    """The way from the page `here` to `target`, both keys: works on any server, in a bucket and from a disk."""
    return quote(relpath(target, dirname(here)))


def address(base_url: str, key: str) -> str:
    """The full web address of a key; `base_url` (ending in a slash) is where the store is served."""
    return base_url + quote(key)


def series_name(series: Series) -> str:
    """The name of a series as a URN."""
    return f"urn:piperoll:series:{series}"


def release_name(series: Series, version: Version) -> str:
    """The name of a release as a URN: it never changes and is never used again."""
    return f"urn:piperoll:release:{series}/v{version.version}"


def collection_name(dataset: str, body: str) -> str:
    """The name of all that a body publishes of a dataset, as a URN."""
    return f"urn:piperoll:collection:{dataset}/{body}"


def body_name(identifier: str) -> str:
    """The name of a body as a URN, from its identifier in a public register."""
    return f"urn:piperoll:body:{quote(identifier, safe=':')}"


def licence_name(licence: Mapping[str, str]) -> str:
    """The address of a licence as a descriptor gives it; a URN for one that we know by name alone."""
    return licence.get("path") or f"urn:piperoll:licence:{quote(licence['name'])}"
