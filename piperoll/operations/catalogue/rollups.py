"""Making what tells of a body as a whole, and what tells of all bodies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from piperoll import describing, layout
from piperoll.describing import ArchivePages, Feed, FeedItem, FeedLog, Holdings, Overview
from piperoll.operations.catalogue import body_cache as shelving
from piperoll.operations.catalogue.body_cache import Shelves
from piperoll.operations.catalogue.build_plan import BODIES, Hashes, Making, Member, days
from publishers import hash_of, list_consolidated_years, read_consolidated_year

_DIGESTS = "digests"
"""The document of what is told of groups."""


@dataclass(frozen=True)
class Of:
    """What came of making a body anew.

    `member` is to be kept of it (None: there is nothing of it any more), and so is `kept`. `groups` are those to which
    it brings something else than before (None: nothing any more); `items` are new or say something else, and
    `gone` tells whether one is there no more.
    """

    slug: str
    member: Member | None
    kept: Mapping[str, Any] | None
    groups: Mapping[str, Any]
    items: tuple[FeedItem, ...]
    gone: bool


def first_days(making: Making, shelves: Mapping[str, Shelves]) -> dict[str, date]:
    """Of each dataset when the first period began that came from anybody within the 13 months."""
    ours = [describing.find_first_starts(one.came, making.world.on) for one in shelves.values()]
    others = [days(member.first) for slug, member in making.members.items() if slug not in shelves]
    return describing.merge_first_starts([*ours, *others])


def touched(making: Making, since: Mapping[str, date]) -> list[str]:
    """The bodies that are made anew: those that changed or aged, and those whose duties are judged by another day."""
    judged = (slug for slug, member in making.members.items() if days(member.since) != since)
    return sorted(making.stale | making.aged | {*judged})


def made_of(making: Making, slug: str, shelves: Shelves, since: Mapping[str, date]) -> Of:
    """Make what tells of a body as a whole, and keep what is known of it."""
    recorded = making.ledger.read(f"bodies/{slug}") or {"pages": {}, "groups": {}, "items": {}}
    known = {} if making.doubts(slug) else recorded["pages"]
    if not shelves.datasets and slug not in {body.slug for body in making.world.expected}:
        _tidy(making, slug, recorded["pages"], {})
        return Of(slug, None, None, dict.fromkeys([*recorded["groups"], *making.doubted.groups]), (), gone=False)
    body = shelves.body(making.world, slug)
    holdings = describing.collect_holdings(making.world, body, shelves.facts, shelves.came, since)
    pages = making.publish(describing.render_body(holdings), known)
    _tidy(making, slug, recorded["pages"], pages | shelves.hashes)
    brought = describing.collect_contributions(holdings)
    hashes = {name: hash_of(one) for name, one in brought.items()}
    items = {item.id: item for item in describing.list_items(holdings)}
    said = {name: hash_of(item.to_json()) for name, item in items.items()}
    return Of(
        slug=slug,
        member=_member(making, holdings, shelves, since),
        kept={"pages": pages, "groups": hashes, "items": said},
        groups=_differing(making, slug, brought, hashes, recorded["groups"]),
        items=tuple(items[name] for name in said if making.in_full(slug) or recorded["items"].get(name) != said[name]),
        gone=not recorded["items"].keys() <= said.keys(),
    )


def _member(making: Making, holdings: Holdings, shelves: Shelves, since: Mapping[str, date]) -> Member:
    first = describing.find_first_starts(shelves.came, making.world.on)
    return Member(
        line=describing.digest_body(holdings),
        datasets=tuple(shelves.datasets),
        sent=bool(shelves.files),
        sender=shelves.sender,
        first={name: day.isoformat() for name, day in first.items()},
        since={name: day.isoformat() for name, day in since.items()},
    )


def _differing(making: Making, slug: str, brought: Mapping[str, Any], hashes: Hashes, before: Hashes) -> dict[str, Any]:
    """What a body brings to groups now that it did not bring before; None to those to which it brings nothing."""
    in_full = making.in_full(slug)
    differing = {name: one for name, one in brought.items() if in_full or hashes[name] != before.get(name)}
    gone = {*before, *(making.doubted.groups if making.doubts(slug) else ())} - brought.keys()
    return differing | dict.fromkeys(sorted(gone))


def _tidy(making: Making, slug: str, recorded: Hashes, pages: Hashes) -> None:
    """Remove the pages of a body that are no longer made; where what is recorded is doubted, look what is there."""
    if making.whole:
        return  # what is not made again is removed in the end
    there = set(recorded)
    if making.doubts(slug):
        there |= {
            key for prefix in describing.body_prefixes(making.world, slug) for key in making.run.store.keys(prefix)
        }
    making.ledger.remove(there - pages.keys())


def told_of_all(making: Making, bodies: list[Of], compared: Counter[tuple[str, str]]) -> Hashes:
    """Make what tells of all bodies; what these pages hold, but for those of archives.

    `compared` counts what was touched of the consolidated files of each dataset and year.
    """
    making.ledger.touched += compared.total()
    members = _members(making, bodies)
    digests = _groups(making, bodies)
    whole = describing.build_overview(making.world, [member.line for member in members.values()], digests)
    known = making.known(making.before.pages)
    pages: Hashes = {}
    for name, feed in describing.list_feeds(whole).items():
        log, archive = _log(making, name, feed, bodies, members)
        made = making.publish(describing.render_feed(feed, log, archive), known)
        archived = {feed.key(form, page) for form in ("atom", "json") for page in archive}
        pages |= {key: held for key, held in made.items() if key not in archived}
        making.ledger.write(_log_name(name), log.to_json())
    pages |= _compared(making, whole, compared, known)
    pages |= making.publish(describing.render_overview(whole, digests), known)
    _keep(making, bodies, members)
    _sweep(making, pages)
    return pages


def _compared(making: Making, whole: Overview, touched: Iterable[tuple[str, str]], known: Hashes) -> Hashes:
    """The pages of the consolidated files: of the years that were touched; all where bodies may have other names."""
    store = making.run.store
    standing = {dataset.name: list_consolidated_years(store, dataset.name) for dataset in whole.datasets}
    all_of = [(name, year) for name, found in standing.items() for year in found]
    anew = all_of if making.anew or not making.certain else sorted(set(touched) & set(all_of))
    pages = {key: held for key, held in known.items() if describing.is_compared_page(key, all_of) and not
             describing.is_compared_page(key, anew)}  # fmt: skip
    for name, year in anew:
        told = read_consolidated_year(store, name, year)["bodies"]
        pages |= making.publish(describing.render_compared_year(whole, name, year, told), known)
    return pages | making.publish(describing.render_compared_index(whole, standing), known)


def _members(making: Making, bodies: list[Of]) -> dict[str, Member]:
    """What is kept of each body from now on."""
    gone = {one.slug for one in bodies if one.member is None}
    made = {one.slug: one.member for one in bodies if one.member is not None}
    kept = {} if making.whole else making.members
    return {slug: member for slug, member in sorted((dict(kept) | made).items()) if slug not in gone}


def _groups(making: Making, bodies: list[Of]) -> dict[str, Any]:
    """Put what the bodies bring into the groups, and make the files of those; what is told of each group."""
    changes: dict[str, dict[str, Any]] = {}
    for one in bodies:
        for name, brought in one.groups.items():
            changes.setdefault(name, {})[one.slug] = brought
    making.begin([one.slug for one in bodies], changes)
    digests: dict[str, Any] = {} if making.whole else making.ledger.read(_DIGESTS) or {}
    before = dict(digests)
    for name in sorted(changes):
        members = _group(making, name, changes[name])
        digests[name] = describing.digest_group(name, members) if members else None
    digests = {name: digests[name] for name in sorted(digests) if digests[name] is not None}
    if digests != before:
        making.ledger.write(_DIGESTS, digests)
    return digests


def _group(making: Making, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put what some bodies bring into a group, and make its files; what all bodies bring to it."""
    ledger = making.ledger
    kept = (None if making.whole else ledger.read(f"groups/{name}")) or {"members": {}, "pages": {}}
    after = kept["members"] | changes
    members = {slug: after[slug] for slug in sorted(after) if after[slug] is not None}
    files = describing.render_group(name, members) if members else ()
    pages = making.publish(files, making.known(kept["pages"]))
    there = set(kept["pages"])
    if not making.certain:
        there |= {key for prefix in describing.group_prefixes(name) for key in making.run.store.keys(prefix)}
    ledger.remove(there - pages.keys())
    if members:
        ledger.write(f"groups/{name}", {"members": members, "pages": pages})
    else:
        ledger.drop(f"groups/{name}")
    return members


def _log_name(feed: str) -> str:
    return f"feeds/{feed or 'all'}"


def _log(
    making: Making, name: str, feed: Feed, bodies: list[Of], members: Mapping[str, Member]
) -> tuple[FeedLog, ArchivePages]:
    """What is kept of a feed, and the pages of its archive that differ."""
    items = [item for one in bodies for item in one.items if describing.belongs_in_feed(name, item)]
    if making.whole:
        return describing.archive_items(items)
    kept = making.ledger.read(_log_name(name))
    if kept is not None and not any(one.gone for one in bodies):
        found = describing.add_items(FeedLog.from_json(kept), items, lambda page: _archived(making, feed, page))
        if found is not None:
            return found
    log, archive = describing.archive_items(
        item for item in _all_items(making, members) if describing.belongs_in_feed(name, item)
    )
    keys = {feed.key(form, page) for form in ("atom", "json") for page in archive}
    making.ledger.remove(set(making.run.store.keys(feed.archive)) - keys)
    return log, archive


def _archived(making: Making, feed: Feed, page: int) -> list[FeedItem]:
    return describing.parse_items(making.run.store.read(feed.key("json", page)).content)


def _all_items(making: Making, members: Mapping[str, Member]) -> Iterator[FeedItem]:
    """The items of every body, from what is kept of it."""
    for slug, member in members.items():
        shelves = shelving.load(making.ledger, slug, member.datasets)
        body = shelves.body(making.world, slug)
        yield from describing.list_items(
            describing.collect_holdings(making.world, body, shelves.facts, shelves.came, {})
        )


def _keep(making: Making, bodies: list[Of], members: Mapping[str, Member]) -> None:
    ledger = making.ledger
    for one in bodies:
        if one.kept is None:
            ledger.drop(f"bodies/{one.slug}")
        else:
            ledger.write(f"bodies/{one.slug}", one.kept)
    ledger.write(BODIES, {slug: member.to_json() for slug, member in members.items()})


def _sweep(making: Making, pages: Hashes) -> None:
    """After everything was made anew: remove what was not."""
    if making.whole:
        there = {key for key in making.run.store.keys(layout.CATALOGUE) if not key.startswith(layout.CONSOLIDATED)}
        making.ledger.remove(there - making.produced)
        making.ledger.drop_unwritten(("shelves", "bodies", "groups"))
    else:
        making.ledger.remove(making.before.pages.keys() - pages.keys())
