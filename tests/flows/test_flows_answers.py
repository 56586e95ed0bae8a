"""A run publishes the held files that were released in the portal, whether or not anything new has arrived."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.run import run_month
from piperoll.operations.run_request import RunRequest
from tests.operations.inbox import put, spend
from tests.operations.test_operations_standing import Place


def released(place: Place) -> RunRequest:
    """A request for a run over a store in which a file with fewer rows has been released and is not published."""
    place.send("anytown/October 2026.csv", spend(40))
    place.send("anytown/October 2026 corrected.csv", spend(10))
    (item,) = place.items()
    place.answer({item.id: "replace"}, because="The rest was paid by the pension fund")
    assert len(place.names()) == 40
    return RunRequest(to=place.to, inbox=place.folder / "inbox")


def test_a_run_without_new_files_publishes_a_released_file(tmp_path: Path) -> None:
    place = Place(tmp_path)
    request = released(place)
    summary = run_month(request)
    assert [one.ending for one in summary.results if one.file.endswith("corrected.csv")] == ["published"]
    assert len(summary.results) == 2
    assert len(place.names()) == 10
    assert {one.ending for one in run_month(request).results} == {"already done"}


@pytest.mark.usefixtures("harness")
def test_a_run_with_new_files_publishes_a_released_file(tmp_path: Path) -> None:
    place = Place(tmp_path)
    request = released(place)
    put(tmp_path / "inbox", "spend/beeford/October 2026.csv", spend(10))
    summary = run_month(request)
    assert sorted(one.ending for one in summary.results) == ["already done", "published", "published"]
    assert len(place.names()) == 10
