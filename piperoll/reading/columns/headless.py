"""Tables without headings: recognise the columns by their cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Field, Finding, Level, Origin
from piperoll.reading.columns.assignment import ColumnChoice, Columns
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.grids.grid import letter

_LEAST_ROWS = 3
"""With fewer rows, contents alone do not show which column is which."""

_WEB = r"^(?:https?://|www[.])"
"""A column of web addresses describes nothing, however long and varied they are."""
_SCORE = 0.4
"""The highest score of a column without a heading, below that of any heading that fits."""


def recognise_headless(profiles: Sequence[ColumnProfile], rows: int, dataset: Dataset) -> Columns | None:
    """Return the core columns by their cells; None if this cannot be a table of the dataset.

    Columns of dates are the dataset's date fields from left to right. The only column of money is the amount. The
    column most like names of organisations is the supplier. The longest and most varied text is the title or purpose. A
    row counter is never a reference. A dataset whose core has no date or no amount cannot be recognised this way.
    """
    if rows < _LEAST_ROWS or not (dataset.amount and dataset.date):
        return None
    filled = [(column, profile) for column, profile in enumerate(profiles) if profile.filled > 0.5]
    dates = [column for column, profile in filled if profile.dates > 0.6]
    # A date with a time of day says when a record was made: use it only if there is no other.
    days = [column for column in dates if not profiles[column].stamps] or dates[:1]
    if not dates:
        return None
    core, chosen = dataset.core_fields, dict[str, ColumnChoice]()
    names = [each.name for each in dataset.fields if each.name in core and each.type == "date"]
    for index, (name, column) in enumerate(zip(names, days, strict=False)):
        others = [*days[index + 1 :], *days[:index]]
        chosen[name] = _choice(name, column, others[0] if others else None, 1.0, "it holds dates")
    # A column of money has cells with pence, a thousands separator or a pound sign.
    money = [column for column, each in filled if column not in dates and each.numbers > 0.9 and each.money > 0.3]
    if len(money) == 1:
        chosen[dataset.amount[0]] = _choice(dataset.amount[0], money[0], None, 0.0, "it alone holds sums of money")
    supplier = next((each for each in dataset.fields if each.privacy == "name" and each.name in core), None)
    if supplier is not None:
        worth = [profile.companies * profile.distinct for profile in profiles]
        _choose_best(chosen, supplier.name, profiles, worth, 0.05, "its cells look most like names of organisations")
    references = [profile.identifiers * profile.distinct for profile in profiles]
    wording = [
        0.0 if profile.share_matching(_WEB) > 0.5 else profile.distinct * min(profile.length, 60) / 60
        for profile in profiles
    ]
    for each in dataset.fields:
        if each.name in chosen or each.origin is not Origin.SENT:
            continue
        if each.is_identifier and (each.name in core or each.level is Level.DUTY):
            _choose_best(chosen, each.name, profiles, references, 0.5, "its cells look most like references")
        elif each.name in core and each.privacy == "text":
            _choose_best(chosen, each.name, profiles, wording, 0.2, "its text is the longest and most varied")
    return None if dataset.missing_core(chosen, period_given=True) else Columns(chosen)


def _choice(name: str, column: int, other: int | None, share: float, why: str) -> ColumnChoice:
    """Return the choice of a column without a heading; the second best column has `share` of its score."""
    second = 0.0 if other is None else round(_SCORE * share, 3)
    return ColumnChoice(name, column, "", _SCORE, other, second, how="content", why=(why,))


def _choose_best(
    chosen: dict[str, ColumnChoice],
    name: str,
    profiles: Sequence[ColumnProfile],
    worth: Sequence[float],
    least: float,
    why: str,
) -> None:
    """Choose the unused column of text with the highest `worth` for a field, if that is at least `least`."""
    taken = {choice.column for choice in chosen.values()}
    free = [
        (worth[column], -column)
        for column, profile in enumerate(profiles)
        if column not in taken and profile.filled > 0.5 and profile.numbers < 0.9 and not profile.counts_up
    ]
    best, *others = sorted(free, reverse=True) or [(0.0, 0)]
    if best[0] < least:
        return
    second = others[0] if others and others[0][0] >= least else None
    share = second[0] / best[0] if second else 0.0
    chosen[name] = _choice(name, -best[1], -second[1] if second else None, share, why)


_LEAST_FILLED = 0.3
"""The least share of filled cells in a column that could be another field."""


def find_guessed_columns(
    columns: Columns, profiles: Sequence[ColumnProfile], dataset: Dataset, sheet: str | None
) -> Iterator[Finding]:
    """Yield a warning for each field recognised by its cells alone, and for each missing name with possible columns."""
    for name, choice in columns.choices.items():
        wanted = dataset.field(name)
        others = [column for column in _fitting(wanted, profiles) if column != choice.column]
        yield make_finding(
            "column-guessed",
            Address(sheet, column=letter(choice.column), field=name),
            variant="headless-other" if others else "headless-only",
            title=wanted.title,
            field_title=wanted.title.lower(),
            others=_columns_in_words(others),
        )
    for wanted in dataset.fields:
        if wanted.reading.kind == "name" and wanted.name not in columns.choices:
            left = [column for column in _fitting(wanted, profiles) if column not in columns.used]
            if left:
                yield make_finding(
                    "column-not-told",
                    Address(sheet, field=wanted.name),
                    title=wanted.title,
                    field_title=wanted.title.lower(),
                    others=_columns_in_words(left),
                )


def _columns_in_words(columns: Sequence[int]) -> str:
    """Return `column B`, or `column B, C or E`."""
    letters = [letter(column) for column in columns]
    return f"column {' or '.join([', '.join(letters[:-1]), letters[-1]] if letters[1:] else letters)}"


def _fitting(wanted: Field, profiles: Sequence[ColumnProfile]) -> list[int]:
    """Return the columns whose cells could be the field's: dates, numbers or words."""
    filled = [(column, profile) for column, profile in enumerate(profiles) if profile.filled >= _LEAST_FILLED]
    if wanted.type == "date":
        return [column for column, profile in filled if profile.dates > 0.5]
    if wanted.type in ("number", "integer"):
        return [column for column, profile in filled if profile.numbers > 0.5 and not profile.counts_up]
    return [column for column, profile in filled if profile.numbers < 0.5 and profile.dates < 0.5]
