"""An error of a table, as `validate` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Error:
    """One error: `type` is Frictionless's.

    `row` counts the records of the file from 1, the header included; None for what is no row's. `field` is the
    field's name: "" for a cell or label beyond the fields, None for what is no cell's. `number` is the column's, from
    1. `cell` is the cell or label as it stands, `rule` the constraint that is broken.
    """

    type: str
    row: int | None = None
    field: str | None = None
    number: int | None = None
    cell: str | None = None
    rule: str | None = None

    @property
    def words(self) -> str:
        """The error on one line."""
        where = [f"row {self.row}"] if self.row else []
        where += [f"field '{self.field}'"] if self.field else [f"column {self.number}"] if self.number else []
        told = f": {self.cell!r}" if self.cell is not None else ""
        return f"{', '.join(where) or 'table'}: {self.type}{f' ({self.rule})' if self.rule else ''}{told}"

    def to_json(self) -> dict[str, Any]:
        """The error as `piperoll validate --json` writes it."""
        return {
            "type": self.type,
            "row": self.row,
            "field": self.field,
            "fieldNumber": self.number,
            "cell": self.cell,
            "rule": self.rule,
        }
