"""Runs a measure over small made-up tables, through the engine: views, query, checks and peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from piperoll import assets
from piperoll.measuring.definition import Measure, find_measure
from piperoll.measuring.engine import run_measure as run_in_engine
from piperoll.measuring.inputs import Inputs, Lines, ReleaseFile
from piperoll.measuring.rows import MeasuredBody
from piperoll.model import Body, DecisionEntry, Period

Row = dict[str, Any]


def run_measure(
    measure: str | Measure,
    *,
    years: Sequence[str] = ("2026-27",),
    bodies: Sequence[Body] | Mapping[str, str] = (),
    accounts: Sequence[Row] = (),
    held: Sequence[Row] = (),
    contract_releases: Sequence[Row] | Sequence[ReleaseFile] | None = None,
    outside: Mapping[str, Sequence[Row] | pa.Table] | None = None,
    reviews: Sequence[DecisionEntry] = (),
    replies: Mapping[tuple[str, str], str] | None = None,
    **lines: Sequence[Row],
) -> list[Row]:
    """The rows of a measure for some financial years, as dicts with the columns of the long table.

    Lines are given by dataset (`spend=[{"body": "anytown", "net_amount": "10.00"}, …]`): columns that a row lacks are
    NULL, a `financial_year` that it lacks is the first of `years`, and a `supplier_key` is not made. Lines of years
    after the one measured are not seen. `bodies` maps slugs to kinds; those that only lines name are councils.
    Without `contract_releases`, the contracts are the only version of their tables.
    """
    definition = measure if isinstance(measure, Measure) else find_measure(measure)
    given = {name: [_complete(row, years[0]) for row in rows] for name, rows in lines.items()}
    named = {row["body"] for rows in (*given.values(), accounts, held, contract_releases or ()) for row in rows}
    known = _make_bodies(bodies, named)
    if contract_releases is None:
        keys = {"financial_year", "line_date", "month", "supplier_key", "payee_class"}
        contract_releases = [
            {"published": "2026-11-01", "current": True, **{key: row[key] for key in row if key not in keys}}
            for row in given.get("contracts", ())
        ]
    made: list[Row] = []
    for year in years:
        seen = {
            name: [row for row in given.get(name, ()) if _is_seen(row, year, definition)]
            for name in assets.dataset_names()
        }
        tables = {
            name: table if isinstance(table, pa.Table) else pa.Table.from_pylist(list(table))
            for name, table in (outside or {}).items()
        }
        period = Period.parse_year(year)
        views = {name: Lines(assets.dataset(name), rows=rows) for name, rows in seen.items()}
        described = [MeasuredBody.of(body, period) for body in known]
        with Inputs(period, described, views, accounts, held, contract_releases, tables, reviews) as inputs:
            made += run_in_engine(definition, inputs, replies).to_pylist()
    return made


def find_row(rows: Sequence[Row], figure: str, item: str = "", body: str | None = None) -> Row:
    """The one row of a figure and item, and of a body if it is given."""
    (found,) = [row for row in rows if (row["figure"], row["item"]) == (figure, item) and body in (None, row["body"])]
    return found


def _complete(row: Row, year: str) -> Row:
    return {"financial_year": year, **row}


def _is_seen(row: Row, year: str, measure: Measure) -> bool:
    """Whether a line is of the year measured or of an earlier one that the measure reads; lines of no year are."""
    own = row["financial_year"]
    earliest = "" if measure.earlier_years is None else f"{int(year[:4]) - measure.earlier_years:04}"
    return own is None or earliest <= own <= year


def _make_bodies(bodies: Sequence[Body] | Mapping[str, str], named: set[str]) -> list[Body]:
    listed = [] if isinstance(bodies, Mapping) else list(bodies)
    kinds = {**dict.fromkeys(sorted(named), "council"), **(bodies if isinstance(bodies, Mapping) else {})}
    known = {body.slug for body in listed}
    return listed + [
        Body(f"XI-PIPEROLL-{slug}", slug, slug.replace("-", " ").title(), kind)
        for slug, kind in kinds.items()
        if slug not in known
    ]
