"""The statistics of measures, by examples worked by hand and by what must always hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.measuring.statistics import (
    CountBounds,
    Interval,
    OutlierRule,
    PeerView,
    RankBand,
    Shape,
    SideAmounts,
    bounds_of_rounded,
    effective_number,
    find_outliers,
    present_value,
    public_value_index,
    quantile,
    rank_bands,
    shape_of,
    share_bounds,
    spread_by_year,
    summarise_peers,
    tukey_fences,
    wilson,
)


def decimals(*texts: str | int) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def places(value: Decimal, count: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-count))


# --- the Public Value Index ---------------------------------------------------------------------------------------


def sides(outcome: int, overhead: int, unknown: int, excluded: int = 0, *contested: int) -> SideAmounts:
    return SideAmounts(*map(Decimal, (outcome, overhead, unknown, excluded, *contested)))


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (sides(600, 300, 100, 540, 60, 30, 0), ("0.6667", "0.5400", "0.7300")),
        (sides(600, 300, 100, 540, 60, 30, 40), ("0.6667", "0.5192", "0.7404")),
    ],
)
def test_the_index_has_the_bounds_of_everything_unsure(amounts: SideAmounts, expected: tuple[str, str, str]) -> None:
    found = public_value_index(amounts)
    assert tuple(places(each, 4) for each in (found.value, found.lo, found.hi)) == tuple(map(Decimal, expected))


def test_nothing_on_either_side_has_no_index() -> None:
    with pytest.raises(ZeroDivisionError):
        public_value_index(sides(0, 0, 100))


AMOUNTS = st.integers(min_value=0, max_value=10**9).map(Decimal)
SHARES = st.integers(min_value=0, max_value=100)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, SHARES, SHARES, SHARES)
def test_the_bounds_contain_the_index(
    outcome: Decimal, overhead: Decimal, unknown: Decimal, excluded: Decimal, first: int, second: int, third: int
) -> None:
    if not outcome + overhead:
        return
    contested = (outcome * first / 100, overhead * second / 100, excluded * third / 100)
    found = public_value_index(SideAmounts(outcome, overhead, unknown, excluded, *contested))
    assert 0 <= found.lo <= found.value <= found.hi <= 1


@given(AMOUNTS, AMOUNTS, AMOUNTS, SHARES)
def test_calling_overhead_unknown_never_raises_the_low_bound(
    outcome: Decimal, overhead: Decimal, unknown: Decimal, share: int
) -> None:
    moved = overhead * share / 100
    if not outcome or not overhead - moved:
        return
    before = public_value_index(SideAmounts(outcome, overhead, unknown))
    after = public_value_index(SideAmounts(outcome, overhead - moved, unknown + moved))
    assert after.lo == before.lo


# --- peers --------------------------------------------------------------------------------------------------------

EIGHT = decimals(40, 50, 55, 60, 62, 70, 80, 120)


def test_eight_bodies_have_quartiles() -> None:
    found = summarise_peers(EIGHT)
    assert (found.view, found.median, found.deviation) == (PeerView.QUARTILES, 61, 10)
    assert (found.lower_quartile, found.upper_quartile) == (Decimal("53.75"), Decimal("72.5"))
    assert tukey_fences(EIGHT) == (Decimal("25.625"), Decimal("100.625"))


@pytest.mark.parametrize(
    ("bodies", "peers", "view"),
    [
        (8, 8, PeerView.QUARTILES),
        (7, 7, PeerView.LIST),
        (3, 3, PeerView.LIST),
        (2, 2, PeerView.OWN),
        (8, 10, PeerView.QUARTILES),
        (8, 11, PeerView.OWN),
    ],
)
def test_what_may_be_said_depends_on_how_many_bodies_have_a_value(bodies: int, peers: int, view: PeerView) -> None:
    found = summarise_peers(EIGHT[:bodies], peers)
    assert (found.view, found.bodies) == (view, bodies)
    assert (found.median is None) is (view is not PeerView.QUARTILES)


def test_an_outlier_is_found_by_the_median_absolute_deviation() -> None:
    assert find_outliers(EIGHT) == ([False] * 7 + [True], OutlierRule.DEVIATION)


def test_no_deviation_at_the_median_does_not_hide_outliers() -> None:
    values = decimals(0, 10, 10, 10, 10, 10, 10, 11, 12, 90)
    assert quantile([abs(value - 10) for value in values], Decimal("0.5")) == 0
    found, rule = find_outliers(values)
    assert rule is OutlierRule.FENCES
    assert [value for value, out in zip(values, found, strict=True) if out] == decimals(0, 12, 90)


def test_values_that_hardly_differ_have_no_outliers() -> None:
    assert find_outliers(decimals(10, 10, 10, 10, 10, 10, 10, 90)) == ([False] * 8, OutlierRule.NONE)


def interval(lo: str, hi: str) -> Interval:
    return Interval((Decimal(lo) + Decimal(hi)) / 2, Decimal(lo), Decimal(hi))


FOUR = {
    "A": interval(".50", ".60"),
    "B": interval(".55", ".70"),
    "C": interval(".75", ".80"),
    "D": interval(".40", ".45"),
}


def test_a_body_is_between_two_places() -> None:
    assert rank_bands(FOUR, high_is_good=True) == {
        "C": RankBand(1, 1, 4),
        "B": RankBand(2, 3, 4),
        "A": RankBand(2, 3, 4),
        "D": RankBand(4, 4, 4),
    }


def test_for_costs_the_lowest_is_first() -> None:
    assert rank_bands(FOUR, high_is_good=False)["D"] == RankBand(1, 1, 4)


def test_bounds_that_touch_do_not_separate() -> None:
    found = rank_bands({"A": interval("1", "2"), "B": interval("2", "3")}, high_is_good=True)
    assert found == {"A": RankBand(1, 2, 2), "B": RankBand(1, 2, 2)}


# --- shares of counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "trials", "lo", "hi"),
    [
        (8, 10, ".4902", ".9433"),
        (190, 200, ".9104", ".9726"),
        (198, 200, ".9643", ".9973"),
        (0, 5, "0", ".4345"),
        (5, 5, ".5655", "1"),
    ],
)
def test_the_bounds_of_a_share_are_those_of_wilson(successes: int, trials: int, lo: str, hi: str) -> None:
    found = wilson(successes, trials)
    assert (places(found.lo, 4), places(found.hi, 4)) == (places(Decimal(lo), 4), places(Decimal(hi), 4))


def test_shares_of_rounded_and_suppressed_counts_have_bounds() -> None:
    found = share_bounds([bounds_of_rounded(100), bounds_of_rounded(50), bounds_of_rounded(None)])
    assert [(places(lo, 4), places(hi, 4)) for lo, hi in found] == [
        (Decimal(lo), Decimal(hi)) for lo, hi in ((".6169", ".6954"), (".2922", ".3642"), (".0062", ".0278"))
    ]
    assert shape_of(found) is Shape.PYRAMID


def test_a_count_of_zero_has_no_negative_bound() -> None:
    assert bounds_of_rounded(0) == CountBounds(0, 0, 5)


def test_a_shape_has_a_word_only_if_the_bounds_prove_it() -> None:
    def levels(*texts: tuple[str, str]) -> list[tuple[Decimal, Decimal]]:
        return [(Decimal(lo), Decimal(hi)) for lo, hi in texts]

    assert shape_of(levels((".1", ".2"), (".6", ".7"), (".1", ".2"))) is Shape.DIAMOND
    assert shape_of(levels((".1", ".2"), (".3", ".4"), (".5", ".6"))) is Shape.INVERTED
    assert shape_of(levels((".4", ".5"), (".45", ".55"))) is Shape.UNCLEAR
    assert shape_of(levels((".9", "1"))) is Shape.UNCLEAR


def test_the_effective_number_is_that_of_equal_parts() -> None:
    assert places(effective_number(decimals(50, 30, 20)), 3) == Decimal("2.632")
    assert effective_number(decimals(100)) == 1
    assert effective_number(decimals(1, 1, 1, 1)) == 4


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_value_is_spread_over_financial_years_by_day() -> None:
    found = spread_by_year(Decimal(365_000), date(2024, 1, 1), date(2024, 12, 30))
    assert found == {"2023-24": Decimal(91_000), "2024-25": Decimal(274_000)}


@given(
    st.integers(min_value=-(10**9), max_value=10**9).map(lambda pence: Decimal(pence) / 100),
    st.dates(min_value=date(2000, 1, 1), max_value=date(2040, 1, 1)),
    st.integers(min_value=0, max_value=4000),
)
def test_what_is_spread_adds_up(value: Decimal, start: date, days: int) -> None:
    end = date.fromordinal(start.toordinal() + days)
    assert sum(spread_by_year(value, start, end).values()) == value


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        spread_by_year(Decimal(1), date(2024, 1, 2), date(2024, 1, 1))


def test_the_cost_of_doing_nothing_is_discounted() -> None:
    rate = Decimal("0.035")
    nothing, option = present_value(decimals(2, 2, 2, 2, 2), rate), present_value(decimals(4, 1, 1, 1, 1), rate)
    assert (nothing, option, nothing - option) == (Decimal("9.3462"), Decimal("7.6731"), Decimal("1.6731"))
