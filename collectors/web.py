"""Fetch files from the web: one request at a time, only from public addresses, with size and time limits."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, SSLError, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from collectors.links import join_address
from piperoll.errors import (
    AddressRefused,
    CollectError,
    ProxyFailed,
    SettingsError,
    SourceGone,
    SourceUnavailable,
    TooLarge,
)

_CHUNK_BYTES = 1 << 16
_MAX_HOPS = 10  # requests for one file, redirects included; browsers follow up to 20
_WHOLE_FETCH_FACTOR = 10  # a whole fetch, redirects included, may take this many times the time-out of a single read
_MAX_LENGTH_DIGITS = 18  # of Content-Length: beyond an exabyte it is no length
_RETRYABLE_STATUSES = (408, 425, 429)
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
_REDIRECTS = (301, 302, 303, 307, 308)
_USER_AGENT = "Piperoll (open data of public bodies)"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits for one fetch: the time-out of each read in seconds, the size of the file, and which addresses.

    `proxy` is the address of a proxy, `http://user:password@host:port`. It then makes the connections, so it decides
    what a name means: docs/operating.md says what it must refuse.
    """

    timeout_seconds: float
    max_download_bytes: int
    allow_private_addresses: bool = False
    proxy: str | None = None

    @property
    def deadline_seconds(self) -> float:
        """The time that the whole fetch may take, from connecting to the last byte."""
        return _WHOLE_FETCH_FACTOR * self.timeout_seconds


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The response to one fetch, with or without a file.

    `hops` are the addresses requested, in order; the last one gave the response. `path`, `name`, `sha256` and `bytes`
    describe the file, if there is one. `error` says why there is none; it is None for status 304 (not modified).
    `redirected` is True if the last of `hops` is still to be requested. `seconds` is the time the requests took so far.
    """

    hops: tuple[str, ...]
    status: int | None = None
    headers: Mapping[str, str] | None = None
    path: Path | None = None
    name: str | None = None
    bytes: int = 0
    sha256: str | None = None
    error: CollectError | None = None
    redirected: bool = False
    seconds: float = 0

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
    """Fetch the file at `url` into `folder` and follow redirects; see `fetch_hop`."""
    answer = fetch_hop(FetchResponse((url,)), folder, limits, last=last)
    while answer.redirected:
        answer = fetch_hop(answer, folder, limits, last=last)
    return answer


def fetch_hop(
    answer: FetchResponse, folder: Path, limits: FetchLimits, *, last: Mapping[str, Any] | None = None
) -> FetchResponse:
    """Request the last of `answer.hops`. The response has either a file in `folder`, an error, or one hop more.

    Redirects are followed here, not by `requests`, so that each address is checked, logged, and fetched when its host
    may be asked. All hops of a file together have one deadline. `last` is the log entry (`FetchResponse.to_json`) of
    the last response with a file, if that file is done: the server may then answer that it has not changed. Errors are
    returned in the response, not raised, so that they are logged.
    """
    started = time.monotonic()
    answer = replace(answer, status=None, headers=None)
    with _Deadline(limits.deadline_seconds - answer.seconds) as deadline:
        try:
            with _session(limits) as session:
                answer, redirect = _request(session, answer, folder, limits, last or {})
            if redirect is not None and len(answer.hops) == _MAX_HOPS:
                raise SourceGone(f"{answer.hops[0]} redirects more than {_MAX_HOPS} times")
            hops = answer.hops if redirect is None else (*answer.hops, redirect)
            answer = replace(answer, hops=hops, redirected=redirect is not None)
        except CollectError as error:
            answer = replace(answer, error=error, redirected=False)
        answer = replace(answer, seconds=answer.seconds + time.monotonic() - started)
        if deadline.passed:  # whatever the ended connection looked like, even a complete file
            late = SourceUnavailable(f"{answer.hops[-1]} took more than {limits.deadline_seconds:g} seconds")
            return replace(answer, path=None, sha256=None, bytes=0, error=late, redirected=False)
    return answer


def _session(limits: FetchLimits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy that nobody has set for us, and no .netrc
    if limits.proxy:
        session.proxies = {"http": limits.proxy, "https": limits.proxy}
    session.headers.update({"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
    adapter = CheckedAdapter(public_only=not limits.allow_private_addresses)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _request(
    session: requests.Session, answer: FetchResponse, folder: Path, limits: FetchLimits, last: Mapping[str, Any]
) -> tuple[FetchResponse, str | None]:
    """Request the last hop; return the response so far and the address it redirects to, if it does."""
    url = answer.hops[-1]
    _require_web_address(url)
    if limits.proxy and not limits.allow_private_addresses:
        _refuse_private_name(url)
    with closing(_get(session, url, limits, last)) as response:
        answer = replace(answer, status=response.status_code, headers=dict(response.headers))
        if response.status_code in _REDIRECTS and "Location" in response.headers:
            return answer, join_address(url, response.headers["Location"])
        if response.status_code == 304 and last:
            return answer, None
        try:
            error = _error_of(response, limits.proxy)
            return (replace(answer, error=error) if error else _save(response, answer, folder, limits)), None
        except CollectError as cut:  # the server answered, with what the status and headers say
            return replace(answer, error=cut), None


def _require_web_address(url: str) -> None:
    """Raise AddressRefused unless `url` is an address that a request can be sent to."""
    try:
        split = urlsplit(url)
        valid = split.scheme in ("http", "https") and split.port != 0
        (split.hostname or "").encode("idna")  # no empty label, none over 63 characters
    except ValueError as error:
        raise AddressRefused(f"{url[:200]} is not a valid web address, so it is not fetched: {error}") from error
    if not valid:
        raise AddressRefused(f"{url[:200]} is not a web address, so it is not fetched")


def _get(session: requests.Session, url: str, limits: FetchLimits, last: Mapping[str, Any]) -> requests.Response:
    seen = {name.lower(): value for name, value in (last.get("headers") or {}).items()}
    conditions = {"If-None-Match": seen.get("etag"), "If-Modified-Since": seen.get("last-modified")}
    headers = {name: value for name, value in conditions.items() if value}
    try:
        return session.get(url, headers=headers, timeout=limits.timeout_seconds, stream=True, allow_redirects=False)
    except SSLError as error:
        raise SourceGone(f"{url} has a certificate that cannot be verified: {error}") from error
    except ProxyError as error:
        raise _proxy_error(url, limits.proxy or "", str(error)) from error
    except Timeout as error:
        if limits.proxy and isinstance(error, ConnectTimeout):
            raise _proxy_error(url, limits.proxy, "it cannot be reached") from error
        raise SourceUnavailable(f"{url} did not answer within {limits.timeout_seconds} seconds") from error
    except requests.ConnectionError as error:
        raise SourceUnavailable(f"{url} cannot be reached: {error}") from error
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise SourceGone(f"{url} cannot be fetched: {error}") from error


def require_proxy(proxy: str) -> None:
    """Raise SettingsError unless `proxy` is the address of a proxy, or empty. The message does not quote a password."""
    try:
        split = urlsplit(proxy)
        valid = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        valid = False
    if proxy and not valid:
        raise SettingsError("PIPEROLL_PROXY is not the address of a proxy: use http://host:port or https://host:port")


def _refuse_private_name(url: str) -> None:
    """Raise AddressRefused if this machine knows the host of an address as one that is not public.

    The proxy resolves the name once more, perhaps to another address; and a name that only it can resolve is its to
    allow or refuse.
    """
    split = urlsplit(url)
    with suppress(socket.gaierror):
        resolve_public(split.hostname or "", split.port or (443 if split.scheme == "https" else 80))


def _proxy_error(url: str, proxy: str, why: str) -> CollectError:
    """The error for a connection that the proxy did not make: its own fault, its refusal, or the fault of the site."""
    name = urlsplit(proxy).netloc.rpartition("@")[2]
    answer = _TUNNEL_STATUS.search(why)
    if answer is None or answer[1] == "407":
        refused = "does not accept the user and password of PIPEROLL_PROXY" if answer else "does not answer"
        return ProxyFailed(f"the proxy {name} {refused}, so {url} was not fetched")
    if answer[1].startswith("5"):
        return SourceUnavailable(f"{url} cannot be reached: the proxy {name} answers {answer[1]}")
    return AddressRefused(f"the proxy {name} does not allow {url}: it answers {answer[1]}")


def _error_of(response: requests.Response, proxy: str | None) -> CollectError | None:
    status = response.status_code
    message = f"{response.url} answers {status} {response.reason or ''}".strip()
    if status == 200:
        return None
    if status == 407 and proxy:
        return _proxy_error(response.url, proxy, "Tunnel connection failed: 407")
    if status in _RETRYABLE_STATUSES or status >= 500:
        unavailable = SourceUnavailable(message)
        unavailable.retry_after_seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return unavailable
    return SourceGone(f"{message}: check that the address is still right")


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds to wait by a Retry-After header (RFC 9110 §10.2.3: seconds or a date); None if it is neither."""
    text = (header or "").strip()  # removes more control characters than `float` does
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _save(response: requests.Response, answer: FetchResponse, folder: Path, limits: FetchLimits) -> FetchResponse:
    """Save the file of a response; a file that is not complete is an error."""
    url, digest, size = answer.hops[-1], hashlib.sha256(), 0
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and len(announced) > _MAX_LENGTH_DIGITS:
        raise SourceGone(f"{url} announces a length of {len(announced):,} digits")
    if announced.isdecimal() and int(announced) > limits.max_download_bytes:
        raise TooLarge(f"{url} is {int(announced):,} bytes: over the limit of {limits.max_download_bytes:,}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "arriving"
    with path.open("wb") as stream:
        for chunk in _chunks(response, url):
            size += len(chunk)
            if size > limits.max_download_bytes:
                raise TooLarge(f"{url} is over the limit of {limits.max_download_bytes:,} bytes")
            digest.update(chunk)
            stream.write(chunk)
    name = name_download(response.headers.get("Content-Disposition", ""), url)
    return replace(answer, path=path, name=name, bytes=size, sha256=digest.hexdigest())


def _chunks(response: requests.Response, url: str) -> Iterator[bytes]:
    """The body in chunks. urllib3 raises if the connection ends before the announced length."""
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            yield chunk
    except (HTTPError, OSError, ValueError) as error:
        raise SourceUnavailable(f"{url} ended before the file was complete: {error}") from error


def name_download(disposition: str, url: str) -> str:
    """The name of the file by its Content-Disposition header, otherwise the end of the address; never a path."""
    message = Message()
    message["Content-Disposition"] = disposition
    try:
        given = message.get_filename()
    except (ValueError, TypeError, LookupError):  # parts or encodings of RFC 2231 that `email` cannot put together
        given = None
    given = given or unquote(urlsplit(url).path.rpartition("/")[2])
    last = re.split(r"[\\/]", given)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(". ")[:200] or "download"


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            # RFC 6890 and the IANA registries of special-purpose addresses: what is not globally reachable
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
            "168.63.129.16/32",  # of one cloud's virtual machines: the platform's own services
        ),
    )
)


def is_refused(text: str) -> bool:
    """Return True unless an IP address is public: loopback, private, link-local, multicast, reserved or shared.

    Of IPv6 only global unicast is allowed, without the addresses that have an IPv4 address inside (6to4, Teredo).
    Python's own `is_global` depends on the version of Python, and allows some addresses of the registries.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return True
    return any(address in network for network in _NOT_PUBLIC)


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


class _Deadline:
    """Ends the connections of one fetch when its time is over, whether it sends headers, TLS records or a body.

    The time-out of `requests` is for each read: a server that sends a byte a second would never reach it.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """End this connection as well when the time is over. The copy stays valid when TLS takes over the original."""
        self._sockets.append(connection.dup())
        if self.passed:
            self._end()

    def _end(self) -> None:
        self.passed = True
        for watched in tuple(self._sockets):
            with suppress(OSError):  # it has ended by itself
                watched.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._token = _DEADLINE.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _DEADLINE.reset(self._token)
        self._timer.cancel()
        self._timer.join()
        for watched in self._sockets:
            watched.close()


_DEADLINE: ContextVar[_Deadline | None] = ContextVar("_DEADLINE", default=None)
"""The deadline of the fetch in this thread: urllib3 creates the connections, and has no place to pass it through."""


class _Watched(HTTPConnection):
    """A connection that ends at the deadline of its fetch."""

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        if deadline := _DEADLINE.get():
            deadline.watch(connection)
        return connection


class _WatchedSecure(_Watched, HTTPSConnection):
    """A watched connection with TLS."""


class _Checked(_Watched):
    """A watched connection to the address that was checked.

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


def _pools(connection: type[HTTPConnection], secure: type[HTTPSConnection]) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools that make these connections, by scheme."""
    return {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": connection}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class CheckedAdapter(HTTPAdapter):
    """A transport adapter for `requests` whose connections keep the deadline of `fetch_file`.

    With `public_only` they connect to public addresses only.
    """

    def __init__(self, *, public_only: bool) -> None:
        self._public_only = public_only
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use pools whose connections check their address and keep the deadline."""
        super().init_poolmanager(*args, **kwargs)
        classes = (_Checked, _CheckedSecure) if self._public_only else (_Watched, _WatchedSecure)
        self.poolmanager.pool_classes_by_scheme = _pools(*classes)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Connections to the operator's proxy, which may be in a private network, keep the deadline too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _pools(_Watched, _WatchedSecure)
        return manager
