"""Fetching files from a local server that misbehaves."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors import FetchLimits, FetchResponse, fetch_file, find_links
from collectors.web import is_refused, name_download, resolve_public, retry_after
from piperoll.errors import AddressRefused, CollectError, SourceGone, SourceUnavailable, TooLarge
from tests.collectors.misbehaving_server import CSV, PAGE, Misbehaving
from tests.fixtures.ports import reserve_port
from tests.fixtures.waiting import PATIENCE_SECONDS

LIMITS = FetchLimits(timeout_seconds=PATIENCE_SECONDS, max_download_bytes=4000, allow_private_addresses=True)
QUICK = replace(LIMITS, timeout_seconds=0.5)
"""For servers that do not answer."""


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running


@pytest.fixture
def fetch(server: Misbehaving, tmp_path: Path) -> object:
    def one(path: str, limits: FetchLimits = LIMITS, **more: object) -> FetchResponse:
        return fetch_file(server.address + path, tmp_path, limits, **more)  # type: ignore[arg-type]

    return one


def test_a_file_is_fetched_with_its_name_and_hash(fetch) -> None:
    answer = fetch("/data/Spend%20October%202026.csv?download=1")
    assert answer.error is None
    assert answer.path.read_bytes() == CSV
    assert (answer.name, answer.bytes, answer.status) == ("Spend October 2026.csv", len(CSV), 200)
    assert answer.sha256 == hashlib.sha256(CSV).hexdigest()
    assert answer.headers["Content-Type"] == "text/csv"


def test_a_name_from_the_server_cannot_leave_the_folder(fetch) -> None:
    assert fetch("/named").name == "Spend £500.csv"


@pytest.mark.parametrize("path", ["/html", "/wrong-type"])
def test_a_page_in_place_of_data_is_fetched_and_checked_later(fetch, path: str) -> None:
    answer = fetch(path)
    assert answer.error is None
    assert answer.bytes > 0


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/missing", SourceGone, "404"),
        ("/forbidden", SourceGone, "403"),
        ("/gone", SourceGone, "410"),
        ("/nothing", SourceGone, "204"),
        ("/circle", SourceGone, "redirects more than 10 times"),
        ("/silent", SourceUnavailable, "within 0.5 seconds"),
        ("/cut", SourceUnavailable, "before the file was complete"),
        ("/cut-chunks", SourceUnavailable, "before the file was complete"),
        ("/huge", TooLarge, "5,000 bytes"),
        ("/huge-untold", TooLarge, "over the limit of 4,000"),
        ("/to-file", AddressRefused, "not a web address"),
        ("/to-nonsense", SourceGone, "cannot be fetched"),
        ("/to-long-label", AddressRefused, "not a valid web address"),
        ("/endless-length", SourceGone, "5,000 digits"),
        ("/not-modified", SourceGone, "304"),
    ],
)
def test_an_error_has_its_class_and_a_message(fetch, path: str, error: type[CollectError], words: str) -> None:
    answer = fetch(path, QUICK if path == "/silent" else LIMITS)
    assert type(answer.error) is error
    assert words in str(answer.error)
    assert answer.path is None
    assert answer.to_json()["trouble"].startswith(error.__name__)


@pytest.mark.parametrize("path", ["/cut", "/cut-chunks", "/huge", "/huge-untold"])
def test_an_answer_that_is_cut_off_has_its_status(fetch, path: str) -> None:
    """It had none, so its host counted as one that does not answer, and other addresses of it were given up."""
    answer = fetch(path)
    assert answer.status == answer.to_json()["status"] == 200
    assert answer.headers


@pytest.fixture
def two_seconds_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch may take two seconds, and a single read as long as it needs: a busy machine makes pauses of its own."""
    monkeypatch.setattr("collectors.web._WHOLE_FETCH_FACTOR", 2 / PATIENCE_SECONDS)


@pytest.mark.usefixtures("two_seconds_in_all")
def test_a_slow_response_is_cut_off_after_a_time_limit(fetch) -> None:
    assert "took more than 2 seconds" in str(fetch("/dripping").error)


@pytest.mark.usefixtures("two_seconds_in_all")
def test_headers_sent_drop_by_drop_do_not_escape_the_time_limit(fetch) -> None:
    """Each header came within the time-out of a read, so the request went on for minutes."""
    answer = fetch("/dripping-headers")
    assert isinstance(answer.error, SourceUnavailable)
    assert "took more than 2 seconds" in str(answer.error)


def test_an_error_of_the_server_is_retryable(fetch) -> None:
    first, second = fetch("/shaky/web"), fetch("/shaky/web")
    assert isinstance(first.error, SourceUnavailable)
    assert first.error.retryable
    assert second.error is None


def test_a_busy_server_says_how_long_to_wait(fetch) -> None:
    error = fetch("/busy").error
    assert isinstance(error, SourceUnavailable)
    assert error.retry_after_seconds == 7


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 11, 1, 6, 0, 0, tzinfo=UTC)
    assert retry_after("Sun, 01 Nov 2026 06:01:30 GMT", now) == 90
    assert retry_after("Sun, 01 Nov 2026 05:00:00 GMT", now) == 0
    assert retry_after("soon", now) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120\x1e", 120),
        ("1 Jan 2026 00:00:00 +99999999999999", None),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
        ("99999999999999999999-1-1", None),
    ],
)
def test_a_server_that_asks_to_wait_in_nonsense_does_not_end_the_fetch_with_another_error(
    header: str, seconds: float | None
) -> None:
    """A control character after the number, and years and zones that no date has, came out as ValueError and more."""
    assert retry_after(header, datetime(2026, 11, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "header",
    [
        "attachment; filename*0*=a; filename*=utf-8''b",
        "attachment; filename*=a%00b''x",
        "attachment; filename*=idna''..%2f",
        f"attachment; filename*{'9' * 5000}=x",
    ],
)
def test_a_file_whose_name_cannot_be_decoded_has_that_of_its_address(header: str) -> None:
    assert name_download(header, "https://council.example/data/spend%20October.csv?v=2") == "spend October.csv"


def test_an_unchanged_file_is_not_fetched_again(server: Misbehaving, fetch) -> None:
    first = fetch("/tagged")
    second = fetch("/tagged", last=first.to_json())
    assert second.unchanged
    assert (second.error, second.path) == (None, None)
    assert server.requests[-1][1]["If-None-Match"] == '"one"'
    assert server.requests[-1][1]["If-Modified-Since"] == "Sun, 01 Nov 2026 06:00:00 GMT"


def test_redirects_are_followed_and_logged(server: Misbehaving, fetch) -> None:
    answer = fetch("/moved")
    assert answer.hops == (f"{server.address}/moved", f"{server.address}/data/spend-2026-10.csv")
    assert answer.name == "spend-2026-10.csv"


def test_a_refused_connection_is_retryable(tmp_path: Path) -> None:
    answer = fetch_file(f"http://127.0.0.1:{reserve_port()}/x.csv", tmp_path, LIMITS)
    assert isinstance(answer.error, SourceUnavailable)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"])  # noqa: S104
def test_this_machine_is_refused_in_every_spelling(server: Misbehaving, tmp_path: Path, host: str) -> None:
    before = len(server.requests)
    answer = fetch_file(f"http://{host}:{server.server_port}/data/x.csv", tmp_path, FetchLimits(PATIENCE_SECONDS, 4000))
    assert isinstance(answer.error, AddressRefused)
    assert "PIPEROLL_ALLOW_PRIVATE_ADDRESSES" in str(answer.error)
    assert len(server.requests) == before


def test_a_redirect_to_a_private_address_is_refused(
    server: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every hop is checked. The first one is allowed here, as if this machine were a public server."""
    monkeypatch.setattr("collectors.web.is_refused", lambda text: text != "127.0.0.1" and is_refused(text))
    answer = fetch_file(f"{server.address}/to-private", tmp_path, FetchLimits(PATIENCE_SECONDS, 4000))
    assert isinstance(answer.error, AddressRefused)
    assert answer.hops[-1] == "http://169.254.169.254/latest/meta-data/"


def test_the_connection_goes_to_the_address_that_was_checked(
    server: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name can resolve to a public address when checked and a private one later, so it is resolved once."""
    looked_up: list[str] = []

    def once(host: str, port: int) -> str:
        looked_up.append(host)
        return "127.0.0.1"

    monkeypatch.setattr("collectors.web.resolve_public", once)
    answer = fetch_file(
        f"http://council.example:{server.server_port}/data/x.csv", tmp_path, FetchLimits(PATIENCE_SECONDS, 4000)
    )
    assert answer.error is None
    assert looked_up == ["council.example"]
    assert server.requests[-1][1]["Host"] == f"council.example:{server.server_port}"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1%eth0"),
        *("fc00::1", "ff02::1", "::ffff:8.8.8.8", "2002:7f00:1::", "2001:db8::1", "64:ff9b::7f00:1", "::127.0.0.1"),
        *("168.63.129.16", "192.0.0.192", "192.88.99.1", "fec0::1", "2001::1", "3fff::1", "64:ff9b:1::1", "5f00::1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert is_refused(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.0.144", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert not is_refused(address)


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(0, 0, 0, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        resolve_public("council.example", 80)


def test_links_match_by_address_or_text_and_are_listed_once() -> None:
    base = "https://council.example/open/"
    october = "https://council.example/data/spend-2026-10.csv"
    assert find_links(PAGE, base, r"2026-(09|10)\.csv$")[0] == "https://council.example/data/spend-2026-09.csv"
    assert find_links(PAGE, base, r"^October 2026") == ("https://council.example/open/data/spend-2026-10.csv", october)
    assert find_links(PAGE, base, "nothing like it") == ()
