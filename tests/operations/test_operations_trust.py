"""Earned trust is a function of the record: it rises with it, and falls gently and for stated reasons."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import findings
from piperoll.operations.trust import CORRECTION, FIRST_FILE, MISS, Standing, TrustEvent, judge, read_rules

RULES = read_rules()
START = date(2026, 1, 10)


def month(number: int, kind: str = FIRST_FILE, *, ok: bool = True) -> TrustEvent:
    """One event on the tenth of a month, numbered from January 2026."""
    year, left = divmod(number, 12)
    return TrustEvent(date(2026 + year, left + 1, 10), kind, ok, f"{kind} {number}")


def level(events: list[TrustEvent], on: date) -> str:
    return judge(events, on, RULES).level.name


def test_a_body_without_a_record_is_new() -> None:
    standing = judge([], START, RULES)
    assert (standing.level.name, standing.next and standing.next.name) == ("new", "settled")
    assert standing.missing == ("3 more periods sent (of 3)",)
    assert not standing.may_release("far-fewer-than-before")


@pytest.mark.parametrize(("months", "name"), [(2, "new"), (3, "settled"), (6, "steady"), (12, "trusted")])
def test_months_without_a_fault_climb_the_ladder(months: int, name: str) -> None:
    events = [month(number) for number in range(months)]
    assert level(events, events[-1].day) == name


def test_half_of_the_first_files_held_stays_settled() -> None:
    events = [month(number, ok=number % 2 == 0) for number in range(12)]
    standing = judge(events, events[-1].day, RULES)
    assert standing.level.name == "settled"
    assert standing.missing == ("80% of first files accepted without a hold: now 6 of 12",)


def test_one_miss_of_a_trusted_body_costs_one_level_and_says_why() -> None:
    events = [month(number) for number in range(12)]
    missed = month(12, MISS, ok=False)
    standing = judge([*events, missed], missed.day, RULES)
    assert (standing.level.name, standing.fell) == ("steady", missed.day)
    assert standing.because == ("no return late or missing: now 1",)


def test_many_misses_on_one_day_cost_one_level_in_a_month() -> None:
    events = [month(number) for number in range(12)]
    missed = [TrustEvent(date(2027, 1, 10), MISS, False, f"miss {number}") for number in range(9)]
    day = missed[0].day
    assert level([*events, *missed], day) == "steady"
    assert level([*events, *missed], day + timedelta(days=30)) == "steady"
    assert level([*events, *missed], day + timedelta(days=31)) == "settled"
    assert level([*events, *missed], day + timedelta(days=62)) == "new"


def test_a_miss_is_forgotten_after_thirteen_months() -> None:
    events = sorted([month(5, MISS, ok=False), *(month(number) for number in range(20))], key=lambda one: one.day)
    assert level(events, date(2027, 6, 9)) == "steady"
    assert level(events, date(2027, 7, 10)) == "trusted"


def test_frequent_corrections_keep_a_body_from_being_trusted() -> None:
    events = [month(number) for number in range(12)] + [month(number, CORRECTION, ok=False) for number in range(3)]
    events.sort(key=lambda one: one.day)
    standing = judge(events, date(2026, 12, 10), RULES)
    assert standing.level.name == "steady"
    assert standing.missing == ("corrections of at most 20% of the periods: now 3 of 12",)


def test_each_level_releases_all_that_the_one_below_does_and_every_code_holds_files() -> None:
    for below, above in zip(RULES.levels, RULES.levels[1:], strict=False):
        assert below.officer_may_release < above.officer_may_release
    assert all(findings.holds_file(code) for code in RULES.levels[-1].officer_may_release)
    assert not RULES.levels[0].officer_may_release


EVENTS = st.lists(
    st.builds(
        TrustEvent,
        st.integers(0, 900).map(lambda days: START + timedelta(days=days)),
        st.sampled_from([FIRST_FILE, MISS, CORRECTION]),
        st.booleans(),
        st.just("made up"),
    ),
    max_size=40,
)


@given(EVENTS, st.integers(1, 1000))
def test_no_level_falls_by_more_than_one_in_a_month_and_a_fall_has_reasons(events: list[TrustEvent], day: int) -> None:
    on = START + timedelta(days=day)
    names = [one.name for one in RULES.levels]
    before, after = (judge(events, when, RULES) for when in (on - timedelta(days=1), on))
    assert isinstance(after, Standing)
    assert names.index(after.level.name) >= names.index(before.level.name) - 1
    if names.index(after.level.name) < names.index(before.level.name):
        assert after.fell == on
        assert after.because
    assert judge(list(events), on, RULES) == after


@given(EVENTS)
def test_the_order_in_which_events_are_listed_does_not_matter(events: list[TrustEvent]) -> None:
    on = START + timedelta(days=1000)
    first, second = judge(events, on, RULES), judge(events[::-1], on, RULES)
    assert (first.level, first.fell, first.because, first.missing) == (
        second.level,
        second.fell,
        second.because,
        second.missing,
    )
