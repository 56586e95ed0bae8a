"""How fresh everything is, for machines: what each series covers and when it came, and what became of each duty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from piperoll.describing.duties import Duty, DutyState
from piperoll.describing.holdings import Holdings
from piperoll.model import Acts, Listing, to_json_bytes

_OURS = (DutyState.FAILED,)


def freshness(holdings: Holdings) -> bytes:
    """freshness.json: `series` and `duties` as they are on the day `on`.

    Of a series: the days it covers, when the file of the version that stands was received and when that version was
    published (null where none stands), and whether another series of the body covers some of the same days. Of a duty:
    its period and due day, its state, and who has to act where something is outstanding.
    """
    document = {
        "on": holdings.on.isoformat(),
        "series": [_series(holdings, listing) for listing in holdings.listings],
        "duties": list(_duties(holdings)),
    }
    return to_json_bytes(document)


def _series(holdings: Holdings, listing: Listing) -> dict[str, Any]:
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
    for duty in holdings.duties:
        yield {
            "dataset": duty.dataset,
            "body": duty.body.slug,
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
