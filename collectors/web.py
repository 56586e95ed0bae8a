"""Fetch files from the web: one request at a time, only from public addresses, with size and time limits."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from piperoll.errors import AddressRefused, CollectError, SourceGone, SourceUnavailable, TooLarge

_CHUNK_BYTES = 1 << 16
_MAX_HOPS = 10  # requests for one file, redirects included; browsers follow up to 20
_WHOLE_RESPONSE_FACTOR = 10  # a whole response may take this many times the time-out of a single read
_RETRYABLE_STATUSES = (408, 425, 429)
_REDIRECTS = (301, 302, 303, 307, 308)
_USER_AGENT = "Piperoll (open data of public bodies)"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits for one fetch: the time-out of each read in seconds, the size of the file, and which addresses."""

    timeout_seconds: float
    max_download_bytes: int
    allow_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The response to one fetch, with or without a file.

    `hops` are the addresses requested, in order; the last one gave the response. `path`, `name`, `sha256` and `bytes`
    describe the file, if there is one. `error` says why there is none; it is None for status 304 (not modified).
    """

    hops: tuple[str, ...]
    status: int | None = None
    headers: Mapping[str, str] | None = None
    path: Path | None = None
    name: str | None = None
    bytes: int = 0
    sha256: str | None = None
    error: CollectError | None = None

    @property
    def unchanged(self) -> bool:
        """True if the server says that the file has not changed since the last response."""
        return self.status == 304

    def to_json(self) -> dict[str, Any]:
        """The entry for the collection log."""
        return {
            "hops": list(self.hops),
            "status": self.status,
            "headers": dict(self.headers or {}),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "trouble": self.error and f"{type(self.error).__name__}: {self.error}",
        }


def fetch_file(url: str, folder: Path, limits: FetchLimits, *, last: Mapping[str, Any] | None = None) -> FetchResponse:
    """Fetch the file at `url` into `folder`. Redirects are followed here, so that each address is checked and logged.

    `last` is the log entry (`FetchResponse.to_json`) of the last response with a file, if that file is done: the server
    may then answer that it has not changed. Errors are returned in the response, not raised, so that they are logged.
    """
    answer = FetchResponse(hops=(url,))
    try:
        with _session(limits) as session:
            for _ in range(_MAX_HOPS):
                answer, redirect = _request(session, answer, folder, limits, last or {})
                if redirect is None:
                    return answer
                answer = replace(answer, hops=(*answer.hops, redirect))
    except CollectError as error:
        return replace(answer, error=error)
    return replace(answer, error=SourceGone(f"{url} redirects more than {_MAX_HOPS} times"))


def find_links(page: bytes, base: str, pattern: str) -> tuple[str, ...]:
    """The addresses of the links of a page whose address or text matches `pattern`, each once, in page order."""
    reader = _Links()
    reader.feed(page.decode("utf-8", "replace"))
    reader.close()
    wanted = re.compile(pattern)
    found = (urljoin(base, href) for href, text in reader.found if wanted.search(href) or wanted.search(text))
    return tuple(dict.fromkeys(address.partition("#")[0] for address in found))


def _session(limits: FetchLimits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, which would hide the real address, and no .netrc
    session.headers.update({"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
    if not limits.allow_private_addresses:
        session.mount("http://", PublicOnly())
        session.mount("https://", PublicOnly())
    return session


def _request(
    session: requests.Session, answer: FetchResponse, folder: Path, limits: FetchLimits, last: Mapping[str, Any]
) -> tuple[FetchResponse, str | None]:
    """Request the last hop; return the response so far and the address it redirects to, if it does."""
    url = answer.hops[-1]
    if urlsplit(url).scheme not in ("http", "https"):
        raise AddressRefused(f"{url} is not a web address, so it is not fetched")
    with closing(_get(session, url, limits, last)) as response:
        answer = replace(answer, status=response.status_code, headers=dict(response.headers))
        if response.status_code in _REDIRECTS and "Location" in response.headers:
            return answer, urljoin(url, response.headers["Location"])
        if response.status_code == 304:
            return answer, None
        error = _error_of(response)
        return (replace(answer, error=error) if error else _save(response, answer, folder, limits)), None


def _get(session: requests.Session, url: str, limits: FetchLimits, last: Mapping[str, Any]) -> requests.Response:
    seen = {name.lower(): value for name, value in (last.get("headers") or {}).items()}
    conditions = {"If-None-Match": seen.get("etag"), "If-Modified-Since": seen.get("last-modified")}
    headers = {name: value for name, value in conditions.items() if value}
    try:
        return session.get(url, headers=headers, timeout=limits.timeout_seconds, stream=True, allow_redirects=False)
    except SSLError as error:
        raise SourceGone(f"{url} has a certificate that cannot be verified: {error}") from error
    except Timeout as error:
        raise SourceUnavailable(f"{url} did not answer within {limits.timeout_seconds} seconds") from error
    except requests.ConnectionError as error:
        raise SourceUnavailable(f"{url} cannot be reached: {error}") from error
    except requests.RequestException as error:
        raise SourceGone(f"{url} cannot be fetched: {error}") from error


def _error_of(response: requests.Response) -> CollectError | None:
    status = response.status_code
    message = f"{response.url} answers {status} {response.reason or ''}".strip()
    if status == 200:
        return None
    if status in _RETRYABLE_STATUSES or status >= 500:
        unavailable = SourceUnavailable(message)
        unavailable.retry_after_seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return unavailable
    return SourceGone(f"{message}: check that the address is still right")


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds to wait by a Retry-After header (RFC 9110 §10.2.3: seconds or a date); None if it is neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _save(response: requests.Response, answer: FetchResponse, folder: Path, limits: FetchLimits) -> FetchResponse:
    """Save the file of a response; a file that is not complete is an error."""
    url, digest, size = answer.hops[-1], hashlib.sha256(), 0
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limits.max_download_bytes:
        raise TooLarge(f"{url} is {int(announced):,} bytes: over the limit of {limits.max_download_bytes:,}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "arriving"
    with path.open("wb") as stream:
        for chunk in _chunks(response, url, limits):
            size += len(chunk)
            if size > limits.max_download_bytes:
                raise TooLarge(f"{url} is over the limit of {limits.max_download_bytes:,} bytes")
            digest.update(chunk)
            stream.write(chunk)
    name = _file_name(response.headers, url)
    return replace(answer, path=path, name=name, bytes=size, sha256=digest.hexdigest())


def _chunks(response: requests.Response, url: str, limits: FetchLimits) -> Iterator[bytes]:
    """The body in chunks. urllib3 raises if the connection ends before the announced length."""
    end = time.monotonic() + _WHOLE_RESPONSE_FACTOR * limits.timeout_seconds
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            if time.monotonic() > end:
                raise SourceUnavailable(
                    f"{url} took more than {_WHOLE_RESPONSE_FACTOR * limits.timeout_seconds:g} seconds"
                )
            yield chunk
    except HTTPError as error:
        raise SourceUnavailable(f"{url} ended before the file was complete: {error}") from error


def _file_name(headers: Mapping[str, str], url: str) -> str:
    """The name of the file by Content-Disposition, otherwise the end of the address; never a path."""
    message = Message()
    message["Content-Disposition"] = headers.get("Content-Disposition", "")
    given = message.get_filename() or unquote(urlsplit(url).path.rpartition("/")[2])
    last = re.split(r"[\\/]", given)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(". ")[:200] or "download"


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


def is_refused(text: str) -> bool:
    """Return True unless an IP address is public: loopback, private, link-local, multicast, reserved or shared.

    An IPv6 address with an IPv4 address inside (mapped, 6to4, Teredo) is always refused.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def resolve_public(host: str, port: int) -> str:
    """Resolve a name and return its first address, if all of its addresses are public.

    Raises: AddressRefused: one of them is not public. socket.gaierror: the name cannot be resolved.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if is_refused(text):
            raise AddressRefused(
                f"{host} resolves to {text}, which is this machine or a private network, so it is not fetched. "
                "To allow this, set PIPEROLL_ALLOW_PRIVATE_ADDRESSES=true"
            )
    return found[0]


class _Checked(HTTPConnection):
    """A connection to the address that was checked.

    The name is resolved once: otherwise it could mean a public machine when it is checked and a private one when the
    connection is made (DNS rebinding).
    """

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            self._dns_host = resolve_public(name, self.port)
            return super()._new_conn()
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        finally:
            self._dns_host = name  # the certificate and the Host header are about the name


class _CheckedSecure(_Checked, HTTPSConnection):
    """A checked connection with TLS."""


class _CheckedPool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _CheckedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _CheckedSecure


class PublicOnly(HTTPAdapter):
    """A transport adapter for `requests` that connects to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use pools whose connections check their address."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedSecurePool}
