"""Work that a page begins and does not wait for: files with a receipt are published, and answers are applied.

It runs in a process of its own, so that neither its memory nor its work weighs on pages, one process at a time. It does
whatever is recorded in the store and not done yet, so nothing is lost if it is killed: the next page that asks for it,
the next start of the portal or the next run goes on.
"""

from __future__ import annotations

import subprocess
import sys
import threading

from portal.settings import PortalSettings

_WORK = (
    "from piperoll.operations import answering, submitting;"
    "submitting.publish_from_arguments(); answering.apply_from_arguments()"
)

_SECONDS_TO_END = 5


class BackgroundWork:
    """Starts the process when it is asked for, and once more if it is asked for while at work."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def ask(self) -> None:
        """Ask for the work to be done soon."""
        if not self._settings.background:
            return
        with self._lock:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="portal-background", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until there is no more work, or for this time."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def stop(self) -> None:
        """End the process and begin no other: the portal ends. What it had not done is done after the next start."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted or self._stopped:
                    self._thread = None
                    return
                self._wanted = False
                given = [self._settings.store, *filter(None, [self._settings.bodies])]
                self._process = subprocess.Popen([sys.executable, "-P", "-c", _WORK, *given])  # noqa: S603 - our own code
            self._process.wait()
