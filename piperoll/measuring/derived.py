"""Derived tables: what several measures share and SQL alone cannot make, such as which supplier is which company.

A derived table is a pure function of the inputs. Register it in `TABLES` and name it under `tables` in measure.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from piperoll.measuring.inputs import Inputs

MakeTable = Callable[[Inputs], pa.Table]

TABLES: Mapping[str, MakeTable] = {}
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
    "systems": {
        "body": "VARCHAR",
        "year": "VARCHAR",
        "capability": "VARCHAR",
        "system": "VARCHAR",
        "ownership": "VARCHAR",
        "cost_gbp": "DECIMAL(38, 2)",
    },
    "deflator": {"year": "VARCHAR", "index": "DECIMAL(18, 6)"},
}
"""Outside tables that a query can name under `tables`, with their columns: without a source, they have no rows."""
