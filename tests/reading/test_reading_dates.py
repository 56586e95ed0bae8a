from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.reading.cells.date_order import DateContext, decide_order
from piperoll.reading.cells.dates import DateOrder, read_date, read_month
from piperoll.reading.cells.periods import find_periods

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2049, 12, 31))


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("12/05/10", date(2010, 5, 12)),
        ("7/10/2009", date(2009, 10, 7)),
        ("03.09.2012", date(2012, 9, 3)),
        ("10-Oct-13", date(2013, 10, 10)),
        ("31/Aug/2012 ", date(2012, 8, 31)),
        ("14th Jun 2012", date(2012, 6, 14)),
        ("15 June 2023", date(2023, 6, 15)),
        ("Friday 15 June 2012", date(2012, 6, 15)),
        ("June 15, 2012", date(2012, 6, 15)),
        ("2022-05-18T00:00:00", date(2022, 5, 18)),
        ("2025-01-23T16:32:05Z", date(2025, 1, 23)),
        ("01 Jun 14 00:00", date(2014, 6, 1)),
        ("20120930", date(2012, 9, 30)),
        ("41852", date(2014, 8, 1)),
        ("7/31/2020", date(2020, 7, 31)),
        ("14 Mehefin 2012", date(2012, 6, 14)),
        ("Thursday, 14 June 2012", date(2012, 6, 14)),
        ("14JUN12", date(2012, 6, 14)),
        ("14.06.2012", date(2012, 6, 14)),
        ("14/06/2012 09:30", date(2012, 6, 14)),
    ],
)
def test_a_day_in_every_notation(cell: str, day: date) -> None:
    assert read_date(cell) == day


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "TBC",
        "31/02/2012",
        "22/03/2012 | 30/03/2012",
        "After 2015",
        "2013/2014 (Q4)",
        "123456",
        "31/06/2012",
        "14/06/0212",
    ],
)
def test_no_day_is_made_up(cell: str) -> None:
    assert read_date(cell) is None


@given(DAYS)
def test_any_day_reads_back(day: date) -> None:
    for spelling in (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day:%d/%m/%y}",
        f"{day:%d-%b-%y}",
        f"{day:%d %B %Y}",
        f"{day:%d.%m.%Y}",
    ):
        assert read_date(spelling) == day
    assert read_date(f"{day:%m/%d/%Y}", DateOrder(month_first=True)) == day


def test_a_column_is_day_first_unless_it_proves_otherwise() -> None:
    assert not decide_order({"01/02/2020": 9}).month_first
    assert decide_order({"7/31/2020": 2, "01/02/2020": 9}).month_first
    assert decide_order({"7/31/2020": 2, "31/7/2020": 3}).mixed
    guess = decide_order({"04/01/2020": 1, "04/02/2020": 1, "04/07/2020": 1}, DateContext(within=True))
    assert guess.month_first
    assert guess.guessed


def test_months_alone_are_distinguished_from_days() -> None:
    assert read_month("Apr-11") == (2011, 4)
    assert read_month("August 2020") == (2020, 8)
    assert read_month("11-Apr-11") is None


@pytest.mark.parametrize(
    ("name", "periods"),
    [
        ("spend-201209.csv", ["2012-09"]),
        ("over-25k-1209", ["2012-09"]),
        ("over-25k-1011", ["2010-11", "2010-04--2011-03"]),
        ("20111222_cards_OCT_2011", ["2011-10"]),
        ("cards 1 DECEMBER TO 31 DECEMBER 2011", ["2011-12"]),
        ("spend%20april%202011%20to%20january%202012.csv", ["2011-04--2012-01"]),
        ("payments-february11.csv", ["2011-02"]),
        ("2010_april_spend..csv", ["2010-04"]),
        ("spend-2018-19.xlsx", ["2018-19"]),
        ("payments_2009_q4", ["2009-Q4", "2010-Q1"]),
        ("2018-10.csv", ["2018-10"]),
        ("07 - October.csv", []),
        ("Q1 2015/16", ["2015-Q2"]),
        ("2015-16 Q4", ["2016-Q1"]),
        ("Quarter 3 2015-16", ["2015-Q4"]),
        ("Q3 2015", ["2015-Q3", "2015-Q4"]),
        ("12 months to March 2015", ["2014-15"]),
        ("Quarter ending 30 June 2015", ["2015-Q2"]),
        ("year ended 31 December 2015", ["2015-01--2015-12"]),
        ("spend_2012_13.csv", ["2012-13"]),
        ("spend over 500 in 2012.csv", []),
        ("gwariant Mawrth 2015", ["2015-03"]),
        ("spend 30.09.13.csv", ["2013-09"]),
        ("spend_30_09_2013.csv", ["2013-09"]),
        ("Jun11", ["2011-06"]),
        ("SpendJun11.csv", ["2011-06"]),
        ("jun-2011", ["2011-06"]),
        ("2011_06", ["2011-06"]),
        ("062011", ["2011-06"]),
        ("Spend+over+25K+-+October+2013.csv", ["2013-10"]),
        ("Quarter-2 2011-12", ["2011-Q3"]),
        ("Qtr2 11/12", ["2011-Q3"]),
        ("second quarter FY2011/12", ["2011-Q3"]),
        ("2nd quarter 2011", ["2011-Q2", "2011-Q3"]),
        ("q12010", ["2010-Q1", "2010-Q2"]),
        ("H1 2011-12", ["2011-04--2011-09"]),
        ("half year to September 2011", ["2011-04--2011-09"]),
        ("April to June 2011", ["2011-Q2"]),
        ("Apr-Jun 11", ["2011-Q2"]),
        ("Oct - Mar 2012", ["2011-10--2012-03"]),
        ("01.04.2011-30.06.2011", ["2011-Q2"]),
        ("between 01/04/2011 and 30/06/2011", ["2011-Q2"]),
        ("2011-04 to 2011-06", ["2011-Q2"]),
        ("FY1112", ["2011-04--2012-03"]),
        ("20112012 spend", ["2011-04--2012-03"]),
        ("FY1415_AP7_Spend_25K", ["2014-10"]),
        ("20111130_october_report", ["2011-10"]),
        ("20120110 december report", ["2011-12"]),
        ("over 25k march 25k", []),
        ("Quarter-2", []),
        ("Sheet1", []),
        ("payment-10.csv", []),
    ],
)
def test_the_period_that_a_name_means(name: str, periods: list[str]) -> None:
    assert [str(period) for period in find_periods(name, snapshot=False)] == periods


@pytest.mark.parametrize(
    ("name", "periods"),
    [
        ("05 - August.csv", ["2011-08"]),
        ("ProcSpend25KAugCSV.csv", ["2011-08"]),
        ("25K_Nov_Returns_October_Data", ["2011-11", "2011-10"]),
        ("Quarter-2", ["2011-Q3", "2011-Q2"]),
        ("Qtr4", ["2011-Q1", "2011-Q4"]),
        ("April-June", ["2011-Q2"]),
        ("2011-12", ["2011-04--2012-03", "2011-12"]),
        ("over 25k march 25k", ["2011-03"]),
        ("Jun11", ["2011-06"]),
        ("Sheet1", []),
    ],
)
def test_a_name_without_a_year_is_of_the_years_of_the_dates(name: str, periods: list[str]) -> None:
    assert [str(period) for period in find_periods(name, snapshot=False, years=[2011])] == periods


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("300913-organogram-junior.csv", "2013-09-30"),
        ("20131128-Organogram-Return-for-20130930-junior.csv", "2013-09-30"),
        ("organogram-September-2013-FINAL", "2013-09-30"),
        ("body-2014-03-31-senior.csv", "2014-03-31"),
        ("organogram 30.09.13.csv", "2013-09-30"),
    ],
)
def test_the_snapshot_day_that_a_name_means(name: str, day: str) -> None:
    assert [str(period) for period in find_periods(name, snapshot=True)] == [day]
