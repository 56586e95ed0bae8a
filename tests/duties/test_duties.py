"""When returns are due by law, and how the files received decide whether each duty is met."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.duties import Duty, DutyState, judge_duties, last_working_day, next_due_day, summarise_received
from piperoll.errors import DescriptorError
from piperoll.model import Acts, Dataset, Finding, Period, Register, Report, Severity, Submission, Verdict
from tests.describing.example_world import REGISTER, accepted, report, submission

SPEND = assets.dataset("spend")
ROLES = assets.dataset("roles")
COUNCIL, DEPARTMENT = REGISTER.find("anytown"), REGISTER.find("bridges")
Received = Sequence[tuple[Submission, Report | None]]


def spend_duties(files: Received, on: date, since: date, body: str = "anytown") -> list[Duty]:
    register = Register((REGISTER.find(body),))
    return [duty for duty in judge_duties([SPEND], register, summarise_received(files), on, since) if duty.part is None]


def sent(period: str, received: str, verdict: Verdict = Verdict.ACCEPTED, body: str = "anytown") -> Any:
    found = replace(accepted(Period.parse(period)), verdict=verdict)
    return submission(body, None, f"{received}T12:00:00Z", name=f"{period}-{received}"), found


def again(period: str, received: str) -> Any:
    """An old file sent again, which is held."""
    files, found = sent(period, received, Verdict.HELD)
    return files, replace(
        found, findings=(Finding("rows-repeated", Severity.ERROR, "All rows are published already.", "Look."),)
    )


def unread(period: str, received: str) -> Any:
    """A file received that has no report because of a fault of ours."""
    return submission("anytown", period, f"{received}T12:00:00Z", name="unread"), None


@pytest.mark.parametrize(
    ("quarter", "day"),
    [
        ("2026-Q1", "2026-04-30"),
        ("2026-Q2", "2026-07-30"),
        ("2026-Q3", "2026-10-30"),
        ("2026-Q4", "2027-01-31"),
    ],
)
def test_a_council_must_publish_spending_one_month_after_the_quarter(quarter: str, day: str) -> None:
    period = Period.parse(quarter)
    (duty,) = spend_duties([], date(2027, 2, 1), period.start)[:1]
    assert (duty.period, duty.due.isoformat()) == (period, day)


@pytest.mark.parametrize(
    ("month", "day"),
    [
        (date(2026, 10, 1), "2026-10-30"),  # the 31st is a Saturday
        (date(2026, 5, 9), "2026-05-29"),  # a Sunday, after a Saturday
        (date(2026, 8, 1), "2026-08-28"),  # the 31st is the summer bank holiday
        (date(2024, 3, 31), "2024-03-28"),  # Easter: the 29th is Good Friday
        (date(2026, 12, 1), "2026-12-31"),
    ],
)
def test_the_last_working_day_is_no_weekend_and_no_bank_holiday_in_england(month: date, day: str) -> None:
    assert last_working_day(month).isoformat() == day


def test_a_department_must_publish_spending_by_the_last_working_day_of_the_next_month() -> None:
    duties = spend_duties([], date(2026, 11, 1), date(2026, 7, 1), "bridges")
    assert [(str(duty.period), duty.due.isoformat()) for duty in duties] == [
        ("2026-07", "2026-08-28"),
        ("2026-08", "2026-09-30"),
        ("2026-09", "2026-10-30"),
        ("2026-10", "2026-11-30"),
    ]


def test_organograms_are_due_in_june_and_december() -> None:
    duties = judge_duties([ROLES], Register((DEPARTMENT,)), summarise_received([]), date(2027, 1, 1), date(2026, 1, 1))
    assert [(duty.part, str(duty.period), duty.due.isoformat()) for duty in duties] == [
        ("junior", "2026-03-31", "2026-06-06"),
        ("senior", "2026-03-31", "2026-06-06"),
        ("junior", "2026-09-30", "2026-12-06"),
        ("senior", "2026-09-30", "2026-12-06"),
    ]


Q3 = date(2026, 7, 1)


@pytest.mark.parametrize(
    ("files", "on", "state"),
    [
        ([], "2026-10-30", DutyState.NOT_YET_DUE),
        ([], "2026-10-31", DutyState.MISSING),
        ([sent("2026-Q3", "2026-10-30")], "2026-12-01", DutyState.ON_TIME),
        ([sent("2026-Q3", "2026-10-31")], "2026-12-01", DutyState.LATE),
        ([sent("2026-Q3", "2026-11-30"), sent("2026-Q3", "2026-10-09")], "2026-12-01", DutyState.ON_TIME),
        ([sent("2026-Q3", "2026-10-09", Verdict.NIL)], "2026-12-01", DutyState.NIL),
        ([sent("2026-Q3", "2026-10-09", Verdict.HELD)], "2026-12-01", DutyState.HELD),
        ([sent("2026-Q3", "2026-10-09", Verdict.REJECTED)], "2026-12-01", DutyState.REJECTED),
        ([again("2026-Q3", "2026-10-09")], "2026-12-01", DutyState.REPEATED),
        ([again("2026-Q3", "2026-10-09"), sent("2026-Q3", "2026-10-10", Verdict.HELD)], "2026-12-01", DutyState.HELD),
        ([again("2026-Q3", "2026-10-09"), sent("2026-Q3", "2026-10-10")], "2026-12-01", DutyState.ON_TIME),
        ([unread("2026-Q3", "2026-10-09")], "2026-12-01", DutyState.FAILED),
        ([sent("2026-Q3", "2026-10-09", Verdict.REJECTED), sent("2026-08", "2026-10-12")], "2026-12-01", "rejected"),
        ([sent("2026-Q3", "2026-10-09", Verdict.HELD), sent("2026-Q3", "2026-10-12")], "2026-12-01", "on-time"),
        ([sent("2026-Q2", "2026-10-09")], "2026-12-01", DutyState.MISSING),
        ([sent("2026-Q3", "2026-10-09", body="brackwater")], "2026-12-01", DutyState.MISSING),
    ],
)
def test_the_files_received_decide_the_state(files: Received, on: str, state: str) -> None:
    duty = spend_duties(files, date.fromisoformat(on), Q3)[0]
    assert duty.state == state


def test_three_months_make_a_quarter_and_the_last_gives_the_day() -> None:
    months = [sent("2026-07", "2026-08-03"), sent("2026-08", "2026-09-03"), sent("2026-09", "2026-11-02")]
    two, three = (spend_duties(months[:count], date(2026, 12, 1), Q3)[0] for count in (2, 3))
    assert (two.state, two.months_arrived, two.months_due, two.received) == ("missing", 2, 3, None)
    assert (three.state, three.received) == ("late", date(2026, 11, 2))


def test_a_card_file_does_not_meet_the_spending_duty() -> None:
    card = accepted(Period.parse("2026-Q3"), part="card")
    files = [(submission("anytown", "2026-Q3", "2026-10-01T00:00:00Z"), card)]
    duties = judge_duties([SPEND], Register((COUNCIL,)), summarise_received(files), date(2026, 12, 1), Q3)
    assert {duty.part: duty.state.value for duty in duties} == {None: "missing", "card": "on-time"}


def test_a_file_of_unknown_period_meets_no_duty() -> None:
    unknown = (submission("anytown", None, "2026-10-01T00:00:00Z"), report(Verdict.REJECTED, period=None))
    assert spend_duties([unknown], date(2026, 12, 1), Q3)[0].state == "missing"


def test_a_file_we_failed_to_read_is_our_fault() -> None:
    unread = (submission("anytown", "2026-Q3", "2026-10-01T00:00:00Z"), None)
    duty = spend_duties([unread], date(2026, 12, 1), Q3)[0]
    assert (duty.state, duty.outstanding) == ("failed", True)


def test_a_file_that_waits_for_our_answer_is_not_the_bodys_turn() -> None:
    files, found = sent("2026-Q3", "2026-10-09", Verdict.HELD)
    for acts in Acts:
        asked = Finding("headings-drifted", Severity.ERROR, "Is 'Gross' the amount?", "Answer the question.", acts)
        [duty] = spend_duties([(files, replace(found, findings=(asked,)))], date(2026, 10, 31), date(2026, 7, 1))
        assert (duty.state, duty.to_document()["acts"]) == (DutyState.HELD, str(acts))


def test_a_period_that_is_not_over_is_not_due_yet() -> None:
    assert [str(duty.period) for duty in spend_duties([], date(2026, 9, 30), date(2026, 4, 1))] == ["2026-Q2"]
    assert [str(duty.period) for duty in spend_duties([], date(2026, 10, 1), date(2026, 4, 1))] == [
        "2026-Q2",
        "2026-Q3",
    ]


def test_the_next_due_day_follows_the_kind_of_body() -> None:
    assert next_due_day(SPEND, COUNCIL, date(2026, 11, 22)) == date(2027, 1, 31)
    assert next_due_day(SPEND, DEPARTMENT, date(2026, 11, 22)) == date(2026, 11, 30)
    assert next_due_day(SPEND, DEPARTMENT, date(2026, 11, 30)) == date(2026, 12, 31)
    assert next_due_day(assets.dataset("transactions"), COUNCIL, date(2026, 11, 22)) is None


@settings(deadline=None)  # the first call for a year makes its bank holidays
@given(st.dates(min_value=date(2011, 1, 1), max_value=date(2040, 12, 31)))
def test_the_next_due_day_is_after_today_and_within_the_interval(today: date) -> None:
    council, department = next_due_day(SPEND, COUNCIL, today), next_due_day(SPEND, DEPARTMENT, today)
    assert council is not None
    assert department is not None
    assert 0 < (council - today).days <= 93
    assert 0 < (department - today).days <= 35


def broken(**rule: Any) -> Dataset:
    return replace(SPEND, duties=({**SPEND.duties[0], **rule},))


@pytest.mark.parametrize("rule", [{"every": "fortnight"}, {"due": {"moons_after": 1}}])
def test_an_unknown_duty_rule_raises_an_error(rule: dict[str, Any]) -> None:
    with pytest.raises(DescriptorError, match="lgtc-spend"):
        next_due_day(broken(**rule), COUNCIL, date(2026, 11, 22))
