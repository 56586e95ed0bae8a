"""Slow and idle clients of the API cannot take the places of others. Every client is a real socket."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from hosting.limits import ApiLimits
from hosting.transfers import AnswerSpool, PatientProtocol, SpoolBudget
from publishers import FolderStore
from tests.fixtures.waiting import PATIENCE_SECONDS, eventually
from tests.serving.published_place import Served, published, released, row, serving

T = TypeVar("T")

LIMITS = ApiLimits(at_once=2, wait_seconds=0.5, checks_at_once=1, patience_seconds=1.5)
ROWS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("busy")
    rows = [row(number) for number in range(ROWS)]
    published(
        FolderStore(folder / "store"),
        released(folder / "scratch", "spend/anytown/2026-10", rows),
        "2026-11-02T09:00:00Z",
    )
    return folder


@pytest.fixture(scope="module")
def busy(folder: Path) -> Iterator[Served]:
    with serving(str(folder / "store"), folder / "cache", LIMITS) as api:
        yield api


def opened(stack: ExitStack, api: Served, sent: bytes = b"") -> socket.socket:
    host, port = api.address.removeprefix("http://").split(":")
    caller = socket.socket()
    stack.enter_context(caller)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is taken that nobody reads
    caller.settimeout(PATIENCE_SECONDS)
    caller.connect((host, int(port)))
    caller.sendall(sent)
    return caller


def request(method: str, target: str, *headers: str) -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", *headers, "", "")).encode()


FILE_BEGINS = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
ALL_ROWS = request("GET", "/rows/spend?format=ndjson")


def test_four_readers_that_do_not_read_took_every_place(folder: Path) -> None:
    """As long as they stayed, which was many times as long as others wait."""
    limits = ApiLimits(at_once=2, wait_seconds=PATIENCE_SECONDS, patience_seconds=300)
    with serving(str(folder / "store"), folder / "own-cache", limits) as api, ExitStack() as stack:
        for _ in range(2 * limits.at_once):
            opened(stack, api, ALL_ROWS)
        answers = [api.get("/rows/spend?limit=1").status_code for _ in range(8)]
    assert answers == [200] * 8


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "patience_seconds", 0.5)
    monkeypatch.setattr(PatientProtocol, "most_connections", 8)


@pytest.mark.usefixtures("impatient")
def test_a_reader_that_does_not_read_is_cut_off(busy: Served) -> None:
    """Its place was given back, and its connection was kept for as long as it liked: 500 of them kept everyone out."""
    with ExitStack() as stack:
        caller = opened(stack, busy, ALL_ROWS)
        assert caller.recv(1, socket.MSG_PEEK)
        eventually(lambda: not busy.is_connected(caller), "the server closes the connection")
        received = b""
        try:
            while piece := caller.recv(1 << 20):
                received += piece
        except ConnectionError:
            pass
        assert received.count(b"\n{") < ROWS - 1
        assert not received.endswith(b"0\r\n\r\n")


def test_a_slow_reader_that_reads_gets_every_row(folder: Path) -> None:
    patient = replace(LIMITS, patience_seconds=10)  # a busy machine makes pauses of its own
    with serving(str(folder / "store"), folder / "patient-cache", patient) as api, ExitStack() as stack:
        whole = request("GET", "/rows/spend?format=csv&columns=line_id,supplier_name")
        caller = opened(stack, api, whole.replace(b"HTTP/1.1", b"HTTP/1.0"))  # without the lengths of chunks in it
        received = bytearray()
        while piece := caller.recv(1 << 16):
            received += piece
            time.sleep(0.005)
        assert received.partition(b"\r\n\r\n")[2].count(b"\r\n") == ROWS + 1


def test_idle_uploads_took_every_place(busy: Served) -> None:
    head = request("POST", "/check", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 100000")
    with ExitStack() as stack:
        callers = [opened(stack, busy, head + FILE_BEGINS + b"a" * (1_000 * n)) for n in range(6)]
        checked = busy.session.post(
            f"{busy.address}/check",
            files={"file": ("spend.csv", b"Supplier,Amount,Date\nAcorn Ltd,500.00,01/10/2026\n")},
            headers={"Accept": "application/json"},
            timeout=PATIENCE_SECONDS,
        )
        assert checked.status_code == 200
        for caller in callers:
            assert caller.recv(1 << 16).startswith(b"HTTP/1.1 408")


def test_an_upload_that_was_fast_at_first_may_not_stop_for_long(busy: Served) -> None:
    """Its credit was a second for each 8 kB that it had sent, so 5 MB kept their memory for ten minutes."""
    head = request("POST", "/check", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 20000000")
    with ExitStack() as stack:
        caller = opened(stack, busy, head + FILE_BEGINS + b"a" * 5_000_000)
        assert caller.recv(1 << 16).startswith(b"HTTP/1.1 408")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_without_a_request_is_closed(busy: Served, sent: bytes) -> None:
    with ExitStack() as stack:
        caller = opened(stack, busy, sent)
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""


@pytest.mark.usefixtures("impatient")
def test_a_head_that_comes_drop_by_drop_is_cut_off(busy: Served) -> None:
    with ExitStack() as stack:
        caller = opened(stack, busy, b"GET /health HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            for number in range(1_000):
                caller.sendall(f"X-{number}: x\r\n".encode())
                time.sleep(0.05)


def test_many_idle_connections_make_room(busy: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "most_connections", 8)
    with ExitStack() as stack:
        for _ in range(40):
            opened(stack, busy)
        # A new connection: the one that `busy` keeps is idle too, and may be closed just as it is used again.
        assert requests.get(f"{busy.address}/health", timeout=PATIENCE_SECONDS).status_code == 200


def test_a_burst_of_idle_connections_is_cut_down_to_what_is_allowed(
    busy: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one was closed for all that came at a moment: 700 took every file that the server could open."""
    monkeypatch.setattr(PatientProtocol, "most_connections", 8)
    monkeypatch.setattr(PatientProtocol, "patience_seconds", 600.0)
    with ExitStack() as stack:
        callers = [opened(stack, busy) for _ in range(100)]
        end = time.monotonic() + PATIENCE_SECONDS
        while len(callers) > 8 and time.monotonic() < end:
            callers = [one for one in callers if not is_closed(one)]
        assert len(callers) <= 8


def is_closed(caller: socket.socket) -> bool:
    caller.settimeout(0.01)
    try:
        return caller.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_kept_connection_is_used_again_after_a_while(busy: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "patience_seconds", 3.0)
    with ExitStack() as stack:
        caller = opened(stack, busy)
        for _ in range(4):
            time.sleep(1)  # in all more than may pass before one request
            caller.sendall(request("GET", "/datasets/spend"))
            received = b""
            while b"\r\n\r\n" not in received:
                received += (piece := caller.recv(1 << 16))
                assert piece, "the connection was closed"
            head, _, body = received.partition(b"\r\n\r\n")
            length = next(int(one[16:]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-length: "))
            while len(body) < length:
                body += (piece := caller.recv(1 << 16))
                assert piece, "the connection was closed"


def test_a_budget_has_room_again_when_its_answers_are_sent() -> None:
    budget = SpoolBudget(10)
    assert budget.take(100, 0)  # one chunk always fits
    assert not budget.take(1, 0.01)
    budget.release(100)
    assert budget.take(6, 0)
    assert not budget.take(6, 0.01)


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: browser tests leave a loop running in the one of the tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.mark.parametrize("chunks", [[], [b"a"], [b"abc" * 100_000, b"", b"d" * 70_000]])
def test_an_answer_comes_out_as_it_was_made(chunks: list[bytes]) -> None:
    async def answer() -> tuple[bytes, list[str]]:
        done: list[str] = []
        spool = AnswerSpool((one for one in chunks), lambda: done.append("done"), SpoolBudget(1_000))
        spool.start()
        content = b"".join([piece async for piece in spool.pieces()])
        spool.stop()
        return content, done

    assert run_apart(answer()) == (b"".join(chunks), ["done"])


def test_an_answer_that_nobody_reads_gives_its_place_back() -> None:
    async def give_up() -> tuple[bool, bool]:
        done = asyncio.Event()
        budget = SpoolBudget(1_000)
        spool = AnswerSpool((bytes(900) for _ in range(1_000)), done.set, budget)
        spool.start()
        await asyncio.sleep(0.1)
        waits = not done.is_set()
        spool.stop()
        await done.wait()
        return waits, budget.take(1_000, 0)

    assert run_apart(give_up()) == (True, True)
