"""Runs the query of one measure over small made-up tables that have the columns of published files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from piperoll import assets

MEASURES = Path(__file__).parents[2] / "measures"

Row = dict[str, Any]

_TYPES = {"integer": "BIGINT", "number": "DECIMAL(20, 4)", "boolean": "BOOLEAN", "date": "DATE"}
_ADDED = {
    "body": "VARCHAR",
    "series": "VARCHAR",
    "version": "BIGINT",
    "part": "VARCHAR",
    "line_date": "DATE",
    "month": "VARCHAR",
    "financial_year": "VARCHAR",
    "supplier_key": "VARCHAR",
    "payee_class": "VARCHAR",
    "adds_up": "BOOLEAN",
}
_RELEASES = {"published": "DATE", "current": "BOOLEAN"}
_BODIES = {
    "body": "VARCHAR",
    "name": "VARCHAR",
    "short_name": "VARCHAR",
    "kind": "VARCHAR",
    "region": "VARCHAR",
    "nation": "VARCHAR",
    "former": "BOOLEAN",
}
_YEARS = {"year": "VARCHAR", "period_start": "DATE", "period_end": "DATE"}


def connect(years: Sequence[str], bodies: Sequence[Row] = (), **datasets: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    """A database with the views of measures. `contract_releases` are the contracts, unless they are given."""
    connection = duckdb.connect()
    datasets = {"spend": (), "contracts": (), "transactions": (), **datasets}
    releases = datasets.pop("contract_releases", datasets["contracts"])
    for name, rows in datasets.items():
        _fill(connection, name, _columns(name), rows)
    _fill(connection, "contract_releases", _columns("contracts") | _RELEASES, releases)
    _fill(connection, "bodies", _BODIES, bodies)
    starts = [int(year[:4]) for year in years]
    periods = [
        {"year": year, "period_start": date(start, 4, 1), "period_end": date(start + 1, 3, 31)}
        for year, start in zip(years, starts, strict=True)
    ]
    _fill(connection, "years", _YEARS, periods)
    return connection


def run_query(measure: str, connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The rows of a measure's query; columns that it leaves out are missing."""
    result = connection.execute((MEASURES / measure / "query.sql").read_text("utf-8"))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _columns(dataset: str) -> dict[str, str]:
    fields = {field.name: _TYPES.get(field.type, "VARCHAR") for field in assets.dataset(dataset).fields}
    return fields | {name: kind for name, kind in _ADDED.items() if name not in fields}


def _fill(connection: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, str], rows: Sequence[Row]) -> None:
    columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    connection.execute(f"CREATE TABLE {name} ({columns})")
    for row in rows:
        named = ", ".join(f'"{column}"' for column in row)
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {name} ({named}) VALUES ({marks})", list(row.values()))
