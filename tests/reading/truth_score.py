"""Scores a Reading against one entry of truth.json: which measures are right, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from piperoll.model import EXCLUSIONS
from piperoll.reading import Reading, ReadTable

RENAMED = {
    "value": ("original_value", "current_value"),
    "end_date": ("original_end_date", "current_end_date"),
    "volume": ("completed",),
}


@dataclass(frozen=True)
class Score:
    """One measure of one table: right, or what was read against what is true.

    `field` is the field it is about, None where it is about the whole; `rows` are those on which both disagree.
    """

    file: str
    measure: str
    right: bool
    read: Any = None
    true: Any = None
    field: str | None = None
    rows: tuple[int, ...] = ()


def scores(file: str, truth: dict[str, Any], reading: Reading) -> Iterator[Score]:
    yield _same(file, "what", str(reading.what), truth["what"])
    if truth["format"] != "csv" or truth.get("why") != "empty":
        yield _same(file, "format", reading.format, truth["format"])
    if "encodings_giving_same_text" in truth:
        right = reading.encoding in truth["encodings_giving_same_text"]
        yield Score(file, "encoding", right, reading.encoding, truth["encodings_giving_same_text"])
    if truth["what"] != "data":
        return
    yield _same(file, "tables", len(reading.tables), len(truth["tables"]))
    for expected, table in zip(truth["tables"], reading.tables, strict=False):
        name = f"{file}#{expected['sheet']}" if expected["sheet"] else file
        yield from _table(name, truth, expected, table)


def _same(file: str, measure: str, read: Any, true: Any, field: str | None = None) -> Score:
    return Score(file, measure, read == true, read, true, field)


def _table(file: str, truth: dict[str, Any], true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    yield _same(file, "sheet", table.sheet, true["sheet"])
    yield _same(file, "header_row", table.header_row, true["header_row"] or 0)
    yield _same(file, "header_line", table.header_line, true["header_line"])
    other = [a["data_rows_without_them"] for a in truth["ambiguous"] if "data_rows_without_them" in a]
    yield Score(file, "data_rows", table.rows in [true["data_rows"], *other], table.rows, true["data_rows"])
    for kind in EXCLUSIONS:
        if kind != "blank" or truth["format"] == "csv":
            yield _same(file, f"excluded_{kind}", table.excluded.get(kind, 0), true["excluded"][kind])
    yield from _rows(file, true, table)
    if true["amount_total_pence"] is not None:
        yield from _amounts(file, truth, true, table)
    if true["date_format"] and truth["format"] != "json":
        yield from _dates(file, true, table)
    yield from _columns(file, true, table)


def _rows(file: str, true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    for kind, rows in true.get("excluded_rows", {}).items():
        read = [row.row for row in table.excluded_rows if row.kind == kind]
        differing = tuple(sorted({*read} ^ {*rows}))
        yield Score(file, "excluded_rows", read == rows, read, rows, rows=differing)


def _cells(table: ReadTable, column: str) -> list[str | None]:
    return [cell for batch in table.batches() for cell in batch.column(column).to_pylist()]


def _field(table: ReadTable, name: str) -> str | None:
    return next((each for each in RENAMED.get(name, (name,)) if each in table.columns), None)


def _main(table: ReadTable, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _amounts(file: str, truth: dict[str, Any], true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    name = _main(table, ("net_amount", "original_value", "current_value"))
    if name is None:
        yield Score(file, "amount_total", False, None, true["amount_total_pence"], "net_amount")
        return
    read = [Decimal(cell) for cell in _cells(table, name) if cell is not None]
    pence = int((sum(read, Decimal(0)) * 100).to_integral_value(ROUND_HALF_UP))
    right = [true["amount_total_pence"], true.get("amount_total_pence_if_each_row_rounded")]
    right += [a["total_pence_without_them"] for a in truth["ambiguous"] if "total_pence_without_them" in a]
    yield Score(file, "amount_total", pence in right, pence, right, name)
    yield from _gaps(file, "amount", name, true, table)
    rows = sorted(map(int, true.get("amount_unreadable_rows", {})))
    read_rows = sorted(table.unreadable.get(name, ()))
    differing = tuple(sorted({*read_rows} ^ {*rows}))
    yield Score(file, "amount_unreadable_rows", read_rows == rows, read_rows, rows, name, differing)


def _gaps(file: str, measure: str, name: str, true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    gaps = sum(cell is None for cell in _cells(table, name))
    unreadable = len(table.unreadable.get(name, ()))
    yield _same(file, f"{measure}_unreadable", unreadable, true[f"{measure}_unreadable"], name)
    yield _same(file, f"{measure}_missing", gaps - unreadable, true[f"{measure}_missing"], name)


def _dates(file: str, true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    name = _main(table, ("payment_date", "start_date", "release_date"))
    if name is None:
        yield Score(file, "date_min", False, None, true["date_min"], "payment_date")
        return
    days = [cell for cell in _cells(table, name) if cell is not None]
    yield _same(file, "date_min", min(days, default=None), true["date_min"], name)
    yield _same(file, "date_max", max(days, default=None), true["date_max"], name)
    yield from _gaps(file, "date", name, true, table)
    rows = sorted(map(int, true.get("date_unreadable_rows", {})))
    if rows:
        read_rows = sorted(table.unreadable.get(name, ()))
        differing = tuple(sorted({*read_rows} ^ {*rows}))
        yield Score(file, "date_unreadable_rows", read_rows == rows, read_rows, rows, name, differing)


def _columns(file: str, true: dict[str, Any], table: ReadTable) -> Iterator[Score]:
    for name, heading in true["columns"].items():
        field = _field(table, name)
        read = table.columns.get(field) if field else None
        right = read == (heading or "") and field is not None
        yield Score(file, "columns", right, f"{name}: {read!r}", heading, field or RENAMED.get(name, (name,))[0])
    for name, index in true.get("column_index", {}).items():
        field = _field(table, name)
        read = table.column_letters.get(field) if field else None
        named = field or RENAMED.get(name, (name,))[0]
        yield Score(file, "letters", read == _letter(index), f"{name}: {read}", _letter(index), named)


def _letter(index: int) -> str:
    return _letter(index // 26 - 1) + chr(65 + index % 26) if index >= 26 else chr(65 + index)


__all__ = ["Score", "scores"]
