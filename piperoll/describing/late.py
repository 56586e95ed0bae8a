"""The feeds of lateness: when a body became late with what it owes by law, and when that was met.

That of a body has an item for each. That of all bodies has one for each duty and period, which says who is late still;
it is told anew whenever one more has met it. Both go back 13 months, as far as duties are followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from piperoll import layout
from piperoll.describing import figures, places
from piperoll.describing.feeds import Feed, Item
from piperoll.describing.holdings import Holdings
from piperoll.describing.overview import Overview
from piperoll.describing.wording import lower_first, part_title
from piperoll.duties import Duty
from piperoll.model import Dataset, Period

_MOST_NAMES = 40
_A_DAY = timedelta(days=1)


def late_feed_of_body(holdings: Holdings, releases: Feed) -> Feed:
    """The feed of a body's lateness, beside that of its releases."""
    body = holdings.the_body
    return Feed(
        id=f"urn:piperoll:feed:late:{body.slug}",
        title=f"Late: {body.name} – {holdings.publisher_name}",
        description="A new item when something owed by law becomes late, and when it has come after all.",
        home=releases.home,
        stem=layout.late_feed(body.slug),
        base_url=releases.base_url,
        interval=releases.interval,
        next_expected=releases.next_expected,
        author=releases.author,
    )


def late_feed_of_all(releases: Feed) -> Feed:
    """The feed of the lateness of all bodies, beside that of all releases."""
    return Feed(
        id="urn:piperoll:feed:late",
        title=f"Late – {releases.author}",
        description="An item for each duty and period that some body was late with, told anew when one has met it.",
        home=releases.home,
        stem=layout.late_feed(None),
        base_url=releases.base_url,
        interval=releases.interval,
        next_expected=releases.next_expected,
        author=releases.author,
    )


def lateness_of(holdings: Holdings) -> list[Item]:
    """The items of a body's lateness."""
    return [item for duty in holdings.duties if _was_late(duty, holdings.on) for item in _items(holdings, duty)]


def _was_late(duty: Duty, on: date) -> bool:
    return duty.due < on and (duty.received is None or duty.received > duty.due)


def _items(holdings: Holdings, duty: Duty) -> list[Item]:
    body, dataset = holdings.the_body, holdings.dataset(duty.dataset)
    what = f"{_what(dataset, duty.part)}: {body.name}, {duty.period.title}"
    became = _instant(duty.due + _A_DAY)
    late = Item(
        id=f"urn:piperoll:late:{_key(duty)}/{body.slug}",
        url=f"{places.address(holdings.base_url, layout.body_page(body.slug))}#duties",
        title=f"Late: {what}",
        summary=f"Due on {figures.day(duty.due)} by law ({duty.clause}), and not all of it had come by then.",
        published=became,
        updated=became,
        body=body.name,
        tags=(duty.dataset, body.slug, str(duty.period), "late"),
        attachments=(),
    )
    if duty.received is None:
        return [late]
    came = _instant(duty.received)
    days = figures.counted((duty.received - duty.due).days, "day")
    met = Item(
        id=f"{late.id}#met",
        url=late.url,
        title=f"Now here: {what}",
        summary=f"The last of it came on {figures.day(duty.received)}, {days} after the day it was due.",
        published=came,
        updated=came,
        body=body.name,
        tags=(*late.tags[:3], "met"),
        attachments=(),
    )
    return [late, met]


def late_groups(holdings: Holdings) -> dict[str, Any]:
    """What a body brings to each duty and period that was due: its name, the due day, and when it came if late."""
    return {
        _key(duty): {
            "name": duty.body.name,
            "part": duty.part,
            "due": duty.due.isoformat(),
            "late": _was_late(duty, holdings.on),
            "met": None if duty.received is None else duty.received.isoformat(),
        }
        for duty in holdings.duties
        if duty.due < holdings.on
    }


def late_digest(members: Mapping[str, Any]) -> dict[str, Any]:
    """What the feed of all says of a duty and period, from what each body brings to it."""
    late = [one for one in members.values() if one["late"]]
    missing = sorted((one["name"] for one in late if one["met"] is None), key=str.casefold)
    first = next(iter(members.values()))
    met = [one["met"] for one in late if one["met"] is not None]
    return {
        "part": first["part"],
        "due": first["due"],
        "owed": len(members),
        "late": len(late),
        "missing": missing[:_MOST_NAMES],
        "more": max(0, len(missing) - _MOST_NAMES),
        "last": max(met, default=None),
    }


def late_items(overview: Overview, digests: Mapping[str, Mapping[str, Any]]) -> list[Item]:
    """The items of the lateness of all bodies, the oldest first."""
    found = [_item(overview, key, one) for key, one in digests.items() if one["late"]]
    return sorted(found, key=lambda item: item.place)


def _item(overview: Overview, key: str, one: Mapping[str, Any]) -> Item:
    name, _, period = key.split("/")
    dataset, due = overview.dataset(name), date.fromisoformat(one["due"])
    became = _instant(due + _A_DAY)
    still = len(one["missing"]) + one["more"]
    who = ", ".join(one["missing"]) + (f" and {figures.number(one['more'])} more" if one["more"] else "")
    owed = f"{figures.number(one['late'])} of {figures.counted(one['owed'], 'body', 'bodies')}"
    outcome = f"Still missing: {who}." if still else "All is here now."
    return Item(
        id=f"urn:piperoll:late:{key}",
        url=places.address(overview.world.base_url, layout.dataset_page(name)),
        title=f"{_what(dataset, one['part'])}, {Period.parse(period).title}: {owed} late",
        summary=f"Due on {figures.day(due)}. {outcome}",
        published=became,
        updated=max(became, _instant(date.fromisoformat(one["last"]))) if one["last"] else became,
        body=overview.publisher_name,
        tags=(name, period, "late" if still else "met"),
        attachments=(),
    )


def _key(duty: Duty) -> str:
    return f"{duty.dataset}/{duty.name}/{duty.period}"


def _what(dataset: Dataset, part: str | None) -> str:
    words = part_title(dataset, part)
    return f"{dataset.title} ({lower_first(words)})" if words else dataset.title


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
