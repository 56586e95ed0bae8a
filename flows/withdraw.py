"""The withdraw flow: take back a published version."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from piperoll.model import Series
from piperoll.operations.takedown import WithdrawalResult, withdraw_version


@flow(name="withdraw", log_prints=False, persist_result=False)
def withdraw(to: str, series: str, number: int, because: str, bodies: str | None = None) -> WithdrawalResult:
    """Withdraw version `number` of a series such as `spend/anytown/2026-10`. Raises: UsageError: there is none."""
    path = Path(bodies) if bodies else None
    return withdraw_version(to, Series.parse(series), number, because=because, bodies=path)
