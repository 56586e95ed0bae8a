"""The catalogue flow: bring the catalogue up to date, for example on a day on which something falls due."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows.tasks import as_step
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.run_request import open_run


@flow(name="catalogue", log_prints=False, persist_result=False)
def catalogue(to: str, bodies: str | None = None) -> int:
    """Build the catalogue of the store at `to`; return the number of files written and removed."""
    with open_run(to, bodies=Path(bodies) if bodies else None) as run:
        return as_step("catalogue", build_catalogue, run.settings.retries)(run)
