"""The time of a line, and which lines of several tables count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.model import UNDATED, Period, Series
from piperoll.releasing.counting import TableLines, count_lines, line_times


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


Line = tuple[str | None, str, str | None, str]
"""Date, supplier, reference and amount of a line of spending."""

SPEND = assets.dataset("spend")
PERIODS = ("2026-04", "2026-05", "2026-Q2", "2026-27", "2026-03--2026-04", "2025-04--2027-03")
LINES = st.tuples(
    st.sampled_from([None, "2026-03-31", "2026-04-01", "2026-05-31", "2019-01-01"]),
    st.sampled_from(["Acme Ltd", "ACME  LTD", "Beta"]),
    st.sampled_from([None, "T1"]),
    st.sampled_from(["1.00", "-1.00", "250.05"]),
)
SERIES = st.builds(
    lambda period, part: Series("spend", "anytown", Period.parse(period), part),
    st.sampled_from(PERIODS),
    st.sampled_from([None, "card", "grants"]),
)
TABLES = st.dictionaries(SERIES, st.lists(LINES, max_size=6), max_size=5)


def table_of(series: Series, lines: Iterable[Line]) -> TableLines:
    names = ("payment_date", "supplier_name", "transaction_number", "net_amount")
    schema = pa.schema([(name, pa.string()) for name in names])
    return TableLines(series, pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in lines], schema))


def count(tables: Iterable[tuple[Series, Iterable[Line]]]) -> dict[Series, Counter[tuple[Line, str]]]:
    """The lines of each table that count, with their years."""
    given = [(series, list(lines)) for series, lines in tables]
    counts = count_lines(SPEND, [table_of(series, lines) for series, lines in given])
    return {
        series: Counter(
            (line, year)
            for line, year, counted in zip(lines, own.times.year.to_pylist(), own.counts.tolist(), strict=True)
            if counted
        )
        for (series, lines), own in zip(given, counts, strict=True)
    }


def pounds(counted: dict[Series, Counter[tuple[Line, str]]]) -> Decimal:
    return sum((Decimal(line[3]) * n for own in counted.values() for (line, _), n in own.items()), Decimal(0))


def says(line: Line) -> tuple[str | None, ...]:
    day, supplier, reference, amount = line
    return day, supplier.lower().replace(" ", ""), reference, amount


@given(TABLES)
def test_years_and_undated_lines_add_up_to_the_releases_less_what_is_left_out(tables: dict[Series, list[Line]]) -> None:
    counts = count_lines(SPEND, [table_of(series, lines) for series, lines in tables.items()])
    everything = sum((Decimal(line[3]) for lines in tables.values() for line in lines), Decimal(0))
    by_year: Counter[str] = Counter()
    left_out = Decimal(0)
    for lines, own in zip(tables.values(), counts, strict=True):
        for line, year, counted in zip(lines, own.times.year.to_pylist(), own.counts.tolist(), strict=True):
            if counted:
                by_year[year] += int(Decimal(line[3]) * 100)
            else:
                left_out += Decimal(line[3])
    assert Decimal(sum(by_year.values())) / 100 == everything - left_out


@given(TABLES, st.randoms(use_true_random=False))
def test_what_counts_depends_on_no_order_of_tables(tables: dict[Series, list[Line]], random) -> None:
    shuffled = list(tables.items())
    random.shuffle(shuffled)
    assert count(shuffled) == count(tables.items())


@given(TABLES)
def test_a_copy_of_a_table_adds_nothing(tables: dict[Series, list[Line]]) -> None:
    before = pounds(count(tables.items()))
    for series, lines in tables.items():
        copy = Series("spend", "anytown", series.period, "a-copy")
        assert pounds(count([*tables.items(), (copy, lines)])) == before


@given(TABLES, SERIES)
def test_a_table_that_shares_no_line_counts_in_full(tables: dict[Series, list[Line]], series: Series) -> None:
    tables = {one: lines for one, lines in tables.items() if one != series}
    own: list[Line] = [("2026-04-01", "Another", "T9", "7.00"), (None, "Another", None, "7.00")] * 2
    before, after = count(tables.items()), count([*tables.items(), (series, own)])
    assert sum(after.pop(series).values()) == len(own)
    assert after == before


@given(TABLES)
def test_dated_lines_count_as_often_as_the_table_that_has_most_of_them(tables: dict[Series, list[Line]]) -> None:
    most: Counter[tuple[str | None, ...]] = Counter()
    for lines in tables.values():
        most |= Counter(says(line) for line in lines if line[0] is not None)
    found: Counter[tuple[str | None, ...]] = Counter()
    for own in count(tables.items()).values():
        for (line, _), number in own.items():
            if line[0] is not None:
                found[says(line)] += number
    assert found == most


def test_the_line_that_counts_is_that_of_the_shortest_period_and_then_of_the_earliest() -> None:
    line: Line = ("2026-04-30", "Acme Ltd", "T1", "5.00")
    year, may, april, card = (
        Series("spend", "anytown", Period.parse(period), part)
        for period, part in (("2026-27", None), ("2026-05", None), ("2026-04", None), ("2026-04", "card"))
    )
    counted = count([(year, [line]), (may, [line]), (card, [line]), (april, [line])])
    assert [series for series, own in counted.items() if own] == [april]


def test_a_line_counts_beside_empty_tables_that_are_preferred() -> None:
    line: Line = ("2026-03-31", "Acme Ltd", None, "1.00")
    own, *others = (Series("spend", "anytown", Period.parse("2026-04"), part) for part in ("card", None, "a-copy"))
    assert pounds(count([(own, [line]), *((other, []) for other in others)])) == 1
