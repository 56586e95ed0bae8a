"""The feeds of late returns: when a body became late with what it must publish by law, and when that arrived.

The feed of a body has an item for each such event. The feed of all bodies has one item for each duty and period,
updated whenever another body's return arrives. Both go back 13 months, as far as duties are followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.context import Holdings
from piperoll.describing.feeds.releases import Feed, FeedItem
from piperoll.describing.overview import Overview
from piperoll.describing.page_wording import describe_statement
from piperoll.describing.wording import format_count, format_day, format_number, return_title
from piperoll.duties import Duty, DutyState
from piperoll.model import Period

_MOST_NAMES = 40
"""Names of late bodies in one item; the item counts the others."""

_ONE_DAY = timedelta(days=1)


def body_late_feed(holdings: Holdings, releases: Feed) -> Feed:
    """Return the feed of a body's late returns, given the feed of its releases."""
    body = holdings.body
    return replace(
        releases,
        id=f"urn:piperoll:feed:late:{body.slug}",
        title=f"Late: {body.name} – {holdings.publisher_name}",
        description="A new item when a return that is due by law is late, and when a late return arrives.",
        stem=layout.late_feed(body.slug),
    )


def overview_late_feed(releases: Feed) -> Feed:
    """Return the feed of the late returns of all bodies, given the feed of all releases."""
    return replace(
        releases,
        id="urn:piperoll:feed:late",
        title=f"Late – {releases.author}",
        description="An item for each duty and period with a late return, updated when a late return arrives.",
        stem=layout.late_feed(None),
    )


def list_late_items(holdings: Holdings) -> list[FeedItem]:
    """Return the items of a body's late returns, oldest first."""
    body, items = holdings.body, []
    for duty in holdings.duties:
        if not _was_late(duty, holdings.on):
            continue
        what = f"{return_title(holdings.dataset(duty.dataset), duty.part)}: {body.name}, {duty.period.title}"
        became_late = _midnight(duty.due + _ONE_DAY)
        law = f"Due on {format_day(duty.due)} by law ({duty.clause}), and not all of it had arrived by then."
        late = FeedItem(
            id=f"urn:piperoll:late:{_duty_key(duty)}/{body.slug}",
            url=f"{urls.address(holdings.base_url, layout.body_page(body.slug))}#duties",
            title=f"Late: {what}",
            summary=f"{law} {describe_statement(duty.statement)}" if duty.statement else law,
            published=became_late,
            updated=became_late,
            body=body.name,
            tags=(duty.dataset, body.slug, str(duty.period), "late"),
            attachments=(),
        )
        items.append(late)
        if duty.received is not None:
            days = format_count((duty.received - duty.due).days, "day")
            met = replace(
                late,
                id=f"{late.id}#met",
                title=f"Now here: {what}",
                summary=f"The last of it arrived on {format_day(duty.received)}, {days} after the day it was due.",
                published=_midnight(duty.received),
                updated=_midnight(duty.received),
                tags=(*late.tags[:3], "met"),
            )
            items.append(met)
    return sorted(items, key=lambda item: item.position)


def late_contributions(holdings: Holdings) -> dict[str, Any]:
    """Return a body's part in each duty and period that was due: its name, the due day, and when the return arrived."""
    return {
        _duty_key(duty): {
            "part": duty.part,
            "due": duty.due.isoformat(),
            "name": holdings.body.name,
            "late": _was_late(duty, holdings.on),
            "met": None if duty.received is None else duty.received.isoformat(),
        }
        for duty in holdings.duties
        if duty.due < holdings.on
    }


def summarise_late(contributions: Mapping[str, Any]) -> dict[str, Any]:
    """Summarise one duty and period from the contributions of each body, by slug."""
    late = [one for one in contributions.values() if one["late"]]
    missing = sorted((one["name"] for one in late if one["met"] is None), key=str.casefold)
    first = next(iter(contributions.values()))
    return {
        "part": first["part"],
        "due": first["due"],
        "owed": len(contributions),
        "late": len(late),
        "missing": missing[:_MOST_NAMES],
        "more": max(0, len(missing) - _MOST_NAMES),
        "last": max((one["met"] for one in late if one["met"] is not None), default=None),
    }


def list_overview_late_items(overview: Overview, summaries: Mapping[str, Mapping[str, Any]]) -> list[FeedItem]:
    """Return the items of the late returns of all bodies, oldest first, from the summaries of duties and periods."""
    items = []
    for key, one in summaries.items():
        if not one["late"]:
            continue
        name, _, period = key.split("/")
        title, due = return_title(overview.dataset(name), one["part"]), date.fromisoformat(one["due"])
        became_late = _midnight(due + _ONE_DAY)
        names = ", ".join(one["missing"]) + (f" and {format_number(one['more'])} more" if one["more"] else "")
        count = f"{format_number(one['late'])} of {format_count(one['owed'], 'body', 'bodies')}"
        outcome = f"Still missing: {names}." if one["missing"] else "All returns have arrived."
        item = FeedItem(
            id=f"urn:piperoll:late:{key}",
            url=urls.address(overview.base_url, layout.dataset_page(name)),
            title=f"{title}, {Period.parse(period).title}: {count} late",
            summary=f"Due on {format_day(due)}. {outcome}",
            published=became_late,
            updated=max(became_late, _midnight(date.fromisoformat(one["last"]))) if one["last"] else became_late,
            body=overview.publisher_name,
            tags=(name, period, "late" if one["missing"] else "met"),
            attachments=(),
        )
        items.append(item)
    return sorted(items, key=lambda item: item.position)


def _was_late(duty: Duty, on: date) -> bool:
    if duty.state is DutyState.EXEMPT:
        return False
    return duty.due < on and (duty.received is None or duty.received > duty.due)


def _duty_key(duty: Duty) -> str:
    return f"{duty.dataset}/{duty.name}/{duty.period}"


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
