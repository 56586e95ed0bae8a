"""Automations of a Prefect server: a run that is stuck becomes Crashed, and a webhook hears of what needs attention.

    python -m flows.automations --webhook https://hooks.example/piperoll

Run it again after a change: automations of the same name are replaced.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from flows import record

BLOCK = "piperoll-webhook"
"""The block that has the address of the webhook; it can be changed on the page."""

STUCK_SECONDS = 90
"""After how long without a heartbeat a flow run is set to Crashed, which frees its place: three beats of 30 seconds."""

_CRASH = ChangeFlowRunState(name=None, state=StateType.CRASHED, message="Nothing was heard of it", force=False)
_RUN = "prefect.flow-run"
_FINAL = frozenset(f"{_RUN}.{name}" for name in ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut"))


def make_automations(webhook: str | None = None, stuck_seconds: int = STUCK_SECONDS) -> list[str]:
    """Create or replace the automations on the server of PREFECT_API_URL; return their names.

    Without `webhook`, only the one that ends stuck runs is made.
    """
    automations = [_stuck(stuck_seconds)]
    if webhook:
        block: Any = Webhook.model_validate({"url": webhook, "method": "POST"})
        automations += _alerts(block.save(BLOCK, overwrite=True))
    with get_client(sync_client=True) as client:
        for automation in automations:
            for older in client.read_automations_by_name(automation.name):
                client.delete_automation(older.id)
            client.create_automation(automation)
    return [automation.name for automation in automations]


def _stuck(seconds: int) -> AutomationCore:
    return AutomationCore(
        name="piperoll: a run is stuck",
        description="No heartbeat: the machine or the process is gone. The run becomes Crashed and its place is free.",
        trigger=EventTrigger(
            after={record.HEARTBEAT},
            expect={record.HEARTBEAT, *_FINAL},
            match=ResourceSpecification({"prefect.resource.id": [f"{_RUN}.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=seconds),
        ),
        actions=[_CRASH],
    )


def _alerts(block: Any) -> list[AutomationCore]:
    """Call the webhook when a run failed or crashed, and with the counts of each month that ended."""
    failed = {"run": "{{ flow_run.name }}", "state": "{{ flow_run.state.name }}", "id": "{{ flow_run.id }}"}
    ended = {name: f"{{{{ event.payload.{name} }}}}" for name in ("period", "files", "published", "held", "failed")}
    triggers = {
        "piperoll: a run failed or crashed": ({f"{_RUN}.Failed", f"{_RUN}.Crashed"}, failed),
        "piperoll: a month has ended": ({record.SPREAD_ENDED, record.ENDED}, ended),
    }
    return [
        AutomationCore(
            name=name,
            trigger=EventTrigger(
                expect=events, for_each={"prefect.resource.id"}, posture=Posture.Reactive, threshold=1
            ),
            actions=[CallWebhook(block_document_id=block, payload=json.dumps({"alert": name} | payload))],
        )
        for name, (events, payload) in triggers.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: see the module."""
    parser = argparse.ArgumentParser(prog="python -m flows.automations", description=__doc__.partition("\n")[0])
    parser.add_argument("--webhook", metavar="URL", help="where alerts are posted as JSON")
    for name in make_automations(parser.parse_args(arguments).webhook):
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
