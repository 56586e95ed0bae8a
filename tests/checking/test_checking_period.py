"""Periods: as given, else as the name says, else as the dates say; and what is odd about it is told."""

from __future__ import annotations

import pytest

from piperoll.model import Verdict, What
from tests.checking.made_readings import codes, examined, made_table, spend_row


def rows_of(*dates: str | None) -> list[dict[str, str | None]]:
    return [spend_row(payment_date=date) for date in dates]


def test_a_given_period_is_never_doubted_but_the_dates_are() -> None:
    said = examined(made_table(rows=rows_of("2026-09-30", "2026-09-01")), file="August 2026.csv", period="2026-10")
    assert str(said.period) == "2026-10"
    (finding,) = [each for each in said.report.findings if each.code == "dates-outside-period"]
    assert (finding.count, finding.column) == (2, "A")
    assert "rows 2, 3" in finding.message


def test_the_name_says_the_period_where_half_of_the_dates_agree() -> None:
    said = examined(made_table(rows=rows_of("2026-10-01", "2026-09-30")), file="spend October 2026.csv")
    assert (str(said.period), said.report.period) == ("2026-10", "2026-10")
    assert "period-from-name" in codes(said)


def test_a_name_that_the_dates_belie_is_told_and_passed_over() -> None:
    said = examined(made_table(rows=rows_of(*["2026-09-30"] * 3, "2026-10-01")), file="spend October 2026.csv")
    assert {"period-name-contradicted", "period-from-dates"} <= set(codes(said))
    assert str(said.period) == "2026-Q3--" or str(said.period) != "2026-10"


def test_a_name_of_two_periods_is_told_and_passed_over() -> None:
    said = examined(made_table(rows=rows_of("2026-10-01")), file="spend October 2026 and November 2026.csv")
    assert "period-name-ambiguous" in codes(said)
    assert str(said.period) == "2026-10"


def test_the_sheets_say_the_period_where_the_file_does_not() -> None:
    said = examined(made_table(rows=rows_of("2026-10-01"), sheet="Oct 2026"), file="payments.xlsx")
    assert "period-from-name" in codes(said)


@pytest.mark.parametrize(
    ("dates", "period"),
    [
        (["2026-10-01"] * 9 + ["2026-09-30"], "2026-10"),
        (["2026-10-01", "2026-11-01", "2026-12-01"], "2026-Q4"),
        (["2026-04-01", "2026-08-01", "2027-03-01"], "2026-27"),
        (["2026-02-01", "2026-05-01"], "2026-02--2026-05"),
    ],
)
def test_the_dates_say_the_period_where_no_name_does(dates: list[str], period: str) -> None:
    said = examined(made_table(rows=rows_of(*dates)), file="payments.csv")
    assert said.report.period == period
    assert "period-from-dates" in codes(said)


def test_no_period_holds_the_file() -> None:
    said = examined(made_table(rows=rows_of(None, None)), file="payments.csv")
    assert said.report.verdict is Verdict.HELD
    assert said.period is None
    assert "period-unknown" in codes(said)


def test_without_a_date_column_a_name_stands_for_a_given_period() -> None:
    row = {name: cell for name, cell in spend_row().items() if name != "payment_date"}
    assert examined(made_table(rows=[row]), file="spend 2026-10.csv").report.verdict.publishes
    assert examined(made_table(rows=[row]), file="spend.csv", period="2026-10").report.verdict.publishes
    assert examined(made_table(rows=[row]), file="spend.csv").report.verdict is Verdict.REJECTED


def post(**cells: str | None) -> dict[str, str | None]:
    return {"job_title": "Clerk", "fte": "1"} | cells


@pytest.mark.parametrize(
    ("file", "rows", "period"),
    [
        ("senior-2013-09-30.csv", [post()], "2013-09-30"),
        ("organogram 300913.csv", [post()], "2013-09-30"),
        ("organogram September 2013.csv", [post()], "2013-09-30"),
        ("organogram 2013-09-30 published 2013-12-06.csv", [post()], "2013-09-30"),
        ("organogram.csv", [post(snapshot_date="2014-03-31")] * 2, "2014-03-31"),
        ("organogram 2013-09-30.csv", [post(snapshot_date="2014-03-31")] * 2, "2014-03-31"),
        ("organogram.csv", [post(snapshot_date="2014-03-31"), post(snapshot_date="2014-09-30")], None),
        ("organogram.csv", [post()], None),
    ],
)
def test_a_snapshot_is_a_day(file: str, rows: list[dict[str, str | None]], period: str | None) -> None:
    said = examined(made_table("roles", rows=rows), dataset="roles", file=file)
    assert said.report.period == period
    assert (said.report.verdict is Verdict.HELD) == (period is None)


def test_a_nil_return_needs_a_period_too() -> None:
    assert examined(what=What.NIL_RETURN, file="spend 2026-10.csv").report.verdict is Verdict.NIL
    assert examined(what=What.NIL_RETURN, file="spend.csv", period="2026-10").report.verdict is Verdict.NIL
    said = examined(what=What.NIL_RETURN, file="spend.csv")
    assert said.report.verdict is Verdict.HELD
    assert codes(said) == ["period-unknown"]
