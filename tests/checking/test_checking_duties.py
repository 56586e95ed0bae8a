"""Which columns law, codes and guidance ask of whom, and how the kind of body is known."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.checking.survey import is_duty
from piperoll.model import Body, Register, Report, Severity
from tests.checking.made_readings import examined, made_table

ROWS = [{"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1.00"}]
KINDS_IN_LAW = ("council", "fire", "department", "agency", "nhs", "police")
LOCAL_CODE, TREASURY, POLICING = "Local Government Transparency Code", "HM Treasury", "Elected Local Policing Bodies"


def checked(kind: str, identifier: str = "gss:E07000999", part: str | None = None) -> Report:
    body = Body(identifier, "anytown", "Anytown", kind)
    name = "procurement card 2026-10.csv" if part == "card" else "spend 2026-10.csv"
    return examined(made_table("spend", ROWS), body=body, file=name, part=part).report


def absent(report: Report) -> dict[str, str]:
    """The columns that are missed, each with the message that names the law."""
    return {each.field: each.message for each in report.findings if each.code == "duty-column-absent" and each.field}


@pytest.mark.parametrize(
    ("kind", "fields", "law"),
    [
        ("council", {"org_unit", "purpose", "irrecoverable_vat"}, LOCAL_CODE),
        ("fire", {"org_unit", "purpose", "irrecoverable_vat"}, LOCAL_CODE),
        ("department", {"transaction_number", "expense_area", "expense_type", "purpose"}, TREASURY),
        ("agency", {"transaction_number", "expense_area", "expense_type", "purpose"}, TREASURY),
        ("nhs", {"transaction_number", "expense_area", "expense_type", "purpose"}, TREASURY),
        ("police", {"purpose"}, POLICING),
        ("other", set(), ""),
    ],
)
def test_each_kind_of_body_is_told_of_its_own_law_only(kind: str, fields: set[str], law: str) -> None:
    report = checked(kind)
    missed = absent(report)
    assert missed.keys() == fields
    for message in missed.values():
        assert law in message
        assert not any(other in message for other in {LOCAL_CODE, TREASURY, POLICING} - {law})
    assert (report.kind, report.kind_source) == (kind, "register")


def test_the_columns_of_spending_over_25000_are_not_asked_of_a_departments_card_file() -> None:
    assert absent(checked("department", part="card")) == {}
    assert absent(checked("council", part="card")).keys() == {"org_unit", "purpose", "irrecoverable_vat"}


def test_the_english_code_is_not_put_on_a_council_in_scotland_or_wales() -> None:
    assert absent(checked("council", "gss:S12000999")) == {}
    assert absent(checked("council", "gss:W06000999")) == {}


def test_a_sender_of_unknown_kind_is_told_in_one_line_that_no_duty_was_checked() -> None:
    report = examined(made_table("spend", ROWS), body=Body.provisional_for("Somebody")).report
    (only,) = [each for each in report.findings if each.code.startswith(("duty-", "kind-"))]
    assert (only.code, only.severity) == ("kind-unknown", Severity.INFO)
    assert "--kind" in only.fix
    assert (report.kind, report.kind_source) == (None, None)
    assert not any("law" in sentence for sentence in report.passed)


def test_every_duty_of_our_datasets_names_known_kinds_and_real_parts() -> None:
    for dataset in assets.datasets():
        for field in dataset.fields:
            for duty in field.duties if is_duty(field) else ():
                assert set(duty.kinds) <= set(KINDS_IN_LAW), field.name
                assert set(duty.parts) <= {None, *(part.name for part in dataset.parts)}, field.name
                assert set(duty.nations) <= set("EWSN"), field.name
                central = {"department", "agency", "nhs"} & set(duty.kinds)
                assert not (LOCAL_CODE in duty.clause and central), field.name
                assert not (TREASURY in duty.clause and {"council", "fire", "police"} & set(duty.kinds)), field.name


# --- the kind as the file shows it ------------------------------------------------------------------------------

REGISTER = Register(
    (
        Body("GB-GOVUK-rainy", "rainy", "Department for Rainy Days", "department", aliases=("DfRD",)),
        Body("GB-GOVUK-puddles", "puddles", "Puddles Executive", "agency"),
        Body("gss:S12000999", "glenample", "Glenample Council", "council"),
    )
)


def kind_of(entities: Sequence[str | None], family: str | None = None) -> tuple[str | None, str | None]:
    rows: list[Mapping[str, str | None]] = [
        {**ROWS[0], "body_name": entity, "department_family": family} for entity in entities
    ]
    columns = ["payment_date", "supplier_name", "net_amount", "body_name", *(["department_family"] if family else [])]
    report = examined(made_table("spend", rows, columns=columns), register=REGISTER).report
    return report.kind, report.kind_source


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Anytown Borough Council", "council"),
        ("ANYTOWN CITY COUNCIL", "council"),
        ("London Borough of Anytown", "council"),
        ("Anytown Council", "council"),
        ("Anytown and Brackwater Combined Authority", "council"),
        ("Anytown Hospitals NHS Foundation Trust", "nhs"),
        ("NHS Anytown Clinical Commissioning Group", "nhs"),
        ("NHS Anytown CCG", "nhs"),
        ("Department for Puddles", "department"),
        ("Ministry of Puddles", "department"),
        ("Anyshire Fire and Rescue Service", "fire"),
        ("Anyshire & Eastmarch Fire Authority", "fire"),
        ("Police and Crime Commissioner for Anyshire", "police"),
        ("Anyshire Constabulary", "police"),
        ("Rural Puddles Agency", "agency"),
        ("DfRD", "department"),
        ("the department for rainy days", "department"),
        ("Puddles Executive", "agency"),
        ("Puddle Research Council", None),
        ("Puddle Arts Council England", None),
        ("Acme Ltd", None),
        ("PE", None),
    ],
)
def test_the_kind_is_known_by_the_register_or_by_words_in_the_name(name: str, kind: str | None) -> None:
    assert kind_of([name] * 20) == (kind, "file" if kind else None)


def test_a_few_slips_do_not_hide_the_kind_but_a_mixture_does() -> None:
    assert kind_of(["Anytown City Council"] * 39 + ["Anytwon"]) == ("council", "file")
    assert kind_of(["Anytown City Council"] * 12 + ["Anytown NHS Trust"] * 8) == (None, None)
    assert kind_of(["Anytown City Council"] * 9 + [None] * 11) == (None, None)


def test_an_agency_is_not_taken_for_the_department_that_it_belongs_to() -> None:
    assert kind_of(["Puddles Executive"] * 20, "Department for Rainy Days") == ("agency", "file")
    assert kind_of(["An Unknown Board"] * 20, "Department for Rainy Days") == (None, None)


def test_a_department_that_lists_its_agencies_beside_itself_is_a_department() -> None:
    entities = ["Department for Rainy Days"] * 10 + ["Puddles Executive"] * 8 + ["Drizzle Board"] * 2
    assert kind_of(entities, "DfRD") == ("department", "file")


def test_a_scottish_council_that_its_file_names_is_not_told_of_the_english_code() -> None:
    rows = [{**ROWS[0], "body_name": "Glenample Council"}] * 20
    report = examined(made_table("spend", rows), register=REGISTER).report
    assert (report.kind, absent(report)) == ("council", {})


def test_the_file_is_not_asked_when_the_kind_is_given() -> None:
    text = "Entity,Date,Supplier,Amount\n" + "Anytown Borough Council,01/10/2026,Acme Ltd,600.00\n" * 3
    report = check_file(FileToCheck(text.encode(), "x.csv", kind="nhs"))
    assert (report.kind, report.kind_source) == ("nhs", "option")
    assert not any(each.code.startswith("kind-") for each in report.findings)


# --- the life of a body -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "words"),
    [
        ("2016-06", None),
        ("2016-07", None),
        ("2016-08", "ended on 14 July 2016. Its work went to Ministry of Puddles"),
        ("2009-05", "began on 5 June 2009"),
        ("2009-06", None),
    ],
)
def test_a_file_for_a_time_when_its_body_did_not_exist_is_warned_of(month: str, words: str | None) -> None:
    body = Body(
        "GB-GOVUK-rainy",
        "rainy",
        "Department for Rainy Days",
        "department",
        valid_from=date(2009, 6, 5),
        valid_to=date(2016, 7, 14),
        successor=("puddles",),
    )
    register = Register((body, Body("GB-GOVUK-puddles", "puddles", "Ministry of Puddles", "department")))
    rows = [{**ROWS[0], "payment_date": f"{month}-10"}]
    report = examined(made_table("spend", rows), body=body, file="spend.csv", period=month, register=register).report
    found = [each.message for each in report.findings if each.code == "period-outside-body-life"]
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
