"""Readings built by hand, as `piperoll.reading` would give them, for tests of what comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from string import ascii_uppercase

import pyarrow as pa

from piperoll import assets
from piperoll.checking import Examination, examine
from piperoll.checking.privacy.decisions import Decided
from piperoll.checking.privacy.rows import PrivacyResult, PrivacyScreen, finish_screens
from piperoll.model import Body, Dataset, Period, Register, Version, What
from piperoll.model.columns import texts
from piperoll.reading import SENT, ExcludedRow, Reading, ReadTable


def made_table(
    dataset: str = "spend",
    rows: Sequence[Mapping[str, str | None]] = (),
    *,
    columns: Sequence[str] | None = None,
    sheet: str | None = None,
    first_row: int = 2,
    numbers: Sequence[int] | None = None,
    unreadable: Mapping[str, Sequence[int]] | None = None,
    excluded: Sequence[tuple[int, str, Decimal | None]] = (),
    sent: Mapping[tuple[int, str], str] | None = None,
    batch_rows: int = 50,
) -> ReadTable:
    """A table whose cells are those of `rows`; row numbers from `first_row` on, or `numbers`.

    `sent` has the cells as sent, by row and field, where they differ.
    """
    names = list(columns) if columns is not None else list(dict.fromkeys(name for row in rows for name in row))
    at = list(numbers) if numbers is not None else list(range(first_row, first_row + len(rows)))
    schema = assets.dataset(dataset)
    batches = []
    letters = [
        *ascii_uppercase,
        *(f"A{letter}" for letter in ascii_uppercase),
        *(f"B{letter}" for letter in ascii_uppercase),
    ]
    for start in range(0, len(rows), batch_rows):
        part, row_numbers = rows[start : start + batch_rows], at[start : start + batch_rows]
        columns_made: dict[str, pa.Array] = {
            "row": pa.array(row_numbers, pa.int64()),
            "line": pa.nulls(len(part), pa.int64()) if sheet else pa.array(row_numbers, pa.int64()),
        }
        for name in names:
            cells = texts([row.get(name) for row in part])
            columns_made[name] = cells
            if schema.field(name).type != "string":
                there = zip(row_numbers, cells.to_pylist(), strict=True)
                columns_made[f"{name}{SENT}"] = texts([(sent or {}).get((row, name), cell) for row, cell in there])
        batches.append(pa.RecordBatch.from_pydict(columns_made))
    return ReadTable(
        sheet=sheet,
        header_row=first_row - 1,
        header_line=None if sheet else first_row - 1,
        columns={name: schema.field(name).title for name in names},
        column_letters={name: letters[index] for index, name in enumerate(names)},
        rows=len(set(at)),
        excluded_rows=tuple(ExcludedRow(row, row, kind, amount) for row, kind, amount in excluded),
        unreadable={name: tuple(rows) for name, rows in (unreadable or {}).items()},
        stored=tuple(batches),
    )


def made_reading(*tables: ReadTable, dataset: str = "spend", what: What = What.DATA, why: str | None = None) -> Reading:
    """A CSV file of `tables`."""
    return Reading(
        format="csv",
        encoding="utf-8",
        what=what,
        tables=tables,
        findings=(),
        dataset=assets.dataset(dataset),
        why=why,
    )


def examined(
    *tables: ReadTable,
    dataset: str = "spend",
    file: str = "spend 2026-10.csv",
    period: str | None = None,
    standing: Version | None = None,
    suite: str | None = None,
    what: What = What.DATA,
    body: Body | None = None,
    part: str | None = None,
    register: Register | None = None,
) -> Examination:
    """What examining `tables` gives, without plausibility unless there is a `suite`."""
    return examine(
        made_reading(*tables, dataset=dataset, what=what),
        file=file,
        sha256="0" * 64,
        size=1,
        body=body or Body.provisional_for("Anytown Council"),
        period=Period.parse(period) if period else None,
        part=part,
        standing=standing,
        suite=suite,
        register=register,
    )


def spend_row(**cells: str | None) -> dict[str, str | None]:
    """A row of spending with nothing wrong in it."""
    row: dict[str, str | None] = {
        "payment_date": "2026-10-05",
        "supplier_name": "Anytown Roofing Ltd",
        "net_amount": "1250.00",
        "purpose": "Roof repairs",
        "expense_area": "Housing repairs",
        "transaction_number": "T100",
    }
    return row | cells


def codes(examination: Examination) -> list[str]:
    """The codes of all findings, in order."""
    return [finding.code for finding in examination.report.findings]


def screen_table(table: ReadTable, dataset: Dataset) -> PrivacyResult:
    """Screen `table` as the only one of its file."""
    (result,) = screen_tables([table], dataset)
    return result


def screen_tables(
    tables: Iterable[ReadTable],
    dataset: Dataset,
    decided: Decided = Decided(),  # noqa: B008 - never changed
) -> list[PrivacyResult]:
    """Screen the tables of a file, each in passes of its own."""
    screens = []
    for table in tables:
        screens.append(PrivacyScreen(table, dataset, decided))
        for batch in table.batches():
            screens[-1].add(batch)
    return finish_screens(screens)
