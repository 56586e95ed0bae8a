"""The purge flow: remove a file with personal data, and everything made from it."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from piperoll.operations.takedown import PurgeResult, purge_submission


@flow(name="purge", log_prints=False, persist_result=False)
def purge(to: str, submission: str, because: str, bodies: str | None = None) -> PurgeResult:
    """Purge a submission, named by the beginning of its sha256. Raises: UsageError: there is no such submission.

    It takes no values to search for, because Prefect records the parameters of a flow: use `piperoll purge --value`.
    """
    return purge_submission(to, submission, because=because, bodies=Path(bodies) if bodies else None)
