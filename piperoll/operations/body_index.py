"""What is known of each body, from the records of the last catalogue build: no scan of the store.

A build keeps what it read of every submission and series (`piperoll.operations.catalogue.body_cache`), and a log names
what changed since. Reading one body is a few objects, however many files it has sent; reading all bodies is a few
objects for each. If there is no such record, or another version of the code wrote it, the body's own files are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from piperoll import assets
from piperoll.describing.context import CatalogueContext, identify_body
from piperoll.describing.series_facts import SeriesFacts
from piperoll.duties import ReceivedFiles, find_first_starts, merge_first_starts, summarise_received
from piperoll.errors import StoreCorrupt
from piperoll.model import Body, Register, Series
from piperoll.operations.catalogue.body_cache import load_body
from piperoll.operations.catalogue.build_plan import (
    BODIES,
    BodyRecord,
    BuildState,
    CatalogueBuild,
    parse_days,
    plan_build,
)
from piperoll.operations.run_request import expected_bodies, known_bodies
from piperoll.settings import Settings
from publishers import Store, group_statements, list_series, list_submissions, open_store, read_history, read_submission

_MOST_KEPT = 50
"""Bodies that an index keeps in memory: one of five years with four datasets takes about 1 MB."""


@dataclass(frozen=True)
class BodyIndex:
    """A body, every file that it sent with the outcome of its report, and the history of each of its series."""

    body: Body
    received: ReceivedFiles
    series: Mapping[Series, SeriesFacts]


class StoreIndex:
    """The index of a store on a day, as it was when it was opened: open another when something has changed."""

    def __init__(self, store: Store, context: CatalogueContext) -> None:
        self.store, self.context = store, context
        self._bodies: dict[str, BodyIndex] = {}
        with TemporaryDirectory(prefix="piperoll-") as scratch:
            self._build: CatalogueBuild = plan_build(store, context, Path(scratch), None)

    @cached_property
    def is_current(self) -> bool:
        """Whether the last build left records that this code can read."""
        return self._build.last.made_by == self._build.made_by and self._build.suspect.bodies is not None

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        """The bodies that are expected to send or have sent something, in order."""
        listed = {body.slug for body in self.context.expected}
        if self.is_current:
            return tuple(sorted(listed | self._build.records.keys() | self._build.changes.bodies))
        return tuple(sorted(listed | set(self._build.anew)))

    @cached_property
    def first_starts(self) -> dict[str, date]:
        """For each dataset, the start of the earliest period of which any body sent a file."""
        if not self.is_current:
            return find_first_starts([file for slug in self.slugs for file in self.read(slug).received])
        kept = [parse_days(record.first) for record in self._build.records.values()]
        changed = [find_first_starts(self.read(slug).received) for slug in sorted(self._build.changes.bodies)]
        return merge_first_starts([*kept, *changed])

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """The bodies that have sent a file, in order."""
        records = self._build.records if self.is_current else {}
        unsure = set(self.slugs) - records.keys() | self._build.changes.bodies
        sent = {slug for slug, record in records.items() if record.sent} - unsure
        return tuple(sorted(sent | {slug for slug in unsure if self.read(slug).received}))

    def read(self, slug: str) -> BodyIndex:
        """What is known of a body; a body that nobody has heard of has sent nothing."""
        if (known := self._bodies.get(slug)) is not None:
            return known
        if len(self._bodies) >= _MOST_KEPT:
            self._bodies.clear()
        self._bodies[slug] = read = self._read(slug)
        return read

    def _read(self, slug: str) -> BodyIndex:
        received, series = self._read_kept(slug) if self._is_kept(slug) else self._read_all(slug)
        record = self._build.records.get(slug)
        if record is None or slug in self._build.anew:
            body = identify_body(self.context, slug, series.values(), sent=bool(received))
        else:
            body = record.digest.body
        return BodyIndex(body, received, series)

    def _is_kept(self, slug: str) -> bool:
        return self.is_current and not self._build.is_suspect(slug)

    def _read_all(self, slug: str) -> tuple[ReceivedFiles, Mapping[Series, SeriesFacts]]:
        names = [dataset.name for dataset in self.context.datasets]
        series = [one for name in names for one in list_series(self.store, name, slug)]
        return summarise_received(list_submissions(self.store, slug)), self._read_facts(series)

    def _read_kept(self, slug: str) -> tuple[ReceivedFiles, Mapping[Series, SeriesFacts]]:
        cache, changes = load_body(self._build, slug), self._build.changes
        files = {(one.dataset, one.sha256): (one, outcome) for one, outcome in cache.received}
        for dataset, _, sha256 in (file for file in changes.files if file[1] == slug):
            files.pop((dataset, sha256), None)
            if found := read_submission(self.store, dataset, slug, sha256):
                ((submission, outcome),) = summarise_received([found])
                files[dataset, sha256] = submission, outcome
        facts = {one.series: one for one in cache.facts}
        return list(files.values()), facts | self._read_facts(one for one in changes.series if one.body == slug)

    def _read_facts(self, series: Iterable[Series]) -> dict[Series, SeriesFacts]:
        """The histories of series; nothing else of what a build would take from them."""
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
    try:
        records = BuildState(store).read(BODIES, dict[str, BodyRecord]) or {}
    except StoreCorrupt:  # written by another version
        return Register(())
    return Register(tuple(record.digest.body for record in records.values()))
