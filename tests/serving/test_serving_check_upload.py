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

from piperoll import cli
from serving.limits import MEGABYTE, ApiLimits
from tests.serving.published_place import BAD, GOOD, HEADINGS, LINES, Served, serving


def check(
    api: Served, content: bytes, name: str = "October 2026.csv", accept: str = "*/*", **more: str
) -> requests.Response:
    files = {"file": (name, content)}
    return requests.post(f"{api.address}/check", files=files, data=more, headers={"Accept": accept}, timeout=120)


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
    [kept] = re.findall(r'download="report.html" href="data:text/html;charset=utf-8;base64,([^"]+)"', page)
    whole = b64decode(kept).decode()
    assert whole.startswith("<!DOCTYPE html>")
    assert whole.replace("\n", "") in re.sub(r"\n<p><a download=.*?</p>", "", page).replace("\n", "")


def test_the_form_needs_no_script_and_labels_its_fields(api: Served) -> None:
    page = api.get("/check").text
    assert "<script" not in page
    for name in ("file", "dataset", "period"):
        assert f'for="{name}"' in page
        assert f'id="{name}"' in page


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


def test_an_invalid_form_is_refused(api: Served) -> None:
    for more in ({"dataset": "spent"}, {"period": "October"}):
        answer = check(api, GOOD, **more)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert requests.post(f"{api.address}/check", data={"a": "b"}, timeout=30).status_code == 415
    assert requests.post(f"{api.address}/check", files={"other": ("a.csv", GOOD)}, timeout=30).status_code == 400
    two = [("file", ("a.csv", GOOD)), ("file", ("b.csv", GOOD))]
    assert requests.post(f"{api.address}/check", files=two, timeout=30).status_code == 400
    broken = {"Content-Type": "multipart/form-data"}
    assert requests.post(f"{api.address}/check", data=b"x", headers=broken, timeout=30).status_code == 400


def test_a_file_that_is_too_large_is_refused(world: Path, tmp_path: Path) -> None:
    with serving(str(world), tmp_path / "cache", ApiLimits(check_bytes=MEGABYTE)) as api:
        assert check(api, b"a" * (2 * MEGABYTE)).status_code == 413

        def endless() -> object:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(64):
                yield b"a" * 65_536

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        try:
            status = requests.post(f"{api.address}/check", data=endless(), headers=kind, timeout=30).status_code
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
