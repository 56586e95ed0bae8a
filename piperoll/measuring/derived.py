"""Derived tables: what several measures share and SQL alone cannot make, such as which supplier is which company.

A derived table is a pure function of the inputs. Register it in `TABLES` and name it under `tables` in measure.toml.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from piperoll.errors import UsageError
from piperoll.measuring.companies import read_companies
from piperoll.measuring.contract_pairs import make_contract_pairs
from piperoll.measuring.inputs import Inputs
from piperoll.measuring.suppliers import supplier_identities
from piperoll.measuring.unit_costs import make_unit_cost_lines
from piperoll.measuring.unit_prices import make_unit_prices

MakeTable = Callable[[Inputs], pa.Table]

RULES_VERSION = "1"
"""The version of the functions that make derived tables. Raise it when one changes, and they are made again."""

TABLES: Mapping[str, MakeTable] = {
    "contract_pairs": make_contract_pairs,
    "supplier_identities": supplier_identities,
    "unit_cost_lines": make_unit_cost_lines,
    "unit_prices": make_unit_prices,
}
"""The function that makes each derived table, by the name that queries use."""

OUTSIDE: Mapping[str, Mapping[str, str]] = {
    "population": {"body": "VARCHAR", "year": "VARCHAR", "population": "BIGINT"},
    "control_totals": {
        "body": "VARCHAR",
        "year": "VARCHAR",
        "spend_gbp": "DECIMAL(38, 2)",
        "pay_gbp": "DECIMAL(38, 2)",
        "on_cost_rate": "DECIMAL(9, 6)",
    },
    "grade_counts": {
        "body": "VARCHAR",
        "year": "VARCHAR",
        "grade": "VARCHAR",
        "posts": "DECIMAL(18, 4)",
        "rounded_to": "BIGINT",
    },
    "systems": {
        "body": "VARCHAR",
        "year": "VARCHAR",
        "capability": "VARCHAR",
        "system": "VARCHAR",
        "ownership": "VARCHAR",
        "cost_gbp": "DECIMAL(38, 2)",
    },
    "company_groups": {"company_number": "VARCHAR", "group_number": "VARCHAR", "group_name": "VARCHAR"},
    "deflator": {"year": "VARCHAR", "index": "DECIMAL(18, 6)"},
}
"""Outside tables that a query can name under `tables`, with their columns: without a source, they have no rows."""

READERS: Mapping[str, Callable[[Path], pa.Table]] = {"companies": read_companies}
"""How to read an outside source that is no simple CSV, by its name: the parser of a register."""


def read_outside(name: str, path: Path) -> pa.Table:
    """Read an outside source: by its reader, else as CSV with a heading row, typed by `OUTSIDE` if that lists it.

    Raises: UsageError: it is not such a CSV, lacks a column, or has a value of another type.
    """
    if name in READERS:
        return READERS[name](path)
    try:
        content = path.read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(content)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the source {name} is not a CSV in UTF-8: {error}") from error
    columns = OUTSIDE.get(name) or dict.fromkeys(rows[0] if rows else (), "VARCHAR")
    if missing := [column for column in columns if not rows or column not in rows[0]]:
        raise UsageError(f"the source {name} needs the columns {', '.join(columns)}: {', '.join(missing)} is missing")
    texts = pa.table({column: pa.array([row[column] or None for row in rows], pa.string()) for column in columns})
    with duckdb.connect() as connection:
        connection.register("texts", texts)
        chosen = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in columns.items())
        try:
            typed: pa.Table = connection.sql(f"SELECT {chosen} FROM texts").to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(f"the source {name} has a value of another type: {error}") from error
    return typed
