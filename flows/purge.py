"""The purge flow: remove a file with personal data, and everything made from it."""

from __future__ import annotations

from prefect import flow

from flows.forgetting import forget_flow_runs
from flows.places import find_bodies, find_place
from flows.tasks import without_names
from piperoll.operations.takedown import PurgeResult, purge_submission


@flow(name="purge", log_prints=False, persist_result=False)
def purge(submission: str, because: str) -> PurgeResult:
    """Purge a submission, named by the beginning of its sha256. Raises: UsageError: there is no such submission.

    What Prefect keeps of other runs about it, with the reasons that were typed, is deleted too.
    It takes no values to search for, because Prefect records the parameters of a flow: use `piperoll purge --value`.
    """
    done = without_names(purge_submission)(find_place("store"), submission, because=because, bodies=find_bodies())
    forget_flow_runs(done.tombstone)
    return done
