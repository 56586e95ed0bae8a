"""Structure: every breach of the schema at the sender's address, and what we use of Frictionless pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from piperoll import assets
from piperoll.checking.schema import Breach, find_breaches
from piperoll.errors import DescriptorError
from piperoll.model import Dataset, Severity
from tests.checking.made_readings import codes, examined, made_table, spend_row

SPEND = assets.dataset("spend")


def with_constraints(name: str, **constraints: object) -> Dataset:
    fields = tuple(
        replace(field, constraints=constraints, derive=None) if field.name == name else field for field in SPEND.fields
    )
    return replace(SPEND, fields=fields)


@pytest.mark.parametrize(
    ("field", "constraint", "cell", "bound"),
    [
        ("net_amount", {"minimum": 0}, "-5", "0"),
        ("net_amount", {"maximum": 10}, "11.5", "10"),
        ("payment_date", {"minimum": "2000-01-01"}, "1999-12-31", "2000-01-01"),
        ("purpose", {"maxLength": 3}, "Roof", "3"),
        ("purpose", {"minLength": 9}, "Roof", "9"),
        ("purpose", {"pattern": "[a-z]+"}, "R2", "[a-z]+"),
        ("purpose", {"enum": ["a", "b"]}, "c", "['a', 'b']"),
        ("net_amount", {"required": True}, None, "True"),
    ],
)
def test_frictionless_words_a_constraint_as_we_read_it(field, constraint, cell, bound) -> None:
    table = made_table(rows=[spend_row(), spend_row(**{field: cell})])
    rows = [spend_row(**{field: None}), spend_row(**{field: cell})]
    found = list(find_breaches(made_table(rows=rows[1:]), with_constraints(field, **constraint)))
    (rule,) = constraint
    assert found == [Breach("constraint-error", 2, 2, field, cell, rule, bound)]
    assert table.rows == 2


def test_frictionless_calls_a_wrong_type_type_error() -> None:
    (found,) = find_breaches(made_table(rows=[spend_row(net_amount="1,5")]), SPEND)
    assert (found.kind, found.field, found.sent) == ("type-error", "net_amount", "1,5")


def test_frictionless_calls_a_repeat_unique_error() -> None:
    rows = [spend_row(), spend_row(transaction_number="T2"), spend_row()]
    (found,) = find_breaches(made_table(rows=rows), with_constraints("transaction_number", unique=True))
    assert (found.kind, found.row, found.sent) == ("unique-error", 4, "T100")


def test_all_errors_are_found_and_not_the_first_thousand() -> None:
    table = made_table(rows=[spend_row(net_amount=None)] * 2500, batch_rows=700)
    assert [breach.row for breach in find_breaches(table, SPEND)] == list(range(2, 2502))


def test_a_row_with_nothing_in_the_fields_that_are_checked_is_not_passed_over() -> None:
    row = {"net_amount": None, "payment_date": None, "supplier_name": "A firm"}
    (found,) = find_breaches(made_table(rows=[row]), SPEND)
    assert found.rule == "required"


def test_addresses_hold_over_batches_and_gaps() -> None:
    rows = [spend_row(), spend_row(net_amount=None), spend_row(), spend_row(net_amount=None)]
    table = made_table(rows=rows, numbers=[5, 9, 10, 700], batch_rows=3)
    assert [breach.row for breach in find_breaches(table, SPEND)] == [9, 700]


def test_a_field_that_can_be_derived_may_be_empty() -> None:
    table = made_table(rows=[spend_row(card=None, function_id=None, body_name=None)])
    assert list(find_breaches(table, SPEND)) == []


def test_a_table_without_fields_that_could_fail_costs_nothing() -> None:
    assert list(find_breaches(made_table(rows=[{"supplier_name": "A firm"}]), SPEND)) == []


def test_a_schema_that_frictionless_refuses_raises_an_error() -> None:
    fields = tuple(replace(field, type="money") if field.name == "net_amount" else field for field in SPEND.fields)
    with pytest.raises(DescriptorError, match="money"):
        list(find_breaches(made_table(rows=[spend_row()]), replace(SPEND, fields=fields)))


def test_a_finding_has_the_cell_as_sent_and_its_address() -> None:
    examination = examined(made_table(rows=[spend_row(), spend_row(card="plastic")], sheet="Oct 26", first_row=5))
    (finding,) = [each for each in examination.report.findings if each.code.startswith("structure-")]
    assert (finding.sheet, finding.row, finding.column, finding.field) == ("Oct 26", 6, "G", "card")
    assert finding.value == "plastic"
    assert "cell G6 of sheet 'Oct 26'" in finding.message
    assert finding.severity is Severity.WARNING


def test_a_cell_outside_the_core_is_left_out_and_its_row_published() -> None:
    examination = examined(made_table(rows=[spend_row()] * 5 + [spend_row(card="plastic")]))
    assert examination.disposition.blanked == {0: {7: frozenset({"card"})}}
    assert examination.disposition.held == {}


def test_an_amount_that_is_missing_holds_its_row_and_is_reported_once() -> None:
    examination = examined(made_table(rows=[spend_row()] * 20 + [spend_row(net_amount=None)]))
    assert examination.disposition.held == {0: {22: frozenset({"structure-constraint-error"})}}
    assert codes(examination).count("structure-constraint-error") == 1


def test_an_amount_that_cannot_be_read_is_not_reported_as_missing() -> None:
    table = made_table(rows=[spend_row()] * 20 + [spend_row(net_amount=None)], unreadable={"net_amount": [22]})
    examination = examined(table)
    assert examination.disposition.held == {0: {22: frozenset({"core-unreadable"})}}
    assert "structure-constraint-error" not in codes(examination)
