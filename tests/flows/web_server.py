"""A small web server of a body: pages, data, and the days on which it is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flows_inbox import spend


class Web(ThreadingHTTPServer):
    """`statuses` are those of all answers so far, `asked` the paths."""

    daemon_threads = True
    payments = spend(5)
    cards = spend(6, start=200)

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def times(self, path: str) -> int:
        return self.asked.count(path)


@contextmanager
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        match kind:
            case "shaky" if self.server.times(self.path) < 2:
                self._answer(500)
            case "shaky" | "tagged":
                self._file(self.server.payments, '"spend"')
            case "cards":
                self._file(self.server.cards, '"cards"')
            case "page":
                self._answer(200, b'<a href="/cards/Cards%20October%202026.csv">Cards, October</a><a href="/">Home</a>')
            case "down":
                self._answer(503)
            case "gone":
                self._answer(410)
            case _:
                self._answer(404)

    def _file(self, content: bytes, tag: str) -> None:
        if self.headers.get("If-None-Match") == tag:
            self._answer(304)
        else:
            self._answer(200, content, tag)

    def _answer(self, status: int, content: bytes = b"", tag: str = '""') -> None:
        self.server.statuses.append(status)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(content)
