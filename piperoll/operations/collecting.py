"""Collecting: from an inbox, or from the web, where every answer goes into the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from collectors import Answer, Arrival, LeftOut, Limits, Source, ask, links, read_sources, survey
from piperoll import assets, layout
from piperoll.errors import CollectError, TooLarge, UsageError
from piperoll.model import Period, Submission, from_document, to_json_bytes
from piperoll.operations.run_request import Asked
from piperoll.operations.run_summary import Missed
from piperoll.operations.steps import Run

Fetch: TypeAlias = Callable[[Source, str], Answer]
"""Asks one address of a source and logs the answer; raises what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What sources gave: files, addresses that gave none, and submissions that have not changed since they came."""

    arrivals: tuple[Arrival, ...] = ()
    missed: tuple[Missed, ...] = ()
    unchanged: tuple[Submission, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __add__(self, other: Collected) -> Collected:
        """Both together."""
        return Collected(
            self.arrivals + other.arrivals,
            self.missed + other.missed,
            self.unchanged + other.unchanged,
            self.left_out + other.left_out,
        )


def from_folder(run: Run, order: Asked) -> Collected:
    """What an inbox holds. Raises: UsageError: there is no such folder, or none is asked for."""
    if order.inbox is None:
        raise UsageError("this run has no inbox")
    period = str(order.period) if order.period else None
    found = survey(order.inbox, received=run.now, period=period)
    return Collected(arrivals=found.arrivals, left_out=found.left_out)


def sources(order: Asked) -> tuple[Source, ...]:
    """The sources that are asked for. Raises: SourcesError: they cannot be understood."""
    if order.sources is None:
        raise UsageError("this run has no sources file")
    return read_sources(order.sources)


def gather(run: Run, source: Source, fetch: Fetch, period: Period | None) -> Collected:
    """Ask every address of a source; one that gives nothing does not keep the others from being asked."""
    arrivals: list[Arrival] = []
    missed: list[Missed] = []
    unchanged: list[Submission] = []
    for address, covers in _addresses(run, source, fetch, period, missed):
        try:
            answer = fetch(source, address)
        except CollectError as error:
            missed.append(_miss(source, address, error))
            continue
        if answer.path is None:
            unchanged.append(_as_it_came(run, source, answer))
        else:
            arrivals.append(_arrival(source, address, covers, answer, run.now))
    return Collected(tuple(arrivals), tuple(missed), tuple(unchanged))


def fetch(run: Run, source: Source, address: str) -> Answer:
    """Ask one address and put the answer in the log, good or not.

    The server is told what we have only if that file is done with us: otherwise a killed run would lose it.
    Raises: CollectError: no file came; `retryable` says whether to ask again.
    """
    folder = run.scratch / "web" / _short(address)
    last = _last(run, source, address)
    answer = ask(address, folder, _limits(run, source), last=last)
    _log(run, source, address, answer, last)
    if answer.trouble:
        raise answer.trouble
    return answer if answer.path else Answer(answer.hops, answer.status, sha256=(last or {}).get("sha256"))


def _addresses(
    run: Run, source: Source, fetch: Fetch, period: Period | None, missed: list[Missed]
) -> Iterator[tuple[str, str | None]]:
    if source.page is None:
        yield from source.addresses(date.fromisoformat(run.now[:10]), period)
        return
    try:
        page = fetch(source, source.page)
        found = links(page.path.read_bytes(), page.hops[-1], source.links or "") if page.path else ()
        if len(found) > source.at_most:
            raise TooLarge(
                f"{len(found)} links of {source.page} match, over {source.at_most}: narrow `links`, or set `at_most`"
            )
    except CollectError as error:
        missed.append(_miss(source, source.page, error))
        return
    if not found:
        missed.append(Missed(source.page, source.dataset, source.body, f"no link matches {source.links}", False))
    yield from ((address, str(period) if period else None) for address in found)


def _as_it_came(run: Run, source: Source, answer: Answer) -> Submission:
    dataset, body = _names(run, source)
    key = next(iter(run.store.keys(layout.records_prefix(body, dataset, str(answer.sha256)))))
    return from_document(Submission, json.loads(run.store.read(key).content))


def _arrival(source: Source, address: str, covers: str | None, answer: Answer, received: str) -> Arrival:
    return Arrival(
        path=answer.path or Path(),
        name=answer.name or "download",
        dataset=source.dataset,
        sender=source.body,
        origin=address,
        received=received,
        period=covers,
        part=source.part,
        response=answer.to_json() | {"licence": source.licence},
    )


def _miss(source: Source, address: str, error: CollectError) -> Missed:
    return Missed(address, source.dataset, source.body, str(error), error.retryable)


def _limits(run: Run, source: Source) -> Limits:
    return Limits(
        timeout_seconds=source.timeout_seconds or run.settings.timeout_seconds,
        max_download_bytes=source.max_download_bytes or run.settings.max_download_bytes,
        allow_private_addresses=run.settings.allow_private_addresses,
    )


def _log(run: Run, source: Source, address: str, answer: Answer, last: Mapping[str, Any] | None) -> None:
    """Write the log's entry; one that says nothing has changed carries on what it was compared with."""
    entry = answer.to_json() | {"address": address}
    if answer.unchanged and last:
        entry |= {"sha256": last["sha256"], "headers": {**last["headers"], **entry["headers"]}}
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    run.store.create(f"{_place(run, source, address)}{moment}.json", to_json_bytes(entry))


def _last(run: Run, source: Source, address: str) -> Mapping[str, Any] | None:
    """The log's entry of the last good answer, if its file is done with us (a page of links never is)."""
    for key in sorted(run.store.keys(_place(run, source, address)), reverse=True):
        entry: dict[str, Any] = json.loads(run.store.read(key).content)
        if entry["sha256"] and not entry["trouble"]:
            dataset, body = _names(run, source)
            return entry if run.store.exists(layout.public_report(dataset, body, entry["sha256"])) else None
    return None


def _place(run: Run, source: Source, address: str) -> str:
    dataset, body = _names(run, source)
    return layout.fetches_folder(body, dataset, _short(address))


def _names(run: Run, source: Source) -> tuple[str, str]:
    return assets.find_dataset(source.dataset)[0].name, run.register.find(source.body).slug


def _short(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:20]
