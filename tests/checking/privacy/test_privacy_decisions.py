"""What people decided about values, applied to the rows of a table; and the values held, with all their rows."""

from __future__ import annotations

from decimal import Decimal

from piperoll import assets
from piperoll.checking.privacy.decisions import Decided
from piperoll.checking.privacy.rows import PrivacyResult
from piperoll.model import DecidedAs, HeldValue, PrivacyDecision
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table, screen_tables, spend_row

SPEND = assets.dataset("spend")
NAME = "Jane Example"


def _decide(value: str, decided_as: str, *, area: bool = False, body: str | None = "anytown", day: int = 1) -> Decided:
    return Decided([_decision(value, decided_as, area=area, body=body, day=day)])


def _decision(
    value: str, decided_as: str, *, area: bool = False, body: str | None = "anytown", day: int = 1
) -> PrivacyDecision:
    moment = f"2026-11-{day:02}T10:00:00Z"
    return PrivacyDecision(
        f"{body}-{day}", value, DecidedAs(decided_as), "By telephone", "officer", moment, body, area=area
    )


def _screen(rows: list[dict[str, str | None]], decided: Decided | None = None) -> PrivacyResult:
    return _screen_table(made_table("spend", rows), decided or Decided())


def _screen_table(table: ReadTable, decided: Decided) -> PrivacyResult:
    (result,) = screen_tables([table], SPEND, decided)
    return result


def _held(result: PrivacyResult) -> set[int]:
    return {row for rows in result.held.values() for row in rows}


def test_every_row_of_a_held_value_is_listed_beyond_the_hundredth() -> None:
    rows = [spend_row(supplier_name=NAME, net_amount="2.50") for _ in range(240)]
    (value,) = _screen([spend_row(), *rows]).held_values
    assert value == HeldValue(
        NAME, "supplier_name", None, ("privacy-full-name",), tuple(range(3, 243)), 240, Decimal("600.00")
    )


def test_spellings_of_one_value_are_one_group_and_each_line_counts_once() -> None:
    area = "Fostering"
    result = _screen([spend_row(supplier_name=name, expense_area=area) for name in (NAME, NAME.upper())])
    (value,) = result.held_values
    assert (value.value, value.count, value.amount) == (NAME, 2, Decimal("2500.00"))
    assert value.rules == ("privacy-full-name", "privacy-service-area")


def test_a_business_is_published_whatever_its_spelling() -> None:
    rows = [spend_row(supplier_name=name) for name in ("JANE  EXAMPLE", "Mrs Jane Éxample", "John Example")]
    result = _screen(rows, _decide(NAME, "business"))
    assert _held(result) == {4}
    assert {each: list(rows) for each, rows in result.decided.items()} == {"anytown-1": [2, 3]}


def test_a_business_is_not_held_for_its_service_area_either() -> None:
    rows = [spend_row(supplier_name=name, expense_area="Fostering") for name in (NAME, "John Example")]
    assert _held(_screen(rows, _decide(NAME, "business"))) == {3}


def test_a_business_that_the_rules_publish_is_no_effect_of_the_decision() -> None:
    result = _screen([spend_row()], _decide("Anytown Roofing Ltd", "business"))
    assert not result.decided


def test_a_whole_service_area_of_businesses_holds_only_what_else_is_found() -> None:
    rows = [
        spend_row(supplier_name="Quickshop", expense_area="Fostering"),
        spend_row(supplier_name=NAME, expense_area="FOSTERING"),
    ]
    assert _held(_screen(rows)) == {2, 3}
    assert _held(_screen(rows, _decide("Fostering", "business", area=True))) == {3}


def test_a_service_area_of_private_people_is_published_without_their_names() -> None:
    rows = [spend_row(supplier_name=name, expense_area="Fostering") for name in ("Quickshop", "Anytown Roofing Ltd")]
    result = _screen(rows, _decide("Fostering", "person", area=True))
    assert not _held(result)
    assert dict(result.redacted) == {2: "personal"}


def test_a_private_person_is_left_out_where_a_supplier_and_held_or_cut_where_a_text_names_them() -> None:
    """A text is left out where an organisation is paid, and holds the row where that is not certain."""
    rows = [
        spend_row(supplier_name="Quickshop"),
        spend_row(purpose="Order of QUICKSHOP, March"),
        spend_row(purpose="Quickshopping"),
        spend_row(supplier_name="Zebedeeko", purpose="Quickshop order"),
    ]
    assert not _held(_screen(rows))
    result = _screen(rows, _decide("Quickshop", "person"))
    assert dict(result.redacted) == {2: "personal"}
    assert [list(rows) for rows in result.cut.values()] == [[3]]
    assert set(result.held) == {("purpose", "decided-person")}
    assert _held(result) == {5}
    assert {(one.value, one.rules) for one in result.held_values} == {
        ("Order of QUICKSHOP, March", ("privacy-text-redacted",)),
        ("Quickshop order", ("privacy-decided-person",)),
    }


def test_a_text_that_would_be_left_out_is_published_by_a_decision() -> None:
    rows = [spend_row(purpose="Case ref: 12345")]
    assert list(_screen(rows).cut_fields()) == [2]
    result = _screen(rows, _decide("Case ref: 12345", "business"))
    assert (list(result.cut_fields()), [list(one) for one in result.decided.values()]) == ([], [[2]])


def test_a_private_person_is_found_without_their_accents_in_a_long_column() -> None:
    rows = [spend_row(purpose=f"Order {number}") for number in range(300)]
    rows += [spend_row(purpose="Order José Núñez-Exampla"), spend_row(purpose="order JOSE NUNEZ EXAMPLA 3")]
    assert list(_screen(rows, _decide("José Núñez Exampla", "person")).cut_fields()) == [302, 303]


def test_a_person_held_by_the_rules_is_published_without_the_name_once_decided() -> None:
    result = _screen([spend_row(supplier_name=NAME)], _decide(NAME, "person"))
    assert not _held(result)
    assert dict(result.redacted) == {2: "personal"}


def test_the_bodys_own_decision_comes_before_one_for_all_bodies() -> None:
    decisions = [_decision(NAME, "business", body=None, day=9), _decision(NAME, "person", day=1)]
    assert dict(_screen([spend_row(supplier_name=NAME)], Decided(decisions)).redacted) == {2: "personal"}


def test_of_two_decisions_the_later_is_in_force() -> None:
    decisions = [_decision(NAME, "business", day=2), _decision(NAME, "person", day=1)]
    result = _screen([spend_row(supplier_name=NAME)], Decided(decisions))
    assert (_held(result), dict(result.redacted)) == (set(), {})


def test_a_chief_officer_named_in_a_public_role_is_published_by_name() -> None:
    roles = assets.dataset("roles")
    row = {"holder_name": NAME, "grade": "Grade 7", "job_title": "Adviser"}
    table = made_table("roles", [row])
    results = [screen_tables([table], roles, decided) for decided in (Decided(), _decide(NAME, "public-role"))]
    assert [dict(result.redacted) for (result,) in results] == [{2: "personal"}, {}]


def test_a_decision_about_a_text_is_about_no_other_number() -> None:
    rows = [spend_row(supplier_name="Quickshop", purpose=f"Case ref: {number}") for number in (12345, 54321)]
    assert _held(_screen(rows, _decide("CASE REF: 12345", "business"))) == {3}
