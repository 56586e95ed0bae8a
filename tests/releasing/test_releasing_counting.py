"""The time of a line, and which lines of several tables count."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from piperoll import assets
from piperoll.model import UNDATED, Period
from piperoll.releasing.counting import line_times


def columns(dataset: str, period: str, **cells: list[str | None]) -> dict[str, list[object]]:
    batch = pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in cells.items()})
    times = line_times(assets.dataset(dataset), Period.parse(period), batch)
    return {name: getattr(times, name).to_pylist() for name in ("day", "month", "financial_year", "year", "undated")}


def test_a_line_belongs_to_its_own_date_and_not_to_the_first_day_of_its_table() -> None:
    found = columns("spend", "2021-10--2026-03", payment_date=["2021-10-01", "2026-03-31", "2024-04-01"])
    assert found["year"] == ["2021-22", "2025-26", "2024-25"]
    assert found["month"] == ["2021-10", "2026-03", "2024-04"]
    assert found["undated"] == [False, False, False]


def test_a_year_that_could_be_a_month_is_labelled_as_a_year_and_kept_as_a_range() -> None:
    found = columns("spend", "2010-11", payment_date=["2010-11-30"])
    assert (found["financial_year"], found["year"]) == (["2010-11"], ["2010-04--2011-03"])


@pytest.mark.parametrize(
    ("period", "month", "year"),
    [("2026-10", "2026-10", "2026-27"), ("2026-Q4", None, "2026-27"), ("2026-01--2026-06", None, UNDATED)],
)
def test_a_line_without_a_date_belongs_to_the_period_of_its_table(period: str, month: str | None, year: str) -> None:
    found = columns("spend", period, payment_date=[None])
    assert (found["day"], found["undated"], found["month"], found["year"]) == ([None], [True], [month], [year])
    assert found["financial_year"] == [None if year == UNDATED else year]


def test_a_contract_belongs_to_the_time_of_its_register() -> None:
    found = columns("contracts", "2026-04", start_date=["2019-01-01", None])
    assert (found["year"], found["undated"]) == (["2026-27", "2026-27"], [False, False])


def test_a_snapshot_belongs_to_its_day() -> None:
    found = columns("roles", "2026-03-31", job_title=["Clerk"])
    assert (found["day"], found["year"], found["month"]) == ([date(2026, 3, 31)], ["2025-26"], ["2026-03"])


def test_a_row_with_a_period_of_its_own_belongs_to_the_year_in_which_that_ends() -> None:
    starts, ends = ["2012-07-01", "2013-06-01"], ["2013-06-30", "2013-06-30"]
    found = columns("transactions", "2012-07--2013-06", period_start=starts, period_end=ends)
    assert found["year"] == ["2013-14", "2013-14"]
    assert found["month"] == [None, "2013-06"]
