"""The pages of the consolidated files: all bodies of a dataset and financial year, to compare and to build on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from piperoll import layout
from piperoll.describing import pages
from piperoll.describing.lists import paged
from piperoll.describing.overview import Overview
from piperoll.model import Dataset


@dataclass(frozen=True, slots=True)
class PartLine:
    """The rows and pounds of one part that count in a year; None: the dataset has no amount."""

    part: str | None
    rows: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One body in a year: its parts, and its files by kind with path, size in bytes and sha256."""

    slug: str
    name: str
    parts: tuple[PartLine, ...]
    files: Mapping[str, Mapping[str, Any]]


def of_year(overview: Overview, name: str, year: str, bodies: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The pages of a dataset and year, from what the pointer says of each body."""
    dataset = _dataset(overview, name)
    names = {line.body.slug: line.body.name for line in overview.lines}
    lines = [_compared(slug, names.get(slug, slug), entry) for slug, entry in bodies.items()]
    first = layout.comparison_page(name, year)
    for page in paged(sorted(lines, key=lambda line: line.name), layout.list_page(first, "bodies")):
        yield pages.render(overview, page.key, "compared.html", dataset=dataset, year=year, page=page)


def of_years(overview: Overview, years: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """The page that leads to them, with how to ask all of them at once."""
    there = [(_dataset(overview, name), list(reversed(found))) for name, found in years.items() if found]
    yield pages.render(overview, layout.COMPARE, "compare.html", years=there, base_url=overview.world.base_url)


def compares(key: str, years: Sequence[tuple[str, str]]) -> bool:
    """Whether a key is that of a page of one of these datasets and years."""
    stems = (layout.comparison_page(name, year).removesuffix(".html") for name, year in years)
    return any(key in (f"{stem}.html",) or key.startswith(f"{stem}/") for stem in stems)


def _dataset(overview: Overview, name: str) -> Dataset:
    return next(dataset for dataset in overview.datasets if dataset.name == name)


def _compared(slug: str, name: str, entry: Mapping[str, Any]) -> Compared:
    parts = tuple(_part(part) for part in entry["counted"])
    return Compared(slug, name, parts, {kind: entry[kind] for kind in ("csv", "parquet", "json")})


def _part(told: Mapping[str, Any]) -> PartLine:
    amount = told["amount_gbp"]
    return PartLine(told["part"], told["rows"], None if amount is None else Decimal(amount))
