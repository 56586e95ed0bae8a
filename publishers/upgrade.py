"""Bringing a store of an older form up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from piperoll.errors import NotThere, PointerMoved
from publishers.stores.form import CURRENT_FORM, read_form, require_known_form, write_form
from publishers.stores.protocol import Store

_AT_ONCE = 16
"""Objects looked at at the same time: in a bucket, each costs a request."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade of a store did or would do: the forms, and how many objects it looked at and changed."""

    before: int
    after: int
    looked_at: int
    changed: int


def upgrade_store(store: Store, *, dry_run: bool) -> Upgrade:
    """Bring a store of an older form up to date, and say so in it at the end; or count what that would change.

    Runs may go on meanwhile. If we are killed at any moment, the same call again goes on: what is done is not done
    again. Raises: StoreTooNew.
    """
    before = read_form(store)
    require_known_form(store, repr(store))
    looked_at = changed = 0
    for form in range(before + 1, CURRENT_FORM + 1):
        for was_changed in _STEPS[form](store, dry_run):
            looked_at += 1
            changed += was_changed
    if before < CURRENT_FORM and not dry_run:
        write_form(store)
    return Upgrade(before, CURRENT_FORM, looked_at, changed)


def _store_digests(store: Store, dry_run: bool) -> Iterator[bool]:
    """Form 2: store the sha256 of every object that has none, and close private files to others."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(partial(_store_digest, store, dry_run), list(store.keys()))


def _store_digest(store: Store, dry_run: bool, key: str) -> bool:
    with suppress(NotThere, PointerMoved):  # deleted or written anew meanwhile
        if store.lacks_digest(key):
            if not dry_run:
                store.store_digest(key)
            return True
    return False


_STEPS: dict[int, Callable[[Store, bool], Iterator[bool]]] = {2: _store_digests}
"""What brings a store to each form from the one before it: yields, for each object looked at, whether it changes."""
