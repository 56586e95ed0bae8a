"""Unit costs: numerator lines and denominators from an outside table, which no dataset of ours has.

The table says for each body, measure and period which lines are added up, and by what they are divided: the definition
of a unit cost is published with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from piperoll.errors import UsageError
from piperoll.measuring.inputs import Inputs

SOURCES = ("unit-costs", "unit_costs")
"""The names under which the table can be given: `--source unit-costs=FILE`."""

_MONEY = pa.decimal128(38, 4)
_TYPES: Mapping[str, pa.DataType] = {
    "body": pa.string(),
    "measure": pa.string(),
    "title": pa.string(),
    "period": pa.string(),
    "bundle": pa.string(),
    "line": pa.string(),
    "gross": _MONEY,
    "income": _MONEY,
    "support": _MONEY,
    "denominator": _MONEY,
    "denominator_lo": _MONEY,
    "denominator_hi": _MONEY,
    "denominator_label": pa.string(),
    "counts_people": pa.bool_(),
    "published": _MONEY,
    "published_basis": pa.string(),
    "deflator": pa.decimal128(38, 8),
}
_COLUMNS = pa.schema(_TYPES)
"""The columns of the table; measures/unit-costs/measure.toml explains them.

All but body, measure, period, line, gross and denominator may be missing.
"""

_NEEDED = ("body", "measure", "period", "line", "gross", "denominator")


def make_unit_cost_lines(inputs: Inputs) -> pa.Table:
    """The table `unit_cost_lines`: the outside table with typed columns, of the bodies that are measured.

    Bodies may be given by slug, name or identifier; those that are not measured are left out.
    Raises: UsageError: a needed column is missing, or a number cannot be read.
    """
    given = next((found for name in SOURCES if (found := inputs.outside(name)) is not None), None)
    if given is None:
        return _COLUMNS.empty_table()
    if missing := [name for name in _NEEDED if name not in given.schema.names]:
        raise UsageError(f"the source unit-costs lacks the columns {', '.join(missing)}")
    slugs = {key.lower(): body.slug for body in inputs.bodies for key in (body.id, body.name, body.slug)}
    rows = []
    for row in given.to_pylist():
        slug = slugs.get(str(row["body"]).strip().lower())
        if slug is not None:
            rows.append({**{name: _read(row.get(name), name) for name in _COLUMNS.names}, "body": slug})
    rows.sort(key=lambda row: (row["body"], row["measure"], row["period"], row["line"] or ""))
    return pa.Table.from_pylist(rows, _COLUMNS)


def _read(cell: Any, name: str) -> Any:
    kind = _COLUMNS.field(name).type
    if cell is None or cell == "":
        return None
    if pa.types.is_boolean(kind):
        return str(cell).strip().lower() in ("true", "yes", "1")
    if pa.types.is_string(kind):
        return str(cell).strip()
    try:
        number = Decimal(str(cell).replace(",", "").replace("£", ""))
        return number.quantize(Decimal(1).scaleb(-kind.scale))
    except InvalidOperation:
        raise UsageError(f"the source unit-costs has '{cell}' in the column {name}, which is not a number") from None
