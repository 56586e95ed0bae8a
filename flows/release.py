"""The release flow: publish a held file, because a person decided so."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from piperoll.operations.release import ReleaseResult
from piperoll.operations.release import release as release_submission


@flow(name="release", log_prints=False, persist_result=False)
def release(
    to: str,
    submission: str,
    because: str,
    how: str = "replace",
    period: str | None = None,
    bodies: str | None = None,
) -> ReleaseResult:
    """Release a held submission, named by the beginning of its sha256. Raises: UsageError: it cannot be released."""
    path = Path(bodies) if bodies else None
    return release_submission(to, submission, because=because, how=how, period=period, bodies=path)
