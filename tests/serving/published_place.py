"""Helpers of the API's tests: a store of real releases with overlaps, corrections and withdrawals, and a server."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import requests
import uvicorn

from hosting.limits import ApiLimits
from piperoll import assets, layout
from piperoll.model import Manifest, Packed, Series, file_entry, to_json_bytes
from piperoll.releasing import compare_versions, consolidating
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.files import TableFiles
from publishers import Store, mark_withdrawn, publish_release, remove_submission
from publishers.consolidated import consolidate_bodies
from publishers.stores.protocol import read_json
from serving.app import UVICORN_SETTINGS, create_app, create_service
from tests.fixtures.waiting import PATIENCE_SECONDS

Row = Mapping[str, str]
HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department"
LINES = [f"{day:02}/10/2026,Acorn Roofing Ltd,{600 + day}.00,T{day},Supplies,Estates" for day in range(1, 13)]
GOOD = "\r\n".join([HEADINGS, *LINES, ""]).encode()
"""A file to check that has no faults."""
BAD = "\r\n".join([HEADINGS, *LINES, "32/13/2026,<script>alert(1)</script>,1.250.00,T99,Supplies,Estates", ""]).encode()
"""A file to check whose last line cannot be published."""
SITE = "https://data.example/"
"""Where the pages of the catalogue are said to be."""
HOSTILE = "Robert'); DROP TABLE rows;--"


def row(number: int, **more: str) -> dict[str, str]:
    """A published line of spend, as strings."""
    return {"line_id": f"line-{number:05}", "body_id": "gss:E07000999", "net_amount": f"{number}.00", **more}


def released(folder: Path, series: str, rows: Sequence[Row], scale: int = 4, source: str = "ab" * 32) -> Packed:
    """A release of these rows; its numbers are stored with `scale` decimal places."""
    about, place = Series.parse(series), folder / uuid.uuid4().hex
    place.mkdir(parents=True)
    dataset = assets.dataset(about.dataset)
    columns = [PublishedColumn(field, scale) for field in dataset.fields]
    cells = [pa.array([row.get(one.name) for row in rows], pa.string()) for one in columns]
    with TableFiles(place, dataset.name, columns) as files:
        files.write(pa.RecordBatch.from_arrays(cells, names=[one.name for one in columns]))
        totals = files.totals()
    body = {"id": "gss:E07000999", "slug": about.body, "name": about.body.title(), "kind": "council"}
    (place / "datapackage.json").write_bytes(to_json_bytes({"id": series, "x_piperoll": {"body": body}}))
    amount = {"field": dataset.amount[0]} if dataset.amount else None
    (place / "report.json").write_bytes(to_json_bytes({"tables": [{"sheet": None, "amount": amount}]}))
    names = ("datapackage.json", f"{dataset.name}.csv", f"{dataset.name}.parquet", "report.json")
    pounds = sum((Decimal(row["net_amount"]) for row in rows if row.get("net_amount")), Decimal(0))
    manifest = Manifest(
        series=about,
        files=tuple(file_entry(place, name) for name in names),
        rows=len(rows),
        amount_gbp=pounds if dataset.amount else None,
        rows_sha256=totals.rows_sha256,
        sources=(source,),
        dataset_version="1.0.0",
        rules_version="1.0.0+test",
    )
    (place / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(place, manifest)


def published(store: Store, packed: Packed, now: str) -> None:
    """Publish a release, with its differences from the previous version."""
    series = packed.manifest.series
    dataset = assets.dataset(series.dataset)
    for source in packed.manifest.sources:
        store.create(f"{layout.senders_prefix(source)}/{series.body}/{series.dataset}", b"")
    publish_release(
        store,
        packed,
        reason="received as test.csv",
        now=now,
        compare=lambda before, after, to: compare_versions(dataset, before, after, to),
    )


def consolidate(store: Store, scratch: Path) -> None:
    """Make the consolidated files of everything that is published, as the building of the catalogue does."""
    for name, bodies in read_json(store, layout.INDEX)["datasets"].items():
        consolidate_bodies(store, assets.dataset(name), bodies, consolidating, scratch / uuid.uuid4().hex)


def source_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Served:
    """A client of a running API."""

    def __init__(self, address: str, server: uvicorn.Server | None = None) -> None:
        self.address = address
        self._server = server
        self.session = requests.Session()

    def is_connected(self, client: socket.socket) -> bool:
        """True as long as the server, which must run in this process, keeps the connection of a client."""
        assert self._server
        connections: list[Any] = [*self._server.server_state.connections]
        return client.getsockname() in {one.client for one in connections}

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.address + path, timeout=PATIENCE_SECONDS, **more)

    def json(self, path: str, **parameters: Any) -> Any:
        answer = self.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, dataset: str = "spend", **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json(f"/rows/{dataset}", **parameters)["rows"]
        return found

    def pages(self, path: str) -> Iterator[list[dict[str, Any]]]:
        """The rows of each page, following `next`."""
        following: str | None = path
        while following:
            answer = self.get(following)
            assert answer.status_code == 200, answer.text
            document = answer.json()
            following = document["next"]
            assert ('rel="next"' in answer.headers["Link"]) == (following is not None)
            yield document["rows"]


@contextmanager
def serving(
    place: str, cache: Path, limits: ApiLimits | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Served]:
    """A real server on a free port, stopped afterwards."""
    limits = limits or ApiLimits()
    service = create_service(place, cache, limits, clock)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(service, limits, place, SITE), **UVICORN_SETTINGS)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", server)
        finally:
            server.should_exit = True
            thread.join()
            service.engine.close()


OCTOBER = [
    row(1, supplier_name="Acorn Roofing Ltd", net_amount="100.10", payment_date="2026-10-01", is_sme="true"),
    row(2, supplier_name="acorn trees", net_amount="-25.05", payment_date="2026-10-02", is_sme="false"),
    row(3, supplier_name=HOSTILE, net_amount="0.1234", payment_date="2026-10-03", line_number="7"),
    row(4, supplier_name="Smith, Jones & Co", net_amount="1000.00", payment_date="2026-10-04"),
    row(5, supplier_name="Zoë \u202e %_* £", net_amount="1000.00"),
    row(6, net_amount="3.00", payment_date="2026-10-31"),
]
SEPTEMBER = [row(10 + n, supplier_name="Acorn Roofing Ltd", net_amount=f"{n}.50") for n in range(5)]
FINE = [row(20, supplier_name="Fine Ltd", net_amount="0.0000000001"), row(21, net_amount="2.00")]
CARD = [row(30, supplier_name="Corner Shop", net_amount="9.99", card="Purchase card")]
QUARTER = [row(40 + n, supplier_name="Acorn Roofing Ltd", net_amount="70.00") for n in range(3)]
SECRET = [row(50, supplier_name="Mrs Private Person", net_amount="11.00")]
WRONG = [row(60, supplier_name="Wrongly Sent Ltd", net_amount="12.00")]


def publish_world(store: Store, scratch: Path) -> None:
    """Publish the releases below in the order of their times: two bodies with overlapping periods, and so on."""

    def put(series: str, rows: list[dict[str, str]], now: str, **more: object) -> None:
        published(store, released(scratch, series, rows, **more), now)  # type: ignore[arg-type]

    put("spend/anytown/2026-07", QUARTER[:1], "2026-08-02T09:00:00Z")
    put("spend/anytown/2026-Q3", QUARTER, "2026-10-02T09:00:00Z")
    put("spend/anytown/2026-10", OCTOBER[:5], "2026-11-02T09:00:00Z")
    put("spend/anytown/2026-10", OCTOBER, "2026-11-09T09:00:00Z", source=source_of("corrected"))
    put("spend/anytown/2026-10--card", CARD, "2026-11-03T09:00:00Z")
    put("spend/brackwater/2026-09", SEPTEMBER, "2026-10-03T09:00:00Z")
    put("spend/brackwater/2026-10", FINE, "2026-11-04T09:00:00Z", scale=10)
    put("spend/brackwater/2026-11", SECRET, "2026-11-05T09:00:00Z", source=source_of("secret"))
    put("spend/brackwater/2026-12", WRONG, "2026-11-06T09:00:00Z", source=source_of("wrong"))
    mark_withdrawn(
        store, Series.parse("spend/brackwater/2026-12"), 1, because="the wrong file", now="2026-11-20T09:00:00Z"
    )
    remove_submission(store, source_of("secret"), because="a private person", now="2026-11-20T09:00:00Z")
