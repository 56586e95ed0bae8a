"""Publish what has a receipt at once, in a process of its own. What it does not finish, the next run does."""

from __future__ import annotations

import subprocess
import sys
import threading

from portal.settings import PortalSettings

_PUBLISH = "import sys; from piperoll.operations.submitting import publish_from_arguments; publish_from_arguments()"


class Publisher:
    """Processes receipts, one process at a time, so that neither its memory nor its work weighs on pages.

    It may be killed at any moment. `wake` asks for the work to be done soon; once more if it is being done.
    """

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Ask for every receipt that waits to be processed."""
        if not self._settings.background:
            return
        with self._lock:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="portal-publisher", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until there is no more work, or for this time."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._thread = None
                    return
                self._wanted = False
            given = [self._settings.store, *filter(None, [self._settings.bodies])]
            subprocess.run([sys.executable, "-P", "-c", _PUBLISH, *given], check=False)  # noqa: S603 - our own code
