"""Measure the duty calendar: `python -m bench.duties [BODIES] [YEARS]`.

A store of councils and departments with every file that they owe is written directly: for each file its record and its
reports, and no releases. `piperoll due` (of all bodies, of one, and `--json` of all years), the decision queue and the
operator's page of the portal are then timed twice, in CPU seconds: without an index, when every record and report is
read, and from the index that a build of the catalogue leaves. Each command is a process of its own, so that its start
is part of its time.
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
from typing import Any

import msgspec

from bench.results import markdown_table, write
from piperoll import assets, layout
from piperoll.duties import due_periods, duty_rules, find_first_starts
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
from piperoll.operations.body_index import BodySummary, NamedBody
from piperoll.operations.catalogue.build_plan import BODIES, FinishedBuild
from piperoll.operations.catalogue.received_index import INDEX_FORMAT, IndexDocument, as_published
from tests.fixtures.large_store import write_files
from tests.fixtures.portal_client import PortalUnderTest

ON = date(2026, 11, 28)
HEADER = "id,slug,name,kind,aliases,same_as,contact,licence"


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


def write_index(root: Path, bodies: Sequence[Body], years: int) -> None:
    """Write what a build of the catalogue leaves of what the bodies sent."""
    put = write_files(root)
    files: dict[str, list[Any]] = {body.slug: [] for body in bodies}
    for submission, report in list_files(bodies, years):
        files[submission.body].append(as_published(submission, report))
    summaries = {}
    for body in bodies:
        received = files[body.slug]
        first = {name: day.isoformat() for name, day in find_first_starts(received).items()}
        datasets = tuple(sorted({submission.dataset for submission, _ in received}))
        summaries[body.slug] = BodySummary(NamedBody(body), datasets, bool(received), None, first)
        put(layout.received_index(body.slug), msgspec.json.encode(IndexDocument(tuple(received))))
    put(f"{layout.BUILD}{BODIES}.json", msgspec.json.encode(summaries))
    state = FinishedBuild(1, "the benchmark", ON.isoformat(), builds=((1, None),), received=INDEX_FORMAT)
    put(layout.BUILD_STATE, msgspec.json.encode(state))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bodies", type=int, nargs="?", default=400)
    parser.add_argument("years", type=int, nargs="?", default=5)
    parser.add_argument("--store", help="a folder to make the store in, or one that has it already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, bodies = Path(arguments.store or folder) / "store", make_bodies(arguments.bodies)
        rows = [f"{body.id},{body.slug},{body.name},{body.kind},,,,OGL-UK-3.0" for body in bodies]
        root.parent.mkdir(parents=True, exist_ok=True)
        (root.parent / "bodies.csv").write_text("\n".join([HEADER, *rows, ""]))
        if not root.exists():
            fill(root, bodies, arguments.years)
        files = sum(1 for _ in list_files(bodies, arguments.years))
        (root / layout.BUILD_STATE).unlink(missing_ok=True)
        without = measure(str(root))
        write_index(root, bodies, arguments.years)
        indexed = measure(str(root))
    table = markdown_table(
        ("what", "every record read, CPU s", "from the index, CPU s", "ratio"),
        [
            (name, f"{without[name]:.2f}", f"{indexed[name]:.2f}", f"{without[name] / indexed[name]:.0f}")
            for name in without
        ],
    )
    write("duties", f"The duty calendar of {len(bodies)} bodies and {arguments.years} years ({files:,} files)", table)


if __name__ == "__main__":
    main()
