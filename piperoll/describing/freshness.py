"""How fresh everything is, for machines: what each series covers and when it came, and what became of each duty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from piperoll.describing import places
from piperoll.describing.duties import Duty, DutyState
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.lines import BodyLine
from piperoll.describing.overview import Overview
from piperoll.model import Acts, to_json_bytes

_OURS = (DutyState.FAILED,)


def freshness(overview: Overview) -> bytes:
    """freshness.json: each body, how much of it stands and is outstanding, and where its own freshness.json stands.

    `on` is the day; `next_due` the next day on which something of the dataset is due by law.
    """
    return to_json_bytes({"on": overview.on.isoformat(), "bodies": [_line(overview, line) for line in overview.lines]})


def _line(overview: Overview, line: BodyLine) -> dict[str, Any]:
    datasets = {
        name: {
            "tables": shelf.tables,
            "newest": shelf.newest and str(shelf.newest),
            "published": shelf.published,
            "every": shelf.every,
            "next_due": shelf.next_due and shelf.next_due.isoformat(),
        }
        for name, shelf in line.shelves.items()
    }
    key = places.body_freshness(line.body.slug)
    address = places.address(overview.world.base_url, key)
    return {
        "body": line.body.slug,
        "id": line.body.id,
        "outstanding": line.behind,
        "waiting": line.waits,
        "datasets": datasets,
        "url": address,
    }


def freshness_of(holdings: Holdings) -> bytes:
    """The freshness.json of a body: its `series` and `duties`.

    Of a series: the days it covers, when the file of the version that stands was received and when that version was
    published (null where none stands), and whether another series of the body covers some of the same days. Of a duty:
    its period and due day, its state, and who has to act where something is outstanding.
    """
    document = {
        "body": holdings.the_body.slug,
        "series": [_series(holdings, listing) for listing in holdings.listings],
        "duties": list(_duties(holdings)),
    }
    return to_json_bytes(document)


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
