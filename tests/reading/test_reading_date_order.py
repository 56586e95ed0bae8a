"""Which number is the day and which the month, where no date of the column proves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from piperoll import assets
from piperoll.model import Period
from piperoll.reading import Reading, read
from piperoll.reading.cells.date_order import (
    NO_CONTEXT,
    DateContext,
    are_evenly_spaced,
    decide_order,
    find_exchanged,
    make_date_context,
)
from piperoll.reading.cells.dates import DateOrder

PAID = DateContext(within=True)
REGISTER = "Contract reference,Title,Supplier,Start date,End date,Value\n"


def order(cells: Sequence[str], context: DateContext = PAID) -> DateOrder:
    return decide_order(Counter(cells), context)


def register(*lines: str, head: str = REGISTER) -> tuple[list[str | None], set[str]]:
    dataset, _ = assets.find_dataset("contracts")
    found: Reading = read((head + "\n".join(lines)).encode(), "x.csv", assets.datasets(), dataset=dataset)
    starts = [cell for table in found.tables for batch in table.batches() for cell in batch["start_date"].to_pylist()]
    return starts, {finding.code for finding in found.findings if finding.code.startswith("dates-")}


def test_contracts_that_begin_on_first_days_are_not_read_as_days_of_january() -> None:
    lines = [f"A{month},Insurance,Zurich Ltd,01/{month:02}/2018,30/06/2021,100" for month in (4, 7, 9)]
    assert register(*lines) == (["2018-04-01", "2018-07-01", "2018-09-01"], set())


def test_the_first_day_of_months_shows_the_order_where_contracts_begin() -> None:
    assert order(["01/04/2018", "01/07/2018", "01/09/2018"], NO_CONTEXT) == DateOrder()
    american = order(["04/01/2018", "07/01/2018", "09/01/2018"], NO_CONTEXT)
    assert american.month_first
    assert american.guessed == "first-days"


def test_other_columns_of_the_table_decide_an_order_that_a_column_leaves_open() -> None:
    lines = [f"A{n},Insurance,Zurich Ltd,04/0{n}/2018,03/31/2021,100" for n in range(2, 9)]
    starts, codes = register(*lines)
    assert starts[0] == "2018-04-02"
    assert codes == {"dates-month-first"}
    counts = {"start": Counter(["04/02/2018"]), "end": Counter(["03/31/2021", "04/30/2021"])}
    assert make_date_context(counts, "start", ()) == DateContext(month_first=2)
    assert not order(["04/05/2018", "06/07/2018", "08/09/2018"], DateContext(day_first=1)).doubtful


def test_spending_dated_the_first_of_each_month_is_not_read_as_january() -> None:
    for months in ((4, 5, 6), (1, 4, 7, 10)):
        decided = order([f"01/{month:02}/2018" for month in months])
        assert (decided.month_first, decided.doubtful) == (False, True)
    assert order(["01/04/2018", "01/07/2018", "01/09/2018"]).month_first


def test_the_period_in_the_name_decides_what_the_dates_leave_open() -> None:
    cells, january = ["01/04/2018", "01/05/2018", "01/06/2018"], Period.month(2018, 1)
    assert order(cells, DateContext(within=True, periods=(january,))).guessed == "period"
    spring = order(cells, DateContext(within=True, periods=(Period.quarter(2018, 2),)))
    assert spring == DateOrder()
    assert order(["12/06/13", "12/06/11"], DateContext(within=True, periods=(Period.month(2012, 6),))).year_first


def test_a_quarter_written_month_first_with_no_day_past_the_12th_is_read_that_way_and_reported() -> None:
    cells = [f"{month:02}/{day:02}/2018" for month in (4, 5, 6) for day in (2, 3, 8, 9, 10, 11, 12)]
    assert order(cells).guessed == "spread"
    turned = [f"{day:02}/{month:02}/2018" for month in (4, 5, 6) for day in (2, 3, 8, 9, 10, 11, 12)]
    assert not order(turned).month_first
    assert not order(turned).doubtful


@pytest.mark.parametrize("context", [PAID, NO_CONTEXT])
def test_dates_that_make_sense_both_ways_are_reported(context: DateContext) -> None:
    cells = ["02/03/2018", "03/05/2018", "05/07/2018", "07/02/2018", "09/10/2018", "10/12/2018"]
    assert order(cells, context) == DateOrder(doubtful=True)
    assert order(cells[:3], context) == DateOrder()


def test_days_swapped_onto_first_days_are_reported_by_the_gaps_or_the_name() -> None:
    cells = Counter(f"2018-{day:02}-01" for day in (2, 3, 5, 8, 9))
    assert len(find_exchanged(cells, DateOrder(), PAID)) == 5
    assert not find_exchanged(cells, DateOrder(), NO_CONTEXT)
    whole = Counter(f"2018-{day:02}-01" for day in range(1, 13))
    assert not find_exchanged(whole, DateOrder(), PAID)
    assert len(find_exchanged(whole, DateOrder(), DateContext(within=True, periods=(Period.month(2018, 1),)))) == 11


def test_one_date_with_day_and_month_swapped_is_reported_unless_it_may_be_late() -> None:
    march = [f"{day:02}/03/2018" for day in range(1, 29)]
    odd = Counter([*march, "03/08/2018"])
    assert find_exchanged(odd, decide_order(odd, PAID), PAID) == ["03/08/2018"]
    late = Counter([*march, "03/04/2018"])
    assert not find_exchanged(late, decide_order(late, PAID), PAID)


def test_months_at_equal_distances_are_evenly_spaced() -> None:
    assert are_evenly_spaced({(2018, 11), (2018, 12), (2019, 1)})
    assert are_evenly_spaced({(2018, 4), (2018, 7)})
    assert not are_evenly_spaced({(2018, 4), (2018, 7), (2018, 9)})
    assert not are_evenly_spaced({(2018, 4)})


def test_the_order_of_another_column_does_not_change_first_days_of_months() -> None:
    """One column of a file was exported month first, and the other was not."""
    assert order(["01/12/2025"], DateContext(month_first=9)) == DateOrder(doubtful=True)
    assert order(["04/01/2018"], DateContext(day_first=9)) == DateOrder(doubtful=True)
    assert order(["01/12/2025"], DateContext(within=True, month_first=9)).month_first


CARD = "Date,Merchant,Purpose,Amount\n"


def card(name: str, days: Sequence[str], period: Period | None = None) -> tuple[list[str | None], list[str]]:
    lines = "".join(f"{day},Acme Ltd,Stationery,{600 + number}.50\n" for number, day in enumerate(days))
    dataset, part = assets.find_dataset("gpc")
    found = read((CARD + lines).encode(), name, assets.datasets(), dataset=dataset, part=part, period=period)
    cells = [cell for table in found.tables for batch in table.batches() for cell in batch["payment_date"].to_pylist()]
    return cells, [finding.code for finding in found.findings if finding.code.startswith("dates-")]


def test_a_day_in_a_file_of_the_second_quarter_is_not_read_as_april() -> None:
    """Card payments of July to September, in a file named Quarter 2, were read as of April, December and January."""
    assert card("Quarter 2.csv", ["8/4/2011", "7/12/2011", "9/1/2011"]) == (
        ["2011-08-04", "2011-07-12", "2011-09-01"],
        ["dates-month-first"],
    )
    assert card("Quarter 2 2011-12.csv", ["8/4/2011"]) == (["2011-08-04"], ["dates-month-first"])


def test_a_quarter_that_fits_both_orders_by_its_two_meanings_is_not_decided() -> None:
    assert card("Quarter 2.csv", ["8/4/2011"]) == (["2011-08-04"], ["dates-order-undecided"])
    cells, codes = card("Q2 2011.csv", ["8/4/2011", "9/5/2011", "7/6/2011"])
    assert (cells[0], codes) == ("2011-04-08", ["dates-order-undecided"])
    assert card("Q2 2011.csv", ["8/4/2011", "9/5/2011", "7/6/2011"], Period.quarter(2011, 3))[0][0] == "2011-08-04"
    assert card("Q2 2011.csv", ["8/4/2011", "9/5/2011", "7/6/2011"], Period.quarter(2011, 2)) == (cells, [])


def test_a_sheet_named_after_a_month_is_not_read_month_first_into_other_months() -> None:
    """A sheet of 17 rows named August was read as March to October, because 3/8 was taken month first."""
    days = [f"{day}/8/2011" for day in (3, 4, 5, 8, 9, 10, 11, 12)] + ["1/9/2011", "2/9/2011", "10/7/2011"]
    cells, codes = card("August.csv", days)
    assert (cells[0], cells[8], codes) == ("2011-08-03", "2011-09-01", [])


def test_payments_of_a_year_that_make_sense_both_ways_are_not_decided() -> None:
    days = ["02/03/2018", "03/05/2018", "05/07/2018", "07/02/2018", "09/10/2018", "10/12/2018"]
    assert card("cards.csv", days)[1] == ["dates-order-undecided"]
    assert card("cards.csv", [*days, "13/12/2018"])[1] == []


def test_a_title_above_the_headings_decides_the_order() -> None:
    dataset, _ = assets.find_dataset("spend")
    text = "Payments in August 2011\n\n" + CARD + "".join(f"8/{day}/2011,Acme Ltd,Rent,700.00\n" for day in (1, 2))
    found = read(text.encode(), "x.csv", assets.datasets(), dataset=dataset)
    assert [finding.code for finding in found.findings if "month-first" in finding.code] == ["dates-month-first"]
