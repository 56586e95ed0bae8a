"""Where a table has no headings: which other columns each field may be, by what the columns hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.model import Dataset, Field, Finding
from piperoll.reading.columns.assigning import Columns
from piperoll.reading.columns.profiles import Profile
from piperoll.reading.findings import unheaded as say
from piperoll.reading.findings.values import Column

_SEEN = 0.3
"""The least share of a column's rows that must hold something for it to be another field's place."""


def about_guesses(
    columns: Columns, profiles: Sequence[Profile], dataset: Dataset, sheet: str | None
) -> Iterator[Finding]:
    """One warning for each field that was told by content alone, and for each name that was not told at all."""
    for name, choice in columns.choices.items():
        wanted = dataset.field(name)
        others = [column for column in _fitting(wanted, profiles) if column != choice.column]
        yield say.column_told_by_content(Column(wanted, choice.column, "", sheet), others)
    for wanted in dataset.fields:
        if wanted.name.endswith("_name") and wanted.name not in columns.choices:
            left = [column for column in _fitting(wanted, profiles) if column not in columns.used]
            if left:
                yield say.column_not_told(wanted, left, sheet)


def _fitting(wanted: Field, profiles: Sequence[Profile]) -> list[int]:
    """The columns whose cells are of the field's kind: days, numbers or words."""
    seen = [(column, profile) for column, profile in enumerate(profiles) if profile.filled >= _SEEN]
    if wanted.type == "date":
        return [column for column, profile in seen if profile.dates > 0.5]
    if wanted.type in ("number", "integer"):
        return [column for column, profile in seen if profile.numbers > 0.5 and not profile.counts_up]
    return [column for column, profile in seen if profile.numbers < 0.5 and profile.dates < 0.5]
