"""The store whose figures are proved: the sample, and the awkward tables of `awkward/*.toml`."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import publishers
from piperoll.model import Series
from piperoll.operations.run_request import RunRequest, open_run
from piperoll.operations.takedown import withdraw_version
from piperoll.sample import MONTHS, write_sample
from tests.operations.inbox import plain_run, put

HEADING = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type"
HERE = Path(__file__).parent
UNKNOWN = "nobody-knows-of-it"
"""The body that no register has."""


@dataclass(frozen=True)
class Case:
    """An awkward case: a body of its own with its files, and what counts of it, worked out by hand."""

    topic: str
    name: str
    body: str
    files: tuple[Mapping[str, Any], ...]
    counts: tuple[Mapping[str, Any], ...]
    withdraw: tuple[str, ...]

    def write(self, inbox: Path, run: int) -> None:
        """Write the files of one of three runs into an inbox."""
        for file in self.files:
            if file.get("run", 1) == run:
                folder, name = file["path"].split("/")
                put(inbox, f"{folder}/{self.body}/{name}", file_content(file))


def file_content(file: Mapping[str, Any]) -> bytes:
    """The bytes of a file of a case. Where no heading is given, the rows are payments for supplies."""
    lines = file["rows"].strip().splitlines()
    if "heading" not in file:
        lines = [f"{line},Supplies" for line in lines]
    return ("\r\n".join([file.get("heading", HEADING), *lines]) + "\r\n").encode()


def awkward_cases() -> Iterator[Case]:
    """Yield every awkward case."""
    for path in sorted((HERE / "awkward").glob("*.toml")):
        for case in tomllib.loads(path.read_text("utf-8"))["case"]:
            counts, withdraw = tuple(case.get("counts", ())), tuple(case.get("withdraw", ()))
            yield Case(path.stem, case["name"], case["body"], tuple(case["files"]), counts, withdraw)


def make_store(folder: Path) -> Path:
    """Publish the sample and the awkward tables in three runs, as an operator would; return the store."""
    write_sample(folder / "sample", 1)
    bodies, cases, store = folder / "bodies.csv", list(awkward_cases()), folder / "store"
    _write_register(folder / "sample" / "bodies.csv", bodies, cases)
    for run, month in enumerate(MONTHS, 1):
        inbox = folder / "sample" / month
        for case in cases:
            case.write(inbox, run)
        plain_run(RunRequest(to=str(store), inbox=inbox, bodies=bodies), catalogued=False)
    *others, last = (Series.parse(one) for case in cases for one in case.withdraw)
    because = "it was sent by mistake"
    with open_run(str(store), bodies=bodies) as run:
        for series in others:
            publishers.mark_withdrawn(run.store, series, 1, because=because, now=run.moment)
    result = withdraw_version(str(store), last, 1, because=because, bodies=bodies)
    assert result.trouble is None  # it builds the catalogue too, which takes most of the time: once is enough
    return store


def _write_register(sample: Path, path: Path, cases: list[Case]) -> None:
    with sample.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, case in enumerate(cases):
        if case.body != UNKNOWN:
            name = case.body.replace("-", " ").title().replace(" In ", " in ")
            kind = "department" if case.topic == "registers" else "council"
            rows.append(
                dict.fromkeys(rows[0], "")
                | {
                    "id": f"gss:E07998{number:03}",
                    "slug": case.body,
                    "name": name,
                    "kind": kind,
                    "licence": "OGL-UK-3.0",
                }
            )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
