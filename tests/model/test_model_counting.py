from datetime import date
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from piperoll.model import Period, Series, count_once, financial_year_of


def spend(*periods: str, body: str = "anytown", part: str | None = None) -> list[Series]:
    return [Series("spend", body, Period.parse(period), part) for period in periods]


def names(series: object) -> list[str]:
    return [str(each.period) for each in series]  # type: ignore[attr-defined]


def test_three_months_count_and_not_the_quarter_that_they_make() -> None:
    counted = count_once(spend("2026-10", "2026-11", "2026-12", "2026-Q4"))
    assert names(counted.taken) == ["2026-10", "2026-11", "2026-12"]
    (quarter,) = counted.left_out
    assert str(quarter.series.period) == "2026-Q4"
    assert quarter.because == counted.taken


def test_a_quarter_counts_where_a_month_of_it_is_missing() -> None:
    counted = count_once(spend("2026-10", "2026-12", "2026-Q4"))
    assert names(counted.taken) == ["2026-Q4"]
    assert names(each.series for each in counted.left_out) == ["2026-10", "2026-12"]


def test_a_quarter_beside_its_months_was_counted_twice_where_the_body_sends_two_parts() -> None:
    """Series are sorted by period before part, so the series of one part were not next to each other."""
    periods = ("2026-10", "2026-11", "2026-12", "2026-Q4")
    counted = count_once([*spend(*periods), *spend(*periods, part="card")])
    assert [str(each.series) for each in counted.left_out] == ["spend/anytown/2026-Q4", "spend/anytown/2026-Q4--card"]
    assert len(counted.taken) == 6


def test_of_a_growing_year_to_date_the_last_counts() -> None:
    counted = count_once(spend("2026-04", "2026-04--2026-05", "2026-04--2026-06", "2026-04--2026-07"))
    assert names(counted.taken) == ["2026-04--2026-07"]


def test_months_after_the_year_to_date_count_beside_it() -> None:
    counted = count_once(spend("2026-04--2026-07", "2026-07", "2026-08"))
    assert names(counted.taken) == ["2026-04--2026-07", "2026-08"]


def test_bodies_and_parts_never_push_each_other_out() -> None:
    both = [*spend("2026-10"), *spend("2026-10", body="otherton"), *spend("2026-Q4", part="card")]
    assert len(count_once(both).taken) == 3


def test_of_two_snapshots_of_a_year_the_latest_counts() -> None:
    roles = [Series("roles", "anytown", Period.parse(day)) for day in ("2025-09-30", "2026-03-31", "2026-09-30")]
    counted = count_once(roles)
    assert names(counted.taken) == ["2026-03-31", "2026-09-30"]
    assert counted.left_out[0].because == (roles[1],)


def test_a_financial_year_begins_in_april() -> None:
    assert str(financial_year_of(Period.parse("2026-03"))) == "2025-26"
    assert str(financial_year_of(Period.parse("2026-04"))) == "2026-27"


MONTHS = [Period.month(2026, month) for month in range(1, 13)]
PERIODS = st.builds(
    lambda first, length: Period(MONTHS[first].start, MONTHS[min(11, first + length)].end),
    st.integers(0, 11),
    st.integers(0, 4),
)


@given(st.lists(PERIODS, max_size=8, unique=True))
def test_no_choice_without_overlap_covers_more_days(periods: list[Period]) -> None:
    counted = count_once(Series("spend", "anytown", period) for period in periods)
    taken = [each.period for each in counted.taken]
    assert not any(one.overlaps(other) for one, other in combinations(taken, 2))
    assert {*counted.taken, *(each.series for each in counted.left_out)} == {
        Series("spend", "anytown", period) for period in periods
    }
    best = max(
        (
            (sum(_days(period) for period in choice), len(choice))
            for size in range(len(periods) + 1)
            for choice in combinations(periods, size)
            if not any(one.overlaps(other) for one, other in combinations(choice, 2))
        ),
        default=(0, 0),
    )
    assert (sum(map(_days, taken)), len(taken)) == best
    assert all(each.because for each in counted.left_out)


def _days(period: Period) -> int:
    return (period.end - period.start).days + 1


def test_the_order_given_changes_nothing() -> None:
    periods = spend("2026-04--2026-06", "2026-06--2026-08", "2026-08--2026-10")
    assert count_once(periods) == count_once(reversed(periods))
    assert date(2026, 6, 1) in count_once(periods).taken[0].period
