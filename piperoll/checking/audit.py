"""Compare the compiled rules with Frictionless and Great Expectations on the tables of a release.

The two libraries define what the rules mean. Every release is audited before it is published; if a compiled rule
disagrees, the fault is ours and the release is not published.

`require_agreement` audits one release by the validation of each library. `audit_together` audits many in a fifth of
the time: each library still decides every cell, row and column, but it reads cells that are the same once, tests the
rows of all releases in one go, and observes the columns of each release without its own configuration objects.
Where that shows a difference, `require_agreement` has the last word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, evaluate_by_metrics, evaluate_expectations, parse_suite
from piperoll.checking.plausibility.columns import Frame
from piperoll.checking.plausibility.rules import compile_expectation, is_row_by_row
from piperoll.checking.plausibility.suite import Expectation
from piperoll.checking.schema import Breach, find_breaches, find_breaches_together
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable

FindBreaches = Callable[[ReadTable, Dataset, CheckEngine], Iterable[Breach]]
EvaluateReference = Callable[[Sequence[ReadTable], Dataset, Sequence[Expectation]], Sequence[Outcome]]

evaluate_reference: EvaluateReference = partial(evaluate_expectations, engine=CheckEngine.REFERENCE)
"""The validation of Great Expectations."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rule on which the two engines disagree, and how."""

    rule: str
    how: str


def require_agreement(tables: Sequence[ReadTable], dataset: Dataset, suite: str, most_rows: int) -> None:
    """Raise EngineDisagreement, which names each rule, unless both engines find the same in `tables`.

    Of tables with more than `most_rows` lines together, a sample of that many is compared.
    """
    _require_agreement(AuditSample(tuple(sample_tables(tables, most_rows)), dataset, suite))


def _require_agreement(sample: AuditSample) -> None:
    found = [
        *(each for table in sample.tables for each in compare_schema(table, sample.dataset)),
        *compare_plausibility(sample.tables, sample.dataset, parse_suite(sample.suite)),
    ]
    if found:
        rules = "; ".join(f"{each.rule}: {each.how}" for each in found)
        raise EngineDisagreement(f"the compiled rules disagree with their references, so nothing is released: {rules}")


@dataclass(frozen=True, slots=True)
class AuditSample:
    """What of a release is audited: its tables or a sample of their lines, its dataset and its suite (JSON of GX)."""

    tables: tuple[ReadTable, ...]
    dataset: Dataset
    suite: str

    @property
    def lines(self) -> int:
        """The number of lines."""
        return sum(batch.num_rows for table in self.tables for batch in table.batches())


MOST_LINES_TOGETHER = 50_000
"""Lines that are evaluated in one call, for which Great Expectations needs 300 MB."""


def audit_together(samples: Sequence[AuditSample], most_lines: int = MOST_LINES_TOGETHER) -> list[Exception | None]:
    """Audit many releases with few calls of the two libraries; return the exception for each, or None if it passes.

    The exception is the one that `require_agreement` raises for the release alone: where anything differs, the releases
    concerned are audited again one by one. At most `most_lines` lines are evaluated in one call, unless one release has
    more.
    """
    errors: list[Exception | None] = [None] * len(samples)
    for together in _groups(samples, most_lines):
        doubtful = _find_doubtful([samples[index] for index in together])
        for index in (together[at] for at in doubtful):
            try:
                _require_agreement(samples[index])
            except Exception as error:  # noqa: BLE001 - the fault of one release holds back only that one
                errors[index] = error
    return errors


def _groups(samples: Sequence[AuditSample], most_lines: int) -> Iterator[list[int]]:
    """The indices of the samples that are evaluated together: of one dataset, and of few enough lines."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for index, sample in enumerate(samples):
        kinds.setdefault((sample.dataset.name, sample.suite), []).append(index)
    for indices in kinds.values():
        group: list[int] = []
        lines = 0
        for index in indices:
            if group and lines + samples[index].lines > most_lines:
                yield group
                group, lines = [], 0
            group.append(index)
            lines += samples[index].lines
        yield group


def _find_doubtful(samples: Sequence[AuditSample]) -> Collection[int]:
    """The indices of the releases in which the engines may disagree; all of them if it cannot be told in which."""
    dataset, expectations = samples[0].dataset, parse_suite(samples[0].suite)
    kinds = Frame((), dataset).kinds
    by_row = [each for each in expectations if is_row_by_row(each, kinds)]
    by_column = [each for each in expectations if each not in by_row]
    everyone = range(len(samples))
    try:
        tables = [table for sample in samples for table in sample.tables]
        if next(compare_plausibility(tables, dataset, by_row, evaluate_by_metrics), None):
            return everyone
        return _find_doubtful_schema(samples) | {
            index
            for index, sample in enumerate(samples)
            if next(compare_plausibility(sample.tables, dataset, by_column, evaluate_by_metrics), None)
        }
    except Exception:  # noqa: BLE001 - raised again for the release whose fault it is, when that is audited alone
        return everyone


def _find_doubtful_schema(samples: Sequence[AuditSample]) -> set[int]:
    """The indices of the releases in which Frictionless refuses other cells than the compiled rules."""
    numbered = [(index, table) for index, sample in enumerate(samples) for table in sample.tables]
    dataset = samples[0].dataset
    references = find_breaches_together([table for _, table in numbered], dataset)
    return {
        index
        for (index, table), reference in zip(numbered, references, strict=True)
        if _count_breaches(find_breaches(table, dataset)) != _count_breaches(reference)
    }


def _count_breaches(breaches: Iterable[Breach]) -> Counter[tuple[int, str, str, str]]:
    return Counter((each.row, each.field, each.kind, each.rule or "") for each in breaches)


def compare_schema(table: ReadTable, dataset: Dataset, find: FindBreaches = find_breaches) -> Iterator[Disagreement]:
    """Yield each rule of the published schema on which Frictionless disagrees, with the first row."""
    compiled, reference = (
        _count_breaches(find(table, dataset, engine)) for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
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


def compare_plausibility(
    tables: Sequence[ReadTable],
    dataset: Dataset,
    expectations: Sequence[Expectation],
    evaluate: EvaluateReference = evaluate_reference,
) -> Iterator[Disagreement]:
    """Yield each expectation on which Great Expectations disagrees: whether it is met, or in which rows it is not.

    An expectation that is not compiled is left out: Great Expectations evaluates it in any case.

    Raises: EngineDisagreement: the engines did not evaluate the same expectations.
    """
    kinds = Frame((), dataset).kinds
    expectations = [each for each in expectations if compile_expectation(each, kinds)]
    if not expectations:
        return
    compiled, reference = (
        {each.expectation.number: each for each in outcomes}
        for outcomes in (
            evaluate_expectations(tables, dataset, expectations),
            evaluate(tables, dataset, expectations),
        )
    )
    if compiled.keys() != reference.keys():
        raise EngineDisagreement("the two engines evaluated different expectations of the suite")
    for number, ours in compiled.items():
        if how := _difference(ours, reference[number]):
            yield Disagreement(f"{ours.expectation.meta['code']} ({ours.expectation.type})", how)


_COUNTS = ("element_count", "missing_count")
"""What both engines say of the rows that an expectation about rows tested; absent from other results."""


def _difference(compiled: Outcome, reference: Outcome) -> str | None:
    if compiled.success is not reference.success:
        verdicts = {True: "met", False: "not met"}
        return f"the compiled rule says {verdicts[compiled.success]}, Great Expectations {verdicts[reference.success]}"
    apart = set(compiled.unexpected) ^ set(reference.unexpected)
    if apart or len(compiled.unexpected) != len(reference.unexpected):
        where = f", the first of them row {min(apart)[1]}" if apart else ""
        return f"they disagree on {max(len(apart), 1):,} rows{where}"
    if any(compiled.result.get(count) != reference.result.get(count) for count in _COUNTS):
        return "they disagree on how many rows are tested"
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
