"""The commands for who uses the data and who keeps the store, on a place with two versions of one table."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from piperoll import cli
from piperoll.errors import StoreCorrupt, UnknownSubmission, UsageError
from piperoll.operations import pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.run_request import RunRequest
from publishers import FolderStore, open_store, serve_site

HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department"
FIRST = [f"{day:02}/10/2026,Acorn Roofing Ltd,{600 + day}.00,T{day},Supplies,Estates" for day in range(1, 13)]
SECOND = [*FIRST[1:], "30/10/2026,Zebedee Quillfeather Ltd,5.00,T99,Supplies,Estates"]
SERIES = "spend/anytown/2026-10"


def content(rows: list[str]) -> bytes:
    return "\r\n".join([HEADINGS, *rows, ""]).encode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "inbox/spend/anytown").mkdir(parents=True)
    order = RunRequest(to=str(folder / "out"), inbox=folder / "inbox")
    for rows in (FIRST, SECOND):
        (folder / "inbox/spend/anytown/October 2026.csv").write_bytes(content(rows))
        with order.open() as run:
            pipeline.run_in_process(run, collect_inbox(run, order))
            build_catalogue(run)
    return folder / "out"


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy for a test that changes it."""
    store, copy = FolderStore(made), FolderStore(tmp_path / "copy")
    for key in store.keys(""):
        copy.put(key, store.read(key).content)
    return tmp_path / "copy"


def piperoll(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)), env={"COLUMNS": "200"})


def said(*arguments: str | Path) -> str:
    done = piperoll(*arguments)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_the_version_that_stands_as_csv_parquet_and_descriptor(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--body", "anytown", "--period", "2026-10", "-o")
    assert "version 2 of spend/anytown/2026-10 (current), 12 rows." in said(*wanted, tmp_path / "a.csv")
    said(*wanted, tmp_path / "a.parquet")
    said(*wanted, tmp_path / "a.json")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["supplier_name"] for row in rows][-1] == "Zebedee Quillfeather Ltd"
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 12
    assert json.loads((tmp_path / "a.json").read_text())["resources"][0]["path"] == "spend.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json", "a.parquet"]


def test_an_earlier_version_by_its_number_and_none_before_the_first(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--body", "anytown", "--period", "2026-10", "-o", tmp_path / "a.csv")
    assert "version 1" in said(*wanted, "--version-number", "1")
    error = piperoll(*wanted, "--as-known-on", "2020-01-01").exception
    assert isinstance(error, UsageError)
    assert "nothing stood on 2020-01-01" in str(error)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"-o": "a.xlsx"}, "end its name in"), ({"--period": "2026-11"}, "is not published"), ({"--body": "x"}, "is not")],
)
def test_what_cannot_be_got_is_said_with_what_to_do(made: Path, tmp_path: Path, changed, words: str) -> None:
    options = {"--from": str(made), "--body": "anytown", "--period": "2026-10", "-o": "a.csv"} | changed
    options["-o"] = str(tmp_path / options["-o"])
    error = piperoll("get", "spend", *(part for pair in options.items() for part in pair)).exception
    assert isinstance(error, UsageError)
    assert words in str(error)


def test_a_file_that_was_changed_is_not_kept(place: Path, tmp_path: Path) -> None:
    for path in place.glob("data/spend/anytown/2026-10/v2-*/spend.csv"):
        path.write_bytes(b"changed")
    wanted = ("--from", place, "--body", "anytown", "--period", "2026-10", "-o", tmp_path / "a.csv")
    assert isinstance(piperoll("get", "spend", *wanted).exception, StoreCorrupt)
    assert not (tmp_path / "a.csv").exists()
    assert not (tmp_path / "a.csv.part").exists()


def test_the_history_says_what_each_version_changed(made: Path) -> None:
    told = said("history", SERIES, "--from", made)
    assert "correction: 1 row added (£5.00), 1 row removed (£601.00)" in told
    document = json.loads(piperoll("history", SERIES, "--from", made, "--json").output)
    assert [version["status"] for version in document["versions"]] == ["superseded", "current"]


def test_the_rows_that_differ_are_written(made: Path, tmp_path: Path) -> None:
    told = said("diff", SERIES, "1", "2", "--from", made, "-o", tmp_path / "changes.csv")
    assert "From version 1 to 2: 1 row added (£5.00), 1 row removed (£601.00)." in told
    with (tmp_path / "changes.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["change"] for row in csv.DictReader(stream)] == ["removed", "added"]


def test_a_row_is_traced_to_its_cell(made: Path) -> None:
    told = said("trace", SERIES, "1", "--from", made)
    assert "row 2 (sha256" in told
    assert "602.00" in told


def test_all_is_verified_in_place_and_over_http(made: Path) -> None:
    assert "1 series with 2 versions were looked through: all is as it says." in said("verify", made)
    with serve_site(open_store(str(made)), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert json.loads(piperoll("verify", server.address, SERIES, "--json").output)["faults"] == []
        finally:
            server.shutdown()
            thread.join()


def test_what_is_not_as_it_says_ends_with_one(place: Path) -> None:
    next(place.glob("data/spend/anytown/2026-10/v1-*/spend.parquet")).unlink()
    done = piperoll("verify", place)
    assert done.exit_code == 1
    assert "1 thing is not as it says" in done.output


def test_an_empty_place_is_no_clean_bill(tmp_path: Path) -> None:
    assert isinstance(piperoll("verify", tmp_path).exception, UsageError)


def test_a_version_is_withdrawn_with_a_reason(place: Path) -> None:
    assert "is withdrawn" in said("withdraw", SERIES, "2", "--to", place, "--because", "the wrong month")
    assert "the wrong month" in said("history", SERIES, "--from", place)
    assert "all is as it says" in said("verify", place)


def test_a_purge_asks_first_and_then_leaves_nothing(place: Path) -> None:
    sha256 = hashlib.sha256(content(SECOND)).hexdigest()
    command = ("purge", sha256[:12], "--to", place, "--because", "a person", "--value", "Zebedee Quillfeather")
    assert piperoll(*command).exit_code == 1
    assert list(place.glob("archive/sha256/*/" + sha256))
    told = said(*command, "--yes")
    assert "is purged: 1 version with 12 rows." in told
    assert "nothing that you named is in it" in told
    assert not list(place.glob("archive/sha256/*/" + sha256))
    assert isinstance(piperoll(*command, "--yes").exception, UnknownSubmission)
    assert "nothing that you named" in said("purge", sha256, *command[2:], "--yes")


def test_a_sweep_says_what_it_removed_and_what_waits(place: Path) -> None:
    orphan = "data/spend/anytown/2026-10/v3-ffffffffffff/spend.csv"
    FolderStore(place).put(orphan, b"left")
    assert "1 file more is younger than 24 hours" in said("sweep", "--to", place)
    assert "Removed: 1 file that no pointer names, 0 unfinished writes." in said("sweep", "--to", place, "--hours", "0")
    assert not (place / orphan).exists()


def test_a_year_of_all_bodies_is_one_file(made: Path, tmp_path: Path) -> None:
    told = said("get", "spend", "--from", made, "--year", "2026-27", "-o", tmp_path / "all.parquet")
    assert "of 1 body" in told
    table = pq.read_table(tmp_path / "all.parquet")
    assert set(table.column("series").to_pylist()) == {SERIES}
    said("get", "spend", "--from", made, "--year", "2026-27", "--body", "anytown", "-o", tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == table.num_rows == len(SECOND)


def test_a_year_that_is_not_there_is_told_with_those_that_are(made: Path, tmp_path: Path) -> None:
    done = piperoll("get", "spend", "--from", made, "--year", "2019-20", "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, UsageError)
    assert "2026-27" in str(done.exception)
    done = piperoll("get", "spend", "--from", made, "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, UsageError)
    assert "--year" in str(done.exception)


def test_a_consolidated_file_that_was_tampered_with_is_not_taken(place: Path, tmp_path: Path) -> None:
    (file,) = (place / "catalogue/consolidated/spend/2026-27").glob("anytown-*.csv")
    file.write_bytes(file.read_bytes().replace(b"Acorn", b"Acron"))
    done = piperoll("get", "spend", "--from", place, "--year", "2026-27", "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, StoreCorrupt)
    assert not list(tmp_path.glob("all*"))
