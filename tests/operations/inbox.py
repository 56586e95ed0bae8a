"""Make inboxes and run them without Prefect."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from piperoll import layout
from piperoll.operations import pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.measure import read_published_rows
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import RunSummary
from publishers import Store, list_measured_series

HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department"
NAMES = ("Acorn Roofing Ltd", "Beech Tree Services plc", "Cedar Print Ltd", "Damson Fleet Ltd", "Elder Software Ltd")


def spend(rows: int = 10, *, month: str = "10/2026", start: int = 1, pence: int = 0) -> bytes:
    """A spend file as a tidy body sends it: `rows` payments in one month."""
    lines = [HEADINGS]
    for number in range(start, start + rows):
        day, name = 1 + number % 27, NAMES[number % len(NAMES)]
        lines.append(f"{day:02}/{month},{name},{600 + number * 7}.{pence:02},T{number:05},Supplies,Estates")
    return ("\r\n".join(lines) + "\r\n").encode()


def put(inbox: Path, path: str, content: bytes) -> Path:
    """Put a file into the inbox."""
    (inbox / path).parent.mkdir(parents=True, exist_ok=True)
    (inbox / path).write_bytes(content)
    return inbox / path


def plain_run(order: RunRequest, *, catalogued: bool = True) -> RunSummary:
    """Run without Prefect."""
    with order.open() as run:
        collected = collect_inbox(run, order)
        make = (lambda: build_catalogue(run)) if catalogued else (lambda: 0)
        return pipeline.summarise(collected, pipeline.run_in_process(run, collected), make)


def contents(store: Store, *prefixes: str) -> dict[str, str]:
    """Every key with the sha256 of what it holds."""
    keys: Iterable[str] = (key for prefix in prefixes or ("",) for key in store.keys(prefix))
    return {key: hashlib.sha256(store.read(key).content).hexdigest() for key in keys}


def releases(store: Store) -> dict[str, Any]:
    """The sha256 of every object of published tables, and the figures of every measure.

    How many versions a measure has had, and of which inputs its figures were first made, depends on when it was made.
    """
    measures = f"{layout.DATA}{layout.MEASURES}/"
    found = {key: digest for key, digest in contents(store, layout.DATA).items() if not key.startswith(measures)}
    figures = {
        str(series): [row | {"inputs": ""} for row in read_published_rows(store, series)]
        for series in list_measured_series(store)
    }
    return found | figures
