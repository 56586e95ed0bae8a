"""Files beside what the body published before, through a run: held, warned of, let go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piperoll import api, layout
from piperoll.errors import UsageError
from piperoll.model import Period, Report, Series, Verdict
from piperoll.operations.release import release
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import FileResult
from publishers import find_submission, open_store, read_history, read_report
from tests.operations.inbox import contents, plain_run, put, spend


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    (tmp_path / "inbox").mkdir()
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


def sent(order: RunRequest, name: str, content: bytes) -> FileResult:
    """What comes of a file that comes by itself."""
    assert order.inbox is not None
    put(order.inbox, f"spend/anytown/{name}.csv", content)
    results = plain_run(order, catalogued=False).results
    return next(result for result in results if result.file.endswith(f"{name}.csv"))


def report_of(order: RunRequest, result: FileResult) -> Report:
    store = open_store(order.to)
    report = read_report(store, find_submission(store, result.sha256))
    assert report is not None
    return report


def codes(order: RunRequest, result: FileResult) -> dict[str, Any]:
    return {finding.code: finding for finding in report_of(order, result).findings}


def standing(order: RunRequest, month: str) -> int | None:
    series = Series("spend", "anytown", Period.parse(month))
    return read_history(open_store(order.to), series)[0].current


def undated(rows: int, *, pence: int = 0) -> bytes:
    """A file without dates: its name alone says the month."""
    lines = spend(rows, pence=pence).decode().splitlines()
    return "\r\n".join(line.partition(",")[2] for line in lines).encode() + b"\r\n"


def test_last_months_file_under_this_months_name_is_held_until_released(order: RunRequest) -> None:
    """Nothing stale passes as fresh: the ancestors of this system republished old files silently."""
    assert sent(order, "September 2026", undated(30)).outcome == "published v1"
    again = sent(order, "October 2026", undated(30) + b"\r\n")
    assert (again.verdict, again.period) == (Verdict.HELD, "2026-10")
    assert "are already in what you sent for September 2026 (version 1)" in (again.why or "")
    assert standing(order, "2026-10") is None
    freed = release(order.to, again.sha256, because="the rents are the same each month").result
    assert freed.outcome == "published v1"
    found = codes(order, freed)
    assert "rows-repeated" not in found
    assert "are already in what you sent" in found["released-by-decision"].message
    assert sent(order, "October 2026", undated(30) + b"\r\n").ending == "already done"


def test_half_a_month_is_held_by_comparison_with_the_last_three(order: RunRequest) -> None:
    for month in ("06", "07", "08"):
        sent(order, f"2026-{month}", spend(60, month=f"{month}/2026"))
    half = sent(order, "2026-09", spend(20, month="09/2026"))
    assert half.verdict is Verdict.HELD
    assert "had at least 60 rows" in (half.why or "")
    assert standing(order, "2026-09") is None
    whole = sent(order, "2026-09 whole", spend(55, month="09/2026"))
    assert whole.outcome == "published v1"


def test_a_nil_return_where_there_were_rows_is_held(order: RunRequest) -> None:
    sent(order, "2026-08", spend(30, month="08/2026"))
    nil = sent(order, "2026-09", b"Payment Date,Supplier Name,Amount\r\nNil return,,\r\n")
    assert nil.verdict is Verdict.HELD
    assert "has 0 rows" in (nil.why or "")
    assert release(order.to, nil.sha256, because="they bought nothing").result.outcome == "published v1"


def test_pence_for_pounds_is_a_warning_and_the_release_names_what_it_was_compared_with(order: RunRequest) -> None:
    sent(order, "2026-08", spend(30, month="08/2026"))
    pence = spend(30, month="09/2026").replace(b".00,", b"00,")
    slip = sent(order, "2026-09", pence)
    assert slip.outcome == "published v1"
    assert "may now be in pence" in codes(order, slip)["amounts-out-of-scale"].message
    store = open_store(order.to)
    history, _ = read_history(store, Series("spend", "anytown", Period.parse("2026-09")))
    (august,) = report_of(order, slip).compared_with
    assert august.startswith("spend/anytown/2026-08/v1-")
    assert history.current_version is not None
    place = layout.release_file(history.series, history.current_version, "report.json")
    assert august.encode() in store.read(place).content


def test_a_file_is_compared_with_an_earlier_month_of_the_same_run(order: RunRequest) -> None:
    assert order.inbox is not None
    put(order.inbox, "spend/anytown/a October 2026.csv", undated(30) + b"\r\n")
    put(order.inbox, "spend/anytown/b September 2026.csv", undated(30))
    outcomes = {result.period: result.ending for result in plain_run(order, catalogued=False).results}
    assert outcomes == {"2026-09": "published", "2026-10": "held"}


def test_a_released_small_file_can_be_corrected(order: RunRequest) -> None:
    for month in ("06", "07", "08"):
        sent(order, f"2026-{month}", spend(60, month=f"{month}/2026"))
    small = sent(order, "2026-09", spend(10, month="09/2026"))
    release(order.to, small.sha256, because="the office was closed")
    assert sent(order, "2026-09 corrected", spend(11, month="09/2026")).outcome == "published v2"


def test_the_same_file_for_another_month_is_reported(order: RunRequest) -> None:
    """As from an address that goes on serving last month's file."""
    assert sent(order, "payments September 2026", undated(30)).outcome == "published v1"
    (result,) = plain_run(replace(order, period=Period.parse("2026-10")), catalogued=False).results
    assert (
        result.outcome
        == "already done: the same file was published for September 2026 before, so there is none for October 2026"
    )
    (result,) = plain_run(replace(order, period=Period.parse("2026-09")), catalogued=False).results
    assert result.outcome.startswith("already done (accepted")


def test_a_preview_shows_the_comparison_before_sending(order: RunRequest) -> None:
    assert order.inbox is not None
    put(order.inbox, "spend/anytown/September 2026.csv", undated(30))
    plain_run(order)
    before = contents(open_store(order.to))
    again = undated(30) + b"\r\n"
    report = api.check(again, name="October 2026.csv", dataset="spend", against=order.to, body="Anytown", quick=True)
    assert report.verdict is Verdict.HELD
    assert "rows-repeated" in {finding.code for finding in report.findings}
    half = api.check(undated(10), name="September 2026.csv", against=order.to, body="anytown", quick=True)
    assert "fewer-rows-than-before" in {finding.code for finding in half.findings}
    same = api.check(undated(30), name="September 2026.csv", against=order.to, body="anytown", quick=True)
    assert {"file-taken-in-before", "nothing-to-compare-with"} <= {finding.code for finding in same.findings}
    page = api.check(b"<!doctype html><title>404</title>", name="x.csv", against=order.to, body="anytown")
    assert page.verdict is Verdict.REJECTED
    assert contents(open_store(order.to)) == before


def test_comparing_needs_a_place_that_was_published_to_and_a_body(order: RunRequest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is published"):
        api.check(undated(3), name="October 2026.csv", against=str(tmp_path / "nowhere"), body="anytown")
    with pytest.raises(UsageError, match="--against"):
        api.check(undated(3), name="October 2026.csv", against=order.to)
    with pytest.raises(UsageError, match="not in the register of bodies"):
        api.check(undated(3), name="October 2026.csv", body="anytown")


def test_a_file_that_is_held_on_its_own_gets_no_finding_about_earlier_files(order: RunRequest) -> None:
    assert order.inbox is not None
    put(order.inbox, "spend/anytown/September 2026.csv", spend(10, month="09/2026"))
    plain_run(order)
    broken = spend(10).replace(b",607.00,", b",six,").replace(b",614.00,", b",n.a. yet,")
    report = api.check(broken, name="October 2026.csv", against=order.to, body="anytown", quick=True)
    assert report.verdict is Verdict.HELD
    assert "nothing-to-compare-with" not in {finding.code for finding in report.findings}
