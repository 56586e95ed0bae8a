"""A Prefect server that ends when whoever started it does: `python -P own_server.py --host … --port …`.

It reads its standard input, a pipe that the starting process holds: however that process ends, the pipe closes with it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_GRACE_SECONDS = 15  # a server that runs needs two to stop


def main() -> None:
    """Run `prefect server start` with the options given, until it is told to stop or standard input ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def _end_with_input() -> None:
    """Ask the server to stop when standard input ends; one that is still starting may not hear it, and is ended."""
    while os.read(0, 1024):  # not sys.stdin: its lock cannot be taken from us while the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
