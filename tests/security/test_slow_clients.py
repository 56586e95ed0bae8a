"""Clients that send or read slowly, over real sockets: none of them takes a place from anybody else for long."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from hosting.limits import MEGABYTE, ApiLimits
from publishers import FolderStore
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.serving.published_place import GOOD, Served, publish_world, published, released, row, serving

PATIENCE = 3.0
"""Seconds that a client may stay behind in these tests."""

LIMITS = ApiLimits(
    patience_seconds=PATIENCE,
    least_rate=64 * 1024,
    wait_seconds=PATIENCE_SECONDS,
    checks_at_once=1,
    at_once=2,
    upload_bytes=8 * MEGABYTE,
)
HEAD = (
    "POST /check HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n"
    "Accept: {}\r\n\r\n"
)
PART = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has a table that is too large for the buffers of a socket."""
    folder = tmp_path_factory.mktemp("slow")
    store = FolderStore(folder / "store")
    publish_world(store, folder / "scratch")
    rows = [row(number, supplier_name=f"Acorn {number} " + "x" * 200) for number in range(20_000)]
    published(store, released(folder / "scratch", "spend/bigton/2026-10", rows), "2026-11-21T09:00:00Z")
    return folder


@pytest.fixture(scope="module")
def patient(folder: Path) -> Iterator[Served]:
    """A server with short limits."""
    with serving(str(folder / "store"), folder / "cache", LIMITS) as served:
        for body in ("anytown", "bigton"):  # nobody has built the catalogue, so the first query consolidates
            assert served.get(f"/rows/spend?body={body}&limit=1").status_code == 200
        yield served


def connect(api: Served, text: str, *, buffer: int | None = None) -> socket.socket:
    address = urlsplit(api.address)
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect((address.hostname, address.port))
    client.settimeout(PATIENCE_SECONDS)
    client.sendall(text.encode())
    return client


def read_all(client: socket.socket) -> bytes:
    content = b""
    while piece := client.recv(65_536):
        content += piece
    return content


def test_idle_uploads_keep_nobody_else_from_a_check(patient: Served) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(connect(patient, HEAD.format(100_000, "application/json") + PART))
        answer = requests.post(f"{patient.address}/check", files={"file": ("a.csv", GOOD)}, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200


@pytest.mark.parametrize(("accept", "words"), [("application/json", b"too-slow-to-send"), ("text/html", b"<h1>")])
def test_an_upload_that_does_not_arrive_is_ended(patient: Served, accept: str, words: bytes) -> None:
    with connect(patient, HEAD.format(100_000, accept) + PART) as client:
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 408")
    assert words in answer


def test_an_upload_that_arrives_drop_by_drop_is_ended(patient: Served) -> None:
    with connect(patient, HEAD.format(1_000_000, "application/json") + PART) as client:
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.1):
                try:
                    client.sendall(b"a")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            answer = client.recv(65_536)
        finally:
            stop.set()
            thread.join()
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.fixture
def most_patient(folder: Path) -> Iterator[Served]:
    """A server that waits for a client for as long as a busy machine may need."""
    limits = replace(LIMITS, patience_seconds=PATIENCE_SECONDS)
    with serving(str(folder / "store"), folder / "cache of the most patient", limits) as served:
        yield served


def test_uploads_that_fill_the_memory_are_refused_and_give_it_back(most_patient: Served) -> None:
    with connect(most_patient, HEAD.format(7 * MEGABYTE, "application/json") + PART) as held:
        held.sendall(b"a" * 6 * MEGABYTE)
        with connect(most_patient, HEAD.format(4 * MEGABYTE, "application/json") + PART) as refused:
            while not select.select([refused], [], [], 0.05)[0]:  # who sends on after the answer may not get to read it
                refused.sendall(b"a" * 100_000)
            assert b" 429 " in refused.recv(65_536)
        held.shutdown(socket.SHUT_WR)
        read_all(held)
    large = {"file": ("a.csv", b"a" * 3 * MEGABYTE)}
    assert requests.post(f"{most_patient.address}/check", files=large, timeout=PATIENCE_SECONDS).status_code == 200


def test_readers_that_do_not_read_give_their_places_back(patient: Served) -> None:
    request = "GET /rows/spend?body=bigton&format=csv HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(LIMITS.at_once):
            stack.enter_context(connect(patient, request, buffer=4096))
        time.sleep(0.5)  # they hold the places before the others ask
        answer = patient.get("/rows/spend?body=anytown&limit=1")
        assert answer.status_code == 200, answer.text


def test_a_reader_who_reads_gets_the_whole_answer(most_patient: Served) -> None:
    answer = most_patient.get("/rows/spend?body=bigton&format=csv")
    assert answer.status_code == 200
    assert answer.content.count(b"\r\n") == 20_001
