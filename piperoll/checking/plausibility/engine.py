"""The engines: a suite worked out over whole columns in one pass, and by Great Expectations what we cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility.columns import Frame, Rows
from piperoll.checking.plausibility.evidence import Evidence, Judged, joined
from piperoll.checking.plausibility.plans import Plan, Rule
from piperoll.checking.plausibility.registry import RULES, compiled
from piperoll.checking.plausibility.results import Addresses, Outcome
from piperoll.checking.plausibility.suite import Expectation
from piperoll.model import Dataset
from piperoll.reading import ReadTable


def outcomes(
    tables: Sequence[ReadTable],
    dataset: Dataset,
    expectations: Sequence[Expectation],
    engine: CheckEngine = CheckEngine.COMPILED,
    rules: Mapping[str, Rule] = RULES,
) -> list[Outcome]:
    """What comes of `expectations` on `tables`, taken as one, in the suite's order.

    Expectations about columns that no table has, or that hold nothing at all, are left out; of no rows at all there is
    nothing to expect. The compiled engine goes through the batches once, and gives GX what it does not know.

    Raises: DescriptorError: an expectation could not be worked out.
    """
    if not any(table.rows for table in tables):
        return []
    frame = Frame(tables, dataset)
    plans = _plans(frame, expectations, rules) if engine is CheckEngine.COMPILED else {}
    concluded = _concluded(frame, list(plans.values()))
    asked = [each for each in expectations if each.looks_at(frame.kinds) <= frame.said]
    if left := [each for each in asked if each.number not in plans]:
        from piperoll.checking.plausibility import reference  # noqa: PLC0415 - it brings a library of seconds

        concluded |= reference.outcomes(frame, left)
    return [concluded[each.number] for each in asked]


def left_to_reference(dataset: Dataset, expectations: Sequence[Expectation]) -> list[Expectation]:
    """The expectations that Great Expectations must work out itself, whatever the table."""
    kinds = Frame((), dataset).kinds
    return [each for each in expectations if compiled(each, kinds) is None]


def _plans(frame: Frame, expectations: Sequence[Expectation], rules: Mapping[str, Rule]) -> dict[int, Plan]:
    made = {each.number: compiled(each, frame.kinds, rules) for each in expectations}
    return {number: plan for number, plan in made.items() if plan is not None}


def _concluded(frame: Frame, plans: Sequence[Plan]) -> dict[int, Outcome]:
    """The outcomes of `plans`, by the number of the expectation; evidence that several need is gathered once."""
    makers: dict[Any, Callable[[], Evidence]] = {plan.key: plan.evidence for plan in plans if plan.evidence}
    evidence = {key: make() for key, make in makers.items()}
    places = _Lines()
    for rows in frame.batches():
        places.take(rows)
        for each in evidence.values():
            each.take(rows)
    found = {key: evidence.pop(key).found() for key in list(evidence)}  # what was gathered is let go one by one
    return {plan.expectation.number: _outcome(plan, frame, found, places) for plan in plans}


def _outcome(plan: Plan, frame: Frame, all_found: Mapping[Any, Any], lines: _Lines) -> Outcome:
    found = all_found[plan.key] if plan.evidence else frame.columns
    success, result = plan.verdict(found)
    unexpected = lines.addresses(found) if isinstance(found, Judged) else Addresses()
    return Outcome(plan.expectation, success, result, unexpected)


class _Lines:
    """Where each line of the frame stands: the number of its table, and its row."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._tables: list[int] = []
        self._rows: list[np.ndarray[Any, np.dtype[np.uint32]]] = []

    def take(self, rows: Rows) -> None:
        self._starts.append(rows.start)
        self._tables.append(rows.table)
        self._rows.append(rows.row_numbers().astype(np.uint32))

    def addresses(self, judged: Judged) -> Addresses:
        """Those of the lines that are not as expected."""
        if not len(judged.unexpected):
            return Addresses()
        if len(self._rows) > 1:
            self._rows = [joined(self._rows, np.uint32)]
        batch = np.searchsorted(self._starts, judged.unexpected, side="right") - 1
        return Addresses(np.array(self._tables, np.int64)[batch], self._rows[0][judged.unexpected].astype(np.int64))
