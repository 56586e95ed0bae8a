"""Groups: what bodies contribute to shared pages, kept by group, so that only groups with a change are built again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from piperoll.describing import catalogue
from piperoll.operations.catalogue.build_plan import CatalogueBuild, PageHashes
from piperoll.operations.catalogue.jobs import BuildJobs, Spilled, spill

_DIGESTS = "digests"
"""The document with a digest of each group of contributions."""

Changes = dict[str, dict[str, Spilled | None]]
"""New contributions by group and member; None: the member no longer contributes."""


@dataclass(frozen=True)
class Group:
    """The contributions of all members to one group of shared pages, and the hashes of those pages.

    Members are bodies, by slug. In the search index, groups of suppliers are members too (`@` and their letters).
    """

    members: dict[str, Any] = field(default_factory=dict)
    pages: PageHashes = field(default_factory=dict)


@dataclass(frozen=True)
class UpdatedGroup:
    """The digest of a group (None: it has no members any more), and the changes that it makes to other groups."""

    digest: Any
    changes: Changes


def update_groups(
    build: CatalogueBuild, jobs: BuildJobs, contributions: Mapping[str, Mapping[str, Spilled | None]]
) -> dict[str, Any]:
    """Put changed `contributions`, by body and group, into their groups, and write the pages of those groups.

    Returns: the digest of every group.
    """
    changes: Changes = {}
    for slug, groups in contributions.items():
        for name, contribution in groups.items():
            changes.setdefault(name, {})[slug] = contribution
    build.begin(contributions, changes)
    before = {} if build.whole else build.state.read(_DIGESTS, dict[str, Any]) or {}
    digests = dict(before)
    suppliers = sorted(name for name in changes if name.startswith(catalogue.SUPPLIERS))
    own = [(name, changes.pop(name)) for name in suppliers]
    for name, updated in zip(suppliers, jobs.map(_update_group, own), strict=True):
        digests[name] = updated.digest
        for group, part in updated.changes.items():
            changes.setdefault(group, {}).update(part)
    build.begin(contributions, [*changes, *suppliers])
    for name, updated in zip(sorted(changes), jobs.map(_update_group, sorted(changes.items())), strict=True):
        digests[name] = updated.digest
    digests = {name: digests[name] for name in sorted(digests) if digests[name] is not None}
    if digests != before:
        build.state.write(_DIGESTS, digests)
    return digests


def _update_group(build: CatalogueBuild, task: tuple[str, Mapping[str, Spilled | None]]) -> UpdatedGroup:
    """Update one group and write its pages."""
    name, contributions = task
    changes = {member: None if one is None else one.load() for member, one in contributions.items()}
    kept = (None if build.whole else build.state.read(f"groups/{name}", Group)) or Group()
    after = {**kept.members, **changes}
    members = {member: after[member] for member in sorted(after) if after[member] is not None}
    pages = _write_pages(build, name, members, kept)
    present = set(kept.pages)
    if not build.is_clean:
        for prefix in catalogue.group_prefixes(name):
            present |= set(build.store.keys(prefix))
    build.state.remove(present - pages.keys())
    if members:
        build.state.write(f"groups/{name}", Group(members, pages))
    else:
        build.state.drop(f"groups/{name}")
    digest = catalogue.digest_group(name, members) if members else None
    is_searched = name.startswith(catalogue.SUPPLIERS)
    return UpdatedGroup(digest, _search_changes(build, name, kept.members, members) if is_searched else {})


def _write_pages(build: CatalogueBuild, name: str, members: dict[str, Any], kept: Group) -> PageHashes:
    """Write the pages of a group that differ; return the hashes of all."""
    if not members:
        return {}
    certain = build.is_clean and not build.whole
    unchanged: set[str] = set()

    def rendered() -> Iterator[tuple[str, bytes]]:
        for key, content in catalogue.render_group(build.context, name, members, kept.members if certain else None):
            if content is None:
                unchanged.add(key)
            else:
                yield key, content

    pages = build.publish(rendered(), build.trusted(kept.pages))
    return pages | {key: kept.pages[key] for key in sorted(unchanged)}


def _search_changes(build: CatalogueBuild, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What a group of suppliers changes in the search index: the pages of its suppliers."""
    member, parts = catalogue.list_supplier_search(name, after)
    _, known = catalogue.list_supplier_search(name, before)
    certain = build.is_clean and not build.whole
    changed = {group: part for group, part in parts.items() if not certain or known.get(group) != part}
    gone = known.keys() - parts.keys()
    if not certain:
        gone |= {group for group in build.suspect.groups if group.startswith(catalogue.SEARCH)} - parts.keys()
    changes: Changes = {group: {member: part} for group, part in spill(build, changed).items()}
    return changes | {group: {member: None} for group in gone}
