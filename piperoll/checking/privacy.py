"""Privacy: which rows are held, and of which the name is left out, before anything is public.

STANDARDS §9. A cell is examined by its field's `x_privacy`: `name` may name a person, `area` is a service area that
may be a trigger, `text` is free. A row is held when a text holds something personal, when a supplier looks like a
private person, or when a service area is a trigger and the supplier is not evidently an organisation. A holder of a
post whose name is not due is left out instead, and so is a name that the body has redacted itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from piperoll.checking.detectors import personal_rules
from piperoll.checking.lists import NamedPost, lists, spelling
from piperoll.checking.names import evidently_organisation, person_rule
from piperoll.model import Dataset
from piperoll.reading import ReadTable

SERVICE_AREA = "service-area"
NAME_NOT_DUE = "name-not-due"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cell that holds its row, and by which rule; never what it says."""

    row: int
    line: int | None
    field: str
    rule: str


@dataclass(frozen=True)
class Privacy:
    """What privacy says about one table: what holds rows, rows whose name is left out and why, names not due."""

    suspicions: tuple[Suspicion, ...] = ()
    redacted: Mapping[int, str] = field(default_factory=dict)
    not_due: Mapping[str, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Columns:
    """The fields of a table that may be personal, by what they are."""

    suppliers: tuple[str, ...]
    holders: Mapping[str, tuple[NamedPost, ...]]
    areas: tuple[str, ...]
    texts: tuple[str, ...]


def privacy(table: ReadTable, dataset: Dataset) -> Privacy:
    """What privacy says about `table`."""
    columns = _columns(table, dataset)
    suspicions: list[Suspicion] = []
    redacted: dict[int, str] = {}
    not_due: dict[str, set[int]] = {}
    for batch in table.batches():
        for row, line, cells in _rows(batch, columns):
            kinds = [kind for name in columns.suppliers if (kind := redaction(cells[name]))]
            if kinds:
                redacted[row] = kinds[0]
            for rule, name in _suspicious(cells, columns):
                suspicions.append(Suspicion(row, line, name, rule))
            for name, posts in columns.holders.items():
                if _is_named(cells[name]) and not any(_due(post, cells.get(post.by)) for post in posts):
                    not_due.setdefault(name, set()).add(row)
                    redacted[row] = "personal"
    kept = {name: frozenset(rows) for name, rows in not_due.items()}
    return Privacy(tuple(dict.fromkeys(suspicions)), redacted, kept)


def redaction(name: str | None) -> str | None:
    """The kind of redaction that stands in a supplier's cell (STANDARDS §2.2), None where a supplier is named.

    "Redactive Publishing Ltd" is a firm, and so is whatever bears a legal form.
    """
    if name is None or lists().strong.intersection(spelling(name).split()):
        return None
    return next((kind for pattern, kind in lists().redactions if pattern.search(name)), None)


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


def _rows(batch: pa.RecordBatch, columns: _Columns) -> Iterator[tuple[int, int | None, dict[str, str | None]]]:
    needed = [*columns.suppliers, *columns.holders, *columns.areas, *columns.texts]
    needed += [post.by for posts in columns.holders.values() for post in posts]
    names = [name for name in dict.fromkeys(needed) if name in batch.schema.names]
    cells = [batch[name].to_pylist() for name in names]
    for row, line, *values in zip(batch["row"].to_pylist(), batch["line"].to_pylist(), *cells, strict=True):
        yield row, line, dict(zip(names, values, strict=True))


def _suspicious(cells: Mapping[str, str | None], columns: _Columns) -> Iterator[tuple[str, str]]:
    """Each rule by which a row is held, with its field."""
    named = [name for name in columns.suppliers if cells[name] and not redaction(cells[name])]
    for name in named:
        cell = cells[name] or ""
        rules = personal_rules(cell) - {"titled-name", "phone"}  # a merchant's telephone number is its name on a card
        yield from ((rule, name) for rule in sorted(rules | {person_rule(cell) or ""} - {""}))
    for name in (*columns.texts, *columns.areas):
        yield from ((rule, name) for rule in sorted(personal_rules(cells[name] or "")))
    if all(evidently_organisation(cells[name] or "") for name in named):
        return
    for name in (*columns.areas, *columns.texts):
        if lists().triggers.search(cells[name] or ""):
            yield SERVICE_AREA, name
            return


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


def rows_by_rule(suspicions: Iterable[Suspicion]) -> dict[int, frozenset[str]]:
    """The codes that hold each row."""
    held: dict[int, set[str]] = {}
    for suspicion in suspicions:
        held.setdefault(suspicion.row, set()).add(f"privacy-{suspicion.rule}")
    return {row: frozenset(codes) for row, codes in held.items()}
