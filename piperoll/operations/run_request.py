"""What a run is asked to do, and the room that it does it in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from piperoll import assets
from piperoll.errors import UsageError
from piperoll.model import Body, Period, Register
from piperoll.operations.run_summary import Watcher
from piperoll.operations.steps import Run
from piperoll.settings import Settings
from publishers import Store, open_store


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked to do: from where (an inbox or a sources file), to which store, for which period.

    `bodies` is an operator's own list of bodies: they are expected to send, and our register only recognises who does.
    The rest is what a caller in the same process adds: settings, and who is told of each file.

    Raises: UsageError: neither or both of `inbox` and `sources` are given.
    """

    to: str
    inbox: Path | None = None
    sources: Path | None = None
    period: Period | None = None
    bodies: Path | None = None
    settings: Settings = field(default_factory=Settings.from_environment)
    watcher: Watcher | None = None

    def __post_init__(self) -> None:
        if (self.inbox is None) == (self.sources is None):
            raise UsageError("say where the files come from: an inbox folder, or a sources file, and not both")

    def as_text(self) -> dict[str, Any]:
        """The flow's parameters, which are only text: `asked` reads them back."""
        given = {"inbox": self.inbox, "sources": self.sources, "period": self.period, "bodies": self.bodies}
        return {"to": self.to} | {name: None if value is None else str(value) for name, value in given.items()}


def asked(
    to: str,
    inbox: str | Path | None = None,
    sources: str | Path | None = None,
    period: str | None = None,
    bodies: str | Path | None = None,
) -> Asked:
    """What is asked, from text. Raises: UsageError: as for Asked. PeriodError: the period is none."""
    return Asked(
        to=to,
        inbox=Path(inbox) if inbox else None,
        sources=Path(sources) if sources else None,
        period=Period.parse(period) if period else None,
        bodies=Path(bodies) if bodies else None,
    )


@contextmanager
def opened(order: Asked) -> Iterator[Run]:
    """A run as asked for, with a scratch folder that lasts as long as this."""
    with room(open_store(order.to), order.bodies, order.settings, now(), order.watcher) as run:
        yield run


@contextmanager
def room(
    store: Store, bodies: Path | None, settings: Settings, moment: str, watcher: Watcher | None = None
) -> Iterator[Run]:
    """A run into `store` at a moment (ISO 8601, UTC), with a scratch folder that lasts as long as this."""
    with tempfile.TemporaryDirectory(prefix="piperoll-") as scratch:
        yield Run(store, settings, register(bodies), expected(bodies), moment, Path(scratch), watcher)


def now() -> str:
    """This moment, ISO 8601 in UTC, so fine that no two runs share one: it tells apart what came in which run."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def register(bodies: Path | None) -> Register:
    """Who is recognised: our register, and the operator's own bodies, which stand in for ours of the same slug."""
    ours = assets.register()
    return ours.with_bodies(_read(bodies)) if bodies else ours


def expected(bodies: Path | None) -> Register:
    """Who is expected to send: the operator's own bodies where there is a file of them, else our register."""
    return Register(tuple(_read(bodies))) if bodies else assets.register()


def with_senders(asked_of: Register, known: Register, senders: Iterable[str]) -> Register:
    """The bodies that are asked of, and every sender (a slug) beside them, as `known` has it."""
    there = {body.slug for body in asked_of}
    return asked_of.with_bodies(known.find(slug) for slug in sorted({*senders} - there))


def _read(bodies: Path) -> list[Body]:
    """The operator's bodies. Raises: UsageError: there is no such file, or it cannot be read."""
    try:
        return assets.read_bodies(bodies)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{bodies} cannot be read as a list of bodies: {error}") from error
