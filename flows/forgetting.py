"""Delete what Prefect keeps about a submission that was purged: flow runs with its parameters, their logs and tasks.

The monthly flow writes nothing there that names a file or a person. The flows that people start take a reason, which
Prefect records as it was typed, even if we refuse it because it names somebody.
"""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterState
from prefect.client.schemas.filters import FlowRunFilterStateType as StateFilter
from prefect.client.schemas.objects import FlowRun, StateType

from publishers import Tombstone

_FLOWS = ["release", "withdraw", "purge"]
_PAGE = 200
_LEAST_DIGITS = 6
"""Fewer digits of a sha256 than this name no submission."""

_ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]


def forget_flow_runs(tombstone: Tombstone) -> int:
    """Delete the ended flow runs about a purged submission, or about a version with its rows; return how many.

    The run that purges is going on, so it stays; its reason is in the tombstone too. Raises: what Prefect raises if
    its server does not answer.
    """
    with get_client(sync_client=True) as client:
        about = [one for one in _list_runs(client) if is_about(one.parameters, tombstone)]
        for one in about:
            client.delete_flow_run(one.id)
    return len(about)


def is_about(parameters: dict[str, object], tombstone: Tombstone) -> bool:
    """Whether the parameters of a flow run name the submission, or a series that had its rows."""
    named = str(parameters.get("submission", "")).rpartition("/")[2].lower()
    if len(named) >= _LEAST_DIGITS and tombstone.sha256.startswith(named):
        return True
    return str(parameters.get("series", "")) in {version.rpartition("/")[0] for version in tombstone.versions}


def _list_runs(client: SyncPrefectClient) -> list[FlowRun]:
    found: list[FlowRun] = []
    flows = FlowFilter(name=FlowFilterName(any_=_FLOWS))
    ended = FlowRunFilter(state=FlowRunFilterState(type=StateFilter(any_=_ENDED)))
    while True:
        page = client.read_flow_runs(flow_filter=flows, flow_run_filter=ended, limit=_PAGE, offset=len(found))
        found += page
        if len(page) < _PAGE:
            return found
