"""Great Expectations itself: the one module that knows that library, and pandas through it.

It says what the rules mean. Importing it takes 5 to 16 seconds, so that happens on the first call. GX runs on a pandas
frame, because on SQL it names at most 20 unexpected rows.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from piperoll.checking.plausibility.columns import Frame, Kind
from piperoll.checking.plausibility.results import Addresses, Outcome
from piperoll.checking.plausibility.suite import ROW, TABLE, Expectation
from piperoll.errors import DescriptorError

_ONE_AT_A_TIME = threading.Lock()  # a GX context mixes up the frames of two threads
_ABOUT_COLUMNS = "expect_table_column"
_QUANTILES = "expect_column_quantile_values_to_be_between"


def outcomes(frame: Frame, expectations: Sequence[Expectation]) -> dict[int, Outcome]:
    """What GX says of `expectations`, by their number. The frame has been gone through: it knows its columns.

    Raises: DescriptorError: GX takes an expectation for none, or could not work it out.
    """
    whole = _frame(frame, _needed(frame, expectations))
    results: dict[int, Any] = {}
    for apart in _apart(expectations):
        results |= _results(whole, apart)
    return {each.number: _outcome(each, results[each.number]) for each in expectations}


def _apart(expectations: Sequence[Expectation]) -> list[list[Expectation]]:
    """The expectations in as few validations as may be: quantiles each in their own.

    Within one validation GX 1.24 takes two expectations about the quantiles of one column for one (docs/parity.md).
    """
    alone = [each for each in expectations if each.type == _QUANTILES]
    together = [each for each in expectations if each.type != _QUANTILES] + alone[:1]
    return [together, *([each] for each in alone[1:])]


def warm_up() -> None:
    """Import Great Expectations now, in the calling thread, so that the first use need not wait for it."""
    _batch_definition()


def _needed(frame: Frame, expectations: Sequence[Expectation]) -> list[str]:
    """The columns of the frame that GX must be given: all where an expectation is about them or hides a query."""
    hides = any(_is_query(each) or each.type.startswith(_ABOUT_COLUMNS) for each in expectations)
    looked_at = {TABLE, ROW}.union(*(each.looks_at(frame.kinds) for each in expectations))
    return [name for name in frame.columns if hides or name in looked_at]


def _is_query(expectation: Expectation) -> bool:
    """Whether a row condition is text, which we do not look into for the columns that it names."""
    asked = expectation.kwargs.get("row_condition")
    return isinstance(asked, str) or (isinstance(asked, Mapping) and "pass_through" in repr(asked))


def _frame(frame: Frame, names: Sequence[str]) -> Any:
    """One pandas frame: text as it is, dates as dates, numbers as float."""
    from pandas import DataFrame, to_datetime  # noqa: PLC0415 - comes with Great Expectations

    whole = DataFrame({name: _cells(frame, name) for name in names})
    for name in names:
        if frame.kinds[name] is Kind.NUMBER:
            whole[name] = whole[name].map(float, na_action="ignore").astype("float64")
        elif frame.kinds[name] is Kind.DAY:
            whole[name] = to_datetime(whole[name], errors="coerce", format="ISO8601")
    return whole


def _cells(frame: Frame, name: str) -> Any:
    """A column as pandas holds it, the cells being Python's, or for the lines' addresses whole numbers."""
    from pandas import Series  # noqa: PLC0415 - comes with Great Expectations

    cells: list[Any] = []
    for number, table in enumerate(frame.tables):
        for batch in table.batches():
            if name == TABLE:
                cells += [number] * batch.num_rows
            else:
                there = name in batch.schema.names
                cells += batch[name].to_pylist() if there else pa.nulls(batch.num_rows).to_pylist()
    return Series(cells, dtype="int64" if name in (TABLE, ROW) else object)


def _results(whole: Any, expectations: Sequence[Expectation]) -> dict[int, Any]:
    """The result of each expectation, by its number: GX does not keep the order."""
    numbered = [
        {"type": each.type, "kwargs": dict(each.kwargs), "severity": each.severity, "meta": {"number": each.number}}
        for each in expectations
    ]
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX's own, about pandas
        batch = _batch_definition().get_batch(batch_parameters={"dataframe": whole})
        outcome = batch.validate(
            _suite(numbered),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [TABLE, ROW]},
        )
    return {result.expectation_config.meta["number"]: result for result in outcome.results}


def _suite(numbered: list[dict[str, Any]]) -> Any:
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - after the first import, whose warnings are mute
    from great_expectations.exceptions import GreatExpectationsError  # noqa: PLC0415

    try:
        return ExpectationSuite(name="suite", expectations=numbered)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise DescriptorError(f"Great Expectations refuses a suite: {error}") from error


@cache
def _batch_definition() -> Any:
    """One ephemeral context for the whole process: quiet, and telling nobody."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the many libraries that it imports
        import great_expectations as gx  # noqa: PLC0415 - importing it takes seconds
        from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("tables").add_dataframe_asset("tables")
        return asset.add_batch_definition_whole_dataframe("tables")


def _outcome(expectation: Expectation, result: Any) -> Outcome:
    if any_exception := _exception(result):
        raise DescriptorError(f"expectation {expectation.meta['code']} could not be worked out: {any_exception}")
    said = dict(result.result)
    places = said.pop("unexpected_index_list", None) or []
    unexpected = Addresses.of([(int(place[TABLE]), int(place[ROW])) for place in places])
    return Outcome(expectation, bool(result.success), _plain(said), unexpected)


def _plain(said: Any) -> Any:
    """A result in Python's own values: GX leaves numpy's and pandas' in it."""
    if isinstance(said, dict):
        return {key: _plain(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_plain(value) for value in said]
    if hasattr(said, "to_pydatetime"):
        return None if said != said else said.to_pydatetime()  # noqa: PLR0124 - a date that is none
    return said.item() if hasattr(said, "item") else said


def _exception(result: Any) -> str | None:
    """The message of the exception that an expectation raised, if it did."""
    said = result.exception_info
    if "raised_exception" in said:
        return str(said["exception_message"]) if said["raised_exception"] else None
    return next((str(one["exception_message"]) for one in said.values() if one["raised_exception"]), None)
