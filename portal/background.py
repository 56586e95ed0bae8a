"""Work that a page begins and does not wait for: one process at a time, killed at any moment and taken up again.

The work is that of `piperoll decisions --apply`: whatever is recorded and not done yet. So nothing is lost if the
portal ends; the next answer, the next start of the portal or the next run does it.
"""

from __future__ import annotations

import subprocess
import sys
import threading

from portal.settings import PortalSettings

_APPLY = "from piperoll.operations.answering import apply_from_arguments; apply_from_arguments()"


class BackgroundWork:
    """Applies answers in a process of its own, so that neither its memory nor its work weighs on pages."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._changed = threading.Condition()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self.runs = 0

    def ask(self) -> None:
        """Ask for the work to be done soon; if it is being done, once more afterwards."""
        if not self._settings.background:
            return
        with self._changed:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="portal-background", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._wanted:
                    self._changed.wait()
                self._wanted = False
            given = [self._settings.store, *filter(None, [self._settings.bodies])]
            subprocess.run([sys.executable, "-c", _APPLY, *given], check=False)  # noqa: S603 - our own code
            self.runs += 1
