"""Collect files from an inbox or from the web. Every answer from the web is logged in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import collectors
from piperoll import assets, layout
from piperoll.errors import CollectError, TooLarge, UsageError
from piperoll.model import Period, Submission, from_document, to_json_bytes
from piperoll.operations.bugs import explain_error
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import MissedAddress

Fetch: TypeAlias = Callable[[Run, collectors.WebSource, str], collectors.FetchResponse]
"""`fetch`, or a Prefect task around it."""


@dataclass(frozen=True, slots=True)
class CollectedFiles:
    """What was collected: files, addresses without a file, and submissions unchanged since they were fetched."""

    arrivals: tuple[collectors.Arrival, ...] = ()
    missed: tuple[MissedAddress, ...] = ()
    unchanged: tuple[Submission, ...] = ()
    left_out: tuple[collectors.SkippedPath, ...] = ()

    def __add__(self, other: CollectedFiles) -> CollectedFiles:
        return CollectedFiles(
            self.arrivals + other.arrivals,
            self.missed + other.missed,
            self.unchanged + other.unchanged,
            self.left_out + other.left_out,
        )


def collect_inbox(run: Run, request: RunRequest) -> CollectedFiles:
    """List the files of the inbox. Raises: UsageError: the folder does not exist, or the request has none."""
    if request.inbox is None:
        raise UsageError("this run has no inbox")
    found = collectors.list_inbox(
        request.inbox, received=run.moment, period=str(request.period) if request.period else None
    )
    if run.shard is None:
        return CollectedFiles(arrivals=found.arrivals, left_out=found.left_out)
    arrivals = tuple(one for one in found.arrivals if run.keeps(run.register.find(one.sender).slug))
    return CollectedFiles(arrivals=arrivals, left_out=found.left_out if run.shard.number == 1 else ())


def list_sources(request: RunRequest) -> tuple[collectors.WebSource, ...]:
    """Read the sources file. Raises: SourcesError: it cannot be understood. UsageError: the request has none."""
    if request.sources is None:
        raise UsageError("this run has no sources file")
    return collectors.read_sources(request.sources)


def select_sources(run: Run, request: RunRequest) -> tuple[collectors.WebSource, ...]:
    """The sources whose bodies this run processes. Raises: see `list_sources`."""
    return tuple(one for one in list_sources(request) if run.keeps(run.register.find(one.body).slug))


def collect_source(run: Run, source: collectors.WebSource, period: Period | None, through: Fetch) -> CollectedFiles:
    """Fetch every address of a source; an address without a file does not stop the others."""
    arrivals: list[collectors.Arrival] = []
    missed: list[MissedAddress] = []
    unchanged: list[Submission] = []
    for address, covers in _addresses(run, source, period, through, missed):
        try:
            response = through(run, source, address)
        except Exception as error:  # noqa: BLE001 - whatever one server sends, the others go on
            missed.append(_missed(run, source, address, error))
            continue
        if response.path is None:
            dataset, body = _names(run, source)
            key = next(iter(run.store.keys(layout.records_prefix(body, dataset, str(response.sha256)))))
            unchanged.append(from_document(Submission, json.loads(run.store.read(key).content)))
        else:
            arrivals.append(_make_arrival(run, source, address, covers, response))
    return CollectedFiles(tuple(arrivals), tuple(missed), tuple(unchanged))


def fetch(run: Run, source: collectors.WebSource, address: str) -> collectors.FetchResponse:
    """Fetch one address and log the response, good or bad.

    The request is conditional only if the file we have is done: otherwise an interrupted run would lose it.
    Raises: CollectError: no file came; `retryable` says whether to try again.
    """
    address_hash = hashlib.sha256(address.encode()).hexdigest()[:20]
    dataset, body = _names(run, source)
    log = layout.fetches_folder(body, dataset, address_hash)
    last = _find_last_file(run, log, dataset, body)
    limits = collectors.FetchLimits(
        timeout_seconds=source.timeout_seconds or run.settings.timeout_seconds,
        max_download_bytes=source.max_download_bytes or run.settings.max_download_bytes,
        allow_private_addresses=run.settings.allow_private_addresses,
    )
    response = collectors.fetch_file(address, run.scratch / "web" / address_hash, limits, last=last)
    entry = response.to_json() | {"address": address}
    if response.unchanged and last:
        # "Not modified" repeats the hash and headers of the last file, for the next request
        entry |= {"sha256": last["sha256"], "headers": {**last["headers"], **entry["headers"]}}
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    run.store.create(f"{log}{moment}.json", to_json_bytes(entry))
    if response.error:
        raise response.error
    if response.path:
        return response
    return collectors.FetchResponse(response.hops, response.status, sha256=(last or {}).get("sha256"))


def _addresses(
    run: Run, source: collectors.WebSource, period: Period | None, through: Fetch, missed: list[MissedAddress]
) -> Iterator[tuple[str, str | None]]:
    """Each address to fetch (of `url`, or the links of `page`) with the period that it covers, if known."""
    if source.page is None:
        yield from source.addresses(date.fromisoformat(run.moment[:10]), period)
        return
    try:
        page = through(run, source, source.page)
        found = collectors.find_links(page.path.read_bytes(), page.hops[-1], source.links or "") if page.path else ()
    except Exception as error:  # noqa: BLE001 - whatever one server sends, the others go on
        missed.append(_missed(run, source, source.page, error))
        return
    if len(found) > source.at_most:
        many = TooLarge(
            f"{len(found)} links of {source.page} match, more than {source.at_most}: "
            "make `links` more specific, or raise `at_most`"
        )
        missed.append(_missed(run, source, source.page, many))
        return
    if not found:
        reason = f"no link matches {source.links}"
        missed.append(MissedAddress(source.page, source.dataset, source.body, reason, False))
    yield from ((address, str(period) if period else None) for address in found)


def _make_arrival(
    run: Run, source: collectors.WebSource, address: str, covers: str | None, response: collectors.FetchResponse
) -> collectors.Arrival:
    return collectors.Arrival(
        path=response.path or Path(),
        name=response.name or "download",
        dataset=source.dataset,
        sender=source.body,
        origin=address,
        received=run.moment,
        period=covers,
        part=source.part,
        response=response.to_json() | {"licence": source.licence},
    )


def _missed(run: Run, source: collectors.WebSource, address: str, error: Exception) -> MissedAddress:
    """An address without a file. An error that is not a server's is one of ours, so the run has failed as well."""
    retryable = not isinstance(error, CollectError) or error.retryable
    dataset, body = _names(run, source)
    why = explain_error(run, error, body, dataset)
    return MissedAddress(address, source.dataset, source.body, why, retryable, type(error).__name__)


def _find_last_file(run: Run, log: str, dataset: str, body: str) -> Mapping[str, Any] | None:
    """The log entry of the last file from an address, if that file is done; a page of links never is."""
    for key in sorted(run.store.keys(log), reverse=True):
        entry: dict[str, Any] = json.loads(run.store.read(key).content)
        if entry["sha256"] and not entry["trouble"]:
            return entry if run.store.exists(layout.public_report(dataset, body, entry["sha256"])) else None
    return None


def _names(run: Run, source: collectors.WebSource) -> tuple[str, str]:
    """Our names for the dataset and the body of a source."""
    return assets.find_dataset(source.dataset)[0].name, run.register.find(source.body).slug
