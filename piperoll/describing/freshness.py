"""How fresh everything is, for machines: what each series covers and when it came, and what became of each duty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.lines import BodyLine, ShelfLine
from piperoll.describing.overview import Overview
from piperoll.duties import Duty, DutyState, next_due_day, publication_interval
from piperoll.model import Acts, to_json_bytes

_OURS = (DutyState.FAILED,)


def freshness(overview: Overview) -> bytes:
    """freshness.json, a line for each body: how much of it stands and is outstanding (`freshness_of` says more).

    `on` is the day. Of each dataset: how many tables stand, the newest period, and when something was last released.
    """
    lines = ",\n".join(json.dumps(_line(line), ensure_ascii=False) for line in overview.lines)
    return f'{{"on": "{overview.on.isoformat()}", "bodies": [\n{lines}\n]}}\n'.encode()


def _line(line: BodyLine) -> dict[str, Any]:
    return {
        "body": line.body.slug,
        "id": line.body.id,
        "outstanding": line.behind,
        "waiting": line.waits,
        "datasets": {name: _shelf(shelf) for name, shelf in line.shelves.items()},
    }


def _shelf(shelf: ShelfLine) -> dict[str, Any]:
    newest = None if shelf.newest is None else str(shelf.newest)
    return {"tables": shelf.tables, "newest": newest, "published": shelf.published}


def freshness_of(holdings: Holdings) -> bytes:
    """The freshness.json of a body: its `datasets`, `series` and `duties`.

    Of a dataset: how often it is owed or comes, and the next day it is due by law.
    Of a series: the days it covers, when the file of the version that stands was received and when that version was
    published (null where none stands), and whether another series of the body covers some of the same days. Of a duty:
    its period and due day, its state, and who has to act where something is outstanding.
    """
    names = sorted({one.series.dataset for one in holdings.listings})
    document = {
        "body": holdings.the_body.slug,
        "datasets": {name: _often(holdings, name) for name in names},
        "series": [_series(holdings, listing) for listing in holdings.listings],
        "duties": list(_duties(holdings)),
    }
    return to_json_bytes(document)


def _often(holdings: Holdings, name: str) -> dict[str, Any]:
    dataset, body = holdings.dataset(name), holdings.the_body
    due = next_due_day(dataset, body, holdings.on)
    return {
        "every": publication_interval(dataset, body, (one.series for one in holdings.listings)),
        "next_due": None if due is None else due.isoformat(),
    }


def _series(holdings: Holdings, listing: SeriesFacts) -> dict[str, Any]:
    series, standing = listing.series, listing.history.standing
    return {
        "series": str(series),
        "start": series.period.start.isoformat(),
        "end": series.period.end.isoformat(),
        "version": standing and standing.version,
        "received": standing and standing.received,
        "published": standing and standing.published,
        "overlaps": [str(other.series) for other in holdings.overlapping(series)],
    }


def _duties(holdings: Holdings) -> Iterator[dict[str, Any]]:
    for duty in reversed(holdings.duties):
        yield {
            "dataset": duty.dataset,
            "part": duty.part,
            "start": duty.period.start.isoformat(),
            "end": duty.period.end.isoformat(),
            "due": duty.due.isoformat(),
            "state": str(duty.state),
            "received": duty.received and duty.received.isoformat(),
            "acts": _who(duty),
            "clause": duty.clause,
        }


def _who(duty: Duty) -> str | None:
    if not duty.outstanding:
        return None
    return str(Acts.PLATFORM if duty.state in _OURS else Acts.BODY)
