"""A real store with its catalogue, served: files of four bodies are read, checked, packed and published.

Nothing here is made up but the files: what a browser is shown is what `piperoll run` would have published.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from collectors import Arrival
from piperoll import assets, layout
from piperoll.describing.context import CatalogueContext
from piperoll.describing.pages.rendering import render_report_page
from piperoll.describing.release_summary import summarise_release
from piperoll.model import Body, Listing, Register
from piperoll.operations import steps
from piperoll.operations.catalogue.build import build_from_store
from piperoll.operations.run_request import Run
from piperoll.settings import Settings
from publishers import FolderStore, archive_submission, list_submissions, serve_site

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 900}}


@dataclass(frozen=True)
class Site:
    """A served store: its address, ending in a slash, and the store."""

    address: str
    store: FolderStore

    def page(self, key: str) -> str:
        """The address of a page of the catalogue."""
        return f"{self.address}catalogue/{key}"

    def files(self, ending: str = "") -> list[str]:
        """The keys below catalogue/ with this ending."""
        found = self.store.keys("catalogue/")
        return [key.removeprefix("catalogue/") for key in found if key.endswith(ending)]


ON = date(2026, 11, 22)
HOSTILE = '<img src=x onerror=alert(1)> & "Sons" \' Ltd'
FORMULA = '=HYPERLINK("http://x.example","pay")'
SUPPLIERS = ("Oak & Ash Ltd", "Ÿmir Café", HOSTILE, "Northern Lights plc", "Quill Stationery Ltd", FORMULA)
SERVICES = ("Housing", "Waste and Recycling", "Libraries")
BODIES = (
    Body("gss:E07000999", "anytown", "Anytown Borough Council", "council", contact="open@anytown.example"),
    Body("gss:E06000998", "brackwater", "Brackwater Council", "council", same_as=("GB-LAE-BRW",), region="London"),
    Body("GB-GOVUK-bridges", "bridges", "Department of Bridges & Tunnels", "department"),
)
LARGE = 150


@dataclass(frozen=True)
class File:
    """A file that a body sent."""

    dataset: str
    body: str
    name: str
    period: str
    content: bytes


def written(rows: Sequence[Mapping[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def amount(n: int, *, corrected: bool) -> str:
    """The amount of payment `n`: one in forty is a credit, and the third was corrected."""
    if n % 40 == 39:
        return "-20.25"
    return str(Decimal(n * 37 % 5000) / 4 + (5 if corrected and n == 3 else 0))


def spend(month: str, count: int, *, corrected: bool = False) -> bytes:
    """`count` payments of a month; one has an unreadable amount and is held."""
    rows = [
        {
            "Payment date": f"{n % 28 + 1:02}/{month[5:]}/{month[:4]}",
            "Transaction number": f"T{n:05}",
            "Directorate": SERVICES[n % 3],
            "Purpose": "Repairs" if n % 2 else "Paper, pens\nand ink",
            "Supplier name": SUPPLIERS[n % len(SUPPLIERS)],
            "Net amount": amount(n, corrected=corrected),
        }
        for n in range(1, count + 1)
    ]
    rows[count // 2]["Net amount"] = "see note"
    return written(rows)


def contracts() -> bytes:
    return written(
        [
            {
                "Contract reference": f"C{n:03}",
                "Title": f"Works {n}",
                "Directorate": SERVICES[n % 3],
                "Supplier name": SUPPLIERS[n % 4],
                "Start date": "01/04/2025",
                "End date": f"{n % 27 + 1:02}/{n % 12 + 1:02}/{2026 + n % 5}",
                "Current value": str(5000 + n * 250),
            }
            for n in range(1, 31)
        ]
    )


def roles() -> bytes:
    grades = (("Director", 1, "150000"), ("Head", 4, "90000"), ("Officer", 20, "40000"))
    return written(
        [
            {
                "Job title": f"{grade} {n}",
                "Grade": grade,
                "Directorate": SERVICES[n % 3],
                "FTE": "0.8" if n % 3 else "1",
                "Salary ceiling": top,
            }
            for grade, many, top in grades
            for n in range(many)
        ]
    )


def services() -> bytes:
    costs = (("Book a weather test", "14.14", "217069"), ("Pay the cloud levy", "0.65", "89204"))
    return written(
        [{"Service": name, "Transactions completed": done, "Cost per transaction": cost} for name, cost, done in costs]
    )


FILES = (
    File("spend", "anytown", "august.csv", "2026-08", spend("2026-08", 40)),
    File("spend", "anytown", "october.csv", "2026-10", spend("2026-10", LARGE)),
    File("spend", "anytown", "october again.csv", "2026-10", spend("2026-10", LARGE, corrected=True)),
    File("spend", "brackwater", "october.csv", "2026-10", spend("2026-10", 60)),
    File("spend", "bridges", "nothing.pdf", "2026-10", b"%PDF-1.4 no table"),
    File("contracts", "anytown", "contracts.csv", "2026-10", contracts()),
    File("roles", "anytown", "roles.csv", "2026-09-30", roles()),
    File("transactions", "bridges", "services.csv", "2026-Q3", services()),
)


class SiteRun(Run):
    """A run that recognises the bodies of the site and no others."""

    register = Register(BODIES)


def published(folder: Path, files: Sequence[File] = FILES) -> FolderStore:
    """A store in `folder` that received the files one after another."""
    store = FolderStore(folder / "store")
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    for n, file in enumerate(files):
        moment = f"2026-11-{n + 1:02}T09:00:00.000000Z"
        run = SiteRun(str(folder / "store"), moment, scratch / str(n), Settings())
        path = scratch / f"{n}-{file.name}"
        path.write_bytes(file.content)
        arrival = Arrival(path, file.name, file.dataset, file.body, f"{file.body}/{file.name}", moment, file.period)
        submission = steps.identify(run, arrival)
        archive_submission(store, path, submission)
        examination = steps.check_bytes(run, submission, file.content, quick=True)
        steps.file_report(run, steps.publish_examined(run, steps.pack_submission(run, submission, examination)))
    return store


def with_summary(store: FolderStore, listing: Listing) -> Listing:
    standing = listing.history.current_version
    if standing is None:
        return listing
    series = listing.series
    parquet = store.read(f"{layout.version_folder(series, standing)}{series.dataset}.parquet").content
    rows = pq.read_table(pa.BufferReader(parquet))
    return replace(listing, summary=summarise_release(assets.dataset(series.dataset), series.period, rows))


def pages_of(store: FolderStore, base_url: str = "http://localhost:8000/") -> Iterator[tuple[str, bytes]]:
    """The catalogue that is built of a store, by key, and a report page that stands alone."""
    register = Register(BODIES)
    context = CatalogueContext(assets.datasets(), base_url, "Open Counties", ON, register, register)
    with TemporaryDirectory() as folder:
        copy = FolderStore(Path(folder) / "store")
        for key in store.keys(""):
            if not key.startswith(layout.CATALOGUE):
                copy.put(key, store.read(key).content)
        build_from_store(copy, context, Path(folder))
        for key in copy.keys(layout.CATALOGUE):
            yield key, copy.read(key).content
    reports = [report for _, report in list_submissions(store) if report is not None]
    yield "catalogue/report.html", render_report_page(max(reports, key=lambda one: len(one.findings))).encode()


@contextmanager
def served(store: FolderStore) -> Iterator[str]:
    """The address of the store, served as `piperoll site` does, until left."""
    with serve_site(store, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()
