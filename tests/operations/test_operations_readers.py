"""What is published, served and read by programs that owe us nothing: every link, feed, catalogue and package."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

import duckdb
import feedparser
import frictionless
import pandas as pd
import pytest
import rdflib
import requests

from piperoll.operations.run_request import RunRequest
from piperoll.settings import Settings
from publishers import open_store, serve_site
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import plain_run, put, spend

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
HOSTILE = "Spend & <b>October</b> 2026 100%.csv"


@dataclass(frozen=True)
class Served:
    """A store that was filled by runs, on the web at an address of its own."""

    root: Path
    address: str

    def get(self, key: str) -> bytes:
        answer = requests.get(f"{self.address}{key}", timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer.content

    def file(self, address: str) -> Path:
        """Where on the disk lies what stands at an address."""
        return self.root / unquote(address.removeprefix(self.address))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("readers")
    store = open_store(str(folder / "out"))
    with serve_site(store, port=0) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        order = RunRequest(str(folder / "out"), folder / "in", settings=Settings(base_url=site.address))
        put(folder / "in", f"spend/anytown/{HOSTILE}", spend(10))
        put(folder / "in", "spend/Home Office/September 2026.csv", spend(12, month="09/2026"))
        plain_run(order)
        put(folder / "in", "spend/anytown/October 2026 corrected.csv", spend(11))
        put(folder / "in", "spend/anytown/not data.csv", b"Minutes of a meeting\r\n")
        plain_run(replace(order))
        yield Served(folder / "out", site.address)
        site.shutdown()
        thread.join()


class Links(HTMLParser):
    """Where a page leads to, and what it loads."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action", "data-src") and value]


def test_every_link_leads_somewhere(served: Served) -> None:
    """From the first page, robots.txt and the roots for programs, through pages, feeds, DCAT, packages and sitemaps."""
    began = ("index.html", "404.html", "robots.txt", "catalog.ttl", "datapackage.json", "freshness.json", "feed.atom")
    ahead = [f"{served.address}catalogue/{name}" for name in began]
    seen: set[str] = set()
    while ahead:
        address = ahead.pop()
        if address in seen:
            continue
        seen.add(address)
        content = served.get(address.removeprefix(served.address))
        ahead += [one for one in _links(address, content) if one.startswith(served.address)]
    keys = {f"catalogue/{path}" for path in _files(served.root / "catalogue")}
    reached = {unquote(address.removeprefix(served.address)) for address in seen}
    asked_by_scripts = ("catalogue/search/", "catalogue/vendor/", "catalogue/scripts/", "catalogue/consolidated/")
    assert {key for key in keys - reached if not key.startswith(asked_by_scripts)} == set()


def _files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _links(address: str, content: bytes) -> list[str]:
    if address.endswith(".html"):
        found = Links(content).found
    elif address.endswith((".atom", ".json", ".jsonld", ".ttl", ".xml", ".txt", ".csv")):
        found = [one.replace("&amp;", "&") for one in re.findall(r"http://127[^\s\"<>,]+", content.decode())]
        if address.endswith("datapackage.json"):
            found += [resource["path"] for resource in json.loads(content)["resources"]]
    else:
        found = []
    return [urldefrag(urljoin(address, one))[0] for one in found]


def test_frictionless_reads_the_rows_of_a_package_by_its_address(served: Served) -> None:
    address = f"{served.address}catalogue/bodies/anytown/spend/datapackage.json"
    package = frictionless.Package(address)
    report = package.validate()
    assert report.valid, report.flatten(["type", "note"])
    assert [len(resource.read_rows()) for resource in package.resources] == [11]


def test_the_package_of_all_leads_to_those_of_bodies(served: Served) -> None:
    package = frictionless.Package(f"{served.address}catalogue/datapackage.json")
    assert package.validate().valid
    rows = package.get_resource("packages-spend").read_rows()
    assert {row["body"] for row in rows} == {"anytown", "home-office"} or len(rows) == 2
    assert all(frictionless.Package(row["package"]).resources for row in rows)


PANDAS = re.compile(r'<pre id="load-pandas"[^>]*>(.*?)</pre>', re.DOTALL)
USUAL_STEPS: dict[str, Callable[[pd.DataFrame], object]] = {
    "sum": lambda frame: frame["net_amount"].sum(),
    "by supplier": lambda frame: frame.groupby("supplier_name")["net_amount"].sum().sort_values(),
    "mean": lambda frame: frame["net_amount"].mean(),
    "quantile": lambda frame: frame["net_amount"].quantile(0.9),
    "with VAT": lambda frame: frame["net_amount"] * 1.2,
    "since a day": lambda frame: frame[frame["payment_date"] >= "2026-10-10"],
    "by weekday": lambda frame: frame["payment_date"].dt.day_name(),
    "by month": lambda frame: frame.resample("ME", on="payment_date")["net_amount"].sum(),
    "by quarter": lambda frame: frame["payment_date"].dt.to_period("Q"),
    "days apart": lambda frame: frame["payment_date"].max() - frame["payment_date"].min(),
    "largest": lambda frame: frame.astype({"net_amount": float}).nlargest(5, "net_amount"),
}


def test_of_the_usual_steps_in_pandas_five_of_nine_raised(served: Served) -> None:
    pages = [path for path in _files(served.root / "catalogue") if path.startswith("series/spend/")]
    [code] = {
        html.unescape(found)
        for path in pages
        for found in PANDAS.findall(served.get(f"catalogue/{path}").decode())
        if "/2026-10/" in found and "anytown" in found
    }
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - our own page
    frame = namespace["spend"]
    for name, step in USUAL_STEPS.items():
        assert step(frame) is not None, name
    assert isinstance(frame["net_amount"].sum(), Decimal)
    assert str(frame["payment_date"].dtype).startswith("datetime64")


def test_pandas_and_duckdb_read_what_dcat_offers(served: Served) -> None:
    found = rdflib.Graph().parse(data=served.get("catalogue/bodies/anytown/spend-2026.ttl"), format="turtle")
    series = rdflib.URIRef("urn:piperoll:series:spend/anytown/2026-10")
    addresses = sorted(str(found.value(one, DCAT.downloadURL)) for one in found.objects(series, DCAT.distribution))
    assert [address.rpartition(".")[2] for address in addresses] == ["csv", "parquet"]
    table = pd.read_csv(addresses[0])
    place = str(served.file(addresses[1]))
    with duckdb.connect() as database:
        held = database.execute("SELECT count(*), sum(net_amount) FROM read_parquet(?)", [place]).fetchone()
    assert held is not None
    assert (len(table), round(table["net_amount"].sum(), 2)) == (held[0], float(held[1]))


def test_feedparser_follows_the_feeds_by_their_addresses(served: Served) -> None:
    parsed = feedparser.parse(f"{served.address}catalogue/feed.atom")
    assert not parsed.bozo
    instants = [entry.published for entry in parsed.entries]
    assert instants == sorted(instants, reverse=True)
    assert len(parsed.entries) == 3
    for entry in parsed.entries:
        for link in entry.links:
            answer = requests.get(link.href, timeout=PATIENCE_SECONDS)
            assert answer.ok
            assert answer.headers["Content-Type"].partition(";")[0] == link.type
    told = json.loads(served.get("catalogue/feed.json"))
    assert [item["id"] for item in told["items"]] == [entry.id for entry in parsed.entries]
