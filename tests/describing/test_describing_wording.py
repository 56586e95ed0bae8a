from dataclasses import replace
from html.parser import HTMLParser

import pytest

from piperoll import assets
from piperoll.describing.pages.rendering import render_report_page
from piperoll.describing.wording import (
    describe_address,
    describe_due_rule,
    describe_excluded,
    describe_interval,
    describe_verdict,
    explain_report,
    name_kinds,
)
from piperoll.errors import DescriptorError
from piperoll.model import Acts, Severity, Verdict, What
from tests.describing.example_world import HOSTILE, UNREADABLE, finding, report


def test_findings_are_sorted_by_who_must_act() -> None:
    ours = finding("suite-broken", Severity.ERROR, acts=Acts.PLATFORM)
    words = explain_report(replace(report(), findings=(*report().findings, ours)))
    assert [group.first.code for group in words.held_back] == ["amount-unreadable"]
    assert words.must_fix == ()
    assert [group.first.code for group in words.should_fix] == ["supplier-repeated"]
    assert [group.first.code for group in words.with_us] == ["suite-broken"]
    assert [group.first.code for group in words.to_know] == ["content-not-as-named"]
    assert words.passed == report().passed


def test_no_finding_is_lost_and_every_place_is_counted() -> None:
    words = explain_report(report())
    listed = [found for section in words.sections for group in section.groups for found in group.findings]
    assert sorted(listed, key=repr) == sorted(report().findings, key=repr)
    (repeated,) = words.should_fix
    assert (repeated.count, repeated.more) == (42, 41)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Sheet 'Oct 26', cell F1207"),
        ({"column": None}, "Sheet 'Oct 26', row 1,207"),
        ({"row": None}, "Sheet 'Oct 26', column F"),
        ({"sheet": None, "line": 1210}, "Cell F1207, line 1,210 of the file"),
        ({"sheet": None, "line": 1207}, "Cell F1207"),
        ({"sheet": None, "row": None, "column": None}, "The whole file"),
    ],
)
def test_the_address_is_the_one_the_sender_sees(changes: dict[str, object], words: str) -> None:
    assert describe_address(replace(UNREADABLE, **changes)) == words


@pytest.mark.parametrize(
    ("verdict", "held", "words"),
    [
        (Verdict.ACCEPTED, 0, "All of it can be published (1,200 rows)."),
        (Verdict.ACCEPTED_WITH_WARNINGS, 0, "things to put right"),
        (Verdict.ACCEPTED_WITH_WARNINGS, 1, "1,200 of 1,201 rows can be published; 1 row is held back."),
        (Verdict.ACCEPTED, 2, "2 rows are held back"),
        (Verdict.HELD, 0, "whole file is held"),
        (Verdict.REJECTED, 0, "send it again"),
        (Verdict.NIL, 0, "nothing to publish"),
    ],
)
def test_the_verdict_says_what_happens_to_the_file(verdict: Verdict, held: int, words: str) -> None:
    assert words in describe_verdict(report(verdict, held=held))


def test_a_file_without_data_is_called_that() -> None:
    page = replace(report(Verdict.REJECTED), what=What.NOT_DATA, tables=())
    assert "holds no table of data" in describe_verdict(page)


def test_rows_left_out_are_listed_by_kind() -> None:
    assert describe_excluded({"blank": 14, "total": 1, "note": 0}) == "14 blank rows, 1 row of totals"
    assert describe_excluded({"blank": 0}) == "none"


def test_every_duty_of_every_dataset_has_words() -> None:
    rules = [rule for dataset in assets.datasets() for rule in dataset.duties]
    assert "by 6 June and 6 December" in {describe_due_rule(rule) for rule in rules}
    assert "by the last working day of the next month" in {describe_due_rule(rule) for rule in rules}
    assert {describe_interval(rule) for rule in rules} >= {"every month", "every quarter"}
    with pytest.raises(DescriptorError, match="unknown due rule"):
        describe_due_rule({"name": "odd", "every": "month", "due": {}})


def test_kinds_of_body_have_words() -> None:
    assert name_kinds(["council"]) == "councils"
    assert name_kinds(["council", "fire", "lighthouse"]) == "councils, fire authorities and lighthouse"


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_report_page_loads_nothing_else() -> None:
    page = Page(render_report_page(report()))
    assert page.addresses == ["data:,", "#main"]  # the first says that it has no icon, which browsers ask for
    assert page.tags.count("link") == 1
    assert not {"script", "img", "iframe"} & set(page.tags)
    assert page.tags.count("style") == 1
    words = " ".join(" ".join(page.text).split())
    for part in (
        "Rows held back until you act (1 kind,",
        "Should fix (1 kind,",
        "Passed (2)",
        "Sheet 'Oct 26', cell F1207",
        "£8,120,956.78",
    ):
        assert part in words


def test_the_report_page_escapes_what_the_sender_wrote() -> None:
    hostile = replace(UNREADABLE, message=HOSTILE, fix=HOSTILE, sheet=HOSTILE)
    table = replace(report().tables[0], sheet=HOSTILE, columns={"net_amount": HOSTILE})
    html = render_report_page(replace(report(), file=HOSTILE, findings=(hostile,), tables=(table,), passed=(HOSTILE,)))
    assert "script" not in Page(html).tags
    assert "&lt;script&gt;" in html


def test_the_same_report_gives_the_same_page() -> None:
    assert render_report_page(report()) == render_report_page(report())
