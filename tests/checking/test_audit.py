"""The audit names each rule that disagrees with its reference, and nothing is released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from piperoll import assets
from piperoll.checking.audit import compare_plausibility, compare_schema, require_agreement, sample_tables
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility.rules import RULES
from piperoll.checking.schema import Breach, find_breaches
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table, spend_row
from tests.checking.plausibility.broken_rules import rule_that_finds

SPEND = assets.dataset("spend")
SUITE = assets.suite("spend")
LARGE = "expect_column_values_to_be_between"


def table(rows: int = 30) -> ReadTable:
    lines = [
        spend_row(transaction_number=f"T{number}", net_amount=f"{number * 100}.00", supplier_name=f"Elder {number} Ltd")
        for number in range(1, rows + 1)
    ]
    return made_table(rows=[*lines, spend_row(net_amount="90000000000.00")])


def test_engines_that_agree_let_a_release_through() -> None:
    require_agreement([table()], SPEND, SUITE, 1000)
    assert list(compare_schema(table(), SPEND)) == []
    assert list(compare_plausibility([table()], SPEND, SUITE)) == []


def test_a_broken_rule_is_named_with_how_it_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, LARGE, rule_that_finds(LARGE, []))
    found = list(compare_plausibility([table()], SPEND, SUITE))
    assert [each.rule for each in found] == [f"amount-implausibly-large ({LARGE})"]
    assert found[0].how == "the compiled rule says met, Great Expectations not met"
    with pytest.raises(EngineDisagreement, match="nothing is released: amount-implausibly-large"):
        require_agreement([table()], SPEND, SUITE, 1000)


def test_a_rule_that_names_another_row_is_reported_with_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, LARGE, rule_that_finds(LARGE, [3]))
    found = compare_plausibility([table()], SPEND, SUITE)
    (large,) = (each for each in found if each.rule.startswith("amount-imp"))
    assert large.how == "they disagree on 2 rows, the first of them row 5"


def test_a_breach_that_only_one_engine_finds_is_reported_once_for_each_rule() -> None:
    def blind(looked_at: ReadTable, dataset: Dataset, engine: CheckEngine) -> Iterable[Breach]:
        return find_breaches(looked_at, dataset, engine) if engine is CheckEngine.REFERENCE else ()

    wrong = made_table(rows=[spend_row(payment_date="no date")] * 3)
    assert list(compare_schema(wrong, SPEND)) == []
    (found,) = compare_schema(wrong, SPEND, blind)
    assert (found.rule, found.how) == (
        "type-error of payment_date",
        "in row 2 only Frictionless refuses the cell",
    )


def test_a_large_table_is_sampled_evenly_and_always_the_same() -> None:
    whole = table(rows=999)
    (once,), (again,) = sample_tables([whole], 100), sample_tables([whole], 100)
    rows = [row for batch in once.batches() for row in batch["row"].to_pylist()]
    assert rows == list(range(2, 1002, 10))
    assert once.rows == 100
    assert [batch.to_pydict() for batch in once.batches()] == [batch.to_pydict() for batch in again.batches()]
    assert sample_tables([whole], 1000) == [whole]


def test_a_sample_spreads_over_all_tables() -> None:
    parts = sample_tables([table(rows=49), replace(table(rows=149), sheet="second")], 20)
    assert [part.rows for part in parts] == [5, 15]
    assert list(_lines(parts)) == 20 * [True]


def _lines(parts: Iterable[ReadTable]) -> Iterator[bool]:
    for part in parts:
        for batch in part.batches():
            yield from (row is not None for row in batch["row"].to_pylist())
