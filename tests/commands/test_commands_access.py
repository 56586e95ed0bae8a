"""The commands of the portal: who may do what, and a portal that is started, used over HTTP, and stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner, Result

from piperoll.cli import app
from piperoll.errors import SettingsError, UsageError
from tests.fixtures.ports import reserve_port
from tests.fixtures.waiting import PATIENCE_SECONDS, eventually

KEY = "a-key-that-opens-a-calendar-to-anyone"
SECRET = "a secret of more than thirty-two characters"  # noqa: S105 - of a test


def run(*arguments: str, store: Path) -> Result:
    return CliRunner().invoke(app, ["access", *arguments, "--to", str(store)], catch_exceptions=True)


def kept(store: Path) -> str:
    files = [path for path in (store / "access").rglob("*") if path.is_file()]
    return "\n".join([*map(str, files), *(path.read_text("utf-8") for path in files)])


def test_a_grant_is_made_listed_and_taken_back(tmp_path: Path) -> None:
    granted = run(
        "grant", "submit", "decide", "--body", "anytown", "--person", "J.Example@Anytown.example", store=tmp_path
    )
    assert "Granted decide, submit for anytown" in granted.output
    identifier = re.findall(r"revoke (\w+)", granted.output)[0]
    assert identifier in run("list", store=tmp_path).output
    assert identifier in run("list", "--person", "j.example@anytown.example", store=tmp_path).output
    assert "Nothing is granted" in run("list", "--person", "other@anytown.example", store=tmp_path).output
    assert "Nothing is granted" in run("list", "--body", "otherton", store=tmp_path).output
    assert "Revoked decide, submit for anytown" in run("revoke", identifier, store=tmp_path).output
    assert "Nothing is granted" in run("list", store=tmp_path).output


def test_the_store_holds_no_address_domain_group_or_key(tmp_path: Path) -> None:
    run("grant", "submit", "--body", "anytown", "--person", "j.example@anytown.example", store=tmp_path)
    run("grant", "submit", "--body", "anytown", "--domain", "anytown.example", store=tmp_path)
    run("grant", "operate", "--group", "open-data-team", store=tmp_path)
    key = run("grant", "submit", "--body", "anytown", "--key", store=tmp_path).output.splitlines()[-1]
    assert key.startswith("piperoll_")
    assert len(key) > 40
    for word in ("example", "open-data-team", key, key.removeprefix("piperoll_")):
        assert word not in kept(tmp_path)


def test_hashes_of_one_secret_are_worth_nothing_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEROLL_PORTAL_SECRET", SECRET)
    run("grant", "submit", "--body", "anytown", "--person", "j@anytown.example", store=tmp_path)
    assert "anytown" in run("list", "--person", "j@anytown.example", store=tmp_path).output
    monkeypatch.setenv("PIPEROLL_PORTAL_SECRET", SECRET + "2")
    assert "Nothing is granted" in run("list", "--person", "j@anytown.example", store=tmp_path).output
    assert not (tmp_path / "access" / "secret").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["submit", "--body", "anytown"], "say to whom"),
        (["submit", "--body", "anytown", "--key", "--group", "x"], "say to whom"),
        (["submit", "--key"], "name the body"),
        (["operate", "--body", "anytown", "--group", "x"], "leave out --body"),
        (["operate", "submit", "--body", "anytown", "--group", "x"], "leave out --body"),
        (["decide", "--body", "anytown", "--key"], "a key can have one role, submit or calendar"),
        (["submit", "--body", "../anytown", "--key"], "is not the short name of a body"),
        (["submit", "--body", "anytown", "--person", "Jane Example"], "is not an e-mail address"),
        (["submit", "--body", "anytown", "--domain", "anytown"], "is not a domain"),
        (["submit", "--body", "anytown", "--key", "--until", "31/03/2027"], "is not a day"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_in_words(tmp_path: Path, arguments: list[str], why: str) -> None:
    result = run("grant", *arguments, store=tmp_path)
    assert isinstance(result.exception, UsageError)
    assert why in str(result.exception)
    assert not (tmp_path / "access" / "grants").exists()


def test_what_was_never_granted_cannot_be_revoked(tmp_path: Path) -> None:
    result = run("revoke", "3fa9c2d17b60", store=tmp_path)
    assert "there is no grant" in str(result.exception)


def test_a_secret_that_is_too_short_and_a_public_address_without_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEROLL_PORTAL_SECRET", "short")
    assert isinstance(run("list", "--person", "j@anytown.example", store=tmp_path).exception, SettingsError)
    monkeypatch.delenv("PIPEROLL_PORTAL_SECRET")
    monkeypatch.setenv("PIPEROLL_PORTAL_URL", "https://portal.example")
    result = CliRunner().invoke(app, ["portal", str(tmp_path)])
    assert "PIPEROLL_PORTAL_SECRET is needed" in str(result.exception)


def test_the_address_that_signs_in_is_for_this_machine_only(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["portal", str(tmp_path), "--host", "0.0.0.0", "--body", "anytown"])  # noqa: S104
    assert "127.0.0.1 only" in str(result.exception)


def answers(address: str) -> bool:
    """True if the portal answers."""
    try:
        return requests.get(f"{address}/health", timeout=PATIENCE_SECONDS).ok
    except requests.ConnectionError:
        return False


@contextmanager
def started(store: Path) -> Iterator[tuple[str, str]]:
    """A portal in a process of its own: its address, and the one that signs in. It says neither more nor any key."""
    port = reserve_port()
    code = "from piperoll.cli import main; main()"
    command = [sys.executable, "-c", code, "portal", str(store), "--port", str(port), "--body", "anytown"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout is not None
            process.stdout.readline()
            once = process.stdout.readline().split()[-1]
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(address) or process.poll() is not None, "the portal answers")
            assert process.poll() is None
            yield address, once
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=PATIENCE_SECONDS)[0]
        assert said == ""


def test_a_portal_is_started_used_and_stopped(tmp_path: Path) -> None:
    with started(tmp_path) as (address, once), requests.Session() as browser:
        page = browser.get(once, timeout=PATIENCE_SECONDS)
        token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
        headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
        answer = browser.post(
            f"{address}/sign-in/link",
            data={"token": token},
            headers=headers,
            allow_redirects=False,
            timeout=PATIENCE_SECONDS,
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        start = browser.get(address, allow_redirects=False, timeout=PATIENCE_SECONDS)
        assert start.headers["Location"] == "/bodies/anytown/"
        assert "Server" not in start.headers
        again = requests.post(f"{address}/sign-in/link", data={"token": token}, timeout=PATIENCE_SECONDS)
        assert again.status_code == 403
        style = browser.get(f"{address}/style.css", timeout=PATIENCE_SECONDS)
        assert len(style.content) < 40_000
        assert len(page.content) + len(style.content) < 120_000
        assert browser.get(f"{address}/calendar/{KEY}.ics", timeout=PATIENCE_SECONDS).status_code == 404
        assert browser.get(f"{address}/calendar/%ff{KEY}.ics?{KEY}", timeout=PATIENCE_SECONDS).status_code == 404
        head = browser.head(f"{address}/sign-in", timeout=PATIENCE_SECONDS, allow_redirects=False)
        assert (head.status_code, head.content) == (303, b"")


def test_a_client_that_sends_its_form_too_slowly_is_cut_off(tmp_path: Path) -> None:
    with started(tmp_path) as (address, _):
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as slow:
            slow.sendall(b"POST /sign-in/email HTTP/1.1\r\nHost: x\r\n")  # and never the end of the head
            assert slow.recv(100) == b""
