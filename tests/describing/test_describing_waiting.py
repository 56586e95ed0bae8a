"""What waits is said with its pounds, the reason and who must act; nothing is called settled that is not known."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from piperoll.describing.overview import describe_outstanding, digest_body, list_waiting
from piperoll.describing.wording import explain_report, format_held
from piperoll.findings import make_finding
from piperoll.model import Acts, Address, AmountTotals, Body, Finding, Register, Report, Severity, Submission, Verdict
from tests.describing.example_world import ON, SUBMISSIONS, built, collect, digest, listing, report, submission
from tests.describing.test_describing_catalogue import Page

QUESTION = make_finding(
    "headings-drifted", Address(column="F"), heading="Gross", replaced="Amount", field_title="amount", value="Gross"
)
HELD_BY_US = replace(report(Verdict.HELD, period="2026-10"), findings=(QUESTION,))


def site_of(report: Report, *more: tuple[Submission, Report | None]) -> dict[str, bytes]:
    sent = submission("brackwater", "2026-10", "2026-11-10T08:00:00Z", name="drifted.csv", sha256=digest("drifted"))
    return dict(built(submissions=[*SUBMISSIONS, (sent, report), *more]))


def test_a_file_that_waits_for_us_says_so_with_pounds_and_reason() -> None:
    site = site_of(HELD_BY_US)
    for words in (Page(site["index.html"]).words, Page(site["bodies/brackwater.html"]).words):
        assert "Files that wait for us (1)" in words
        assert "£8,123,456.78" in words
        assert "'Gross' (column F) replaced 'Amount'" in words
    home = Page(site["index.html"]).words
    assert "Files that wait for their sender (2)" in home
    assert "This file cannot be used" not in home


def test_nothing_must_be_fixed_is_never_said_of_a_file_that_waits() -> None:
    site = site_of(HELD_BY_US)
    page = next(Page(content).words for key, content in site.items() if f"{digest('drifted')}.html" in key)
    assert "nothing that must be fixed" not in page
    assert "What happens next You do not need to send the file again. We answer the question below" in page
    assert "For us to answer (1 kind, 1 place)" in page
    assert "until we have answered a question about it" in page
    words = explain_report(HELD_BY_US)
    assert words.must_fix == ()
    assert words.next_steps


def test_a_file_that_waits_for_its_sender_names_nothing_of_ours() -> None:
    words = explain_report(report(Verdict.HELD))
    assert words.next_steps == ""
    assert words.must_fix


def waiting(*sent: tuple[Submission, Report]) -> Sequence[str]:
    return [file.submission.name for file in list_waiting(collect("brackwater", sent))]


def sent(name: str, received: str, verdict: Verdict, period: str = "2026-10") -> tuple[Submission, Report]:
    file = submission("brackwater", period, f"2026-11-{received}T08:00:00Z", name=name, sha256=digest(name))
    return file, report(verdict, period=period)


def test_a_file_that_a_later_one_made_good_does_not_wait() -> None:
    bad, good = sent("bad.csv", "02", Verdict.REJECTED), sent("good.csv", "03", Verdict.ACCEPTED)
    assert waiting(bad) == ["bad.csv"]
    assert waiting(bad, good) == []
    assert waiting(good, sent("worse.csv", "04", Verdict.HELD)) == ["worse.csv"], "a correction that is held waits"
    assert waiting(bad, sent("other.csv", "03", Verdict.ACCEPTED, "2026-09")) == ["bad.csv"]


def test_a_held_amount_that_cannot_be_read_is_not_nought_pounds() -> None:
    totals = AmountTotals("net_amount", Decimal(5), Decimal(5), Decimal(0), held_unreadable=1, unreadable=1, missing=0)
    assert format_held(totals) == "1 row whose amount cannot be read"
    assert format_held(replace(totals, held=Decimal(2))) == "£2.00 and 1 row whose amount cannot be read"
    assert format_held(replace(totals, held_unreadable=0)) == "£0.00"


def test_the_pounds_of_a_file_whose_amounts_cannot_be_read_are_not_known() -> None:
    (table,) = HELD_BY_US.tables
    amount = AmountTotals("net_amount", Decimal(0), Decimal(0), Decimal(0), unreadable=9, missing=0)
    unreadable = replace(HELD_BY_US, tables=(replace(table, amount=amount),))
    words = Page(site_of(unreadable)["index.html"]).words
    assert "not known Held" in words


def test_a_body_that_is_silent_for_years_is_never_said_to_owe_nothing() -> None:
    """Duties are judged for the last 13 months, so an old body has none that is outstanding."""
    old = listing("brackwater", "2014-03")
    digest = digest_body(collect("brackwater", (), [old]))
    words = describe_outstanding(digest, ON)
    assert (digest.behind, words.silent) == (0, "nothing newer than 31 March 2014")
    assert "nothing newer than 31 March 2014" in Page(dict(built([old], submissions=()))["bodies/index.html"]).words
    fresh = digest_body(collect("brackwater", (), [listing("brackwater", "2026-09")]))
    assert describe_outstanding(fresh, ON).other == "no return was due yet"


def test_a_body_that_has_closed_is_not_silent() -> None:
    body = Body("gss:E06000998", "brackwater", "Brackwater Council", "council", valid_to=ON.replace(year=2015))
    digest = digest_body(collect("brackwater", (), [listing("brackwater", "2014-03")], Register((body,))))
    assert describe_outstanding(digest, ON).other == "closed on 22 November 2015"


def test_programs_read_what_waits_for_whom() -> None:
    lines = json.loads(site_of(HELD_BY_US)["freshness.json"])["bodies"]
    (line,) = [one for one in lines if one["body"] == "brackwater"]
    assert line["waiting"] == 1
    assert line["waiting_for"] == {"platform": {"files": 1, "rows": 1202, "amount_gbp": "8123456.78"}}


def test_the_finding_that_decides_says_who_acts() -> None:
    """A warning that the platform should look at does not make the file wait for it."""
    ours = Finding("columns-new", Severity.INFO, "New columns.", "", acts=Acts.PLATFORM)
    held = replace(report(Verdict.HELD), findings=(ours, *report(Verdict.HELD).findings))
    assert explain_report(held).next_steps == ""
