"""Screen one column for personal data: each different cell is judged once."""

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

from piperoll.checking.privacy.lists import NamedPost, normalise_name, privacy_lists
from piperoll.checking.privacy.personal_data import personal_rules, sieve_personal_data, sieve_phrases
from piperoll.checking.privacy.private_people import is_clearly_organisation, person_rule
from piperoll.model.columns import Cells, Flags, pc

_SUPPLIERS_REMEMBERED = 1 << 17
"""How many suppliers' verdicts are cached, some 40 MB: a national month has fewer suppliers."""

_CELLS_SAMPLED = 512
"""How many cells show whether a column has a few values or as many as lines."""

_NOT_FOR_SUPPLIERS = frozenset(("titled-name", "phone"))
"""On a card statement a merchant's telephone number is part of its name; `person_rule` looks for titles."""


@dataclass(frozen=True, slots=True)
class SupplierVerdict:
    """What a supplier's cell holds: a redaction, or the rules by which it holds its row.

    `may_be_person` is True if it names someone who is not clearly an organisation.
    """

    redaction: str | None
    rules: frozenset[str]
    may_be_person: bool


@dataclass(frozen=True)
class JudgedSuppliers:
    """A column of suppliers: `codes` has the index of each line's cell among the `different` cells of the column.

    `verdicts` has the index and the verdict of the cells that have one.
    """

    different: int
    codes: npt.NDArray[np.int32]
    verdicts: tuple[tuple[int, SupplierVerdict], ...]

    def lines_where(self, wanted: Callable[[SupplierVerdict], bool]) -> Flags:
        """The lines whose verdict is wanted."""
        flags = _flags([index for index, verdict in self.verdicts if wanted(verdict)], self.different)
        return flags[self.codes]

    def redactions(self, code_of: Callable[[str | None], int]) -> npt.NDArray[np.int32]:
        """The code of each line's kind of redaction; 0 for none."""
        codes = np.zeros(self.different, np.int32)
        for index, verdict in self.verdicts:
            codes[index] = code_of(verdict.redaction)
        return codes[self.codes]


def judge_suppliers(cells: Cells) -> JudgedSuppliers:
    """Judge a column of suppliers."""
    values, codes = _different_cells(cells)
    verdicts = [(index, verdict) for index, verdict in enumerate(map(_judge_supplier, values)) if verdict is not None]
    return JudgedSuppliers(len(values), codes, tuple(verdicts))


def find_personal_data(cells: Cells) -> dict[str, Flags]:
    """The cells of a column of texts or service areas that each rule finds, in the order of the rules' names."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        found_in = [personal_rules(value or "") for value in values]
        rules = sorted(frozenset[str]().union(*found_in))
        return {rule: np.array([rule in found for found in found_in], np.bool_)[codes] for rule in rules}
    indices: dict[str, list[int]] = {}
    for index, text in _texts_at(cells, sieve_personal_data(cells)):
        for rule in personal_rules(text):
            indices.setdefault(rule, []).append(index)
    return {rule: _flags(found, len(cells)) for rule, found in sorted(indices.items())}


def find_trigger_areas(cells: Cells) -> Flags:
    """Which cells name a service area whose payees are often private people."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        return np.array([_is_trigger(value or "") for value in values], np.bool_)[codes]
    sieved = _texts_at(cells, sieve_phrases(cells, privacy_lists().trigger_phrases))
    return _flags([index for index, text in sieved if _is_trigger(text)], len(cells))


def find_names_not_due(batch: pa.RecordBatch, name: str, posts: Sequence[NamedPost]) -> Flags:
    """Which lines name the holder of a post that none of `posts` publishes with a name."""
    values, codes = _different_cells(batch[name])
    not_due = np.array([is_named_holder(value) for value in values], np.bool_)[codes]
    for post in posts:
        if post.by in batch.schema.names:
            values, codes = _different_cells(batch[post.by])
            not_due &= ~np.array([is_name_due(post, value) for value in values], np.bool_)[codes]
    return not_due


def redaction_kind(name: str | None) -> str | None:
    """The kind of redaction in a supplier's cell, None if it names a supplier (docs/standards.md#spend).

    "Redactive Publishing Ltd" is a firm, and so is every other name with a legal form.
    """
    if name is None or privacy_lists().strong.intersection(normalise_name(name).split()):
        return None
    return next((kind for pattern, kind in privacy_lists().redactions if pattern.search(name)), None)


def is_named_holder(holder: str | None) -> bool:
    """Whether a cell names the holder of a post, and does not say that it is vacant."""
    if holder is None or not re.search(r"[^\W\d_]", holder):
        return False
    return holder.strip().upper() not in privacy_lists().vacancies


def is_name_due(post: NamedPost, cell: str | None) -> bool:
    """Whether a post with this cell is published with its holder's name."""
    if cell is None:
        return False
    if post.rule == "pattern":
        return bool(re.search(post.value, cell, re.IGNORECASE))
    return Decimal(cell) >= Decimal(post.value)


@lru_cache(_SUPPLIERS_REMEMBERED)
def _judge_supplier(name: str | None) -> SupplierVerdict | None:
    """The verdict on a supplier's cell; None if it neither holds a row nor leaves out a name."""
    kind = redaction_kind(name)
    if not name or kind:
        return SupplierVerdict(kind, frozenset(), may_be_person=False) if kind else None
    rules = personal_rules(name) - _NOT_FOR_SUPPLIERS
    if rule := person_rule(name):
        rules |= {rule}
    may_be_person = not is_clearly_organisation(name)
    return SupplierVerdict(None, rules, may_be_person) if rules or may_be_person else None


@lru_cache(1 << 16)
def _is_trigger(text: str) -> bool:
    return bool(privacy_lists().triggers.search(text))


def _texts_at(cells: Cells, flags: Flags) -> Iterator[tuple[int, str]]:
    """The flagged cells with their indices."""
    indices = np.flatnonzero(flags)
    return zip(indices.tolist(), cells.take(indices).to_pylist(), strict=True)


def _has_few_values(cells: Cells) -> bool:
    """Whether the first cells repeat themselves: judging each different cell is then cheaper than sieving all."""
    first = cells.slice(0, _CELLS_SAMPLED)
    return bool(pc.count_distinct(first).as_py() * 4 < len(first))


def _flags(indices: Sequence[int], length: int) -> Flags:
    flags = np.zeros(length, np.bool_)
    flags[indices] = True
    return flags


def _different_cells(cells: Cells) -> tuple[list[str | None], npt.NDArray[np.int32]]:
    """The different cells of a column, null among them, and the index of each line's cell among them."""
    encoded: Any = pc.dictionary_encode(cells, null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
