"""Checking a file over HTTP: the report of the command line, nothing stored, hostile input refused."""

from __future__ import annotations

import html
import json
import re
import tempfile
from base64 import b64decode
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from hosting.limits import MEGABYTE, ApiLimits
from hosting.problems import Problem
from piperoll import assets, cli
from serving.check_upload import name_report, parse_period
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.serving.published_place import BAD, GOOD, HEADINGS, LINES, Served, serving


def check(
    api: Served, content: bytes, name: str = "October 2026.csv", accept: str = "*/*", **more: str
) -> requests.Response:
    files = {"file": (name, content)}
    return requests.post(
        f"{api.address}/check", files=files, data=more, headers={"Accept": accept}, timeout=PATIENCE_SECONDS
    )


@pytest.mark.parametrize("content", [GOOD, BAD])
def test_the_report_is_that_of_the_command(api: Served, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "October 2026.csv"
    path.write_bytes(content)
    printed = CliRunner().invoke(cli.app, ["check", str(path), "--json", "--dataset", "spend"])
    answer = check(api, content, dataset="spend")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(printed.stdout)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_report_can_be_saved(api: Served) -> None:
    answer = check(api, BAD, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    page = answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "<script" not in page
    assert html.escape("<script>alert(1)</script>") in page or "alert(1)" not in page
    link = r'download="report-October-2026.html" href="data:text/html;charset=utf-8;base64,([^"]+)"'
    [kept] = re.findall(link, page)
    whole = b64decode(kept).decode()
    assert whole.startswith("<!DOCTYPE html>")
    assert whole.replace("\n", "") in re.sub(r"\n<p class=\"actions\">.*?</p>", "", page).replace("\n", "")


def test_the_form_needs_no_script_and_labels_its_fields(api: Served) -> None:
    page = api.get("/check").text
    assert "<script" not in page
    for name in ("file", "dataset", "period", "body", "kind"):
        assert re.search(f'<label for="?{name}"?>', page)
        assert re.search(f'<(input|select) id="?{name}"? ', page)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.csv",
        "C:\\Users\\me\\October.csv",
        "<img src=x onerror=alert(1)>.csv",
        "a\r\nX: y.csv",
        "é" * 400 + ".csv",
    ],
)
def test_a_hostile_name_is_only_a_name(api: Served, name: str) -> None:
    answer = check(api, GOOD, name, accept="text/html")
    assert answer.status_code == 200
    assert "<img" not in answer.text
    file = check(api, GOOD, name).json()["file"]
    assert not {"/", "\\", "\r", "\n"} & set(file)
    assert 0 < len(file) <= 200


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 1000, b"PK\x03\x04 no archive", b"%PDF-1.4 no", b"\xff\xfe\x00", b"a" * 100_000]
)
def test_a_file_without_a_table_gets_a_report(api: Served, content: bytes) -> None:
    answer = check(api, content)
    assert answer.status_code == 200
    assert answer.json()["verdict"] in ("rejected", "held", "nil")


PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("file", "report"),
    [
        ("Payments over £500, October.2026.csv", "report-Payments-over-500-October.2026.html"),
        ("../../etc/passwd", "report-passwd.html"),
        ('a"b<c>;d=e\r\n.csv', "report-a-b-c-d-e.html"),
        ("é" * 400 + ".csv", f"report-{'é' * 60}.html"),
        ("???.csv", "report.html"),
        (".csv", "report-csv.html"),
    ],
)
def test_the_report_is_named_after_the_file(file: str, report: str) -> None:
    assert name_report(file.rpartition("/")[2]) == report


@pytest.mark.parametrize(
    ("text", "period"),
    [
        *(("October 2026", "2026-10"), ("10/2026", "2026-10"), ("2026-10", "2026-10"), ("Q2 2026-27", "2026-Q3")),
        *(("2026-Q4", "2026-Q4"), ("2026-27", "2026-27"), ("2026-10-31", "2026-10-31"), ("1.2027", "2027-01")),
    ],
)
def test_a_period_is_written_as_people_write_it(text: str, period: str) -> None:
    assert str(parse_period(text)) == period


@pytest.mark.parametrize("text", ["October", "13/2026", "last month", "x" * 1000])
def test_a_text_that_is_no_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Problem, match="October 2026"):
        parse_period(text)


def test_a_period_that_a_person_writes_is_that_of_the_report(api: Served) -> None:
    assert check(api, GOOD, dataset="spend", period="October 2026").json()["period"] == "2026-10"


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"period": "Octember 2026"}, 400, "October 2026"),
        ({"dataset": "spent"}, 400, "spend"),
        ({"kind": "counsel"}, 400, "council"),
        ({"body": "Cabinet Ofice"}, 400, "Cabinet Office"),
    ],
)
def test_an_error_is_a_page_for_a_browser_and_a_document_for_a_program(
    api: Served, more: dict[str, str], status: int, words: str
) -> None:
    page = check(api, GOOD, accept=PAGE, **more)
    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert words in page.text
    assert "<h2>What to do</h2>" in page.text
    assert 'href="/check"' in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    document = check(api, GOOD, **more)
    assert (document.status_code, document.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in document.json()["detail"]


def test_a_form_without_a_file_and_other_methods_get_pages(api: Served) -> None:
    empty = requests.post(
        f"{api.address}/check", files={"file": ("", b"")}, headers={"Accept": PAGE}, timeout=PATIENCE_SECONDS
    )
    assert empty.status_code == 400
    assert "No file was chosen" in empty.text
    other = requests.delete(f"{api.address}/check", headers={"Accept": PAGE}, timeout=PATIENCE_SECONDS)
    assert (other.status_code, other.headers["Content-Type"]) == (405, "text/html; charset=utf-8")
    unknown = api.get("/templates/spent.xlsx", headers={"Accept": PAGE})
    assert unknown.status_code == 404
    assert "spend.xlsx" in unknown.text
    assert api.get("/nothing", headers={"Accept": PAGE}).headers["Content-Type"] == "application/problem+json"


def test_a_file_beyond_the_limit_gets_a_page_though_it_was_not_taken(world: Path, tmp_path: Path) -> None:
    limits = ApiLimits(check_bytes=MEGABYTE, check_seconds=0.01)
    with serving(str(world), tmp_path / "cache", limits) as api:
        large = check(api, b"a" * (3 * MEGABYTE), accept=PAGE)
        assert large.status_code == 413
        assert "The file is larger than 1 MB" in large.text
        heavy = check(api, GOOD, accept=PAGE)
        assert heavy.status_code == 422
        assert "What to do" in heavy.text
    with serving(str(world), tmp_path / "cache", ApiLimits(checks_at_once=0, wait_seconds=0.1)) as api:
        busy = check(api, GOOD, accept=PAGE)
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "5")
        assert "Wait a minute" in busy.text


def test_blank_forms_are_those_of_the_command(api: Served, tmp_path: Path) -> None:
    page = api.get("/check").text
    for name in assets.dataset_names():
        for kind in ("csv", "xlsx"):
            assert f'href="/templates/{name}.{kind}"' in page
            out = tmp_path / f"{name}.{kind}"
            CliRunner().invoke(cli.app, ["template", name, "--out", str(out)])
            answer = api.get(f"/templates/{name}.{kind}")
            assert answer.content == out.read_bytes()
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{kind}"'


def test_the_kind_of_body_decides_its_duties(api: Served) -> None:
    assert check(api, GOOD, kind="council").json()["kind"] == "council"
    assert check(api, GOOD, body="Cabinet Office").json()["kind"] == "department"
    assert check(api, GOOD, body="Anytown Council", kind="council").json()["kind"] == "council"


def test_a_file_of_a_known_body_is_compared_with_what_it_published(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox" / "spend" / "cabinet-office"
    inbox.mkdir(parents=True)
    september = GOOD.replace(b"/10/2026", b"/09/2026")
    (inbox / "September 2026.csv").write_bytes(september)
    store = tmp_path / "published"
    run = CliRunner().invoke(cli.app, ["run", "--inbox", str(tmp_path / "inbox"), "--to", str(store)])
    assert run.exit_code == 0, run.output
    before = sorted(store.rglob("*"))
    with serving(str(store), tmp_path / "cache") as api:
        again = check(api, september, "September 2026.csv", body="Cabinet Office").json()
        other = check(api, GOOD, body="cabinet office").json()
        alone = check(api, september, "September 2026.csv").json()
        page = check(api, september, "September 2026.csv", accept=PAGE, body="Cabinet Office").text
    assert "file-taken-in-before" in {finding["code"] for finding in again["findings"]}
    assert "file-taken-in-before" not in {finding["code"] for finding in [*alone["findings"], *other["findings"]]}
    assert str(tmp_path) not in json.dumps([again, other]) + page
    assert sorted(store.rglob("*")) == before


def test_an_invalid_form_is_refused(api: Served) -> None:
    for more in ({"dataset": "spent"}, {"period": "October"}):
        answer = check(api, GOOD, **more)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert requests.post(f"{api.address}/check", data={"a": "b"}, timeout=PATIENCE_SECONDS).status_code == 415
    assert (
        requests.post(f"{api.address}/check", files={"other": ("a.csv", GOOD)}, timeout=PATIENCE_SECONDS).status_code
        == 400
    )
    two = [("file", ("a.csv", GOOD)), ("file", ("b.csv", GOOD))]
    assert requests.post(f"{api.address}/check", files=two, timeout=PATIENCE_SECONDS).status_code == 400
    broken = {"Content-Type": "multipart/form-data"}
    assert requests.post(f"{api.address}/check", data=b"x", headers=broken, timeout=PATIENCE_SECONDS).status_code == 400


def test_a_file_that_is_too_large_is_refused(world: Path, tmp_path: Path) -> None:
    with serving(str(world), tmp_path / "cache", ApiLimits(check_bytes=MEGABYTE)) as api:
        assert check(api, b"a" * (2 * MEGABYTE)).status_code == 413

        def endless() -> object:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(64):
                yield b"a" * 65_536

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        try:
            status = requests.post(
                f"{api.address}/check", data=endless(), headers=kind, timeout=PATIENCE_SECONDS
            ).status_code
        except requests.ConnectionError:
            status = 413  # the server closed the connection while the client was still sending
        assert status == 413
        assert check(api, GOOD).status_code == 200


def test_a_file_that_needs_too_much_time_or_memory_is_refused(world: Path, tmp_path: Path) -> None:
    with serving(str(world), tmp_path / "cache", ApiLimits(check_seconds=0.01)) as api:
        answer = check(api, GOOD)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:piperoll:problem:too-heavy")
    with serving(str(world), tmp_path / "cache", ApiLimits(check_memory_bytes=MEGABYTE, check_seconds=20)) as api:
        large = "\r\n".join(
            [HEADINGS, *LINES * 3_000, ""]
        ).encode()  # a small one fits into memory that is there already
        assert check(api, large).json()["type"] == "urn:piperoll:problem:too-heavy"


def test_the_file_is_not_stored(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = sorted(world.rglob("*"))
    with serving(str(world), tmp_path / "cache") as api:
        large = "\r\n".join([HEADINGS, *LINES * 3_000, ""]).encode()
        assert check(api, large).status_code == 200
        assert list((tmp_path / "temporary").rglob("*.csv")) == []
    assert sorted(world.rglob("*")) == before
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
