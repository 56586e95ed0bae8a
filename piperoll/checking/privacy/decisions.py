"""What people decided about values that the privacy rules hold, looked up by value; and the values that are held."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from piperoll.model import HeldValue, PrivacyDecision
from piperoll.model.columns import Cells, Flags, Integers, is_filled, pc, to_flags
from piperoll.people.names import fold_name, fold_text

_WORD = re.compile(r"[^\W_]+")
_NO_DECISION = -1


def fold_value(text: str, *, is_name: bool = False) -> str:
    """Spell a value as decisions compare it: words in capitals without accents, with single spaces.

    The name of a person or firm is compared without titles and numbers around it.
    """
    return " ".join(_WORD.findall(fold_name(text) if is_name else fold_text(text)))


class Decided:
    """The decisions that are in force for the files of one body and dataset.

    Where several are about the same value, the body's own comes before one for all bodies, and then the latest.
    """

    def __init__(self, decisions: Iterable[PrivacyDecision] = ()) -> None:
        self.decisions = tuple(sorted(decisions, key=lambda one: (one.body is not None, one.decided, one.id)))
        numbered = list(enumerate(self.decisions))
        self._names = {fold_value(one.value, is_name=True): number for number, one in numbered if not one.area}
        self._texts = {fold_value(one.value): number for number, one in numbered if not one.area}
        self._areas = {fold_value(one.value): number for number, one in numbered if one.area}
        self._publishes = np.array([*(one.decided_as.publishes for one in self.decisions), False], np.bool_)
        persons = {name: number for name, number in self._names.items() if name and not self._publishes[number]}
        self._persons = [(re.compile(rf"\b{re.escape(name)}\b"), number) for name, number in persons.items()]
        self._sieve = "|".join({re.escape(max(name.split(), key=len)) for name in persons})

    def __bool__(self) -> bool:
        return bool(self.decisions)

    def match_names(self, cells: Cells) -> Integers:
        """For each name the number of the decision about it in `decisions`, -1 for none."""
        return _match(cells, self._names, is_name=True)

    def match_texts(self, cells: Cells) -> Integers:
        """For each text the number of the decision about exactly this text, -1 for none."""
        return _match(cells, self._texts)

    def match_areas(self, cells: Cells) -> Integers:
        """For each cell the number of the decision about this service area, -1 for none."""
        return _match(cells, self._areas)

    def publishes(self, numbers: Integers) -> Flags:
        """Which of the numbers are those of decisions that publish a value."""
        published: Flags = self._publishes[numbers]
        return published

    def is_person(self, numbers: Integers) -> Flags:
        """Which of the numbers are those of decisions that a value is a private person's."""
        persons: Flags = (numbers != _NO_DECISION) & ~self._publishes[numbers]
        return persons

    def find_persons(self, cells: Cells) -> Integers:
        """For each text the number of the decision about a private person whom it names, -1 for none."""
        numbers = np.full(len(cells), _NO_DECISION, np.int64)
        if not self._persons:
            return numbers
        # the longest word of each name, without accents: a text that has any is read whole
        may_name = to_flags(pc.match_substring_regex(cells, f"(?i){self._sieve}"))
        may_name |= is_filled(cells) & ~to_flags(pc.string_is_ascii(cells))
        for index in np.flatnonzero(may_name).tolist():
            text = fold_value(cells[index].as_py())
            numbers[index] = next((number for name, number in self._persons if name.search(text)), _NO_DECISION)
        return numbers


def _match(cells: Cells, numbers: Mapping[str, int], *, is_name: bool = False) -> Integers:
    if not numbers:
        return np.full(len(cells), _NO_DECISION, np.int64)
    encoded: Any = pc.dictionary_encode(cells, null_encoding="encode")
    found = [
        numbers.get(fold_value(value or "", is_name=is_name), _NO_DECISION) for value in encoded.dictionary.to_pylist()
    ]
    numbered: Integers = np.array(found, np.int64)
    by_line: Integers = numbered[encoded.indices.to_numpy()]
    return by_line


@dataclass
class _HeldLines:
    """The lines of one held value: its first spelling, the codes that hold it, its rows, and the amount of each line.

    A line may be held by several rules; it is counted once.
    """

    value: str
    codes: set[str] = field(default_factory=set)
    rows: set[int] = field(default_factory=set)
    amounts: dict[int, str | None] = field(default_factory=dict)


class HeldValues:
    """Collects the cells that hold rows, by field and value."""

    def __init__(self, names: Collection[str]) -> None:
        """`names` are the fields with the names of people and firms."""
        self._names = names
        self._lines: dict[tuple[str, str], _HeldLines] = {}

    def add(self, name: str, code: str, cells: Cells, rows: Integers, lines: Integers, amounts: Cells | None) -> None:
        """Add cells of the field `name` that a finding `code` holds, each with its row, line and amount."""
        values = zip(
            cells.to_pylist(),
            rows.tolist(),
            lines.tolist(),
            amounts.to_pylist() if amounts is not None else [None] * len(cells),
            strict=True,
        )
        folded: dict[str | None, str] = {}
        for value, row, line, amount in values:
            if value not in folded:
                folded[value] = fold_value(value or "", is_name=name in self._names)
            held = self._lines.setdefault((name, folded[value]), _HeldLines(value or ""))
            held.codes.add(code)
            held.rows.add(row)
            held.amounts[line] = amount

    def grouped(self, sheet: str | None) -> tuple[HeldValue, ...]:
        """The values that are held in a sheet, those with the most rows first."""
        values = (
            HeldValue(
                value=held.value,
                field=name,
                sheet=sheet,
                rules=tuple(sorted(held.codes)),
                rows=tuple(sorted(held.rows)),
                count=len(held.rows),
                amount=_add_up(held.amounts.values()),
            )
            for (name, _), held in self._lines.items()
        )
        return tuple(sorted(values, key=lambda one: (-one.count, one.field, one.value)))


def _add_up(amounts: Iterable[str | None]) -> Decimal | None:
    """The sum of the amounts that could be read; None if there are none."""
    readable = [Decimal(amount) for amount in amounts if amount is not None]
    return sum(readable, Decimal(0)) if readable else None
