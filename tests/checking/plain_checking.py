"""Checking one row, one cell and one day at a time, as it is meant: what whole columns must agree with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from piperoll.checking.privacy.columns import is_name_due, is_named_holder
from piperoll.checking.totals import exact_sum
from piperoll.model import Dataset, Period
from piperoll.people.lists import NamedPost, privacy_lists
from piperoll.people.private_people import redaction_kind
from piperoll.reading import ReadTable

Cells = Mapping[str, str | None]


def lines(table: ReadTable) -> Iterator[tuple[int, int | None, Cells]]:
    """Every line's row, physical line and cells."""
    for batch in table.batches():
        for cells in batch.to_pylist():
            yield cells["row"], cells["line"], cells


def redacted(table: ReadTable, dataset: Dataset) -> dict[int, str]:
    """The rows of which the name is left out, and why."""
    found: dict[int, str] = {}
    for row, _line, cells in lines(table):
        kinds = [kind for name in _suppliers(table, dataset) if (kind := redaction_kind(cells[name]))]
        if kinds:
            found[row] = kinds[0]
        if any(_undue(cells, name, posts) for name, posts in _holders(table, dataset).items()):
            found[row] = "personal"
    return found


def not_due(table: ReadTable, dataset: Dataset) -> dict[str, set[int]]:
    """The rows that name a holder whose name is not due."""
    holders = _holders(table, dataset).items()
    found = {name: {row for row, _, cells in lines(table) if _undue(cells, name, posts)} for name, posts in holders}
    return {name: rows for name, rows in found.items() if rows}


def missing_rows(table: ReadTable, field: str) -> set[int]:
    """The rows where no line has a cell of `field`, not even one that cannot be read."""
    there = {row for row, _line, cells in lines(table) if cells[field] is not None}
    return {row for row, _line, _cells in lines(table)} - there - set(table.unreadable.get(field, ()))


def unreadable_core(table: ReadTable, dataset: Dataset) -> list[tuple[int, str]]:
    """The rows that are held because of a core group no cell can be read, and the last of its fields with one."""
    found: list[tuple[int, str]] = []
    for group in dataset.core:
        names = [name for name in group if name in table.columns]
        suspects = {row: name for name in names for row in table.unreadable.get(name, ())}
        readable = {row for row, _line, cells in lines(table) for name in names if cells[name] is not None}
        found += [(row, suspects[row]) for row in sorted(suspects.keys() - readable)]
    return found


def total(table: ReadTable, field: str, rows: Collection[int] | None = None, *, absolute: bool = False) -> Decimal:
    """The sum of the amounts in `rows` (None: in all), in order."""
    amounts = (
        Decimal(cell)
        for row, _line, cells in lines(table)
        if (cell := cells[field]) is not None and (rows is None or row in rows)
    )
    return exact_sum(map(abs, amounts) if absolute else amounts)


def _undue(cells: Cells, name: str, posts: Sequence[NamedPost]) -> bool:
    return is_named_holder(cells[name]) and not any(is_name_due(post, cells.get(post.by)) for post in posts)


def _holders(table: ReadTable, dataset: Dataset) -> dict[str, list[NamedPost]]:
    posts = [post for post in privacy_lists().named_posts if post.dataset == dataset.name]
    by_name = {name: [post for post in posts if post.field == name] for name in _of_kind("name", table, dataset)}
    return {name: posts for name, posts in by_name.items() if posts}


def _suppliers(table: ReadTable, dataset: Dataset) -> list[str]:
    return [name for name in _of_kind("name", table, dataset) if name not in _holders(table, dataset)]


def _of_kind(kind: str, table: ReadTable, dataset: Dataset) -> list[str]:
    return [field.name for field in dataset.fields if field.privacy == kind and field.name in table.columns]


def _month(day: date) -> Period:
    return Period.month(day.year, day.month)


def _quarter(day: date) -> Period:
    return Period.quarter(day.year, (day.month + 2) // 3)


def _year(day: date) -> Period:
    return Period.financial_year(day.year if day.month >= 4 else day.year - 1)


def _index(day: date) -> int:
    return day.year * 12 + day.month
