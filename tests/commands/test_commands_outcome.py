"""The summary of a run must not show old files as new, nor a refusal as a failure."""

from __future__ import annotations

import io

from rich.console import Console

from piperoll.commands import outcome
from piperoll.model import Verdict
from piperoll.operations.run_summary import Ending, FileResult


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
