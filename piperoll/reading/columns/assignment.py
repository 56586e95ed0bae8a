"""Assign columns to fields, and report the doubtful ones.

All evidence is weighed and solved as one assignment in which each column is used once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Field, Finding, Severity
from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import find_scale, is_foreign
from piperoll.reading.cells.decisions import FieldColumn
from piperoll.reading.columns import evidence
from piperoll.reading.columns.evidence import Candidate
from piperoll.reading.columns.lexicon import Lexicon, vat_basis
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.columns.rival_columns import AmountTable, Rivals, settle_by_arithmetic
from piperoll.reading.columns.shifted_columns import NO_SHIFT, ColumnShift, find_moved
from piperoll.reading.grids.grid import Row, letter, tidy

_FAR = 1 << 80
"""Larger than any sum of weights."""


def best_pairs(weights: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """Return the pairs with the largest sum of weights that use no field and no column twice.

    `weights` lists the allowed pairs, with whole weights above 0. A field may stay without a column, which weighs 0.
    Equal sums always give the same result, by the order of `weights`. This is the Hungarian method with potentials
    (Kuhn 1955, Munkres 1957), with one shortest augmenting path for each field.
    """
    names = list(dict.fromkeys(name for name, _ in weights))
    columns = list(dict.fromkeys(column for _, column in weights))
    # The added columns without cost stand for "no column".
    costs = [[-weights.get((name, column), -_FAR) for column in columns] + [0] * len(names) for name in names]
    owners = _cheapest(costs)
    return {names[row]: columns[column] for column, row in enumerate(owners) if row >= 0 and column < len(columns)}


def _cheapest(costs: list[list[int]]) -> list[int]:
    """Return for each column the row that it is assigned to, or -1; every row gets one column, at the lowest cost."""
    width = len(costs[0]) if costs else 0
    owner, row_potential, column_potential = [-1] * width, [0] * len(costs), [0] * width
    for row in range(len(costs)):
        least, came_from, done = [_FAR * 4] * width, [-1] * width, [False] * width
        at, current = -1, row
        while current >= 0:
            step, nearest = _FAR * 8, -1
            for column in range(width):
                if done[column]:
                    continue
                cost = costs[current][column] - row_potential[current] - column_potential[column]
                if cost < least[column]:
                    least[column], came_from[column] = cost, at
                if least[column] < step:
                    step, nearest = least[column], column
            # Shift the potentials by `step`, so that reaching the nearest column costs nothing more.
            row_potential[row] += step
            for column, visited in enumerate(done):
                if visited:
                    row_potential[owner[column]] += step
                    column_potential[column] -= step
                else:
                    least[column] -= step
            at, current = nearest, owner[nearest]
            done[at] = True
        while at >= 0:  # reassign the columns along the path that was found
            before = came_from[at]
            owner[at] = row if before < 0 else owner[before]
            at = before
    return owner


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The column that is read as a field, with its heading and score, and the second best column with its score.

    `how` is `listed`, `slip`, `phrase`, `remembered` or `answered` if the heading decided, or `content` if the cells
    did. `why` gives the reasons in words. The choice is `contested` if the second best column is as good and no other
    field uses it.
    """

    field: str
    column: int
    heading: str
    score: float
    runner_up: int | None = None
    runner_up_score: float = 0.0
    runner_up_heading: str = ""
    how: str = "listed"
    why: tuple[str, ...] = ()
    contested: bool = False
    fit: float = 1.0
    """How well the cells agree with the field's type, from 1 (all of them) to 0.25 (none)."""


@dataclass(frozen=True)
class Columns:
    """The choice of a column for each field that was found, and any shift between headings and data."""

    choices: Mapping[str, ColumnChoice]
    moved: ColumnShift = NO_SHIFT
    headings: tuple[str, ...] = field(default=(), repr=False)

    def column(self, name: str) -> int | None:
        """Return the index of the column with the data of a field; None if the field was not found."""
        choice = self.choices.get(name)
        return choice.column if choice else None

    @property
    def used(self) -> frozenset[int]:
        """The index of every column that is read as a field."""
        return frozenset(choice.column for choice in self.choices.values())

    def under(self, headings: Sequence[str]) -> Columns:
        """Return the columns with these headings, which had no influence on the choices."""
        named = {
            name: replace(choice, heading=headings[choice.column]) if choice.column < len(headings) else choice
            for name, choice in self.choices.items()
        }
        return replace(self, choices=named, headings=tuple(headings))


def assign_columns(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    *,
    barred: Collection[int] = (),
    rows: Sequence[Row] = (),
) -> Columns:
    """Find the best way to read columns as fields, by heading and by content, with each column used once.

    For a core group that no heading names, search by content the columns whose headings mean nothing and that are not
    `barred`. Remembered headings are used only if they change the result. The `rows` show how columns of amounts relate
    to each other.
    """
    table = _ColumnEvidence(headings, profiles, lexicon, barred, AmountTable(rows))
    plain = _assign(table)
    if not any(bare(heading) in lexicon.before for heading in headings):
        return plain
    recalled = _assign(replace(table, lexicon=lexicon.recalling()))
    same = {name: choice.column for name, choice in plain.choices.items()} == {
        name: choice.column for name, choice in recalled.choices.items()
    }
    return plain if same else recalled


@dataclass(frozen=True)
class _ColumnEvidence:
    """The evidence about the columns of one table."""

    headings: Sequence[str]
    profiles: Sequence[ColumnProfile]
    lexicon: Lexicon
    barred: Collection[int]
    figures: AmountTable


def _assign(table: _ColumnEvidence) -> Columns:
    headings, profiles, lexicon = table.headings, table.profiles, table.lexicon
    meant = evidence.tell_codes_from_labels(headings, profiles, lexicon)
    moved = find_moved(headings, profiles, lexicon, meant)
    meant = meant if moved == NO_SHIFT else {}
    named = [each for each in evidence.find_candidates(headings, profiles, lexicon, moved, meant) if each.is_usable]
    named, settled = settle_by_arithmetic(named, table.figures, profiles, lexicon.dataset)
    taken = _solve(named)
    used = {*table.barred, *(candidate.column for candidate in taken.values())}
    guesses = _guess_by_content(headings, profiles, lexicon, taken, used)
    taken |= _solve(guesses)
    ordered = sorted(taken.values(), key=lambda candidate: candidate.column)
    offered = [*named, *guesses]
    choices = {each.field: _choice(each, offered, taken, settled, lexicon.dataset) for each in ordered}
    for group in lexicon.dataset.core:
        # A core field that only stands in for one that was found is not needed, so a doubt about it is not reported.
        for name in [name for name in group if name in choices][1:]:
            if name not in lexicon.dataset.amount and name not in lexicon.dataset.date:
                choices[name] = replace(choices[name], contested=False)
    return Columns(choices, moved, tuple(headings))


def _solve(offered: Sequence[Candidate]) -> dict[str, Candidate]:
    """Return the best candidate for each field, with each column used once; of equals, the leftmost columns."""
    best: dict[tuple[str, int], Candidate] = {}
    for candidate in sorted(offered, key=lambda each: (each.rank, each.column, each.field)):
        key = (candidate.field, candidate.column)
        if key not in best or best[key].score < candidate.score:
            best[key] = candidate
    weights = {}
    for key, candidate in best.items():
        # The cube keeps two doubtful columns from outweighing a certain one; a person's answer outweighs everything.
        weight = candidate.score**3 + (100 if candidate.how == "answered" else 0)
        weights[key] = max(1, round(weight * 1_000_000) * 1_000 - min(candidate.column, 999))
    return {name: best[name, column] for name, column in best_pairs(weights).items()}


def _choice(
    candidate: Candidate,
    offered: Sequence[Candidate],
    taken: Mapping[str, Candidate],
    settled: Set[frozenset[int]],
    dataset: Dataset,
) -> ColumnChoice:
    """Return a chosen candidate with the second best column: an open rival if there is one, or the next best score."""
    others = [other for other in offered if other.field == candidate.field and other.column != candidate.column]
    others.sort(key=lambda other: (-other.score, other.rank, other.column))
    wanted, rivals = dataset.field(candidate.field), Rivals(taken, settled)
    rival = next((other for other in others if rivals.is_open(candidate, other, wanted, dataset)), None)
    choice = ColumnChoice(
        candidate.field,
        candidate.column,
        candidate.heading,
        round(candidate.score, 3),
        how=candidate.how,
        why=candidate.why,
        fit=candidate.fit,
    )
    if not others:
        return choice
    second = rival or others[0]
    return replace(
        choice,
        runner_up=second.column,
        runner_up_score=round(second.score, 3),
        runner_up_heading=second.heading,
        contested=rival is not None,
    )


def _guess_by_content(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    taken: Mapping[str, Candidate],
    used: Set[int],
) -> list[Candidate]:
    """Return candidates by content for the core groups that no heading names; none if no heading at all is known."""
    dataset = lexicon.dataset
    missing = {name for group in dataset.missing_core(taken, period_given=False) for name in group}
    names = [each.name for each in dataset.fields if each.name in missing and each.privacy == "name"]
    sought = [next((name for name in main if name in missing), None) for main in (dataset.amount, dataset.date)]
    found: list[Candidate] = []
    for name in (*names, *sought) if taken else ():
        if name is None:
            continue
        offered = []
        for column, profile in enumerate(profiles):
            heading = headings[column] if column < len(headings) else ""
            if column not in used and evidence.is_meaningless(heading, profile, lexicon):
                wanted = dataset.field(name)
                candidate = evidence.candidate_by_content(profile, column, heading, wanted, dataset)
                offered += [candidate] if candidate else []
        # If several columns hold amounts, or dates, the cells cannot show which one is the field.
        found += offered if name in names or len(offered) == 1 else []
    return found


def guess_unnamed(
    columns: Columns, headings: Sequence[str], profiles: Sequence[ColumnProfile], dataset: Dataset
) -> Columns:
    """Return the columns with a reference added, if a filled column without a heading holds references."""
    missing = next(
        (each for each in dataset.fields if each.is_identifier and evidence.is_asked_for(each, dataset)), None
    )
    if missing is None or missing.name in columns.choices:
        return columns
    for column, profile in enumerate(profiles):
        unnamed = column < len(headings) and not tidy(headings[column]) and column not in columns.used
        if unnamed and evidence.holds_references(profile):
            why = ("it has no heading and holds references",)
            choice = ColumnChoice(missing.name, column, headings[column], 0.5, how="content", why=why)
            return replace(columns, choices={**columns.choices, missing.name: choice})
    return columns


_LEAST_FIT = 0.5
"""Below this fit, most cells of a column are of another type than the field."""


def make_column_finding(
    code: str,
    sheet: str | None,
    wanted: Field,
    choice: ColumnChoice,
    *,
    variant: str = "",
    severity: Severity | None = None,
    **more: Any,
) -> Finding:
    """Make a finding about the column that was read as a field; its templates may name the heading and the field."""
    return make_finding(
        code,
        Address(sheet, column=letter(choice.column), field=wanted.name),
        variant=variant,
        severity=severity,
        value=choice.heading,
        heading=choice.heading.strip(),
        title=wanted.title,
        field_title=wanted.title.lower(),
        **more,
    )


def find_column_doubts(
    choice: ColumnChoice, sheet: str | None, lexicon: Lexicon, *, headed: bool = True
) -> list[Finding]:
    """Return the findings about one column: how certain its field is, and its unit.

    In a table without headings (`headed` is False), `headless.find_guessed_columns` reports the guesses instead.
    """
    dataset, wanted = lexicon.dataset, lexicon.dataset.field(choice.field)
    found = []
    if headed and choice.how == "content" and (choice.heading.strip() or choice.field in dataset.core_fields):
        other = "" if choice.runner_up is None else letter(choice.runner_up)
        variant = ("headed-" if choice.heading.strip() else "") + ("other" if other else "only")
        found.append(
            make_column_finding(
                "column-guessed", sheet, wanted, choice, variant=variant, reason=choice.why[0], other=other
            )
        )
    if choice.how in ("slip", "phrase"):
        found.append(make_column_finding("heading-guessed", sheet, wanted, choice))
    if headed and wanted.privacy == "name" and choice.fit < _LEAST_FIT:
        found.append(make_column_finding("column-unlike-heading", sheet, wanted, choice))
    for warning in wanted.reading.heading_warnings if headed else ():
        if warning.applies_to(choice.heading):
            found.append(make_column_finding(warning.finding, sheet, wanted, choice))
    if choice.field in dataset.amount:
        column = FieldColumn(wanted, choice.column, choice.heading, sheet)
        if is_foreign(choice.heading):
            found.append(column.finding("amount-not-in-pounds", variant="heading", value=choice.heading))
        if vat_basis(choice.heading) == "gross":
            found.append(column.finding("amount-gross-used", value=choice.heading))
    if choice.contested and choice.field in dataset.core_fields:
        code = "amount-column-doubtful" if choice.field in dataset.amount else "column-doubtful"
        other, heading = letter(choice.runner_up or 0), choice.runner_up_heading.strip()
        found.append(make_column_finding(code, sheet, wanted, choice, other=other, other_heading=heading))
    scale = find_scale(choice.heading) if wanted.type == "number" else Decimal(1)
    if scale != 1:
        # The address has no column, because the heading gives the unit and not a cell.
        address = Address(sheet=sheet, field=wanted.name)
        heading = choice.heading.strip()
        found.append(make_finding("amount-scaled", address, value=choice.heading, heading=heading, scale=scale))
    return found
