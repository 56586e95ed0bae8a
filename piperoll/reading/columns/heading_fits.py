"""How well the cells of a column fit the fields that a heading may name: what contradicts it, and what proves it.

A fit is between -1 (no cell can be the field's) and 1 (the cells show the field); 0 says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.model import Dataset, Field
from piperoll.reading.columns.profiles import ColumnProfile

CONTRADICTED = -0.6
"""At this fit or below, the cells contradict the heading."""

_MOST, _FEW = 0.8, 0.2
"""Shares of cells that show what a column holds, and what it does not hold."""

_LESSER = 0.2
"""What is taken from the fit to another field than the first that a heading may mean."""

_VARIED = 3
"""A column with at most this many distinct values repeats one name or word throughout."""


def fit_to_fields(profile: ColumnProfile, fields: Sequence[Field], dataset: Dataset) -> float:
    """Return the best fit to one of the fields, of which the first is the likeliest; 0 if there is none."""
    fits = (fit_to_field(profile, each, dataset) - (_LESSER if order else 0) for order, each in enumerate(fields))
    return max(fits, default=0.0)


def fit_to_field(profile: ColumnProfile, wanted: Field, dataset: Dataset) -> float:  # noqa: PLR0911 - a kind each
    """Return how well the cells fit a field."""
    core = wanted.name in dataset.core_fields
    if not profile.count:
        return -0.7 if core else -0.1
    if profile.filled < _FEW and not core:
        return 0.0
    if wanted.type == "date":
        return _from_share(profile.dates + max(profile.serials, profile.months))
    if wanted.type == "boolean" or wanted.reading.cells_match is not None:
        return _fit_to_choice(profile, wanted)
    if wanted.type in ("number", "integer"):
        return _fit_to_number(profile, wanted, core=core)
    if wanted.is_code:
        return _fit_to_code(profile, repeats=not wanted.is_identifier)
    if max(profile.dates, profile.pence) > 0.5:
        return -0.8
    if wanted.is_name:
        return _fit_to_name(profile, payee=wanted.privacy == "name" and bool(dataset.amount))
    if wanted.privacy in ("area", "text"):
        return _fit_to_words(profile, free=wanted.privacy == "text")
    return 0.0


def _from_share(share: float) -> float:
    return 1.0 if share > _MOST else -1.0 if share < _FEW else 2 * share - 1


def _fit_to_choice(profile: ColumnProfile, wanted: Field) -> float:
    pattern = wanted.reading.cells_match
    share = profile.truths if pattern is None else profile.share_matching(pattern)
    return 0.8 if share > _MOST else -0.6 if share < _FEW and profile.kinds > _VARIED else 0.0


def _fit_to_number(profile: ColumnProfile, wanted: Field, *, core: bool) -> float:
    if profile.numbers <= _MOST or profile.dates > 0.5:
        return -1.0 if profile.numbers < _FEW or profile.dates > 0.5 else profile.numbers - 0.5
    if wanted.type == "integer" or not core:
        return 0.6 if max(profile.pence, profile.money) > 0.1 or wanted.type == "integer" else 0.2
    if profile.numbered:
        return -0.7
    if profile.kinds == 1 < profile.count and not profile.money:
        return 0.1  # the same whole number throughout, such as a year
    return 1.0 if max(profile.pence, profile.money) > 0.1 else 0.5


def _fit_to_code(profile: ColumnProfile, *, repeats: bool) -> float:
    if max(profile.dates, profile.pence) > 0.5:
        return -0.8
    if profile.is_wordy:
        return -0.6 if profile.share_matching("9") < _FEW else 0.0
    if not profile.is_code or profile.money:
        return 0.0
    if profile.row_numbers:
        return -0.3
    return 0.7 if repeats or profile.kinds > 1 or profile.count == 1 else 0.3  # a reference throughout is none


def _fit_to_name(profile: ColumnProfile, *, payee: bool) -> float:
    if max(profile.numbers, profile.dates, profile.identifiers) > 0.5:
        return -0.9 if profile.filled >= _FEW else 0.0
    if not profile.is_wordy:
        return 0.0
    if not payee:  # of a body or department, which may be one name throughout or many
        return 0.5
    if profile.kinds <= _VARIED and 2 * profile.kinds <= profile.count:
        return 0.1  # suppliers are many, and mostly organisations
    return 1.0 if profile.companies > 0.25 else 0.3


def _fit_to_words(profile: ColumnProfile, *, free: bool) -> float:
    if profile.is_wordy:
        return -0.3 if profile.companies > 0.6 and 2 * profile.kinds > profile.count else 0.5
    coded = max(profile.numbers, profile.identifiers) > _MOST
    return (-0.6 if free else -0.4) if coded else 0.0  # codes may stand in place of a service or category


def find_contradiction(profile: ColumnProfile, wanted: Field, dataset: Dataset) -> str | None:
    """Return how the cells of a core field's column contradict its heading; None if they do not.

    The result is a variant of `column-contradicts-heading`.
    """
    if wanted.name not in dataset.core_fields or profile.count < _ENOUGH:
        return None
    if wanted.type == "date":
        times = profile.dates + max(profile.serials, profile.months)
        return "not-dates" if times < _FEW and wanted.name in dataset.date else None
    if wanted.name in dataset.amount:
        if profile.numbered:
            return "numbered"
        words = profile.dates > 0.5 or profile.share_matching("9") < _FEW  # others are amounts that cannot be read
        return "not-numbers" if words and profile.numbers < _FEW and profile.filled > 0.5 else None
    unlike = max(profile.numbers, profile.dates, profile.identifiers)
    return "not-names" if wanted.privacy == "name" and dataset.amount and unlike > 0.5 else None


_ENOUGH = 3
"""In fewer cells, a mistake in one of them is most of the column."""
