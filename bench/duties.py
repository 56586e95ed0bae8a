"""Measure the duty calendar: `python -m bench.duties [BODIES] [YEARS]`.

A store of councils and departments with every file that they owe is written directly: for each file its record and its
reports, and no releases. `piperoll due` (of all bodies, of one, and `--json` of all years), the decision queue and the
operator's page of the portal are then timed twice, in CPU seconds: without an index, when every record and report is
read, and after a build of the catalogue has written it. Each command is a process of its own, so that its start is part
of its time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from time import process_time

from bench.results import markdown_table, write
from piperoll import assets, layout
from piperoll.duties import due_periods, duty_rules
from piperoll.model import (
    Body,
    Period,
    Report,
    Role,
    Submission,
    Verdict,
    What,
    to_document,
    to_json_bytes,
)
from piperoll.operations.catalogue.build import build_from_store
from publishers import open_store
from tests.fixtures.large_store import write_files
from tests.fixtures.portal_client import PortalUnderTest
from tests.fixtures.small_releases import catalogue_context

ON = date(2026, 11, 28)


def make_bodies(count: int) -> list[Body]:
    """Three councils for each department; none of them exists."""
    return [
        Body(f"GB-GOVUK-vale-{number}", f"department-{number:04}", f"Department of Vale {number:04}", "department")
        if number % 4 == 3
        else Body(f"gss:E07{number:06}", f"council-{number:04}", f"Council of Vale {number:04}", "council")
        for number in range(count)
    ]


def list_files(bodies: Sequence[Body], years: int) -> Iterator[tuple[Submission, Report]]:
    """What the bodies sent: everything in time, but for each seventh file, which is late, held, rejected or missing."""
    for number, body in enumerate(bodies):
        for dataset in assets.datasets():
            for rule in duty_rules(dataset, body):
                for at, (period, due) in enumerate(due_periods(rule, date(ON.year - years, 1, 1), ON)):
                    odd = (number + at) % 28 if due < ON else 1
                    if odd != 0:
                        yield _make_file(body, dataset.name, rule["part"], period, due, odd)


def _make_file(
    body: Body, dataset: str, part: str | None, period: Period, due: date, odd: int
) -> tuple[Submission, Report]:
    verdict = {7: Verdict.HELD, 14: Verdict.REJECTED}.get(odd, Verdict.ACCEPTED)
    came = due + timedelta(days=9 if odd == 21 else -3)
    name = f"{dataset} {part or ''} {period}.csv"
    sha256 = hash_text(f"{body.slug} {name}")
    submission = Submission(sha256, 9, name, dataset, body.slug, name, f"{came}T09:00:00.000000Z", part=part)
    report = Report(name, sha256, 9, dataset, "csv", "utf-8", What.DATA, verdict, str(period), part, (), ())
    return submission, report


def hash_text(text: str) -> str:
    """The sha256 that stands for a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def fill(root: Path, bodies: Sequence[Body], years: int) -> int:
    """Write the records and reports; return the number of files."""
    put, count = write_files(root), 0
    for submission, report in list_files(bodies, years):
        content = to_json_bytes(to_document(report))
        put(layout.record(submission), to_json_bytes(to_document(submission)))
        put(layout.full_report(submission), content)
        put(layout.public_report_of(submission), content)
        count += 1
    put(layout.HOME, b"")
    return count


def time_command(root: str, *arguments: str) -> float:
    """The CPU seconds of a command, from its start to its end: other work on the machine does not change them."""
    command = [sys.executable, "-P", "-c", "from piperoll.cli import main; main()", *arguments, "--to", root]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def time_pages(root: str) -> dict[str, list[float]]:
    """The CPU seconds of the operator's calendar: the first request, and then others; and of the decision queue."""
    portal = PortalUnderTest(root, {"bodies": str(Path(root).parent / "bodies.csv")})
    operator = portal.sign_in(None, Role.OPERATE)
    since = f"since={ON.year - 5}-01-01"
    first = [f"/operator/calendar?{since}"]
    later = [f"/operator/calendar?{since}&number={number}" for number in range(2, 22)]
    queue = [*["/operator/queue"] * 3]
    taken: dict[str, list[float]] = {}
    for name, paths in {"first page": first, "page": later, "queue": queue}.items():
        for path in paths:
            start = process_time()
            answer = operator.get(path)
            assert answer.status_code == 200, answer.text
            taken.setdefault(name, []).append(process_time() - start)
    return taken


def measure(root: str) -> dict[str, float]:
    """Seconds by what was asked."""
    on, since = ("--on", str(ON)), ("--since", f"{ON.year - 5}-01-01")
    seconds = {
        "`due --brief`, all bodies, 13 months": time_command(root, "due", *on, "--brief"),
        "`due --body`": time_command(root, "due", *on, "--brief", "--body", "council-0001"),
        "`due --since … --json`, all bodies and years": time_command(root, "due", *on, *since, "--json"),
    }
    pages = time_pages(root)
    seconds["operator's calendar, first request"] = pages["first page"][0]
    seconds["operator's calendar, p50 of the next 20"] = statistics.median(pages["page"])
    seconds["decision queue, first request"] = pages["queue"][0]
    seconds["decision queue, next"] = pages["queue"][-1]
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bodies", type=int, nargs="?", default=400)
    parser.add_argument("years", type=int, nargs="?", default=5)
    parser.add_argument("--store", help="a folder to make the store in, or one that has it already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(arguments.store or folder) / "store"
        bodies = make_bodies(arguments.bodies)
        rows = [f"{body.id},{body.slug},{body.name},{body.kind},,,,OGL-UK-3.0" for body in bodies]
        root.parent.mkdir(parents=True, exist_ok=True)
        (root.parent / "bodies.csv").write_text(
            "id,slug,name,kind,aliases,same_as,contact,licence\n" + "\n".join(rows) + "\n"
        )
        files = (
            sum(1 for _ in list_files(bodies, arguments.years))
            if root.exists()
            else fill(root, bodies, arguments.years)
        )
        sys.stdout.write(f"{files:,} files of {len(bodies)} bodies\n")
        without = measure(str(root))
        sys.stdout.write(f"{without}\n")
        start = process_time()
        build_from_store(open_store(str(root)), catalogue_context(bodies, f"{ON}T09:00:00Z"), Path(folder))
        sys.stdout.write(f"a build: {process_time() - start:.1f} s\n")
        indexed = measure(str(root))
    table = markdown_table(
        ("what", "without an index, s", "with it, s"),
        [(name, f"{without[name]:.2f}", f"{indexed[name]:.2f}") for name in without],
    )
    if True:
        print(table)
    else:
        write(
            "duties", f"The duty calendar of {len(bodies)} bodies and {arguments.years} years ({files:,} files)", table
        )


if __name__ == "__main__":
    main()
