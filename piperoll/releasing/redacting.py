"""Redaction: the name in the Code's words, and the identifiers that would give it away gone."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from piperoll.model import Dataset
from piperoll.model.columns import Cells, pc

NONE = "none"

WORDINGS = {
    "personal": "REDACTED PERSONAL DATA",
    "commercial": "REDACTED COMMERCIAL CONFIDENTIALITY",
    "security": "REDACTED NATIONAL SECURITY",
    "legal": "REDACTED LEGAL CONFIDENTIALITY",
}
"""Kind of redaction to what is published: the first two are the Code's wording (Local Government Transparency Code
2015, STANDARDS §9.1), the others are ours in the same manner."""


def redactions(rows: Cells, kinds: Mapping[int, str]) -> Cells:
    """The kind of redaction of each of `rows`: one of `WORDINGS`, or `none`."""
    if not kinds:
        return pa.repeat(pa.scalar(NONE), len(rows))
    numbers = sorted(kinds)
    place = pc.index_in(rows, value_set=pa.array(numbers, pa.int64()))
    filled: Cells = pc.fill_null(pa.array([kinds[number] for number in numbers]).take(place), NONE)
    return filled


def redacted(dataset: Dataset, columns: Mapping[str, Cells], kinds: Cells) -> dict[str, Cells]:
    """`columns` with the names of redacted rows in the Code's words and their dependent identifiers blank.

    A name that is blank stays blank: nothing says that there was one.
    """
    hit = pc.not_equal(kinds, NONE)
    if not pc.any(hit).as_py():
        return dict(columns)
    made = dict(columns)
    for field in dataset.fields:
        if field.name in made and field.privacy == "dependent":
            made[field.name] = pc.if_else(hit, pa.scalar(None, pa.string()), made[field.name])
        elif field.name in made and field.privacy == "name":
            named = pc.and_(hit, pc.is_valid(made[field.name]))
            made[field.name] = pc.if_else(named, _wordings(kinds), made[field.name])
    return made


def _wordings(kinds: Cells) -> Cells:
    place = pc.index_in(kinds, value_set=pa.array(list(WORDINGS)))
    return pa.array(list(WORDINGS.values())).take(place)
