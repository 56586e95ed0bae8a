"""What the figures of a year say, and what they do not say without enough coverage."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import to_builtins

from piperoll import assets
from piperoll.describing.context import InContext
from piperoll.describing.overview import add_newest, add_years, newest_year
from piperoll.describing.pages.compare_pages import ComparedBody, render_year
from piperoll.describing.year_figures import (
    LEAST_MONTHS,
    BodyYear,
    RowSum,
    YearFigures,
    add_figures,
    find_covered_months,
    latest_first,
    read_account,
    round_large_pounds,
    year_title,
)
from piperoll.errors import DescriptorError
from piperoll.model import (
    UNDATED,
    Because,
    CountedLines,
    LeftOutLines,
    MonthTotal,
    PayeeTotal,
    Period,
    RowsNotAdded,
    Series,
    YearAccount,
)
from tests.fixtures.small_releases import catalogue_context, councils

CONTEXT = catalogue_context(councils(1), "2026-11-02T09:00:00Z")


def series(period: str, part: str | None = None) -> Series:
    return Series("spend", "anytown", Period.parse(period), part)


def pounds(text: str) -> Decimal:
    return Decimal(text)


def account(**more: object) -> YearAccount:
    """An account of two months, one with a card file beside it and one with a line that another table has too."""
    july, august, card = series("2026-07"), series("2026-08"), series("2026-08", "card")
    values: dict[str, object] = {
        "dataset": "spend",
        "body": "anytown",
        "year": "2026-27",
        "counted": (
            CountedLines(july, 1, "v1-0", None, 3, pounds("60.00"), 1, pounds("10.00")),
            CountedLines(august, 2, "v2-0", None, 2, pounds("30.00")),
            CountedLines(card, 1, "v1-1", "card", 1, pounds("5.50")),
        ),
        "left_out": (
            LeftOutLines(august, 2, "v2-0", None, 1, pounds("20.00"), july, Because.RECURS),
            LeftOutLines(card, 1, "v1-1", "card", 2, pounds("7.00"), august, Because.RECURS),
        ),
        "elsewhere": (),
        "payees": (
            PayeeTotal("company", None, 3, pounds("55.00")),
            PayeeTotal("charity", None, 1, pounds("15.00")),
            PayeeTotal("public-body", None, 1, pounds("20.00")),
            PayeeTotal("person-or-redacted", "card", 1, pounds("5.50")),
        ),
        "months": (
            MonthTotal("2026-07", None, "company", 2, pounds("40.00")),
            MonthTotal("2026-07", None, "public-body", 1, pounds("20.00")),
            MonthTotal("2026-08", None, "company", 2, pounds("30.00")),
            MonthTotal("2026-08", "card", "person-or-redacted", 1, pounds("5.50")),
        ),
        "not_added": (),
    }
    return YearAccount(**values | more)  # type: ignore[arg-type]


def test_every_pound_of_an_account_is_in_one_group_of_payees() -> None:
    figures = read_account(account())
    assert (figures.rows, figures.amount, figures.tables) == (6, pounds("95.50"), 3)
    assert figures.payees["suppliers"] == RowSum(4, pounds("70.00"))
    assert sum(one.amount or 0 for one in figures.payees.values()) == figures.amount
    assert sum((figures.month(month).amount or 0) for month in figures.months) == figures.amount


def test_a_total_says_what_it_leaves_out_and_its_parts_apart() -> None:
    figures = read_account(account())
    recurs = figures.left_out["recurs"]
    assert (recurs.rows, recurs.amount) == (3, pounds("27.00"))
    assert recurs.series == ("spend/anytown/2026-08", "spend/anytown/2026-08--card")
    assert figures.parts == {"": RowSum(5, pounds("90.00")), "card": RowSum(1, pounds("5.50"))}
    assert figures.undated == RowSum(1, pounds("10.00"))


def test_rolling_years_are_listed_and_never_added() -> None:
    rolling = RowsNotAdded(series("2026-Q3"), 1, None, 2, "12 months")
    figures = read_account(account(not_added=(rolling, rolling)))
    assert (figures.overlapping, figures.row_periods) == (4, ("12 months",))


def test_a_late_payment_covers_no_month() -> None:
    found = [(series("2026-07"), "2026-07"), (series("2026-07"), "2026-05"), (series("2026-Q3"), "2026-09")]
    assert find_covered_months("2026-27", found) == ("2026-07", "2026-09")
    assert find_covered_months(UNDATED, found) == ()


def test_a_card_file_does_not_cover_a_month_of_the_main_list() -> None:
    card = (series("2026-08", "card"), "2026-08")
    assert find_covered_months("2026-27", [(series("2026-07"), "2026-07"), card]) == ("2026-07",)
    assert find_covered_months("2026-27", [card]) == ("2026-08",)


def months(*names: str) -> YearFigures:
    return YearFigures(
        total=RowSum(len(names), Decimal(100 * len(names))),
        months={name: {"suppliers": RowSum(1, Decimal(100))} for name in names},
        covered=names,
    )


def test_too_few_months_have_no_average_and_a_part_of_a_year_no_figure_per_head() -> None:
    two, three = months("2026-07", "2026-08"), months("2026-07", "2026-08", "2026-09")
    assert LEAST_MONTHS == 3
    assert (two.per_month, three.per_month) == (None, Decimal("100.00"))
    assert three.per_head(1000) is None
    whole = months(*map(str, Period.parse("2026-27").months()))
    assert whole.per_head(1000) == Decimal("1.20")
    assert whole.per_head(None) is None


def test_a_month_that_no_table_covers_is_not_in_the_average() -> None:
    figures = months("2026-07", "2026-08", "2026-09")
    stray = YearFigures(
        total=RowSum(4, Decimal(900)),
        months={**figures.months, "2026-05": {"suppliers": RowSum(1, Decimal(600))}},
        covered=figures.covered,
    )
    assert stray.per_month == Decimal("100.00")


def test_credits_leave_no_misleading_share() -> None:
    figures = YearFigures(
        total=RowSum(2, Decimal(50)),
        payees={"suppliers": RowSum(1, Decimal(80)), "public-bodies": RowSum(1, Decimal(-30))},
    )
    assert figures.share("suppliers") is None
    assert read_account(account()).share("suppliers") == Decimal("73.3")


@pytest.mark.parametrize(
    ("name", "years", "rows"), [("spend", ("2025-26", "2026-27", UNDATED), 3), ("contracts", ("2026-27",), 1)]
)
def test_years_of_spending_add_up_and_those_of_registers_do_not(name: str, years: tuple[str, ...], rows: int) -> None:
    one = YearFigures(total=RowSum(1, Decimal(5)))
    whole = add_years(assets.dataset(name), {"2025-26": one, "2026-27": one, UNDATED: one})
    assert whole is not None
    assert (whole.years, whole.figures.rows) == (years, rows)


def test_a_register_of_last_year_counts_beside_another_bodys_of_this_year() -> None:
    contracts = assets.dataset("contracts")
    one = BodyYear({}, YearFigures(total=RowSum(1)))
    many = BodyYear({}, YearFigures(total=RowSum(500)))
    bodies = [{"2026-27": one}, {"2024-25": one, "2025-26": many}, {UNDATED: many}]
    newest = add_newest(found for years in bodies if (found := newest_year(contracts, years)))
    assert newest.years == ("2025-26", "2026-27", UNDATED)
    assert (newest.figures.rows, newest.figures.bodies) == (1001, 3)
    assert newest_year(assets.dataset("spend"), bodies[0]) is None


def test_figures_of_bodies_add_up_exactly() -> None:
    both = add_figures([read_account(account()), read_account(account())])
    assert (both.bodies, both.rows, both.amount) == (2, 12, pounds("191.00"))
    assert both.left_out["recurs"].amount == pounds("54.00")
    assert both.payees["public-bodies"] == RowSum(2, pounds("40.00"))


def test_years_and_large_pounds_are_put_in_words() -> None:
    assert latest_first([UNDATED, "2025-26", "2026-27"]) == ["2026-27", "2025-26", UNDATED]
    assert year_title("2026-27") == "April 2026 to March 2027"
    assert round_large_pounds(Decimal("80310000000")) == "£80.3 billion"
    assert round_large_pounds(Decimal("999999")) is None
    assert round_large_pounds(Decimal("-2500000")) == "-£2.5 million"


def compared(population: int | None, figures: YearFigures) -> str:
    """The page that compares councils, of which there is one."""
    files = {kind: {"path": f"anytown-0.{kind}"} for kind in ("csv", "parquet", "json")}
    body = ComparedBody("Anytown Council", "council", population, files, figures)
    pages = dict(render_year(InContext(CONTEXT), "spend", "2026-27", {"anytown": to_builtins(body)}))
    return pages["catalogue/compare/spend/2026-27/council.html"].decode()


def test_pounds_per_head_need_a_population_and_all_months() -> None:
    whole = months(*map(str, Period.parse("2026-27").months()))
    assert "£1.20" in compared(1000, whole)
    assert "population not known" in compared(None, whole)
    assert "not enough: 2 of 12 months" in compared(1000, months("2026-07", "2026-08"))


def test_a_register_may_say_how_many_people_a_body_serves(tmp_path: Path) -> None:
    path = tmp_path / "bodies.csv"
    head, line = (
        "id,slug,name,kind,aliases,same_as,contact,licence,population",
        "gss:E07000999,vale,Vale,council,,,,OGL",
    )
    path.write_text(f'{head}\n{line},"120,500"\n', "utf-8")
    assert [body.population for body in assets.read_bodies(path)] == [120_500]
    path.write_text(f"{head}\n{line},many\n", "utf-8")
    with pytest.raises(DescriptorError, match="not a number of people"):
        assets.read_bodies(path)
