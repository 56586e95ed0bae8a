"""The audit: a rule that says other than its reference is named, and nothing it said is let through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from piperoll import assets
from piperoll.checking.audit import in_plausibility, in_structure, require_agreement, sample
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import plans, registry
from piperoll.checking.plausibility.columns import Kinds, Rows
from piperoll.checking.schema import Breach, find_breaches
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table, spend_row

SPEND = assets.dataset("spend")
SUITE = assets.suite("spend")
LARGE = "expect_column_values_to_be_between"


def table(rows: int = 30) -> ReadTable:
    lines = [
        spend_row(transaction_number=f"T{number}", net_amount=f"{number * 100}.00", supplier_name=f"Elder {number} Ltd")
        for number in range(1, rows + 1)
    ]
    return made_table(rows=[*lines, spend_row(net_amount="90000000000.00")])


def lenient(_kwargs: object, _kinds: Kinds) -> object:
    """A rule that finds everything good."""
    return Rows.everything


def test_engines_that_agree_let_a_release_through() -> None:
    require_agreement([table()], SPEND, SUITE, 1000)


def test_a_broken_rule_is_named_with_how_it_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = plans.by_row(lenient, "min_value", "max_value", "strict_min", "strict_max")
    monkeypatch.setitem(registry.RULES, LARGE, broken)
    said = list(in_plausibility([table()], SPEND, SUITE))
    assert [each.rule for each in said] == [f"amount-implausibly-large ({LARGE})"]
    assert said[0].how == "the compiled rule says met, Great Expectations not met"
    with pytest.raises(EngineDisagreement, match="nothing is released: amount-implausibly-large"):
        require_agreement([table()], SPEND, SUITE, 1000)


def test_a_rule_that_names_another_row_is_told_by_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def next_door(_kwargs: object, _kinds: Kinds) -> object:
        return lambda rows: np.arange(rows.size) != 3

    monkeypatch.setitem(registry.RULES, LARGE, plans.by_row(next_door, "min_value", "max_value"))
    (said,) = (each for each in in_plausibility([table()], SPEND, SUITE) if each.rule.startswith("amount-imp"))
    assert said.how == "they part on 2 rows, the first of them row 5"


def test_a_breach_that_only_one_engine_sees_is_told_once_a_rule() -> None:
    def blind(looked_at: ReadTable, dataset: Dataset, engine: CheckEngine) -> Iterable[Breach]:
        return find_breaches(looked_at, dataset, engine) if engine is CheckEngine.REFERENCE else ()

    wrong = made_table(rows=[spend_row(payment_date="no date")] * 3)
    assert list(in_structure(wrong, SPEND)) == []
    (said,) = in_structure(wrong, SPEND, blind)
    assert (said.rule, said.how) == ("type-error of payment_date", "in row 2 only Frictionless says so")


def test_a_large_table_is_sampled_evenly_and_always_the_same() -> None:
    whole = table(rows=999)
    (once,), (again,) = sample([whole], 100), sample([whole], 100)
    rows = [row for batch in once.batches() for row in batch["row"].to_pylist()]
    assert rows == list(range(2, 1002, 10))
    assert once.rows == 100
    assert [batch.to_pydict() for batch in once.batches()] == [batch.to_pydict() for batch in again.batches()]
    assert sample([whole], 1000) == [whole]


def test_a_sample_spreads_over_all_tables() -> None:
    parts = sample([table(rows=49), replace(table(rows=149), sheet="second")], 20)
    assert [part.rows for part in parts] == [5, 15]
    assert list(_lines(parts)) == 20 * [True]


def _lines(parts: Iterable[ReadTable]) -> Iterator[bool]:
    for part in parts:
        for batch in part.batches():
            yield from (row is not None for row in batch["row"].to_pylist())
