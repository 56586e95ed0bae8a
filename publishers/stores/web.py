"""A published store read over HTTP, with no more rights than any visitor has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from piperoll import layout
from piperoll.errors import NotThere, StoreError, StoreUnavailable
from publishers.stores.protocol import StoredObject

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = (10, 60)
"""Seconds to connect, and seconds between two pieces of an answer."""

_RETRIES = Retry(
    total=5, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=("GET", "HEAD")
)

_FIRST_RETRIES = _RETRIES.new(connect=1)
"""Until something has answered: an address where nothing listens is told at once, and not after 16 seconds."""


class WebReader:
    """Reads what is served below a web address: `data/`, `reports/` and `catalogue/`. Nothing can be listed."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._session = requests.Session()
        self._adapter = HTTPAdapter(max_retries=_FIRST_RETRIES)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)

    def __repr__(self) -> str:
        return f"WebReader({self._address!r})"

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """Read an object, or only its first bytes."""
        headers = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        with self._request("GET", key, headers) as response:
            content = response.content if first is None else response.content[:first]
            return StoredObject(content, response.headers.get("ETag", ""))

    def fetch(self, key: str, to: Path) -> None:
        """Copy an object of any size to a local file."""
        with self._request("GET", key, {}) as response, to.open("wb") as stream:
            for chunk in response.iter_content(_CHUNK_BYTES):
                stream.write(chunk)

    def exists(self, key: str) -> bool:
        """True if an object is served under `key`."""
        try:
            self._request("HEAD", key, {}).close()
        except NotThere:
            return False
        return True

    def _request(self, method: str, key: str, headers: dict[str, str]) -> requests.Response:
        url = f"{self._address}/{quote(layout.check_key(key))}"
        try:
            response = self._session.request(method, url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise StoreUnavailable(f"{self._address} does not answer: {_describe_failure(error)}") from error
        self._adapter.max_retries = _RETRIES
        if response.status_code in (403, 404, 410):
            raise NotThere(f"there is nothing at {url} (status {response.status_code})")
        if not response.ok:
            kind = StoreUnavailable if response.status_code in _RETRIES.status_forcelist else StoreError
            raise kind(f"{url} answers with status {response.status_code}")
        return response


def _describe_failure(error: BaseException) -> str:
    """Say why there is no answer and what to do; `error` is that of requests, which wraps those of other libraries."""
    causes = "".join(type(one).__name__ for one in _causes_of(error))
    if "NameResolutionError" in causes:
        return "there is no such host. Check the address"
    if "NewConnectionError" in causes or "ConnectionRefusedError" in causes:
        return "nothing listens there. Check the address and the port, and that the server runs"
    if "SSLError" in causes:
        return "its certificate is not valid, or it does not speak https. Check the address"
    if "Timeout" in causes:
        return "it takes too long. Try again later"
    return "the connection broke off. Try again"


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error and those inside it: requests and urllib3 keep them as arguments and as `reason`."""
    inside: list[object] = [error]
    while inside:
        one = inside.pop()
        if isinstance(one, BaseException):
            yield one
            inside += [*one.args, getattr(one, "reason", None)]
