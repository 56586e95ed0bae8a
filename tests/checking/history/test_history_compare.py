"""A release beside those of earlier periods: each rule, named after the accident that it is for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from piperoll.checking import ReleaseIdentity, ReleaseProfile, compare_with_earlier_releases, profile_release
from piperoll.model import Acts, Period, Report, Series, Severity, Verdict, from_document, to_document
from tests.checking.history.made_profiles import SPEND, batch, day, findings_by_code, profile_of, rows
from tests.checking.made_readings import examined, made_table, spend_row

AUGUST, JULY, JUNE = (profile_of(month, rows(month)) for month in ("2026-08", "2026-07", "2026-06"))
BEFORE = (AUGUST, JULY, JUNE)


def september(count: int = 30, **how: Any) -> ReleaseProfile:
    return profile_of("2026-09", rows("2026-09", count, **how))


def test_an_ordinary_month_is_nothing_to_speak_of() -> None:
    assert findings_by_code(september(), *BEFORE) == {}
    assert findings_by_code(september()) == {}


def test_last_months_file_again_is_held() -> None:
    finding = findings_by_code(profile_of("2026-09", rows("2026-08")), *BEFORE)["rows-repeated"]
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith(
        "All 30 rows of this file are already in what you sent for August 2026 (version 1)."
    )
    assert "tell the platform's operator why" in finding.fix


def test_a_file_of_some_months_ago_again_is_held_and_a_few_new_rows_do_not_hide_it() -> None:
    lines = rows("2026-06")[3:] + rows("2026-09", 3)
    assert "27 of the 30 rows" in findings_by_code(profile_of("2026-09", lines), *BEFORE)["rows-repeated"].message


def test_late_rows_that_were_published_already_are_named_with_their_rows() -> None:
    lines = rows("2026-09") + rows("2026-08", 2)
    finding = findings_by_code(profile_of("2026-09", lines), *BEFORE)["rows-published-before"]
    assert (finding.row, finding.count, finding.severity) == (32, 2, Severity.WARNING)
    assert "rows 32, 33." in finding.message
    assert "August 2026" in finding.message


def test_late_rows_that_are_new_are_nothing_to_speak_of() -> None:
    late = rows("2026-08", 2, transaction_number="late")
    assert "rows-published-before" not in findings_by_code(profile_of("2026-09", rows("2026-09") + late), *BEFORE)


def test_a_row_that_stood_once_and_comes_twice_counts_once() -> None:
    twice = rows("2026-08", 1) * 2
    assert findings_by_code(profile_of("2026-09", rows("2026-09") + twice), *BEFORE)["rows-published-before"].count == 1


def test_three_monthly_rents_without_a_date_are_no_repeat() -> None:
    rents = rows("2026-08", 3, payment_date=None)
    assert "rows-repeated" not in findings_by_code(profile_of("2026-09", rents), profile_of("2026-08", rents))


def test_many_rows_without_a_date_are_a_repeat() -> None:
    lines = rows("2026-08", 12, payment_date=None)
    assert "rows-repeated" in findings_by_code(profile_of("2026-09", lines), profile_of("2026-08", lines))


def test_a_few_recurring_rows_without_a_date_are_not_told() -> None:
    recurring = rows("2026-08", 4, payment_date=None)
    ours = profile_of("2026-09", recurring + rows("2026-09", 20, payment_date=None))
    theirs = profile_of("2026-08", recurring + rows("2026-08", 20, payment_date=None))
    assert "rows-published-before" not in findings_by_code(ours, theirs)


def test_a_register_that_lists_what_there_is_repeats_itself_and_is_warned_of_only_where_nothing_changed() -> None:
    years_ago = rows("2019-03", 30)
    before = profile_of("2026-08", years_ago)
    assert before.is_stock
    grown = findings_by_code(profile_of("2026-09", years_ago + rows("2019-05", 1)), before)
    assert {"rows-repeated", "rows-published-before", "list-unchanged"}.isdisjoint(grown)
    unchanged = findings_by_code(profile_of("2026-09", years_ago), before)["list-unchanged"]
    assert unchanged.severity is Severity.WARNING


def test_amounts_without_decimal_places_keep_their_zeros() -> None:
    """A decimal of scale 0 lost its trailing zeros too, so that £10 and £100 had one fingerprint."""
    ours = ReleaseIdentity(Series("spend", "anytown", Period.parse("2026-09")))
    lines = [line | {"net_amount": Decimal(pounds)} for line in rows("2026-08", 1) for pounds in (10, 100)]
    profiled = profile_release(SPEND, ours, [], [batch([{"source_row": 2} | line for line in lines], scale=0)])
    assert len(set(profiled.lines.prints.to_pylist())) == 2


def test_the_places_that_an_amount_is_kept_with_do_not_make_it_another() -> None:
    lines = [{"source_row": 2} | line for line in rows("2026-08")]
    released = ReleaseIdentity(Series("spend", "anytown", Period.parse("2026-09")))
    ours = profile_release(SPEND, released, [], [batch(lines, scale=18)])
    assert ours.lines.prints.equals(AUGUST.lines.prints)


@pytest.mark.parametrize(("count", "code"), [(14, "far-fewer-than-before"), (16, None)])
def test_half_a_file_is_held(count: int, code: str | None) -> None:
    found = findings_by_code(september(count), *BEFORE)
    assert (found.get("far-fewer-than-before") is not None) == (code is not None)


def test_what_is_under_half_of_only_some_of_the_last_three_is_not_held() -> None:
    small = profile_of("2026-07", rows("2026-07", 25))
    assert "far-fewer-than-before" not in findings_by_code(september(14), AUGUST, small, JUNE)


def test_fewer_rows_of_more_pounds_are_warned_of_and_not_held() -> None:
    found = findings_by_code(september(14, pounds=2000), *BEFORE)
    assert found["fewer-rows-than-usual"].message == (
        "This file has 14 rows. That is under half of what you sent for August 2026 (version 1), July 2026 (version 1) "
        "and June 2026 (version 1): 30, 30 and 30."
    )
    assert "far-fewer-than-before" not in found


def test_with_one_release_before_few_rows_are_warned_of_and_not_held() -> None:
    found = findings_by_code(september(5), AUGUST)
    assert "fewer-rows-than-usual" in found
    assert "far-fewer-than-before" not in found


def test_few_rows_say_nothing_where_there_were_few_before() -> None:
    before = [profile_of(month, rows(month, 8)) for month in ("2026-08", "2026-07", "2026-06")]
    assert findings_by_code(september(2), *before) == {}


def test_a_nil_return_where_there_always_were_rows_is_held_against_a_single_release() -> None:
    nil = profile_of("2026-09", [], columns=["net_amount", "payment_date"])
    finding = findings_by_code(nil, AUGUST)["far-fewer-than-before"]
    assert finding.message.startswith(
        "This file has 0 rows. What you sent for August 2026 (version 1) had at least 30 rows and £"
    )


def test_amounts_that_are_all_nought_are_held() -> None:
    finding = findings_by_code(profile_of("2026-09", rows("2026-09", net_amount=Decimal(0))), AUGUST)[
        "far-fewer-than-before"
    ]
    assert "30 rows that add up to £0.00" in finding.message


def test_a_later_version_of_a_series_is_not_held_for_its_size() -> None:
    assert "far-fewer-than-before" not in findings_by_code(september(3), *BEFORE, first=False)
    assert "rows-repeated" in findings_by_code(profile_of("2026-09", rows("2026-08")), *BEFORE, first=False)


def test_three_times_the_rows_and_pounds_are_warned_of() -> None:
    found = findings_by_code(september(91), *BEFORE)
    assert {"more-rows-than-usual", "more-pounds-than-usual"} <= found.keys()
    assert "more-rows-than-usual" not in findings_by_code(september(91), AUGUST)


def test_under_half_of_the_pounds_in_as_many_rows_is_warned_of() -> None:
    assert "fewer-pounds-than-usual" in findings_by_code(september(30, pounds=100), *BEFORE)


@pytest.mark.parametrize(
    ("factor", "words", "code"),
    [
        ("100", "may now be in pence", "amounts-out-of-scale"),
        ("1000", "may now be in pounds", "amounts-in-other-unit"),
        ("0.01", "a hundred times too small", "amounts-out-of-scale"),
        ("0.001", "may now be in thousands", "amounts-in-other-unit"),
    ],
)
def test_amounts_of_another_scale_are_warned_of_or_held(factor: str, words: str, code: str) -> None:
    lines = [line | {"net_amount": line["net_amount"] * Decimal(factor)} for line in rows("2026-09")]
    finding = findings_by_code(profile_of("2026-09", lines), AUGUST)[code]
    assert words in finding.message
    assert finding.severity is (Severity.ERROR if code == "amounts-in-other-unit" else Severity.WARNING)


def test_a_month_of_ten_times_the_amounts_is_not_told_as_another_scale() -> None:
    assert "amounts-out-of-scale" not in findings_by_code(september(pounds=6000), AUGUST)


def test_the_middle_of_nine_amounts_says_nothing() -> None:
    assert "amounts-out-of-scale" not in findings_by_code(september(9, pounds=60000), AUGUST)


def test_signs_that_turned_are_warned_of_either_way() -> None:
    turned = [line | {"net_amount": -line["net_amount"]} for line in rows("2026-09")]
    finding = findings_by_code(profile_of("2026-09", turned), AUGUST)["signs-turned"]
    assert "100 % of the amounts" in finding.message
    assert "it was 0 %" in finding.message
    august = profile_of("2026-08", [line | {"net_amount": -line["net_amount"]} for line in rows("2026-08")])
    assert "signs-turned" in findings_by_code(september(), august)


def test_a_month_that_stops_on_the_ninth_is_warned_of() -> None:
    finding = findings_by_code(september(days=9), *BEFORE)["days-missing"]
    assert finding.message == (
        "No row is dated from 10 September 2026 to 30 September 2026. What you sent before (for August 2026, "
        "July 2026 and June 2026) never had a gap of a week."
    )


def test_a_week_missing_in_the_middle_is_warned_of() -> None:
    lines = [line for line in rows("2026-09", 60) if not day("2026-09-10") <= line["payment_date"] <= day("2026-09-16")]
    assert (
        "10 September 2026 to 16 September 2026"
        in findings_by_code(profile_of("2026-09", lines), *BEFORE)["days-missing"].message
    )


def test_who_always_pays_once_a_month_misses_no_days() -> None:
    before = [profile_of(month, rows(month, days=1)) for month in ("2026-08", "2026-07")]
    assert "days-missing" not in findings_by_code(september(days=1), *before)


def test_one_release_is_too_little_to_say_that_there_never_was_a_gap() -> None:
    assert "days-missing" not in findings_by_code(september(days=9), AUGUST)


def test_a_column_that_is_gone_and_columns_that_are_new_are_told() -> None:
    lines = [
        {name: cell for name, cell in line.items() if name != "expense_type"} | {"purpose": "Repairs"}
        for line in rows("2026-09")
    ]
    found = findings_by_code(profile_of("2026-09", lines), *BEFORE)
    assert (found["column-gone"].field, found["column-gone"].severity) == ("expense_type", Severity.WARNING)
    assert (found["columns-new"].count, found["columns-new"].acts) == (1, Acts.PLATFORM)
    assert "'Purpose' (taken for 'Purpose')" in found["columns-new"].message


def test_a_column_that_came_and_went_before_is_not_told_as_gone() -> None:
    bare = [{name: cell for name, cell in line.items() if name != "expense_type"} for line in rows("2026-07")]
    ours = [{name: cell for name, cell in line.items() if name != "expense_type"} for line in rows("2026-09")]
    assert "column-gone" not in findings_by_code(profile_of("2026-09", ours), AUGUST, profile_of("2026-07", bare))


def test_a_supplier_column_suddenly_empty_is_warned_of_at_its_letter() -> None:
    finding = findings_by_code(september(supplier_name=None), *BEFORE)["column-emptied"]
    assert (finding.field, finding.column) == ("supplier_name", "B")
    assert "filled in 0 of 30 rows (column B)" in finding.message


def test_a_new_code_is_named_with_its_cell_and_the_others_are_counted() -> None:
    lines = rows("2026-09")
    lines[4]["expense_type"], lines[7]["expense_type"] = "Suplies", "SUPPLIES"
    finding = findings_by_code(profile_of("2026-09", lines), *BEFORE)["codes-new"]
    assert (finding.row, finding.column, finding.value, finding.count) == (6, "E", "Suplies", 2)
    assert "held only 1 different value. 1 other value is new too." in finding.message


def test_a_column_of_many_values_has_no_codes_and_one_release_makes_none() -> None:
    many = [line | {"expense_type": f"Type {number}"} for number, line in enumerate(rows("2026-09"))]
    assert "codes-new" not in findings_by_code(profile_of("2026-09", many), *BEFORE)
    assert "codes-new" not in findings_by_code(september(expense_type="Services"), AUGUST)
    assert "codes-new" in findings_by_code(september(expense_type="Services"), AUGUST, JULY)


def test_what_may_name_a_person_is_never_a_code() -> None:
    before = [profile_of(month, rows(month, supplier_name="Acorn Ltd")) for month in ("2026-08", "2026-07")]
    assert "codes-new" not in findings_by_code(september(supplier_name="J Smith"), *before)


def test_a_profile_counts_exactly_and_takes_what_an_older_release_lacks_as_empty() -> None:
    amounts = [Decimal("-5.25"), Decimal("0.01"), Decimal("0"), Decimal("7")]
    lines = [{"net_amount": amount, "supplier_name": "Acorn Ltd"} for amount in amounts]
    one = profile_of("2026-09", lines, columns=["net_amount", "supplier_name", "expense_type"])
    assert one.amounts is not None
    assert (one.amounts.pounds, one.amounts.median) == (Decimal("12.26"), Decimal("5.25"))
    assert (one.amounts.payments, one.amounts.credits) == (2, 1)
    assert (one.filled["expense_type"], one.filled["supplier_name"], one.days) == (0, 4, {})


def test_an_examination_says_what_it_was_compared_with_and_is_held() -> None:
    plain = examined(made_table(rows=[spend_row()] * 30))
    again = profile_of("2026-09", rows("2026-08"))
    held = compare_with_earlier_releases(plain, again, BEFORE, SPEND, first=True, may_hold=True)
    assert held.report.verdict is Verdict.HELD
    assert "rows-repeated" in [finding.code for finding in held.report.findings]
    assert held.report.compared_with == tuple(f"spend/anytown/2026-0{month}/v1-000000000000" for month in (8, 7, 6))
    assert from_document(Report, to_document(held.report)).compared_with == held.report.compared_with


def test_what_someone_has_let_go_is_not_held_again() -> None:
    plain = examined(made_table(rows=[spend_row()] * 30))
    again = profile_of("2026-09", rows("2026-08"))
    free = compare_with_earlier_releases(plain, again, BEFORE, SPEND, first=True, may_hold=False)
    assert free.report.verdict is plain.report.verdict
    assert "rows-repeated" not in {finding.code for finding in free.report.findings}
