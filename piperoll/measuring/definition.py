"""The definition of a measure: measure.toml, query.sql and tables of its own, in a folder of `measures/`.

A measure is data. Adding a folder adds a measure; docs/measures.md says what each key means.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from piperoll import assets
from piperoll.errors import DescriptorError, UsageError
from piperoll.settings import find_data_folders

UNITS = ("share", "gbp", "gbp-per-transaction", "count", "fte", "years", "days", "ratio")
"""What a figure can be stated in."""

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_VERSION = re.compile(r"\d+\.\d+\.\d+\Z", re.ASCII)
_TEXTS = ("id", "version", "title", "question", "summary", "method", "perimeter", "owner")
_FORBIDDEN = re.compile(r"\b(now|current_date|current_timestamp|today|random|uuid|get_current_time\w*)\s*\(", re.I)
"""Functions whose result differs from run to run."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that the query of a measure returns; the measure's page shows those with `headline` first.

    Only a figure whose `high_is` is good or bad gets rank bands. With `peers_by_item`, bodies are compared item by item
    too, and not only in the figure as a whole.
    """

    id: str
    title: str
    unit: str
    headline: bool = False
    high_is: str = "unstated"
    peers_by_item: bool = False

    @property
    def places(self) -> int:
        """Decimal places of its values: shares and ratios have six, all others two."""
        return 6 if self.unit in ("share", "ratio") else 2


@dataclass(frozen=True, slots=True)
class MethodChange:
    """A version of a measure's method, its date as YYYY-MM-DD, and what changed."""

    version: str
    date: str
    what: str


@dataclass(frozen=True)
class Measure:
    """A measure. `files` are its folder's files by name; the hash of them and `version` identify the method.

    `period` is `year`, or `snapshot`: the latest of each financial year. Its query sees the lines of the year measured
    and of `earlier_years` before it (None: all). `coverage_minimum` withholds rows with less coverage;
    `widest_interval` and `most_inferred` make rows indicative; None: no such rule.
    """

    id: str
    version: str
    title: str
    question: str
    summary: str
    method: str
    period: str
    perimeter: str
    datasets: tuple[str, ...]
    tables: tuple[str, ...]
    comparators: str
    owner: str
    sources: tuple[str, ...]
    figures: tuple[Figure, ...]
    changes: tuple[MethodChange, ...]
    query: str
    files: Mapping[str, str] = field(repr=False)
    earlier_years: int | None = None
    coverage_minimum: Decimal | None = None
    coverage_of: str = ""
    widest_interval: Decimal | None = None
    most_inferred: Decimal | None = None

    @cached_property
    def sha256(self) -> str:
        """The hash of every file of the definition."""
        parts = (f"{name}\0{text}\0" for name, text in sorted(self.files.items()))
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @property
    def csv_tables(self) -> dict[str, str]:
        """The tables of its own, as CSV text by the name that the query gives them."""
        return {name.removesuffix(".csv"): text for name, text in self.files.items() if name.endswith(".csv")}

    def figure(self, identifier: str) -> Figure | None:
        """The declared figure with this identifier, if there is one."""
        return next((one for one in self.figures if one.id == identifier), None)


@cache
def measures() -> Mapping[str, Measure]:
    """Every measure by its identifier, in alphabetical order.

    The folders in `measures/` come first, then those of the further data folders that PIPEROLL_DATA lists.
    Raises: DescriptorError: a definition is wrong; the message says which file and key.
    """
    found: dict[str, Measure] = {}
    for root in (assets.folder("measures"), *(path / "measures" for path in find_data_folders())):
        for path in sorted(root.glob("*/measure.toml")):
            found.setdefault(path.parent.name, read_measure(path.parent))
    return dict(sorted(found.items()))


def find_measure(identifier: str) -> Measure:
    """The measure with this identifier. Raises: UsageError: there is none; the message lists them."""
    try:
        return measures()[identifier]
    except KeyError:
        raise UsageError(f"there is no measure '{identifier}': the measures are {', '.join(measures())}") from None


def read_measure(folder: Path) -> Measure:
    """Read the definition in a folder. Raises: DescriptorError: see `parse_measure`, or a file is missing."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".toml", ".sql", ".csv"))
    if missing := {"measure.toml", "query.sql"} - {*names}:
        raise DescriptorError(f"the measure {folder.name} needs a {' and a '.join(sorted(missing))}")
    return parse_measure(folder.name, {name: (folder / name).read_text("utf-8") for name in names})


def parse_measure(folder_name: str, files: Mapping[str, str]) -> Measure:
    """Read a definition from the texts of its files, as a folder or a published definition.json has them.

    Raises: DescriptorError: a key is missing, unknown or has a wrong value, or the query is not one SELECT.
    """
    where = f"measures/{folder_name}/measure.toml"
    try:
        document = tomllib.loads(files["measure.toml"])
    except tomllib.TOMLDecodeError as error:
        raise DescriptorError(f"{where} is not TOML: {error}") from error
    try:
        measure = _make_measure(document, files)
    except KeyError as error:
        raise DescriptorError(f"{where}: the key {error} is missing") from error
    except (TypeError, ValueError, InvalidOperation) as error:
        raise DescriptorError(f"{where}: {error}") from error
    if measure.id != folder_name:
        raise DescriptorError(f"{where}: id is '{measure.id}', but the folder is {folder_name}")
    return measure


def _make_measure(document: dict[str, Any], files: Mapping[str, str]) -> Measure:
    content = dict(document)
    texts = {name: _text(content, name) for name in _TEXTS}
    _require(bool(_ID.match(texts["id"])), f"id '{texts['id']}' is not in kebab-case, such as cost-per-case")
    _require(bool(_VERSION.match(texts["version"])), f"version '{texts['version']}' is not like 1.0.0")
    coverage, publication = content.pop("coverage", {}), content.pop("publication", {})
    measure = Measure(
        **texts,
        period=_choice(content, "period", ("year", "snapshot")),
        comparators=_choice(content, "comparators", ("kind", "none")),
        datasets=_known_datasets(content.pop("datasets")),
        tables=tuple(content.pop("tables", ())),
        sources=tuple(content.pop("sources")),
        earlier_years=content.pop("earlier_years", None),
        figures=tuple(_make_figure(entry) for entry in content.pop("figures")),
        changes=tuple(MethodChange(**{key: str(text) for key, text in one.items()}) for one in content.pop("changes")),
        query=_check_query(files["query.sql"]),
        files=dict(files),
        coverage_minimum=_share(coverage, "minimum"),
        coverage_of=coverage.pop("of", ""),
        widest_interval=_share(publication, "widest_interval"),
        most_inferred=_share(publication, "most_inferred"),
    )
    unknown = [*content, *(f"coverage.{key}" for key in coverage), *(f"publication.{key}" for key in publication)]
    _require(not unknown, f"unknown keys: {', '.join(unknown)}")
    _require(any(one.headline for one in measure.figures), "no figure has headline = true")
    doubled = {one.id for one in measure.figures if [two.id for two in measure.figures].count(one.id) > 1}
    _require(not doubled, f"figures declared twice: {', '.join(sorted(doubled))}")
    stated = [one.version for one in measure.changes]
    _require(measure.version in stated, f"changes has no entry for version {measure.version}")
    return measure


def _make_figure(entry: dict[str, Any]) -> Figure:
    figure = Figure(**entry)
    _require(bool(_ID.match(figure.id)), f"figure '{figure.id}' is not in kebab-case")
    _require(figure.unit in UNITS, f"figure {figure.id}: unit '{figure.unit}' is none of {', '.join(UNITS)}")
    good = ("good", "bad", "unstated")
    _require(figure.high_is in good, f"figure {figure.id}: high_is '{figure.high_is}' is none of {', '.join(good)}")
    return figure


def _check_query(text: str) -> str:
    without_comments = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    if called := _FORBIDDEN.search(without_comments):
        raise ValueError(f"query.sql calls {called[1]}(): the same rows must always give the same figures")
    statement = without_comments.strip().rstrip(";")
    _require(statement.upper().startswith(("SELECT", "WITH")), "query.sql is no SELECT")
    return text


def _text(content: dict[str, Any], name: str) -> str:
    value = content.pop(name)
    _require(isinstance(value, str) and bool(value.strip()), f"{name} must be a text")
    return str(value).strip()


def _choice(content: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = content.pop(name)
    _require(value in allowed, f"{name} '{value}' is none of {', '.join(allowed)}")
    return str(value)


def _known_datasets(names: list[str]) -> tuple[str, ...]:
    unknown = sorted({*names} - {*assets.dataset_names()})
    _require(not unknown, f"datasets that there are not: {', '.join(unknown)}")
    return tuple(names)


def _share(table: dict[str, Any], name: str) -> Decimal | None:
    value = table.pop(name, None)
    return None if value is None else Decimal(str(value))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
