"""The audit: what the compiled rules say of a table, beside what Frictionless and Great Expectations say of it.

The references say what the rules mean; the compiled engine must say the same. Every release is audited before it is
published: a rule that says otherwise is our fault, and what it says is not published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, expectations, outcomes
from piperoll.checking.schema import Breach, find_breaches
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable

Breaching = Callable[[ReadTable, Dataset, CheckEngine], Iterable[Breach]]
Plausible = Callable[[Sequence[ReadTable], Dataset, str, CheckEngine], Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rule on which the two engines part, and how, in words."""

    rule: str
    how: str


def _outcomes(tables: Sequence[ReadTable], dataset: Dataset, suite: str, engine: CheckEngine) -> list[Outcome]:
    return outcomes(tables, dataset, expectations(suite), engine)


def require_agreement(
    tables: Sequence[ReadTable],
    dataset: Dataset,
    suite: str,
    most_rows: int,
    *,
    breaching: Breaching = find_breaches,
    plausible: Plausible = _outcomes,
) -> None:
    """Nothing, where both engines say the same of `tables`, or of a sample of `most_rows` lines of larger ones.

    Raises: EngineDisagreement: they do not; the message names each rule.
    """
    audited = sample(tables, most_rows)
    found = [
        *(said for table in audited for said in in_structure(table, dataset, breaching)),
        *in_plausibility(audited, dataset, suite, plausible),
    ]
    if found:
        told = "; ".join(f"{each.rule}: {each.how}" for each in found)
        raise EngineDisagreement(f"the compiled rules and their references part, so nothing is released: {told}")


def in_structure(table: ReadTable, dataset: Dataset, breaching: Breaching = find_breaches) -> Iterator[Disagreement]:
    """The rules of the published schema on which Frictionless says otherwise, each with the first row of it."""
    ours, theirs = (
        Counter((each.row, each.field, each.kind, each.rule or "") for each in breaching(table, dataset, engine))
        for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
    )
    told: set[tuple[str, str, str]] = set()
    for who, more in (("only the compiled rule says so", ours - theirs), ("only Frictionless says so", theirs - ours)):
        for row, field, kind, rule in sorted(more):
            if (field, kind, rule) not in told:
                told.add((field, kind, rule))
                yield Disagreement(f"{kind}{f' ({rule})' if rule else ''} of {field}", f"in row {row} {who}")


def in_plausibility(
    tables: Sequence[ReadTable], dataset: Dataset, suite: str, plausible: Plausible = _outcomes
) -> Iterator[Disagreement]:
    """The expectations on which Great Expectations says otherwise: whether they are met, or of which rows."""
    ours, theirs = (
        {each.expectation.number: each for each in plausible(tables, dataset, suite, engine)}
        for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
    )
    for number in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(number), theirs.get(number)
        if one is None or other is None:
            raise EngineDisagreement(f"only one engine looked at expectation {number} of the suite")
        if how := _parted(one, other):
            yield Disagreement(f"{one.expectation.meta['code']} ({one.expectation.type})", how)


def _parted(ours: Outcome, theirs: Outcome) -> str | None:
    if ours.success is not theirs.success:
        verdicts = {True: "met", False: "not met"}
        return f"the compiled rule says {verdicts[ours.success]}, Great Expectations {verdicts[theirs.success]}"
    apart = set(ours.unexpected) ^ set(theirs.unexpected)
    if apart or len(ours.unexpected) != len(theirs.unexpected):
        where = f", the first of them row {min(apart)[1]}" if apart else ""
        return f"they part on {max(len(apart), 1):,} rows{where}"
    return None


def sample(tables: Sequence[ReadTable], most_rows: int) -> list[ReadTable]:
    """The tables whole if they have no more lines than that, else as many lines, evenly spread: always the same."""
    lines = sum(batch.num_rows for table in tables for batch in table.batches())
    if lines <= most_rows:
        return list(tables)
    return list(_spread(tables, np.arange(most_rows) * lines // most_rows))


def _spread(tables: Sequence[ReadTable], chosen: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[ReadTable]:
    start = 0
    for table in tables:
        kept: list[pa.RecordBatch] = []
        for batch in table.batches():
            here = chosen[np.searchsorted(chosen, start) : np.searchsorted(chosen, start + batch.num_rows)] - start
            kept.append(batch.take(here))
            start += batch.num_rows
        yield replace(table, stored=tuple(kept), rows=len({row for part in kept for row in part["row"].to_pylist()}))
