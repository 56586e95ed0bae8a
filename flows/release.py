"""The release flow: publish a held file, because a person decided so."""

from __future__ import annotations

from prefect import flow

from flows.places import find_bodies, find_place
from flows.tasks import without_names
from piperoll.operations.release import ReleaseResult
from piperoll.operations.release import release as release_submission


@flow(name="release", log_prints=False, persist_result=False)
def release(
    submission: str,
    because: str,
    how: str = "replace",
    period: str | None = None,
) -> ReleaseResult:
    """Release a held submission, named by the beginning of its sha256. Raises: UsageError: it cannot be released."""
    return without_names(release_submission)(
        find_place("store"), submission, because=because, how=how, period=period, bodies=find_bodies()
    )
