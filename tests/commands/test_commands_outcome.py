"""The summary of a run must not show old files as new, nor a refusal as a failure."""

from __future__ import annotations

import io

from rich.console import Console

from piperoll.commands import outcome
from piperoll.model import Verdict
from piperoll.operations.run_summary import Ending, FileResult, MissedAddress, RunSummary


def result(ending: Ending, verdict: Verdict | None = Verdict.ACCEPTED) -> FileResult:
    """The result for one file."""
    return FileResult("spend/anytown/a.csv", "ab" * 32, "spend", "anytown", "2026-10", None, verdict, ending)


def table(*results: FileResult) -> str:
    """The table of verdicts, as printed."""
    out = io.StringIO()
    outcome.by_verdict(results, Console(file=out, width=80))
    return out.getvalue()


def test_old_files_among_new_ones_are_counted() -> None:
    text = outcome.describe_repeats((result(Ending.PUBLISHED), result(Ending.ALREADY_DONE)))
    assert text.startswith("1 of 2 files had been received before, byte for byte")


def test_a_run_of_old_files_changed_nothing() -> None:
    text = outcome.describe_repeats((result(Ending.ALREADY_DONE),))
    assert text == "Nothing changed: 1 file had been received before.\n\n"


def test_a_run_of_new_files_mentions_no_old_ones() -> None:
    assert not outcome.describe_repeats((result(Ending.PUBLISHED),))
    assert not outcome.describe_repeats(())


def test_a_purged_file_that_is_sent_again_is_refused_and_has_not_failed() -> None:
    text = table(result(Ending.REFUSED, None), result(Ending.PUBLISHED))
    assert "refused" in text
    assert "failed" not in text


def test_a_file_that_failed_is_counted_as_failed() -> None:
    assert "failed" in table(result(Ending.FAILED, None))


def test_sites_that_failed_are_named_with_since_when_and_what_to_do() -> None:
    """A run with a dead site ended with status 2 and did not say whose it was."""
    gone = MissedAddress(
        "https://beeford.example/x.csv",
        "spend",
        "beeford",
        "https://beeford.example/x.csv answers 404",
        False,
        "SourceGone",
    )
    dead = MissedAddress(
        "https://anytown.example/x.csv",
        "spend",
        "anytown",
        "it did not answer within 30 seconds",
        retryable=True,
        kind="SourceUnavailable",
        since="2026-10-03",
        last_good="2026-10-02",
    )
    out = io.StringIO()
    summary = RunSummary((), missed=(gone, dead))
    outcome.show([summary], Console(file=out, width=200), "published")
    listed = out.getvalue()[out.getvalue().index("Sites that failed") :]
    assert listed.splitlines()[:4] == [
        "Sites that failed (1 body):",
        "  anytown, spend: https://anytown.example/x.csv",
        "    it did not answer within 30 seconds. Failing since 2026-10-03; the last good answer was on 2026-10-02.",
        "  -> The next run asks again. If a site keeps failing, tell the body.",
    ]
    assert "Addresses without a file (1 body):" in listed
    assert not summary.failed


def test_an_address_that_was_not_fetched_because_of_us_fails_the_run() -> None:
    ours = MissedAddress("https://anytown.example/x.csv", "spend", "anytown", "no room", True, "StoreError", ours=True)
    out = io.StringIO()
    outcome.show([RunSummary((), missed=(ours,))], Console(file=out, width=200), "published")
    assert "Not fetched, because of us (1 body):" in out.getvalue()
    assert RunSummary((), missed=(ours,)).failed
