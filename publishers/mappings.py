"""What is remembered about how each body's columns are read: one TOML file a body and dataset, private."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from piperoll import layout
from piperoll.errors import MappingError, NotThere
from piperoll.model import BodyMapping
from publishers.stores.protocol import Store, update_object


def read_mapping(store: Store, body: str, dataset: str) -> BodyMapping:
    """Read the mapping of a body and dataset; an empty one if nothing is remembered yet.

    Raises: MappingError: somebody has edited it, and it cannot be understood.
    """
    key = layout.mapping(body, dataset)
    try:
        return _parse_mapping(key, store.read(key).content)
    except NotThere:
        return BodyMapping(body, dataset)


def list_mappings(store: Store, body: str | None = None) -> Iterator[BodyMapping]:
    """List every mapping, or those of one body, in order of body and dataset. Raises: MappingError."""
    for key in store.keys(layout.mappings_prefix(body)):
        yield _parse_mapping(key, store.read(key).content)


def update_mapping(store: Store, body: str, dataset: str, change: Callable[[BodyMapping], BodyMapping]) -> BodyMapping:
    """Write a mapping with `change` made to it, even if others change it at the same time; return the new mapping.

    Raises: MappingError: the mapping cannot be understood. PointerMoved (retryable): others change it all the time.
    """
    key, updated = layout.mapping(body, dataset), BodyMapping(body, dataset)

    def change_content(content: bytes | None) -> bytes | None:
        nonlocal updated
        before = BodyMapping(body, dataset) if content is None else _parse_mapping(key, content)
        updated = change(before)
        return None if updated == before else updated.to_toml().encode()

    update_object(store, key, change_content)
    return updated


def _parse_mapping(key: str, content: bytes) -> BodyMapping:
    """Parse the mapping under a key. Raises: MappingError: it is not a mapping, or it is another body's."""
    try:
        mapping = BodyMapping.from_toml(content.decode("utf-8"))
    except (MappingError, UnicodeDecodeError) as error:
        raise MappingError(f"{key} cannot be understood: {error}. Correct it, or delete it to start again.") from error
    if layout.mapping(mapping.body, mapping.dataset) != key:
        raise MappingError(f"{key} says that it is of {mapping.body} and {mapping.dataset}: correct it, or move it")
    return mapping
