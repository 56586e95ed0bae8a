"""What is known of each body, from the records of the last catalogue build: no scan of the store.

What bodies sent is in an index that a build leaves behind and an upgrade does not end
(`piperoll.operations.catalogue.received_index`); a log names what changed since. Reading one body is one object,
however many files it has sent. The histories of its releases are read only if something asks for them: from what the
build kept of the body, or, if other code or other settings made that, from the pointers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from piperoll import assets
from piperoll.describing.context import CatalogueContext
from piperoll.describing.series_facts import SeriesFacts
from piperoll.duties import ReceivedFiles, find_first_starts, merge_first_starts
from piperoll.errors import StoreCorrupt
from piperoll.model import Body, Register, Series
from piperoll.operations.catalogue.body_cache import load_cache
from piperoll.operations.catalogue.build_plan import (
    BODIES,
    BuildState,
    find_suspects,
    hash_builder,
    parse_days,
)
from piperoll.operations.catalogue.received_index import INDEX_FORMAT, ReceivedIndex
from piperoll.operations.run_request import expected_bodies, known_bodies
from piperoll.settings import Settings
from publishers import Store, group_statements, list_series, open_store, read_changes, read_history

_MOST_KEPT = 50
"""Bodies that an index keeps in memory: one of five years with four datasets takes about 1 MB."""


@dataclass(frozen=True, slots=True)
class NamedBody:
    """The part of a body's digest that says what it is called."""

    body: Body


@dataclass(frozen=True, slots=True)
class BodySummary:
    """What the last build recorded of a body (`BodyRecord`), without what other code may record otherwise."""

    digest: NamedBody
    datasets: tuple[str, ...]
    sent: bool
    sender: Mapping[str, str] | None
    first: Mapping[str, str]


class BodyIndex:
    """A body, every file that it sent with the outcome of its report, and the history of each of its series."""

    def __init__(
        self, body: Body, received: ReceivedFiles, read_series: Callable[[], Mapping[Series, SeriesFacts]]
    ) -> None:
        self.body, self.received = body, received
        self._read_series = read_series

    @cached_property
    def series(self) -> Mapping[Series, SeriesFacts]:
        """The history of each series; nothing else of what a build would take from it. Read at the first use."""
        return self._read_series()


class StoreIndex:
    """The index of a store on a day, as it was when it was opened: open another when something has changed."""

    def __init__(self, store: Store, context: CatalogueContext) -> None:
        self.store, self.context = store, context
        self._bodies: dict[str, BodyIndex] = {}
        # The log is read before anything that a build writes, because a build clears it at the end.
        self._changes = read_changes(store)
        self._state = BuildState(store)
        self._last = self._state.last_build()
        self.is_complete = self._last.number > 0 and self._last.received == INDEX_FORMAT
        self._received = ReceivedIndex(store, self._changes, is_complete=self.is_complete)
        self._summaries = read_summaries(store) if self.is_complete else {}

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        """The bodies that are expected to send or have sent something, in order."""
        listed = {body.slug for body in self.context.expected}
        return tuple(sorted(listed | self._summaries.keys() | self._received.list_bodies() | self._changes.bodies))

    @cached_property
    def first_starts(self) -> dict[str, date]:
        """For each dataset, the start of the earliest period of which any body sent a file."""
        kept = [parse_days(one.first) for slug, one in self._summaries.items() if slug not in self._changes.bodies]
        anew = [slug for slug in self.slugs if slug not in self._summaries or slug in self._changes.bodies]
        changed = [find_first_starts(received) for _, received in self._received.read_all(anew)]
        return merge_first_starts([*kept, *changed])

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """The bodies that have sent a file, in order."""
        sent = {slug for slug, one in self._summaries.items() if one.sent} - self._changes.bodies
        unsure = sorted(self._changes.bodies | set(self.slugs) - self._summaries.keys())
        return tuple(sorted(sent | {slug for slug, received in self._received.read_all(unsure) if received}))

    def read(self, slug: str) -> BodyIndex:
        """What is known of a body; a body that nobody has heard of has sent nothing."""
        if (known := self._bodies.get(slug)) is not None:
            return known
        if len(self._bodies) >= _MOST_KEPT:
            self._bodies.clear()
        self._bodies[slug] = read = self._index(slug, self._received.read(slug))
        return read

    def read_all(self, slugs: Iterable[str]) -> Iterator[BodyIndex]:
        """What is known of each body, in order; nothing of it is kept in memory."""
        for slug, received in self._received.read_all(slugs):
            yield self._index(slug, received)

    def _index(self, slug: str, received: ReceivedFiles) -> BodyIndex:
        summary = self._summaries.get(slug)
        body = self.context.body(slug, sent=bool(received), sender=summary.sender if summary else None)
        return BodyIndex(body, received, lambda: self._read_series(slug))

    @cached_property
    def _suspects(self) -> frozenset[str] | None:
        """The bodies of which what the last build kept may not match the store; None if it may be any."""
        if self._last.made_by != hash_builder(self.context):  # other code may have kept it in another format
            return None
        unfinished = self._state.unfinished_builds().values()
        return find_suspects(self.store, self._last, unfinished, None).bodies

    def _read_series(self, slug: str) -> dict[Series, SeriesFacts]:
        summary = self._summaries.get(slug)
        if summary is None or self._suspects is None or slug in self._suspects:
            names = [dataset.name for dataset in self.context.datasets]
            return self._read_facts(one for name in names for one in list_series(self.store, name, slug))
        facts = {one.series: one for one in load_cache(self._state, slug, summary.datasets).facts}
        return facts | self._read_facts(one for one in self._changes.series if one.body == slug)

    def _read_facts(self, series: Iterable[Series]) -> dict[Series, SeriesFacts]:
        read = {one: read_history(self.store, one)[0] for one in series}
        return {one: SeriesFacts(history, None) for one, history in read.items() if history.versions}


def open_index(
    to: str | Store, on: date, *, bodies: Path | None = None, settings: Settings | None = None
) -> StoreIndex:
    """Open the index of a store on a day; `bodies` is the operator's own list of bodies.

    Raises: UsageError: `bodies` cannot be read.
    """
    settings = settings or Settings.from_environment()
    store = open_store(to) if isinstance(to, str) else to
    expected = expected_bodies(bodies) if bodies else recorded_bodies(store)
    context = CatalogueContext(
        assets.datasets(),
        settings.base_url,
        settings.publisher_name,
        on,
        expected,
        known_bodies(bodies),
        settings.api_url,
        group_statements(store),
    )
    return StoreIndex(store, context)


def recorded_bodies(store: Store) -> Register:
    """The bodies of the catalogue, as its last build knew them; none if there is no catalogue that we can read."""
    return Register(tuple(summary.digest.body for summary in read_summaries(store).values()))


def read_summaries(store: Store) -> dict[str, BodySummary]:
    """What the last build recorded of each body, by slug; empty if there is no record that we can read."""
    try:
        return BuildState(store).read(BODIES, dict[str, BodySummary]) or {}
    except StoreCorrupt:  # written by another version
        return {}
