"""The portal under 200 officers: `python -m bench.portal [MINUTES] [OFFICERS]`.

Each officer opens the home page, the list, one file, the questions and the trust page, sends an ordinary file to be
checked, looks at the draft and leaves. An hour's work of 200 officers is pressed into MINUTES (default 5), so the load
is 60 / MINUTES times that of the hour. The store has 40 bodies with three months each, and a catalogue.
Then 12 officers have files of 30,000 rows checked at the same moment. The portal is `piperoll portal` in a process of
its own, as in service. Prints p50, p95 and the worst of pages and of checks, what other work the machine had, and the
most memory that the portal and everything that it started had together, on Linux.
"""

from __future__ import annotations

import os
import re
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
AT_ONCE, MANY_ROWS = 12, 30_000
SAMPLE_SECONDS = 0.2
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


@dataclass
class Memory:
    """The most megabytes of a process and all that it started: resident, and with shared pages counted once.

    Forked processes share most of what their parent loaded, so the first is more than they take.
    """

    resident: int = 0
    proportional: int = 0
    processes: int = 0

    def look(self, root: int) -> None:
        """Take the sum at this moment, if it is more than before."""
        parents = {int(path.parent.name): _status(path).get("PPid", 0) for path in Path("/proc").glob("[0-9]*/status")}
        tree = {root}
        while more := {child for child, parent in parents.items() if parent in tree} - tree:
            tree |= more
        sums = [_status(Path(f"/proc/{one}/smaps_rollup")) for one in tree]
        resident = sum(one.get("Rss", 0) for one in sums) // 1024
        self.resident = max(self.resident, resident)
        self.proportional = max(self.proportional, sum(one.get("Pss", 0) for one in sums) // 1024)
        self.processes = max(self.processes, len(tree))

    def __str__(self) -> str:
        return (
            f"{self.resident} MB resident, {self.proportional} MB with shared pages counted once, "
            f"in at most {self.processes} processes"
        )


def _status(path: Path) -> dict[str, int]:
    """The numbers of a file of /proc by name; none if the process has ended."""
    try:
        fields = (line.partition(":") for line in path.read_text().splitlines())
        return {
            name: int(value.split()[0]) for name, _, value in fields if value.split() and value.split()[0].isdigit()
        }
    except OSError:
        return {}


@contextmanager
def watched(process: int) -> Iterator[Memory]:
    """Watch the memory of a process and all that it started."""
    memory, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            memory.look(process)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield memory
    finally:
        over.set()
        watcher.join()


@contextmanager
def served_portal(store: Path) -> Iterator[tuple[PortalSettings, int]]:
    """Serve the store with `piperoll portal`; yields its settings and its process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = PortalSettings(str(store), SECRET.encode(), address=f"http://127.0.0.1:{port}/")
    command = [sys.executable, "-c", "from piperoll.cli import main; main()", "portal", str(store), "--port", str(port)]
    environment = {**os.environ, "PIPEROLL_PORTAL_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not is_up(settings.address):
                time.sleep(0.1)
            yield settings, process.pid
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
    check(client, body, page(f"/bodies/{body}/send"), number, ROWS, timings)


def check(client: httpx.Client, body: str, form: str, number: int, rows: int, timings: Timings) -> None:
    """Upload a file and look at the draft."""
    token = CSRF.search(form)
    assert token, "the form has the token"
    file = {"file": (f"November {number}.csv", spend(rows, month="11/2026", start=number), "text/csv")}
    started = time.perf_counter()
    answer = client.post(
        f"/bodies/{body}/send",
        data={"csrf": token[1], "dataset": "spend", "period": "2026-11", "part": ""},
        files=file,
        headers={"Origin": str(client.base_url).rstrip("/")},
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


def check_at_once(settings: PortalSettings, timings: Timings) -> None:
    """Twelve officers press the button at the same moment."""
    ready = threading.Barrier(AT_ONCE)

    def one(number: int) -> None:
        client, body = sign_in(settings, number), f"body-{number % BODIES:02}"
        form = client.get(f"/bodies/{body}/send").text
        ready.wait()
        check(client, body, form, number, MANY_ROWS, timings)

    run_all([threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)])


def run_all(threads: list[threading.Thread]) -> None:
    """Start threads, and wait until all have ended."""
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def main(minutes: float = 5, officers: int = 200) -> None:
    """Make a store, let the officers work, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="piperoll-bench-") as name:
        store = make_store(Path(name))
        timings, burst = Timings(), Timings()
        with served_portal(store) as (settings, process):
            gap = minutes * 60 * STAGGERED / officers
            with watched(process) as memory:
                run_all(
                    [
                        threading.Thread(target=work, args=(settings, number, number * gap, timings))
                        for number in range(officers)
                    ]
                )
            with watched(process) as most:
                check_at_once(settings, burst)
    lines = [
        f"{officers} officers within {minutes:g} minutes ({60 / minutes:g} times the load of an hour)",
        describe("pages", timings.pages),
        describe(f"checks of {ROWS:,} rows, upload included", timings.checks),
        f"memory of the portal and all that it started: {memory}",
        describe(f"{AT_ONCE} checks of {MANY_ROWS:,} rows at once", burst.checks),
        f"memory meanwhile: {most}",
        f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores",
        f"failed: {len(timings.failed) + len(burst.failed)} {[*timings.failed, *burst.failed][:5]}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*([float(given[0])] if given else []), *map(int, given[1:2]))
