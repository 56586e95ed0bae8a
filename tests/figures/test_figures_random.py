"""Whatever tables a body publishes: the years are all that counts, and nothing is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from piperoll.operations.catalogue.build import update_consolidated
from publishers import FolderStore
from tests.figures.published_tables import Span, Total, sum_totals, year_key
from tests.figures.recomputing import Recomputed
from tests.serving.published_place import published, released

PERIODS = (
    *("2022-12", "2023-01", "2023-02", "2023-03", "2023-04", "2023-05", "2023-06"),
    *("2023-Q1", "2023-Q2", "2022-23", "2023-24", "2023-01--2023-06", "2022-04--2024-03"),
)
SUPPLIERS = ("Acorn Roofing Ltd", "ACORN  ROOFING LTD", "Beech Tree plc", "REDACTED PERSONAL DATA", "")
DAYS = ("", "2022-12-31", "2023-01-01", "2023-03-31", "2023-04-01", "2023-05-15", "2023-06-30")

LINES = st.fixed_dictionaries(
    {
        "payment_date": st.sampled_from(DAYS),
        "supplier_name": st.sampled_from(SUPPLIERS),
        "transaction_number": st.sampled_from(("", "T1", "t1")),
        "net_amount": st.sampled_from(("100.00", "-100.00", "0.01", "12345678901.23", "100.0000")),
    }
)
TABLES = st.dictionaries(
    st.tuples(st.sampled_from(PERIODS), st.sampled_from(("", "--card"))),
    st.lists(LINES, min_size=1, max_size=8),
    min_size=1,
    max_size=5,
)
RENT = {"payment_date": "", "supplier_name": "Acorn Roofing Ltd", "transaction_number": "", "net_amount": "100.00"}


def as_lines(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [
        {"line_id": f"l-{n}", "body_id": "gss:E07000999"} | {name: cell for name, cell in row.items() if cell}
        for n, row in enumerate(rows)
    ]


def accounts(store: Path) -> dict[str, Any]:
    root = store / "catalogue" / "consolidated" / "spend"
    found = {}
    for index in root.glob("*/index.json"):
        for entry in json.loads(index.read_text("utf-8"))["bodies"].values():
            account = json.loads((index.parent / entry["json"]["path"]).read_text("utf-8"))
            found[account["year"]] = account
    return found


def added(lines: Sequence[Mapping[str, Any]]) -> Total:
    return Total(sum(one["rows"] for one in lines), sum((Decimal(one["amount_gbp"]) for one in lines), Decimal(0)))


@given(TABLES)
@example({("2023-01", ""): [RENT], ("2023-02", ""): [RENT], ("2023-Q1", ""): [RENT, RENT, RENT]})
@example({("2022-04--2024-03", ""): [RENT] * 2, ("2022-23", ""): [RENT], ("2023-24", ""): [RENT]})
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_the_years_are_all_that_counts(tables: dict[tuple[str, str], list[dict[str, str]]]) -> None:
    with TemporaryDirectory() as folder:
        store = FolderStore(Path(folder) / "store")
        for number, ((period, part), rows) in enumerate(sorted(tables.items())):
            packed = released(Path(folder), f"spend/anytown/{period}{part}", as_lines(rows), source=f"{number:064}")
            published(store, packed, f"2026-11-0{number + 1}T09:00:00Z")
        update_consolidated(store, [("spend", "anytown")], Path(folder), careful=False)
        told, recomputed = accounts(Path(folder) / "store"), Recomputed(Path(folder) / "store")
        rows = [row for table in tables.values() for row in table]
        released_total = Total(len(rows), sum((Decimal(row["net_amount"]) for row in rows), Decimal(0)))

        counted = sum_totals(added(one["counted"]) for one in told.values())
        left_out = sum_totals(added(one["left_out"]) for one in told.values() if one["left_out"])
        assert counted + left_out == released_total
        years = recomputed.counts["spend"]["anytown"]
        assert {year_key(year): counts.total for year, counts in years.items() if counts.counted} == {
            year: added(one["counted"]) for year, one in told.items() if one["counted"]
        }
        for account in told.values():
            assert added(account["months"]) == added(account["counted"])
            assert added(account["payees"]) == added(account["counted"])


def test_a_financial_year_is_found_in_the_name_of_a_period() -> None:
    assert Span.of("2022-04--2024-03").year == "undated"
    assert Span.of("2023-01--2023-03").year == Span.of("2022-23").year == "2022-23"
