"""The links of a page on the web."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin


def find_links(page: bytes, base: str, pattern: str) -> tuple[str, ...]:
    """The addresses of the links of a page whose address or text matches `pattern`, each once, in page order."""
    reader = _Links()
    reader.feed(page.decode("utf-8", "replace"))
    reader.close()
    wanted = re.compile(pattern)
    found = (join_address(base, href) for href, text in reader.found if wanted.search(href) or wanted.search(text))
    return tuple(dict.fromkeys(address.partition("#")[0] for address in found))


def join_address(base: str, address: str) -> str:
    """The absolute address; one that is not valid as it is, so that fetching it gives the error."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


class _Links(HTMLParser):
    """Collects the address and text of each `<a href>` of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._finish()
            self._href = dict(attrs).get("href")

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._finish()

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        if self._href is not None:
            self.found.append((self._href.strip(), " ".join("".join(self._text).split())))
        self._href, self._text = None, []
