"""The commands for users of the data and keepers of a store, on a store with two versions of one table."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from piperoll import api, cli, layout
from piperoll.errors import StoreCorrupt, StoreUnavailable, UnknownSubmission, UsageError
from piperoll.operations import pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.run_request import RunRequest
from publishers import FolderStore, open_store, serve_site
from publishers.stores.web import WebReader
from tests.fixtures.ports import reserve_port

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
    """A copy of the store for a test that changes it."""
    store, copy = FolderStore(made), FolderStore(tmp_path / "copy")
    for key in store.keys(""):
        copy.put(key, store.read(key).content)
    return tmp_path / "copy"


def piperoll(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)), env={"COLUMNS": "200"})


def output_of(*arguments: str | Path) -> str:
    done = piperoll(*arguments)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_get_writes_csv_parquet_and_the_descriptor(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--body", "anytown", "--period", "2026-10", "-o")
    assert "version 2 of spend/anytown/2026-10 (current), 12 rows." in output_of(*wanted, tmp_path / "a.csv")
    output_of(*wanted, tmp_path / "a.parquet")
    output_of(*wanted, tmp_path / "a.json")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["supplier_name"] for row in rows][-1] == "Zebedee Quillfeather Ltd"
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 12
    assert json.loads((tmp_path / "a.json").read_text())["resources"][0]["path"] == "spend.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json", "a.parquet"]


def test_get_an_earlier_version(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--body", "anytown", "--period", "2026-10", "-o", tmp_path / "a.csv")
    assert "version 1" in output_of(*wanted, "--version-number", "1")
    error = piperoll(*wanted, "--as-known-on", "2020-01-01").exception
    assert isinstance(error, UsageError)
    assert "no version was current on 2020-01-01" in str(error)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"-o": "a.xlsx"}, "end it in .csv"),
        ({"--period": "2026-11"}, "is not published"),
        ({"--body": "x"}, "no body called"),
    ],
)
def test_get_says_what_to_do_if_it_cannot(made: Path, tmp_path: Path, changed, words: str) -> None:
    options = {"--from": str(made), "--body": "anytown", "--period": "2026-10", "-o": "a.csv"} | changed
    options["-o"] = str(tmp_path / options["-o"])
    error = piperoll("get", "spend", *(part for pair in options.items() for part in pair)).exception
    assert isinstance(error, UsageError)
    assert words in str(error)


def test_get_deletes_a_file_that_does_not_match_its_manifest(place: Path, tmp_path: Path) -> None:
    for path in place.glob("data/spend/anytown/2026-10/v2-*/spend.csv"):
        path.write_bytes(b"changed")
    wanted = ("--from", place, "--body", "anytown", "--period", "2026-10", "-o", tmp_path / "a.csv")
    assert isinstance(piperoll("get", "spend", *wanted).exception, StoreCorrupt)
    assert not (tmp_path / "a.csv").exists()
    assert not (tmp_path / "a.csv.part").exists()


def test_history_lists_what_each_version_changed(made: Path) -> None:
    output = output_of("history", SERIES, "--from", made)
    assert "correction: 1 row added (£5.00), 1 row removed (£601.00)" in output
    document = json.loads(piperoll("history", SERIES, "--from", made, "--json").output)
    assert [version["status"] for version in document["versions"]] == ["superseded", "current"]


def test_diff_writes_the_rows_that_differ(made: Path, tmp_path: Path) -> None:
    output = output_of("diff", SERIES, "1", "2", "--from", made, "-o", tmp_path / "changes.csv")
    assert "From version 1 to 2: 1 row added (£5.00), 1 row removed (£601.00)." in output
    with (tmp_path / "changes.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["change"] for row in csv.DictReader(stream)] == ["removed", "added"]


def test_trace_finds_the_cell_of_a_row(made: Path) -> None:
    output = output_of("trace", SERIES, "1", "--from", made)
    assert "row 2 (sha256" in output
    assert "602.00" in output


def test_verify_a_folder_and_over_http(made: Path) -> None:
    assert "everything matches." in output_of("verify", made)
    assert "Verified 1 series with 2 versions: everything matches." in output_of("verify", made, SERIES)
    with serve_site(open_store(str(made)), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert json.loads(piperoll("verify", server.address, SERIES, "--json").output)["faults"] == []
        finally:
            server.shutdown()
            thread.join()


def test_verify_exits_with_1_if_a_file_is_missing(place: Path) -> None:
    next(place.glob("data/spend/anytown/2026-10/v1-*/spend.parquet")).unlink()
    done = piperoll("verify", place)
    assert done.exit_code == 1
    assert "1 fault found" in done.output


@pytest.mark.parametrize("page", [layout.INDEX, layout.body_index("spend", "anytown")])
def test_a_rotten_page_of_the_index_hides_no_series_from_verify(place: Path, page: str) -> None:
    """It ended the command at its first page, and what else was wrong was not named."""
    rotten = bytearray((place / page).read_bytes())
    rotten[0] ^= 1
    (place / page).write_bytes(rotten)
    next(place.glob("data/spend/anytown/2026-10/v1-*/spend.parquet")).unlink()
    done = piperoll("verify", place)
    assert done.exit_code == 1
    assert page in done.output
    assert "spend.parquet" in done.output
    assert "2 faults found" in done.output


def test_verify_refuses_an_empty_folder(tmp_path: Path) -> None:
    assert isinstance(piperoll("verify", tmp_path).exception, UsageError)


def test_withdraw_records_the_reason(place: Path) -> None:
    assert "is withdrawn" in output_of("withdraw", SERIES, "2", "--to", place, "--because", "the wrong month")
    assert "the wrong month" in output_of("history", SERIES, "--from", place)
    assert "everything matches" in output_of("verify", place)


def test_purge_asks_first_and_removes_every_trace(place: Path) -> None:
    sha256 = hashlib.sha256(content(SECOND)).hexdigest()
    command = ("purge", sha256[:12], "--to", place, "--because", "a person", "--value", "Zebedee Quillfeather")
    assert piperoll(*command).exit_code == 1
    assert list(place.glob("archive/sha256/*/" + sha256))
    output = output_of(*command, "--yes")
    assert "is purged: 1 version with 12 rows." in output
    assert "none of the values is in it" in output
    assert not list(place.glob("archive/sha256/*/" + sha256))
    assert isinstance(piperoll(*command, "--yes").exception, UnknownSubmission)
    assert "none of the values is in it" in output_of("purge", sha256, *command[2:], "--yes")


def test_a_purge_tells_what_it_did_though_the_prefect_server_does_not_answer(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended with a traceback, and the result of the search was lost."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setattr("flows.forgetting.get_client", Mock(side_effect=ConnectionError))
    sha256 = hashlib.sha256(content(SECOND)).hexdigest()
    done = piperoll("purge", sha256, "--to", place, "--because", "a person", "--value", "Zebedee", "--yes")
    assert done.exit_code == 2
    assert "is purged: 1 version" in done.output
    assert "none of the values is in it" in done.output
    assert "may still be on the Prefect server (ConnectionError)" in done.output


def test_a_backup_into_the_store_itself_is_refused(place: Path) -> None:
    """The next backup copied the backups."""
    for inside in (place, place / "backups"):
        assert isinstance(piperoll("backup", place, "--to", inside).exception, UsageError)
    assert isinstance(piperoll("restore", place).exception, UsageError)
    beside = place.with_name(f"{place.name}-backups")
    assert "0 bytes" not in output_of("backup", place, "--to", beside)
    assert "object" in output_of("restore", beside)


def test_sweep_reports_what_it_removed_and_kept(place: Path) -> None:
    orphan = "data/spend/anytown/2026-10/v3-ffffffffffff/spend.csv"
    FolderStore(place).put(orphan, b"left")
    assert "1 file more is younger than 24 hours" in output_of("sweep", "--to", place)
    assert "Removed: 1 file that no pointer names, 0 unfinished writes." in output_of(
        "sweep", "--to", place, "--hours", "0"
    )
    assert not (place / orphan).exists()


def test_get_a_year_of_all_bodies_as_one_file(made: Path, tmp_path: Path) -> None:
    output = output_of("get", "spend", "--from", made, "--year", "2026-27", "-o", tmp_path / "all.parquet")
    assert "spend of April 2026 to March 2027, 1 body." in output
    table = pq.read_table(tmp_path / "all.parquet")
    assert set(table.column("series").to_pylist()) == {SERIES}
    output_of("get", "spend", "--from", made, "--year", "2026-27", "--body", "anytown", "-o", tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == table.num_rows == len(SECOND)


def test_get_lists_the_years_if_one_is_missing(made: Path, tmp_path: Path) -> None:
    done = piperoll("get", "spend", "--from", made, "--year", "2019-20", "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, UsageError)
    assert "2026-27" in str(done.exception)
    done = piperoll("get", "spend", "--from", made, "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, UsageError)
    assert "--year" in str(done.exception)


def test_get_refuses_a_consolidated_file_with_another_hash(place: Path, tmp_path: Path) -> None:
    (file,) = (place / "catalogue/consolidated/spend/2026-27").glob("anytown-*.csv")
    file.write_bytes(file.read_bytes().replace(b"Acorn", b"Acron"))
    done = piperoll("get", "spend", "--from", place, "--year", "2026-27", "-o", tmp_path / "all.csv")
    assert isinstance(done.exception, StoreCorrupt)
    assert not list(tmp_path.glob("all*"))


def test_a_table_is_found_by_the_name_of_its_body(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--period", "2026-10", "-o", tmp_path / "a.csv", "--body")
    assert "version 2 of spend/anytown/2026-10" in output_of(*wanted, "Anytown")
    assert "2026-10" in output_of("trace", "spend/ANYTOWN/2026-10", "1", "--from", made)


def test_a_wrong_name_of_a_body_is_answered_with_the_closest(made: Path, tmp_path: Path) -> None:
    wanted = ("get", "spend", "--from", made, "--period", "2026-10", "-o", tmp_path / "a.csv", "--body")
    done = piperoll(*wanted, "anytwon")
    assert isinstance(done.exception, UsageError)
    assert "did you mean 'anytown' (anytown)?" in str(done.exception)


def test_the_catalogue_lists_its_bodies_for_programs(made: Path) -> None:
    bodies = json.loads((made / "catalogue" / "bodies.json").read_text())["bodies"]
    by_slug = {entry["body"]: entry for entry in bodies}
    assert by_slug["anytown"]["provisional"] is True
    assert by_slug["anytown"]["datasets"] == ["spend"]
    assert by_slug["leeds"] | {"aliases": []} == {
        "body": "leeds",
        "id": "gss:E08000035",
        "name": "Leeds City Council",
        "kind": "council",
        "provisional": False,
        "short_name": None,
        "former_names": [],
        "aliases": [],
        "same_as": ["GB-LAE-LDS"],
        "region": "Yorkshire and The Humber",
        "area_code": "E08000035",
        "valid_from": None,
        "valid_to": None,
        "successor": [],
        "datasets": [],
    }


# --- what is published, and what is said if something is not ---------------------------------------------------------


def test_no_command_listed_what_is_published(made: Path) -> None:
    output = output_of("list", made)
    assert "spend anytown (provisional) October 2026 2026-10 12 £" in output
    assert output.endswith("1 table of 1 body.")
    [entry] = json.loads(piperoll("list", made, "--json").stdout)
    assert (entry["series"], entry["versions"], entry["version"], entry["rows"]) == (SERIES, 2, 2, 12)
    assert (entry["name"], entry["provisional"]) == ("anytown", True)
    for chosen in (["--dataset", "spend"], ["--body", "anytown"], ["--period", "2026-Q4"], ["--year", "2026-27"]):
        assert json.loads(piperoll("list", made, *chosen, "--json").stdout) == [entry], chosen
    for other in (["--period", "2026-09"], ["--year", "2025-26"]):
        assert json.loads(piperoll("list", made, *other, "--json").stdout) == [], other


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["spnd", "--body", "anytown", "--period", "2026-10"], "did you mean spend"),
        (["spend", "--body", "anytown", "--period", "2026-11"], "the nearest is 2026-10"),
        (
            ["spend", "--body", "anytown", "--period", "2026-10", "--part", "card"],
            "(October 2026, card) is not published",
        ),
        (["spend", "--body", "anytown", "--year", "2026"], "write 2026-27 for April 2026 to March 2027"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(made: Path, tmp_path: Path, wanted: list[str], says: str) -> None:
    done = piperoll("get", *wanted, "--from", made, "-o", tmp_path / "a.csv")
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_nothing_published_is_said_so(tmp_path: Path) -> None:
    for wanted in (["list", tmp_path], ["history", SERIES, "--from", tmp_path]):
        done = piperoll(*wanted)
        assert isinstance(done.exception, UsageError)
        assert "nothing is published in" in str(done.exception)


def test_2011_12_is_answered_with_what_was_taken_and_what_else_it_could_mean(made: Path, tmp_path: Path) -> None:
    done = piperoll(
        "get", "spend", "--body", "anytown", "--period", "2011-12", "--from", made, "-o", tmp_path / "a.csv"
    )
    assert "2011-12 is read as December 2011; for April 2011 to March 2012 write --year 2011-12" in done.stderr


@pytest.mark.parametrize("moment", ["yesterday", "zzz", "", "2026-02-31", "2026-11", "1 November 2026", "20261101"])
def test_as_known_on_took_yesterday_and_gave_the_rows_of_today(made: Path, tmp_path: Path, moment: str) -> None:
    wanted = ("get", "spend", "--from", made, "--body", "anytown", "--period", "2026-10", "-o", tmp_path / "a.csv")
    done = piperoll(*wanted, "--as-known-on", moment)
    assert isinstance(done.exception, UsageError)
    assert "write a day as 2026-11-01" in str(done.exception)
    with pytest.raises(UsageError, match="is not a day or an instant"):
        api.get("spend", str(made), body="anytown", period="2026-10", as_known_on=moment)


def test_what_will_be_known_is_not_known(made: Path) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    for moment in (tomorrow, tomorrow.isoformat(), f"{tomorrow}T00:00:00Z"):
        with pytest.raises(UsageError, match="still to come"):
            api.get("spend", str(made), body="anytown", period="2026-10", as_known_on=moment)


def test_a_traced_row_as_json(made: Path) -> None:
    traced = json.loads(piperoll("trace", SERIES, "1", "--from", made, "--json").stdout)
    assert (traced["series"], traced["version"], traced["file"]) == (SERIES, 2, "October 2026.csv")
    supplier = next(one for one in traced["fields"] if one["name"] == "supplier_name")
    assert (supplier["sent"], supplier["done"]) == ("Acorn Roofing Ltd", "as sent")


def test_an_address_where_nothing_listens_was_told_after_16_seconds_in_the_words_of_a_library(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{reserve_port()}"
    for wanted in (["list", address], ["history", SERIES, "--from", address], ["verify", address]):
        done = piperoll(*wanted)
        assert isinstance(done.exception, StoreUnavailable)
        assert str(done.exception).startswith(f"{address} does not answer: nothing listens there. Check the address")


def test_a_place_is_asked_again_only_after_it_has_answered_once(made: Path) -> None:
    """What broke off may come back, and what never answered is a wrong address."""
    with serve_site(open_store(str(made)), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        reader = WebReader(server.address)
        before = reader._adapter.max_retries.connect
        assert reader.exists("data/index.json")
        server.shutdown()
        thread.join()
    assert (before, reader._adapter.max_retries.connect) == (1, None)


# --- the same in Python ---------------------------------------------------------------------------------------------


def test_python_lists_histories_differences_and_years(made: Path) -> None:
    [table] = api.list_published(str(made), dataset="spend", year="2026-27")
    assert (str(table.series), table.rows) == (SERIES, 12)
    assert [one.version for one in api.history(SERIES, str(made)).versions] == [1, 2]
    summary, rows = api.diff(SERIES, 1, 2, str(made))
    assert (summary.added.rows, summary.removed.rows) == (1, 1)
    assert sorted(rows["change"].to_pylist()) == ["added", "removed"]
    assert api.diff(SERIES, 2, 2, str(made))[1].num_rows == 0
    year = api.get("spend", str(made), year="2026-27")
    assert year.num_rows == 12
    assert year.equals(api.get("spend", str(made), year="2026/27", body="anytown"))
    for wrong in ({}, {"body": "anytown"}, {"year": "2026-27", "period": "2026-10"}, {"year": "2026-27", "version": 1}):
        with pytest.raises(UsageError):
            api.get("spend", str(made), **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not both"):
        api.list_published(str(made), period="2026-10", year="2026-27")


def test_lines_in_no_year_were_taken_for_a_period_where_another_year_was_wanted(place: Path, tmp_path: Path) -> None:
    store = FolderStore(place)
    listed = json.loads(store.read(layout.CONSOLIDATED_INDEX).content)
    listed["datasets"]["spend"].append("undated")
    store.put(layout.CONSOLIDATED_INDEX, json.dumps(listed).encode())
    year = store.read(layout.consolidated_index("spend", "2026-27")).content
    store.put(layout.consolidated_index("spend", "undated"), year.replace(b'"2026-27"', b'"undated"'))
    for key in list(store.keys(layout.consolidated_file("spend", "2026-27", ""))):
        store.put(key.replace("2026-27", "undated"), store.read(key).content)
    wanted = ("get", "spend", "--from", place, "-o", tmp_path / "a.csv", "--year")
    assert "it has them for 2026-27, undated" in str(piperoll(*wanted, "2011-12").exception)
    assert "spend of lines that are in no year, 1 body." in output_of(*wanted, "undated")
    wrong = piperoll("get", "spnd", "--from", place, "-o", tmp_path / "b.csv", "--year", "2026-27")
    assert "did you mean spend?" in str(wrong.exception)


def test_everything_is_copied_with_a_readme(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "everything"
    done = piperoll("get", "--all", "--from", made, "-o", copy)
    assert done.exit_code == 0, done.output
    assert "open data of public bodies" in (copy / "README.txt").read_text()
    assert " 0 files downloaded" in piperoll("get", "--all", "--from", made, "-o", copy).output
    wrong = piperoll("get", "--all", "--from", made, "--body", "nowhere", "-o", copy)
    assert isinstance(wrong.exception, UsageError)
    assert "no body called 'nowhere'" in str(wrong.exception)
    assert isinstance(piperoll("get", "--from", made, "-o", copy).exception, UsageError)
