"""Prove the figures of pages: a rule for each kind of place says what must stand there, recomputed from the CSVs.

A rule names the pages, the kind of place and its names as patterns (`tests.figures.scanning`), and returns the figures
that must stand there, in their order. A place that no rule covers is reported: a new figure needs a rule, with a
recomputation of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias

from tests.figures.measured_years import measure_quotes
from tests.figures.published_tables import PublishedTable
from tests.figures.recomputing import Recomputed
from tests.figures.scanning import Figure, Place, figures_in, scan_page

Expected: TypeAlias = "Decimal | int | Sequence[Decimal | int]"
Prove: TypeAlias = "Callable[[Page, Place], Sequence[Decimal | int] | None]"


@dataclass(frozen=True)
class Rule:
    """What must stand in the places that match; `prove` returns None if the place is not its own."""

    pages: re.Pattern[str]
    kind: str
    names: tuple[re.Pattern[str], ...]
    prove: Prove

    def covers(self, place: Place) -> bool:
        if self.kind != place.kind or not self.pages.fullmatch(place.page) or len(self.names) > len(place.names):
            return False
        return all(pattern.fullmatch(name) for pattern, name in zip(self.names, place.names, strict=False))


RULES: list[Rule] = []


def rule(pages: str, kind: str, *names: str) -> Callable[[Prove], Prove]:
    """Register what proves the places of a kind; patterns match whole pages and names."""

    def register(prove: Prove) -> Prove:
        RULES.append(Rule(re.compile(pages), kind, tuple(re.compile(name, re.DOTALL) for name in names), prove))
        return prove

    return register


@dataclass
class Page:
    """A page with what the rules need to prove it."""

    key: str
    published: Recomputed
    places: list[Place] = field(default_factory=list)
    quoted: tuple[str, ...] = ()
    labels: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def table(self) -> PublishedTable:
        """The table that a page of a series is about."""
        return self.published.tables[self.series]

    @cached_property
    def series(self) -> str:
        """The name of the series that a page is about."""
        return "/".join(self.key.removesuffix(".html").split("/")[1:4])

    @cached_property
    def history(self) -> dict[str, Any]:
        return self.published.histories[self.series]

    @cached_property
    def report(self) -> dict[str, Any]:
        """The report that a page shows: of the file received, or of the current version."""
        if self.key.startswith("reports/"):
            path = self.published.store / "reports" / self.key.removeprefix("reports/").replace(".html", ".json")
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return found
        return self.table.report


@dataclass
class Proof:
    """What was found: the figures proved, those that are wrong, and the places that no rule covers."""

    proved: int = 0
    wrong: list[str] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)


def prove_pages(published: Recomputed, keys: Callable[[str], bool] = bool) -> Proof:
    """Prove every figure on the pages of a store, or on those whose `keys` are wanted."""
    proof = Proof()
    root = published.store / "catalogue"
    for path in sorted(root.rglob("*.html")):
        key = path.relative_to(root).as_posix()
        if keys(key):
            prove_content(key, path.read_bytes(), published, proof)
    return proof


def prove_content(key: str, content: bytes, published: Recomputed, proof: Proof | None = None) -> Proof:
    """Prove the figures of one page, and add what is found to `proof`."""
    proof = proof or Proof()
    page = Page(key, published)
    page.quoted = tuple(sorted(set(_quotes(page)), key=len, reverse=True))
    page.places = list(scan_page(key, content, page.quoted))
    for place in page.places:
        for one in _RULES_OF.setdefault(place.kind, [rule for rule in RULES if rule.kind == place.kind]):
            expected = one.prove(page, place) if one.covers(place) else None
            if expected is None:
                continue
            if matches(place.figures, expected):
                proof.proved += len(place.figures)
            else:
                told = ", ".join(f"{value:f}" if isinstance(value, Decimal) else str(value) for value in expected)
                proof.wrong.append(f"{place}, but recomputed it is {told}")
            break
        else:
            proof.uncovered.append(str(place))
    return proof


_RULES_OF: dict[str, list[Rule]] = {}


def matches(figures: Sequence[Figure], expected: Sequence[Decimal | int]) -> bool:
    """Whether the figures show the values that are expected, in this order."""
    return len(figures) == len(expected) and all(one.shows(value) for one, value in zip(figures, expected, strict=True))


# --- what is quoted -----------------------------------------------------------------------------------------------


def _quotes(page: Page) -> Iterator[str]:
    """Texts that a page quotes from what was sent, from a report or from a standard: their numbers are theirs."""
    published = page.published
    yield from _texts(list(published.quotes))
    yield from _texts(list(measure_quotes(page.key, published.store)))
    if page.key.startswith("series/") and page.series in published.histories:
        for version in page.history["versions"]:
            yield from _texts(version)
        if page.series in published.tables:
            yield from _report_texts(page.table.report)
            yield from _texts(json.loads((page.table.folder / "datapackage.json").read_text("utf-8")))
    if page.key.startswith("reports/"):
        yield from _report_texts(page.report)
    if page.key == "index.html" or page.key.startswith("bodies"):
        for report in published.waiting.values():
            yield from _report_texts(report)


def _report_texts(report: Mapping[str, Any]) -> Iterator[str]:
    for finding in report["findings"]:
        yield from _texts({key: finding.get(key) for key in ("message", "fix", "address", "value", "file", "sheet")})
    yield from _texts([report["file"], report.get("passed"), report.get("compared_with"), report.get("encoding")])
    yield from _texts([table.get("sheet") for table in report["tables"]])
    yield from _texts([table.get("columns") for table in report["tables"]])


def _texts(value: Any) -> Iterator[str]:
    """Every text in a document that holds a digit and a letter."""
    if isinstance(value, str):
        text = re.sub(r"\s+", " ", value).strip()
        if re.search(r"\d", text) and re.search(r"[A-Za-z]", text) and len(text) > 3 and figures_in(text):
            yield text
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


# --- words --------------------------------------------------------------------------------------------------------


def of_table(figure: Callable[[PublishedTable], Decimal | int | None]) -> Callable[[Page], list[Decimal | int]]:
    """A figure of the table that the page is about."""

    def found(page: Page) -> list[Decimal | int]:
        value = figure(page.table)
        return [] if value is None else [value]

    return found


def figures_of(text: str) -> list[Decimal]:
    """The values in a text."""
    return [one.value for one in figures_in(text)]
