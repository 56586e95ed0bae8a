"""Findings about one column that was read as a field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from piperoll.findings import make_finding
from piperoll.model import Address, Field, Finding, Severity
from piperoll.reading.cells.amounts import find_scale, is_foreign
from piperoll.reading.cells.decisions import FieldColumn
from piperoll.reading.columns.assignment import ColumnChoice
from piperoll.reading.columns.lexicon import Lexicon, vat_basis
from piperoll.reading.grids.grid import letter

_LEAST_FIT = 0.5
"""Below this fit, most cells of a column are of another type than the field."""


def make_column_finding(
    code: str,
    sheet: str | None,
    wanted: Field,
    choice: ColumnChoice,
    *,
    variant: str = "",
    severity: Severity | None = None,
    **more: Any,
) -> Finding:
    """Make a finding about the column that was read as a field; its templates may name the heading and the field."""
    return make_finding(
        code,
        Address(sheet, column=letter(choice.column), field=wanted.name),
        variant=variant,
        severity=severity,
        value=choice.heading,
        heading=choice.heading.strip(),
        title=wanted.title,
        field_title=wanted.title.lower(),
        **more,
    )


def find_column_doubts(
    choice: ColumnChoice, sheet: str | None, lexicon: Lexicon, *, headed: bool = True
) -> list[Finding]:
    """Return the findings about one column: how certain its field is, and its unit.

    In a table without headings (`headed` is False), `headless.find_guessed_columns` reports the guesses instead.
    """
    dataset, wanted = lexicon.dataset, lexicon.dataset.field(choice.field)
    found = []
    if headed and choice.how == "content" and (choice.heading.strip() or choice.field in dataset.core_fields):
        other = "" if choice.runner_up is None else letter(choice.runner_up)
        variant = ("headed-" if choice.heading.strip() else "") + ("other" if other else "only")
        found.append(
            make_column_finding(
                "column-guessed", sheet, wanted, choice, variant=variant, reason=choice.why[0], other=other
            )
        )
    if choice.how in ("slip", "phrase"):
        found.append(make_column_finding("heading-guessed", sheet, wanted, choice))
    if headed and wanted.privacy == "name" and choice.fit < _LEAST_FIT:
        found.append(make_column_finding("column-unlike-heading", sheet, wanted, choice))
    for warning in wanted.reading.heading_warnings if headed else ():
        if warning.applies_to(choice.heading):
            found.append(make_column_finding(warning.finding, sheet, wanted, choice))
    if choice.field in dataset.amount:
        column = FieldColumn(wanted, choice.column, choice.heading, sheet)
        if is_foreign(choice.heading):
            found.append(column.finding("amount-not-in-pounds", variant="heading", value=choice.heading))
        if vat_basis(choice.heading) == "gross":
            found.append(column.finding("amount-gross-used", value=choice.heading))
    if choice.contested and choice.field in dataset.core_fields:
        code = "amount-column-doubtful" if choice.field in dataset.amount else "column-doubtful"
        other, heading = letter(choice.runner_up or 0), choice.runner_up_heading.strip()
        found.append(make_column_finding(code, sheet, wanted, choice, other=other, other_heading=heading))
    scale = find_scale(choice.heading) if wanted.type == "number" else Decimal(1)
    if scale != 1:
        # The address has no column, because the heading gives the unit and not a cell.
        address = Address(sheet=sheet, field=wanted.name)
        heading = choice.heading.strip()
        found.append(make_finding("amount-scaled", address, value=choice.heading, heading=heading, scale=scale))
    return found
