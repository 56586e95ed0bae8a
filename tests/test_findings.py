"""Findings by code: what `findings/*.toml` declares, and which finding decides about a file."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.findings import cap_findings, deciding_finding, finding_type, finding_types, holds_file, make_finding
from piperoll.model import Address, Finding, Report, Severity, Verdict, What


def report(verdict: Verdict, *codes: str, severity: Severity = Severity.ERROR) -> Report:
    findings = tuple(Finding(code, severity, code, "") for code in codes)
    return Report(
        "a.csv", "0" * 64, 1, "spend", "csv", None, What.DATA, verdict, None, None, tables=(), findings=findings
    )


def test_entries_that_are_read_one_by_one_are_those_of_the_whole_files() -> None:
    whole = [
        tomllib.loads(path.read_text("utf-8"))
        for path in assets.folder("findings").glob("*.toml")
        if path.name != "shared.toml"
    ]
    assert finding_types().keys() == {code for entries in whole for code in entries}


def test_every_entry_that_holds_or_rejects_a_file_has_its_own_precedence() -> None:
    for consequence in ("holds a file", "rejects"):
        deciding = [
            entry
            for entry in finding_types().values()
            if (entry.holds == "file" if consequence == "holds a file" else entry.rejects and entry.precedence)
        ]
        ranks = [entry.precedence for entry in deciding]
        assert None not in ranks, consequence
        assert len(set(ranks)) == len(ranks), consequence


@pytest.mark.parametrize(
    ("verdict", "codes", "deciding"),
    [
        (Verdict.HELD, ("core-unreadable", "no-rows", "rows-repeated"), "rows-repeated"),
        (Verdict.HELD, ("no-rows", "period-unknown"), "period-unknown"),
        (Verdict.REJECTED, ("too-much-held", "not-data", "core-missing"), "core-missing"),
        (Verdict.REJECTED, ("file-is-pdf",), "file-is-pdf"),
    ],
)
def test_the_finding_of_lowest_precedence_decides_else_the_first_error(
    verdict: Verdict, codes: tuple[str, ...], deciding: str
) -> None:
    found = deciding_finding(report(verdict, *codes))
    assert found is not None
    assert found.code == deciding


def test_nothing_decides_about_a_file_that_is_published_or_has_no_error() -> None:
    assert deciding_finding(report(Verdict.ACCEPTED_WITH_WARNINGS, "core-unreadable")) is None
    assert deciding_finding(report(Verdict.HELD, "no-rows", severity=Severity.WARNING)) is None


def test_what_holds_a_file_is_declared_in_its_entry() -> None:
    assert holds_file("too-much-held")
    assert not holds_file("core-unreadable")
    assert not holds_file("amount-implausibly-large"), "declared in a suite"


def test_whether_an_unknown_code_holds_a_file_is_not_guessed() -> None:
    with pytest.raises(DescriptorError, match="a-code-without-an-entry"):
        holds_file("a-code-without-an-entry")


def test_a_stored_report_with_a_code_that_is_no_longer_declared_still_has_a_deciding_finding() -> None:
    found = deciding_finding(report(Verdict.HELD, "a-code-of-last-year", "no-rows"))
    assert found is not None
    assert found.code == "no-rows"


def test_words_choose_between_one_and_many_and_start_a_sentence_with_a_capital() -> None:
    one, many = (make_finding("names-redacted", count=count) for count in (1, 2000))
    assert one.message == "1 row has a redaction in place of a name."
    assert many.message == "2,000 rows have a redaction in place of a name."
    assert make_finding("privacy-phone", Address(row=7, column="B")).message.startswith("Cell B7 contains")


def test_a_code_variant_or_value_that_is_not_declared_is_our_fault() -> None:
    with pytest.raises(DescriptorError, match="no file in findings/"):
        finding_type("no-such-code")
    with pytest.raises(DescriptorError, match="no variant or value 'sideways'"):
        make_finding("not-data", variant="sideways")
    with pytest.raises(DescriptorError, match="no variant or value 'reason'"):
        make_finding("not-data", variant="explained")
    with pytest.raises(DescriptorError, match="does not allow"):
        make_finding("no-rows", severity=Severity.INFO)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), max_size=80), st.integers(1, 10))
def test_capped_findings_still_count_every_place(places: list[tuple[str, int]], limit: int) -> None:
    findings = [Finding(code, Severity.INFO, "m", "f", row=1, count=count) for code, count in places]
    capped = cap_findings(findings, limit)
    for code in "abc":
        assert sum(each.count for each in capped if each.code == code) == sum(
            count for other, count in places if other == code
        )
        assert sum(1 for each in capped if each.code == code) <= limit + 1


def test_the_finding_that_counts_the_rest_says_so_in_words_for_one_and_many() -> None:
    findings = [make_finding("core-unreadable", Address(row=row), title="amount", value=str(row)) for row in range(4)]
    (*_, one), (*_, many) = cap_findings(findings, 3), cap_findings(findings, 1)
    assert one.message == "The same in 1 more place: core unreadable."
    assert many.message == "The same in 3 more places: core unreadable."
    assert (many.count, many.row, many.value) == (3, None, None)
