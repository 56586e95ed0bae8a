"""Charts show the exact sums of the rows of a release, and the conditions of each bar find its rows."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.describing.charts import draw_chart, format_figure
from piperoll.describing.release_summary import (
    Bar,
    BarLayout,
    BarMeasure,
    Chart,
    ChartRule,
    ChartTally,
    Condition,
    RowGroup,
    fields_summarised,
    summarise_release,
    tally_rows,
)
from piperoll.errors import DescriptorError
from piperoll.model import Period
from tests.describing.row_by_row import as_table, tally_by_row

OCTOBER = Period.parse("2026-10")
SPEND = assets.dataset("spend")
HEADER = ("payment_date", "supplier_name", "org_unit", "net_amount", "redaction")
Row = tuple[str, ...]

PENCE = st.integers(-10_000_000, 10_000_000).map(lambda pence: f"{Decimal(pence) / 100:.2f}")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "2026-09-30", "2026-10-01", "2026-10-31", "2026-11-02"]),
        st.sampled_from(["", "Oak", "oak", "Ash & Sons", "<b>", *(f"S{n}" for n in range(20))]),
        st.sampled_from(["", "Housing"]),
        st.one_of(st.just(""), PENCE),
        st.sampled_from(["none", "personal"]),
    ),
    min_size=1,
)


def charts(rows: Sequence[Row], header: Row = HEADER, dataset: str = "spend", period: Period = OCTOBER) -> list[Chart]:
    summary = summarise_release(assets.dataset(dataset), period, as_table(header, rows))
    found = [msgspec.convert(one, Chart) for one in summary["charts"]]
    assert msgspec.to_builtins(found) == summary["charts"]
    return found


def fits(cell: str, condition: Condition) -> bool:
    _, how, value = condition
    return {"is": cell == value, "not": cell != value, "from": cell != "" and cell >= value, "to": "" != cell <= value}[
        how
    ]


def behind(bar: Bar, rows: Sequence[Row]) -> list[Row]:
    """The rows that all conditions find; of several `is` of one field, any."""

    def found(row: Row) -> bool:
        same = [one for one in bar.conditions if one[1] == "is"]
        others = [one for one in bar.conditions if one[1] != "is"]
        holds = [fits(row[HEADER.index(one[0])], one) for one in same]
        return (any(holds) or not same) and all(fits(row[HEADER.index(one[0])], one) for one in others)

    return [row for row in rows if found(row)]


@given(ROWS)
def test_bars_hold_every_row_once_and_every_penny(rows: list[Row]) -> None:
    whole = sum((Decimal(row[3]) for row in rows if row[3]), Decimal(0))
    for one in charts(rows):
        assert sum(bar.rows for bar in one.bars) == len(rows) == one.rows
        if one.measure == "sum":
            assert sum((bar.figure for bar in one.bars if bar.figure is not None), Decimal(0)) == whole
        for bar in one.bars:
            found = behind(bar, rows)
            assert len(found) == bar.rows, "its conditions find its rows"
            amounts = [Decimal(row[3]) for row in found if row[3]]
            if one.measure == "sum" and bar.figure is not None:
                assert sum(amounts, Decimal(0)) == bar.figure


def test_a_month_is_drawn_by_days_and_rows_dated_outside_it_are_in_the_table() -> None:
    rows = [("2026-09-30", "A", "H", "1.00", "none"), ("2026-10-05", "A", "H", "2.00", "none")]
    over_time = next(one for one in charts(rows) if one.name == "over-time")
    assert len(over_time.bars) == 32
    assert over_time.bars[0].label == "Before 1 October 2026"
    drawn = draw_chart(over_time, SPEND)
    assert len(drawn.bars) == 31, "not within the picture"
    assert len(drawn.rows) == 32, "but in the table"


def test_contracts_that_end_are_counted_by_quarters_ahead() -> None:
    header = ("supplier_name", "current_end_date", "current_value", "redaction")
    rows = [("A", "2026-12-31", "10.00", "none"), ("B", "2027-01-01", "5.00", "none"), ("C", "2026-01-01", "", "none")]
    names = [field.name for field in assets.dataset("contracts").fields]
    whole = [tuple(dict(zip(header, row, strict=True)).get(name, "") for name in names) for row in rows]
    ends = next(one for one in charts(whole, tuple(names), "contracts") if one.name == "ends")
    counts = {bar.label: (bar.rows, bar.amount) for bar in ends.bars if bar.rows}
    assert counts == {
        "Before 1 November 2026": (1, None),
        "Oct to Dec 2026": (1, Decimal("10.00")),
        "Jan to Mar 2027": (1, Decimal("5.00")),
    }


def test_a_mean_is_weighted_and_left_out_without_weights() -> None:
    names = [field.name for field in assets.dataset("transactions").fields]
    rows = [
        {"service_name": "Tax", "cost_per_transaction": "1.00", "completed": "3"},
        {"service_name": "Tax", "cost_per_transaction": "2.00", "completed": "1"},
        {"service_name": "Fish", "cost_per_transaction": "2.00"},
        {"service_name": "Bread", "cost_per_transaction": "2.00"},
        {"service_name": "Bread", "cost_per_transaction": "4.00"},
    ]
    whole = [tuple(row.get(name, "") for name in names) for row in rows]
    costs = next(one for one in charts(whole, tuple(names), "transactions") if one.name == "unit-costs")
    assert {bar.label: bar.figure for bar in costs.bars} == {
        "Tax": Decimal("1.25"),
        "Fish": Decimal("2.00"),
        "Bread": None,
    }


def test_the_largest_supplier_stands_once_under_all_of_its_spellings() -> None:
    """It stood twice, and the second place was wrong."""
    rows = [
        ("2026-10-01", "Oak Ltd", "", "60.00", "none"),
        ("2026-10-02", "OAK LIMITED", "", "50.00", "none"),
        ("2026-10-02", "OAK LIMITED", "", "1.00", "none"),
        ("2026-10-03", "Elm Ltd", "", "80.00", "none"),
        ("2026-10-03", "Oak (Wales) Ltd", "", "5.00", "none"),
    ]
    suppliers = next(one for one in charts(rows) if one.name == "suppliers")
    assert [(bar.label, bar.figure) for bar in suppliers.bars] == [
        ("OAK LIMITED", Decimal(111)),
        ("Elm Ltd", Decimal(80)),
        ("Oak (Wales) Ltd", Decimal(5)),
    ]
    assert len(behind(suppliers.bars[0], rows)) == 3


def completed_by_service(*rows: tuple[str, str, str, str]) -> list[Chart]:
    """The chart of transactions completed: rows of service, first and last day, and number."""
    names = [field.name for field in assets.dataset("transactions").fields]
    given = [
        {"service_id": service, "service_name": service, "channel": "web", "period_start": start, "period_end": end}
        | {"completed": completed}
        for service, start, end, completed in rows
    ]
    whole = [tuple(row.get(name, "") for name in names) for row in given]
    return [one for one in charts(whole, tuple(names), "transactions") if one.name == "volumes"]


def test_rolling_twelve_months_are_never_added_up() -> None:
    [chart] = completed_by_service(
        ("Tax", "2025-04-01", "2026-03-31", "100"),
        ("Tax", "2025-07-01", "2026-06-30", "110"),
        ("Fish", "2025-04-01", "2025-06-30", "5"),
        ("Fish", "2025-07-01", "2025-09-30", "7"),
    )
    assert {bar.label: bar.figure for bar in chart.bars} == {"Fish": Decimal(12), "Tax": None}
    assert (chart.measured, chart.rows, chart.overlapping) == (2, 4, 2)
    drawn = draw_chart(chart, assets.dataset("transactions"))
    assert drawn.coverage == (
        "Covers 2 of 4 rows: the periods of 2 rows overlap those of others, so their figures are not added."
    )


def test_a_table_of_rolling_years_alone_has_no_chart_of_sums() -> None:
    assert not completed_by_service(
        ("Tax", "2025-04-01", "2026-03-31", "100"), ("Tax", "2025-07-01", "2026-06-30", "110")
    )


def test_names_that_are_redacted_are_not_searched_by() -> None:
    rows = [("2026-10-01", "Oak", "", "1.00", "none"), ("2026-10-01", "REDACTED", "", "1.00", "personal")]
    assert summarise_release(SPEND, OCTOBER, as_table(HEADER, rows))["names"] == {"Oak": 1}


def test_credits_are_drawn_on_the_other_side_of_zero() -> None:
    rows = [("2026-10-01", "A", "", "30.00", "none"), ("2026-10-01", "B", "", "-10.00", "none")]
    drawn = draw_chart(next(one for one in charts(rows) if one.name == "suppliers"), SPEND)
    assert drawn.zero == "25"
    assert [(one.start, one.length) for one in drawn.bars] == [("25", "75"), ("0", "25")]


def test_each_dataset_declares_charts_that_it_can_fill() -> None:
    for dataset in assets.datasets():
        for declared in assets.shown(dataset.name)["charts"]:
            ChartRule.from_declared(declared, dataset)
        assert {"sort", "page", "rows", "q"}.isdisjoint(field.name for field in dataset.fields), "words of the address"


def test_a_chart_of_an_unknown_field_is_refused() -> None:
    declared = dict(assets.shown("spend")["charts"][1]) | {"by": ["colour"]}
    with pytest.raises(DescriptorError, match="colour"):
        ChartRule.from_declared(declared, SPEND)


FIGURES = st.one_of(
    st.just(""),
    st.sampled_from(["0", "-0.005", "123456789012345678901234.5", "-1.0000000001", "1250.00", f"-1{'0' * 25}"]),
    st.integers(-(10**9), 10**9).map(str),
    st.decimals(-(10**6), 10**6, places=6, allow_nan=False).map(lambda value: f"{value:f}"),
)
AWKWARD = st.fixed_dictionaries({
    "name": st.sampled_from(["", "Oak", "oak", "OAK LTD ", "<b>", "REDACTED PERSONAL DATA", "1.50", "é", "e\u0301"]),
    "unit": st.sampled_from(["", "", "Housing", "Roads"]),
    "day": st.sampled_from(["", "2026-10-01", "1999-12-31"]),
    "first": FIGURES, "second": FIGURES, "weight": FIGURES, "grade": FIGURES,
    "adds": st.booleans(),
})  # fmt: skip
RULES = [
    ChartRule("sums", "", BarLayout.RANKED, ("unit", "name"), BarMeasure.SUM, ("first", "second")),
    ChartRule("days", "", BarLayout.TIME, ("day",), BarMeasure.COUNT, ("second",)),
    ChartRule("means", "", BarLayout.RANKED, ("name",), BarMeasure.MEAN, ("second", "first"), weight="weight"),
    ChartRule("ranks", "", BarLayout.ORDERED, ("grade", "name"), BarMeasure.SUM, ("second",), rank=("grade", "weight")),
]


@given(st.lists(AWKWARD, min_size=1, max_size=12), st.sampled_from(["text", "Parquet", "dictionaries"]))
def test_every_group_of_every_chart_is_what_adding_row_by_row_makes_it(rows: list[dict[str, Any]], form: str) -> None:
    """Empty cells, negative and tiny amounts, 26 digits, many decimals, redacted names: to the last digit."""
    names = [name for name in rows[0] if name != "adds"]
    cells, adds_up = [[row[name] for name in names] for row in rows], [row["adds"] for row in rows]
    numbers = ("first", "second", "weight", "grade")
    fields = {name: replace(SPEND.fields[0], name=name, unit=None) for name in names}
    table = as_table(names, cells)
    if form != "text":
        typed = {name: table[name].cast(pa.decimal128(38, 10)) if name in numbers else table[name] for name in names}
        table = pa.table(typed | {"day": table["day"].cast(pa.date32())})
    if form == "dictionaries":
        table = pa.concat_tables([table.slice(0, 1), table.slice(1)])
        texts = {name: table[name].dictionary_encode() for name in ("name", "unit")}
        table = pa.table({name: texts.get(name, table[name]) for name in names}).unify_dictionaries()
    with localcontext(prec=100):
        wanted = tally_by_row(RULES, names, cells, adds_up)
    found = tally_rows(RULES, table, fields, np.array(adds_up))
    assert found == (wanted if form == "text" else tuple(map(_plain_numbers, wanted)))


def test_groups_that_are_joined_keep_every_digit_of_their_sums() -> None:
    """The tails of sums of more than 28 digits were rounded when two spellings of a name were joined."""
    group = RowGroup(1, 1, Decimal("123456789012345678901234.5"))
    group.merge(RowGroup(1, 1, Decimal("-1.0000000001")))
    assert group.value == Decimal("123456789012345678901233.4999999999")


def _plain_numbers(tally: ChartTally) -> ChartTally:
    """The tally with the numbers by which it is grouped as they are published."""
    if tally.by != "grade":
        return tally
    groups: dict[str, RowGroup] = {}
    for value, group in tally.groups.items():
        spelled = f"{Decimal(value):f}" if value else ""
        spelled = spelled.rstrip("0").rstrip(".") if "." in spelled else spelled
        groups.setdefault("0" if spelled in ("-0", "") and value else spelled, RowGroup()).merge(group)
    return replace(tally, groups=groups)


def test_a_number_column_with_text_is_refused() -> None:
    rule = ChartRule.from_declared(assets.shown("spend")["charts"][1], SPEND)
    rows = as_table(("supplier_name", "net_amount"), [("Oak", "ten")])
    with pytest.raises(DescriptorError, match="net_amount of a release holds text"):
        tally_rows([rule], rows, {})


def test_no_rows_make_no_chart() -> None:
    rules = [ChartRule.from_declared(one, SPEND) for one in assets.shown("spend")["charts"]]
    assert tally_rows(rules, as_table(HEADER, []), {}) == ()


def test_figures_have_their_unit() -> None:
    assert format_figure(Decimal("1234.5"), "GBP") == "£1,234.50"
    assert format_figure(Decimal("3.50"), "FTE") == "3.5 FTE"
    assert format_figure(Decimal(1000), "rows") == "1,000 rows"
    assert format_figure(None, "GBP") == "–"


@pytest.mark.parametrize("name", [dataset.name for dataset in assets.datasets()])
def test_a_nil_return_has_a_summary_in_every_dataset(name: str) -> None:
    """Where rows have periods of their own, a release without rows stopped the building of the catalogue."""
    dataset = assets.dataset(name)
    rows = pa.table({field: pa.array([], pa.string()) for field in fields_summarised(dataset)})
    summary = summarise_release(dataset, OCTOBER, rows)
    assert (summary["charts"], summary["names"]) == ([], {})
