"""Made-up tables whose cells do not stand below their headings, with what each row must be read as."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

ROWS = 48
"""Rows in each table."""

_FIRST = [
    "Alder",
    "Birch",
    "Cherry",
    "Damson",
    "Elder",
    "Fir",
    "Gorse",
    "Hazel",
    "Ivy",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Poplar",
    "Rowan",
    "Sorrel",
]
_TRADE = [
    "Roofing",
    "Catering",
    "Fleet",
    "Print",
    "Scaffolding",
    "Recycling",
    "Software",
    "Care Homes",
    "Timber",
    "Joinery",
]
_FORM = ["Ltd", "Limited", "plc", "LLP", "Ltd", "Group Ltd", "(UK) Ltd", "Association", "Trust", "& Sons Ltd"]
_AREAS = [
    "Highways",
    "Adult Care",
    "Libraries",
    "Parks and Open Spaces",
    "Revenues",
    "Housing",
    "Legal",
    "Planning",
    "Waste",
]
_TYPES = [
    "Repairs and Maintenance",
    "Agency Staff",
    "Stationery",
    "Electricity",
    "Rent",
    "Training",
    "Vehicle Hire",
    "Postage",
]
_TEXTS = [
    "Replacement of doors",
    "Supply of paper",
    "Monthly charge",
    "Works at depot",
    "Survey of roofs",
    "Cleaning in May",
]

Column = tuple[str, str, str | None]
"""A heading, the kind of its cells, and the field that they are read as (None: not part of the dataset)."""

LAYOUTS: dict[str, tuple[Column, ...]] = {
    "treasury": (
        ("Department Family", "family", "department_family"),
        ("Entity", "body", "body_name"),
        ("Date", "date", "payment_date"),
        ("Expense Type", "type", "expense_type"),
        ("Expense Area", "area", "expense_area"),
        ("Supplier", "supplier", "supplier_name"),
        ("Transaction Number", "number", "transaction_number"),
        ("Amount", "amount", "net_amount"),
    ),
    "treasury with description": (
        ("Department Family", "family", "department_family"),
        ("Entity", "body", "body_name"),
        ("Date", "date", "payment_date"),
        ("Expense Type", "type", "expense_type"),
        ("Expense Area", "area", "expense_area"),
        ("Supplier", "supplier", "supplier_name"),
        ("Transaction Number", "code", "transaction_number"),
        ("Amount", "amount", "net_amount"),
        ("Description", "text", "description"),
        ("Supplier Postcode", "postcode", None),
    ),
    "whole pounds": (
        ("Entity", "body", "body_name"),
        ("Payment Date", "date", "payment_date"),
        ("Expense Type", "type", "expense_type"),
        ("Supplier Name", "supplier", "supplier_name"),
        ("Transaction Number", "rising", "transaction_number"),
        ("Amount", "pounds", "net_amount"),
    ),
    "council": (
        ("Body Name", "body", "body_name"),
        ("Organisational Unit", "area", "org_unit"),
        ("Expenditure Category", "type", "expense_type"),
        ("Payment Date", "date", "payment_date"),
        ("Transaction Number", "code", "transaction_number"),
        ("Net Amount", "amount", "net_amount"),
        ("Supplier Name", "supplier", "supplier_name"),
    ),
    "date first": (
        ("Payment Date", "date", "payment_date"),
        ("Transaction Number", "rising", "transaction_number"),
        ("Supplier Name", "supplier", "supplier_name"),
        ("Service", "area", None),
        ("Expense Type", "type", "expense_type"),
        ("Net Amount", "amount", "net_amount"),
    ),
    "amount first": (
        ("Amount", "amount", "net_amount"),
        ("Date", "date", "payment_date"),
        ("Supplier", "supplier", "supplier_name"),
        ("Purpose", "text", "purpose"),
        ("Transaction Number", "number", "transaction_number"),
    ),
    "short": (
        ("Date", "date", "payment_date"),
        ("Supplier", "supplier", "supplier_name"),
        ("Amount", "amount", "net_amount"),
    ),
    "coded": (
        ("Entity", "body", "body_name"),
        ("Date", "date", "payment_date"),
        ("Transaction Number", "number", "transaction_number"),
        ("Supplier Name", "supplier", "supplier_name"),
        ("Supplier ID", "code", "supplier_local_id"),
        ("Expense Code", "short code", "expense_code"),
        ("Expense Type", "type", "expense_type"),
        ("Net Amount", "amount", "net_amount"),
    ),
    "with tax": (
        ("Supplier Name", "supplier", "supplier_name"),
        ("Payment Date", "date", "payment_date"),
        ("Net Amount", "amount", "net_amount"),
        ("Irrecoverable VAT", "tax", "irrecoverable_vat"),
        ("Purpose", "text", "purpose"),
        ("Organisational Unit", "area", "org_unit"),
        ("Transaction Number", "code", "transaction_number"),
    ),
    "health": (
        ("Department Family", "family", "department_family"),
        ("Entity", "body", "body_name"),
        ("Date", "iso", "payment_date"),
        ("Expense Type", "type", "expense_type"),
        ("Expense Area", "area", "expense_area"),
        ("Supplier", "supplier", "supplier_name"),
        ("Transaction Number", "rising", "transaction_number"),
        ("AP Amount (£)", "commas", "net_amount"),
        ("VAT Registration Number", "number", None),
        ("Expenditure Category", "text", None),
    ),
    "card": (
        ("Date of Transaction", "iso", "payment_date"),
        ("Merchant Name", "supplier", "supplier_name"),
        ("Transaction Reference", "code", "transaction_number"),
        ("Amount", "amount", "net_amount"),
        ("Purpose", "text", "purpose"),
    ),
    "notes last": (
        ("Date Paid", "date", "payment_date"),
        ("Department", "area", None),
        ("Supplier", "supplier", "supplier_name"),
        ("Invoice Ref", "rising", "transaction_number"),
        ("Net Amount", "pounds", "net_amount"),
        ("Contract Ref", "blank", "contract_ref"),
        ("Notes", "blank", None),
    ),
}


def _amount(random: Random) -> float:
    return round(500 * 10 ** random.uniform(0, 2.5), 2)


_CELLS: dict[str, Callable[[Random, int], str]] = {
    "family": lambda _random, _row: "Department for Woods",
    "body": lambda _random, _row: "Ash Valley Agency",
    "date": lambda _random, row: f"{1 + row * 27 // ROWS:02}/05/2024",
    "iso": lambda _random, row: f"2024-05-{1 + row * 27 // ROWS:02}",
    "type": lambda random, _row: random.choice(_TYPES),
    "area": lambda random, _row: random.choice(_AREAS),
    "text": lambda random, _row: f"{random.choice(_TEXTS)} {random.choice(_AREAS).lower()}",
    "supplier": lambda random, _row: f"{random.choice(_FIRST)} {random.choice(_TRADE)} {random.choice(_FORM)}",
    "number": lambda random, _row: str(random.randint(3_000_000, 8_999_999)),
    "rising": lambda random, row: str(5_104_000 + 7 * row + random.randint(0, 6)),
    "code": lambda random, _row: f"INV{random.randint(10_000, 99_999)}",
    "short code": lambda random, _row: str(random.choice([41_010, 41_020, 52_110, 52_115, 60_300])),
    "postcode": lambda random, _row: f"ZZ{random.randint(1, 20)} {random.randint(1, 9)}QX",
    "amount": lambda random, _row: f"{_amount(random):.2f}",
    "commas": lambda random, _row: f"{_amount(random):,.2f}",
    "pounds": lambda random, _row: f"{_amount(random):.0f}",
    "tax": lambda random, _row: f"{_amount(random) / 50:.2f}",
    "blank": lambda _random, _row: "",
}

EXTRA = ("blank", "number", "area", "row number", "code", "repeat")
"""What the cell that stands too many may hold."""


@dataclass(frozen=True)
class ShiftedTable:
    """A table as sent, and what it is: the value of each field in each row, by the number of the row."""

    name: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    truth: dict[int, dict[str, str]]

    def to_csv(self) -> bytes:
        """The table as a text file."""
        text = io.StringIO()
        csv.writer(text).writerows([self.headings, *self.rows])
        return text.getvalue().encode()


def plain_table(layout: str, seed: int) -> ShiftedTable:
    """The table of a layout with each cell below its own heading."""
    random, columns = Random(f"{layout} {seed}"), LAYOUTS[layout]  # noqa: S311
    rows = [[_CELLS[kind](random, row) for _, kind, _ in columns] for row in range(ROWS)]
    truth = {
        number: {field: cell for (_, _, field), cell in zip(columns, cells, strict=True) if field}
        for number, cells in enumerate(rows, start=2)
    }
    return ShiftedTable(layout, [heading for heading, _, _ in columns], rows, truth)


def shifted_tables(seed: int) -> Iterator[ShiftedTable]:
    """Every layout, shifted to the left and right, from the start, the middle and the end, in all rows and in some."""
    for layout, columns in LAYOUTS.items():
        places = {"start": 0, "middle": len(columns) // 2, "end": len(columns) - 1}
        for place, column in places.items():
            for side in ("right", "left"):
                for first in (0, ROWS * 3 // 5):
                    yield _shift(plain_table(layout, seed), place, column, side, first, seed)


def _shift(table: ShiftedTable, place: str, column: int, side: str, first: int, seed: int) -> ShiftedTable:
    name = f"{table.name}: {side} from the {place}, {'all rows' if not first else f'from row {first + 2}'}"
    random, columns = Random(f"{name} {seed}"), LAYOUTS[table.name]  # noqa: S311
    extra, padded = random.choice(EXTRA), random.random() < 0.5
    rows, truth = [list(row) for row in table.rows], {number: dict(own) for number, own in table.truth.items()}
    for index in range(first, len(rows)):
        if side == "right":
            cell = {"row number": str(index + 1), "repeat": rows[index][column]}.get(extra)
            rows[index].insert(column, _CELLS[extra](random, index) if cell is None else cell)
            continue
        del rows[index][column]
        truth[index + 2].pop(columns[column][2] or "", None)
    headings, width = list(table.headings), max(map(len, rows))
    if padded:
        headings += [""] * (width - len(headings))
        rows = [row + [""] * (max(width, len(headings)) - len(row)) for row in rows]
    return ShiftedTable(f"{name} ({extra}{', padded' if padded else ''})", headings, rows, truth)
