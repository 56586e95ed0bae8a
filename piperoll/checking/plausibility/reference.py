"""Great Expectations itself, on a pandas frame. The only module that imports the two libraries.

Importing GX takes 5 to 16 seconds, so that happens on the first call. The frame is of pandas because on SQL GX names
at most 20 unexpected rows.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.patterns import suppress_warnings
from piperoll.checking.plausibility.columns import ColumnKind, Frame
from piperoll.checking.plausibility.outcomes import Outcome, RowAddresses
from piperoll.checking.plausibility.suite import ROW, TABLE, Expectation
from piperoll.errors import DescriptorError

_ONE_AT_A_TIME = threading.Lock()  # a GX context mixes up the frames of two threads
_ABOUT_COLUMNS = "expect_table_column"
_QUANTILES = "expect_column_quantile_values_to_be_between"


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
        if frame.kinds[name] is ColumnKind.NUMBER:
            whole[name] = whole[name].map(float, na_action="ignore").astype("float64")
        elif frame.kinds[name] is ColumnKind.DAY:
            whole[name] = to_datetime(whole[name], errors="coerce", format="ISO8601")
    return whole


def _series(frame: Frame, name: str) -> Any:
    """A column for pandas: objects of Python, or whole numbers for the address of a line."""
    from pandas import Series  # noqa: PLC0415 - comes with Great Expectations

    cells: list[Any] = []
    for number, table in enumerate(frame.tables):
        for batch in table.batches():
            if name == TABLE:
                cells += [number] * batch.num_rows
            else:
                present = name in batch.schema.names
                cells += batch[name].to_pylist() if present else pa.nulls(batch.num_rows).to_pylist()
    return Series(cells, dtype="int64" if name in (TABLE, ROW) else object)


def _validate(whole: Any, expectations: Sequence[Expectation]) -> dict[int, Any]:
    """GX's result for each expectation, by its number: GX does not keep the order."""
    numbered = [
        {"type": each.type, "kwargs": dict(each.kwargs), "severity": each.severity, "meta": {"number": each.number}}
        for each in expectations
    ]
    with _ONE_AT_A_TIME, suppress_warnings():  # GX's own, about pandas
        batch = _batch_definition().get_batch(batch_parameters={"dataframe": whole})
        validation = batch.validate(
            _gx_suite(numbered),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [TABLE, ROW]},
        )
    return {result.expectation_config.meta["number"]: result for result in validation.results}


def _gx_suite(numbered: list[dict[str, Any]]) -> Any:
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - importing it takes seconds
    from great_expectations.exceptions import GreatExpectationsError  # noqa: PLC0415

    try:
        return ExpectationSuite(name="suite", expectations=numbered)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise DescriptorError(f"Great Expectations refuses a suite: {error}") from error


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
