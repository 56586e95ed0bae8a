"""Plausibility: suites of Great Expectations. The one module that knows that library, and pandas through it.

Importing it takes 5 to 16 seconds, so it happens on the first call. A suite of a dozen expectations then takes about
0.2 seconds on a small table. GX runs on a pandas frame, because on SQL it names at most 20 unexpected rows.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from piperoll.errors import DescriptorError
from piperoll.model import Dataset, Severity
from piperoll.reading import ReadTable

_SEVERITY = {"critical": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")
_TABLE, _ROW = "table", "row"
_ONE_AT_A_TIME = threading.Lock()  # a GX context mixes up the frames of two threads


@dataclass(frozen=True, slots=True)
class Implausible:
    """One expectation that was not met.

    `code`, `message` and `fix` come from its `meta`, `field` is its first column. `rows` are the number of the table
    and the row of each unexpected line; empty for an expectation about the whole, which has `observed`.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    field: str | None
    rows: tuple[tuple[int, int], ...]
    observed: str | None


def implausible(tables: Sequence[ReadTable], dataset: Dataset, suite: str) -> Iterator[Implausible]:
    """What in `tables`, taken as one, does not meet `suite` (GX's own JSON), in the suite's order.

    Expectations about columns that no table has, or that hold nothing at all, are left out.

    Raises: DescriptorError: the suite is not one, lacks our `meta`, or an expectation could not be worked out.
    """
    columns = {_ROW, _TABLE}.union(*(_said_in(batch) for table in tables for batch in table.batches()))
    expectations = [entry for entry in _expectations(suite) if {*_columns(entry), *_conditions(entry)} <= columns]
    if not expectations or not any(table.rows for table in tables):
        return
    results = _results(_frame(tables, dataset), expectations)
    for number, entry in enumerate(expectations):
        result = results[number]
        if any_exception := _exception(result):
            raise DescriptorError(f"expectation {entry['meta']['code']} could not be worked out: {any_exception}")
        if not result.success:
            yield _implausible(entry, result)


def warm_up() -> None:
    """Import Great Expectations now, in the calling thread, so that the first examination need not wait for it."""
    _batch_definition()


def _expectations(suite: str) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads(suite)["expectations"]
        for entry in entries:
            _ = entry["type"], entry["kwargs"], _SEVERITY[entry["severity"]]
            _ = [entry["meta"][word] for word in ("code", "message", "fix")]
    except (ValueError, KeyError, TypeError) as error:
        raise DescriptorError(f"a suite lacks {error}: each expectation has type, kwargs, severity and meta") from error
    return entries


def _columns(entry: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for argument in _COLUMN_ARGUMENTS:
        value = entry["kwargs"].get(argument, [])
        found += [value] if isinstance(value, str) else list(value)
    return found


def _said_in(batch: pa.RecordBatch) -> set[str]:
    """The columns of a batch in which some cell holds something."""
    return {name for name in batch.schema.names if batch[name].null_count < batch.num_rows}


def _conditions(entry: Mapping[str, Any]) -> Iterator[str]:
    """The columns that an expectation's row condition looks at, however deep it is nested."""
    waiting = [entry["kwargs"].get("row_condition")]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, list):
            waiting += piece
        elif isinstance(piece, dict):
            waiting += [value for key, value in piece.items() if key != "column"]
            if "column" in piece:
                yield piece["column"]["name"]


def _frame(tables: Sequence[ReadTable], dataset: Dataset) -> Any:
    """One pandas frame: text as it is, dates as dates, numbers as float: enough for plausibility, never for sums."""
    from pandas import to_datetime, to_numeric  # noqa: PLC0415 - comes with Great Expectations

    parts = [
        pa.Table.from_batches([batch]).append_column(_TABLE, pa.array([number] * batch.num_rows, pa.int64()))
        for number, table in enumerate(tables)
        for batch in table.batches()
    ]
    names = [field.name for field in dataset.fields if any(field.name in part.column_names for part in parts)]
    whole = pa.concat_tables([part.select(_there(part, names)) for part in parts], promote_options="default")
    frame = whole.to_pandas(strings_to_categorical=False)
    for name in names:
        kind = dataset.field(name).type
        if kind in ("number", "integer"):
            frame[name] = to_numeric(frame[name]).astype("float64")
        elif kind == "date":
            frame[name] = to_datetime(frame[name], errors="coerce", format="ISO8601")
        else:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


def _there(part: pa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in (*names, _TABLE, _ROW) if name in part.column_names]


def _results(frame: Any, expectations: Sequence[Mapping[str, Any]]) -> dict[int, Any]:
    """The result of each expectation, by its place in the suite: GX does not keep the order."""
    numbered = [
        {key: entry[key] for key in ("type", "kwargs", "severity")} | {"meta": {"number": number}}
        for number, entry in enumerate(expectations)
    ]
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX's own, about pandas
        batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
        from great_expectations import ExpectationSuite  # noqa: PLC0415 - after the first import, whose warnings are mute

        outcome = batch.validate(
            ExpectationSuite(name="suite", expectations=numbered),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [_TABLE, _ROW]},
        )
    return {result.expectation_config.meta["number"]: result for result in outcome.results}


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


def _exception(result: Any) -> str | None:
    """The message of the exception that an expectation raised, if it did."""
    said = result.exception_info
    if "raised_exception" in said:
        return str(said["exception_message"]) if said["raised_exception"] else None
    return next((str(one["exception_message"]) for one in said.values() if one["raised_exception"]), None)


def _implausible(entry: Mapping[str, Any], result: Any) -> Implausible:
    unexpected = result.result.get("unexpected_index_list") or []
    observed = result.result.get("observed_value")
    columns = _columns(entry)
    return Implausible(
        code=entry["meta"]["code"],
        severity=_SEVERITY[entry["severity"]],
        message=entry["meta"]["message"],
        fix=entry["meta"]["fix"],
        field=columns[0] if columns else None,
        rows=tuple(dict.fromkeys((int(place[_TABLE]), int(place[_ROW])) for place in unexpected)),
        observed=None if observed is None else str(observed),
    )
