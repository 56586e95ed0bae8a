"""Evaluate a suite: the compiled rules in one pass over whole columns, and Great Expectations for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility.columns import Frame
from piperoll.checking.plausibility.evidence import EvaluatedRows, Evidence, join_parts
from piperoll.checking.plausibility.rules import RULES, ExpectationRule, Plan, Result, compile_expectation
from piperoll.checking.plausibility.suite import Expectation
from piperoll.model import Dataset
from piperoll.reading import ReadTable


@dataclass(frozen=True, eq=False, slots=True)
class RowAddresses(Sequence[tuple[int, int]]):
    """The number of the table and the row of each line, as two arrays: sixteen bytes a line."""

    tables: npt.NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.tables.tolist(), self.rows.tolist(), strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> RowAddresses: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | RowAddresses:
        if isinstance(index, slice):
            return RowAddresses(self.tables[index], self.rows[index])
        return int(self.tables[index]), int(self.rows[index])

    def distinct(self) -> RowAddresses:
        """The addresses without repeats, in order: several lines may share a row."""
        numbers = (self.tables << 32) + self.rows  # row numbers need less than 32 bits
        kept = np.sort(np.unique(numbers, return_index=True)[1])
        return RowAddresses(self.tables[kept], self.rows[kept])


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """Whether an expectation is met, the `result` of GX, and the address of every unexpected line, in order."""

    expectation: Expectation
    success: bool
    result: Result
    unexpected: RowAddresses = field(default_factory=RowAddresses)


def evaluate_expectations(
    tables: Sequence[ReadTable],
    dataset: Dataset,
    expectations: Sequence[Expectation],
    engine: CheckEngine = CheckEngine.COMPILED,
    rules: Mapping[str, ExpectationRule] = RULES,
) -> list[Outcome]:
    """Evaluate `expectations` on `tables`, taken as one, in the suite's order.

    Expectations about a column that no table has, or in which every cell is empty, are skipped; so are all if there
    are no rows.

    Raises: DescriptorError: an expectation could not be evaluated.
    """
    if not any(table.rows for table in tables):
        return []
    frame = Frame(tables, dataset)
    plans: list[Plan] = []
    if engine is CheckEngine.COMPILED:
        compiled = (compile_expectation(each, frame.kinds, rules) for each in expectations)
        plans = [plan for plan in compiled if plan is not None]
    outcomes = _evaluate_plans(frame, plans)
    wanted = [each for each in expectations if each.columns_needed(frame.kinds) <= frame.filled]
    if left := [each for each in wanted if each.number not in outcomes]:
        from piperoll.checking.plausibility import reference  # noqa: PLC0415 - it imports Great Expectations

        outcomes |= reference.evaluate_expectations(frame, left)
    return [outcomes[each.number] for each in wanted]


def evaluate_by_metrics(
    tables: Sequence[ReadTable], dataset: Dataset, expectations: Sequence[Expectation]
) -> list[Outcome]:
    """Evaluate `expectations`, all of which are compiled, by GX: as `evaluate_expectations`, in a fifth of the time.

    Raises: DescriptorError, or an error of GX: an expectation could not be evaluated.
    """
    from piperoll.checking.plausibility import reference  # noqa: PLC0415 - it imports Great Expectations

    if not any(table.rows for table in tables):
        return []
    frame = Frame(tables, dataset)
    _evaluate_plans(frame, ())
    wanted = [each for each in expectations if each.columns_needed(frame.kinds) <= frame.filled]
    outcomes = reference.evaluate_by_metrics(frame, wanted)
    return [outcomes[each.number] for each in wanted]


def _evaluate_plans(frame: Frame, plans: Sequence[Plan]) -> dict[int, Outcome]:
    """Return the outcomes of `plans` by the number of the expectation, in one pass over the frame.

    The pass is made even without plans, because it finds out which columns are filled.
    """
    makers: dict[Any, Callable[[], Evidence]] = {plan.key: plan.evidence for plan in plans}
    evidence = {key: make() for key, make in makers.items()}
    starts: list[int] = []
    tables: list[int] = []
    row_numbers: list[npt.NDArray[Any]] = []
    for rows in frame.batches():
        starts.append(rows.start)
        tables.append(rows.table)
        row_numbers.append(rows.row_numbers().astype(np.uint32))
        for each in evidence.values():
            each.take(rows)
    found = {key: evidence.pop(key).found() for key in list(evidence)}  # frees the evidence one by one
    rows_of_lines = join_parts(row_numbers, np.uint32)
    outcomes = {}
    for plan in plans:
        success, result = plan.verdict(found[plan.key])
        unexpected = RowAddresses()
        if isinstance(lines := found[plan.key], EvaluatedRows) and len(lines.unexpected):
            batch = np.searchsorted(starts, lines.unexpected, side="right") - 1
            rows_unexpected = rows_of_lines[lines.unexpected].astype(np.int64)
            unexpected = RowAddresses(np.array(tables, np.int64)[batch], rows_unexpected)
        outcomes[plan.expectation.number] = Outcome(plan.expectation, success, result, unexpected)
    return outcomes
