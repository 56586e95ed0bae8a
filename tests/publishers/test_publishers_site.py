"""Only what is published is served, whatever a request looks like."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishers import Store, serve
from publishers.keys import content_type
from publishers.site import Site, key_of

PUBLIC = {
    "catalogue/index.html": b"<!doctype html><title>Piperoll</title>",
    "catalogue/feed.json": b"{}",
    "data/spend/anytown/2026-10/versions.json": b"{}",
    "data/spend/anytown/2026-10/v1-0123456789ab/spend.csv": b"a\r\n",
    "reports/spend/anytown/abcd.json": b"{}",
}
PRIVATE = {
    "archive/sha256/ab/abcd": b"SECRET bytes as received",
    "collected/anytown/spend/abcd/report.json": b"SECRET full report",
}


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    for key, content in (PUBLIC | PRIVATE).items():
        store.put(key, content)
    with serve(store, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(site: Site, target: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.server_address[1], timeout=10)
    try:
        connection.putrequest(method, target, skip_host=False)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_what_is_published_is_served_with_its_type_and_age(site: Site) -> None:
    types = {}
    for key, content in PUBLIC.items():
        status, headers, body = ask(site, f"/{key}")
        assert (status, body) == (200, content)
        assert headers["x-content-type-options"] == "nosniff"
        types[key] = (headers["content-type"], "immutable" in headers["cache-control"])
    assert list(types.values()) == [
        ("text/html; charset=utf-8", False),
        ("application/feed+json", False),
        ("application/json", False),
        ("text/csv; charset=utf-8", True),
        ("application/json", False),
    ]


def test_the_feeds_of_datasets_and_bodies_are_told_as_feeds() -> None:
    feeds = ("catalogue/feed.json", "catalogue/feeds/spend.json", "catalogue/feeds/bodies/anytown.json")
    assert {content_type(key) for key in feeds} == {"application/feed+json"}
    assert content_type("catalogue/feeds/spend.atom") == "application/atom+xml"
    assert content_type("data/spend/anytown/2026-10/v1-0123456789ab/feed.json") == "application/json"


def test_the_root_leads_to_the_catalogue(site: Site) -> None:
    status, headers, _ = ask(site, "/")
    assert (status, headers["location"]) == (302, "/catalogue/index.html")
    assert ask(site, "/catalogue/")[2] == PUBLIC["catalogue/index.html"]
    assert ask(site, "/catalogue/index.html?from=feed")[0] == 200


TRICKS = [
    *(f"/{key}" for key in PRIVATE),
    "/catalogue/../archive/sha256/ab/abcd",
    "/catalogue/%2e%2e/archive/sha256/ab/abcd",
    "/catalogue/%2E%2E%2Farchive/sha256/ab/abcd",
    "/catalogue/..%2farchive%2fsha256%2fab%2fabcd",
    "/catalogue/%252e%252e/archive/sha256/ab/abcd",
    "/catalogue/..%5carchive/sha256/ab/abcd",
    "/catalogue/..\\archive\\sha256\\ab\\abcd",
    "//archive/sha256/ab/abcd",
    "/./archive/sha256/ab/abcd",
    "/%61rchive/sha256/ab/abcd",
    "/data/../collected/anytown/spend/abcd/report.json",
    "/catalogue/%00/../archive",
    "/catalogue/%ff",
    "/catalogue",
    "/data",
    "/data/",
    "/catalogue//index.html",
    "/.locks/00",
    "/catalogue/.locks",
    "http://127.0.0.1/archive/sha256/ab/abcd",
    "catalogue/index.html",
    "*",
]


def test_the_archive_is_never_served_whatever_the_path(site: Site) -> None:
    answers = {target: ask(site, target)[::2] for target in TRICKS}
    assert answers == dict.fromkeys(TRICKS, (404, b"Not found\n"))


@given(st.text(max_size=30), st.sampled_from(["/catalogue/", "/data/", "/", "/reports/%2e", "/archive/"]))
def test_no_path_names_a_private_key(text: str, start: str) -> None:
    key = key_of(start + text)
    assert key is None or (key.startswith(("catalogue/", "data/", "reports/")) and ".." not in key.split("/"))


def test_nothing_is_written_through_the_site(site: Site) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert ask(site, "/catalogue/index.html", method)[0] == 501


def test_a_reader_that_has_it_is_told_so(site: Site) -> None:
    tag = ask(site, "/catalogue/index.html")[1]["etag"]
    assert ask(site, "/catalogue/index.html", If_None_Match=tag)[:3:2] == (304, b"")
    status, headers, body = ask(site, "/catalogue/index.html", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(PUBLIC["catalogue/index.html"])), b"")


def test_a_reader_that_goes_away_harms_nobody(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.server_address[1])) as caller:
        caller.sendall(b"GET /catalogue/index.html HTTP/1.1\r\nHost: x\r\n")
    assert ask(site, "/catalogue/index.html")[0] == 200
