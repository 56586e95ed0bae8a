"""Derived tables: what several measures share and SQL alone cannot make, such as which supplier is which company.

A derived table is a pure function of the inputs. Register it in `TABLES` and name it under `tables` in measure.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from piperoll.measuring.contract_pairs import make_contract_pairs
from piperoll.measuring.inputs import Inputs
from piperoll.measuring.suppliers import supplier_identities
from piperoll.measuring.unit_costs import make_unit_cost_lines
from piperoll.measuring.unit_prices import make_unit_prices

MakeTable = Callable[[Inputs], pa.Table]

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
