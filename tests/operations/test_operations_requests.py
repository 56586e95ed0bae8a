"""How many requests a bucket gets for one submission: they are what a run waits for, and what is paid for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from piperoll import layout
from piperoll.model import Submission
from piperoll.operations import batches, pipeline, steps
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.examined import ExaminedFile
from piperoll.operations.pipeline import Steps
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import Ending, FileResult
from publishers import list_series, open_store, read_history, remove_submission
from tests.operations.inbox import put, spend

MONTHS = (("August", "08/2026"), ("September", "09/2026"), ("October", "10/2026"))
TOWNS = tuple(f"{letter}-town" for letter in "abcdef")


@dataclass
class Counted:
    """The requests of a run: to find out what there is to do, and to do it."""

    results: list[FileResult]
    grouping: int
    processing: int


class Bucket:
    """A store in a bucket, and inboxes that are sent to it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self._folder, self._runs = address, folder, 0

    def send(self, *months: int, towns: tuple[str, ...] = TOWNS[:1]) -> Counted:
        """Process the files of some months of some bodies in one batch."""
        self._runs += 1
        inbox = self._folder / str(self._runs)
        inbox.mkdir()
        for town in towns:
            for name, month in (MONTHS[number - 1] for number in months):
                put(inbox, f"spend/{town}/Spend {name} 2026.csv", spend(8, month=month, pence=TOWNS.index(town)))
        request = RunRequest(to=self.address, inbox=inbox)
        requests: list[str] = []
        with request.open() as run:
            store: Any = run.store
            store._s3.meta.events.register("before-send.s3", lambda request, **_: requests.append(request.method))
            bodies = pipeline.group_by_body(run, collect_inbox(run, request))
            grouping = len(requests)
            results = [one for results in batches.process_bodies(run, bodies) for one in results]
        return Counted(results, grouping, len(requests) - grouping)


@pytest.fixture
def place(bucket: str, tmp_path: Path) -> Bucket:
    return Bucket(f"s3://{bucket}/requests/{uuid.uuid4().hex}", tmp_path)


def test_a_second_month_costs_25_requests_and_a_file_that_is_known_a_handful(place: Bucket) -> None:
    """It was 49 to 54; 15 of them write, in the order that keeps every promise."""
    first, second, third, again = place.send(1), place.send(2), place.send(3), place.send(3)
    assert [one.ending for sent in (first, second, third) for one in sent.results] == [Ending.PUBLISHED] * 3
    assert again.results[0].ending is Ending.ALREADY_DONE
    assert first.processing <= 29
    assert second.processing <= 25
    assert third.processing <= 25 + 3, "it is compared with two releases"
    assert again.processing <= 4
    assert max(sent.grouping for sent in (first, second, third, again)) <= 8


def test_the_files_of_many_bodies_in_one_batch_cost_no_more_than_one_by_one(place: Bucket) -> None:
    first, second = place.send(1, towns=TOWNS), place.send(2, towns=TOWNS)
    assert {one.ending for one in (*first.results, *second.results)} == {Ending.PUBLISHED}
    assert first.processing <= 6 * 29
    assert second.processing <= 6 * 25


def test_a_file_that_is_purged_while_it_is_examined_is_not_published(tmp_path: Path) -> None:
    """The purge runs before the file is published, so the batch itself must check for a tombstone after publishing."""
    inbox = put(tmp_path / "inbox", "spend/anytown/Spend October 2026.csv", spend(8)).parents[2]
    request = RunRequest(to=str(tmp_path / "out"), inbox=inbox)

    def examine(run: Run, submission: Submission) -> ExaminedFile:
        examined = steps.examine(run, submission)
        remove_submission(open_store(run.to), submission.sha256, because="a name", now=run.moment)
        return examined

    with request.open() as run:
        (files,) = pipeline.group_by_body(run, collect_inbox(run, request))
        (result,) = pipeline.process_body(run, files, Steps(examine=examine))
        assert result.ending is Ending.REFUSED
        for series in list_series(run.store):
            assert read_history(run.store, series)[0].current_version is None
        left = [key for key in run.store.keys("") if result.sha256 in key and not key.startswith(layout.CHANGES)]
        assert left == [layout.tombstone(result.sha256)]
        assert not [key for key in run.store.keys("data/") if key.endswith(".csv")]
