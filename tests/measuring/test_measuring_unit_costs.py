"""Unit costs from a table of lines and denominators: gross and net, withheld where lines are bundled."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from piperoll.errors import UsageError
from piperoll.measuring.inputs import Inputs
from piperoll.measuring.unit_costs import make_unit_cost_lines
from piperoll.model import Body, Period
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]
REAL = Path(__file__).parents[3] / "shared" / "measuredata" / "unit-costs"


def line(body: str, name: str, gross: Any, **fields: Any) -> Row:
    return {
        "body": body,
        "measure": "bins",
        "period": "2024-25",
        "line": name,
        "gross": gross,
        "denominator": 25_000,
    } | fields


def measure(*lines: Row, year: str = "2024-25", kind: str = "council") -> list[Row]:
    bodies = dict.fromkeys((row["body"] for row in lines), kind)
    names = sorted({name for row in lines for name in row})
    table = [{name: row.get(name) for name in names} for row in lines]
    return run_measure("unit-costs", years=(year,), bodies=bodies, outside={"unit-costs": table})


LINES = (
    line("upper-mudford", "collection", 1_200_000, income=500_000),
    line("upper-mudford", "recycling", 300_000),
)


def test_lines_are_added_and_then_divided_gross_and_net() -> None:
    rows = measure(*LINES)
    assert find_row(rows, "gross", "bins")["value"] == 60
    assert find_row(rows, "net", "bins")["value"] == 40


def test_a_published_ratio_that_its_own_numbers_contradict_is_withheld_with_both() -> None:
    row = find_row(measure(*(one | {"published": "62"} for one in LINES)), "gross", "bins")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert row["reason"] == "published as £62.00, but its own numbers give £60.00: 3.3% apart"
    close = find_row(measure(*(one | {"published": "60.20"} for one in LINES)), "gross", "bins")
    assert close["value"] == 60


def test_support_lines_and_revised_denominators_are_the_bounds() -> None:
    extra = {"support": 50_000, "denominator_lo": 20_000, "denominator_hi": 30_000}
    row = find_row(measure(*(one | extra for one in LINES)), "gross", "bins")
    assert (row["value"], row["lo"], row["hi"]) == (60, 50, 80)


def test_small_denominators_are_withheld() -> None:
    few = find_row(measure(line("upper-mudford", "care", 1_000, denominator=99)), "gross", "bins")
    assert (few["status"], few["reason"]) == ("withheld", "it is divided by 99: at least 100 are needed")
    people = {"counts_people": "true"}
    assert find_row(measure(line("a", "care", 1_000, denominator=5, **people)), "gross", "bins")["value"] == 200
    assert find_row(measure(line("a", "care", 1_000, denominator=4, **people)), "gross", "bins")["value"] is None


def waste(body: str, collection: int, recycling: int) -> list[Row]:
    both = {"bundle": "waste"}
    return [
        line(body, "collection", collection, measure="collection", **both),
        line(body, "recycling", recycling, measure="recycling", **both),
        line(body, "collection", collection, measure="collection-and-recycling", **both),
        line(body, "recycling", recycling, measure="collection-and-recycling", **both),
    ]


def test_a_cost_that_is_booked_in_another_line_is_withheld_on_the_split_and_shown_on_the_whole() -> None:
    rows = measure(*waste("a", 900_000, 0), *waste("b", 600_000, 300_000), *waste("c", 500_000, 250_000))
    for split in ("collection", "recycling"):
        row = find_row(rows, "gross", split, "a")
        assert (row["status"], row["value"]) == ("withheld", None)
        assert (
            row["reason"] == "bundled elsewhere: nothing is booked to recycling, where 2 of 3 bodies of the kind book"
        )
        assert find_row(rows, "gross", split, "b")["value"] is not None
    assert find_row(rows, "gross", "collection-and-recycling", "a")["value"] == 36


def test_a_zero_that_most_bodies_have_is_a_zero() -> None:
    rows = measure(*waste("a", 900_000, 0), *waste("b", 600_000, 0), *waste("c", 500_000, 250_000))
    assert find_row(rows, "gross", "recycling", "a")["value"] == 0


def test_lines_without_amounts_count_against_the_coverage() -> None:
    row = find_row(measure(*LINES, line("upper-mudford", "tips", None)), "gross", "bins")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert row["reason"] == "2 of 3 lines have an amount: at least 80% are needed"


def test_without_income_there_is_no_net_cost() -> None:
    row = find_row(measure(line("a", "care", 250_000)), "net", "bins")
    assert (row["status"], row["value"], row["reason"]) == ("withheld", None, "no income is stated")


def test_a_value_far_from_the_others_is_a_unit_to_check() -> None:
    costs = [40, 50, 55, 60, 62, 70, 80, 120]
    rows = measure(*(line(f"b{number}", "bins", cost * 25_000) for number, cost in enumerate(costs)))
    far = find_row(rows, "gross", "bins", "b7")
    assert (far["value"], far["outlier"]) == (120, True)
    assert far["reason"] == "check this unit: far from the median of 8 bodies, £61.00"
    assert find_row(rows, "gross", "bins", "b6")["reason"] == ""
    same = measure(*(line(f"b{number}", "bins", cost * 25_000) for number, cost in enumerate([50] * 8 + [90])))
    other = find_row(same, "gross", "bins", "b8")
    assert (other["outlier"], other["reason"]) == (False, "most of 9 bodies have the same value")


def test_the_rank_is_a_band_from_the_bodys_own_range_of_three_years() -> None:
    costs = {"a": (40, 41, 42), "b": (42, 60, 43), **{f"c{number}": (70, 70, 70 + number) for number in range(6)}}
    periods = ("2022-23", "2023-24", "2024-25")
    lines = [
        line(body, "bins", cost * 25_000, period=period)
        for body, values in costs.items()
        for period, cost in zip(periods, values, strict=True)
    ]
    rows = measure(*lines)
    cheap, wide = (find_row(rows, "gross-real", "bins", body) for body in ("a", "b"))
    assert (cheap["lo"], cheap["hi"], cheap["rank_best"], cheap["rank_worst"]) == (40, 42, 1, 2)
    assert (wide["lo"], wide["hi"], wide["rank_best"], wide["rank_worst"]) == (42, 60, 1, 2)
    assert find_row(rows, "gross-real", "bins", "c5")["rank_best"] == 3


def test_a_source_that_cannot_be_read_says_why() -> None:
    from pyarrow import Table  # noqa: PLC0415

    def make(rows: list[Row]) -> None:
        body = Body("XI-PIPEROLL-a", "a", "A", "council")
        with Inputs(
            Period.parse_year("2024-25"), [body], {}, outside_tables={"unit-costs": Table.from_pylist(rows)}
        ) as one:
            make_unit_cost_lines(one)

    with pytest.raises(UsageError, match="lacks the columns denominator"):
        make([{"body": "a", "measure": "m", "period": "2024-25", "line": "x", "gross": 1}])
    with pytest.raises(UsageError, match="has 'many' in the column gross"):
        make([line("a", "x", "many")])


def test_without_the_source_there_are_no_rows() -> None:
    assert run_measure("unit-costs", years=("2024-25",), bodies={"a": "council"}) == []


# --- real figures -----------------------------------------------------------------------------------------------------


def read(name: str) -> list[dict[str, str]]:
    with (REAL / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def number(cell: str) -> Decimal | None:
    try:
        return Decimal(cell)
    except ArithmeticError:
        return None


def slug(name: str) -> str:
    return name.lower().replace(" & ", " ").replace(" ", "-").replace(".", "")


@pytest.fixture(scope="module")
def lgbf() -> dict[str, list[Row]]:
    """The lines of each LGBF indicator of councils; numerators are in thousands of pounds but for CORP 4."""
    found = defaultdict(list)
    for row in read("lgbf_scotland_2010-11_2020-21.csv"):
        value, top, bottom = (number(row[name]) for name in ("value", "numerator", "denominator"))
        real = number(row["value_real"])
        if value is None or top is None or not bottom:
            continue
        indicator = row["indicator"]
        found[indicator].append(
            {
                "body": slug(row["council"]),
                "measure": indicator.lower().replace(" ", "-"),
                "period": row["year"],
                "line": row["numerator_label"],
                "gross": top if indicator == "CORP 4" else top * 1_000,
                "denominator": bottom,
                "published": value,
                "deflator": real / value if real and value else None,
            }
        )
    return found


def statuses(lines: list[Row]) -> dict[tuple[str, str], Row]:
    years = sorted({row["period"] for row in lines})
    return {
        (row["body"], year): row for year in years for row in measure(*lines, year=year) if row["figure"] == "gross"
    }


@pytest.mark.real
@pytest.mark.parametrize(("indicator", "count"), [("ENV1a", 297), ("CHN1", 363), ("SW1", 363)])
def test_published_unit_costs_recompute_exactly(lgbf: dict[str, list[Row]], indicator: str, count: int) -> None:
    found = statuses(lgbf[indicator])
    assert len(found) == count
    assert {row["status"] for row in found.values()} <= {"shown", "indicative"}


@pytest.mark.real
@pytest.mark.parametrize(
    ("indicator", "body", "year", "count"),
    [("CORP 4", "clackmannanshire", "2019-20", 1), ("C&L3", "edinburgh-city", None, 1)],
)
def test_published_unit_costs_that_are_wrong_are_flagged(
    lgbf: dict[str, list[Row]], indicator: str, body: str, year: str | None, count: int
) -> None:
    found = statuses(lgbf[indicator])
    flagged = {key for key, row in found.items() if row["reason"].startswith("published as")}
    assert len(flagged) == count
    ((flagged_body, flagged_year),) = flagged
    assert flagged_body == body
    assert year in (None, flagged_year)


@pytest.mark.real
def test_a_place_among_councils_is_a_dozen_places_wide(lgbf: dict[str, list[Row]]) -> None:
    councils = [row for row in lgbf["ENV1a"] if row["body"] != "scotland"]
    rows = [row for row in measure(*councils, year="2020-21") if row["figure"] == "gross-real"]
    bands = [(row["rank_best"], row["rank_worst"]) for row in rows]
    assert len(bands) == 32
    assert round(sum(worst - best + 1 for best, worst in bands) / 32, 1) == 12.2
    assert sum(worst <= 8 for _, worst in bands) == 3
    assert sum(best > 24 for best, _ in bands) == 4


@pytest.mark.real
def test_districts_that_book_no_recycling_are_withheld_on_the_split_and_shown_on_the_whole() -> None:
    people = {row["ons_code"]: row for row in read("lancashire_denominators.csv")}
    lines = []
    for row in read("mhclg_revenue_outturn_lancashire_2021-22_2024-25.csv"):
        name = {"Waste collection": "collection", "Recycling": "recycling"}.get(row["service"])
        if name is None or row["financial_year"] != "2024-25" or row["class"] != "SD":
            continue
        for measured in (name, "collection-and-recycling"):
            lines.append(
                line(
                    slug(row["council"]), name, number(row["total_expenditure"]) or Decimal(0), measure=measured,
                    income=number(row["total_income"]), bundle="waste",
                    denominator=people[row["ons_code"]]["population"],
                )
            )  # fmt: skip
    rows = measure(*lines)
    for body in ("lancaster", "fylde", "wyre", "ribble-valley"):
        assert find_row(rows, "gross", "recycling", body)["status"] == "withheld"
        assert "bundled elsewhere" in find_row(rows, "gross", "collection", body)["reason"]
        assert find_row(rows, "gross", "collection-and-recycling", body)["value"] > 0
    assert find_row(rows, "gross", "recycling", "chorley")["value"] > 0
    order = {
        (figure, item): sorted(
            {row["body"]: row["value"] for row in rows if (row["figure"], row["item"]) == (figure, item)}.items(),
            key=lambda pair: pair[1],
        )
        for figure in ("gross", "net")
        for item in ("collection-and-recycling",)
    }
    places = {key: [body for body, _ in found].index("chorley") + 1 for key, found in order.items()}
    assert places == {("gross", "collection-and-recycling"): 10, ("net", "collection-and-recycling"): 4}
