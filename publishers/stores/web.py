"""A published place seen over HTTP: read only, as any stranger sees it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from piperoll import layout
from piperoll.errors import NotThere, StoreError, StoreUnavailable
from publishers.stores.protocol import StoredObject

_CHUNK = 1 << 20
_PATIENCE_SECONDS = (10, 60)
"""To connect, and between two pieces of an answer."""

_AGAIN = Retry(total=5, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=("GET", "HEAD"))


class WebReader:
    """What is served below an address: `data/`, `reports/` and `catalogue/`, and nothing that could be listed."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_AGAIN))

    def __repr__(self) -> str:
        return f"WebReader({self._address!r})"

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """The object under `key`, or only its first bytes."""
        part = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        with self._ask("GET", key, part) as answer:
            content = answer.content if first is None else answer.content[:first]
            return StoredObject(content, answer.headers.get("ETag", ""))

    def fetch(self, key: str, to: Path) -> None:
        """Bring an object of any size into a local file."""
        with self._ask("GET", key, {}) as answer, to.open("wb") as stream:
            for piece in answer.iter_content(_CHUNK):
                stream.write(piece)

    def exists(self, key: str) -> bool:
        """Whether an object is served under `key`."""
        try:
            self._ask("HEAD", key, {}).close()
        except NotThere:
            return False
        return True

    def _ask(self, method: str, key: str, headers: dict[str, str]) -> requests.Response:
        address = f"{self._address}/{quote(layout.check_key(key))}"
        try:
            answer = self._session.request(method, address, headers=headers, stream=True, timeout=_PATIENCE_SECONDS)
        except requests.RequestException as error:
            raise StoreUnavailable(f"{address} does not answer: {error}") from error
        if answer.status_code in (403, 404, 410):
            raise NotThere(f"there is nothing at {address} (status {answer.status_code})")
        if not answer.ok:
            kind = StoreUnavailable if answer.status_code in _AGAIN.status_forcelist else StoreError
            raise kind(f"{address} answers with status {answer.status_code}")
        return answer
