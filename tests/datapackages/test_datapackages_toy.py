"""A dataset made of data files alone goes through check, run, catalogue, feeds and the API (docs/datasets.md).

The dataset `allotments` in `tests/fixtures/toydataset/` is made up. Nothing in Python knows it: PIPEROLL_DATA names the
folder that holds it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from piperoll import assets
from tests.serving.published_place import serving

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "fixtures" / "toydataset"
SENT = """\
Plot no,Allotment site,Tenure,Let on,Annual rent,Waiting list
0012,Mill Lane,annual,03/10/2026,42.50,7
0013,Mill Lane,annual,14/10/2026,42.50,7
0101,Church Field,lifelong,22/11/2026,1250.00,0
Total,,,,1335.00,
"""


def run_piperoll(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, with the toy dataset among its data folders."""
    environment = os.environ | {"PIPEROLL_DATA": str(DATA), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", "from piperoll.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of one quarter in the inbox folder of the dataset and body."""
    path = tmp_path_factory.mktemp("inbox") / "allotments" / "hyndburn" / "allotments 2026-Q4.csv"
    path.parent.mkdir(parents=True)
    path.write_text(SENT, "utf-8")
    return path


@pytest.fixture(scope="module")
def store(sent: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place that a run publishes the file to."""
    place = tmp_path_factory.mktemp("toy") / "out"
    outcome = run_piperoll("run", "--inbox", str(sent.parents[2]), "--to", str(place))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return place


@pytest.fixture
def known_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy dataset among the datasets of this process."""
    monkeypatch.setenv("PIPEROLL_DATA", str(DATA))
    assets.forget_datasets()
    yield
    monkeypatch.undo()
    assets.forget_datasets()


def test_check_recognises_the_dataset_and_reads_every_column(sent: Path) -> None:
    outcome = run_piperoll("check", "--json", str(sent))
    report = json.loads(outcome.stdout)
    assert (outcome.returncode, report["dataset"], report["period"]) == (0, "allotments", "2026-Q4")
    (table,) = report["tables"]
    assert table["columns"] == {
        "plot_ref": "Plot no",
        "site_name": "Allotment site",
        "tenure_kind": "Tenure",
        "let_on": "Let on",
        "annual_rent": "Annual rent",
        "waiting": "Waiting list",
    }
    assert (table["rows"]["read"], table["rows"]["excluded"]["total"]) == (3, 1)
    assert table["amount"]["accepted"] == "1335.00"
    assert "rent-implausibly-large" in {finding["code"] for finding in report["findings"]}


def test_run_publishes_a_release_with_identifiers_as_sent(store: Path) -> None:
    (path,) = store.glob("data/allotments/hyndburn/2026-Q4/v1-*/allotments.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["plot_ref"] for row in rows] == ["0012", "0013", "0101"]
    assert [row["let_on"] for row in rows] == ["2026-10-03", "2026-10-14", "2026-11-22"]


def test_the_catalogue_has_a_page_a_chart_and_the_feeds_of_the_dataset(store: Path) -> None:
    catalogue = store / "catalogue"
    assert "Allotments" in (catalogue / "datasets" / "allotments.html").read_text("utf-8")
    assert "Rent by site" in (catalogue / "series" / "allotments" / "hyndburn" / "2026-Q4.html").read_text("utf-8")
    feed = json.loads((catalogue / "feeds" / "allotments.json").read_text("utf-8"))
    assert len(feed["items"]) == 1
    assert (catalogue / "feeds" / "allotments.atom").is_file()


def test_the_api_serves_its_rows(store: Path, known_here: None, tmp_path: Path) -> None:
    with serving(str(store), tmp_path) as api:
        assert "allotments" in {one["dataset"] for one in api.json("/datasets")["datasets"]}
        rows = api.rows("allotments", site_name="Mill Lane", sort="plot_ref")
    assert [row["plot_ref"] for row in rows] == ["0012", "0013"]


def test_a_further_folder_cannot_replace_a_dataset_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    other = tmp_path / "datapackages" / "spend"
    other.mkdir(parents=True)
    (other / "headings.csv").write_text("heading,field,part\n", "utf-8")
    request.addfinalizer(assets.forget_datasets)
    monkeypatch.setenv("PIPEROLL_DATA", str(tmp_path))
    assets.forget_datasets()
    assert assets.dataset("spend").headings
    monkeypatch.undo()
