"""The columns of a release beside those of the ones before: which came, which went, which hold something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.checking.history import findings as say
from piperoll.checking.history.profile import MOST_CODES, Column, Profile
from piperoll.model import Dataset, Field, Finding

_ENOUGH_RELEASES = 2
"""What was so once may have been so by chance."""

_ROWS_A_CODE = 10
"""Values that stand in so many rows each are codes; if fewer, the next one is no surprise."""

_FULL_PERCENT, _EMPTY_PERCENT = 90, 10


def headings(ours: Profile, before: Sequence[Profile], dataset: Dataset) -> Iterator[Finding]:
    """A warning for each column that was always there and is not now; a word on those that never were and are now."""
    if not ours.rows:
        return
    latest = before[0]
    new: list[tuple[Field, Column]] = []
    for field in dataset.fields:
        was = [field.name in one.columns for one in before]
        if field.name not in ours.columns and all(was):
            yield say.column_gone(field, latest.columns[field.name], latest.released)
        if field.name in ours.columns and not any(was):
            new.append((field, ours.columns[field.name]))
    if new:
        yield say.columns_new(new, latest.released)


def emptied(ours: Profile, before: Sequence[Profile], dataset: Dataset) -> Iterator[Finding]:
    """A warning for each column that is there but nearly empty, and was nearly full before."""
    for name, column in ours.columns.items():
        if ours.rows and name in ours.filled and _percent(ours, name) <= _EMPTY_PERCENT:
            was = [one for one in before if one.rows and name in one.columns and name in one.filled]
            if was and all(_percent(one, name) >= _FULL_PERCENT for one in was):
                yield say.column_emptied(dataset.field(name), column, ours.filled[name], ours.rows, was[0].released)


def codes(ours: Profile, before: Sequence[Profile], dataset: Dataset) -> Iterator[Finding]:
    """A warning for each column that had a few values in every release before, and has others now."""
    comparable = [one for one in before if one.rows]
    if len(comparable) < _ENOUGH_RELEASES:
        return
    for name, column in ours.columns.items():
        if name in ours.codes and all(name in one.codes for one in comparable):
            known = {value for one in comparable for value in one.codes[name]}
            often = sum(one.filled[name] for one in comparable) >= len(known) * _ROWS_A_CODE
            new = {value: at for value, at in ours.codes[name].items() if value not in known}
            if new and often and len(known) <= MOST_CODES:
                yield say.codes_new(dataset.field(name), column, new, len(known), comparable[0].released)


def _percent(release: Profile, name: str) -> int:
    """How much of a column is filled, rounded down, in a release that has rows."""
    return 100 * release.filled[name] // release.rows
