"""Screen one column for personal data: each different cell is judged once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.privacy.free_text import (
    BARE_PATTERN,
    CUE_PATTERN,
    NAME_PATTERNS,
    is_bare_name,
    is_thing,
    says_context,
    text_rules,
)
from piperoll.checking.privacy.held_names import HeldNames
from piperoll.checking.privacy.personal_data import (
    CODE_RULES,
    personal_rules,
    sieve_codes,
    sieve_pattern,
    sieve_personal_data,
    sieve_phrases,
)
from piperoll.model.columns import Cells, Flags, is_filled, pc, to_flags
from piperoll.people.lists import NamedPost, privacy_lists, split_words
from piperoll.people.name_model import score_word
from piperoll.people.private_people import is_clearly_organisation, person_rule, redaction_kind

_SUPPLIERS_REMEMBERED = 1 << 17
"""How many suppliers' verdicts are cached, some 40 MB: a national month has fewer suppliers."""

_CELLS_SAMPLED = 512
"""How many cells show whether a column has a few values or as many as lines."""

_NOT_FOR_SUPPLIERS = frozenset(("titled-name", "phone"))
"""On a card statement a merchant's telephone number is part of its name; `person_rule` looks for titles."""


@dataclass(frozen=True, slots=True)
class SupplierVerdict:
    """What a supplier's cell holds: a redaction, or the rules by which it holds its row.

    `may_be_person` is True if it names someone who is not clearly an organisation, `has_name_word` if one of its two to
    four words is a known given or family name.
    """

    redaction: str | None
    rules: frozenset[str]
    may_be_person: bool
    has_name_word: bool = False


@dataclass(frozen=True)
class JudgedSuppliers:
    """A column of suppliers: `codes` has the index of each line's cell among the different `values` of the column.

    `verdicts` has the index and the verdict of the cells that have one.
    """

    values: Sequence[str | None]
    codes: npt.NDArray[np.int32]
    verdicts: tuple[tuple[int, SupplierVerdict], ...]

    def lines_where(self, wanted: Callable[[SupplierVerdict], bool]) -> Flags:
        """The lines whose verdict is wanted."""
        flags = _flags([index for index, verdict in self.verdicts if wanted(verdict)], len(self.values))
        return flags[self.codes]

    def lines_of(self, indices: Iterable[int]) -> Flags:
        """The lines with these of the values."""
        return _flags(list(indices), len(self.values))[self.codes]

    def redactions(self, code_of: Callable[[str | None], int]) -> npt.NDArray[np.int32]:
        """The code of each line's kind of redaction; 0 for none."""
        codes = np.zeros(len(self.values), np.int32)
        for index, verdict in self.verdicts:
            codes[index] = code_of(verdict.redaction)
        return codes[self.codes]

    def organisations(self) -> Flags:
        """The lines whose supplier is clearly an organisation."""
        flags = np.array([bool(value) for value in self.values], np.bool_)
        flags[[index for index, _ in self.verdicts]] = False
        return flags[self.codes]

    def contexts(self) -> Flags:
        """The lines whose supplier's name says that the payment may be about one person: an agency for staff."""
        return np.array([bool(value) and says_context(value or "") for value in self.values], np.bool_)[self.codes]


def judge_suppliers(cells: Cells) -> JudgedSuppliers:
    """Judge a column of suppliers."""
    values, codes = _different_cells(cells)
    verdicts = [(index, verdict) for index, verdict in enumerate(map(_judge_supplier, values)) if verdict is not None]
    return JudgedSuppliers(values, codes, tuple(verdicts))


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


def find_in_codes(cells: Cells) -> dict[str, Flags]:
    """The cells of a column of codes or labels that each rule finds: only what is certain, or is a name and no more."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        found_in = [_code_rules(value or "") for value in values]
        rules = sorted(frozenset[str]().union(*found_in))
        return {rule: np.array([rule in found for found in found_in], np.bool_)[codes] for rule in rules}
    indices: dict[str, list[int]] = {}
    for index, text in _texts_at(cells, sieve_codes(cells)):
        for rule in _code_rules(text):
            indices.setdefault(rule, []).append(index)
    return {rule: _flags(found, len(cells)) for rule, found in sorted(indices.items())}


def find_ni_numbers(batches: Iterable[pa.RecordBatch], name: str, cells: Iterable[str]) -> frozenset[str]:
    """Return the `cells` that are National Insurance numbers and not references of a numbered series.

    All `cells` have the form of such a number. They belong to a series if other cells of the column begin with the
    same two letters and have another form. One whose six digits are a month and a year ("SE092015A") is a reference
    by itself.
    """
    starts = {cell: cell.lstrip()[:2].upper() for cell in cells if not _MONTH_AND_YEAR.match(cell)}
    if not starts:
        return frozenset()
    in_series: set[str] = set()
    pattern = rf"^\s*(?i:{'|'.join(sorted(set(starts.values())))})[ /-]?[0-9]"
    for batch in batches:
        column: Cells = batch[name]
        for cell in column.filter(pc.match_substring_regex(column, pattern)).unique().to_pylist():
            if "ni-number" not in personal_rules(cell):
                in_series.add(cell.lstrip()[:2].upper())
    return frozenset(cell for cell, start in starts.items() if start not in in_series)


_MONTH_AND_YEAR = re.compile(r"\s*[A-Za-z]{2}(?:0[1-9]|1[0-2])20[0-4]\d[A-Za-z]\s*$")


def find_people_in_texts(cells: Cells, in_context: Flags) -> dict[str, Flags]:
    """The cells of a column of texts that are about a person by each rule of `free_text`.

    `in_context` are the lines whose service area or supplier says that the payment may be about one person.
    """
    indices: dict[str, list[int]] = {}
    may_be = sieve_pattern(cells, CUE_PATTERN) | sieve_pattern(cells, BARE_PATTERN)
    if in_context.any():
        for pattern in NAME_PATTERNS:
            may_be |= in_context & sieve_pattern(cells, pattern)
    for index, text in _texts_at(cells, may_be):
        for rule in text_rules(text, in_context=bool(in_context[index])):
            indices.setdefault(rule, []).append(index)
    return {rule: _flags(found, len(cells)) for rule, found in sorted(indices.items())}


def find_bare_names(cells: Cells) -> Flags:
    """Which cells of a column of service areas are the full name of a person and nothing else."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        return np.array([is_bare_name(value or "") for value in values], np.bool_)[codes]
    return _flags(
        [i for i, text in _texts_at(cells, sieve_pattern(cells, BARE_PATTERN)) if is_bare_name(text)], len(cells)
    )


def find_contexts(cells: Cells) -> Flags:
    """Which cells of a column of service areas say that the payment may be about one person."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        return np.array([says_context(value or "") for value in values], np.bool_)[codes]
    return np.array([says_context(value or "") for value in cells.to_pylist()], np.bool_)


def find_held_names(cells: Cells, names: HeldNames, *, suppliers: bool) -> Flags:
    """The cells that are one of `names` or contain one; of `suppliers`, a firm that is called like a person is none."""
    if suppliers:
        values, codes = _different_cells(cells)
        return np.array([bool(value) and names.is_supplier(value or "") for value in values], np.bool_)[codes]
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        return np.array([bool(value) and names.in_text(value or "") for value in values], np.bool_)[codes]
    flags = is_filled(cells) & ~to_flags(pc.string_is_ascii(cells))  # the sieves know the names without accents
    for pattern in names.sieves():
        flags |= sieve_pattern(cells, pattern)
    return _flags([index for index, text in _texts_at(cells, flags) if names.in_text(text)], len(cells))


def find_people(cells: Cells) -> dict[str, Flags]:
    """The cells of a column that holds payees' names, whatever its heading, that look like private people."""
    values, codes = _different_cells(cells)
    found = [None if value is None or is_thing(value) else person_rule(value) for value in values]
    rules = sorted({rule for rule in found if rule})
    return {rule: np.array([each == rule for each in found], np.bool_)[codes] for rule in rules}


class PayeeColumns:
    """Finds columns that hold payees' names under another heading, from a sample of their values.

    Columns can be shifted against their headings. One in which many values are firms by their legal form, or most look
    like people, holds payees.
    """

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def add(self, name: str, cells: Cells) -> None:
        """Look at the first cells of one more batch of a column."""
        seen = self._seen.setdefault(name, set())
        if len(seen) < _PAYEES_SAMPLED:
            values = cells.slice(0, _CELLS_SAMPLED).drop_null().unique().to_pylist()
            seen.update(values[: _PAYEES_SAMPLED - len(seen)])

    def names(self) -> list[str]:
        """The columns that hold payees' names."""
        return [name for name, values in self._seen.items() if _are_payees(values)]


def find_trigger_areas(cells: Cells) -> npt.NDArray[np.int8]:
    """For each cell, whether it names a service area whose payees are private people: 2 always, 1 often, 0 not."""
    if _has_few_values(cells):
        values, codes = _different_cells(cells)
        return np.array([_trigger_level(value or "") for value in values], np.int8)[codes]
    levels = np.zeros(len(cells), np.int8)
    for index, text in _texts_at(cells, sieve_phrases(cells, privacy_lists().trigger_phrases)):
        levels[index] = _trigger_level(text)
    return levels


def find_names_not_due(batch: pa.RecordBatch, name: str, posts: Sequence[NamedPost]) -> Flags:
    """Which lines name the holder of a post that none of `posts` publishes with a name."""
    values, codes = _different_cells(batch[name])
    not_due = np.array([is_named_holder(value) for value in values], np.bool_)[codes]
    for post in posts:
        if post.by in batch.schema.names:
            values, codes = _different_cells(batch[post.by])
            not_due &= ~np.array([is_name_due(post, value) for value in values], np.bool_)[codes]
    return not_due


def is_named_holder(holder: str | None) -> bool:
    """Whether a cell names the holder of a post, and does not say that it is vacant."""
    if holder is None or holder.strip().upper() in privacy_lists().vacancies:
        return False
    return bool(re.search(r"[^\W\d_]{2}", privacy_lists().vacant.sub(" ", holder)))


def lowest_pounds(cell: str) -> Decimal | None:
    """The lower end of a salary, given as one amount, a range or a band; None if there is none.

    A salary of less than 1,000 is in thousands: "150-155", "£150k+", "155 x000".
    """
    found = _SALARY.search(cell)
    if found is None:
        return None
    amount = Decimal(found[1].replace(",", "").replace(" ", ""))
    in_thousands = amount and amount < _LOWEST_SALARY
    return amount * 1000 if in_thousands else amount


_SALARY = re.compile(r"(\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
_LOWEST_SALARY = 1000
"""Pounds a year: a smaller number is in thousands."""


def is_name_due(post: NamedPost, cell: str | None) -> bool:
    """Whether a post with this cell is published with its holder's name."""
    if cell is None:
        return False
    if post.rule == "pattern":
        return bool(re.search(post.value, cell, re.IGNORECASE))
    amount = lowest_pounds(cell)
    return amount is not None and amount >= Decimal(post.value)


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
    if not (rules or may_be_person):
        return None
    return SupplierVerdict(None, rules, may_be_person, has_name_word=may_be_person and _has_name_word(name))


def _has_name_word(name: str) -> bool:
    """Whether one of two to four words is a given or family name, and the others could be.

    Beside a given name any word can be a family name; beside a family name alone the model decides. "The" begins the
    name of a house or a firm.
    """
    words, lists = split_words(name), privacy_lists()
    if not 2 <= len(words) <= 4 or not re.fullmatch(r"[^\W\d_]+(?:[ ,.'’-]+[^\W\d_]+)*\.?", name.strip()):
        return False
    if not lists.given_names.isdisjoint(words):
        return True
    if words[0] == "THE" or lists.family_names.isdisjoint(words):
        return False
    return all(
        len(word) == 1 or word in lists.family_names or score_word(word).name >= _LEAST_BESIDE_FAMILY_NAME
        for word in words
    )


_LEAST_BESIDE_FAMILY_NAME = -2.0
"""How little a word may look like a name beside a family name, where no given name is known."""


@lru_cache(1 << 16)
def _trigger_level(text: str) -> int:
    if privacy_lists().household_triggers.search(text):
        return 2
    return int(bool(privacy_lists().triggers.search(text)))


@lru_cache(1 << 16)
def _code_rules(text: str) -> frozenset[str]:
    """The rules by which a code or label is personal data: it is a name and nothing else, or contains the data."""
    rules = personal_rules(text) & CODE_RULES
    return rules | {"full-name"} if is_bare_name(text) else rules


_ONLY_WORDS = re.compile(r"\W*[^\W\d_]+(?:[ ,.&'’-]+[^\W\d_]+){1,5}\W*")
"""Two to six words, and nothing that a code or an address has."""

_PAYEES_SAMPLED = 160
"""How many different values show whether a column holds payees' names."""


def _are_payees(values: Iterable[str]) -> bool:
    words = [(value, set(split_words(value))) for value in values if re.search(r"[^\W\d_]{2}", value)]
    if len(words) < _FEWEST_PAYEES:
        return False
    firms = sum(not _LEGAL_FORMS.isdisjoint(each) for _, each in words)
    if firms * 5 >= len(words):
        return True
    return sum(bool(_ONLY_WORDS.fullmatch(value) and person_rule(value)) for value, _ in words) * 2 >= len(words)


_FEWEST_PAYEES = 3
_LEGAL_FORMS = frozenset(("LTD", "LIMITED", "PLC", "LLP", "CIC", "INC", "GMBH"))


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
