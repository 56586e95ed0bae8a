"""A small store with measures: two bodies pay the same suppliers, and have contracts for the same things."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import layout
from piperoll.operations import pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.measure import measure_store
from piperoll.operations.run_request import RunRequest
from publishers import list_measured_series, open_store, read_history
from tests.operations.inbox import put

HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department,Supplier Company Number"
NUMBERS = {"Acorn Roofing Ltd": "02345678", "Beech Tree Services plc": "03456789"}
"""What Anytown publishes; Beeford publishes none."""

CONTRACT_HEADINGS = "Contract Reference,Title,Description,Supplier,Start Date,End Date,Contract Value"
DATES = "01/04/2026,31/03/2028"
CONTRACTS = {
    "anytown": (
        f"A1,Playground safety inspection,Yearly inspection of swings and slides,Acorn Roofing Ltd,{DATES},40000",
        f"A2,Grounds upkeep,Mowing of verges and inspection in summer,Beech Tree Services plc,{DATES},90000",
    ),
    "beeford": (
        f"B1,Safety inspection of lifts,Yearly inspection of lifts and hoists,Cedar Print Ltd,{DATES},52000",
        f"B2,Mowing and litter,Mowing of verges and parks with litter picking in summer,Damson Fleet Ltd,{DATES},61000",
    ),
}
"""The texts of A2 and B2 leave it unclear whether they are for the same need."""


def send_town(request: RunRequest) -> None:
    """Put the files of both bodies into the inbox, and publish them."""
    assert request.inbox is not None
    for body, numbers in (("anytown", NUMBERS), ("beeford", {})):
        rows = [HEADINGS]
        for count in range(8):
            for name in NUMBERS:
                amount = 700 + count if name.startswith("Acorn") else 900 + count
                rows.append(
                    f"{count + 3:02}/10/2026,{name},{amount}.00,{body[0].upper()}{name[0]}{count:04},Supplies,Estates,"
                    f"{numbers.get(name, '')}"
                )
        put(request.inbox, f"spend/{body}/October 2026.csv", ("\r\n".join(rows) + "\r\n").encode())
        lines = "\r\n".join((CONTRACT_HEADINGS, *CONTRACTS[body])) + "\r\n"
        put(request.inbox, f"contracts/{body}/contracts register 2026-10.csv", lines.encode())
    with request.open() as run:
        pipeline.run_in_process(run, collect_inbox(run, request))
        build_catalogue(run)


def measure_town(request: RunRequest) -> None:
    """Make the two measures that suppliers and pairs of contracts are reviewed for."""
    with request.open() as run:
        made = measure_store(run, only=["supplier-identity", "duplication"])
    assert {one.outcome for one in made} <= {"published", "unchanged", "empty"}, made


def overwrite_table(to: str, measure: str, name: str, rows: pa.Table | None) -> None:
    """Put other rows into a table of the newest version of a measure; None deletes it."""
    store = open_store(to)
    series = max(one for one in list_measured_series(store) if one.body == measure)
    version = read_history(store, series)[0].current_version
    assert version is not None
    inputs = json.loads(store.read(layout.release_file(series, version, "inputs.json")).content)
    (digest,) = [one["sha256"] for one in inputs["shared"] if one["what"] == f"table {name}"]
    path = Path(to) / layout.measure_table(name, digest, "parquet")
    path.unlink()
    if rows is not None:
        pq.write_table(rows, path)
