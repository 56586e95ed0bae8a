"""The version of the store's form: which programs can work with a store.

Form 1 is every store without `data/store.json`: some of its objects have no sha256 stored with them, and in a folder
some private files can be read by others. In form 2 every object has its sha256 and every private file is private.
This program works with both (`publishers.upgrade` makes form 2 of form 1), and never with a form that it does not know.
"""

from __future__ import annotations

import json

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt, StoreTooNew
from piperoll.model import to_json_bytes
from publishers.stores.protocol import Store, StoreReader, update_object

CURRENT_FORM = 2
"""The form that this program writes; a larger number means that older programs must not touch the store."""


def read_form(store: StoreReader) -> int:
    """The form of a store; 1 if it does not say. Raises: StoreCorrupt: what it says is not a form."""
    try:
        content = store.read(layout.STORE_FORM).content
    except NotThere:
        return 1
    try:
        form = json.loads(content)["form"]
    except (ValueError, KeyError, TypeError):
        form = None
    if type(form) is not int or form < 1:
        raise StoreCorrupt(f"{layout.STORE_FORM} does not say the form of the store: restore it from a backup")
    return form


def require_known_form(store: StoreReader, address: str) -> None:
    """Do nothing if this program knows the form of a store. Raises: StoreTooNew: it does not."""
    form = read_form(store)
    if form > CURRENT_FORM:
        raise StoreTooNew(
            f"{address} is of form {form}, and this version of Piperoll knows forms up to {CURRENT_FORM}: "
            f"install the version that wrote it, or a later one"
        )


def begin_store(store: Store) -> None:
    """Write the current form into a store that has nothing in it; an older store keeps its form."""
    if not store.exists(layout.STORE_FORM) and store.is_empty():
        write_form(store)


def write_form(store: Store) -> None:
    """Say that a store is of the current form."""
    content = to_json_bytes({"form": CURRENT_FORM})
    update_object(store, layout.STORE_FORM, lambda _: content)
