"""Checking a file over HTTP: the same report as on the command line, nothing kept, and no harm done."""

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
from tests.serving.published_place import Served, serving

HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department"
LINES = [f"{day:02}/10/2026,Acorn Roofing Ltd,{600 + day}.00,T{day},Supplies,Estates" for day in range(1, 13)]
GOOD = "\r\n".join([HEADINGS, *LINES, ""]).encode()
BAD = "\r\n".join([HEADINGS, *LINES, "32/13/2026,<script>alert(1)</script>,1.250.00,T99,Supplies,Estates", ""]).encode()


def check(
    api: Served, content: bytes, name: str = "October 2026.csv", accept: str = "*/*", **more: str
) -> requests.Response:
    files = {"file": (name, content)}
    return requests.post(f"{api.address}/check", files=files, data=more, headers={"Accept": accept}, timeout=120)


@pytest.mark.parametrize("content", [GOOD, BAD])
def test_the_report_is_that_of_the_command(api: Served, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "October 2026.csv"
    path.write_bytes(content)
    said = CliRunner().invoke(cli.app, ["check", str(path), "--json", "--dataset", "spend"])
    answer = check(api, content, dataset="spend")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(said.stdout)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_can_be_kept_as_the_same_page(api: Served) -> None:
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
    told = check(api, GOOD, name).json()["file"]
    assert not {"/", "\\", "\r", "\n"} & set(told)
    assert 0 < len(told) <= 200


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 1000, b"PK\x03\x04 no archive", b"%PDF-1.4 no", b"\xff\xfe\x00", b"a" * 100_000]
)
def test_a_file_that_is_no_table_is_a_report_and_no_fault(api: Served, content: bytes) -> None:
    answer = check(api, content)
    assert answer.status_code == 200
    assert answer.json()["verdict"] in ("rejected", "held", "nil")


def test_what_is_said_of_the_file_must_be_right(api: Served) -> None:
    for more in ({"dataset": "spent"}, {"period": "October"}):
        answer = check(api, GOOD, **more)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert requests.post(f"{api.address}/check", data={"a": "b"}, timeout=30).status_code == 415
    assert requests.post(f"{api.address}/check", files={"other": ("a.csv", GOOD)}, timeout=30).status_code == 400
    two = [("file", ("a.csv", GOOD)), ("file", ("b.csv", GOOD))]
    assert requests.post(f"{api.address}/check", files=two, timeout=30).status_code == 400
    broken = {"Content-Type": "multipart/form-data"}
    assert requests.post(f"{api.address}/check", data=b"x", headers=broken, timeout=30).status_code == 400


def test_a_file_that_is_too_large_is_refused_before_it_is_read(world: Path, tmp_path: Path) -> None:
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
            status = 413  # we answered and went, while it was still sending
        assert status == 413
        assert check(api, GOOD).status_code == 200


def test_a_file_that_is_too_heavy_is_told_so(world: Path, tmp_path: Path) -> None:
    with serving(str(world), tmp_path / "cache", ApiLimits(check_seconds=0.01)) as api:
        answer = check(api, GOOD)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:piperoll:problem:too-heavy")
    with serving(str(world), tmp_path / "cache", ApiLimits(check_memory_bytes=MEGABYTE)) as api:
        assert check(api, GOOD).status_code == 422


def test_nothing_is_kept(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = sorted(world.rglob("*"))
    with serving(str(world), tmp_path / "cache") as api:
        large = "\r\n".join([HEADINGS, *LINES * 3_000, ""]).encode()
        assert check(api, large).status_code == 200
        assert list((tmp_path / "temporary").rglob("*.csv")) == []
    assert sorted(world.rglob("*")) == before
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
