"""Which rows of a table are held for privacy, and which are published without a name or a text.

Every text that would be published is examined. A field's `x_privacy` in the descriptor says how: `name` may name a
person, `area` is a service area, `text` is free text; all others are codes and labels, where only what is certain
counts (docs/standards.md#privacy-rules). A row is held if one of its texts holds personal data, if a supplier looks
like a private person, or if the service area is one whose payees are often private people and the supplier is not
clearly an organisation. The name is left out, and the row published, if the body has redacted it, or if it is the
holder of a post that the rules do not publish with a name. A free text is left out, and the row published, where it is
about a person and an organisation is paid.

A table is screened twice. The first pass applies the rules; the second looks for the names that are now held in every
other cell of the file, and settles what only the whole file shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.privacy.columns import (
    JudgedSuppliers,
    PayeeColumns,
    find_bare_names,
    find_contexts,
    find_held_names,
    find_in_codes,
    find_names_not_due,
    find_ni_numbers,
    find_people,
    find_people_in_texts,
    find_personal_data,
    find_trigger_areas,
    judge_suppliers,
)
from piperoll.checking.privacy.decisions import Decided, HeldValues
from piperoll.checking.privacy.free_text import names_in_text
from piperoll.checking.privacy.held_names import HeldNames, NameKey, name_key
from piperoll.checking.row_sets import LatestWord, RowLabels, RowSet, ValueByRow
from piperoll.checking.survey import main_field
from piperoll.enriching.annotate import payee_fields
from piperoll.findings import CappedFindings
from piperoll.model import Dataset, HeldValue, Origin
from piperoll.model.columns import Cells, Flags, Integers, pc, to_flags
from piperoll.people.lists import privacy_lists
from piperoll.reading import ReadTable

SERVICE_AREA = "service-area"
"""The rule for a service area whose payees are often private people."""

HELD_NAME = "held-name"
"""The rule for a cell with a name that is held elsewhere in the file."""

NI_NUMBER, ACCOUNT_NUMBER, SORT_CODE = "ni-number", "account-number", "sort-code"

_NAMES = frozenset(("titled-name", "surname-initial", "full-name"))
"""The rules that find a name. A cell of a supplier or a code that they find is held wherever it is in the file."""

_CUT = frozenset(
    (
        *(
            "titled-name",
            "ni-number",
            "nhs-number",
            "date-of-birth",
            "case-reference",
            "person-in-text",
            "home-address",
        ),
        "decided-person",
    )
)
"""The rules by which the words of a text are left out where an organisation is paid: they are about somebody else."""

_ORGANISATION_ROWS = 3
"""A supplier with this many rows in a file, most of them outside the trigger areas, is taken for an organisation."""

TEXT_REDACTED = "text-redacted"
"""The rule of a text that is left out of a row that is published."""

DECIDED_PERSON = "decided-person"
"""The rule for a text that names someone of whom it was decided that they are a private person."""


@dataclass(frozen=True, slots=True)
class PersonalCell:
    """A cell that holds its row or is left out of it, and the rule; never what the cell says."""

    row: int
    line: int | None
    field: str
    rule: str


@dataclass(frozen=True)
class PrivacyResult:
    """The result of screening one table.

    `held` has the rows that are held, by field and rule; `first_cells` the first cells of each, in order, as many as a
    report can name. `cut` and `cut_cells` have, in the same way, the texts left out of rows that are published.
    `redacted` has the rows whose name is left out and the kind of redaction; `not_due` those of posts that are not
    published with a name, by field. `held_values` has the values that hold rows. `decided` has the rows that each
    decision, by its identifier, changes anything of.
    """

    first_cells: tuple[PersonalCell, ...]
    held: Mapping[tuple[str, str], RowSet]
    redacted: ValueByRow[str]
    not_due: Mapping[str, RowSet]
    held_values: tuple[HeldValue, ...] = ()
    decided: Mapping[str, RowSet] = field(default_factory=dict)
    cut_cells: tuple[PersonalCell, ...] = ()
    cut: Mapping[tuple[str, str], RowSet] = field(default_factory=dict)
    names: HeldNames = field(default_factory=HeldNames)
    """The names that are held in the file."""

    def cut_fields(self) -> ValueByRow[frozenset[str]]:
        """The fields whose text is left out, by row."""
        labels = RowLabels()
        for (name, _rule), rows in self.cut.items():
            labels.add(name, rows.numbers)
        return labels.by_row()


@dataclass
class _FoundRows:
    """The rows that one rule finds in one field, and the first cells, each with its position in the order of all."""

    rows: RowSet = field(default_factory=RowSet)
    first: list[tuple[int, int, str, PersonalCell]] = field(default_factory=list)


_Found = dict[tuple[str, str], _FoundRows]


class PrivacyScreen:
    """Screens a table batch by batch; `finish_screens` makes the second pass.

    What people `decided` about a value comes before every rule.
    """

    def __init__(self, table: ReadTable, dataset: Dataset, decided: Decided = Decided()) -> None:  # noqa: B008 - never changed
        present = [described for described in dataset.fields if described.name in table.columns]
        names = [described.name for described in present if described.privacy == "name"]
        posts = [post for post in privacy_lists().named_posts if post.dataset == dataset.name]
        rules_of = {name: [post for post in posts if post.field == name] for name in names}
        self._table, self._pays = table, bool(dataset.amount)
        self._posts = {name: rules for name, rules in rules_of.items() if rules}
        self._suppliers = [name for name in names if name not in self._posts]
        self._areas = [described.name for described in present if described.privacy == "area"]
        self._texts = [described.name for described in present if described.privacy == "text"]
        self._codes = [
            described.name
            for described in present
            if described.privacy in (None, "dependent")
            and described.type == "string"
            and described.origin is not Origin.DERIVED
        ]
        payee = payee_fields(dataset)
        self._registered = {payee[role] for role in ("company_number", "charity_number") if role in payee}
        self._held: _Found = {}
        self._cut: _Found = {}
        self._held_rows = RowSet()
        self._redacted = LatestWord()
        self._not_due: dict[str, RowSet] = {}
        self._lines = 0
        self._payees = PayeeColumns()
        self._ni_shapes: dict[str, set[str]] = {}
        self._areas_of: dict[NameKey, list[int]] = {}
        self.names, self._due = HeldNames(), set[str]()
        self._sheet, self._amount = table.sheet, main_field(dataset.amount, table)
        self._held_values, self._decided = HeldValues(names), decided
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
            self._due.update(_different(batch[name], ~not_due))
            if not_due.any():
                self._not_due.setdefault(name, RowSet()).add(rows[not_due])
                redactions[not_due] = self._redacted.code("personal")
                self.names.add(_different(batch[name], not_due))
        self._redacted.set(rows, redactions)
        if self._decided:
            self._leave_out_persons(batch, rows, redactions == 0)
        self._hold_rows(batch, rows, suppliers)
        for name in (*self._areas, *self._texts, *self._codes):
            self._payees.add(name, batch[name])
        self._lines += len(rows)

    def finish(self, names: HeldNames) -> PrivacyResult:
        """Make the second pass if anything is left to find, and finish the screening; `names` are held in the file."""
        payees, areas = self._payees.names(), self._suppliers_of_areas()
        insured = {name: self._find_ni_numbers(name, cells) for name, cells in self._ni_shapes.items()}
        self._lines = 0
        if names or payees or areas or any(insured.values()):
            for batch in self._table.batches():
                rows = batch["row"].to_numpy()
                for name, cells in insured.items():
                    found = to_flags(pc.is_in(batch[name], value_set=pa.array(sorted(cells), pa.string())))
                    self._hold(batch, rows, found, 0, name, NI_NUMBER)
                for name in payees:
                    self._hold_people(batch, rows, name)
                if areas:
                    self._hold_areas(batch, rows, areas)
                if names:
                    self._hold_names(batch, rows, names)
                self._lines += len(rows)
        return self._result(names)

    def _result(self, names: HeldNames) -> PrivacyResult:
        return PrivacyResult(
            first_cells=_first_cells(self._held),
            held={field_and_rule: found.rows for field_and_rule, found in self._held.items()},
            redacted=self._redacted.by_row(),
            not_due=self._not_due,
            held_values=self._held_values.grouped(self._sheet),
            decided=self._decided_rows,
            names=names,
            cut_cells=_first_cells(self._cut),
            cut={field_and_rule: found.rows for field_and_rule, found in self._cut.items()},
        )

    def _find_ni_numbers(self, name: str, cells: set[str]) -> frozenset[str]:
        """The cells that are National Insurance numbers. In a column of company numbers all of that form are."""
        return frozenset(cells) if name in self._registered else find_ni_numbers(self._table.batches(), name, cells)

    def published_names(self) -> frozenset[str]:
        """The names that are due to be published: of post holders, and by decision."""
        decided = (one.value for one in self._decided.decisions if one.decided_as.publishes and not one.area)
        return frozenset((*self._due, *decided))

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

    def _find_decided_persons(self, batch: pa.RecordBatch, rows: Integers, name: str) -> Flags:
        """Which texts name someone of whom it was decided that they are a private person."""
        decisions = self._decided.find_persons(batch[name])
        found: Flags = decisions >= 0
        self._note(rows[found], decisions[found])
        return found

    def _leave_out_names(self, rows: Integers) -> None:
        self._redacted.set(rows, np.full(len(rows), self._redacted.code("personal"), np.int32))

    def _note(self, rows: Integers, decisions: Integers) -> None:
        """Note which rows each decision changes."""
        for number in np.unique(decisions).tolist():
            decided = self._decided_rows.setdefault(self._decided.decisions[number].id, RowSet())
            decided.add(rows[decisions == number])

    def _hold_rows(self, batch: pa.RecordBatch, rows: Integers, suppliers: Mapping[str, JudgedSuppliers]) -> None:
        """Apply every rule to every field; the order of the findings is suppliers, texts, areas, then codes."""
        order = 0
        organisations, context = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
        for name, judged in suppliers.items():
            order += 1
            for rule in sorted({rule for _, verdict in judged.verdicts for rule in verdict.rules}):
                self._hold(batch, rows, judged.lines_where(lambda verdict: rule in verdict.rules), order, name, rule)  # noqa: B023 - called at once
            organisations |= judged.organisations()
            context |= judged.contexts()
        for name in self._areas:
            context |= find_contexts(batch[name])
        for name in (*self._texts, *self._areas):
            order += 1
            found = self._find_in_text(batch[name], context, organisations, is_text=name in self._texts)
            for rule, lines in sorted(found.items()):
                self._cut_or_hold(batch, rows, lines, organisations, order, name, rule)
            if self._decided:
                persons = self._find_decided_persons(batch, rows, name)
                self._cut_or_hold(batch, rows, persons, organisations, order, name, DECIDED_PERSON)
        for name in self._codes:
            order += 1
            for rule, lines in find_in_codes(batch[name]).items():
                if rule == NI_NUMBER:  # it has the form of many references: only the whole column shows which it is
                    self._ni_shapes.setdefault(name, set()).update(_different(batch[name], lines))
                    continue
                self._hold(batch, rows, lines, order, name, rule)
            if self._decided:
                self._hold(batch, rows, self._find_decided_persons(batch, rows, name), order, name, DECIDED_PERSON)
        self._count_areas(batch, suppliers)

    def _find_in_text(self, cells: Cells, context: Flags, organisations: Flags, *, is_text: bool) -> dict[str, Flags]:
        """The cells that each rule finds in a column of free texts or service areas."""
        found = find_personal_data(cells)
        if not is_text:
            if (bare := find_bare_names(cells)).any():
                found["full-name"] = bare
        elif self._suppliers:
            titled = found.get("titled-name", np.zeros(len(cells), np.bool_))
            found |= {rule: one & ~titled for rule, one in find_people_in_texts(cells, context).items()}
        if ACCOUNT_NUMBER in found:  # beside an organisation's name it is the number under which it knows the body
            found[ACCOUNT_NUMBER] &= ~organisations | found.get(SORT_CODE, np.zeros(len(cells), np.bool_))
        return found

    def _cut_or_hold(
        self,
        batch: pa.RecordBatch,
        rows: Integers,
        found: Flags,
        organisations: Flags,
        order: int,
        name: str,
        rule: str,
    ) -> None:
        """Leave out a text that is certainly about somebody whom the payment does not go to; hold its row otherwise."""
        cut = np.zeros(len(rows), np.bool_)
        if self._pays and name in self._texts and rule in (*_CUT, HELD_NAME):
            if self._decided:
                decisions = self._decided.match_texts(batch[name])
                settled = found & self._decided.publishes(decisions)
                self._note(rows[settled], decisions[settled])
                found = found & ~settled
            cut = found & organisations
            self._remember(self._cut, batch, rows, np.flatnonzero(cut), order, name, rule)
            self._add_held_values(batch, rows, np.flatnonzero(cut), name, TEXT_REDACTED)
            if rule in ("titled-name", "person-in-text"):
                for text in _different(batch[name], cut):
                    self.names.add(names_in_text(text, in_context=True))
        self._hold(batch, rows, found & ~cut, order, name, rule)

    def _count_areas(self, batch: pa.RecordBatch, suppliers: Mapping[str, JudgedSuppliers]) -> None:
        """Count the lines of each supplier who may be a person: all, in trigger areas, and decided about."""
        for judged in suppliers.values():
            lines = np.flatnonzero(judged.lines_where(lambda verdict: verdict.may_be_person))
            if not lines.size:
                continue
            levels, decided = self._trigger_levels(batch, lines)
            size, codes = len(judged.values), judged.codes[lines]
            total, settled = (np.bincount(each, minlength=size) for each in (codes, codes[decided]))
            people, mixed = (np.bincount(codes[levels == level], minlength=size) for level in (2, 1))
            for index, verdict in judged.verdicts:
                if verdict.may_be_person:
                    counts = self._areas_of.setdefault(name_key(judged.values[index] or ""), [0, 0, 0])
                    counts[0] += int(total[index])
                    counts[1] += int(people[index] + (mixed[index] if verdict.has_name_word else 0))
                    counts[2] += int(settled[index])

    def _trigger_levels(self, batch: pa.RecordBatch, lines: Integers) -> tuple[npt.NDArray[np.int8], Flags]:
        """The level of the service areas of these lines (`find_trigger_areas`), and whether one was decided about."""
        levels: npt.NDArray[np.int8] = np.zeros(len(lines), np.int8)
        decided = np.zeros(len(lines), np.bool_)
        for name in (*self._areas, *self._texts):
            cells = batch[name].take(lines)
            here = find_trigger_areas(cells)
            levels = np.maximum(levels, here)
            if self._decided:
                decided |= (here > 0) & (self._decided.match_areas(cells) >= 0)
        return levels, decided

    def _suppliers_of_areas(self) -> Mapping[NameKey, bool]:
        """The suppliers who may be people by the service areas that pay them.

        True for those who are held in the whole file: not if something was decided about all of these areas.
        """
        return {
            key: triggered > settled
            for key, (total, triggered, settled) in self._areas_of.items()
            if triggered and not (total >= _ORGANISATION_ROWS and triggered * 3 <= total)
        }

    def _hold_areas(self, batch: pa.RecordBatch, rows: Integers, areas: Mapping[NameKey, bool]) -> None:
        """Hold the rows of these suppliers in trigger areas, and their other rows too."""
        waiting, everywhere = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
        for name in self._suppliers:
            judged = judge_suppliers(batch[name])
            keys = {
                index: name_key(judged.values[index] or "")
                for index, verdict in judged.verdicts
                if verdict.may_be_person
            }
            waiting |= judged.lines_of(index for index, key in keys.items() if key in areas)
            everywhere |= judged.lines_of(index for index, key in keys.items() if areas.get(key))
        for name in (*self._areas, *self._texts):  # a line is held for one area only: the first that is a trigger
            triggered = waiting & (find_trigger_areas(batch[name]) > 0)
            self._hold(batch, rows, triggered, len(self._areas), name, SERVICE_AREA)
            waiting &= ~triggered
        for name in self._suppliers:
            self._hold(batch, rows, waiting & everywhere & ~self._held_rows.contains(rows), 0, name, HELD_NAME)

    def _hold_people(self, batch: pa.RecordBatch, rows: Integers, name: str) -> None:
        for rule, found in find_people(batch[name]).items():
            self._hold(batch, rows, found & ~self._held_rows.contains(rows), 0, name, rule)

    def _hold_names(self, batch: pa.RecordBatch, rows: Integers, names: HeldNames) -> None:
        """Hold the rows with a name that is held elsewhere, or leave out the text that has it."""
        organisations = np.zeros(len(rows), np.bool_)
        for name in self._suppliers:
            organisations |= judge_suppliers(batch[name]).organisations()
        for order, name in enumerate((*self._suppliers, *self._texts, *self._areas, *self._codes)):
            found = find_held_names(batch[name], names, suppliers=name in self._suppliers)
            found &= ~self._held_rows.contains(rows)
            for (field_cut, _), cut in self._cut.items():
                if field_cut == name:
                    found &= ~cut.rows.contains(rows)
            if found.any():
                self._cut_or_hold(batch, rows, found, organisations, order, name, HELD_NAME)

    def _hold(self, batch: pa.RecordBatch, rows: Integers, found: Flags, order: int, name: str, rule: str) -> None:
        """Hold the flagged rows, and remember the names that hold them."""
        indices = np.flatnonzero(found)
        if self._decided and indices.size:
            indices = self._settle_held(batch, rows, indices, name, rule)
        if not indices.size:
            return
        self._add_held_values(batch, rows, indices, name, rule)
        self._remember(self._held, batch, rows, indices, order, name, rule)
        self._held_rows.add(rows[indices])
        values = batch[name].take(indices).unique().to_pylist()
        if name in self._texts:
            for text in values if rule in ("titled-name", "person-in-text") else ():
                self.names.add(names_in_text(text, in_context=True))
        elif rule in _NAMES:
            self.names.add(values)

    def _remember(
        self, found: _Found, batch: pa.RecordBatch, rows: Integers, indices: Integers, order: int, name: str, rule: str
    ) -> None:
        """Remember rows, and their first cells while a report can still name more."""
        if not indices.size:
            return
        noted = found.setdefault((name, rule), _FoundRows())
        if wanted := CappedFindings.most_made - len(noted.first):
            new = indices[~noted.rows.contains(rows[indices])]
            _, first_of_row = np.unique(rows[new], return_index=True)
            for index in new[np.sort(first_of_row)][:wanted].tolist():
                cell = PersonalCell(int(rows[index]), batch["line"][index].as_py(), name, rule)
                noted.first.append((self._lines + index, order, rule, cell))
        noted.rows.add(rows[indices])

    def _add_held_values(self, batch: pa.RecordBatch, rows: Integers, held: Integers, name: str, rule: str) -> None:
        """Remember the values that hold these lines; where a service area does, that is the supplier."""
        shown = self._suppliers[0] if rule == SERVICE_AREA else name
        amounts = batch[self._amount].take(held) if self._amount else None
        cells = batch[shown].take(held)
        self._held_values.add(shown, f"privacy-{rule}", cells, rows[held], held + self._lines, amounts)


def finish_screens(screens: Sequence[PrivacyScreen]) -> list[PrivacyResult]:
    """Finish the screening of all tables of a file: a name that is held in one of them is held in all."""
    names = HeldNames()
    for screen in screens:
        names.update(screen.names)
    for screen in screens:
        names.discard(screen.published_names())
    return [screen.finish(names) for screen in screens]


def _different(cells: Cells, chosen: Flags) -> list[str]:
    """The different cells among the chosen ones that are filled."""
    values: list[str] = cells.filter(pa.array(chosen)).drop_null().unique().to_pylist()
    return values


def _first_cells(found: _Found) -> tuple[PersonalCell, ...]:
    first = sorted(entry for noted in found.values() for entry in noted.first)
    return tuple(cell for *_, cell in first)
