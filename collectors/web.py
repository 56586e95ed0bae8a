"""From the web: one polite request at a time, and everything that was answered on the record."""

from __future__ import annotations

import hashlib
import re
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
from requests.exceptions import SSLError, Timeout
from urllib3.exceptions import HTTPError

from collectors.addresses import PublicOnly
from piperoll.errors import AddressRefused, CollectError, SourceGone, SourceUnavailable, TooLarge

_CHUNK = 1 << 16
_MOST_HOPS = 10  # what browsers allow is 20; a file that is moved more often than 10 times is lost
_PATIENCE = 10  # a whole answer may take ten times as long as we wait for a single piece of it
_COME_BACK = (408, 425, 429)
_MOVED = (301, 302, 303, 307, 308)
_AGENT = "Piperoll (open data of public bodies)"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: seconds for each piece, bytes for the whole, and which addresses it may go to."""

    timeout_seconds: float
    max_download_bytes: int
    allow_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whether it was of use or not.

    `hops` are the addresses that were asked, in order; the last gave the answer. `path`, `name`, `sha256` and
    `bytes` are of the file, if one came. `trouble` is why none came; None also where nothing has changed (status 304).
    """

    hops: tuple[str, ...]
    status: int | None = None
    headers: Mapping[str, str] | None = None
    path: Path | None = None
    name: str | None = None
    bytes: int = 0
    sha256: str | None = None
    trouble: CollectError | None = None

    @property
    def unchanged(self) -> bool:
        """Whether the server says that nothing has changed since the answer that we showed it."""
        return self.status == 304

    def to_json(self) -> dict[str, Any]:
        """The answer as the collection log keeps it."""
        return {
            "hops": list(self.hops),
            "status": self.status,
            "headers": dict(self.headers or {}),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "trouble": self.trouble and f"{type(self.trouble).__name__}: {self.trouble}",
        }


def ask(url: str, folder: Path, limits: Limits, *, last: Mapping[str, Any] | None = None) -> Answer:
    """Ask an address for its file, following redirects by hand, and put the file into `folder`.

    `last` is the log's entry (`Answer.to_json`) of the last good answer, if its file is safe with us: the server may
    then say that nothing has changed. Trouble is not raised but stands in the answer, so that it reaches the log too.
    """
    answer = Answer(hops=(url,))
    try:
        with _session(limits) as session:
            for _ in range(_MOST_HOPS):
                answer, onward = _one(session, answer, folder, limits, last or {})
                if onward is None:
                    return answer
                answer = replace(answer, hops=(*answer.hops, onward))
    except CollectError as trouble:
        return replace(answer, trouble=trouble)
    return replace(answer, trouble=SourceGone(f"{url} sends us on and on, more than {_MOST_HOPS} times"))


def links(page: bytes, base: str, pattern: str) -> tuple[str, ...]:
    """The addresses of a page's links whose address or text matches `pattern`, each once, in the page's order."""
    reader = _Links()
    reader.feed(page.decode("utf-8", "replace"))
    reader.close()
    wanted = re.compile(pattern)
    found = (urljoin(base, href) for href, text in reader.found if wanted.search(href) or wanted.search(text))
    return tuple(dict.fromkeys(address.partition("#")[0] for address in found))


def _session(limits: Limits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, which would hide where an address leads, and no passwords of the operator's
    session.headers.update({"User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
    if not limits.allow_private_addresses:
        session.mount("http://", PublicOnly())
        session.mount("https://", PublicOnly())
    return session


def _one(
    session: requests.Session, answer: Answer, folder: Path, limits: Limits, last: Mapping[str, Any]
) -> tuple[Answer, str | None]:
    """Ask the last hop; the answer with what came, and the address to go on to, if it is a redirect."""
    url = answer.hops[-1]
    if urlsplit(url).scheme not in ("http", "https"):
        raise AddressRefused(f"{url} is not a web address: it is not asked")
    with closing(_get(session, url, limits, last)) as response:
        answer = replace(answer, status=response.status_code, headers=dict(response.headers))
        if response.status_code in _MOVED and "Location" in response.headers:
            return answer, urljoin(url, response.headers["Location"])
        if response.status_code == 304:
            return answer, None
        trouble = _trouble(response)
        return (replace(answer, trouble=trouble) if trouble else _kept(response, answer, folder, limits)), None


def _get(session: requests.Session, url: str, limits: Limits, last: Mapping[str, Any]) -> requests.Response:
    seen = {name.lower(): value for name, value in (last.get("headers") or {}).items()}
    asked = {"If-None-Match": seen.get("etag"), "If-Modified-Since": seen.get("last-modified")}
    headers = {name: value for name, value in asked.items() if value}
    try:
        return session.get(url, headers=headers, timeout=limits.timeout_seconds, stream=True, allow_redirects=False)
    except SSLError as error:
        raise SourceGone(f"{url} cannot show that it is who it says it is: {error}") from error
    except Timeout as error:
        raise SourceUnavailable(f"{url} did not answer within {limits.timeout_seconds} seconds") from error
    except requests.ConnectionError as error:
        raise SourceUnavailable(f"{url} cannot be reached: {error}") from error
    except requests.RequestException as error:
        raise SourceGone(f"{url} cannot be asked: {error}") from error


def _trouble(response: requests.Response) -> CollectError | None:
    status, said = (
        response.status_code,
        f"{response.url} answers {response.status_code} {response.reason or ''}".strip(),
    )
    if status == 200:
        return None
    if status in _COME_BACK or status >= 500:
        unavailable = SourceUnavailable(said)
        unavailable.retry_after_seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return unavailable
    return SourceGone(f"{said}: look whether the address is still right")


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header (RFC 9110 §10.2.3: seconds or a date) asks for; None if it says neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _kept(response: requests.Response, answer: Answer, folder: Path, limits: Limits) -> Answer:
    """The answer with its file, which is whole or not there at all."""
    url, digest, size = answer.hops[-1], hashlib.sha256(), 0
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limits.max_download_bytes:
        raise TooLarge(f"{url} is {int(announced):,} bytes: over the limit of {limits.max_download_bytes:,}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "arriving"
    with path.open("wb") as stream:
        for piece in _pieces(response, url, limits):
            size += len(piece)
            if size > limits.max_download_bytes:
                raise TooLarge(f"{url} is over the limit of {limits.max_download_bytes:,} bytes")
            digest.update(piece)
            stream.write(piece)
    name = _name(response.headers, url)
    return replace(answer, path=path, name=name, bytes=size, sha256=digest.hexdigest())


def _pieces(response: requests.Response, url: str, limits: Limits) -> Iterator[bytes]:
    """What comes, piece by piece; a connection cut before the announced length is no whole file (urllib3 counts)."""
    end = time.monotonic() + _PATIENCE * limits.timeout_seconds
    try:
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            if time.monotonic() > end:
                raise SourceUnavailable(f"{url} was not done after {_PATIENCE * limits.timeout_seconds:g} seconds")
            yield piece
    except HTTPError as error:
        raise SourceUnavailable(f"{url} stopped before the file was whole: {error}") from error


def _name(headers: Mapping[str, str], url: str) -> str:
    """The file's name as the server gives it, else as the address ends; never a path."""
    message = Message()
    message["Content-Disposition"] = headers.get("Content-Disposition", "")
    given = message.get_filename() or unquote(urlsplit(url).path.rpartition("/")[2])
    last = re.split(r"[\\/]", given)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(". ")[:200] or "download"


class _Links(HTMLParser):
    """The links of a page: address and text of each `<a href>`."""

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
