"""Privacy: which rows are held, and of which the name is left out, before anything is public.

STANDARDS §9. A cell is examined by its field's `x_privacy`: `name` may name a person, `area` is a service area that
may be a trigger, `text` is free. A row is held when a text holds something personal, when a supplier looks like a
private person, or when a service area is a trigger and the supplier is not evidently an organisation. A holder of a
post whose name is not due is left out instead, and so is a name that the body has redacted itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from piperoll.checking.capping import MADE
from piperoll.checking.privacy.columns import (
    Judged,
    Supplier,
    hits,
    holders_judged,
    redaction,
    suppliers_judged,
    triggered,
)
from piperoll.checking.privacy.lists import NamedPost, lists
from piperoll.checking.rows import ByRow, Latest, Rows
from piperoll.checking.survey import look_over
from piperoll.model import Dataset
from piperoll.model.columns import Flags, Integers
from piperoll.reading import ReadTable

__all__ = ["Privacy", "Suspecting", "Suspicion", "privacy", "redaction"]

SERVICE_AREA = "service-area"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cell that holds its row, and by which rule; never what it says."""

    row: int
    line: int | None
    field: str
    rule: str


@dataclass(frozen=True)
class Privacy:
    """What privacy says about one table: what holds rows, rows whose name is left out and why, names not due.

    `held` has the rows that are held, by field and rule. `suspicions` are the first of each, in order: as many as are
    ever named, and one more.
    """

    suspicions: tuple[Suspicion, ...] = ()
    held: Mapping[tuple[str, str], Rows] = field(default_factory=dict)
    redacted: ByRow[str] = field(default_factory=lambda: Latest().by_row())
    not_due: Mapping[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True)
class _Columns:
    """The fields of a table that may be personal, by what they are."""

    suppliers: tuple[str, ...]
    holders: Mapping[str, tuple[NamedPost, ...]]
    areas: tuple[str, ...]
    texts: tuple[str, ...]


def privacy(table: ReadTable, dataset: Dataset) -> Privacy:
    """What privacy says about `table`."""
    looking = Suspecting(table, dataset)
    look_over(table, looking)
    return looking.privacy()


class Suspecting:
    """Privacy looking over a table, batch by batch."""

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        self._columns = _columns(table, dataset)
        self._found: dict[tuple[str, str], _Found] = {}
        self._redacted = Latest()
        self._not_due: dict[str, Rows] = {}
        self._lines = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """See one more batch."""
        rows, columns = batch["row"].to_numpy(), self._columns
        suppliers = {name: suppliers_judged(batch[name]) for name in columns.suppliers}
        kinds = np.zeros(len(rows), np.int32)
        for judged in suppliers.values():
            kinds = np.where(kinds, kinds, judged.kinds(self._redacted.kind))
        for name, posts in columns.holders.items():
            undue = holders_judged(batch, name, posts)
            if undue.any():
                self._not_due.setdefault(name, Rows()).add(rows[undue])
                kinds[undue] = self._redacted.kind("personal")
        self._redacted.say(rows, kinds)
        self._suspect(batch, rows, suppliers)
        self._lines += len(rows)

    def privacy(self) -> Privacy:
        """All that was found."""
        suspicions = sorted(said for found in self._found.values() for said in found.first)
        held = {which: found.rows for which, found in self._found.items()}
        return Privacy(tuple(said for *_at, said in suspicions), held, self._redacted.by_row(), self._not_due)

    def _suspect(self, batch: pa.RecordBatch, rows: Integers, suppliers: Mapping[str, Judged]) -> None:
        """Note each rule by which a row is held, with its field: the suppliers' first, then texts, then areas."""
        doubted = np.zeros(len(rows), np.bool_)
        order = 0
        for name, judged in suppliers.items():
            order += 1
            for rule in sorted({rule for _, one in judged.said for rule in one.rules}):
                self._note(batch, rows, judged.where(partial(_held_by, rule)), (order, name, rule))
            doubted |= judged.where(lambda one: one.doubted)
        for name in (*self._columns.texts, *self._columns.areas):
            order += 1
            for rule, at in hits(batch[name]).items():
                self._note(batch, rows, at, (order, name, rule))
        for name in (*self._columns.areas, *self._columns.texts):
            at = _among(doubted, triggered(batch[name].take(np.flatnonzero(doubted))))
            self._note(batch, rows, at, (order + 1, name, SERVICE_AREA))
            doubted &= ~at

    def _note(self, batch: pa.RecordBatch, rows: Integers, at: Flags, which: tuple[int, str, str]) -> None:
        if at.any():
            order, name, rule = which
            found = self._found.setdefault((name, rule), _Found())
            for place in found.new(rows, at):
                line = batch["line"][place].as_py()
                found.first.append((self._lines + place, order, rule, Suspicion(int(rows[place]), line, name, rule)))


def _held_by(rule: str, supplier: Supplier) -> bool:
    return rule in supplier.rules


@dataclass
class _Found:
    """The rows that one rule holds for one field, and the first of them, each with its place in the order of all."""

    rows: Rows = field(default_factory=Rows)
    first: list[tuple[int, int, str, Suspicion]] = field(default_factory=list)

    def new(self, rows: Integers, at: Flags) -> list[int]:
        """The first places of the rows `at` which the rule is met, of those rows that were not met before."""
        met = np.flatnonzero(at)
        if wanted := MADE - len(self.first):
            news = met[~self.rows.holding(rows[met])]
            _rows, once = np.unique(rows[news], return_index=True)
            news = news[np.sort(once)][:wanted]
        self.rows.add(rows[met])
        return news.tolist() if wanted else []


def _among(flags: Flags, of_these: Flags) -> Flags:
    """Truth values of all, from those of the ones that `flags` names."""
    found = flags.copy()
    found[flags] = of_these
    return found


def _columns(table: ReadTable, dataset: Dataset) -> _Columns:
    by_kind: dict[str, list[str]] = {"name": [], "area": [], "text": [], "dependent": []}
    for described in dataset.fields:
        if described.privacy and described.name in table.columns:
            by_kind[described.privacy].append(described.name)
    posts = [post for post in lists().named_posts if post.dataset == dataset.name]
    holders = {
        name: tuple(post for post in posts if post.field == name)
        for name in by_kind["name"]
        if any(post.field == name for post in posts)
    }
    suppliers = tuple(name for name in by_kind["name"] if name not in holders)
    return _Columns(suppliers, holders, tuple(by_kind["area"]), tuple(by_kind["text"]))
