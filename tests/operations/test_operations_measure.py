"""Measures as a run makes them: published like releases, made again only where something changed, and verified."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from piperoll import layout
from piperoll.cli import app
from piperoll.errors import UsageError
from piperoll.measuring import definition
from piperoll.measuring.rows import NUMBER, replace_columns
from piperoll.model import DecisionEntry, DecisionKind, Series
from piperoll.model.columns import pc
from piperoll.operations import measure as operation
from piperoll.operations.measure import Measured, explain, measure_store, preview, read_published_rows, use_source
from piperoll.operations.run_request import RunRequest
from publishers import Store, list_decisions, list_measured_series, open_store, read_history, record_decision
from tests.operations.inbox import contents, plain_run, put, spend

COVERAGE = Series.parse("measures/coverage/2026-27")


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


@pytest.fixture
def store(order: RunRequest) -> Store:
    return open_store(order.to)


def send(order: RunRequest, path: str, content: bytes) -> None:
    assert order.inbox is not None
    put(order.inbox, path, content)


def measure(order: RunRequest, **options: Any) -> list[Measured]:
    with order.open() as run:
        return measure_store(run, **options)


def values(store: Store, figure: str, series: Series = COVERAGE) -> dict[str, str]:
    return {row["body"]: row["value"] for row in read_published_rows(store, series) if row["figure"] == figure}


def run_command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_a_run_makes_measures_and_the_next_one_leaves_them(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    summary = plain_run(order)
    assert summary.trouble is None
    assert values(store, "published-rows") == {"anytown": "10"}
    before = contents(store, layout.DATA)
    plain_run(order)
    assert measure(order) == []
    assert contents(store, layout.DATA) == before


def test_a_new_month_is_the_next_version_with_its_differences(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    send(order, "spend/anytown/November 2026.csv", spend(4, month="11/2026", start=20))
    plain_run(order)
    history, _ = read_history(store, COVERAGE)
    assert [(one.version, str(one.status), one.reason) for one in history.versions] == [
        (1, "superseded", "first measured"),
        (2, "current", "the data that it is made from changed"),
    ]
    changes = history.versions[1].changes
    assert changes is not None
    assert (changes.differences.added.rows, changes.differences.removed.rows) == (0, 0)
    assert set(changes.differences.fields) == {"value", "n"}
    first = history.as_known_on(history.versions[0].published)
    assert first is not None
    assert first.version == 1
    assert values(store, "months") == {"anytown": "2"}


def test_every_file_of_a_version_is_the_same_whenever_and_in_whatever_order_it_is_made(
    order: RunRequest, tmp_path: Path
) -> None:
    files = {
        "spend/anytown/October 2026.csv": spend(10),
        "spend/anytown/November 2026.csv": spend(5, month="11/2026", start=20),
        "spend/otherton/October 2026.csv": spend(4, start=30),
    }
    made = []
    for number, names in enumerate((list(files), sorted(files, key=lambda name: "otherton" not in name))):
        other = RunRequest(to=str(tmp_path / f"out-{number}"), inbox=tmp_path / f"inbox-{number}")
        for name in names:
            send(other, name, files[name])
            if number:
                plain_run(other)  # one file at a time
        plain_run(other)
        store = open_store(other.to)
        history, _ = read_history(store, COVERAGE)
        assert history.current_version is not None
        folder = layout.version_folder(COVERAGE, history.current_version)
        found = contents(store, folder)
        made.append({key.removeprefix(folder): sha256 for key, sha256 in found.items()})
    assert set(made[0]) == {
        "datapackage.json", "definition.json", "inputs.json", "manifest.json", "measures.csv", "measures.parquet",
    }  # fmt: skip
    assert made[0] == made[1]


def test_measures_that_were_deleted_come_again_byte_for_byte(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    before = {key: one for key, one in contents(store, "data/measures/").items() if layout.is_immutable(key)}
    for folder in ("data/measures", "catalogue", "collected/measures", "collected/catalogue"):
        shutil.rmtree(Path(order.to) / folder)
    plain_run(order)
    after = {key: one for key, one in contents(store, "data/measures/").items() if layout.is_immutable(key)}
    assert before
    assert after == before


def test_a_version_whose_files_are_lost_is_made_again(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    before = contents(store, "data/measures/")
    history, _ = read_history(store, COVERAGE)
    assert history.current_version is not None
    shutil.rmtree(Path(order.to) / layout.version_folder(COVERAGE, history.current_version))
    measure(order)
    assert contents(store, "data/measures/") == before


def test_measures_are_no_dataset_of_the_index(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    assert list(json.loads(store.read(layout.INDEX).content)["datasets"]) == ["spend"]
    assert COVERAGE in list(list_measured_series(store))
    code, output = run_command("list", order.to)
    assert code == 0
    assert "coverage" not in output


def test_verify_makes_measures_again_from_csv_alone_and_names_the_figure_that_differs(
    order: RunRequest, store: Store
) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    rows = read_published_rows(store, COVERAGE)
    (row,) = [row for row in rows if row["figure"] == "published"]
    republish_with(order, row["value"], "999.99")  # with every hash right: only the lines can tell
    code, output = run_command("verify", order.to, "measures/coverage/2026-27")
    assert code == 1
    assert f"published spend of anytown ({row['figure_id']}): value is published as '999.99'" in output
    assert f"and the lines give '{row['value']}'" in output

    measure(order, again=True)
    shutil.rmtree(Path(order.to) / "catalogue")  # nothing that is derived is read
    for path in Path(order.to).glob("data/spend/**/spend.parquet"):
        path.unlink()
    code, output = run_command("verify", order.to, "measures/coverage/2026-27")
    assert (code, output) == (0, "Verified 1 series with 3 versions: everything matches.\n")
    with pytest.raises(UsageError, match="the consolidated files of this store are missing"):
        measure(order)


def republish_with(order: RunRequest, before: str, after: str) -> None:
    """Publish the coverage of 2026-27 with another value, as the software of a liar would."""
    honest = operation.run_measure

    def lie(*arguments: Any) -> Any:
        rows = honest(*arguments)
        is_before = pc.fill_null(pc.equal(rows["value"], Decimal(before)), False)
        return replace_columns(rows, {"value": pc.if_else(is_before, pa.scalar(Decimal(after), NUMBER), rows["value"])})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operation, "run_measure", lie)
        assert [one.outcome for one in measure(order, only=["coverage"], again=True)] == ["published"]


def test_a_reply_is_in_the_row_of_its_figure_until_it_is_taken_back(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    (row,) = [row for row in read_published_rows(store, COVERAGE) if row["figure"] == "published"]
    note = "October has a one-off payment for a bridge."
    reply = DecisionEntry(
        DecisionKind.REPLY, row["figure_id"], "reply", note, "finance", "2026-11-20T10:00:00Z", "anytown"
    )
    record_decision(store, reply)
    stranger = DecisionEntry(
        DecisionKind.REPLY, row["figure_id"], "reply", "Not so.", "someone", "2026-11-21T10:00:00Z", "otherton"
    )
    record_decision(store, stranger)
    plain_run(order)
    assert {row["figure"]: row["reply"] for row in read_published_rows(store, COVERAGE) if row["reply"]} == {
        "published": note
    }
    code, output = run_command("verify", order.to, str(COVERAGE))
    assert code == 0, output

    (recorded,) = list_decisions(store, "anytown")
    back = DecisionEntry(
        DecisionKind.TAKE_BACK, recorded.id, "reply", "Settled", "finance", "2026-11-22T10:00:00Z", "anytown"
    )
    record_decision(store, back)
    plain_run(order)
    assert {row["reply"] for row in read_published_rows(store, COVERAGE)} == {""}
    assert [one.version for one in read_history(store, COVERAGE)[0].versions] == [1, 2, 3]


@pytest.fixture
def fewest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A further data folder, with a measure of its own that a folder alone adds."""
    folder = tmp_path / "more" / "measures" / "largest-payment"
    folder.mkdir(parents=True)
    (folder / "measure.toml").write_text(
        """
id = "largest-payment"
version = "1.0.0"
title = "Largest payment"
question = "What is the largest payment?"
summary = "The largest payment of each body."
method = "The largest amount of a line."
period = "year"
perimeter = "the body itself"
datasets = ["spend"]
comparators = "kind"
owner = "Tests"
sources = []
[[figures]]
id = "largest"
title = "Largest payment"
unit = "gbp"
headline = true
[[changes]]
version = "1.0.0"
date = "2026-11-29"
what = "First version."
"""
    )
    (folder / "query.sql").write_text(
        "SELECT body, years.period_start, years.period_end, 'largest' AS figure, max(net_amount) AS value "
        "FROM spend JOIN years ON years.year = spend.financial_year GROUP BY ALL"
    )
    monkeypatch.setenv("PIPEROLL_DATA", str(tmp_path / "more"))
    definition.measures.cache_clear()
    yield folder
    definition.measures.cache_clear()


def test_a_measure_is_added_with_a_folder_alone(order: RunRequest, store: Store, fewest: Path) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    series = Series.parse("measures/largest-payment/2026-27")
    assert values(store, "largest", series) == {"anytown": "670"}
    assert series in list(list_measured_series(store))
    code, output = run_command("verify", order.to, str(series))
    assert code == 0, output
    code, output = run_command("measure", "--to", order.to, "--explain", "largest-payment", "anytown", "2026-27")
    assert code == 0
    assert "Largest payment: anytown, April 2026 to March 2027 (method 1.0.0)" in output
    assert "value 670, unit gbp, status list-only" in output
    assert "10 lines, £" in output
    assert "spend/anytown/2026-10/v1-" in output


def test_a_measure_that_fails_leaves_the_others_alone_and_the_run_says_so(
    order: RunRequest, store: Store, fewest: Path
) -> None:
    (fewest / "query.sql").write_text("SELECT sugar FROM spend")
    definition.measures.cache_clear()
    send(order, "spend/anytown/October 2026.csv", spend(10))
    summary = plain_run(order)
    assert summary.trouble is not None
    assert "measures/largest-payment/2026-27 could not be measured" in summary.trouble
    assert values(store, "published-rows") == {"anytown": "10"}
    assert store.exists("catalogue/index.html")
    assert run_command("measure", "--to", order.to)[0] == 2


def test_another_method_restates_the_figures_and_says_why(order: RunRequest, store: Store, fewest: Path) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    text = (fewest / "measure.toml").read_text()
    change = '\n[[changes]]\nversion = "1.1.0"\ndate = "2026-11-30"\nwhat = "Net of credits."\n'
    (fewest / "measure.toml").write_text(text.replace('version = "1.0.0"\ntitle', 'version = "1.1.0"\ntitle') + change)
    (fewest / "query.sql").write_text((fewest / "query.sql").read_text().replace("max(", "min("))
    definition.measures.cache_clear()
    with order.open() as run:
        (effect,) = preview(run, only=["largest-payment"])
    assert (effect.body, effect.before, effect.after) == ("anytown", 670, 607)
    series = Series.parse("measures/largest-payment/2026-27")
    assert len(read_history(store, series)[0].versions) == 1  # a preview publishes nothing
    measure(order)
    assert read_history(store, series)[0].versions[-1].reason == "the method or its rules changed: Net of credits."


def test_a_year_that_lost_its_data_loses_its_figures(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    code, output = run_command("withdraw", "spend/anytown/2026-10", "1", "--to", order.to, "--because", "Wrong file")
    assert code == 0, output
    measure(order)
    assert read_published_rows(store, COVERAGE) == []
    history, _ = read_history(store, COVERAGE)
    assert history.current_version is not None
    assert history.current_version.rows == 0


def test_a_purge_takes_the_versions_that_were_made_from_what_was_purged(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    send(order, "spend/anytown/November 2026.csv", spend(4, month="11/2026", start=20))
    plain_run(order)
    trends = Series.parse("measures/trends/2026-27")
    before = [key for key in store.keys("data/measures/") if layout.is_immutable(key)]
    history, _ = read_history(store, Series.parse("spend/anytown/2026-11"))
    sha256 = history.versions[0].sources[0]
    assert order.inbox is not None
    (order.inbox / "spend/anytown/November 2026.csv").unlink()
    code, output = run_command("purge", sha256, "--to", order.to, "--because", "A person is named", "--yes")
    assert code == 0, output
    for series in (COVERAGE, trends):
        history, _ = read_history(store, series)
        assert [str(one.status) for one in history.versions] == ["superseded", "purged", "current"]
        folder = layout.version_folder(series, history.versions[1])
        assert [key for key in before if key.startswith(folder)]
        assert not list(store.keys(folder))
    assert values(store, "published-rows") == {"anytown": "10"}
    code, output = run_command("verify", order.to)
    assert code == 0, output


def test_an_old_version_that_no_longer_says_what_it_was_made_from_is_purged(order: RunRequest, store: Store) -> None:
    """A purge could not tell whether it quotes what was purged, and left it."""
    for number, month in enumerate(("10", "11", "12")):
        send(order, f"spend/anytown/2026-{month}.csv", spend(4, month=f"{month}/2026", start=10 * number))
        plain_run(order)
    history, _ = read_history(store, COVERAGE)
    store.delete(f"{layout.version_folder(COVERAGE, history.versions[0])}inputs.json")
    measure(order, again=True)
    history, _ = read_history(store, COVERAGE)
    assert [str(one.status) for one in history.versions] == ["purged", "superseded", "current"]
    assert not list(store.keys(layout.version_folder(COVERAGE, history.versions[0])))


def test_bodies_can_only_be_chosen_for_a_preview(order: RunRequest) -> None:
    assert isinstance(CliRunner().invoke(app, ["measure", "--to", order.to, "--bodies", "x"]).exception, UsageError)


def test_an_outside_source_is_archived_with_its_hash_licence_and_date(
    order: RunRequest, store: Store, tmp_path: Path
) -> None:
    population = tmp_path / "population.csv"
    population.write_text("body,year,population\nanytown,2026-27,1000\n")
    with order.open() as run:
        assert use_source(run, f"population={population}", licence="OGL-UK-3.0")
        assert not use_source(run, f"population={population}")
    document = json.loads(store.read(layout.OUTSIDE_SOURCES).content)
    entry = document["sources"]["population"]
    assert (entry["address"], entry["licence"]) == ("population.csv", "OGL-UK-3.0")
    assert store.read(layout.received_bytes(entry["sha256"])).content == population.read_bytes()
    population.write_text("body,year,population\nanytown,2026-27,1001\n")
    with order.open() as run:
        assert use_source(run, f"population={population}")
    assert [one["sha256"] for one in json.loads(store.read(layout.OUTSIDE_SOURCES).content)["earlier"]] == [
        entry["sha256"]
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("body,people\nanytown,1\n", "needs the columns body, year, population: year, population is missing"),
        ("body,year,population\nanytown,2026-27,many\n", "has a value of another type"),
    ],
)
def test_an_outside_source_that_cannot_be_read_is_refused(
    order: RunRequest, store: Store, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "p.csv").write_text(content)
    with order.open() as run, pytest.raises(UsageError, match=message):
        use_source(run, f"population={tmp_path / 'p.csv'}")
    assert not store.exists(layout.OUTSIDE_SOURCES)


def test_the_working_of_a_figure_that_is_not_published_is_refused(order: RunRequest) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    plain_run(order)
    with order.open() as run, pytest.raises(UsageError, match="has no figure of anytown"):
        list(explain(run, "coverage", "anytown", "2020-21", register=run.register))


def test_the_csv_has_a_row_for_every_figure_with_what_it_was_made_from(order: RunRequest, store: Store) -> None:
    send(order, "spend/anytown/October 2026.csv", spend(10))
    send(order, "spend/otherton/October 2026.csv", spend(4, start=30))
    plain_run(order)
    history, _ = read_history(store, COVERAGE)
    assert history.current_version is not None
    folder = layout.version_folder(COVERAGE, history.current_version)
    inputs = json.loads(store.read(f"{folder}inputs.json").content)
    rows = list(csv.DictReader(store.read(f"{folder}measures.csv").content.decode().splitlines()))
    assert {row["body"]: row["inputs"] for row in rows} == {
        body: one["sha256"] for body, one in inputs["bodies"].items()
    }
    (own,) = inputs["bodies"]["anytown"]["inputs"]
    assert own["what"] == "spend 2026-27"
    assert [release.rpartition("/")[0] for release in own["releases"]] == ["spend/anytown/2026-10"]
