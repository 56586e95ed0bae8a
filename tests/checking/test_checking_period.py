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


def test_a_name_of_two_periods_is_the_one_or_both_with_the_rows() -> None:
    name = "spend October 2026 and November 2026.csv"
    said = examined(made_table(rows=rows_of("2026-10-01")), file=name)
    assert (about_period(said)[0][0], str(said.period)) == ("period-from-name", "2026-10")
    said = examined(made_table(rows=rows_of(*["2026-10-01"] * 4, *["2026-11-30"] * 4)), file=name)
    assert (about_period(said)[0][0], str(said.period)) == ("period-from-name", "2026-10--2026-11")
    said = examined(made_table(rows=rows_of("2026-03-01")), file=name)
    assert "period-name-ambiguous" in codes(said)
    assert str(said.period) == "2026-03"


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


def paid(*payments: tuple[str, str]) -> list[dict[str, str | None]]:
    """Rows of a date and an amount each."""
    return [spend_row(payment_date=day, net_amount=amount) for day, amount in payments]


TAIL = paid(
    *[("2026-08-12", "900.00")] * 10,
    *[("2026-07-20", "400.00")] * 6,
    *[("2026-06-20", "300.00")] * 3,
    *[(f"2026-0{month}-03", "100.00") for month in (2, 3, 4, 5)],
)


def about_period(said) -> list[tuple[str, str]]:
    wanted = ("period", "dates-outside")
    return [(each.code, each.severity.value) for each in said.report.findings if each.code.startswith(wanted)]


@pytest.mark.parametrize("file", ["spend August 2026.csv", "05 - August.csv", "SpendAug26.csv", "spend 31.08.26.csv"])
def test_a_month_with_late_invoices_is_not_read_as_a_year(file: str) -> None:
    """Two files of August and October with late invoices were published as of April to March, and the rest doubted."""
    said = examined(made_table(rows=TAIL), file=file)
    assert str(said.period) == "2026-08"
    assert about_period(said) == [("period-from-name", "info"), ("dates-outside-period", "info")]
    tail = next(each for each in said.report.findings if each.code == "dates-outside-period")
    assert tail.count == 13
    assert "13 rows worth £3700.00 are dated outside August 2026: rows 12, 13, 14, 15, 16 and others" in tail.message


def test_without_a_name_a_thin_tail_does_not_widen_a_month_and_real_volume_does() -> None:
    thin = paid(*[("2026-08-12", "900.00")] * 30, ("2026-03-02", "100.00"), *[("2026-07-02", "90.00")] * 4)
    assert str(examined(made_table(rows=thin), file="x.csv").period) == "2026-08"
    real = paid(*[("2026-08-12", "900.00")] * 12, *[("2026-07-02", "900.00")] * 8)
    assert str(examined(made_table(rows=real), file="x.csv").period) == "2026-07--2026-08"


def test_a_name_of_one_month_does_not_cover_a_file_of_three() -> None:
    rows = paid(*[(f"2026-{month:02}-09", "500.00") for month in (4, 5, 6) for _ in range(5)])
    said = examined(made_table(rows=rows), file="spend June 2026.csv")
    assert str(said.period) == "2026-Q2"
    assert about_period(said) == [("period-name-contradicted", "warning"), ("period-from-dates", "info")]


def test_the_period_is_where_the_money_lies() -> None:
    rows = paid(*[("2026-08-12", "10.00")] * 8, *[("2026-09-12", "9000.00")] * 6)
    assert str(examined(made_table(rows=rows), file="September 2026.csv").period) == "2026-09"


def test_four_months_across_two_quarters_are_not_a_year() -> None:
    """A file of September to December was published as April to March."""
    rows = paid(*[(f"2009-{month:02}-15", "500.00") for month in (9, 10, 11, 12) for _ in range(4)])
    assert str(examined(made_table(rows=rows), file="payments_2009_q4.csv").period) == "2009-09--2009-12"
    rows = paid(*[(f"2009-{month:02}-15", "500.00") for month in (4, 5) for _ in range(4)])
    assert str(examined(made_table(rows=rows), file="x.csv").period) == "2009-04--2009-05"


@pytest.mark.parametrize(
    ("name", "months", "period"),
    [
        ("Quarter 2.csv", (7, 8, 9), "2011-Q3"),
        ("Quarter 2.csv", (4, 5, 6), "2011-Q2"),
        ("card Q2 2011.csv", (7, 8, 9), "2011-Q3"),
        ("card 2nd quarter 2011-12.csv", (7, 8, 9), "2011-Q3"),
        ("H1 2011-12.csv", (4, 5, 6, 7, 8, 9), "2011-04--2011-09"),
        ("2011-12.csv", (12,), "2011-12"),
        ("2011-12.csv", (4, 6, 8, 10, 12), "2011-04--2012-03"),
    ],
)
def test_the_dates_decide_between_the_meanings_of_a_name(name: str, months: tuple[int, ...], period: str) -> None:
    rows = paid(*[(f"2011-{month:02}-15", "500.00") for month in months])
    said = examined(made_table(rows=rows), file=name)
    assert (str(said.period), about_period(said)) == (period, [("period-from-name", "info")])


def test_sheets_of_a_month_each_give_a_range_with_the_right_end() -> None:
    """Late invoices in the last sheet must not move the end, nor early ones in the first the start."""
    april = made_table(rows=paid(*[("2026-04-15", "500.00")] * 8, ("2026-03-30", "50.00")), sheet="April")
    may = made_table(rows=paid(*[("2026-05-15", "500.00")] * 8, ("2026-06-02", "50.00")), sheet="May")
    said = examined(april, may, file="payments.xlsx")
    assert str(said.period) == "2026-04--2026-05"
    assert about_period(said)[0] == ("period-from-name", "info")


def test_rows_far_from_the_period_are_warned_of() -> None:
    rows = paid(*[("2026-08-12", "900.00")] * 9, ("2025-08-12", "10.00"), ("2027-08-12", "10.00"))
    said = examined(made_table(rows=rows), file="August 2026.csv")
    assert about_period(said) == [("period-from-name", "info"), ("dates-outside-period", "warning")]


def test_a_register_is_of_the_quarter_in_its_name_whenever_its_contracts_began() -> None:
    days = ["2019-04-01", "2020-10-01", "2021-07-01", "2022-05-15", "2023-02-01", "2024-05-01"]
    rows = [{"contract_ref": f"C{n}", "title": "Roofs", "start_date": day} for n, day in enumerate(days)]
    said = examined(made_table("contracts", rows=rows), dataset="contracts", file="Contracts April to June 2024.csv")
    assert str(said.period) == "2024-Q2"
    assert [severity for _, severity in about_period(said)] == ["info"] * len(about_period(said))
