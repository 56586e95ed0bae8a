"""Run the API with uvicorn: one process, or several that share a port."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI

from publishers import open_store
from serving.app import create_app
from serving.index_cache import PublishedIndex
from serving.limits import ApiLimits
from serving.parquet_cache import ParquetCache
from serving.query_service import QueryEngine, QueryService
from serving.sandboxed_check import start_fork_server

_OPTIONS_VARIABLE = "SERVING_OPTIONS"
"""The environment variable that passes the options to worker processes, which uvicorn starts without arguments."""

UVICORN_SETTINGS: dict[str, Any] = {
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 10,
    "h11_max_incomplete_event_size": 65_536,  # a URL may have a cursor and a long list of values
}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What to serve and where. `store` is a folder or bucket; `cache` is a folder for copies of a bucket's files.

    Without a `cache` the copies are in a temporary folder.
    """

    store: str
    cache: str | None
    limits: ApiLimits
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1


def run_server(options: ServerOptions) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that are being answered."""
    # uvicorn handles SIGTERM and then raises it again; exiting normally lets the temporary folder be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = (
        nullcontext(options.cache)
        if options.cache
        else TemporaryDirectory(prefix="piperoll-api-", ignore_cleanup_errors=True)
    )
    with folder as cache:
        os.environ[_OPTIONS_VARIABLE] = json.dumps(asdict(replace(options, cache=cache)))
        uvicorn.run(
            f"{__name__}:create_app_from_environment",
            factory=True,
            host=options.host,
            port=options.port,
            workers=options.workers,
            **UVICORN_SETTINGS,
        )


def create_app_from_environment() -> FastAPI:
    """The application of a process that `run_server` started."""
    options = json.loads(os.environ[_OPTIONS_VARIABLE])
    limits = ApiLimits(**options["limits"])
    return create_app(create_service(options["store"], Path(options["cache"]), limits), limits)


def create_service(
    store: str, cache: Path, limits: ApiLimits, clock: Callable[[], float] = time.monotonic
) -> QueryService:
    """The query service over a store. Raises: UsageError, StoreError."""
    start_fork_server()
    index = PublishedIndex(open_store(store), clock)
    files = ParquetCache(index, cache / "copies", limits)
    engine = QueryEngine(files.readable_folder, cache / f"spill-{os.getpid()}", limits)
    return QueryService(index, files, engine)
