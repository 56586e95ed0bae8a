"""Which columns law or code asks of whom."""

import pytest

from piperoll.model import Body, Severity
from tests.checking.made_readings import examined, made_table

ROWS = [{"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1.00", "purpose": "Salt"}]


def absent(kind: str, identifier: str = "gss:E07000999") -> dict[str, Severity]:
    body = Body(identifier, "anytown", "Anytown", kind)
    report = examined(made_table("spend", ROWS), body=body).report
    return {
        finding.field: finding.severity
        for finding in report.findings
        if finding.code == "duty-column-absent" and finding.field
    }


@pytest.mark.parametrize(
    ("kind", "asked", "not_asked"),
    [("council", "irrecoverable_vat", "expense_area"), ("department", "expense_area", "irrecoverable_vat")],
)
def test_a_council_is_not_warned_of_a_treasury_column_nor_a_department_of_a_councils(
    kind: str, asked: str, not_asked: str
) -> None:
    severities = absent(kind)
    assert severities[asked] is Severity.WARNING
    assert not_asked not in severities


def test_a_sender_we_do_not_know_is_told_of_both_and_warned_of_neither() -> None:
    severities = absent("other", "XI-PIPEROLL-anytown")
    assert {severities["irrecoverable_vat"], severities["expense_area"]} == {Severity.INFO}
