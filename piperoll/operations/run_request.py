"""What a run is asked to do (`RunRequest`), and what each of its steps works with (`Run`)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from piperoll import assets
from piperoll.errors import UsageError
from piperoll.logs import log_event
from piperoll.model import Body, Period, Register
from piperoll.operations.remote_files import Place, local_copy, parse_place
from piperoll.operations.run_summary import FileResult, Progress, Watcher
from piperoll.scratch import scratch_folder
from piperoll.settings import Settings
from publishers import Seen, Store, begin_store, open_store, view_store

_OLDEST_MOMENT = timedelta(days=7)
"""How far back a given moment may be: a run that is spread over machines can take days, its moment is its beginning."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a run: the bodies whose slugs hash to `number`, counted from 1, of `of` parts.

    All datasets of a body are in the same shard, and the same body is in the same shard in every run.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse text such as `2/8`. Raises: UsageError: it is not a shard."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise UsageError(f"{text!r} is not a shard: give its number and how many there are, as in 2/8")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def keeps(self, body: str) -> bool:
        """Return True if the body with this slug is in the shard."""
        return int.from_bytes(hashlib.sha256(body.encode()).digest()[:8]) % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Where to collect from (an inbox or a sources file), which store to publish to, and for which period.

    An inbox may be in a bucket, and the files may be at s3:// or https://. `bodies` is the operator's own list of
    bodies; they are then the ones expected to send. `watcher` is called after each file. With `shard`, only its bodies
    are collected and processed; `moment` is when the run began of which it is a part. Raises: UsageError: neither or
    both of `inbox` and `sources` are given.
    """

    to: str
    inbox: Place | None = None
    sources: Place | None = None
    period: Period | None = None
    bodies: Place | None = None
    settings: Settings = field(default_factory=Settings.from_environment)
    watcher: Watcher | None = None
    shard: Shard | None = None
    moment: str | None = None

    def __post_init__(self) -> None:
        if (self.inbox is None) == (self.sources is None):
            raise UsageError("give either an inbox folder or a sources file to collect from")
        if isinstance(self.inbox, str) and not self.inbox.startswith("s3://"):
            raise UsageError(f"'{self.inbox}' is not an inbox: give a folder or s3://bucket/prefix")

    def flow_period(self) -> str | None:
        """The period as the parameter of the Prefect flow, which is text. Paths are none: see `flows.places`."""
        return None if self.period is None else str(self.period)

    def open(self) -> AbstractContextManager[Run]:
        """Begin the run; see `open_run`."""
        return open_run(
            self.to,
            bodies=self.bodies,
            settings=self.settings,
            moment=self.moment,
            watcher=self.watcher,
            shard=self.shard,
        )


def parse_request(
    to: str,
    inbox: str | Path | None = None,
    sources: str | Path | None = None,
    period: str | None = None,
    bodies: str | Path | None = None,
    shard: str | None = None,
    moment: str | None = None,
) -> RunRequest:
    """Make a request from text.

    Raises: UsageError: see `RunRequest`, `Shard.parse`; `moment` is no recent time. PeriodError: `period` is not a
    period.
    """
    return RunRequest(
        to=to,
        inbox=parse_place(inbox),
        sources=parse_place(sources),
        period=Period.parse(period) if period else None,
        bodies=parse_place(bodies),
        shard=Shard.parse(shard) if shard else None,
        moment=_parse_moment(moment) if moment else None,
    )


def _parse_moment(text: str) -> str:
    """Check the moment at which a run began. It is recorded as the time of receipt, so it cannot be made up freely."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise UsageError(f"{text!r} is not a moment in UTC, as in 2026-11-01T06:00:00.000000Z") from None
    if not text.endswith("Z") or not timedelta(minutes=-5) < age < _OLDEST_MOMENT:
        raise UsageError(f"{text} is not a moment of the last {_OLDEST_MOMENT.days} days in UTC")
    return text


class ProgressCounter:
    """Counts the finished files of a run and reports each to the watcher; shared by threads."""

    def __init__(self, watcher: Watcher | None) -> None:
        self.watcher, self.total, self.done = watcher, 0, 0
        self._lock = threading.Lock()

    def count(self, result: FileResult) -> FileResult:
        """Count a file as finished; return its result."""
        log_event(
            "file",
            file=result.sha256[:12],
            body=result.body,
            dataset=result.dataset,
            period=result.period,
            ending=str(result.ending),
            reason=result.kind,
            rows=result.rows.read,
            published=result.rows.published,
            held=result.rows.held,
        )
        with self._lock:
            self.done += 1
            if self.watcher:
                self.watcher(Progress(self.done, self.total, result))
        return result


@dataclass(frozen=True)
class Run:
    """What every step of one run works with: small values, so that a task can run in any process that is sent them.

    `to` is the address of the store, `moment` when the run began (ISO 8601, UTC), `scratch` a folder that every worker
    of the run must be able to reach; it is removed when the run ends. The store and the registers are opened from
    these where they are first used. `progress` stays in the process that began the run. With `only`, the run processes
    no other bodies than these, by their slugs.
    """

    to: str
    moment: str
    scratch: Path
    settings: Settings
    bodies: Path | None = None
    progress: ProgressCounter | None = None
    shard: Shard | None = None
    only: frozenset[str] | None = None

    @cached_property
    def store(self) -> Store:
        """The store to publish to. Raises: StoreError: it cannot be opened."""
        return open_store(self.to)

    def for_batch(self, seen: Iterable[Seen] = ()) -> Run:
        """This run with a view of the store for one batch: it reads an object once (`publishers.view_store`)."""
        batch = replace(self)
        batch.__dict__.update(register=self.register, store=view_store(self.store, seen))
        return batch

    @cached_property
    def register(self) -> Register:
        """The bodies that are recognised as senders."""
        return known_bodies(self.bodies)

    @cached_property
    def expected(self) -> Register:
        """The bodies that are expected to send."""
        return expected_bodies(self.bodies)

    def keeps(self, body: str) -> bool:
        """Return True if the run processes this body, given by its slug: all of them, unless the run is a part."""
        return (self.only is None or body in self.only) and (self.shard is None or self.shard.keeps(body))

    @property
    def is_whole(self) -> bool:
        """True if the run processes every body."""
        return self.only is None and self.shard is None

    def count(self, result: FileResult) -> FileResult:
        """Count a file as finished, if anyone is watching; return its result."""
        return self.progress.count(result) if self.progress else result

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"progress": None}


@contextmanager
def open_run(
    to: str,
    *,
    bodies: Place | None = None,
    settings: Settings | None = None,
    moment: str | None = None,
    watcher: Watcher | None = None,
    shard: Shard | None = None,
    only: Iterable[str] | None = None,
) -> Iterator[Run]:
    """Begin a run into the store at `to`; its scratch folder is removed when the block ends.

    `moment` is an ISO 8601 instant in UTC; without it, now. With `only`, it is about these bodies (slugs).
    Raises: UsageError: `bodies` cannot be read.
    """
    settings = settings or Settings.from_environment()
    with scratch_folder("run") as scratch:
        run = Run(
            to=to,
            moment=moment or current_moment(),
            scratch=scratch,
            settings=settings,
            bodies=None if bodies is None else local_copy(bodies, scratch / "given", settings),
            progress=ProgressCounter(watcher),
            shard=shard,
            only=None if only is None else frozenset(only),
        )
        _ = run.register  # a wrong file of bodies or address fails here, not in the middle of the run
        begin_store(run.store)
        yield run


def current_moment() -> str:
    """Now, ISO 8601 in UTC. Microseconds, because files are grouped into runs by the moment they were received at."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def known_bodies(bodies: Path | None) -> Register:
    """The bodies that are recognised: our register, where the operator's own replace ours of the same slug."""
    ours = assets.register()
    return ours.with_bodies(_read_bodies(bodies)) if bodies else ours


def expected_bodies(bodies: Path | None) -> Register:
    """The bodies that are expected to send: the operator's own list if there is one, otherwise those of our register.

    Ours also has bodies that are recognised and not expected.
    """
    return Register(tuple(_read_bodies(bodies))) if bodies else assets.register().expected


def add_senders(expected: Register, known: Register, senders: Iterable[str]) -> Register:
    """The expected bodies and those that have sent something; `senders` are slugs, looked up in `known`."""
    listed = {body.slug for body in expected}
    return expected.with_bodies(known.find(slug) for slug in sorted({*senders} - listed))


def _read_bodies(bodies: Path) -> list[Body]:
    try:
        return assets.read_bodies(bodies)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{bodies} cannot be read as a list of bodies: {error}") from error
