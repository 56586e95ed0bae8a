"""Assign columns to fields: weigh all evidence and solve it as one assignment, with each column used once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from piperoll.model import Dataset
from piperoll.reading.columns.evidence import (
    Candidate,
    candidate_by_content,
    find_candidates,
    holds_references,
    is_asked_for,
    is_meaningless,
    tell_codes_from_labels,
)
from piperoll.reading.columns.lexicon import Lexicon, bare
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.columns.rival_columns import AmountTable, Rivals, settle_by_arithmetic
from piperoll.reading.columns.shifted_columns import NO_SHIFT, ColumnShift, find_moved
from piperoll.reading.grids.grid import Row, tidy

_FAR = 1 << 80
"""Larger than any sum of weights."""


def best_pairs(weights: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """Return the pairs with the largest sum of weights that use no field and no column twice.

    `weights` lists the allowed pairs, with whole weights above 0. A field may stay without a column, which weighs 0.
    Equal sums always give the same result, by the order of `weights`. This is the Hungarian method with potentials
    (Kuhn 1955, Munkres 1957), with one shortest augmenting path for each field.
    """
    rows = list(dict.fromkeys(row for row, _ in weights))
    columns = list(dict.fromkeys(column for _, column in weights))
    costs = [[-weights.get((row, column), -_FAR) for column in columns] + [0] * len(rows) for row in rows]
    found = _cheapest(costs)
    return {rows[row]: columns[column] for column, row in enumerate(found) if row >= 0 and column < len(columns)}


def _cheapest(costs: list[list[int]]) -> list[int]:
    """Return for each column the row that it is assigned to, or -1; every row gets one column, at the lowest cost."""
    width = len(costs[0]) if costs else 0
    owner, of_row, of_column = [-1] * width, [0] * len(costs), [0] * width
    for row in range(len(costs)):
        least, came_from, done = [_FAR * 4] * width, [-1] * width, [False] * width
        at, current = -1, row
        while current >= 0:
            step, nearest = _FAR * 8, -1
            for column in range(width):
                if done[column]:
                    continue
                cost = costs[current][column] - of_row[current] - of_column[column]
                if cost < least[column]:
                    least[column], came_from[column] = cost, at
                if least[column] < step:
                    step, nearest = least[column], column
            _move(step, row, owner, done, of_row, of_column, least)
            at, current = nearest, owner[nearest]
            done[at] = True
        while at >= 0:
            before = came_from[at]
            owner[at] = row if before < 0 else owner[before]
            at = before
    return owner


def _move(
    step: int,
    row: int,
    owner: list[int],
    done: list[bool],
    of_row: list[int],
    of_column: list[int],
    least: list[int],
) -> None:
    """Shift the potentials by `step`, so that the nearest column costs nothing more."""
    of_row[row] += step
    for column, visited in enumerate(done):
        if visited:
            of_row[owner[column]] += step
            of_column[column] -= step
        else:
            least[column] -= step


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The column that is read as a field, with its heading and score, and the second best column with its score.

    `how` says why: `listed`, `slip`, `phrase`, `remembered` or `answered` (all by the heading), or `content`. `why`
    gives the reasons in words. The choice is `contested` if the second best is as good and no other field uses it.
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
    """The columns of a table: one choice for each field that was found, and any shift between headings and data."""

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
        """Return the same columns with these headings, which played no part in finding them."""
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

    A core group that no heading names is looked for by content, among columns whose headings mean nothing to us and
    that are not `barred`. Remembered headings are used only if they change the result. The `rows` show how columns of
    amounts relate to each other.
    """
    table = _ColumnEvidence(headings, profiles, lexicon, barred, AmountTable(rows))
    plain = _assigned(table)
    if not any(bare(heading) in lexicon.before for heading in headings):
        return plain
    recalled = _assigned(replace(table, lexicon=lexicon.recalling()))
    return plain if _places(plain) == _places(recalled) else recalled


def _places(columns: Columns) -> dict[str, int]:
    return {name: choice.column for name, choice in columns.choices.items()}


@dataclass(frozen=True)
class _ColumnEvidence:
    """The evidence about the columns of one table."""

    headings: Sequence[str]
    profiles: Sequence[ColumnProfile]
    lexicon: Lexicon
    barred: Collection[int]
    figures: AmountTable


def _assigned(table: _ColumnEvidence) -> Columns:
    headings, profiles, lexicon = table.headings, table.profiles, table.lexicon
    moved = find_moved(headings, profiles, lexicon)
    meant = tell_codes_from_labels(headings, profiles, lexicon) if moved == NO_SHIFT else {}
    by_name = [bid for bid in find_candidates(headings, profiles, lexicon, moved, meant) if bid.stands]
    by_name, settled = settle_by_arithmetic(by_name, table.figures, profiles, lexicon.dataset)
    taken = _solved(by_name)
    guesses = _guesses(headings, profiles, lexicon, taken, {*table.barred, *(bid.column for bid in taken.values())})
    taken |= _solved(guesses)
    offered = [*by_name, *guesses]
    ordered = sorted(taken.values(), key=lambda bid: bid.column)
    choices = {bid.field: _choice(bid, offered, taken, settled, lexicon.dataset) for bid in ordered}
    choices |= {name: replace(choices[name], contested=False) for name in _spare(choices, lexicon.dataset)}
    return Columns(choices, moved, tuple(headings))


def _solved(offered: Sequence[Candidate]) -> dict[str, Candidate]:
    """Return the best candidate for each field, with each column used once.

    Of equal candidates, columns further left.
    """
    best: dict[tuple[str, int], Candidate] = {}
    for bid in sorted(offered, key=lambda bid: (bid.rank, bid.column, bid.field)):
        key = (bid.field, bid.column)
        if key not in best or best[key].score < bid.score:
            best[key] = bid
    pairs = best_pairs({key: _weight(bid) for key, bid in best.items()})
    return {name: best[name, column] for name, column in pairs.items()}


def _weight(bid: Candidate) -> int:
    """Return the weight of a candidate.

    The cube of its score, so that two doubtful columns never outweigh a certain one.

    An answer by a person outweighs everything.
    """
    weight = bid.score**3 + (100 if bid.how == "answered" else 0)
    return max(1, round(weight * 1_000_000) * 1_000 - min(bid.column, 999))


def _choice(
    bid: Candidate,
    offered: Sequence[Candidate],
    taken: Mapping[str, Candidate],
    settled: Set[frozenset[int]],
    dataset: Dataset,
) -> ColumnChoice:
    others = [other for other in offered if other.field == bid.field and other.column != bid.column]
    others.sort(key=lambda other: (-other.score, other.rank, other.column))
    wanted, contest = dataset.field(bid.field), Rivals(taken, settled)
    rival = next((other for other in others if contest.is_open(bid, other, wanted, dataset)), None)
    second = rival or (others[0] if others else None)
    choice = ColumnChoice(
        bid.field, bid.column, bid.heading, round(bid.score, 3), how=bid.how, why=bid.why, fit=bid.fit
    )
    if second is None:
        return choice
    return replace(
        choice,
        runner_up=second.column,
        runner_up_score=round(second.score, 3),
        runner_up_heading=second.heading,
        contested=rival is not None,
    )


def _spare(choices: Mapping[str, ColumnChoice], dataset: Dataset) -> Iterator[str]:
    """Yield core fields that only stand in for another field that was found; doubts about them are not reported."""
    for group in dataset.core:
        there = [name for name in group if name in choices]
        yield from (name for name in there[1:] if name not in dataset.amount and name not in dataset.date)


def _guesses(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    taken: Mapping[str, Candidate],
    used: Set[int],
) -> list[Candidate]:
    """Return candidates by content for the core groups that no heading names; none if no heading at all is known.

    If several columns hold amounts, or dates, the cells cannot show which one is the field.
    """
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
            if column not in used and is_meaningless(heading, profile, lexicon):
                offered.append(candidate_by_content(profile, column, heading, dataset.field(name), dataset))
        bidding = [bid for bid in offered if bid]
        found += bidding if name in names or len(bidding) == 1 else []
    return found


def guess_unnamed(
    columns: Columns, headings: Sequence[str], profiles: Sequence[ColumnProfile], dataset: Dataset
) -> Columns:
    """Return the columns with a reference added, if a filled column without a heading holds references."""
    references = (each for each in dataset.fields if each.is_identifier and is_asked_for(each, dataset))
    missing = next(references, None)
    if missing is None or missing.name in columns.choices:
        return columns
    for column, profile in enumerate(profiles):
        unnamed = column < len(headings) and not tidy(headings[column]) and column not in columns.used
        if unnamed and holds_references(profile):
            why = ("it has no heading and holds references",)
            choice = ColumnChoice(missing.name, column, headings[column], 0.5, how="content", why=why)
            return replace(columns, choices={**columns.choices, missing.name: choice})
    return columns
