"""The duty calendar as an iCalendar: one event for each return, which other calendars can read."""

from __future__ import annotations

from datetime import date

from piperoll import assets
from piperoll.duties import DutyState, judge_duties
from piperoll.model import Body, ReturnKind, Statement
from piperoll.operations.duty_calendar import list_upcoming, write_icalendar

ON = date(2026, 11, 28)
ANYTOWN = Body("gss:E07999901", "anytown", "Anytown; Überall, Borough \\ Council\nBEGIN:VALARM", "council")
ENDING = Body("gss:E07999902", "beeford", "Beeford Council", "council", valid_to=date(2027, 1, 15))


def test_each_return_is_one_event_on_its_due_day_and_no_name_adds_a_line() -> None:
    spending = [assets.dataset("spend")]
    past = judge_duties(spending, [ANYTOWN, ENDING], [], ON, date(2026, 7, 1))
    upcoming = list_upcoming(spending, [ANYTOWN, ENDING], ON, {})
    written = write_icalendar([*past, *upcoming], ON, "Returns", "https://portal.example/").encode()
    content_lines = written.split(b"\r\n")
    assert max(map(len, content_lines)) <= 75
    assert content_lines[-1] == b""
    lines = written.decode().replace("\r\n ", "").split("\r\n")
    assert "BEGIN:VALARM" not in lines
    events = [line.removeprefix("UID:") for line in lines if line.startswith("UID:")]
    assert len(events) == len(set(events)) == lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT")
    at = lines.index("UID:spend.all.2026-Q3.anytown@duties.piperoll")
    assert lines[at + 2] == "DTSTART;VALUE=DATE:20261030"
    name = "Anytown\\; Überall\\, Borough \\\\ Council BEGIN:VALARM"
    assert lines[at + 3] == f"SUMMARY:Spending\\, July to September 2026: {name} (missing)"
    assert lines[at + 5] == "URL:https://portal.example/bodies/anytown/"
    # what falls due within a year and after the end of a body
    assert "spend.all.2026-Q4.anytown@duties.piperoll" in events
    assert "spend.all.2027-Q3.anytown@duties.piperoll" in events
    assert "spend.all.2026-Q4.beeford@duties.piperoll" not in events


def test_a_return_of_the_coming_year_that_a_body_is_exempt_of_is_exempt_in_its_calendar() -> None:
    said = Statement(ReturnKind.EXEMPT, "spend", "anytown", "2026-Q4", None, "2026-11-20T09:00:00Z", "A-1")
    upcoming = list_upcoming([assets.dataset("spend")], [ANYTOWN, ENDING], ON, {"anytown": [said]})
    states = {(duty.body.slug, str(duty.period)): duty.state for duty in upcoming if duty.part is None}
    assert states["anytown", "2026-Q4"] is DutyState.EXEMPT
    assert states["anytown", "2027-Q1"] is DutyState.NOT_YET_DUE
    written = write_icalendar(upcoming, ON, "Returns", "https://portal.example/").replace("\r\n ", "")
    assert "October to December 2026: Anytown" in written and "(exempt)" in written
