"""The purge flow: remove a file with personal data, and everything made from it."""

from __future__ import annotations

from prefect import flow

from flows.places import find_bodies, find_place
from piperoll.operations.takedown import PurgeResult, purge_submission


@flow(name="purge", log_prints=False, persist_result=False)
def purge(submission: str, because: str) -> PurgeResult:
    """Purge a submission, named by the beginning of its sha256. Raises: UsageError: there is no such submission.

    It takes no values to search for, because Prefect records the parameters of a flow: use `piperoll purge --value`.
    """
    return purge_submission(find_place("store"), submission, because=because, bodies=find_bodies())
