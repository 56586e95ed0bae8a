"""The operator's own files that are elsewhere: a sources file or a list of bodies at s3:// or https://."""

from __future__ import annotations

import atexit
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TypeAlias

import collectors
from collectors import FetchLimits
from piperoll.errors import AddressRefused, CollectError, NotThere, TooLarge, UsageError
from piperoll.scratch import scratch_folder
from piperoll.settings import Settings
from publishers import open_store

Place: TypeAlias = Path | str
"""A path on this machine, or (text) an address that begins with s3:// or https://."""

_FIRST_DELAY_SECONDS = 2
"""Before the first retry; then 4, 8, and so on."""


def parse_place(text: str | Path | None) -> Place | None:
    """Tell a path from an address; None if nothing is given. Raises: UsageError: an address of another kind."""
    if not text:
        return None
    if isinstance(text, Path) or "://" not in text:
        return Path(text)
    if not text.startswith(("s3://", "https://", "http://")):
        raise UsageError(f"'{text}' cannot be read: give a path, s3://bucket/key or https://…")
    return text


def local_copy(place: Place, folder: Path, settings: Settings) -> Path:
    """The path itself, or that of a copy in `folder` of what is at an address.

    The web is asked with the same checks and limits as for any file. Raises: UsageError: there is nothing in the
    bucket. CollectError: the web server does not give it. StoreError: the bucket cannot be read.
    """
    if isinstance(place, Path):
        return place
    folder.mkdir(parents=True, exist_ok=True)
    return _from_bucket(place, folder, settings) if place.startswith("s3://") else _from_web(place, folder, settings)


def local_file(text: str | Path) -> Path:
    """Like `local_copy`, for a command or a server: one copy for each process, deleted when it ends."""
    place = parse_place(text)
    return _kept_copy(place) if isinstance(place, str) else place or Path()


@cache
def _kept_copy(place: str) -> Path:
    stack = ExitStack()
    atexit.register(stack.close)
    return local_copy(place, stack.enter_context(scratch_folder("given")), Settings.from_environment())


def _from_bucket(address: str, folder: Path, settings: Settings) -> Path:
    prefix, _, name = address.rpartition("/")
    if prefix == "s3:/" or not name:
        raise UsageError(f"'{address}' is not a file: give s3://bucket/key")
    store = open_store(prefix)
    try:
        if (size := store.stat(name).size) > settings.max_download_bytes:
            raise TooLarge(f"{address} is {size:,} bytes: over the limit of {settings.max_download_bytes:,}")
        store.fetch(name, folder / name)
    except NotThere as error:
        raise UsageError(f"there is no {address}") from error
    return folder / name


def _from_web(address: str, folder: Path, settings: Settings) -> Path:
    """Fetch a file, not over plain http: anyone on the network could then change what is published for a body."""
    collectors.require_proxy(settings.proxy)
    limits = FetchLimits(
        timeout_seconds=settings.timeout_seconds,
        max_download_bytes=settings.max_download_bytes,
        allow_private_addresses=settings.allow_private_addresses,
        proxy=settings.proxy or None,
    )
    for attempt in range(settings.retries + 1):
        _require_tls((address,), settings)
        answer = collectors.fetch_file(address, folder, limits)
        _require_tls(answer.hops, settings)
        if answer.path is not None:
            return answer.path.rename(folder / (answer.name or "download"))
        error = answer.error or CollectError(f"{address} has no file")
        if not error.retryable or attempt == settings.retries:
            break
        time.sleep(_FIRST_DELAY_SECONDS * 2**attempt)
    raise error


def _require_tls(hops: tuple[str, ...], settings: Settings) -> None:
    plain = next((hop for hop in hops if not hop.startswith("https://")), None)
    if plain and not settings.allow_private_addresses:
        raise AddressRefused(f"{plain} is not https://, so your own files are not read from it")
