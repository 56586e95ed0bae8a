"""The portal under 200 officers: `python -m bench.portal [MINUTES] [OFFICERS]`.

Each officer opens the home page, the list, one file, the questions and the trust page, sends an ordinary file to be
checked, looks at the draft and leaves. An hour's work of 200 officers is pressed into MINUTES (default 5), so the load
is 60 / MINUTES times that of the hour. The store has 40 bodies with three months each, and a catalogue.
The portal is `piperoll portal` in a process of its own, as it is in service. Prints p50, p95 and the worst of pages and
of checks, what other work the machine had, and the most memory of one process.
"""

from __future__ import annotations

import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from piperoll.model import Role, SubjectKind
from piperoll.operations import pipeline
from piperoll.operations.access import NewGrant, grant_access, person_of
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.run_request import RunRequest
from portal.sessions import Session, session_signer
from portal.settings import PortalSettings
from tests.operations.inbox import put, spend

BODIES, ROWS, STAGGERED = 40, 3_000, 0.9
SECRET = "the secret of the portal that is measured"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Timings:
    """Seconds of each request, by what it was; `failed` are answers that were not the wanted ones."""

    pages: list[float] = field(default_factory=list)
    checks: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def make_store(folder: Path) -> Path:
    """Forty bodies that sent three months each."""
    for number in range(BODIES):
        for month in ("08", "09", "10"):
            put(
                folder / "inbox",
                f"spend/body-{number:02}/2026-{month}.csv",
                spend(30, month=f"{month}/2026", pence=number),
            )
    request = RunRequest(to=str(folder / "store"), inbox=folder / "inbox")
    with request.open() as run:
        pipeline.run_in_process(run, collect_inbox(run, request))
        build_catalogue(run)
    return folder / "store"


@contextmanager
def served_portal(store: Path) -> Iterator[PortalSettings]:
    """Serve the store with `piperoll portal`; yields its settings."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = PortalSettings(str(store), SECRET.encode(), address=f"http://127.0.0.1:{port}/")
    command = [sys.executable, "-c", "from piperoll.cli import main; main()", "portal", str(store), "--port", str(port)]
    environment = {**os.environ, "PIPEROLL_PORTAL_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not is_up(settings.address):
                time.sleep(0.1)
            yield settings
        finally:
            process.terminate()


def is_up(address: str) -> bool:
    """Whether the portal answers."""
    try:
        return httpx.get(f"{address}health").status_code == 200
    except httpx.TransportError:
        return False


def sign_in(settings: PortalSettings, number: int) -> httpx.Client:
    """A client with the session of one of the officers, who has been granted their body."""
    email, body = f"officer{number}@body.example", f"body-{number % BODIES:02}"
    wanted = NewGrant(SubjectKind.PERSON, email, body, (Role.SUBMIT, Role.DECIDE))
    grant_access(settings.opened, settings.secret, wanted, by="the bench")
    person = person_of(settings.secret, email)
    session = Session(f"session {number}", person.digest, email, (str(person),), f"token-{number}", time.time())
    cookie = session_signer(settings).dumps({**session.content(), "seen": time.time()})
    return httpx.Client(base_url=settings.address, timeout=60, cookies={"piperoll": str(cookie)})


def work(settings: PortalSettings, number: int, begin: float, timings: Timings) -> None:
    """What one officer does within a few minutes of the hour."""
    time.sleep(begin)
    client, body = sign_in(settings, number), f"body-{number % BODIES:02}"

    def page(path: str) -> str:
        started = time.perf_counter()
        answer = client.get(path)
        timings.pages.append(time.perf_counter() - started)
        if answer.status_code != 200:
            timings.failed.append(f"{answer.status_code} {path}")
        return answer.text

    home = page(f"/bodies/{body}/")
    if found := re.search(r"/bodies/[a-z0-9-]+/submissions/[0-9a-f]{12}", home):
        page(found[0])
    for name in ("submissions/", "questions/", "standing", "replies/"):
        page(f"/bodies/{body}/{name}")
    token = CSRF.search(page(f"/bodies/{body}/send"))
    assert token, "the form has the token"
    file = {"file": (f"November {number}.csv", spend(ROWS, month="11/2026", start=number), "text/csv")}
    started = time.perf_counter()
    answer = client.post(
        f"/bodies/{body}/send",
        data={"csrf": token[1], "dataset": "spend", "period": "2026-11", "part": ""},
        files=file,
        headers={"Origin": settings.origin},
    )
    if answer.status_code != 303:
        timings.failed.append(f"{answer.status_code} check")
        return
    draft = client.get(answer.headers["Location"])
    timings.checks.append(time.perf_counter() - started)
    if draft.status_code != 200 or "What we found" not in draft.text:
        timings.failed.append(f"{draft.status_code} draft")


def describe(name: str, seconds: list[float]) -> str:
    """One line of figures."""
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return (
        f"{name}: {len(ordered):,}, p50 {statistics.median(ordered):.3f} s, p95 {p95:.3f} s, worst {ordered[-1]:.3f} s"
    )


def main(minutes: float = 5, officers: int = 200) -> None:
    """Make a store, let the officers work, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="piperoll-bench-") as name:
        store = make_store(Path(name))
        timings = Timings()
        with served_portal(store) as settings:
            gap = minutes * 60 * STAGGERED / officers
            people = [
                threading.Thread(target=work, args=(settings, number, number * gap, timings))
                for number in range(officers)
            ]
            for one in people:
                one.start()
            for one in people:
                one.join()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    lines = [
        f"{officers} officers within {minutes:g} minutes ({60 / minutes:g} times the load of an hour)",
        describe("pages", timings.pages),
        describe("checks of 3,000 rows, upload included", timings.checks),
        f"most memory of one process: {memory} MB; load {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores",
        f"failed: {len(timings.failed)} {timings.failed[:5]}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*([float(given[0])] if given else []), *map(int, given[1:2]))
