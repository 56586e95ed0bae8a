"""The command line: output and exit status."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import openpyxl
import pytest
import requests

from piperoll import cli, layout
from piperoll.sample import write_sample
from tests.fixtures.waiting import PATIENCE_SECONDS

PIPEROLL = Path(sys.executable).parent / "piperoll"
SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "check-report.schema.json").read_text("utf-8"))
HEADINGS = (
    "Body Name,Service Area,Expense Type,Payment Date,Transaction Number,Amount,Supplier Name,Purpose,Merchant Category"
)
SUPPLIERS = ("Plumbob Ltd", "Quillfeather Stationery Ltd", "Wobblestone Highways plc", "Greyhedge Legal LLP")
ROWS = [
    f"Anytown,Housing,Repairs,{number:02}/10/2026,T{1000 + number},{500 + 37 * number}.{number:02},"
    f"{SUPPLIERS[number % 4]},Repairs to homes,Facilities"
    for number in range(1, 13)
]
GOOD = "\n".join([HEADINGS, *ROWS, ""])
"""Twelve payments of £8,886.78 in total."""
BAD = GOOD.replace("574.02", "5.74.02")
PAGE = "<!DOCTYPE html><html><body>Not found</body></html>"


def piperoll(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    command = [str(PIPEROLL), *map(str, arguments)]
    env = clean | {"COLUMNS": "80"} | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return written(tmp_path / "Payments October 2026.csv", GOOD)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_help_lists_the_commands_and_imports_little(tmp_path: Path) -> None:
    done = piperoll("--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("check", "run", "release", "replay", "due", "serve", "site", "template", "sample", "datasets"):
        assert re.search(rf"^  {word} ", done.stdout, re.MULTILINE)
    assert "piperoll check " in done.stdout
    imported = "import sys, piperoll.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    names = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True).stdout.split()
    assert {"prefect", "pyarrow", "great_expectations", "frictionless", "boto3", "rich", "jinja2"}.isdisjoint(names)


@pytest.mark.parametrize(
    "command", ["check", "run", "release", "replay", "due", "serve", "site", "template", "explain"]
)
def test_the_help_of_every_command_has_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["piperoll", command, "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert f"\n  piperoll {command} " in capsys.readouterr().out


def test_a_good_file_is_accepted_with_exit_status_0(good: Path, tmp_path: Path) -> None:
    done = piperoll("check", good, "--quick", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Accepted" in done.stdout
    assert "Dataset: spend. Period: October 2026." in done.stdout
    assert "--quick" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_cell_to_fix_has_its_spreadsheet_address(tmp_path: Path) -> None:
    done = piperoll("check", written(tmp_path / "October 2026.csv", BAD), "--quick", cwd=tmp_path)
    assert done.returncode == 0
    assert "11 of 12 rows can be published; 1 row is held back." in " ".join(done.stdout.split())
    assert "Rows held back until you act (1 kind, 1 place)" in done.stdout
    assert "F3" in done.stdout
    assert "5.74.02" in done.stdout


def test_a_web_page_is_rejected(tmp_path: Path) -> None:
    done = piperoll("check", written(tmp_path / "spend.csv", PAGE), "--quick", cwd=tmp_path)
    assert done.returncode == 1
    assert "Rejected" in done.stdout


def test_json_conforms_to_its_schema(good: Path, tmp_path: Path) -> None:
    done = piperoll("check", good, "--json", cwd=tmp_path)
    assert done.returncode == 0
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert (report["file"], report["what"], report["dataset"]) == (good.name, "data", "spend")
    assert report["tables"][0]["amount"]["read"] == "8886.78"
    assert report["tables"][0]["column_letters"]["net_amount"] == "F"


def test_a_file_whose_name_is_not_utf_8_has_a_json_report(tmp_path: Path) -> None:
    """It ended with a traceback."""
    name = os.fsdecode(b"Ao\xfbt.csv")
    (tmp_path / name).write_text(GOOD, "utf-8")
    done = piperoll("check", "--json", name, cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["file"]) == (0, r"Ao\xfbt.csv")


def test_several_files_give_one_json_document_a_line(good: Path, tmp_path: Path) -> None:
    others = [
        written(tmp_path / "October 2026.csv", BAD),
        written(tmp_path / "page.csv", PAGE),
        written(tmp_path / "x", ""),
    ]
    done = piperoll("check", good, *others, "--json", "--quick", cwd=tmp_path)
    assert done.returncode == 1
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    for report in reports:
        jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert [report["file"] for report in reports] == [good.name, "October 2026.csv", "page.csv", "x"]
    assert [report["verdict"] for report in reports][1:] == ["accepted_with_warnings", "rejected", "rejected"]


def test_a_file_name_with_control_characters_does_not_write_to_the_terminal_nor_into_the_report(
    good: Path, tmp_path: Path
) -> None:
    """`check --html` printed the name as it was, and the page had it too."""
    named = tmp_path / "October 2026 \x1b]0;title\x07\x1b[31m.csv"
    named.write_bytes(good.read_bytes())
    done = piperoll("check", named, "--quick", "--html", "report.html", cwd=tmp_path)
    written = done.stdout + done.stderr + (tmp_path / "report.html").read_text("utf-8")
    assert "October 2026" in written
    assert not {"\x1b", "\x07"} & {*written}


def test_the_html_report_needs_no_other_file(good: Path, tmp_path: Path) -> None:
    done = piperoll("check", good, "--quick", "--html", "report.html", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert good.name in page
    assert not re.search(r"""<(script|link|img)[^>]+(src|href)=(?!"data:)""", page)


def test_check_never_imports_prefect_nor_great_expectations_unless_asked(good: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from piperoll import api; api.check(sys.argv[1], quick=True); "
        "print(*{m.split('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(good)], capture_output=True, text=True, check=True)
    assert {"prefect", "great_expectations", "flows", "boto3", "fastapi"}.isdisjoint(done.stdout.split())
    whole = code.replace("quick=True", "quick=False")
    done = subprocess.run([sys.executable, "-c", whole, str(good)], capture_output=True, text=True, check=True)
    assert {"prefect", "great_expectations", "flows", "publishers"}.isdisjoint(done.stdout.split())
    asked = code.replace("quick=True", "engine='reference'")
    done = subprocess.run([sys.executable, "-c", asked, str(good)], capture_output=True, text=True, check=True)
    assert {"prefect", "flows", "publishers"}.isdisjoint(done.stdout.split())
    assert {"great_expectations", "frictionless"} <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["check", "."], "is a folder: name the files in it"),
        (["check", "a.csv", "--dataset", "spending"], "there is no dataset 'spending'"),
        (["check", "a.csv", "--period", "26-04"], "'26-04' is not a period"),
        (["check", "a.csv", "a.csv", "--html", "x.html"], "--html is for one file"),
        (["check", "a.csv", "--quick", "--html", "no/such/place.html"], "cannot be written"),
        (["run", "--to", "out"], "either --inbox DIR or --sources FILE"),
        (["run", "--to", "out", "--inbox", "nowhere"], "the folder nowhere does not exist"),
        (["run", "--to", "ftp://x/y", "--inbox", "."], "cannot publish to 'ftp://x/y'"),
        (["release", "abcdef123456", "--to", "out", "--because", "we asked"], "abcdef123456"),
        (["serve", "--to", "out"], "either an inbox folder or a sources file"),
        (["due", "--to", "out", "--on", "yesterday"], "'yesterday' is not a day"),
        (["site", "out"], "nothing is published in out yet"),
        (["template", "spend", "--out", "spend.pdf"], "neither .csv nor .xlsx"),
        (["explain", "amounts-out-of-scal"], "did you mean amounts-out-of-scale"),
    ],
)
def test_a_usage_error_is_one_line_without_a_traceback(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path / "a.csv", GOOD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["piperoll", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    error = capfd.readouterr().err
    assert left.value.code == 2
    assert message in error
    assert error.startswith("piperoll: ")
    assert len(error.splitlines()) == 1


def test_an_unknown_setting_is_an_error(tmp_path: Path) -> None:
    inbox = written(tmp_path / "inbox" / "spend" / "anytown" / "October 2026.csv", GOOD).parents[2]
    done = piperoll("run", "--inbox", inbox, "--to", "out", cwd=tmp_path, PIPEROLL_BASE_ADDRESS="x")
    assert done.returncode == 2
    assert "PIPEROLL_BASE_ADDRESS is not a setting" in done.stderr


def test_templates_are_written(tmp_path: Path) -> None:
    printed = piperoll("template", "spend", cwd=tmp_path).stdout
    assert "Payment date" in printed or "payment_date" in printed
    assert piperoll("template", "contracts", "--out", "form.xlsx", cwd=tmp_path).returncode == 0
    assert openpyxl.load_workbook(tmp_path / "form.xlsx").active is not None


def test_datasets_are_listed(tmp_path: Path) -> None:
    lines = piperoll("datasets", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:] if line[:1].strip()] == [
        "contracts",
        "roles",
        "spend",
        "transactions",
    ]


def test_the_sample_is_the_same_from_the_same_seed(tmp_path: Path) -> None:
    assert piperoll("sample", "--to", "one", "--seed", "7", cwd=tmp_path).returncode == 0
    write_sample(tmp_path / "two", 7)
    files = sorted(path.relative_to(tmp_path / "two") for path in (tmp_path / "two").rglob("*") if path.is_file())
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with an inbox and what `piperoll run` published from it in `out`; and its output."""
    place = tmp_path_factory.mktemp("published")
    written(place / "inbox" / "spend" / "anytown" / "October 2026.csv", GOOD)
    written(place / "inbox" / "spend" / "elsewhere" / "October 2026.csv", PAGE)
    done = piperoll("run", "--inbox", "inbox", "--to", "out", cwd=place)
    assert done.returncode == 0, done.stderr
    yield place, done.stdout


def test_a_run_reports_every_file_and_its_pounds(published: tuple[Path, str]) -> None:
    place, output = published
    assert re.search(r"^rejected +1 +0 +£0\.00$", output, re.MULTILINE)
    assert re.search(r"^all +2 +12 +£8,886\.78$", output, re.MULTILINE)
    assert re.search(r"^Published +12 +£8,886\.78$", output, re.MULTILINE)
    assert "spend/elsewhere/October 2026.csv" in output
    assert "To look at it: piperoll site out" in output
    assert (place / "out" / "data" / "spend" / "anytown" / "2026-10" / "versions.json").is_file()


def test_a_second_run_changes_nothing_but_when_the_last_run_ended(published: tuple[Path, str]) -> None:
    place, _ = published
    before = _modification_times(place / "out")
    done = piperoll("run", "--inbox", "inbox", "--to", "out", cwd=place)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing changed: 2 files had been received before.")
    after = _modification_times(place / "out")
    ended = layout.last_run(None)  # health needs it: without it, nobody could tell that runs still happen
    assert after.pop(ended) > before.pop(ended)
    assert after == before


def _modification_times(store: Path) -> dict[str, int]:
    """Of every object of a store in a folder; the files in `.locks`, which are empty, are no objects."""
    files = (path for path in store.rglob("*") if path.is_file() and path.parent.name != ".locks")
    return {str(path.relative_to(store)): path.stat().st_mtime_ns for path in files}


def test_due_lists_what_a_body_owes(published: tuple[Path, str]) -> None:
    place, _ = published
    header = "id,slug,name,kind,aliases,same_as,contact,licence\n"
    written(place / "bodies.csv", f"{header}gss:E07999901,anytown,Anytown Council,council,,,,OGL-UK-3.0\n")
    done = piperoll(
        "due", "--to", "out", "--bodies", "bodies.csv", "--on", "2027-02-15", "--since", "2026-10-01", cwd=place
    )
    assert done.returncode == 0, done.stderr
    line = r"^2027-01-31 +(missing|late) +contracts +October to December 2026 +Anytown Council"
    assert re.search(line, done.stdout, re.MULTILINE)
    assert "2 bodies owe" in done.stdout  # those of the file, and those that have sent something


def test_a_replay_reports_what_would_change(published: tuple[Path, str]) -> None:
    place, _ = published
    done = piperoll("replay", "--from", "out", "--into", "again", cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0 files would change, 2 would not. The result is in again."
    assert "is not empty" in piperoll("replay", "--from", "out", "--into", "again", cwd=place).stderr


def test_only_what_is_held_can_be_released(published: tuple[Path, str]) -> None:
    place, _ = published
    rejected = next((place / "out" / "reports" / "spend" / "elsewhere").glob("*.json")).stem
    done = piperoll("release", rejected[:12], "--to", "out", "--because", "we asked", cwd=place)
    assert done.returncode == 2
    assert "is not held" in done.stderr


def test_the_site_is_served_and_the_archive_is_not(published: tuple[Path, str]) -> None:
    place, _ = published
    command = [str(PIPEROLL), "site", "out", "--port", "0", "--no-browser"]
    loud = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True, env=loud) as site:
        assert site.stdout is not None
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/", site.stdout.readline())
            assert address
            page = requests.get(address[0], timeout=PATIENCE_SECONDS)
            assert (page.status_code, page.url) == (200, f"{address[0]}catalogue/index.html")
            archived = next((place / "out" / "archive").rglob("*/*/*")).relative_to(place / "out")
            assert requests.get(f"{address[0]}{archived}", timeout=PATIENCE_SECONDS).status_code == 404
        finally:
            site.terminate()
            site.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "command", ["list out", "datasets", "explain not-data", "check good.csv", "check good.csv --json"]
)
def test_output_that_nobody_reads_to_its_end_had_the_exit_status_of_a_held_file(
    published: tuple[Path, str], command: str
) -> None:
    """`piperoll list DEST | head` ended with 1; other programs end as if by the signal."""
    place, _ = published
    (place / "good.csv").write_text(GOOD)
    given = [str(PIPEROLL), *command.split()]
    with subprocess.Popen(given, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("command", ["api", "portal", "site"])
def test_a_server_whose_port_is_taken_says_so_before_it_says_where_it_is(
    published: tuple[Path, str], command: str
) -> None:
    """`api` and `portal` told their address, then the error of a library, and ended with status 3."""
    place, _ = published
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = piperoll(command, "out", "--port", str(port), cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"piperoll: 127.0.0.1:{port} cannot be used (Address already in use): use another --")
    assert done.stderr.count("\n") == 1


def test_help_takes_less_than_half_a_second(tmp_path: Path) -> None:
    """Of the processor: how long it waits for one says nothing."""
    quickest = min(_processor_seconds(tmp_path) for _ in range(5))
    assert quickest < 0.5, quickest


def _processor_seconds(cwd: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    piperoll("--help", cwd=cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
