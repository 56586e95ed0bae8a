"""The index of the store, kept while nothing in the store has changed."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from fastapi import Request

from piperoll import layout
from piperoll.errors import NotThere
from piperoll.operations.body_index import StoreIndex, open_index
from piperoll.operations.remote_files import local_file
from piperoll.operations.standing import BodyStanding, read_standing
from portal.sessions import settings_of
from portal.settings import PortalSettings


@dataclass
class IndexKeeper:
    """Opens the index again only if a build has ended, a file or table has changed, or a day has passed."""

    settings: PortalSettings
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: tuple[str, StoreIndex] | None = None

    def open(self) -> tuple[str, StoreIndex]:
        """The index as of now, and a mark that changes whenever the index does."""
        mark = self._mark()
        with self._lock:
            if self._kept is None or self._kept[0] != mark:
                bodies = local_file(self.settings.bodies) if self.settings.bodies else None
                self._kept = mark, open_index(self.settings.opened, self.today(), bodies=bodies)
            return self._kept

    def today(self) -> date:
        """The day, UTC."""
        return datetime.fromtimestamp(self.settings.clock(), UTC).date()

    def _mark(self) -> str:
        store = self.settings.opened
        try:
            built = store.stat(layout.BUILD_STATE).tag
        except NotThere:
            built = ""
        changes = [*store.keys(layout.CHANGES), *store.keys(layout.BUILDS_RUNNING)]
        return hashlib.sha256("\n".join([str(self.today()), built, *changes]).encode()).hexdigest()


def index_of(request: Request) -> StoreIndex:
    """The index of the store of the portal that answers a request."""
    index: StoreIndex = request.app.state.indexes.open()[1]
    return index


def standing_of(request: Request, body: str) -> BodyStanding:
    """Where a body stands now."""
    return read_standing(index_of(request), body)


def moment_of(request: Request) -> str:
    """Now, as an ISO 8601 instant in UTC with microseconds."""
    now = datetime.fromtimestamp(settings_of(request).clock(), UTC)
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
