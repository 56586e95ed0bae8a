"""Plausibility: suites in Great Expectations' own JSON, worked out over whole columns.

Great Expectations says what the rules mean; `registry` has those that are compiled, each a small pure function under
GX's name for it; `reference` is GX itself, for what is not compiled and to prove the rest by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility.engine import outcomes
from piperoll.checking.plausibility.results import Addresses, Outcome
from piperoll.checking.plausibility.suite import expectations
from piperoll.model import Dataset, Severity
from piperoll.reading import ReadTable

__all__ = ["Addresses", "Outcome", "UnmetExpectation", "expectations", "find_unmet_expectations", "outcomes"]


@dataclass(frozen=True, slots=True)
class UnmetExpectation:
    """One expectation that was not met.

    `code`, `message` and `fix` come from its `meta`, `field` is its first column. `rows` are the number of the table
    and the row of each unexpected line; empty for an expectation about the whole, which has `observed`.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    field: str | None
    rows: Addresses
    observed: str | None


def find_unmet_expectations(
    tables: Sequence[ReadTable], dataset: Dataset, suite: str, engine: CheckEngine = CheckEngine.COMPILED
) -> Iterator[UnmetExpectation]:
    """What in `tables`, taken as one, does not meet `suite` (GX's own JSON), in the suite's order.

    Expectations about columns that no table has, or that hold nothing at all, are left out.

    Raises: DescriptorError: the suite is not one, lacks our `meta`, or an expectation could not be worked out.
    """
    for outcome in outcomes(tables, dataset, expectations(suite), engine):
        if not outcome.success:
            yield _implausible(outcome)


def _implausible(outcome: Outcome) -> UnmetExpectation:
    expectation, observed = outcome.expectation, outcome.result.get("observed_value")
    return UnmetExpectation(
        code=expectation.meta["code"],
        severity=expectation.weight,
        message=expectation.meta["message"],
        fix=expectation.meta["fix"],
        field=expectation.columns[0] if expectation.columns else None,
        rows=outcome.unexpected.once(),
        observed=None if observed is None else str(observed),
    )
