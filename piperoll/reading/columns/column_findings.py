"""What there is to say about one column that was taken for a field."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from piperoll.model import Field, Finding
from piperoll.reading.cells.amounts import is_foreign, scale_of
from piperoll.reading.columns.assignment import Choice
from piperoll.reading.columns.heading_terms import is_gross, says_irrecoverable, sense
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.findings import cells as tell
from piperoll.reading.findings import columns as columns_say
from piperoll.reading.findings import sheets as say

_UNLIKE = 0.5
"""Below this most of a column's cells are of another kind than the field."""


def about_choice(choice: Choice, sheet: str | None, lexicon: Lexicon, *, headed: bool = True) -> list[Finding]:
    """What there is to say about a column that was taken for a field: how surely, and in which unit.

    What is guessed in a table without any headings (`headed` is False) is said elsewhere, of all columns together.
    """
    dataset, wanted = lexicon.dataset, lexicon.dataset.field(choice.field)
    found = []
    if headed and choice.how == "content" and (choice.heading.strip() or choice.field in dataset.core_fields):
        found.append(columns_say.column_guessed(sheet, wanted, choice))
    if choice.how in ("slip", "phrase"):
        found.append(say.heading_misspelt(sheet, wanted, choice.column, choice.heading))
    if headed and wanted.privacy == "name" and choice.fit < _UNLIKE:
        found.append(columns_say.column_unlike(sheet, wanted, choice))
    if choice.field == "transaction_number" and "invoice" in sense(choice.heading):
        found.append(columns_say.invoice_as_transaction(sheet, wanted, choice))
    if choice.field == "irrecoverable_vat" and headed and not says_irrecoverable(choice.heading):
        found.append(columns_say.vat_not_said(sheet, wanted, choice))
    if choice.field in dataset.amount:
        found += _about_amount(choice, sheet, wanted)
    if choice.contested and choice.field in dataset.core_fields:
        found.append(columns_say.column_doubtful(sheet, wanted, choice, amount=choice.field in dataset.amount))
    scale = scale_of(choice.heading) if wanted.type == "number" else Decimal(1)
    if scale != 1:
        found.append(tell.amount_scaled(sheet, wanted, choice.heading, scale))
    return found


def _about_amount(choice: Choice, sheet: str | None, wanted: Field) -> Iterator[Finding]:
    if is_foreign(choice.heading):
        yield tell.amount_not_in_pounds(sheet, wanted, choice.column, choice.heading)
    if is_gross(choice.heading):
        yield tell.amount_gross(sheet, wanted, choice.column, choice.heading)
