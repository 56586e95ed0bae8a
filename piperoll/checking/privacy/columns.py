"""What privacy says of the cells of one column: each different cell is judged once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.privacy.detectors import personal_rules
from piperoll.checking.privacy.lists import NamedPost, lists, spelling
from piperoll.checking.privacy.names import evidently_organisation, person_rule
from piperoll.checking.privacy.sieve import may_be_personal, may_hold_any
from piperoll.model.columns import Cells, Flags

_REMEMBERED = 1 << 17
"""So many suppliers' verdicts are kept, some 40 MB: a national month has fewer."""

_FIRST = 512
"""So many cells show whether a column has a few values or as many as lines."""

_NO_RULES_OF_SUPPLIERS = frozenset(("titled-name", "phone"))
"""A merchant's telephone number is its name on a card; titles are looked for in the way of names."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """What a supplier's cell says: a redaction, or the rules by which it holds its row.

    It is `doubted` if it is there, names somebody, and that is not evidently an organisation.
    """

    redaction: str | None
    rules: frozenset[str]
    doubted: bool


@dataclass(frozen=True)
class Judged:
    """A column of suppliers: which of its `different` cells each line has, and what there is to say of any of them."""

    different: int
    codes: npt.NDArray[np.int32]
    said: tuple[tuple[int, Supplier], ...]

    def where(self, wanted: Callable[[Supplier], bool]) -> Flags:
        """The lines of whose supplier it is said."""
        return _flags([at for at, one in self.said if wanted(one)], self.different)[self.codes]

    def kinds(self, kind: Callable[[str | None], int]) -> npt.NDArray[np.int32]:
        """The kind of redaction of each line, as a number; nought for none."""
        numbered = np.zeros(self.different, np.int32)
        for at, one in self.said:
            numbered[at] = kind(one.redaction)
        return numbered[self.codes]


def suppliers_judged(cells: Cells) -> Judged:
    """The verdicts on a column of suppliers."""
    values, codes = _different(cells)
    verdicts = [(at, one) for at, one in enumerate(map(_supplier, values)) if one is not None]
    return Judged(len(values), codes, tuple(verdicts))


def hits(cells: Cells) -> dict[str, Flags]:
    """Where each rule is met in a column of texts or areas, in the order of the rules' names."""
    if _repeats(cells):
        values, codes = _different(cells)
        said = [personal_rules(value or "") for value in values]
        rules = sorted(frozenset[str]().union(*said))
        return {rule: np.array([rule in each for each in said], np.bool_)[codes] for rule in rules}
    found: dict[str, list[int]] = {}
    for at, text in _suspects(cells, may_be_personal(cells)):
        for rule in personal_rules(text):
            found.setdefault(rule, []).append(at)
    return {rule: _flags(at, len(cells)) for rule, at in sorted(found.items())}


def triggered(cells: Cells) -> Flags:
    """Which cells are, or speak of, a service area whose payees are often private people."""
    if _repeats(cells):
        values, codes = _different(cells)
        return np.array([_is_trigger(value or "") for value in values], np.bool_)[codes]
    suspects = _suspects(cells, may_hold_any(cells, lists().trigger_phrases))
    return _flags([at for at, text in suspects if _is_trigger(text)], len(cells))


def holders_judged(batch: pa.RecordBatch, name: str, posts: Sequence[NamedPost]) -> Flags:
    """Which lines name the holder of a post though by none of `posts` the name is due."""
    values, codes = _different(batch[name])
    undue = np.array([_is_named(value) for value in values], np.bool_)[codes]
    for post in posts:
        if post.by in batch.schema.names:
            values, codes = _different(batch[post.by])
            undue &= ~np.array([_due(post, value) for value in values], np.bool_)[codes]
    return undue


def redaction(name: str | None) -> str | None:
    """The kind of redaction that stands in a supplier's cell (STANDARDS §2.2), None where a supplier is named.

    "Redactive Publishing Ltd" is a firm, and so is whatever bears a legal form.
    """
    if name is None or lists().strong.intersection(spelling(name).split()):
        return None
    return next((kind for pattern, kind in lists().redactions if pattern.search(name)), None)


@lru_cache(_REMEMBERED)
def _supplier(name: str | None) -> Supplier | None:
    """What a supplier's cell says; None if it is nothing that would hold a row or leave out a name."""
    kind = redaction(name)
    if not name or kind:
        return Supplier(kind, frozenset(), doubted=False) if kind else None
    rules = personal_rules(name) - _NO_RULES_OF_SUPPLIERS
    rule = person_rule(name)
    doubted = not evidently_organisation(name)
    return Supplier(None, rules | {rule} if rule else rules, doubted) if rules or rule or doubted else None


@lru_cache(1 << 16)
def _is_trigger(text: str) -> bool:
    return bool(lists().triggers.search(text))


def _is_named(holder: str | None) -> bool:
    return (
        holder is not None and bool(re.search(r"[^\W\d_]", holder)) and holder.strip().upper() not in lists().vacancies
    )


def _due(post: NamedPost, cell: str | None) -> bool:
    """Whether the name is due by this rule."""
    if cell is None:
        return False
    if post.rule == "pattern":
        return bool(re.search(post.value, cell, re.IGNORECASE))
    return Decimal(cell) >= Decimal(post.value)


def _suspects(cells: Cells, flags: Flags) -> Iterator[tuple[int, str]]:
    """The cells that `flags` names, with their places."""
    at = np.flatnonzero(flags)
    texts: list[Any] = cells.take(at).to_pylist()
    return zip(at.tolist(), texts, strict=True)


def _repeats(cells: Cells) -> bool:
    """Whether the column says the same again and again, as far as its first cells tell."""
    first = cells.slice(0, _FIRST)
    return pc.count_distinct(first).as_py() * 4 < len(first)


def _flags(at: Sequence[int], length: int) -> Flags:
    flags = np.zeros(length, np.bool_)
    flags[at] = True
    return flags


def _different(cells: Cells) -> tuple[list[str | None], npt.NDArray[np.int32]]:
    """The different cells of a column, a gap among them, and which of them each line has."""
    encoded: Any = pc.dictionary_encode(cells, null_encoding="encode")
    values: list[str | None] = encoded.dictionary.to_pylist()
    return values, encoded.indices.to_numpy()
