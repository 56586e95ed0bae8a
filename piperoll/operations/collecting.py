"""Collect files from an inbox or from the web, body by body. Every answer from the web is logged in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import collectors
from piperoll.errors import UsageError
from piperoll.model import Submission
from piperoll.operations.bucket_inbox import fetch_bucket, list_bucket
from piperoll.operations.fetching import fetch_sources
from piperoll.operations.remote_files import local_copy
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import MissedAddress
from piperoll.scratch import scratch_folder


@dataclass(frozen=True, slots=True)
class CollectedFiles:
    """What was collected: files, addresses without a file, and submissions unchanged since they were fetched."""

    arrivals: tuple[collectors.Arrival, ...] = ()
    missed: tuple[MissedAddress, ...] = ()
    unchanged: tuple[Submission, ...] = ()
    left_out: tuple[collectors.SkippedPath, ...] = ()

    @classmethod
    def join(cls, parts: Iterable[CollectedFiles]) -> CollectedFiles:
        """All of the parts together, in order."""
        parts = tuple(parts)
        return cls(
            tuple(one for part in parts for one in part.arrivals),
            tuple(one for part in parts for one in part.missed),
            tuple(one for part in parts for one in part.unchanged),
            tuple(one for part in parts for one in part.left_out),
        )


def collect(run: Run, request: RunRequest) -> Iterator[CollectedFiles]:
    """Collect from the inbox or the sources; each part has everything of its bodies and datasets.

    A part comes as soon as all sources of a body and dataset have answered, while other sites are still being asked.
    Raises: UsageError: the inbox does not exist. SourcesError: the sources file cannot be understood.
    """
    if isinstance(request.inbox, str):
        yield from _collect_bucket(run, request)
        return
    if request.sources is None:
        yield collect_inbox(run, request)
        return
    sources = tuple(one for one in list_sources(request) if run.shard is None or run.keeps(_slug(run, one.body)))
    for fetched in fetch_sources(run, sources, request.period):
        yield CollectedFiles(
            tuple(fetched.arrivals.values()), tuple(fetched.missed.values()), tuple(fetched.unchanged.values())
        )


def collect_inbox(run: Run, request: RunRequest) -> CollectedFiles:
    """List the files of the inbox. Raises: UsageError: the folder does not exist, or the request has none."""
    if not isinstance(request.inbox, Path):
        raise UsageError("this run has no inbox in a folder")
    found = collectors.list_inbox(
        request.inbox, received=run.moment, period=str(request.period) if request.period else None
    )
    if run.shard is None:
        return CollectedFiles(arrivals=found.arrivals, left_out=found.left_out)
    arrivals = tuple(one for one in found.arrivals if run.keeps(_slug(run, one.sender)))
    return CollectedFiles(arrivals=arrivals, left_out=found.left_out if run.shard.number == 1 else ())


def _slug(run: Run, sender: str) -> str:
    return run.register.find(sender).slug


def list_sources(request: RunRequest) -> tuple[collectors.WebSource, ...]:
    """Read the sources file.

    Raises: SourcesError: it cannot be understood. SettingsError: the proxy is no address. UsageError: the request
    has no sources file.
    """
    if request.sources is None:
        raise UsageError("this run has no sources file")
    collectors.require_proxy(request.settings.proxy)
    with scratch_folder("sources") as folder:
        return collectors.read_sources(local_copy(request.sources, folder, request.settings))


def _collect_bucket(run: Run, request: RunRequest) -> Iterator[CollectedFiles]:
    found, left_out = list_bucket(run, request)
    yield CollectedFiles(left_out=left_out if run.shard is None or run.shard.number == 1 else ())
    for files in fetch_bucket(run, request, found):
        yield CollectedFiles(
            tuple(files.arrivals.values()), tuple(files.missed.values()), tuple(files.unchanged.values())
        )
