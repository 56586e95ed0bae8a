"""Which rows of a table are held for privacy, and which are published without a name.

A field's `x_privacy` in the descriptor says how its cells are screened: `name` may name a person, `area` is a service
area, `text` is free text (docs/standards.md#privacy-rules). A row is held if a text holds personal data, if a supplier
looks like a private person, or if the service area is one whose payees are often private people and the supplier is
not clearly an organisation. The name is left out, and the row published, if the body has redacted it, or if it is the
holder of a post that the rules do not publish with a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from piperoll.checking.privacy.columns import (
    JudgedSuppliers,
    find_names_not_due,
    find_personal_data,
    find_trigger_areas,
    judge_suppliers,
)
from piperoll.checking.privacy.decisions import Decided, HeldValues
from piperoll.checking.privacy.lists import privacy_lists
from piperoll.checking.row_sets import LatestWord, RowSet, ValueByRow
from piperoll.checking.survey import main_field
from piperoll.findings import CappedFindings
from piperoll.model import Dataset, HeldValue
from piperoll.model.columns import Flags, Integers
from piperoll.reading import ReadTable

SERVICE_AREA = "service-area"
"""The rule for a service area whose payees are often private people."""

DECIDED_PERSON = "decided-person"
"""The rule for a text that names someone of whom it was decided that they are a private person."""


@dataclass(frozen=True, slots=True)
class PersonalCell:
    """A cell that holds its row, and the rule; never what the cell says."""

    row: int
    line: int | None
    field: str
    rule: str


@dataclass(frozen=True)
class PrivacyResult:
    """The result of screening one table.

    `held` has the rows that are held, by field and rule; `first_cells` the first cells of each, in order, as many as a
    report can name. `redacted` has the rows whose name is left out and the kind of redaction; `not_due` those of posts
    that are not published with a name, by field. `held_values` has the values that hold rows. `decided` has the rows
    that each decision, by its identifier, publishes or leaves out the name of.
    """

    first_cells: tuple[PersonalCell, ...]
    held: Mapping[tuple[str, str], RowSet]
    redacted: ValueByRow[str]
    not_due: Mapping[str, RowSet]
    held_values: tuple[HeldValue, ...] = ()
    decided: Mapping[str, RowSet] = field(default_factory=dict)


@dataclass
class _HeldRows:
    """The rows that one rule holds for one field, and the first cells, each with its position in the order of all."""

    rows: RowSet = field(default_factory=RowSet)
    first: list[tuple[int, int, str, PersonalCell]] = field(default_factory=list)


class PrivacyScreen:
    """Screens a table batch by batch. What people `decided` about a value comes before every rule."""

    def __init__(self, table: ReadTable, dataset: Dataset, decided: Decided = Decided()) -> None:  # noqa: B008 - never changed
        by_kind: dict[str, list[str]] = {"name": [], "area": [], "text": [], "dependent": []}
        for described in dataset.fields:
            if described.privacy and described.name in table.columns:
                by_kind[described.privacy].append(described.name)
        posts = [post for post in privacy_lists().named_posts if post.dataset == dataset.name]
        rules_of = {name: [post for post in posts if post.field == name] for name in by_kind["name"]}
        self._posts = {name: rules for name, rules in rules_of.items() if rules}
        self._suppliers = [name for name in by_kind["name"] if name not in self._posts]
        self._areas, self._texts = by_kind["area"], by_kind["text"]
        self._held: dict[tuple[str, str], _HeldRows] = {}
        self._redacted = LatestWord()
        self._not_due: dict[str, RowSet] = {}
        self._lines = 0
        self._sheet, self._amount = table.sheet, main_field(dataset.amount, table)
        self._held_values, self._decided = HeldValues(by_kind["name"]), decided
        self._decided_rows: dict[str, RowSet] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Screen one more batch."""
        rows = batch["row"].to_numpy()
        suppliers = {name: judge_suppliers(batch[name]) for name in self._suppliers}
        redactions = np.zeros(len(rows), np.int32)
        for judged in suppliers.values():
            redactions = np.where(redactions, redactions, judged.redactions(self._redacted.code))
        for name, posts in self._posts.items():
            not_due = self._settle_posts(batch, rows, name, find_names_not_due(batch, name, posts))
            if not_due.any():
                self._not_due.setdefault(name, RowSet()).add(rows[not_due])
                redactions[not_due] = self._redacted.code("personal")
        self._redacted.set(rows, redactions)
        if self._decided:
            self._leave_out_persons(batch, rows, redactions == 0)
        self._hold_rows(batch, rows, suppliers)
        self._lines += len(rows)

    def result(self) -> PrivacyResult:
        """Finish the screening."""
        first = sorted(entry for held in self._held.values() for entry in held.first)
        rows = {field_and_rule: held.rows for field_and_rule, held in self._held.items()}
        return PrivacyResult(
            tuple(cell for *_, cell in first),
            rows,
            self._redacted.by_row(),
            self._not_due,
            self._held_values.grouped(self._sheet),
            self._decided_rows,
        )

    def _settle_posts(self, batch: pa.RecordBatch, rows: Integers, name: str, not_due: Flags) -> Flags:
        """Which posts are published without a name: those that the rules find, unless it was decided otherwise."""
        if not self._decided:
            return not_due
        decisions = self._decided.match_names(batch[name])
        changed = np.where(not_due, self._decided.publishes(decisions), self._decided.is_person(decisions))
        self._note(rows[changed], decisions[changed])
        return not_due ^ changed

    def _leave_out_persons(self, batch: pa.RecordBatch, rows: Integers, named: Flags) -> None:
        """Leave out the name of each supplier of whom it was decided that they are a private person."""
        for name in self._suppliers:
            decisions = self._decided.match_names(batch[name])
            persons = named & self._decided.is_person(decisions)
            self._leave_out_names(rows[persons])
            self._note(rows[persons], decisions[persons])

    def _settle_held(self, batch: pa.RecordBatch, rows: Integers, held: Integers, name: str, rule: str) -> Integers:
        """The lines, of those that a rule holds, about which nothing was decided that publishes them.

        A supplier who is a private person holds no row: it is published without the name. So is a row of a service area
        of which that was decided.
        """
        columns = [name, *(self._suppliers if rule == SERVICE_AREA else ())]
        decisions = np.full(len(held), -1, np.int64)
        if rule == SERVICE_AREA:
            decisions = self._decided.match_areas(batch[name].take(held))
        for column in columns:
            cells, is_name = batch[column].take(held), column in self._suppliers
            found = self._decided.match_names(cells) if is_name else self._decided.match_texts(cells)
            settled = (found >= 0) if is_name else self._decided.publishes(found)
            decisions = np.where(settled, found, decisions)
        self._leave_out_names(rows[held[self._decided.is_person(decisions)]])
        settled = decisions >= 0
        self._note(rows[held[settled]], decisions[settled])
        return held[~settled]

    def _leave_out_names(self, rows: Integers) -> None:
        self._redacted.set(rows, np.full(len(rows), self._redacted.code("personal"), np.int32))

    def _note(self, rows: Integers, decisions: Integers) -> None:
        """Note which rows each decision changes."""
        for number in np.unique(decisions).tolist():
            decided = self._decided_rows.setdefault(self._decided.decisions[number].id, RowSet())
            decided.add(rows[decisions == number])

    def _hold_rows(self, batch: pa.RecordBatch, rows: Integers, suppliers: Mapping[str, JudgedSuppliers]) -> None:
        """Apply every rule to every field; the order of the findings is suppliers, texts, areas, then trigger areas."""
        may_be_person = np.zeros(len(rows), np.bool_)
        order = 0
        for name, judged in suppliers.items():
            order += 1
            for rule in sorted({rule for _, verdict in judged.verdicts for rule in verdict.rules}):
                self._hold(batch, rows, judged.lines_where(lambda verdict: rule in verdict.rules), order, name, rule)  # noqa: B023 - called at once
            may_be_person |= judged.lines_where(lambda verdict: verdict.may_be_person)
        for name in (*self._texts, *self._areas):
            order += 1
            for rule, found in find_personal_data(batch[name]).items():
                self._hold(batch, rows, found, order, name, rule)
            if self._decided:
                self._hold(batch, rows, self._decided.find_persons(batch[name]) >= 0, order, name, DECIDED_PERSON)
        for name in (*self._areas, *self._texts):  # a line is held for one area only: the first that is a trigger
            triggered = may_be_person.copy()
            triggered[may_be_person] = find_trigger_areas(batch[name].take(np.flatnonzero(may_be_person)))
            self._hold(batch, rows, triggered, order + 1, name, SERVICE_AREA)
            may_be_person &= ~triggered

    def _hold(self, batch: pa.RecordBatch, rows: Integers, found: Flags, order: int, name: str, rule: str) -> None:
        """Hold the flagged rows, and remember their first cells while a report can still name more."""
        indices = np.flatnonzero(found)
        if self._decided and indices.size:
            indices = self._settle_held(batch, rows, indices, name, rule)
        if not indices.size:
            return
        self._add_held_values(batch, rows, indices, name, rule)
        held = self._held.setdefault((name, rule), _HeldRows())
        if wanted := CappedFindings.most_made - len(held.first):
            new = indices[~held.rows.contains(rows[indices])]
            _, first_of_row = np.unique(rows[new], return_index=True)
            for index in new[np.sort(first_of_row)][:wanted].tolist():
                cell = PersonalCell(int(rows[index]), batch["line"][index].as_py(), name, rule)
                held.first.append((self._lines + index, order, rule, cell))
        held.rows.add(rows[indices])

    def _add_held_values(self, batch: pa.RecordBatch, rows: Integers, held: Integers, name: str, rule: str) -> None:
        """Remember the values that hold these lines; where a service area does, that is the supplier."""
        shown = self._suppliers[0] if rule == SERVICE_AREA else name
        amounts = batch[self._amount].take(held) if self._amount else None
        cells = batch[shown].take(held)
        self._held_values.add(shown, f"privacy-{rule}", cells, rows[held], held + self._lines, amounts)
