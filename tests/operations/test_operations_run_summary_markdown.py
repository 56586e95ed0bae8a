"""The artifact of a run: it leads with what needs attention, and names nobody."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Verdict
from piperoll.operations.run_summary import Ending, FileResult, PoundTotals, RowTotals, RunSummary
from piperoll.operations.run_summary_markdown import count_summary, format_headline, format_markdown


def result(body: str, ending: Ending, pounds: int = 100, kind: str | None = None) -> FileResult:
    """A file of one row; all of it is held unless it is published."""
    held = ending is not Ending.PUBLISHED
    amount = Decimal(pounds)
    return FileResult(
        file=f"Payments to Jane Made-Up {body}.csv",
        sha256=(body * 64)[:64],
        dataset="spend",
        body=body,
        period="2026-10",
        part=None,
        verdict=None if ending is Ending.FAILED else Verdict.ACCEPTED,
        ending=ending,
        rows=RowTotals(1, 0 if held else 1, int(held)),
        pounds=PoundTotals(amount, Decimal(0) if held else amount, amount if held else Decimal(0)),
        version=None if held else 1,
        why="Jane Made-Up is named" if held else None,
        kind=kind,
    )


def test_what_is_held_and_why_comes_before_the_files() -> None:
    """A table of all files hid one that had failed and two million pounds that were held."""
    held = [result(f"b{number}", Ending.HELD, 300_000, "fewer-rows") for number in range(7)]
    summary = RunSummary((result("a", Ending.PUBLISHED), *held, result("z", Ending.FAILED, 5, "StoreError")))
    lines = format_markdown(summary).splitlines()
    headline = "9 files: 1 published, 7 held, 1 failed; £2,100,105.00 read, £100.00 published, £2,100,005.00 held"
    assert format_headline(summary) == headline
    assert lines[:2] == [f"**{headline}**", ""]
    assert lines[4] == "| failed | StoreError | 1 | £5.00 | z |"
    assert lines[5] == "| held | fewer-rows | 7 | £2,100,000.00 | b0, b1, b2, b3, b4 and 2 more |"
    files = [line for line in lines if line.count("|") == 12 and "spend" in line]
    assert [line.split(" | ")[1] for line in files] == ["z", *(f"b{number}" for number in range(7)), "a"]
    assert "Jane" not in "\n".join(lines)


def test_a_run_of_thousands_has_an_artifact_that_a_page_can_show() -> None:
    results = [result(f"body{number}", Ending.PUBLISHED) for number in range(3000)]
    text = format_markdown(RunSummary((*results, result("last", Ending.HELD, kind="fewer-rows"))))
    assert text.count("\n") < 520
    assert "2,501 more files are not listed here" in text
    assert "| last | spend |" in text
    assert "| **3001 files** |" in text


def test_the_counts_of_an_event_are_exact() -> None:
    counts = count_summary(RunSummary((result("a", Ending.PUBLISHED), result("b", Ending.HELD, 7)), trouble="broken"))
    assert (counts["files"], counts["published"], counts["held"], counts["already_done"]) == (2, 1, 1, 0)
    assert (counts["pounds_read"], counts["pounds_published"], counts["pounds_held"]) == ("107", "100", "7")
    assert counts["without_catalogue"] == 1
