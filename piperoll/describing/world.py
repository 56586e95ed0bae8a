"""What every page of a catalogue shares: the datasets, where it is served, who signs it, and the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from piperoll.errors import UnknownDataset
from piperoll.model import Body, Dataset, Register


@dataclass(frozen=True)
class World:
    """The datasets by name, the address (ending in a slash) that the store is served under, who signs, and the day.

    `expected` are the bodies that returns are expected of, `known` those that are recognised when they send.
    """

    datasets: tuple[Dataset, ...]
    base_url: str
    publisher_name: str
    on: date
    expected: Register
    known: Register
    _datasets: Mapping[str, Dataset] = field(init=False, repr=False, compare=False)
    _expected: Mapping[str, Body] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_datasets", {dataset.name: dataset for dataset in self.datasets})
        object.__setattr__(self, "_expected", {body.slug: body for body in self.expected})

    @classmethod
    def of(
        cls, datasets: Iterable[Dataset], base_url: str, publisher_name: str, on: date, expected: Register,
        known: Register,
    ) -> World:  # fmt: skip
        """The same, its datasets in order of name."""
        return cls(tuple(sorted(datasets, key=lambda one: one.name)), base_url, publisher_name, on, expected, known)

    def dataset(self, name: str) -> Dataset:
        """The dataset called `name`. Raises: UnknownDataset: something is published of one that we do not know."""
        if name not in self._datasets:
            raise UnknownDataset(f"there is no dataset '{name}': those known are {', '.join(sorted(self._datasets))}")
        return self._datasets[name]

    def body(self, slug: str, *, sent: bool, sender: Mapping[str, str] | None) -> Body:
        """The body of a slug: as returns are expected of it; as known, if it sent; else as its release names it."""
        known = self._expected.get(slug) or self.known.find(slug)
        if slug in self._expected or (sent and not known.provisional):
            return known
        if sender is None:
            return Body.provisional_for(slug)
        return Body(id=sender["id"], slug=sender["slug"], name=sender["name"], kind=sender["kind"])
