"""Only what is published is served, whatever a request looks like."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved
from publishers import Store, serve_site
from publishers.site import ByteRange, SiteServer, UnsatisfiableRangeError, key_of, parse_range
from tests.fixtures.waiting import PATIENCE_SECONDS

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
    connection = http.client.HTTPConnection("127.0.0.1", site.server_address[1], timeout=PATIENCE_SECONDS)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
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
        headers = requests.get(site.address + path, timeout=PATIENCE_SECONDS).headers
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


def test_head_with_a_range_has_the_headers_of_get(site: SiteServer) -> None:
    for asked in (*RANGES, f"bytes={len(WHOLE)}-"):
        get, head = (ask(site, "/catalogue/index.html", method, Range=asked) for method in ("GET", "HEAD"))
        for _, headers, _ in (get, head):
            headers.pop("date")
        assert head == (*get[:2], b""), asked


def test_a_reader_with_the_current_date_gets_not_modified(site: SiteServer) -> None:
    modified = ask(site, "/catalogue/index.html")[1]["last-modified"]
    assert ask(site, "/catalogue/index.html", If_Modified_Since=modified)[::2] == (304, b"")
    for other in ("Sun, 22 Nov 1998 07:00:00 GMT", "yesterday", ""):
        assert ask(site, "/catalogue/index.html", If_Modified_Since=other)[::2] == (200, WHOLE)
    older_tag = {"If_Modified_Since": modified, "If_None_Match": '"older"'}
    assert ask(site, "/catalogue/index.html", **older_tag)[0] == 200  # the tag says more than the date


LONG_PAGE = b"<p>" + b"Payments to suppliers. " * 500


@pytest.mark.parametrize(
    ("accepts", "compressed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("deflate, GZIP", True),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
    ],
)
def test_text_is_compressed_for_whoever_accepts_it(
    site: SiteServer, store: Store, accepts: str, compressed: bool
) -> None:
    store.put("catalogue/long.html", LONG_PAGE)
    plain = ask(site, "/catalogue/long.html")
    _, headers, body = ask(site, "/catalogue/long.html", Accept_Encoding=accepts)
    assert headers["vary"] == plain[1]["vary"] == "Accept-Encoding"
    assert (headers.get("content-encoding") == "gzip") is compressed
    assert (headers["etag"] != plain[1]["etag"]) is compressed
    assert (gzip.decompress(body) if compressed else body) == LONG_PAGE == plain[2]
    if compressed:
        assert len(body) < len(LONG_PAGE) / 5
        tag = headers["etag"]
        assert ask(site, "/catalogue/long.html", Accept_Encoding=accepts, If_None_Match=tag)[0] == 304
        assert ask(site, "/catalogue/long.html", "HEAD", Accept_Encoding=accepts)[1]["content-length"] == str(len(body))


def test_a_range_is_of_the_object_without_compression(site: SiteServer, store: Store) -> None:
    store.put("catalogue/long.html", LONG_PAGE)
    tag = ask(site, "/catalogue/long.html", Accept_Encoding="gzip")[1]["etag"]
    status, headers, body = ask(site, "/catalogue/long.html", Accept_Encoding="gzip", Range="bytes=3-9")
    assert (status, body, "content-encoding" in headers) == (206, LONG_PAGE[3:10], False)
    # who has the start of the compressed page cannot go on with the bytes of the other
    resumed = ask(site, "/catalogue/long.html", Accept_Encoding="gzip", Range="bytes=3-9", If_Range=tag)
    assert resumed[::2] == (200, LONG_PAGE)


def test_parquet_is_not_compressed_again(site: SiteServer, store: Store) -> None:
    store.put("data/spend/anytown/2026-10/v1-0123456789ab/spend.parquet", b"PAR1" * 1000)
    headers = ask(site, "/data/spend/anytown/2026-10/v1-0123456789ab/spend.parquet", Accept_Encoding="gzip")[1]
    assert not {"content-encoding", "vary"} & headers.keys()


BUILT = "http://localhost:8000/"


@pytest.fixture
def built(store: Store) -> None:
    store.put(layout.ROBOTS, f"User-agent: *\nDisallow:\nSitemap: {BUILT}catalogue/sitemap.xml\n".encode())
    for key in ("catalogue/feed.atom", "catalogue/consolidated/spend/index.json", "data/spend/anytown/x.json"):
        store.put(key, f"see {BUILT}data/ and {BUILT}catalogue/".encode())


@pytest.mark.usefixtures("built")
def test_a_site_on_another_port_said_localhost_8000(site: SiteServer) -> None:
    ours = site.address
    assert ask(site, "/catalogue/feed.atom")[2].decode() == f"see {ours}data/ and {ours}catalogue/"
    other = ask(site, "/catalogue/feed.atom", Host="data.example:8443")
    assert other[2] == b"see http://data.example:8443/data/ and http://data.example:8443/catalogue/"
    assert other[1]["etag"] != ask(site, "/catalogue/feed.atom")[1]["etag"]
    assert ask(site, "/catalogue/feed.atom", Host="data.example:8443", If_None_Match=other[1]["etag"])[0] == 304
    assert ask(site, "/catalogue/feed.atom", Host="data.example:8443", Range="bytes=4-16")[2] == b"http://data.e"


@pytest.mark.usefixtures("built")
def test_what_indexes_name_by_hash_is_sent_as_it_is(site: SiteServer) -> None:
    for key in ("catalogue/consolidated/spend/index.json", "data/spend/anytown/x.json"):
        assert BUILT.encode() in ask(site, f"/{key}")[2]


@pytest.mark.usefixtures("built")
def test_a_host_that_is_none_is_not_written_into_pages(site: SiteServer) -> None:
    for host in ('"><script>', "a b", "", "x" * 300, "data.example/path"):
        assert site.address.encode() in ask(site, "/catalogue/feed.atom", Host=host)[2], host


def test_a_catalogue_of_a_public_address_keeps_it(site: SiteServer, store: Store) -> None:
    store.put(layout.ROBOTS, b"Sitemap: https://data.example/catalogue/sitemap.xml\n")
    store.put("catalogue/feed.atom", b"see https://data.example/data/")
    assert ask(site, "/catalogue/feed.atom")[2] == b"see https://data.example/data/"


@pytest.mark.usefixtures("built")
def test_crawlers_find_robots_txt_at_the_root(site: SiteServer) -> None:
    status, headers, body = ask(site, "/robots.txt")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body.decode().endswith(f"Sitemap: {site.address}catalogue/sitemap.xml\n")


def test_a_browser_gets_a_page_that_says_there_is_none(site: SiteServer, store: Store) -> None:
    for accepts in ("text/html,*/*;q=0.8", "*/*"):
        assert ask(site, "/catalogue/none.html", Accept=accepts)[::2] == (404, b"Not found\n")
    store.put(layout.NOT_FOUND, b"<h1>Page not found</h1>")
    for path in ("/catalogue/none.html", "/none", "/archive/sha256/ab/abcd"):
        status, headers, body = ask(site, path, Accept="text/html,*/*;q=0.8")
        assert (status, body, headers["content-type"]) == (404, b"<h1>Page not found</h1>", "text/html; charset=utf-8")
    assert ask(site, "/none", "HEAD", Accept="text/html")[::2] == (404, b"")
    assert ask(site, "/none", Accept="*/*")[::2] == (404, b"Not found\n")


def test_pages_of_other_sites_may_ask_for_ranges(site: SiteServer) -> None:
    status, headers, _ = ask(site, "/data/x", "OPTIONS", Origin="https://other.example")
    assert (status, headers["access-control-allow-methods"]) == (204, "GET, HEAD")
    assert "Range" in headers["access-control-allow-headers"]
    assert "Content-Range" in ask(site, "/catalogue/index.html")[1]["access-control-expose-headers"]


def test_headers_and_body_leave_in_one_packet(site: SiteServer) -> None:
    request = b"GET /catalogue/index.html HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.server_port)) as caller:
        for _ in range(20):
            caller.sendall(request)
            assert caller.recv(1 << 16).endswith(WHOLE)


# --- slow and idle clients ----------------------------------------------------------------------------------------


@pytest.fixture
def small_site(store: Store) -> Iterator[SiteServer]:
    """A site with room for eight connections, whose clients have a second for each step."""
    for key, content in PUBLIC.items():
        store.put(key, content)
    store.put("data/large", bytes(64 << 20))
    with SiteServer(store, "127.0.0.1", 0, patience_seconds=1, most_connections=8) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def opened(stack: ExitStack, site: SiteServer, sent: bytes = b"") -> socket.socket:
    caller = stack.enter_context(socket.create_connection(("127.0.0.1", site.server_port), timeout=PATIENCE_SECONDS))
    caller.sendall(sent)
    return caller


@pytest.mark.parametrize(
    "sent", [b"", b"GET /catalogue/index.html HTTP/1.1\r\nHost:", b"GET /data/large HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_clients_that_do_nothing_keep_nobody_out(small_site: SiteServer, sent: bytes) -> None:
    """Idle ones, ones that stop in the middle of a request, and ones that do not read their answer."""
    with ExitStack() as stack:
        for _ in range(20):
            opened(stack, small_site, sent)
        for _ in range(5):
            assert ask(small_site, "/catalogue/index.html")[::2] == (200, WHOLE)


def test_an_idle_connection_is_closed_and_its_thread_ends(small_site: SiteServer) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        callers = [opened(stack, small_site) for _ in range(6)]
        callers += [opened(stack, small_site, b"GET /data/large HTTP/1.1\r\nHost: x\r\n\r\n")]
        assert [caller.recv(1) for caller in callers[:6]] == [b""] * 6
        while threading.active_count() > before:  # a hang would end the test by its time limit
            time.sleep(0.05)


def test_a_client_that_sends_drop_by_drop_is_cut_off(small_site: SiteServer) -> None:
    with ExitStack() as stack:
        caller = opened(stack, small_site, b"GET /catalogue/index.html HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            for number in range(1_000):
                caller.sendall(f"X-{number}: x\r\n".encode())
                time.sleep(0.05)


def test_a_client_that_reads_slowly_but_reads_gets_the_whole(small_site: SiteServer, store: Store) -> None:
    """In all it takes longer than a single step may take."""
    small_site._patience = 3  # a busy machine makes pauses of its own
    content = bytes(range(256)) * 8192
    store.put("data/slow", content)
    with ExitStack() as stack:
        caller = opened(stack, small_site, b"GET /data/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := caller.recv(1 << 16):
            received += piece
            time.sleep(0.1)
    assert received.endswith(content)


def test_a_body_is_not_taken_for_the_next_request(site: SiteServer) -> None:
    inner = b"GET /catalogue/feed.json HTTP/1.1\r\nHost: x\r\n\r\n"
    request = b"GET /catalogue/index.html HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(inner)
    with socket.create_connection(("127.0.0.1", site.server_port), timeout=PATIENCE_SECONDS) as caller:
        caller.sendall(request + inner)
        received = b""
        with suppress(ConnectionError):
            while piece := caller.recv(1 << 16):
                received += piece
    assert received.count(b"HTTP/1.1 200") == 1


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
