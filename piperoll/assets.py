"""Our data folders, found in a checkout or in the installed wheel.

In a checkout `datapackages/`, `expectations/`, `findings/`, `catalogue/` and `docs/` are beside the package; a wheel
holds them under `piperoll/data/`.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from piperoll.errors import DescriptorError, UnknownDataset
from piperoll.model import Body, Dataset, Heading, Register

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The data folder called `name`: datapackages, expectations, findings or catalogue.

    Raises: DescriptorError: neither the checkout nor the wheel has it.
    """
    for place in (_PACKAGE / "data" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise DescriptorError(f"the data folder {name}/ is missing from this installation: install Piperoll again")


@cache
def dataset_names() -> tuple[str, ...]:
    """Every dataset that has a descriptor, in alphabetical order; `bodies` is the register and no dataset."""
    found = (path.parent.name for path in folder("datapackages").glob("*/datapackage.json"))
    return tuple(sorted(name for name in found if name != "bodies"))


@cache
def dataset(name: str) -> Dataset:
    """The dataset called `name`.

    Raises: UnknownDataset: there is no such folder; the message lists those that there are.
    """
    if name not in dataset_names():
        raise UnknownDataset(f"there is no dataset '{name}': those known are {', '.join(dataset_names())}")
    place = folder("datapackages") / name
    descriptor = json.loads((place / "datapackage.json").read_text("utf-8"))
    with (place / "headings.csv").open(encoding="utf-8", newline="") as stream:
        headings = [Heading(row["heading"], row["field"], row["part"] or None) for row in csv.DictReader(stream)]
    return Dataset.from_descriptor(descriptor, headings)


def datasets() -> tuple[Dataset, ...]:
    """Every dataset, in alphabetical order of name."""
    return tuple(dataset(name) for name in dataset_names())


def find_dataset(folder_name: str) -> tuple[Dataset, str | None]:
    """The dataset, and the part of it if any, that an inbox folder's name means: `gpc` is the `card` part of spend.

    Raises: UnknownDataset: no dataset has this name or alias.
    """
    for candidate in datasets():
        if folder_name == candidate.name:
            return candidate, None
        if folder_name in candidate.aliases:
            return candidate, candidate.aliases[folder_name]
    raise UnknownDataset(f"there is no dataset '{folder_name}': those known are {', '.join(dataset_names())}")


def suite(name: str) -> str:
    """The Great Expectations suite of a dataset, as JSON text."""
    return (folder("expectations") / f"{name}.json").read_text("utf-8")


@cache
def shown(name: str) -> Mapping[str, Any]:
    """What the catalogue makes of a dataset's rows: its `charts`, and the field to `search` by (None: by none).

    `posts` says which fields tell of posts (`piperoll.describing.posts`; None: none do). `adds_up` says that pounds of
    different periods may be added: no register repeats in one what it says in another.
    """
    place = folder("datapackages") / name / "catalogue.json"
    if not place.is_file():
        return {"search": None, "posts": None, "adds_up": False, "charts": []}
    declared: dict[str, Any] = {"posts": None, "adds_up": False} | json.loads(place.read_text("utf-8"))
    return declared


@cache
def rules_version(name: str) -> str:
    """Which rules a dataset is checked by: the schema's version and the hash of everything we check it with.

    That is its descriptor, headings and suite, and the privacy lists.
    """
    place = folder("datapackages") / name
    rules = [place / "datapackage.json", place / "headings.csv", folder("expectations") / f"{name}.json"]
    rules += sorted((folder("datapackages") / "privacy").glob("*.csv"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in rules)).hexdigest()
    return f"{dataset(name).version}+{digest[:12]}"


def register() -> Register:
    """The bodies of our own register, datapackages/bodies/bodies.csv."""
    return Register(tuple(read_bodies(folder("datapackages") / "bodies" / "bodies.csv")))


def read_bodies(path: Path) -> list[Body]:
    """The bodies that a file in the form of datapackages/bodies lists; lists within a cell are parted by `|`.

    Raises: DescriptorError: a column is missing or a row is no body.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    try:
        return [
            Body(
                id=row["id"],
                slug=row["slug"],
                name=row["name"],
                kind=row["kind"],
                aliases=_split(row["aliases"]),
                same_as=_split(row["same_as"]),
                contact=row["contact"] or None,
                licence=row["licence"],
            )
            for row in rows
        ]
    except KeyError as error:
        raise DescriptorError(f"{path.name} lacks the column {error}: see datapackages/bodies/README.md") from error


def _split(cell: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in cell.split("|") if piece.strip())
