"""What the catalogue was made of when it was last made: private documents, and pages of which only others are written.

Below `collected/catalogue/`: `state.json` says which making was the last, `at-work/` who is making it now or was killed
while doing so, and with what. Whoever ends finds out by the tag of `state.json` whether someone else ended meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from publishers.stores.protocol import Store

_MOST_MAKINGS = 50
"""A making that began so many makings ago does everything anew."""

Document = dict[str, Any]
Hashes = dict[str, str]
"""What pages held when they were written: keys with the beginning of the sha256."""


@dataclass(frozen=True, slots=True)
class Before:
    """How the last making left things: its number, by what it was made, on which day, what its own pages held.

    `makings` are the numbers of the last makings with the bodies that each touched (None: all). `tag` is of the
    document; None: nothing was ever made.
    """

    number: int
    made_by: str
    on: str
    pages: Hashes
    makings: tuple[tuple[int, tuple[str, ...] | None], ...]
    tag: str | None

    def since(self, number: int) -> set[str] | None:
        """The bodies that makings after that of this number touched; None: any may be among them."""
        later = [bodies for one, bodies in self.makings if one > number]
        if len(later) < self.number - number or None in later:
            return None
        return {body for bodies in later for body in bodies or ()}


@dataclass(frozen=True, slots=True)
class InHand:
    """What a making is about to write: of which bodies (None: all), and which groups of what bodies bring."""

    bodies: frozenset[str] | None
    groups: frozenset[str] = frozenset()


class Ledger:
    """The private documents and the pages of one making; `touched` counts pages written and removed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._name = f"{layout.BUILDS_RUNNING}{uuid.uuid4().hex[:16]}.json"
        self._written: set[str] = set()
        self.touched = 0

    def before(self) -> Before:
        """How the last making left things."""
        try:
            stored = self._store.read(layout.BUILD_STATE)
        except NotThere:
            return Before(0, "", "", {}, (), None)
        kept = _parsed(layout.BUILD_STATE, stored.content)
        makings = tuple((number, None if bodies is None else tuple(bodies)) for number, bodies in kept["makings"])
        return Before(kept["number"], kept["made_by"], kept["on"], kept["pages"], makings, stored.tag)

    def at_work(self) -> dict[str, InHand]:
        """Who did not end, by key, each with what was in hand."""
        found: dict[str, InHand] = {}
        for key in self._store.keys(layout.BUILDS_RUNNING):
            document = self._read(key)
            if document is not None:
                bodies = document["bodies"]
                found[key] = InHand(None if bodies is None else frozenset(bodies), frozenset(document["groups"]))
        return found

    def begin(self, hand: InHand) -> None:
        """Say what is in hand, before anything of it is written."""
        bodies = None if hand.bodies is None else sorted(hand.bodies)
        self._store.put(self._name, _compact({"bodies": bodies, "groups": sorted(hand.groups)}))

    def end(self, before: Before, hand: InHand, made_by: str, on: str, pages: Hashes) -> None:
        """Say that everything is made. Raises: PointerMoved: someone else has ended since `before` was read."""
        number = before.number + 1
        bodies = None if hand.bodies is None else tuple(sorted(hand.bodies))
        makings = [*before.makings, (number, bodies)][-_MOST_MAKINGS:]
        kept = {"number": number, "made_by": made_by, "on": on, "pages": pages, "makings": makings}
        self._store.replace(layout.BUILD_STATE, _compact(kept), before.tag)

    def clear(self, others: Iterable[str]) -> None:
        """Take away what says that we are at work, and others whose work we have done."""
        for key in (self._name, *others):
            self._store.delete(key)

    def read(self, name: str) -> Document | None:
        """A private document; None: there is none of this name."""
        return self._read(f"{layout.BUILD}{name}.json")

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep a private document."""
        self._written.add(name)
        self._store.put(f"{layout.BUILD}{name}.json", _compact(document))

    def drop(self, name: str) -> None:
        """Keep a private document no longer."""
        self._store.delete(f"{layout.BUILD}{name}.json")

    def drop_unwritten(self, folders: Iterable[str]) -> None:
        """Of the private documents in these folders keep only those that were written by us."""
        for folder in folders:
            for key in self._store.keys(f"{layout.BUILD}{folder}/"):
                if key.removeprefix(layout.BUILD).removesuffix(".json") not in self._written:
                    self._store.delete(key)

    def publish(self, files: Iterable[tuple[str, bytes]], known: Mapping[str, str]) -> Hashes:
        """Write the pages that hold something else than is `known`; what all of them hold."""
        hashes: Hashes = {}
        for key, content in files:
            hashes[key] = hashlib.sha256(content).hexdigest()[:20]
            if known.get(key) != hashes[key]:
                self._store.put(key, content)
                self.touched += 1
        return hashes

    def remove(self, keys: Iterable[str]) -> None:
        """Remove pages."""
        for key in sorted(keys):
            self._store.delete(key)
            self.touched += 1

    def _read(self, key: str) -> Document | None:
        try:
            content = self._store.read(key).content
        except NotThere:
            return None
        return _parsed(key, content)


def hash_of(document: Any) -> str:
    """The beginning of the sha256 of a document."""
    return hashlib.sha256(_compact(document)).hexdigest()[:20]


def _compact(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(key: str, content: bytes) -> Document:
    try:
        document: Document = json.loads(content)
    except ValueError as error:
        raise StoreCorrupt(f"{key} is no JSON: remove it, and the catalogue is made anew: {error}") from error
    return document
