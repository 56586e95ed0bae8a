"""Findings of many places, of which only those that a report names are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from piperoll.model import Cap, Finding

MADE = Cap().limit + 1
"""So many of one kind are made: those that are named, and the one that stands for the rest."""


class Capped:
    """Findings as they are met; what is met beyond the cap costs no more than being counted.

    Gives what `Cap` gives of them all. A kind tells findings of different code, sheet or field apart; each counts for
    one place.
    """

    def __init__(self) -> None:
        self._met: dict[Hashable, int] = {}
        self._last: dict[Hashable, int] = {}
        self._made: list[Finding] = []

    def add(self, kind: Hashable, make: Callable[[], Finding]) -> None:
        """One more of a kind, in its turn."""
        met = self._met[kind] = self._met.get(kind, 0) + 1
        if met <= MADE:
            self._last[kind] = len(self._made)
            self._made.append(make())

    def counted(self, kind: Hashable, count: int) -> None:
        """There are so many of a kind, of which all that are made have been added."""
        self._met[kind] = count

    def findings(self) -> tuple[Finding, ...]:
        """Those that are named, and one for the rest of each kind."""
        said = list(self._made)
        for kind, met in self._met.items():
            if met > MADE:
                said[self._last[kind]] = replace(said[self._last[kind]], count=met - MADE + 1)
        return Cap().apply(said)
