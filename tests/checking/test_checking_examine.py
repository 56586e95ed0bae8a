"""The verdict of an examination: accepted, with warnings, held or rejected."""

from __future__ import annotations

from decimal import Decimal

import pytest

from piperoll.checking import examine, hold_file
from piperoll.model import Body, Finding, Severity, Status, Verdict, Version, What
from tests.checking.made_readings import codes, examined, made_reading, made_table, spend_row

FULL = spend_row(org_unit="Housing", expense_type="Repairs", irrecoverable_vat="0", category_label="Roofs")


COUNCIL = Body("gss:E07000999", "anytown", "Anytown Borough Council", "council")


def standing(rows: int, pounds: str) -> Version:
    return Version(3, "v3-0", "0" * 64, "2026-11-01T00:00:00Z", Status.CURRENT, None, "", rows, Decimal(pounds), "", ())


def test_a_file_with_nothing_to_say_against_it_is_accepted() -> None:
    rows = [FULL | {"transaction_number": number} for number in "123"]
    examination = examined(made_table(rows=rows), body=COUNCIL)
    assert examination.report.verdict is Verdict.ACCEPTED
    assert [each.severity for each in examination.report.findings] == [Severity.INFO]
    assert "Every amount can be read: the total is £3,750.00." in examination.report.passed
    assert len(examination.report.passed) == 7


def test_a_warning_is_in_the_verdict() -> None:
    table = made_table(rows=[spend_row(purpose=None)])
    assert examined(table, body=COUNCIL).report.verdict is Verdict.ACCEPTED_WITH_WARNINGS


def test_a_missing_core_column_rejects_the_file_and_counts_its_rows_all_the_same() -> None:
    row = {name: cell for name, cell in spend_row().items() if name != "net_amount"}
    examination = examined(made_table(rows=[row] * 3))
    assert examination.report.verdict is Verdict.REJECTED
    assert (examination.report.tables[0].rows.read, examination.report.tables[0].rows.held) == (3, 3)
    (finding,) = [each for each in examination.report.findings if each.code == "core-missing"]
    assert "We could not find a column for 'Amount'" in finding.message


def test_a_small_table_beside_the_real_one_does_not_reject_the_file() -> None:
    beside = made_table(rows=[{"purpose": "a note"}], sheet="Notes")
    examination = examined(made_table(rows=[spend_row()] * 30, sheet="Oct"), beside)
    assert examination.report.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert examination.disposition.held == {1: {2: frozenset({"core-missing"})}}


@pytest.mark.parametrize(("bad", "verdict"), [(10, Verdict.ACCEPTED_WITH_WARNINGS), (11, Verdict.HELD)])
def test_more_than_one_row_in_ten_holds_the_file(bad: int, verdict: Verdict) -> None:
    examination = examined(made_table(rows=[spend_row(net_amount=None)] * bad + [spend_row()] * (100 - bad)))
    assert examination.report.verdict is verdict
    assert ("too-much-held" in codes(examination)) == (verdict is Verdict.HELD)


def test_more_than_a_tenth_of_the_pounds_holds_the_file_and_credits_do_not_offset() -> None:
    big = [spend_row(net_amount="-9000", payment_date=None), spend_row(net_amount="9000", payment_date=None)]
    examination = examined(made_table(rows=[spend_row()] * 50 + big, unreadable={"payment_date": [52, 53]}))
    assert examination.report.verdict is Verdict.HELD
    assert "too-much-held" in codes(examination)


def test_a_date_that_cannot_be_read_holds_its_row_and_a_missing_one_does_not() -> None:
    rows = [spend_row(payment_date=None), spend_row(payment_date=None)] + [spend_row()] * 30
    examination = examined(made_table(rows=rows, unreadable={"payment_date": [3]}))
    assert examination.disposition.held == {0: {3: frozenset({"core-unreadable"})}}
    (gap,) = [each for each in examination.report.findings if each.code == "cells-missing"]
    assert (gap.count, gap.field) == (1, "payment_date")


def test_another_field_of_the_group_saves_a_row() -> None:
    rows: list[dict[str, str | None]] = [{"job_title": "Clerk", "fte": "1", "salary_floor": None}]
    examination = examined(
        made_table("roles", rows=rows, unreadable={"salary_floor": [2]}), dataset="roles", period="2026-03-31"
    )
    assert examination.disposition.held == {}


def test_headings_without_records_never_pass_silently() -> None:
    examination = examined(made_table(columns=list(spend_row())), period="2026-10")
    assert examination.report.verdict is Verdict.HELD
    assert "no-rows" in codes(examination)


def test_what_is_no_data_is_rejected_with_a_reason() -> None:
    reading = made_reading(what=What.NOT_DATA, why="html_page")
    examination = examine(reading, file="x.csv", sha256="0" * 64, size=1, body=Body.provisional_for("x"))
    assert examination.report.verdict is Verdict.REJECTED
    (finding,) = examination.report.findings
    assert "html page" in finding.message


def test_gaps_are_one_warning_a_column() -> None:
    rows = [FULL] * 20 + [spend_row(org_unit=None)] * 3
    examination = examined(made_table(rows=rows, columns=list(FULL)), body=COUNCIL)
    gaps = {each.field: each.count for each in examination.report.findings if each.code == "cells-missing"}
    assert gaps == {"org_unit": 3, "irrecoverable_vat": 3}


def test_findings_come_by_table_and_row_and_the_same_of_many_rows_is_one_finding() -> None:
    first = made_table(rows=[spend_row()] * 4000 + [spend_row(net_amount=None)] * 300, sheet="A")
    second = made_table(rows=[spend_row(net_amount=None)] + [spend_row()] * 20, sheet="B")
    findings = [each for each in examined(first, second).report.findings if each.code == "structure-constraint-error"]
    assert [(each.sheet, each.row, each.count) for each in findings] == [("A", 4002, 300), ("B", 2, 1)]
    assert findings[0].rows == tuple(range(4002, 4302))
    assert findings[0].message == "'Amount' in column C of sheet 'A' (rows 4002 to 4301) must not be empty."


def test_far_more_than_what_stands_is_warned_of() -> None:
    table = made_table(rows=[FULL] * 10)
    assert "more-rows-than-before" in codes(examined(table, standing=standing(7, "12500")))
    assert "more-pounds-than-before" in codes(examined(table, standing=standing(10, "9000")))
    assert examined(table, standing=standing(10, "12500")).report.verdict is Verdict.ACCEPTED


def test_as_held_holds_what_was_accepted_and_says_why() -> None:
    examination = examined(made_table(rows=[FULL]))
    why = Finding("series-claimed-twice", Severity.ERROR, "Two files.", "Choose.")
    after = hold_file(examination, why)
    assert after.report.verdict is Verdict.HELD
    assert after.report.findings == (*examination.report.findings, why)
    assert after.disposition == examination.disposition


def test_the_same_arguments_give_the_same_examination() -> None:
    table = made_table(rows=[spend_row(supplier_name="J Smith", purpose="Mrs Smith DOB 1/2/03")] * 3 + [FULL])
    assert examined(table).report == examined(table).report


def test_a_report_on_a_snapshot_does_not_say_that_its_dates_were_compared_with_the_period() -> None:
    """It said so of every list of posts, although the dates of a snapshot are about other things."""
    row = {"snapshot_date": "2026-03-31", "job_title": "Director", "fte": "1"}
    snapshot = examined(made_table("roles", [row]), dataset="roles", file="roles 2025-03-31.csv", period="2025-03-31")
    assert snapshot.report.passed
    assert not any("within the period" in sentence for sentence in snapshot.report.passed)
    assert "Every date is within the period." in examined(made_table(rows=[FULL])).report.passed
