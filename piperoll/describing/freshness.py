"""How fresh the data is, for programs: what each series covers, when it arrived, and whether each duty is met."""

from __future__ import annotations

import json
from decimal import Decimal

from piperoll.describing.context import Holdings
from piperoll.describing.overview import Overview
from piperoll.duties import next_due_day, publication_interval
from piperoll.model import format_decimal, to_compact_json_bytes


def write_freshness(overview: Overview) -> bytes:
    """Write freshness.json: one line a body, with what is published, outstanding and waiting for someone.

    `waiting` counts the files that were held or rejected, and `waiting_for` divides them into those that wait for the
    `body` and those that wait for the `platform`, with the rows and pounds that were read. `on` is the day described.
    Each dataset has its number of tables, newest period and the instant of the last release.
    """
    lines = []
    for digest in overview.digests:
        line = {
            "body": digest.body.slug,
            "id": digest.body.id,
            "outstanding": digest.behind,
            "waiting": sum(total.files for total in digest.waits.values()),
            "waiting_for": {
                acts: {"files": total.files, "rows": total.rows, "amount_gbp": _decimal(total.amount)}
                for acts, total in digest.waits.items()
            },
            "datasets": {
                name: {"tables": one.tables, "newest": one.newest and str(one.newest), "published": one.published}
                for name, one in digest.datasets.items()
            },
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    bodies = ",\n".join(lines)
    return f'{{"on": "{overview.on.isoformat()}", "bodies": [\n{bodies}\n]}}\n'.encode()


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else format_decimal(amount)


def write_body_freshness(holdings: Holdings) -> bytes:
    """Write the freshness.json of one body.

    `datasets`: how often each is published, and the next day it is due by law. `series`: the days each covers, when the
    file of its current version was received and published (null if it has none), and which series overlap it.
    `duties`: the period, due day and state of each, and who must act if it is outstanding.
    """
    published = [facts.series for facts in holdings.series]
    datasets = {}
    for name in sorted({series.dataset for series in published}):
        dataset = holdings.dataset(name)
        due = next_due_day(dataset, holdings.body, holdings.on)
        datasets[name] = {
            "every": publication_interval(dataset, holdings.body, published),
            "next_due": None if due is None else due.isoformat(),
        }
    series = []
    for facts in holdings.series:
        one, current = facts.series, facts.history.current_version
        series.append(
            {
                "series": str(one),
                "start": one.period.start.isoformat(),
                "end": one.period.end.isoformat(),
                "version": current and current.version,
                "received": current and current.received,
                "published": current and current.published,
                "overlaps": [str(other.series) for other in holdings.overlapping(one)],
            }
        )
    duties = [duty.to_document() for duty in reversed(holdings.duties)]
    return to_compact_json_bytes({"body": holdings.body.slug, "datasets": datasets, "series": series, "duties": duties})
