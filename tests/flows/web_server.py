"""The web server of a body: pages, data, and paths that fail."""

from __future__ import annotations

from tests.fixtures.http_server import LocalServer, QuietHandler
from tests.operations.inbox import spend


class Web(LocalServer):
    """The web server of a body. `statuses` lists the status of every response."""

    payments = spend(5)
    cards = spend(6, start=200)

    def __init__(self) -> None:
        self.statuses: list[int] = []
        super().__init__(_Handler)


class _Handler(QuietHandler):
    server: Web

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        self.server.requests.append((self.path, dict(self.headers)))
        kind = self.path.split("/")[1]
        match kind:
            case "shaky" if self.server.count(self.path) < 2:
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
        self.answer(status, content, ETag=tag)
