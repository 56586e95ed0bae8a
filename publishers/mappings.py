"""What is remembered of how each body's columns are read: `mappings/<body>/<dataset>.toml`, private."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from piperoll import layout
from piperoll.errors import MappingError, NotThere, PointerMoved
from piperoll.model import BodyMapping
from publishers.stores.protocol import Store

_TRIES = 20
"""Only the runs that read files of one body and dataset at the same moment, and whoever answers, write one mapping."""


def read_mapping(store: Store, body: str, dataset: str) -> BodyMapping:
    """The mapping of a body and dataset; an empty one where nothing is remembered yet.

    Raises: MappingError: somebody has edited it, and it cannot be understood.
    """
    return _stored(store, body, dataset)[0]


def list_mappings(store: Store, body: str | None = None) -> Iterator[BodyMapping]:
    """Every mapping, or those of one body, in order of body and dataset. Raises: MappingError."""
    for key in store.keys(layout.mappings_prefix(body)):
        yield _read(key, store.read(key).content)


def update_mapping(store: Store, body: str, dataset: str, change: Callable[[BodyMapping], BodyMapping]) -> BodyMapping:
    """Change a mapping, however many do so at the same time; what was not changed is not written.

    Raises: MappingError: the mapping cannot be understood. PointerMoved (retryable): others change it all the time.
    """
    for _ in range(_TRIES):
        before, tag = _stored(store, body, dataset)
        after = change(before)
        if after == before:
            return before
        try:
            store.replace(layout.mapping(body, dataset), after.to_toml().encode(), tag)
        except PointerMoved:
            continue
        return after
    raise PointerMoved(
        f"{layout.mapping(body, dataset)} was changed by others {_TRIES} times while we tried: try again later"
    )


def _stored(store: Store, body: str, dataset: str) -> tuple[BodyMapping, str | None]:
    empty = BodyMapping(body, dataset)
    try:
        stored = store.read(layout.mapping(body, dataset))
    except NotThere:
        return empty, None
    return _read(layout.mapping(body, dataset), stored.content), stored.tag


def _read(key: str, content: bytes) -> BodyMapping:
    """The mapping under a key. Raises: MappingError: it is none, or another one's."""
    try:
        mapping = BodyMapping.from_toml(content.decode("utf-8"))
    except (MappingError, UnicodeDecodeError) as error:
        raise MappingError(f"{key} cannot be understood: {error}. Mend it, or delete it to begin anew.") from error
    if layout.mapping(mapping.body, mapping.dataset) != key:
        raise MappingError(f"{key} says that it is of {mapping.body} and {mapping.dataset}: mend it, or move it")
    return mapping
