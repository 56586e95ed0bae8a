"""Small JSON documents that several writers amend: each write is conditional, and tried again on what others wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from piperoll.errors import NotThere, PointerMoved, StoreCorrupt
from piperoll.model import to_json_bytes
from publishers.pointer import TRIES
from publishers.stores.protocol import Store, StoreReader

Document = dict[str, Any]


def document_of(store: StoreReader, key: str) -> Document:
    """The document under `key`; an empty one where there is none yet. Raises: StoreCorrupt: it is no JSON."""
    return _read(store, key)[0]


def amend_document(store: Store, key: str, change: Callable[[Document], Document]) -> None:
    """Write a document with `change` made to it, unless it says so already.

    Raises: PointerMoved (retryable): others write it faster than we can.
    """
    for _ in range(TRIES):
        document, tag = _read(store, key)
        content = to_json_bytes(change(document))
        if tag is not None and content == to_json_bytes(document):
            return
        try:
            store.replace(key, content, tag)
        except PointerMoved:
            continue
        return
    raise PointerMoved(f"{key} was written by others {TRIES} times while we tried: try again later")


def _read(store: StoreReader, key: str) -> tuple[Document, str | None]:
    try:
        stored = store.read(key)
    except NotThere:
        return {}, None
    try:
        document: Document = json.loads(stored.content)
    except ValueError as error:
        raise StoreCorrupt(f"{key} is no JSON: {error}") from error
    return document, stored.tag
