"""What there is to say about one column that was taken for a field."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Finding
from piperoll.reading import findings as say
from piperoll.reading import findings_cells as tell
from piperoll.reading.amounts import is_foreign, scale_of
from piperoll.reading.columns import Choice, is_gross
from piperoll.reading.lexicon import Lexicon


def about_choice(choice: Choice, sheet: str | None, lexicon: Lexicon) -> list[Finding]:
    """What there is to say about a column that was taken for a field: how surely, and in which unit."""
    dataset, wanted = lexicon.dataset, lexicon.dataset.field(choice.field)
    found = []
    if choice.how == "content" and choice.heading.strip():
        found.append(say.column_guessed(sheet, wanted, choice.column, choice.heading, "by what it holds"))
    named = max((match.score for match in lexicon.meanings(choice.heading) if match.field == choice.field), default=1.0)
    if named < 0.9:
        found.append(say.heading_misspelt(sheet, wanted, choice.column, choice.heading))
    if choice.field in dataset.amount:
        if is_foreign(choice.heading):
            found.append(tell.amount_not_in_pounds(sheet, wanted, choice.column, choice.heading))
        if is_gross(choice.heading):
            found.append(tell.amount_gross(sheet, wanted, choice.column, choice.heading))
        if choice.runner_up is not None and choice.runner_up_score > choice.score - 0.03 and choice.score > 0.3:
            found.append(tell.amount_column_doubtful(sheet, wanted, choice.column, choice.runner_up, choice.heading))
    scale = scale_of(choice.heading) if wanted.type == "number" else Decimal(1)
    if scale != 1:
        found.append(tell.amount_scaled(sheet, wanted, choice.heading, scale))
    return found
