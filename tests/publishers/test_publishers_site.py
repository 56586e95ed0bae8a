"""Only what is published is served, whatever a request looks like."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved
from publishers import Store, serve_site
from publishers.site import ByteRange, SiteServer, UnsatisfiableRangeError, key_of, parse_range

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
def site(store: Store) -> Iterator[SiteServer]:
    for key, content in (PUBLIC | PRIVATE).items():
        store.put(key, content)
    with serve_site(store, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(site: SiteServer, target: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
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


def test_what_is_published_is_served_with_its_type_and_age(site: SiteServer) -> None:
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


def test_the_feeds_of_datasets_and_bodies_have_the_content_types_of_feeds() -> None:
    feeds = ("catalogue/feed.json", "catalogue/feeds/spend.json", "catalogue/feeds/bodies/anytown.json")
    assert {layout.content_type(key) for key in feeds} == {"application/feed+json"}
    assert layout.content_type("catalogue/feeds/spend.atom") == "application/atom+xml"
    assert layout.content_type("data/spend/anytown/2026-10/v1-0123456789ab/feed.json") == "application/json"


def test_the_root_leads_to_the_catalogue(site: SiteServer) -> None:
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


def test_the_archive_is_never_served_whatever_the_path(site: SiteServer) -> None:
    answers = {target: ask(site, target)[::2] for target in TRICKS}
    assert answers == dict.fromkeys(TRICKS, (404, b"Not found\n"))


@given(st.text(max_size=30), st.sampled_from(["/catalogue/", "/data/", "/", "/reports/%2e", "/archive/"]))
def test_no_path_names_a_private_key(text: str, start: str) -> None:
    key = key_of(start + text)
    assert key is None or (key.startswith(("catalogue/", "data/", "reports/")) and ".." not in key.split("/"))


def test_pages_cannot_be_framed_and_other_pages_may_read_what_is_public(site: SiteServer) -> None:
    for path in ("", "no-such-page", layout.HOME):
        headers = requests.get(site.address + path, timeout=30).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Access-Control-Allow-Origin"] == "*"


def test_nothing_is_written_through_the_site(site: SiteServer) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert ask(site, "/catalogue/index.html", method)[0] == 501


def test_a_reader_with_the_current_etag_gets_not_modified(site: SiteServer) -> None:
    tag = ask(site, "/catalogue/index.html")[1]["etag"]
    assert ask(site, "/catalogue/index.html", If_None_Match=tag)[:3:2] == (304, b"")
    status, headers, body = ask(site, "/catalogue/index.html", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(PUBLIC["catalogue/index.html"])), b"")


WHOLE = PUBLIC["catalogue/index.html"]
RANGES = {
    "bytes=0-3": (206, WHOLE[:4], "bytes 0-3"),
    "bytes=30-": (206, WHOLE[30:], f"bytes 30-{len(WHOLE) - 1}"),
    "bytes=5-999999": (206, WHOLE[5:], f"bytes 5-{len(WHOLE) - 1}"),
    "bytes=-8": (206, WHOLE[-8:], f"bytes {len(WHOLE) - 8}-{len(WHOLE) - 1}"),
    "bytes=-999999": (206, WHOLE, f"bytes 0-{len(WHOLE) - 1}"),
    "Bytes=1-1": (206, WHOLE[1:2], "bytes 1-1"),
    "bytes=3-1": (200, WHOLE, None),
    "bytes=-": (200, WHOLE, None),
    "bytes=0-1,4-5": (200, WHOLE, None),
    "lines=0-1": (200, WHOLE, None),
    "bytes=" + "9" * 5000 + "-": (200, WHOLE, None),
}


def test_a_range_request_gets_the_range(site: SiteServer) -> None:
    for asked, (status, body, part) in RANGES.items():
        answer = ask(site, "/catalogue/index.html", Range=asked)
        assert answer[::2] == (status, body), asked
        assert answer[1].get("content-range") == (part and f"{part}/{len(WHOLE)}")
        assert (answer[1]["accept-ranges"], answer[1]["content-length"]) == ("bytes", str(len(body)))


def test_a_range_beyond_the_end_is_refused_with_the_size(site: SiteServer) -> None:
    for asked in (f"bytes={len(WHOLE)}-", "bytes=999999-", "bytes=-0"):
        status, headers, _ = ask(site, "/catalogue/index.html", Range=asked)
        assert (status, headers["content-range"]) == (416, f"bytes */{len(WHOLE)}"), asked


def test_if_range_with_an_older_etag_gets_the_whole_object(site: SiteServer, store: Store) -> None:
    tag = ask(site, "/catalogue/index.html")[1]["etag"]
    assert ask(site, "/catalogue/index.html", Range="bytes=2-", If_Range=tag)[0] == 206
    store.put("catalogue/index.html", WHOLE[::-1])
    for older in (tag, "W/" + tag, "Sun, 22 Nov 2026 07:00:00 GMT"):
        assert ask(site, "/catalogue/index.html", Range="bytes=2-", If_Range=older)[::2] == (200, WHOLE[::-1])


def test_a_head_request_announces_byte_ranges(site: SiteServer) -> None:
    status, headers, body = ask(site, "/catalogue/index.html", "HEAD", Range="bytes=0-3")
    assert (status, body) == (200, b"")
    assert (headers["accept-ranges"], headers["content-length"]) == ("bytes", str(len(WHOLE)))


def test_a_part_of_a_large_object_is_read_alone(store: Store) -> None:
    large = bytes(range(256)) * 40_000
    store.put("data/large", large)
    seen = store.stat("data/large")
    assert seen.size == len(large)
    assert store.read_range("data/large", 1_000, 1_016, seen.tag) == large[1_000:1_016]
    store.put("data/large", large[1:])
    with pytest.raises(PointerMoved):
        store.read_range("data/large", 0, 1, seen.tag)
    with pytest.raises(NotThere):
        store.stat("data/none")


@given(st.one_of(st.text(max_size=20), st.from_regex(r"bytes=\d{0,20}-\d{0,20}\Z")), st.integers(0, 10**12))
def test_a_part_always_lies_within_the_object(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except UnsatisfiableRangeError:
        return
    assert part is None or (isinstance(part, ByteRange) and 0 <= part.start < part.stop <= size)


def test_a_reader_that_disconnects_does_not_disturb_others(site: SiteServer) -> None:
    with socket.create_connection(("127.0.0.1", site.server_address[1])) as caller:
        caller.sendall(b"GET /catalogue/index.html HTTP/1.1\r\nHost: x\r\n")
    assert ask(site, "/catalogue/index.html")[0] == 200
