"""What a store holds: objects and bytes by kind, month and body, from a listing alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from piperoll import layout
from publishers.stores.protocol import Store


@dataclass(slots=True)
class Amount:
    """A number of objects and their bytes."""

    objects: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count one more object."""
        self.objects += 1
        self.bytes += size


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store holds: in all, by prefix, by kind within each prefix, by month of writing, and by body.

    Objects of no single body are in no entry of `bodies`; received bytes are of the first body that sent them.
    """

    total: Amount = field(default_factory=Amount)
    prefixes: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    kinds: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    months: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    bodies: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))


def measure_usage(store: Store) -> Usage:
    """List every key once and add up; nothing is read. Old versions that a bucket keeps are not counted."""
    usage, received, senders = Usage(), Counter[str](), dict[str, str]()
    for key, about in store.list_objects(""):
        usage.total.add(about.size)
        usage.prefixes[f"{key.split('/', 1)[0]}/"].add(about.size)
        usage.kinds[_kind_of(key)].add(about.size)
        usage.months[datetime.fromtimestamp(about.modified, UTC).strftime("%Y-%m")].add(about.size)
        if digest := layout.parse_received_bytes(key):
            received[digest] = about.size
        elif body := layout.body_of(key):
            usage.bodies[body].add(about.size)
            if key.startswith(layout.senders()):
                senders.setdefault(layout.parse_sender_link(key)[0], body)
    for digest, size in received.items():
        if digest in senders:
            usage.bodies[senders[digest]].add(size)
    grouped = (dict(one) for one in (usage.prefixes, usage.kinds, usage.months, usage.bodies))
    return Usage(usage.total, *grouped)


def _kind_of(key: str) -> str:
    """The prefix and the kind of file: `data/ csv`, `catalogue/consolidated/ parquet`, `archive/ as received`."""
    prefix = layout.CONSOLIDATED if key.startswith(layout.CONSOLIDATED) else f"{key.split('/', 1)[0]}/"
    return f"{prefix} {PurePosixPath(key).suffix.lstrip('.') or 'as received'}"
