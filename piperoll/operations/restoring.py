"""Make a store again from a backup, with the catalogue, which backups do not hold."""

from __future__ import annotations

from pathlib import Path

import publishers
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.run_request import current_moment, open_run
from piperoll.settings import Settings


def restore_store(
    place: str, to: str, *, taken: str | None = None, bodies: Path | None = None, settings: Settings | None = None
) -> tuple[publishers.RestoreResult, str | None]:
    """Restore the latest backup, or the one taken at `taken`, and build the catalogue; say why it could not be built.

    Raises: UsageError: there is no such backup, or `to` is not empty. StoreCorrupt: the backup is damaged.
    """
    source, store = publishers.open_store(place), publishers.open_store(to)
    done = publishers.restore_backup(source, store, taken=taken, now=current_moment())
    with open_run(to, bodies=bodies, settings=settings) as run:
        _, trouble = build_for_run(run)
        publishers.erase_old_pages(run.store)
    return done, trouble
