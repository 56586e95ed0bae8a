"""A public report carries nothing of a row that is held or redacted."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.checking.privacy.public_texts import quote_headings
from piperoll.findings import make_finding, public_report
from piperoll.model import (
    Address,
    Disposition,
    Finding,
    Report,
    RowCounts,
    Severity,
    TableReport,
    Verdict,
    What,
    to_document,
)
from tests.checking.made_readings import examined, made_table, spend_row

MARK = "Quincealbatross"


def report(*findings: Finding, verdict: Verdict = Verdict.ACCEPTED_WITH_WARNINGS) -> Report:
    table = TableReport(None, 1, 1, {}, {}, RowCounts(9, 8, 1, {}), None, None)
    return Report("a.csv", "0" * 64, 1, "spend", "csv", None, What.DATA, verdict, None, None, (table,), findings)


def about(row: int | None, **more: object) -> Finding:
    given = {
        "code": "amount-unreadable",
        "severity": Severity.ERROR,
        "message": f"'{MARK}'",
        "fix": f"Write {MARK}",
    }
    return Finding(**given | {"row": row, "column": "B", "field": "net_amount", "value": MARK} | more)  # type: ignore[arg-type]


HELD = Disposition(held={0: {7: frozenset({"core-unreadable"})}})


def test_messages_and_fixes_of_a_held_row_do_not_quote_it_either() -> None:
    public = public_report(report(about(7)), HELD)
    assert MARK not in json.dumps(to_document(public))
    assert (public.findings[0].row, public.findings[0].column) == (7, "B")
    assert public.findings[0].message.startswith("We cannot be certain which amount the cell gives")


def test_a_redacted_row_is_as_private_as_a_held_one() -> None:
    assert MARK not in json.dumps(
        to_document(public_report(report(about(7)), Disposition(redacted={0: {7: "personal"}})))
    )


def test_a_published_row_is_quoted() -> None:
    assert public_report(report(about(8)), HELD).findings == (about(8),)


def test_of_a_file_held_whole_no_cell_is_quoted() -> None:
    for verdict in (Verdict.HELD, Verdict.REJECTED):
        assert MARK not in json.dumps(to_document(public_report(report(about(8), verdict=verdict), Disposition())))


def test_a_sample_of_a_column_is_not_quoted_and_the_files_name_is() -> None:
    named = Finding("content-not-as-named", Severity.INFO, "The file is named .xls.", "", value=".xls")
    public = public_report(report(about(None), named), HELD)
    assert MARK not in json.dumps(to_document(public))
    assert public.findings[1] == named


def unmapped(letter: str, heading: str, **more: object) -> Finding:
    found = make_finding("column-not-mapped", Address(column=letter), value=heading, columns=f"{letter} ('{heading}')")
    return replace(found, **more)  # type: ignore[arg-type]


def public_of(*findings: Finding, verdict: Verdict = Verdict.REJECTED) -> list[Finding]:
    quotable = quote_headings(findings, assets.dataset_names())
    return list(public_report(report(*findings, verdict=verdict), Disposition(quotable=quotable)).findings)


def test_a_known_heading_is_shown_whether_the_file_is_published_or_not() -> None:
    for verdict in (Verdict.REJECTED, Verdict.HELD, Verdict.ACCEPTED_WITH_WARNINGS):
        found = unmapped("K", "Supplier Postcode")
        assert public_of(found, verdict=verdict) == [found]


def test_a_heading_with_an_unknown_word_is_not_shown_and_its_column_is() -> None:
    for heading in (f"Paid by {MARK}", "12345678", "Contact 0121 496 0123", f"'{MARK}'", f"Amount') ('{MARK}"):
        (public,) = public_of(unmapped("K", heading))
        assert heading not in public.message and MARK not in json.dumps(to_document(public))
        assert public.column == "K" and public.value is None
    (public,) = public_of(unmapped("K", f"Paid by {MARK}"))
    assert public.message == "Column K (not shown) is not part of this dataset. We do not publish it."


def test_of_many_columns_the_known_headings_are_shown_and_the_others_counted() -> None:
    columns = f"B ('Order date'), C ('{MARK} fund') and 124 more"
    found = make_finding("column-not-mapped", Address(column="B"), value="Order date", columns=columns, count=126)
    (public,) = public_of(found)
    assert public.message.startswith("Columns B ('Order date'), C (not shown) and 124 more are not part")


def test_a_heading_of_known_words_that_is_a_name_stays_withheld() -> None:
    """Mark and Price are headings as well, and together a name."""
    rows = [spend_row()]
    made = made_table(rows=rows)
    table = replace(made, columns={**made.columns, "purpose": "Mark Price"})
    examination = examined(table, period="2026-10")
    public = public_report(examination.report, examination.disposition)
    assert "Mark Price" not in json.dumps(to_document(public))


def test_the_name_of_a_rejected_file_is_said_where_its_content_is_another() -> None:
    named = make_finding("content-not-as-named", value="a.csv", kind="a web page")
    assert public_of(named) == [named]


def test_what_is_found_about_persons_is_counted_and_has_no_address() -> None:
    found = [about(row, code="privacy-nhs-number", value=None, message="Cell B", fix="") for row in (7, 8)]
    (public,) = public_report(report(*found), HELD).findings
    assert (public.code, public.count, public.row, public.column) == ("privacy-nhs-number", 2, None, None)


FIELDS = ("supplier_name", "purpose", "card", "net_amount", "payment_date")
CELLS = st.sampled_from([None, "1,5", "Mrs Smith", "plastic", "DOB 1/2/2003", "REDACTED", "Foster carers"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), CELLS), min_size=1, max_size=25))
def test_whatever_is_wrong_with_it_no_row_that_is_not_published_is_quoted(spoilt: list[tuple[str, str | None]]) -> None:
    """Each row bears a mark in every cell of text; amounts and dates that cannot be read bear it as sent."""
    rows, sent, unreadable = [], {}, {}
    for number, (field, cell) in enumerate(spoilt):
        mark = f"{MARK}{number:03}"
        row = spend_row(supplier_name=f"Firm {mark} Ltd", purpose=f"purpose {mark}", card=f"card {mark}")
        row[field] = cell and f"{cell} {mark}"
        if field in ("net_amount", "payment_date") and cell:
            sent[number + 2, field] = f"{cell} {mark}"
            unreadable.setdefault(field, []).append(number + 2)
            row[field] = None
        rows.append(row)
    examination = examined(made_table(rows=rows, sent=sent, unreadable=unreadable), period="2026-10")
    public = json.dumps(to_document(public_report(examination.report, examination.disposition)))
    unpublished = {
        row for kind in (examination.disposition.held, examination.disposition.redacted) for row in kind.get(0, {})
    }
    for number in range(len(rows)):
        if not examination.report.verdict.publishes or number + 2 in unpublished:
            assert f"{MARK}{number:03}" not in public
