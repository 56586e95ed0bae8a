"""What a server needs of its process: room for open files, a folder for temporary files, and a clean end on signals."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from piperoll.errors import UsageError
from piperoll.scratch import scratch_folder

LEAST_OPEN_FILES = 256
"""With fewer, connections and checks take the files of one another, and the server stops answering."""

_MOST_OPEN_FILES = 65_536
_LONGEST_PATH = 70
"""The fork server has a socket below the folder, whose path may have 107 characters."""


@contextmanager
def server_process(name: str) -> Iterator[Path]:
    """Prepare this process for uvicorn; yield a folder for temporary files that is deleted at the end.

    What the children of this process put into the folder for temporary files goes there. So nothing stays behind, even
    of workers that a signal ends. uvicorn handles SIGINT and SIGTERM, finishes the requests that are being answered and
    raises the signal again, which then does nothing: the block ends as usual.

    Raises: UsageError: this process may open too few files, or the path of the folder would be too long.
    """
    _allow_open_files()
    with scratch_folder(name) as folder:
        if len(str(folder)) > _LONGEST_PATH:
            raise UsageError(
                f"the path {folder} is too long for the sockets of a server: set TMPDIR to a folder with a shorter one"
            )
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = str(folder)
        handlers = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield folder
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
            os.environ.pop("TMPDIR", None)
            if before is not None:
                os.environ["TMPDIR"] = before


def require_free_port(host: str, port: int) -> None:
    """Raise UsageError if this process cannot listen there: uvicorn would say so in its own words, and later."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()  # a port can be bound, but not listened to, while another server has it
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be used ({error.strerror}): use another --host or --port") from error


def _allow_open_files() -> None:
    """Raise the limit of open files as far as this process may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    if most < LEAST_OPEN_FILES:
        raise UsageError(
            f"this process may open {most} files (ulimit -n), and a server needs {LEAST_OPEN_FILES}: raise the limit"
        )
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
