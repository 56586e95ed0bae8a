"""Compare the compiled rules with Frictionless and Great Expectations on the tables of a release.

The two libraries define what the rules mean. Every release is audited before it is published; if a compiled rule
disagrees, the fault is ours and nothing is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, evaluate_expectations, parse_suite
from piperoll.checking.schema import Breach, find_breaches
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable

FindBreaches = Callable[[ReadTable, Dataset, CheckEngine], Iterable[Breach]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rule on which the two engines disagree, and how."""

    rule: str
    how: str


def require_agreement(tables: Sequence[ReadTable], dataset: Dataset, suite: str, most_rows: int) -> None:
    """Raise EngineDisagreement, which names each rule, unless both engines find the same in `tables`.

    Of tables with more than `most_rows` lines together, a sample of that many is compared.
    """
    audited = sample_tables(tables, most_rows)
    found = [
        *(each for table in audited for each in compare_schema(table, dataset)),
        *compare_plausibility(audited, dataset, suite),
    ]
    if found:
        rules = "; ".join(f"{each.rule}: {each.how}" for each in found)
        raise EngineDisagreement(f"the compiled rules disagree with their references, so nothing is released: {rules}")


def compare_schema(table: ReadTable, dataset: Dataset, find: FindBreaches = find_breaches) -> Iterator[Disagreement]:
    """Yield each rule of the published schema on which Frictionless disagrees, with the first row."""
    compiled, reference = (
        Counter((each.row, each.field, each.kind, each.rule or "") for each in find(table, dataset, engine))
        for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
    )
    reported: set[tuple[str, str, str]] = set()
    for who, more in (
        ("only the compiled rule refuses the cell", compiled - reference),
        ("only Frictionless refuses the cell", reference - compiled),
    ):
        for row, field, kind, rule in sorted(more):
            if (field, kind, rule) not in reported:
                reported.add((field, kind, rule))
                yield Disagreement(f"{kind}{f' ({rule})' if rule else ''} of {field}", f"in row {row} {who}")


def compare_plausibility(tables: Sequence[ReadTable], dataset: Dataset, suite: str) -> Iterator[Disagreement]:
    """Yield each expectation on which Great Expectations disagrees: whether it is met, or in which rows it is not.

    Raises: EngineDisagreement: the engines did not evaluate the same expectations.
    """
    expectations = parse_suite(suite)
    compiled, reference = (
        {each.expectation.number: each for each in evaluate_expectations(tables, dataset, expectations, engine)}
        for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
    )
    if compiled.keys() != reference.keys():
        raise EngineDisagreement("the two engines evaluated different expectations of the suite")
    for number, ours in compiled.items():
        if how := _difference(ours, reference[number]):
            yield Disagreement(f"{ours.expectation.meta['code']} ({ours.expectation.type})", how)


def _difference(compiled: Outcome, reference: Outcome) -> str | None:
    if compiled.success is not reference.success:
        verdicts = {True: "met", False: "not met"}
        return f"the compiled rule says {verdicts[compiled.success]}, Great Expectations {verdicts[reference.success]}"
    apart = set(compiled.unexpected) ^ set(reference.unexpected)
    if apart or len(compiled.unexpected) != len(reference.unexpected):
        where = f", the first of them row {min(apart)[1]}" if apart else ""
        return f"they disagree on {max(len(apart), 1):,} rows{where}"
    return None


def sample_tables(tables: Sequence[ReadTable], most_rows: int) -> list[ReadTable]:
    """Return the tables whole if they have at most `most_rows` lines, otherwise that many lines, evenly spread.

    The sample of the same tables is always the same.
    """
    lines = sum(batch.num_rows for table in tables for batch in table.batches())
    if lines <= most_rows:
        return list(tables)
    chosen = np.arange(most_rows) * lines // most_rows
    sampled, start = [], 0
    for table in tables:
        kept: list[pa.RecordBatch] = []
        for batch in table.batches():
            here = chosen[np.searchsorted(chosen, start) : np.searchsorted(chosen, start + batch.num_rows)] - start
            kept.append(batch.take(here))
            start += batch.num_rows
        rows = len({row for part in kept for row in part["row"].to_pylist()})
        sampled.append(replace(table, stored=tuple(kept), rows=rows))
    return sampled
