"""What the pages show that is worked out from a listing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll.describing.media import order
from piperoll.model import FileEntry, Listing, Status, Version


def released_fields(listing: Listing) -> Sequence[Mapping[str, Any]]:
    """The fields of the current version, as its own datapackage.json gives them."""
    if listing.descriptor is None:
        return ()
    fields: Sequence[Mapping[str, Any]] = listing.descriptor["resources"][0]["schema"]["fields"]
    return fields


@dataclass(frozen=True, slots=True)
class Preview:
    """The head of a table for people: what the body sent first, then what we made.

    Left out are the columns that are empty in it, and those that we can make (the body, the period) and that say the
    same in every row. `figures` are the columns of numbers.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int
    figures: frozenset[str]


def preview(listing: Listing) -> Preview:
    """The first rows of the current version."""
    names, *rows = listing.first_rows or ((),)
    fields = {field["name"]: field for field in released_fields(listing)}
    made = [fields[name]["x_origin"] == "derived" for name in names]
    kept = [
        place
        for place in range(len(names))
        if _says_something({row[place] for row in rows}, "x_derive" in fields[names[place]], len(rows))
    ]
    kept.sort(key=lambda place: made[place])
    return Preview(
        names=tuple(names[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in rows),
        left_out=len(names) - len(kept),
        figures=frozenset(name for name in names if fields[name]["type"] in ("number", "integer")),
    )


def _says_something(cells: set[str], makeable: bool, rows: int) -> bool:
    return cells not in (set(), {""}) and not (makeable and rows > 1 and len(cells) == 1)


def downloads(listing: Listing) -> list[FileEntry]:
    """The files of the current version, the table itself first."""
    entries = () if listing.manifest is None else listing.manifest.files
    return sorted(entries, key=lambda entry: (order(entry.path), entry.path))


def files_of(listing: Listing, version: Version) -> tuple[str, ...]:
    """The names of the files of a version; those of an earlier one are known from the layout."""
    if listing.manifest is not None and version.version == listing.history.current:
        return (*(entry.path for entry in listing.manifest.files), "manifest.json")
    name = listing.series.dataset
    return (f"{name}.csv", f"{name}.parquet", "datapackage.json", "report.json", "manifest.json")


def is_served(version: Version) -> bool:
    """Whether the files of a version may be linked to: those withdrawn or purged may not."""
    return version.status in (Status.CURRENT, Status.SUPERSEDED)
