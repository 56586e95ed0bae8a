"""What real headings mean: the ones that are easy to get wrong."""

import csv

import pytest

from piperoll import assets


def fields(dataset, *sent):
    """Which field each of the columns gets when the rows of headings.csv are taken in order (docs/datasets.md)."""
    columns = {heading.casefold(): heading for heading in sent}
    found: dict[str, str] = {}
    with (assets.folder("datapackages") / dataset / "headings.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            heading = columns.get(row["heading"].casefold())
            if heading and heading not in found and row["field"] not in found.values():
                found[heading] = row["field"]
    return found


def test_net_is_preferred_to_gross():
    assert fields("spend", "Gross Amount", "Net Amount") == {"Net Amount": "net_amount"}
    assert fields("spend", "Gross") == {"Gross": "net_amount"}


def test_the_end_of_the_period_is_no_payment_date():
    assert fields("spend", "EffectiveDate", "PaymentDate") == {
        "EffectiveDate": "period_end",
        "PaymentDate": "payment_date",
    }


def test_an_invoice_number_is_used_only_if_there_is_no_other_number():
    assert fields("spend", "Invoice No.", "Transaction No.") == {"Transaction No.": "transaction_number"}
    assert fields("spend", "Invoice No.") == {"Invoice No.": "transaction_number"}


def test_the_payment_date_is_preferred_to_the_invoice_date():
    assert fields("spend", "Invoice Date", "Payment Date") == {"Payment Date": "payment_date"}


def test_the_description_is_the_purpose_unless_there_is_one():
    assert fields("spend", "Description") == {"Description": "purpose"}
    assert fields("spend", "Description", "Purpose") == {"Description": "description", "Purpose": "purpose"}


def test_the_expenditure_category_is_the_expense_type_unless_there_is_one():
    assert fields("spend", "Expenditure Category") == {"Expenditure Category": "expense_type"}
    assert fields("spend", "Expenditure Category", "Expense Type")["Expenditure Category"] == "category_label"


def test_a_service_within_a_directorate_is_the_expense_area():
    assert fields("spend", "Service") == {"Service": "org_unit"}
    assert fields("spend", "Directorate", "Service") == {"Directorate": "org_unit", "Service": "expense_area"}


def test_the_columns_of_the_treasury_are_all_known():
    sent = "Department family;Entity;Date;Expense type;Expense area;Supplier;Transaction number;Amount;Description"
    assert list(fields("spend", *sent.split(";")).values()) == [
        "body_name",
        "department_family",
        "payment_date",
        "transaction_number",
        "expense_area",
        "expense_type",
        "purpose",
        "supplier_name",
        "net_amount",
    ]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("value_amount", "original_value"),
        ("contractPeriod_startDate", "start_date"),
        ("contractPeriod_endDate", "original_end_date"),
        ("CONTRACT_CURRENT_END_DATE", "current_end_date"),
        ("CURRENT_VALUE", "current_value"),
        ("WINNING_BIDDER", "supplier_name"),
        ("LastExtensionDate", "max_end_date"),
        ("Title of agreement", "title"),
    ],
)
def test_a_contract_heading(heading, field):
    assert fields("contracts", heading) == {heading: field}


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Number of Posts in FTE", "fte"),
        ("Payscale Minimum (£)", "salary_floor"),
        ("Actual Pay Ceiling (£)", "salary_ceiling"),
        ("Reporting Senior Post", "reports_to"),
        ("MaximumSalary", "grade_maximum"),
        ("Job number", "post_id"),
    ],
)
def test_a_roles_heading(heading, field):
    assert fields("roles", heading) == {heading: field}
