"""The published figures of measures, as tests read them: from measures.csv and definition.json alone."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Row = dict[str, str]


@dataclass(frozen=True)
class MeasuredYear:
    """A published year of a measure, read from its files alone."""

    measure: str
    year: str
    folder: Path
    version: int

    @property
    def rows(self) -> tuple[Row, ...]:
        return _read_rows(self.folder / "measures.csv")

    @property
    def definition(self) -> dict[str, Any]:
        return _read_definition(self.folder / "definition.json")

    def of(self, figure: str, kind: str | None = None, *, whole: bool) -> list[Row]:
        """The rows of a figure as a whole, or of its items."""
        return [row for row in self.rows if row["figure"] == figure and (not row["item"]) == whole
                and kind in (None, kinds_of(self.folder.parents[4]).get(row["body"], "other"))]  # fmt: skip


@cache
def _read_rows(path: Path) -> tuple[Row, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _read_definition(path: Path) -> dict[str, Any]:
    return tomllib.loads(json.loads(path.read_text("utf-8"))["files"]["measure.toml"])


@cache
def kinds_of(store: Path) -> dict[str, str]:
    """The kind of each body, as the catalogue's list of bodies names it."""
    bodies = json.loads((store / "catalogue" / "bodies.json").read_text("utf-8"))["bodies"]
    return {body["body"]: body["kind"] for body in bodies}


@cache
def measured_years(store: Path) -> dict[str, dict[str, MeasuredYear]]:
    """Every measure with its published years, newest first."""
    found: dict[str, dict[str, MeasuredYear]] = {}
    for pointer in sorted((store / "data" / "measures").glob("*/*/versions.json"), reverse=True):
        history = json.loads(pointer.read_text("utf-8"))
        if history["current"] is None:
            continue
        version = next(one for one in history["versions"] if one["version"] == history["current"])
        measure, folder = pointer.parts[-3], pointer.parent / version["path"]
        first = int(pointer.parts[-2][:4])
        year = f"{first}-{(first + 1) % 100:02}"
        found.setdefault(measure, {})[year] = MeasuredYear(measure, year, folder, version["version"])
    return {measure: dict(sorted(years.items(), reverse=True)) for measure, years in sorted(found.items())}


def measure_quotes(key: str, store: Path) -> Iterator[Any]:
    """The texts of definitions and rows that pages quote: names, labels, reasons and replies."""
    is_of_measures = key.startswith("measures/") or key.endswith("/profile.html")
    if not (is_of_measures or key in ("index.html", "questions.html")):
        return
    for years in measured_years(store).values():
        for year in years.values():
            definition = year.definition
            yield [definition[name] for name in ("title", "question", "perimeter", "owner", "sources")]
            yield [" ".join(part.split()) for name in ("method", "summary") for part in definition[name].split("\n\n")]
            yield [*definition["figures"], *definition["changes"], definition.get("coverage", {}).get("of", "")]
            yield [f"version {change['version']}" for change in definition["changes"]]
            if is_of_measures:
                yield list(_texts_of(year.folder / "measures.csv"))


@cache
def _texts_of(path: Path) -> tuple[str, ...]:
    found = {row[name] for row in _read_rows(path) for name in ("item_label", "item", "reply", "body_name")}
    reasons = {row["reason"] for row in _read_rows(path) if row["reason"]}
    found |= {f"{reason[0].upper()}{reason[1:].rstrip('.')}." for reason in reasons}
    return tuple(sorted(found))
