import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.errors import PeriodError
from piperoll.model import Period, PeriodKind, describe_period, find_ambiguity

MONTHS = st.builds(Period.month, st.integers(1990, 2098), st.integers(1, 12))
QUARTERS = st.builds(Period.quarter, st.integers(1990, 2098), st.integers(1, 4))
YEARS = st.builds(Period.financial_year, st.integers(1990, 2098))
DAYS = st.builds(Period.day, st.dates(date(1990, 1, 1), date(2098, 12, 31)))
RANGES = st.builds(
    lambda a, b: Period.months_of(min(a, b), max(a, b)),
    st.dates(date(1990, 1, 1), date(2098, 12, 31)),
    st.dates(date(1990, 1, 1), date(2098, 12, 31)),
)


@given(st.one_of(MONTHS, QUARTERS, YEARS, DAYS, RANGES))
def test_every_period_has_one_spelling_that_reads_back(period: Period) -> None:
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    ("text", "first", "last", "kind"),
    [
        ("2026-10", date(2026, 10, 1), date(2026, 10, 31), PeriodKind.MONTH),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), PeriodKind.QUARTER),
        ("2026-27", date(2026, 4, 1), date(2027, 3, 31), PeriodKind.YEAR),
        ("1999-00", date(1999, 4, 1), date(2000, 3, 31), PeriodKind.YEAR),
        ("2011-04--2012-01", date(2011, 4, 1), date(2012, 1, 31), PeriodKind.RANGE),
        ("2010-04--2011-03", date(2010, 4, 1), date(2011, 3, 31), PeriodKind.YEAR),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29), PeriodKind.DAY),
    ],
)
def test_the_forms_of_a_period(text: str, first: date, last: date, kind: PeriodKind) -> None:
    period = Period.parse(text)
    assert (period.start, period.end, period.kind, str(period)) == (first, last, kind, text)


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-28", "26-10", "2026-Q5", "2026-02-30", "0000-01", "", "2026", "2026-10 ", "2011/13", "FY2011"],
)
def test_text_that_is_no_period_is_refused_with_the_forms_wanted(text: str) -> None:
    with pytest.raises(PeriodError, match="use YYYY-MM"):
        Period.parse(text)


def test_2010_11_is_november_2010_and_never_the_financial_year() -> None:
    assert Period.parse("2010-11") == Period.month(2010, 11)
    assert str(Period.financial_year(2010)) == "2010-04--2011-03"


@pytest.mark.parametrize("text", ["2011/12", "2011/2012", "FY2011/12", "FY 2011-12", "fy2011-12"])
def test_a_financial_year_can_be_written_so_that_it_is_no_month(text: str) -> None:
    assert Period.parse(text) == Period.financial_year(2011)
    assert Period.parse("2011-12") == Period.month(2011, 12)


def test_a_period_cannot_run_backwards() -> None:
    with pytest.raises(PeriodError, match="cannot end"):
        Period.parse("2026-10--2026-09")


@given(RANGES)
def test_the_months_of_a_period_tile_it(period: Period) -> None:
    months = list(period.months())
    assert (months[0].start, months[-1].end) == (period.start, period.end)
    assert all(a.end + timedelta(days=1) == b.start for a, b in itertools.pairwise(months))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-10", "October 2026"),
        ("2026-Q4", "October to December 2026"),
        ("2026-27", "April 2026 to March 2027"),
        ("2011-04--2012-01", "April 2011 to January 2012"),
        ("2026-03-31", "31 March 2026"),
    ],
)
def test_a_period_in_words_is_english_in_every_locale(text: str, words: str) -> None:
    assert Period.parse(text).title == words
    assert describe_period(text) == words


def test_a_period_that_is_not_known_is_said_to_be_so() -> None:
    assert describe_period(None) == "not known"


@pytest.mark.parametrize(
    "text",
    ["2011-12", "2011/12", "2011-2012", "2011/2012", "FY2011-12", "fy 2011/12", "2011-04--2012-03"],
)
def test_where_a_year_is_asked_for_2011_12_is_the_year_and_not_december(text: str) -> None:
    assert Period.parse_year(text) == Period.financial_year(2011)


@given(YEARS)
def test_every_financial_year_reads_back_from_its_usual_name_and_from_its_key(year: Period) -> None:
    assert Period.parse_year(year.financial_year_name) == year == Period.parse_year(str(year))


@pytest.mark.parametrize(
    "text", ["2011-13", "2011-10", "2011-Q4", "2026-10", "2011-2013", "0000-01", "", "undated", "x"]
)
def test_what_is_no_financial_year_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PeriodError, match="write 2026-27 for April 2026 to March 2027"):
        Period.parse_year(text)


def test_a_year_of_four_digits_is_answered_with_the_financial_year_that_begins_in_it() -> None:
    with pytest.raises(PeriodError, match="write 2011-12 for April 2011 to March 2012"):
        Period.parse_year("2011")


def test_only_a_financial_year_has_the_name_of_one() -> None:
    assert Period.financial_year(1999).financial_year_name == "1999-00"
    with pytest.raises(PeriodError, match="not a financial year"):
        _ = Period.month(2011, 12).financial_year_name


def test_2011_12_says_that_it_was_read_as_december_and_how_to_ask_for_the_year() -> None:
    found = find_ambiguity("2011-12")
    assert found is not None
    assert (found.taken, found.other) == (Period.month(2011, 12), Period.financial_year(2011))
    assert found.message() == "2011-12 is read as December 2011; for April 2011 to March 2012 write year=2011-12"
    assert found.message("--year ").endswith("write --year 2011-12")


@pytest.mark.parametrize("text", ["2011-10", "2026-27", "2012-01", "2011-Q4", "2011-12-01", "2011/12", "0000-01", ""])
def test_a_period_with_one_meaning_has_no_other(text: str) -> None:
    assert find_ambiguity(text) is None
