"""The catalogue flow: bring the catalogue up to date, for example on a day on which something falls due."""

from __future__ import annotations

from prefect import flow

from flows.places import find_bodies, find_place
from flows.tasks import as_step
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.run_request import open_run


@flow(name="catalogue", log_prints=False, persist_result=False)
def catalogue() -> int:
    """Build the catalogue of the store; return the number of files written and removed."""
    with open_run(find_place("store"), bodies=find_bodies()) as run:
        return as_step("catalogue", build_catalogue, run.settings.retries)(run)
