"""The log of what people decided, and which versions each decision about held values had an effect on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from piperoll import layout
from piperoll.errors import UsageError
from piperoll.model import (
    DecisionEntry,
    DecisionKind,
    PrivacyDecision,
    Series,
    decisions_in_force,
    from_document,
    reviews_in_force,
    to_document,
    to_json_bytes,
)
from publishers.stores.protocol import JsonObject, Store, read_json, update_json
from publishers.stores.view import latest

_MIN_LETTERS = 6
"""Letters that name a decision; fewer would soon be ambiguous."""


def record_decision(store: Store, entry: DecisionEntry) -> DecisionEntry:
    """Add an entry to the log, and return it with its identifier. The same entry is written once."""
    content = to_json_bytes(to_document(replace(entry, id="")))
    entry = replace(entry, id=hashlib.sha256(content).hexdigest()[:12])
    store.create(layout.decision(entry.body, entry.decided, entry.id), to_json_bytes(to_document(entry)))
    return entry


def list_decisions(store: Store, body: str | None) -> list[DecisionEntry]:
    """The entries of the log about files of one body, oldest first; None: those for all bodies."""
    return [_read_entry(store, key) for key in store.keys(layout.decisions_prefix(body))]


def list_bodies_with_decisions(store: Store) -> list[str]:
    """The bodies whose files someone has decided about, without the decisions for all bodies."""
    prefix = f"{layout.DECISIONS}bodies/"
    return sorted({key.removeprefix(prefix).partition("/")[0] for key in store.keys(prefix)})


def find_decision(store: Store, identifier: str) -> DecisionEntry:
    """Find the entry whose identifier begins with these letters. Raises: UsageError: there is none, or several."""
    if len(identifier) < _MIN_LETTERS:
        raise UsageError(
            f"'{identifier}' is too short: give at least {_MIN_LETTERS} letters of the decision's identifier"
        )
    entries = [_read_entry(store, key) for key in store.keys(layout.DECISIONS)]
    found = [entry for entry in entries if entry.id.startswith(identifier.lower())]
    if len(found) != 1:
        raise UsageError(
            f"'{identifier}' is the beginning of {len(found)} decisions: piperoll decide list shows their identifiers"
        )
    return found[0]


def read_decisions(store: Store, body: str, dataset: str) -> tuple[PrivacyDecision, ...]:
    """The decisions about values and service areas that are in force for the files of a body and dataset."""
    entries = [*list_decisions(store, None), *list_decisions(store, body)]
    return tuple(one for one in decisions_in_force(entries) if one.applies_to(body, dataset))


def read_reviews(store: Store, kind: DecisionKind) -> tuple[DecisionEntry, ...]:
    """The replies, or the decisions about suppliers or pairs, of all bodies and for all, that are in force."""
    return reviews_in_force((_read_entry(store, key) for key in store.keys(layout.DECISIONS)), kind)


def mark_used(store: Store, decisions: Iterable[str], series: Series, manifest_sha256: str) -> None:
    """Record, before a version is published, which decisions had an effect on its rows."""
    for identifier in sorted(decisions):
        store.create(layout.decision_use(identifier, series, manifest_sha256), b"")


def list_uses(store: Store, body: str, dataset: str) -> Mapping[str, Collection[tuple[Series, str]]]:
    """The versions that each decision had an effect on: their series and the sha256 of their manifest."""
    uses: dict[str, set[tuple[Series, str]]] = {}
    for key in store.keys(layout.decision_uses(body, dataset)):
        identifier, series, manifest_sha256 = layout.parse_decision_use(key)
        uses.setdefault(identifier, set()).add((series, manifest_sha256))
    return uses


def list_applied(store: Store, body: str | None = None, dataset: str = "") -> frozenset[str]:
    """The entries that have been applied to every file of a body and dataset; `body` None: of every body."""
    return frozenset(read_json(store, layout.decisions_applied(body, dataset)).get("applied", ()))


def mark_applied(store: Store, identifiers: Iterable[str], body: str | None = None, dataset: str = "") -> None:
    """Record that entries have been applied to every file of a body and dataset; `body` None: of every body."""

    def add(document: JsonObject) -> JsonObject:
        return {"applied": sorted({*document.get("applied", ()), *identifiers})}

    update_json(store, layout.decisions_applied(body, dataset), add)


def _read_entry(store: Store, key: str) -> DecisionEntry:
    return _cached_entry(latest(store), key)  # type: ignore[arg-type]  # stores are hashed by identity


@lru_cache(4096)
def _cached_entry(store: Store, key: str) -> DecisionEntry:
    """An entry is never changed, and the decisions of a body are needed for each of its files."""
    return from_document(DecisionEntry, json.loads(store.read(key).content))
