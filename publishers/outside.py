"""Outside sources of measures: their bytes in the archive, and which of them are used, with their licence and date."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from piperoll import layout
from publishers.stores.protocol import JsonObject, Store, read_json, sha256_of, update_json


def archive_outside_source(store: Store, name: str, path: Path, details: Mapping[str, str | None]) -> bool:
    """Archive a source and use it from now on; `details` say where it came from, by which licence, and when.

    Returns: False if the same bytes are in use already: then nothing changes, not even the date.
    """
    sha256 = sha256_of(path)
    if read_outside_sources(store).get(name, {}).get("sha256") == sha256:
        return False
    store.create(layout.received_bytes(sha256), path)
    entry = {"sha256": sha256, "bytes": path.stat().st_size, **details}

    def use(document: JsonObject) -> JsonObject:
        sources = document.get("sources", {}) | {name: entry}
        earlier = [*document.get("earlier", ())]
        if before := document.get("sources", {}).get(name):
            earlier.append({"name": name, **before})
        return {"sources": dict(sorted(sources.items())), "earlier": earlier}

    update_json(store, layout.OUTSIDE_SOURCES, use)
    return True


def read_outside_sources(store: Store) -> dict[str, Any]:
    """The outside sources in use, by name: `sha256`, `bytes`, `address`, `licence` and `obtained`."""
    return dict(read_json(store, layout.OUTSIDE_SOURCES).get("sources", {}))
