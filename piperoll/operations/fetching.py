"""Fetch the files of all sources: a hundred addresses at once, few of one host, each tried again when it is due.

What is collected is handed out body by body, as soon as all sources of the body have answered. Every answer is logged.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import collectors
from collectors import Arrival, FetchLimits, FetchResponse, QueuedFetch, WebSource
from piperoll import assets, layout
from piperoll.describing.wording import format_count
from piperoll.errors import CollectError, ProxyFailed, SourceUnavailable, TooLarge
from piperoll.model import Period, Submission, from_document
from piperoll.operations.bugs import explain_error
from piperoll.operations.fetch_log import FetchLog, day_of
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import MissedAddress

_FIRST_DELAY_SECONDS = 2
"""Before the first retry; then 4, 8, and so on. A web server that restarts answers again within a minute."""

_MAX_DELAY_SECONDS = 120
"""A server whose Retry-After is longer is asked in the next run instead."""

_MAX_PAGE_BYTES = 10_000_000
"""The largest page of links, unless its source says otherwise: pages are read into memory, a hundred at once."""

_UNDER_WAY, _PAGE, _FIRST = 0, 1, 2
"""Priorities: the next hop of a fetch, then pages of links, then first attempts, then retries, those of most last."""

_PROXY = ""
"""The name of the operator's proxy among the hosts."""

_T = TypeVar("_T")

BodyKey: TypeAlias = tuple[str, str]
"""Our names for a dataset and a body."""


@dataclass(slots=True)
class _Host:
    """How many times in a row a host gave no answer at all, and when it may be asked again (monotonic clock)."""

    failures: int = 0
    failed_at: float = 0
    next_try: float = 0


@dataclass(slots=True)
class _Target:
    """An address of a source: `order` is its place among all, `attempt` counts the failures so far."""

    source: WebSource
    key: BodyKey
    address: str
    covers: str | None
    order: tuple[int, int]
    is_page: bool = False
    attempt: int = 0
    log: FetchLog | None = None
    response: FetchResponse | None = None

    @property
    def next_address(self) -> str:
        """The address of the next request: the last hop so far."""
        return self.response.hops[-1] if self.response else self.address


@dataclass(slots=True)
class Fetched:
    """What was fetched for one body and dataset, in the order of the sources and their addresses."""

    arrivals: dict[tuple[int, int], Arrival] = field(default_factory=dict)
    missed: dict[tuple[int, int], MissedAddress] = field(default_factory=dict)
    unchanged: dict[tuple[int, int], Submission] = field(default_factory=dict)


def fetch_sources(run: Run, sources: Iterable[WebSource], period: Period | None) -> Iterator[Fetched]:
    """Fetch every address of every source; yield what came for a body and dataset when all its sources have answered.

    An address without a file does not stop the others.
    """
    fetcher, settings = _Fetcher(run, period), run.settings
    groups = collectors.run_fetches(
        fetcher.begin(sources), at_once=settings.fetches_at_once, per_host=settings.fetches_per_host
    )
    for key in groups:
        yield fetcher.take(key)  # type: ignore[arg-type]  # groups are the keys that we queued


class _Fetcher:
    """The work of each request. Threads share it: a target is in one thread at a time, and hosts have a lock."""

    def __init__(self, run: Run, period: Period | None) -> None:
        self._run, self._period = run, period
        self._fetched: defaultdict[BodyKey, Fetched] = defaultdict(Fetched)
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._lock = threading.Lock()

    def begin(self, sources: Iterable[WebSource]) -> Iterator[QueuedFetch]:
        """The first request of every address."""
        today = date.fromisoformat(self._run.moment[:10])
        for number, source in enumerate(sources):
            key = assets.find_dataset(source.dataset)[0].name, self._run.register.find(source.body).slug
            _ = self._fetched[key]  # no thread adds a key
            if source.page is not None:
                yield self._queue(_Target(source, key, source.page, None, (number, -1), is_page=True))
                continue
            for place, (address, covers) in enumerate(source.addresses(today, self._period)):
                yield self._queue(_Target(source, key, address, covers, (number, place)))

    def take(self, key: BodyKey) -> Fetched:
        """What came for a body and dataset, in order."""
        one = self._fetched.pop(key)
        return Fetched(_in_order(one.arrivals), _in_order(one.missed), _in_order(one.unchanged))

    def _queue(self, target: _Target, delay: float = 0) -> QueuedFetch:
        first = _PAGE if target.is_page else _FIRST + target.attempt
        return QueuedFetch(
            target.key,
            _host_of(target.next_address),
            lambda: self._work(target),
            delay,
            _UNDER_WAY if target.response else first,
        )

    def _work(self, target: _Target) -> list[QueuedFetch]:
        try:
            return self._request(target)
        except Exception as error:  # noqa: BLE001 - whatever one server sends, the others go on
            self._fetched[target.key].missed[target.order] = self._missed(target, error)
            return []

    def _request(self, target: _Target) -> list[QueuedFetch]:
        """Make the next request of an address; return what follows from it. Raises: CollectError: there is no file."""
        host = _host_of(target.next_address)
        if wait := max(self._seconds_to_wait(host), self._seconds_to_wait(_PROXY)):
            return [self._queue(target, wait)]
        log = target.log = target.log or FetchLog(self._run.store, target.key[1], target.key[0], target.address)
        last = self._find_last_file(target, log)
        answer = self._ask(host, target, last)
        if answer.redirected:
            target.response = answer
            return [self._queue(target)]
        entry = answer.to_json()
        if answer.unchanged and last:
            # "Not modified" repeats the hash and headers of the last file, for the next request
            entry |= {"sha256": last["sha256"], "headers": {**last["headers"], **entry["headers"]}}
        log.add(entry)
        if answer.error and self._may_retry(target, answer, answer.error):
            target.attempt, target.response = target.attempt + 1, None
            asked = answer.error.retry_after_seconds if isinstance(answer.error, SourceUnavailable) else None
            return [self._queue(target, max(asked or 0, _FIRST_DELAY_SECONDS * 2 ** (target.attempt - 1)))]
        log.prune(self._run.settings.fetch_log_entries)
        if answer.error:
            raise answer.error
        if target.is_page:
            return self._follow_links(target, answer)
        self._accept(target, answer, last)
        return []

    def _ask(self, host: str, target: _Target, last: Mapping[str, Any] | None) -> FetchResponse:
        """Request the next hop of an address, unless its host did not answer to any of the attempts before."""
        answer = target.response or FetchResponse((target.address,))
        count = format_count(self._run.settings.retries + 1, "time")
        error: CollectError | None = None
        if self._is_silent(_PROXY):
            error = ProxyFailed(f"the proxy failed {count} in a row, so {answer.hops[-1]} was not asked")
        elif self._is_silent(host):
            error = SourceUnavailable(f"{host} did not answer {count} in a row, so {answer.hops[-1]} was not asked")
        if error:
            return replace(answer, status=None, headers=None, redirected=False, error=error)
        started = time.monotonic()
        folder = self._run.scratch / "web" / "{}-{}".format(*target.order)
        answer = collectors.fetch_hop(answer, folder, self._limits(target), last=last)
        self._note_host(host, answer, started, self._limits(target).deadline_seconds)
        return answer

    def _may_retry(self, target: _Target, answer: FetchResponse, error: CollectError) -> bool:
        """Whether to ask again in this run. A server that is too slow or asks for a long delay is asked in the next."""
        asked = error.retry_after_seconds if isinstance(error, SourceUnavailable) else None
        return (
            error.retryable
            and target.attempt < self._run.settings.retries
            and (asked or 0) <= _MAX_DELAY_SECONDS
            and answer.seconds < self._limits(target).deadline_seconds
            and not self._is_silent(_PROXY if isinstance(error, ProxyFailed) else _host_of(answer.hops[-1]))
        )

    def _accept(self, target: _Target, answer: FetchResponse, last: Mapping[str, Any] | None) -> None:
        """Record the file of an address, or the submission that it has not changed since."""
        fetched, source, (dataset, body) = self._fetched[target.key], target.source, target.key
        if answer.path is None:
            prefix = layout.records_prefix(body, dataset, last["sha256"] if last else "")
            record = self._run.store.read(next(iter(self._run.store.keys(prefix)))).content
            fetched.unchanged[target.order] = from_document(Submission, json.loads(record))
            return
        fetched.arrivals[target.order] = Arrival(
            path=answer.path,
            name=answer.name or "download",
            dataset=source.dataset,
            sender=source.body,
            origin=target.address,
            received=self._run.moment,
            period=target.covers,
            part=source.part,
            response=answer.to_json() | {"licence": source.licence},
        )

    def _follow_links(self, page: _Target, answer: FetchResponse) -> list[QueuedFetch]:
        source = page.source
        content = answer.path.read_bytes() if answer.path else b""
        found = collectors.find_links(content, answer.hops[-1], source.links or "")
        if len(found) > source.at_most:
            raise TooLarge(
                f"{len(found)} links of {page.address} match, more than {source.at_most}: "
                "make `links` more specific, or raise `at_most`"
            )
        if not found:
            why = f"no link matches {source.links}"
            self._fetched[page.key].missed[page.order] = MissedAddress(
                page.address, source.dataset, source.body, why, retryable=False
            )
        covers = str(self._period) if self._period else None
        targets = [_Target(source, page.key, link, covers, (page.order[0], place)) for place, link in enumerate(found)]
        return [self._queue(target) for target in targets]

    def _missed(self, target: _Target, error: Exception) -> MissedAddress:
        """An address without a file. An error that is not a server's is one of ours, so the run has failed as well."""
        dataset, body = target.key
        log = target.log
        return MissedAddress(
            target.address,
            target.source.dataset,
            target.source.body,
            explain_error(self._run, error, body, dataset),
            retryable=not isinstance(error, CollectError) or error.retryable,
            kind=type(error).__name__,
            ours=not isinstance(error, CollectError) or isinstance(error, ProxyFailed),
            since=day_of(log.failing_since) if log else None,
            last_good=day_of(log.last_good) if log else None,
        )

    def _find_last_file(self, target: _Target, log: FetchLog) -> Mapping[str, Any] | None:
        """The log entry of the last file from an address, if that file is done; a page of links never is.

        A request is conditional only then: otherwise an interrupted run would lose the file.
        """
        entry, (dataset, body) = log.last_file, target.key
        if entry is None or not self._run.store.exists(layout.public_report(dataset, body, entry["sha256"])):
            return None
        return entry

    def _limits(self, target: _Target) -> FetchLimits:
        source, settings = target.source, self._run.settings
        most = min(settings.max_download_bytes, _MAX_PAGE_BYTES) if target.is_page else settings.max_download_bytes
        return FetchLimits(
            timeout_seconds=source.timeout_seconds or settings.timeout_seconds,
            max_download_bytes=source.max_download_bytes or most,
            allow_private_addresses=settings.allow_private_addresses,
            proxy=settings.proxy or None,
        )

    def _seconds_to_wait(self, host: str) -> float:
        with self._lock:
            return max(0.0, self._hosts[host].next_try - time.monotonic())

    def _is_silent(self, host: str) -> bool:
        """True if a host gave no answer to as many attempts in a row as one address may have."""
        with self._lock:
            return self._hosts[host].failures > self._run.settings.retries

    def _note_host(self, name: str, answer: FetchResponse, started: float, deadline: float) -> None:
        """Note whether a host answered. One that does not lets all its addresses wait, and counts as one failure.

        An answer that was cut off is one. One that took until the deadline is none: each would keep a place as long.
        """
        through_proxy = isinstance(answer.error, ProxyFailed)
        with self._lock:
            host = self._hosts[_PROXY if through_proxy else name]
            if answer.status is not None and answer.seconds < deadline and not through_proxy:
                host.failures, host.next_try = 0, 0
                self._hosts[_PROXY] = _Host()
            elif isinstance(answer.error, SourceUnavailable | ProxyFailed) and started >= host.failed_at:
                host.failed_at = time.monotonic()
                host.failures += 1
                if host.failures <= self._run.settings.retries:
                    host.next_try = host.failed_at + _FIRST_DELAY_SECONDS * 2 ** (host.failures - 1)


def _in_order(found: Mapping[tuple[int, int], _T]) -> dict[tuple[int, int], _T]:
    return dict(sorted(found.items()))


def _host_of(address: str) -> str:
    """The host of an address; the address itself if it is not valid, so that fetching it gives the error."""
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address
