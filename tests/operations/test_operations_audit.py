"""Every release is audited on its way: what a broken rule says is not published, and the run goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from piperoll.checking.plausibility.rules import RULES
from piperoll.operations.checked_upload import Upload, check_upload
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import Ending
from piperoll.operations.sandbox import run_in_sandbox
from publishers import open_store
from tests.checking.plausibility.broken_rules import rule_that_finds
from tests.operations.inbox import contents, plain_run, put, spend

RULE = "expect_column_values_to_not_match_regex"
PLACEHOLDER = b"Acorn Roofing Ltd"


def test_a_rule_that_disagrees_with_its_reference_stops_that_release_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, RULE, rule_that_finds(RULE, []))
    put(tmp_path / "inbox", "spend/anytown/Spend October 2026.csv", spend(40).replace(PLACEHOLDER, b"Various"))
    put(tmp_path / "inbox", "spend/beeford/Spend October 2026.csv", spend(40))
    summary = plain_run(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"))
    stopped, published = sorted(summary.results, key=lambda result: result.body)
    assert stopped.ending is Ending.FAILED
    assert f"supplier-is-a-placeholder ({RULE}): the compiled rule says met" in str(stopped.why)
    assert published.ending is Ending.PUBLISHED
    assert summary.failed
    store = open_store(str(tmp_path / "out"))
    assert contents(store, "data/spend/anytown/") == {}
    assert contents(store, "data/spend/beeford/")


def test_once_the_rule_is_fixed_the_same_file_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "inbox", "spend/anytown/Spend October 2026.csv", spend(40).replace(PLACEHOLDER, b"Various"))
    order = RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")
    with monkeypatch.context() as broken:
        broken.setitem(RULES, RULE, rule_that_finds(RULE, []))
        assert plain_run(order).failed
    assert [result.ending for result in plain_run(order).results] == [Ending.PUBLISHED]


def loaded_by_check(upload: Upload) -> list[str]:
    """Check a file, in a process that has checked none; return which of the reference engines that loaded."""
    check_upload(upload)
    return sorted({"frictionless", "great_expectations", "pandas"} & sys.modules.keys())


def test_checking_an_upload_loads_no_reference_engine(tmp_path: Path) -> None:
    """They took ten times as long as the check, and only what is released needs them."""
    upload = Upload(spend(10), "October 2026.csv", body="anytown", store=str(tmp_path), from_body=True)
    assert run_in_sandbox(loaded_by_check, upload) == []
