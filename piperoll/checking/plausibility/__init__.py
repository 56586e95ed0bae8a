"""Check whether the figures of a submission are plausible, by suites in the JSON of Great Expectations (GX).

GX defines what an expectation means. It takes seconds to import and holds every cell as a Python object, so the
expectations that our suites use are compiled to rules over whole columns (`rules`); GX itself (`reference`) evaluates
any other, and is the standard by which the compiled ones are tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility.outcomes import Outcome, RowAddresses, evaluate_by_metrics, evaluate_expectations
from piperoll.checking.plausibility.suite import parse_suite
from piperoll.findings import format_pounds
from piperoll.model import Dataset, Severity
from piperoll.reading import ReadTable

__all__ = [
    "Outcome",
    "RowAddresses",
    "UnmetExpectation",
    "evaluate_by_metrics",
    "evaluate_expectations",
    "find_unmet_expectations",
    "parse_suite",
]


_LEAST_LINES = 5
"""Of fewer lines, neither a share nor the middle one says anything: one contract of £0 is half of two."""

_OF_MANY = frozenset(
    [
        "expect_column_median_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
    ]
)
"""The expectations about a share or the median of a whole column."""


@dataclass(frozen=True, slots=True)
class UnmetExpectation:
    """An expectation that was not met.

    `code`, `message`, `fix` and `field` come from its `meta`; without one there, `field` is its first column. `rows`
    has the number of the table and the row of every unexpected line; it is empty for an expectation about a whole
    column, which has `observed`.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    field: str | None
    rows: RowAddresses
    observed: str | None


def find_unmet_expectations(
    tables: Sequence[ReadTable], dataset: Dataset, suite: str, engine: CheckEngine = CheckEngine.COMPILED
) -> Iterator[UnmetExpectation]:
    """Yield what in `tables`, taken as one, does not meet `suite` (JSON of GX), in the suite's order.

    Expectations about a column that no table has, or in which every cell is empty, are skipped. So are those about a
    share or the median of fewer than five lines, and those that compare two columns which we chose by their cells
    alone, if most lines do not meet them: then the choice is in doubt, and not the lines.

    Raises: DescriptorError: the suite is not valid, lacks our `meta`, or an expectation could not be evaluated.
    """
    for outcome in evaluate_expectations(tables, dataset, parse_suite(suite), engine):
        if not outcome.success and _tells_something(outcome, tables):
            expectation, observed = outcome.expectation, outcome.result.get("observed_value")
            yield UnmetExpectation(
                code=expectation.meta["code"],
                severity=expectation.weight,
                message=expectation.meta["message"],
                fix=expectation.meta["fix"],
                field=expectation.meta.get("field") or next(iter(expectation.columns), None),
                rows=outcome.unexpected.distinct(),
                observed=None if observed is None else _describe_observed(observed, expectation.columns, dataset),
            )


def _tells_something(outcome: Outcome, tables: Sequence[ReadTable]) -> bool:
    """Whether an expectation that is not met is about the lines, and about enough of them."""
    expectation, result = outcome.expectation, outcome.result
    lines = sum(table.rows for table in tables)
    if "element_count" in result:
        lines = result["element_count"] - result.get("missing_count", 0)
    if lines < _LEAST_LINES and (expectation.type in _OF_MANY or expectation.kwargs.get("mostly", 1) < 1):
        return False
    choices = [table.choices[name] for table in tables for name in expectation.columns if name in table.choices]
    chosen_by_cells = len(expectation.columns) > 1 and any(choice.how == "content" for choice in choices)
    return not (chosen_by_cells and len(outcome.unexpected) * 2 > lines)


def _describe_observed(observed: object, columns: Sequence[str], dataset: Dataset) -> str:
    """What was found, in words: an amount as pounds, another number with separators of thousands."""
    if not isinstance(observed, (int, float)):
        return str(observed)
    number = Decimal(str(round(observed, 2)))
    in_pounds = any(field.name in columns and field.unit == "GBP" for field in dataset.fields)
    return format_pounds(number) if in_pounds else f"{number:,f}".removesuffix(".0")
