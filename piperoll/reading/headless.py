"""Tables without any headings: which column is which by content alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from piperoll.model import Dataset, Field, Origin
from piperoll.reading.columns import Choice, Columns
from piperoll.reading.evidence import is_identifier
from piperoll.reading.profiles import Profile

_LEAST_ROWS = 3

Worth = Callable[[Profile], float]


def recognise_columns(profiles: Sequence[Profile], rows: int, dataset: Dataset) -> Columns | None:
    """The core columns by what they hold; None where that is no table of this dataset.

    Dates go to the dataset's date fields from left to right, the column most like money to its amount, the one most
    like names of firms to its supplier, the longest and most varied text to its title or purpose. A row counter is
    no reference. A dataset whose core has no date and no amount cannot be told by content.
    """
    if rows < _LEAST_ROWS or not (dataset.amount and dataset.date):
        return None
    chosen: dict[str, int] = {}
    dates = [column for column, profile in enumerate(profiles) if profile.filled > 0.5 and profile.dates > 0.6]
    if not dates:
        return None
    for name, column in zip(_date_fields(dataset), dates, strict=False):
        chosen[name] = column
    money = _money(profiles, dates)
    if len(money) == 1:
        chosen[dataset.amount[0]] = money[0]
    _choose_text(chosen, profiles, dataset)
    if dataset.missing_core(chosen, period_given=True):
        return None
    return Columns({name: Choice(name, column, "", 0.4, how="content") for name, column in chosen.items()})


def _date_fields(dataset: Dataset) -> list[str]:
    return [each.name for each in dataset.fields if each.name in dataset.core_fields and each.type == "date"]


def _money(profiles: Sequence[Profile], dates: Sequence[int]) -> list[int]:
    """The columns that hold money, with pennies or thousands or a pound sign in some of their cells."""
    return [
        column
        for column, profile in enumerate(profiles)
        if column not in dates and profile.filled > 0.5 and profile.numbers > 0.9 and profile.money > 0.3
    ]


def _choose_text(chosen: dict[str, int], profiles: Sequence[Profile], dataset: Dataset) -> None:
    names = next((each for each in dataset.fields if each.privacy == "name" and _core(each, dataset)), None)
    if names is not None:
        _take(chosen, names.name, profiles, lambda profile: profile.companies * profile.distinct, 0.05)
    for each in dataset.fields:
        if each.name in chosen or each.origin is not Origin.SENT:
            continue
        if is_identifier(each) and _core_or_duty(each, dataset):
            _take(chosen, each.name, profiles, lambda profile: profile.identifiers * profile.distinct, 0.5)
        elif each.name in dataset.core_fields and each.privacy == "text":
            _take(chosen, each.name, profiles, lambda profile: profile.distinct * min(profile.length, 60) / 60, 0.2)


def _take(chosen: dict[str, int], name: str, profiles: Sequence[Profile], worth: Worth, least: float) -> None:
    free = [
        (worth(profile), -column)
        for column, profile in enumerate(profiles)
        if column not in chosen.values() and profile.filled > 0.5 and profile.numbers < 0.9 and not profile.counts_up
    ]
    if free and max(free)[0] >= least:
        chosen[name] = -max(free)[1]


def _core(each: Field, dataset: Dataset) -> bool:
    return each.name in dataset.core_fields


def _core_or_duty(each: Field, dataset: Dataset) -> bool:
    return each.name in dataset.core_fields or each.level == "duty"
