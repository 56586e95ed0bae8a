"""What a person is told of a run must not take old files for new ones, nor a refusal for a failure."""

from __future__ import annotations

import io

from rich.console import Console

from piperoll.commands import outcome
from piperoll.model import Verdict
from piperoll.operations.run_summary import Ending, FileResult


def result(ending: Ending, verdict: Verdict | None = Verdict.ACCEPTED) -> FileResult:
    """What came of one file."""
    return FileResult("spend/anytown/a.csv", "ab" * 32, "spend", "anytown", "2026-10", None, verdict, ending)


def table(*results: FileResult) -> str:
    """The table of verdicts, as printed."""
    out = io.StringIO()
    outcome.by_verdict(results, Console(file=out, width=80))
    return out.getvalue()


def test_last_months_file_among_new_ones_is_told() -> None:
    told = outcome.taken_in_before((result(Ending.PUBLISHED), result(Ending.ALREADY_DONE)))
    assert told.startswith("1 of 2 files had been taken in before, byte for byte")


def test_a_run_of_old_files_only_changed_nothing() -> None:
    told = outcome.taken_in_before((result(Ending.ALREADY_DONE),))
    assert told == "Nothing changed: 1 file had been taken in before.\n\n"


def test_a_run_of_new_files_has_nothing_to_tell_of_old_ones() -> None:
    assert not outcome.taken_in_before((result(Ending.PUBLISHED),))
    assert not outcome.taken_in_before(())


def test_a_purged_file_that_comes_again_is_refused_and_has_not_failed() -> None:
    told = table(result(Ending.REFUSED, None), result(Ending.PUBLISHED))
    assert "refused" in told
    assert "failed" not in told


def test_a_file_that_failed_is_counted_as_failed() -> None:
    assert "failed" in table(result(Ending.FAILED, None))
