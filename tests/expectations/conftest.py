"""Great Expectations once a session: importing it takes 5 to 15 seconds."""

import json
import os
import warnings

import pytest

from piperoll import assets

COLUMN_ARGUMENTS = ("column", "column_A", "column_B")


def columns_of(expectation):
    kwargs = expectation["kwargs"]
    return [kwargs[name] for name in COLUMN_ARGUMENTS if name in kwargs] + list(kwargs.get("column_list", ()))


@pytest.fixture(scope="session")
def gx():
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the libraries that it imports
        import great_expectations  # noqa: PLC0415 - importing it takes seconds
    return great_expectations


@pytest.fixture(scope="session")
def unmet(gx):
    """The codes of the expectations that are not met: by a suite, on a table.

    The table is a mapping of columns. Expectations about columns that it lacks are skipped, as in the pipeline; so are
    all but the one called `code` if one is given.
    """
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415
    from pandas import DataFrame  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("made").add_dataframe_asset("made")
    whole = asset.add_batch_definition_whole_dataframe("made")

    def find_unmet(dataset, table, code=None):
        suite = json.loads(assets.suite(dataset))["expectations"]
        asked = [
            expectation
            for expectation in suite
            if set(columns_of(expectation)) <= set(table) and code in (None, expectation["meta"]["code"])
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GX's own, about pandas
            batch = whole.get_batch(batch_parameters={"dataframe": typed(DataFrame(table), assets.dataset(dataset))})
            results = batch.validate(gx.ExpectationSuite(name="made", expectations=asked)).results
        assert not [result for result in results if raised(result.exception_info)]
        return {result.expectation_config.meta["code"] for result in results if not result.success}

    return find_unmet


def typed(frame, dataset):
    """Numbers as float, dates as datetime64, text as objects: the frame that the pipeline makes."""
    from pandas import to_datetime  # noqa: PLC0415

    for name in frame.columns.drop("row"):
        match dataset.field(name).type:
            case "number" | "integer":
                frame[name] = frame[name].astype("float64")
            case "date":
                frame[name] = to_datetime(frame[name])
            case _:
                frame[name] = frame[name].astype(object)
    return frame


def raised(info):
    if "raised_exception" in info:
        return info["raised_exception"]
    return any(one["raised_exception"] for one in info.values())
