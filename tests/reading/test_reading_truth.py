"""The real files against the hand-made truth, measure by measure; a score may only be raised."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from truth_doubts import doubts, silent
from truth_score import Score, scores

from piperoll import assets
from piperoll.model import Finding, What
from piperoll.reading import read

REALDATA = Path(os.environ.get("REALDATA", Path(__file__).parents[3] / "shared" / "realdata"))
pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]

WRONG = {"columns": 1, "letters": 2}
"""How many of each measure are wrong; of those not named none is. May only be lowered.

One list without headings has more than one column that could be its title.
"""


def read_real(path: str):
    dataset, part = assets.find_dataset(path.split("/", maxsplit=1)[0])
    return read((REALDATA / path).read_bytes(), path, assets.datasets(), dataset=dataset, part=part)


@dataclass(frozen=True)
class Measured:
    """One file with hand-made truth: its scores, and what reading said of it."""

    path: str
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]

    def tables(self) -> Iterator[list[Score]]:
        """The scores of each table, which name its columns; what is told of the whole file is left out."""
        by_table: dict[str, list[Score]] = defaultdict(list)
        for score in self.scores:
            by_table[score.file].append(score)
        yield from (own for own in by_table.values() if any(score.field for score in own))


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    truth = json.loads((REALDATA / "truth.json").read_text("utf-8"))
    return [_measured(path, entry) for path, entry in truth.items()]


def _measured(path: str, entry: dict[str, Any]) -> Measured:
    reading = read_real(path)
    return Measured(path, tuple(scores(path, entry, reading)), reading.findings)


@pytest.fixture(scope="module")
def found(measured: list[Measured]) -> list[Score]:
    return [score for one in measured for score in one.scores]


def test_every_measure_is_as_right_as_it_was(found: list[Score]) -> None:
    by_measure: dict[str, list[Score]] = defaultdict(list)
    for score in found:
        by_measure[score.measure].append(score)
    short = []
    for measure, all_ in by_measure.items():
        right = sum(score.right for score in all_)
        sys.stdout.write(f"{measure:24} {right:4} / {len(all_):4}\n")
        if len(all_) - right > WRONG.get(measure, 0):
            short.append(measure)
    for score in found:
        if not score.right:
            sys.stdout.write(f"  {score.file}: {score.measure}: read {score.read}, true {score.true}\n")
    assert not short


def test_nothing_is_wrong_without_a_word(measured: list[Measured]) -> None:
    """A finding names the field or rows of everything that is wrong, and says what else it may be."""
    wrong = [score for one in measured for score in silent(one.scores, one.findings)]
    for score in wrong:
        sys.stdout.write(f"  silent: {score.file}: {score.measure}: read {score.read}, true {score.true}\n")
    assert not wrong


def test_what_is_read_rightly_is_not_doubted(measured: list[Measured]) -> None:
    """At least nine in ten of the tables in which every measure is right carry no doubt about what was measured."""
    right = [(own, one.findings) for one in measured for own in one.tables() if all(score.right for score in own)]
    doubted = [(own[0].file, doubts(own, findings)) for own, findings in right]
    offenders = [(file, said) for file, said in doubted if said]
    sys.stdout.write(f"{len(right) - len(offenders)} of {len(right)} tables read rightly carry no doubt\n")
    for file, said in offenders:
        sys.stdout.write(f"  doubted: {file}: {', '.join(sorted({finding.code for finding in said}))}\n")
    assert len(offenders) <= 0.1 * len(right)


def test_every_real_file_reads_and_says_what_it_is() -> None:
    manifest = (REALDATA / "MANIFEST.tsv").open(encoding="utf-8", newline="")
    with manifest:
        paths = [row["path"] for row in csv.DictReader(manifest, delimiter="\t")]
    paths = [path for path in paths if not path.startswith("reference/")]
    assert len(paths) == 201
    for path in paths:
        reading = read_real(path)
        assert bool(reading.tables) == (reading.what is What.DATA), path
        assert reading.tables or reading.findings, path
        for table in reading.tables:
            assert sum(len(set(batch.column("row").to_pylist())) for batch in table.batches()) >= table.rows, path
