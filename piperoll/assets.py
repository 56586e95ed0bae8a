"""The data folders: datasets, expectations, findings, measures and the catalogue's templates, in a checkout or a wheel.

In a checkout `datapackages/`, `expectations/`, `findings/`, `measures/`, `catalogue/` and `docs/` are beside the
package; a wheel holds them under `piperoll/data/`. The setting `data` (PIPEROLL_DATA) lists further folders
(separated like PATH), each with a `datapackages/`, an `expectations/` or a `measures/` of its own, so that datasets and
measures can be added without changing Piperoll.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from piperoll.errors import DescriptorError, UnknownDataset
from piperoll.model import Body, Dataset, Heading, Register
from piperoll.settings import find_data_folders

_PACKAGE = Path(__file__).parent

PLATFORM_FIELDS = "platform_fields.json"
"""The file in datapackages/ that declares the fields which Piperoll adds to datasets."""

KIND_WORDS = "bodies/kinds.csv"
"""The file in datapackages/ with the words in a body's name that show its kind."""


def folder(name: str) -> Path:
    """Return the data folder called `name`: datapackages, expectations, findings, measures or catalogue.

    Raises: DescriptorError: neither the checkout nor the wheel has it.
    """
    for parent in (_PACKAGE / "data", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise DescriptorError(f"the data folder {name}/ is missing from this installation: install Piperoll again")


@cache
def _dataset_folders() -> Mapping[str, Path]:
    """The folder of each dataset by name, in alphabetical order; a further data folder cannot replace a dataset."""
    found: dict[str, Path] = {}
    for root in (folder("datapackages").parent, *find_data_folders()):
        for path in (root / "datapackages").glob("*/headings.csv"):  # the other folders are registers and word lists
            found.setdefault(path.parent.name, path.parent)
    return dict(sorted(found.items()))


def dataset_names() -> tuple[str, ...]:
    """Return the name of every dataset, in alphabetical order."""
    return tuple(_dataset_folders())


def forget_datasets() -> None:
    """Read PIPEROLL_DATA and the files of the datasets again when they are next asked for; for tests."""
    for cached in (_dataset_folders, dataset, expectation_codes, shown, rules_version):
        cached.cache_clear()


def _dataset_folder(name: str) -> Path:
    if name not in _dataset_folders():
        raise UnknownDataset(f"there is no dataset '{name}': the datasets are {', '.join(dataset_names())}")
    return _dataset_folders()[name]


def _suite_path(name: str) -> Path:
    return _dataset_folder(name).parent.parent / "expectations" / f"{name}.json"


@cache
def dataset(name: str) -> Dataset:
    """Read the dataset called `name` from its folder.

    Raises:
        UnknownDataset: there is no such folder; the message lists the datasets.
        DescriptorError: a file is incomplete or names a field that the dataset lacks.
    """
    files = _dataset_folder(name)
    descriptor = _complete_platform_fields(_read_json(files / "datapackage.json"))
    with (files / "headings.csv").open(encoding="utf-8", newline="") as stream:
        headings = [Heading(row["heading"], row["field"], row["part"] or None) for row in csv.DictReader(stream)]
    return Dataset.from_descriptor(descriptor, headings, _read_json(files / "reading.json"))


def _complete_platform_fields(descriptor: dict[str, Any]) -> dict[str, Any]:
    """Complete the fields that platform_fields.json declares; the dataset's own properties take precedence.

    Raises: DescriptorError: the dataset does not list a field that every dataset must have.
    """
    declared = _read_json(folder("datapackages") / PLATFORM_FIELDS)
    platform = {field["name"]: field for field in declared["fields"]}
    try:
        schema = descriptor["resources"][0]["schema"]
        schema["fields"] = [platform.get(field["name"], {}) | field for field in schema["fields"]]
    except (KeyError, IndexError) as error:
        raise DescriptorError(f"dataset {descriptor.get('name', '?')}: the descriptor lacks {error}") from error
    if missing := sorted(set(declared["required"]) - {field["name"] for field in schema["fields"]}):
        raise DescriptorError(f"dataset {descriptor.get('name', '?')} lacks platform fields: {', '.join(missing)}")
    return descriptor


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DescriptorError(f"the dataset {path.parent.name} needs a {path.name}: {error}") from error
    return document


def datasets() -> tuple[Dataset, ...]:
    """Return every dataset, in alphabetical order of name."""
    return tuple(dataset(name) for name in dataset_names())


def find_dataset(folder_name: str) -> tuple[Dataset, str | None]:
    """Return the dataset, and its part if any, that the name of an inbox folder means: `gpc` is spend's part `card`.

    Raises: UnknownDataset: no dataset has this name or alias.
    """
    for candidate in datasets():
        if folder_name == candidate.name:
            return candidate, None
        if folder_name in candidate.aliases:
            return candidate, candidate.aliases[folder_name]
    raise UnknownDataset(f"there is no dataset '{folder_name}': the datasets are {', '.join(dataset_names())}")


@cache
def return_reasons() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Why a return is not sent, by kind (`late`, `exempt`): code, text, and for exemptions the clause and the kinds."""
    listed: dict[str, list[dict[str, Any]]] = json.loads((folder("datapackages") / "returns.json").read_bytes())
    return listed


def suite(name: str) -> str:
    """Return the Great Expectations suite of a dataset, as JSON text."""
    return _suite_path(name).read_text("utf-8")


@cache
def expectation_codes() -> frozenset[str]:
    """The codes of the findings that the suites of all datasets declare; `findings/` declares all others."""
    suites = [json.loads(suite(name)) for name in dataset_names()]
    return frozenset(expectation["meta"]["code"] for each in suites for expectation in each["expectations"])


@cache
def shown(name: str) -> Mapping[str, Any]:
    """Read catalogue.json: what the catalogue shows of a dataset's rows.

    `charts` are its charts, `first` the fields that a table of rows shows first, `search` the field to search by (None:
    no search), `posts` the fields that describe posts (None: none do), `contract` those that describe a contract (None:
    none do). `adds_up` is true if amounts of different periods may be added: no file repeats what another said. All
    keys have defaults, and the file may be missing.
    """
    defaults: dict[str, Any] = {
        "search": None, "posts": None, "contract": None, "adds_up": False, "charts": [], "first": [],
    }  # fmt: skip
    path = _dataset_folder(name) / "catalogue.json"
    declared: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return defaults | declared


@cache
def rules_version(name: str) -> str:
    """Identify the rules that a dataset is checked by: the schema's version, and a hash of every file with rules.

    Those are its descriptor, headings, reading rules and suite, the platform fields, the words that show the kind of a
    body, and the privacy lists and model.
    """
    files, shared = _dataset_folder(name), folder("datapackages")
    rules = [files / "datapackage.json", files / "headings.csv", files / "reading.json", _suite_path(name)]
    rules += [shared / PLATFORM_FIELDS, shared / KIND_WORDS, *sorted((shared / "privacy").glob("*.csv"))]
    rules.append(shared / "privacy" / "name-model.bin")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in rules)).hexdigest()
    return f"{dataset(name).version}+{digest[:12]}"


@cache
def register() -> Register:
    """Read the register of bodies, datapackages/bodies/bodies.csv."""
    return Register(tuple(read_bodies(folder("datapackages") / "bodies" / "bodies.csv")))


def read_bodies(path: Path) -> list[Body]:
    """Read a file of bodies in the format of datapackages/bodies; values within a cell are separated by `|`.

    The columns `valid_from`, `valid_to` and `successor` may be missing.
    Raises: DescriptorError: another column is missing, or a value is wrong.
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
                valid_from=_day(row.get("valid_from")),
                valid_to=_day(row.get("valid_to")),
                successor=_split(row.get("successor") or ""),
                short_name=row.get("short_name") or None,
                former_names=_split(row.get("former_names") or ""),
                region=row.get("region") or None,
                area_code=row.get("area_code") or None,
                expected=(row.get("expected") or "yes").strip().lower() != "no",
                population=_count(row.get("population")),
            )
            for row in rows
        ]
    except KeyError as error:
        raise DescriptorError(f"{path.name} lacks the column {error}: see datapackages/bodies/README.md") from error


def _count(cell: str | None) -> int | None:
    try:
        return int(cell.replace(",", "")) if cell and cell.strip() else None
    except ValueError as error:
        raise DescriptorError(f"'{cell}' is not a number of people") from error


def _day(cell: str | None) -> date | None:
    try:
        return date.fromisoformat(cell.strip()) if cell and cell.strip() else None
    except ValueError as error:
        raise DescriptorError(f"'{cell}' is not a day: write it as YYYY-MM-DD") from error


@cache
def kind_words() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Read datapackages/bodies/kinds.csv: the kind of body that words in a name show, the first match first."""
    with (folder("datapackages") / KIND_WORDS).open(encoding="utf-8", newline="") as stream:
        return tuple((row["kind"], re.compile(row["pattern"], re.IGNORECASE)) for row in csv.DictReader(stream))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in cell.split("|") if piece.strip())
