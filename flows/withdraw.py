"""The withdraw flow: take back a published version."""

from __future__ import annotations

from prefect import flow

from flows.places import find_bodies, find_place
from flows.tasks import without_names
from piperoll.model import Series
from piperoll.operations.takedown import WithdrawalResult, withdraw_version


@flow(name="withdraw", log_prints=False, persist_result=False)
def withdraw(series: str, number: int, because: str) -> WithdrawalResult:
    """Withdraw version `number` of a series such as `spend/anytown/2026-10`. Raises: UsageError: there is none."""
    return without_names(withdraw_version)(
        find_place("store"), Series.parse(series), number, because=because, bodies=find_bodies()
    )
