"""An HTTP server that misbehaves in the ways that the servers of public bodies do."""

from __future__ import annotations

import time
from contextlib import suppress

from tests.fixtures.http_server import LocalServer, QuietHandler

CSV = b"Supplier,Amount,Date\r\nAcorn Ltd,1250.00,01/10/2026\r\n"
ETAG = '"one"'
PAGE = b"""<html><body><h1>Spending</h1>
<a href="/data/spend-2026-09.csv">September 2026 (CSV)</a>
<a href='data/spend-2026-10.csv#top'><b>October</b> 2026</a>
<A HREF="/about">About us</a> <a>no address</a>
<a href="/data/spend-2026-10.csv">October 2026 again</a></body></html>"""


class Misbehaving(LocalServer):
    """A server whose first path segment names how it misbehaves."""

    def __init__(self) -> None:
        super().__init__(_Handler)


class _Handler(QuietHandler):
    server: Misbehaving
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        self.server.requests.append((self.path, dict(self.headers)))
        behaviour = getattr(self, "_" + self.path.split("?")[0].strip("/").split("/")[0].replace("-", "_"), None)
        (behaviour or self._missing)()

    def _missing(self) -> None:
        self.answer(404, b"not here")

    def _data(self) -> None:
        self.answer(200, CSV, Content_Type="text/csv")

    def _named(self) -> None:
        self.answer(200, CSV, Content_Disposition="attachment; filename*=UTF-8''..%2F..%2FSpend%20%C2%A3500.csv")

    def _tagged(self) -> None:
        if self.headers.get("If-None-Match") == ETAG:
            self.answer(304, ETag=ETAG)
        else:
            self.answer(200, CSV, ETag=ETAG, Last_Modified="Sun, 01 Nov 2026 06:00:00 GMT")

    def _shaky(self) -> None:
        if self.server.count(self.path) < 2:
            self.answer(500, b"oops")
        else:
            self._data()

    def _busy(self) -> None:
        self.answer(429, Retry_After="7")

    def _to_nonsense(self) -> None:
        self.answer(302, Location="http://[bad")

    def _to_long_label(self) -> None:
        self.answer(302, Location=f"http://{'a' * 300}.example/x.csv")

    def _endless_length(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9" * 5000)
        self.end_headers()

    def _not_modified(self) -> None:
        self.answer(304)

    def _dripping_headers(self) -> None:
        with suppress(OSError):  # the client gives up
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(200):
                self.wfile.write(f"X-{number}: 1\r\n".encode())
                time.sleep(0.1)

    def _forbidden(self) -> None:
        self.answer(403)

    def _gone(self) -> None:
        self.answer(410)

    def _nothing(self) -> None:
        self.answer(204)

    def _silent(self) -> None:
        with suppress(OSError):
            self.connection.recv(1)  # until the client gives up

    def _dripping(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000):
            try:
                self.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.1)

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CSV) + 100))
        self.end_headers()
        self.wfile.write(CSV)
        self.close_connection = True

    def _cut_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\nff\r\nand no more")
        self.close_connection = True

    def _huge(self) -> None:
        self.answer(200, b"x" * 5000)

    def _huge_untold(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b"x" * 5_000_000)
        except OSError:
            return
        self.close_connection = True

    def _html(self) -> None:
        self.answer(200, b"<!doctype html><title>Please accept our cookies</title>", Content_Type="text/html")

    def _wrong_type(self) -> None:
        self.answer(200, CSV, Content_Type="application/pdf")

    def _page(self) -> None:
        self.answer(200, PAGE, Content_Type="text/html")

    def _moved(self) -> None:
        self.answer(302, Location="/data/spend-2026-10.csv")

    def _to_private(self) -> None:
        self.answer(302, Location="http://169.254.169.254/latest/meta-data/")

    def _to_file(self) -> None:
        self.answer(302, Location="file:///etc/passwd")

    def _circle(self) -> None:
        self.answer(307, Location="/circle")
