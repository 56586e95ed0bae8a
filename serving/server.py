"""Running the API: one process or several on one port."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from publishers import open_store
from serving.app import application
from serving.engine import Engine
from serving.index_cache import Shelf
from serving.limits import Limits
from serving.parquet_cache import Files
from serving.query_service import Desk
from serving.sandboxed_check import warm

_VARIABLE = "SERVING_OPTIONS"
"""How a process tells those that it starts what to serve."""


QUIETLY: dict[str, Any] = {
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 10,
    "h11_max_incomplete_event_size": 65_536,  # a cursor and a list of values fit into an address
}
"""How uvicorn serves us, here and in the tests."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve and where: `place` is a folder or bucket, `cache` a folder for copies of a bucket's files."""

    place: str
    cache: str | None
    limits: Limits
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1


def serve(options: Options) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); requests that are being answered are answered first."""
    signal.signal(signal.SIGTERM, _leave)  # uvicorn stops first and then hands the signal on to us
    with _folder(options.cache) as cache:
        told = asdict(options) | {"cache": str(cache)}
        os.environ[_VARIABLE] = json.dumps(told)
        uvicorn.run(
            f"{__name__}:from_environment",
            factory=True,
            host=options.host,
            port=options.port,
            workers=options.workers,
            **QUIETLY,
        )


def from_environment() -> FastAPI:
    """The application of a process that `serve` started."""
    told = json.loads(os.environ[_VARIABLE])
    limits = Limits(**told.pop("limits"))
    return application(desk_for(told["place"], Path(told["cache"]), limits), limits)


def desk_for(place: str, cache: Path, limits: Limits, clock: Callable[[], float] = time.monotonic) -> Desk:
    """Where questions about what stands at `place` are answered. Raises: UsageError, StoreError."""
    warm()
    shelf = Shelf(open_store(place), clock)
    files = Files(shelf, cache / "copies", limits)
    return Desk(shelf, files, Engine(files.folder, cache / f"spill-{os.getpid()}", limits))


def _leave(*_: object) -> None:
    """End as if we had come to the end: what was ours is tidied up."""
    sys.exit(0)


@contextmanager
def _folder(named: str | None) -> Iterator[Path]:
    """The folder that is named, or one that is gone afterwards."""
    if named is not None:
        yield Path(named)
        return
    made = Path(tempfile.mkdtemp(prefix="piperoll-api-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
