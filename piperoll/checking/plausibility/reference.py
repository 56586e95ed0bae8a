"""Great Expectations itself, on a pandas frame. The only module that imports the two libraries.

Importing GX takes 5 to 16 seconds, so that happens on the first call. The frame is of pandas because on SQL GX names
at most 20 unexpected rows.

`evaluate_expectations` is GX's own validation, and the standard. `evaluate_by_metrics` is for audits, which evaluate
the same suites on many small frames.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from piperoll.checking.patterns import suppress_warnings
from piperoll.checking.plausibility.columns import ColumnKind, Frame, decode_cells
from piperoll.checking.plausibility.outcomes import Outcome, RowAddresses
from piperoll.checking.plausibility.suite import ROW, TABLE, Expectation
from piperoll.errors import DescriptorError

_ONE_AT_A_TIME = threading.Lock()  # a GX context mixes up the frames of two threads
_ABOUT_COLUMNS = "expect_table_column"
_QUANTILES = "expect_column_quantile_values_to_be_between"
_BY_CELLS = frozenset(
    [
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_match_regex",
        "expect_column_value_lengths_to_be_between",
        "expect_select_column_values_to_be_unique_within_record",
    ]
)
"""Expectations that find the same in all lines with the same cells, and take up to 12 µs for a line."""
_KEPT_PLANS = 64
"""Metric plans that are kept: two for each dataset and set of filled columns."""


def evaluate_expectations(frame: Frame, expectations: Sequence[Expectation]) -> dict[int, Outcome]:
    """Evaluate `expectations`, and return the outcomes by their numbers. The batches of `frame` have been read.

    Raises: DescriptorError: GX refuses an expectation or could not evaluate it.
    """
    # In one validation GX 1.24 confuses two expectations about the quantiles of a column (docs/parity.md).
    quantiles = [each for each in expectations if each.type == _QUANTILES]
    together = [each for each in expectations if each.type != _QUANTILES] + quantiles[:1]
    whole = _pandas_frame(frame, _columns_needed(frame, expectations))
    results: dict[int, Any] = {}
    for validation in (together, *([each] for each in quantiles[1:])):
        results |= _validate(whole, validation)
    return {each.number: _outcome(each, results[each.number]) for each in expectations}


def evaluate_by_metrics(frame: Frame, expectations: Sequence[Expectation]) -> dict[int, Outcome]:
    """Evaluate expectations of the types that are compiled, as `evaluate_expectations` does, in a fifth of its time.

    Of the 25 ms that GX takes to validate a small frame, its metrics take 2 and the making, copying and writing out of
    configuration objects the rest. Here they are made once for the process. GX's metrics and the `_validate` of each
    of its expectations find the outcome; its `result` has counts or what was observed, but no unexpected values.

    Raises: DescriptorError: GX refuses an expectation. MetricResolutionError of GX: it could not be evaluated.
    """
    if not expectations:
        return {}
    whole = _pandas_frame(frame, _columns_needed(frame, expectations))
    with _ONE_AT_A_TIME, suppress_warnings():
        found = _metric_plan(json.dumps(_number(expectations))).evaluate(whole)
    tables, rows = whole[TABLE].to_numpy(), whole[ROW].to_numpy()
    return {
        each.number: Outcome(each, success, _to_python(result), RowAddresses(tables[lines], rows[lines]))
        for each in expectations
        for success, result, lines in [found[each.number]]
    }


def warm_up() -> None:
    """Import Great Expectations now, in the calling thread, so that the first use need not wait for it."""
    _batch_definition()


def _columns_needed(frame: Frame, expectations: Sequence[Expectation]) -> list[str]:
    """The columns that GX must be given: all if an expectation is about the columns, or has a condition as text."""
    needed = {TABLE, ROW}
    for each in expectations:
        condition = each.kwargs.get("row_condition")
        query = isinstance(condition, str) or (isinstance(condition, Mapping) and "pass_through" in repr(condition))
        if query or each.type.startswith(_ABOUT_COLUMNS):
            return frame.columns
        needed |= each.columns_needed(frame.kinds)
    return [name for name in frame.columns if name in needed]


def _pandas_frame(frame: Frame, names: Sequence[str]) -> Any:
    """One pandas frame: text as it is, dates as dates, numbers as float."""
    from pandas import DataFrame, to_datetime  # noqa: PLC0415 - comes with Great Expectations

    whole = DataFrame({name: _series(frame, name) for name in names})
    for name in names:
        if frame.kinds[name] is ColumnKind.DAY:
            whole[name] = to_datetime(whole[name], errors="coerce", format="ISO8601")
    return whole


def _series(frame: Frame, name: str) -> Any:
    """A column for pandas: texts, numbers as float, or whole numbers for the address of a line."""
    from pandas import Series  # noqa: PLC0415 - comes with Great Expectations

    parts: list[Any] = []
    for number, table in enumerate(frame.tables):
        for batch in table.batches():
            if name == TABLE:
                parts.append(np.full(batch.num_rows, number))
            elif name in batch.schema.names:
                parts.append(decode_cells(batch[name]).to_numpy(zero_copy_only=False))
            else:
                parts.append(np.full(batch.num_rows, None))
    cells = np.concatenate(parts)
    if frame.kinds[name] is ColumnKind.NUMBER:
        cells = np.array([np.nan if cell is None else float(cell) for cell in cells.tolist()], np.float64)
    return Series(cells, dtype=object if frame.kinds[name] in (ColumnKind.TEXT, ColumnKind.DAY) else None)


def _validate(whole: Any, expectations: Sequence[Expectation]) -> dict[int, Any]:
    """GX's result for each expectation, by its number: GX does not keep the order."""
    with _ONE_AT_A_TIME, suppress_warnings():  # GX's own, about pandas
        batch = _batch_definition().get_batch(batch_parameters={"dataframe": whole})
        validation = batch.validate(
            _gx_suite(_number(expectations)),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [TABLE, ROW]},
        )
    return {result.expectation_config.meta["number"]: result for result in validation.results}


def _number(expectations: Sequence[Expectation]) -> list[dict[str, Any]]:
    """The expectations as GX reads them; each says its number."""
    return [
        {"type": each.type, "kwargs": dict(each.kwargs), "severity": each.severity, "meta": {"number": each.number}}
        for each in expectations
    ]


def _gx_suite(numbered: list[dict[str, Any]]) -> Any:
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - importing it takes seconds
    from great_expectations.exceptions import GreatExpectationsError  # noqa: PLC0415

    try:
        return ExpectationSuite(name="suite", expectations=numbered)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise DescriptorError(f"Great Expectations refuses a suite: {error}") from error


@lru_cache(maxsize=_KEPT_PLANS)
def _metric_plan(numbered: str) -> _MetricPlan:
    _batch_definition()  # configures GX
    return _MetricPlan(json.loads(numbered))


class _MetricPlan:
    """The expectations of a suite as GX's objects, and the metrics of GX that they need, to evaluate frame by frame."""

    def __init__(self, numbered: list[dict[str, Any]]) -> None:
        from great_expectations.execution_engine import PandasExecutionEngine  # noqa: PLC0415

        # without its cache, which would give the metrics of one frame for the next
        self._engine = PandasExecutionEngine(caching=False)
        self._checks = {check.meta["number"]: check for check in _gx_suite(numbered).expectations}
        self._metrics: dict[int, dict[str, Any]] = {
            number: check.get_validation_dependencies(self._engine, _of_format("BOOLEAN_ONLY")).metric_configurations
            for number, check in self._checks.items()
        }
        self._unexpected: dict[int, Any] = {
            number: metrics[f"{self._checks[number].map_metric}.unexpected_count"]
            for number, metrics in self._metrics.items()
            if hasattr(self._checks[number], "map_metric")
        }
        for number in self._checks.keys() - self._unexpected.keys():
            # GX writes out the whole configuration anew for each argument of an expectation about a column
            check = self._checks[number]
            object.__setattr__(check, "_get_success_kwargs", check._get_success_kwargs().copy)
        by_columns: dict[tuple[str, ...], list[int]] = {}
        for number, check in self._checks.items():
            by_cells = check.expectation_type in _BY_CELLS and check.row_condition is None
            names = (getattr(check, "column_list", None) or [check.column]) if by_cells else []
            by_columns.setdefault(tuple(names), []).append(number)
        self._on_all = self._plan(by_columns.pop((), []))
        self._on_distinct = [(list(names), numbers, self._plan(numbers)) for names, numbers in by_columns.items()]

    def evaluate(self, whole: Any) -> dict[int, tuple[bool, Mapping[str, Any], Any]]:
        """By the number of each expectation: whether it is met, GX's result and the unexpected lines of `whole`."""
        found = self._resolve(self._on_all, whole)
        for names, numbers, graph in self._on_distinct:
            found.update(self._resolve_on_distinct(names, numbers, graph, whole))
        outcomes = {}
        for number, check in self._checks.items():
            given = {name: found[metric.id] for name, metric in self._metrics[number].items()}
            verdict = check._validate(given, _of_format("BASIC"), self._engine)
            lines = np.array([], np.intp)
            if number in self._unexpected:
                unexpected = found[self._condition(number).id][0]
                lines = unexpected.index[unexpected.to_numpy(bool)].to_numpy()
            outcomes[number] = bool(verdict["success"]), verdict["result"], lines
        return outcomes

    def _condition(self, number: int) -> Any:
        """The metric of which lines are unexpected: a flag for each line that is tested."""
        return self._unexpected[number].metric_dependencies["unexpected_condition"]

    def _plan(self, numbers: Iterable[int]) -> Any:
        """A graph of the metrics of expectations and of all that they are made of."""
        from great_expectations.validator.validation_graph import ValidationGraph  # noqa: PLC0415

        graph = ValidationGraph(self._engine)
        for number in numbers:
            for metric in self._metrics[number].values():
                graph.build_metric_dependency_graph(metric, _of_format("BOOLEAN_ONLY"))
        return graph

    def _resolve(self, graph: Any, whole: Any) -> dict[Any, Any]:
        """The value of each metric of `graph`, by the id of the metric."""
        self._engine.load_batch_data(TABLE, whole)
        try:
            found, _ = graph.resolve(_of_format("BOOLEAN_ONLY"), show_progress_bars=False)
        finally:
            self._engine.load_batch_data(TABLE, whole.head(0).copy())  # lets go of the frame
        metrics: dict[Any, Any] = found
        return metrics

    def _resolve_on_distinct(
        self, names: Sequence[str], numbers: Sequence[int], graph: Any, whole: Any
    ) -> dict[Any, Any]:
        """As `_resolve`, for expectations about the cells of each line in the columns `names`.

        Of lines with the same cells, GX is given the first.
        """
        codes = whole.groupby(names, dropna=False, sort=False).ngroup().to_numpy()
        firsts = np.unique(codes, return_index=True)[1]
        resolved = self._resolve(graph, whole.iloc[firsts])
        found: dict[Any, Any] = {}
        for number in numbers:
            check, metrics, condition = self._checks[number], self._metrics[number], self._condition(number)
            unexpected, *rest = resolved[condition.id]
            tested, flags = np.zeros((2, len(firsts)), bool)
            tested[codes[unexpected.index]] = True
            flags[codes[unexpected.index]] = unexpected
            of_lines = whole[TABLE].astype(bool)
            of_lines[:] = flags[codes]
            lines_tested = int(np.count_nonzero(tested[codes]))
            found[condition.id] = (of_lines, *rest)
            found[self._unexpected[number].id] = int(np.count_nonzero(flags[codes]))
            found[metrics["table.row_count"].id] = len(whole)
            if len(names) > 1:
                found[metrics[f"{check.map_metric}.filtered_row_count"].id] = lines_tested
            else:
                found[metrics["column_values.nonnull.unexpected_count"].id] = len(whole) - lines_tested
        return found


def _of_format(result: str) -> dict[str, Any]:
    """How GX is to evaluate: with the least result, raising errors."""
    return {"result_format": {"result_format": result}, "catch_exceptions": False}


@cache
def _batch_definition() -> Any:
    """One ephemeral context for the whole process, without progress bars or telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with suppress_warnings():  # those of the many libraries that it imports
        import great_expectations as gx  # noqa: PLC0415 - importing it takes seconds
        from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("tables").add_dataframe_asset("tables")
        return asset.add_batch_definition_whole_dataframe("tables")


def _outcome(expectation: Expectation, result: Any) -> Outcome:
    # exception_info is one entry, or one for each metric that the expectation needed
    info = result.exception_info
    for entry in [info] if "raised_exception" in info else info.values():
        if entry["raised_exception"]:
            code, message = expectation.meta["code"], entry["exception_message"]
            raise DescriptorError(f"expectation {code} could not be evaluated: {message}")
    details = dict(result.result)
    index = details.pop("unexpected_index_list", None) or []
    addresses = np.array([(line[TABLE], line[ROW]) for line in index], np.int64).reshape(-1, 2)
    unexpected = RowAddresses(addresses[:, 0], addresses[:, 1])
    return Outcome(expectation, bool(result.success), _to_python(details), unexpected)


def _to_python(value: Any) -> Any:
    """A result with Python's own values for those of NumPy and pandas."""
    if isinstance(value, dict):
        return {key: _to_python(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_to_python(each) for each in value]
    if hasattr(value, "to_pydatetime"):
        return None if value != value else value.to_pydatetime()  # noqa: PLR0124 - NaT is not equal to itself
    return value.item() if hasattr(value, "item") else value
