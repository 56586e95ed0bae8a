"""Trace a published row back to the cells that it was made from, and say what was done to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from piperoll import assets, layout
from piperoll.errors import NotThere, UsageError
from piperoll.model import Field, History, Origin, Version
from piperoll.reading import letter, row_as_sent
from piperoll.releasing import find_published_line, find_source_fields, read_document
from piperoll.scratch import scratch_folder
from publishers import StoreReader, fetch_version


@dataclass(frozen=True, slots=True)
class TracedField:
    """A published cell: the heading and column letter in the file, the text as sent, and what was done to it.

    `heading`, `letter` and `sent` are None if nothing was sent for the field.
    """

    name: str
    heading: str | None
    letter: str | None
    sent: str | None
    published: str | None
    done: str


@dataclass(frozen=True, slots=True)
class TracedRow:
    """A published row and its origin: file, sheet and row as the sender sees them, and the versions of the rules.

    `cells` are all cells of the row as sent, by column letter; empty if the archived file cannot be read.
    """

    line_id: str
    version: int
    file: str
    sha256: str
    sheet: str | None
    row: int
    rules_version: str
    mapping_version: str | None
    cells: Mapping[str, str]
    fields: tuple[TracedField, ...]


def trace_row(reader: StoreReader, history: History, version: Version, line: str) -> TracedRow:
    """Trace one row of a version. `line` is its `line_id`, or its number in the CSV; the first row is 1.

    Without access to the archive, the cells as sent are left out. Raises: UsageError: the version has no such row.
    """
    with scratch_folder("trace") as scratch:
        folder = fetch_version(reader, history.series, version, scratch)
        published = find_published_line(folder, history.series.dataset, line)
        manifest, report = read_document(folder, "manifest.json"), read_document(folder, "report.json")
        source = {fact: (published or {}).get(name) for fact, name in find_source_fields(folder).items()}
    if published is None:
        raise UsageError(
            f"version {version.version} of {history.series} has no row '{line}': give a line_id or a number in the CSV"
        )
    sheet, row = source["source.sheet"], int(source["source.row"] or 0)
    sent: dict[str, str] = {}
    with suppress(NotThere):  # the archive is private, so not every store that is read has it
        content = reader.read(layout.received_bytes(source["source.sha256"] or "")).content
        if found := row_as_sent(content, sheet, row):
            sent = {letter(index): cell for index, cell in enumerate(found.cells)}
    return TracedRow(
        line_id=published["line_id"] or "",
        version=version.version,
        file=source["source.name"] or "",
        sha256=source["source.sha256"] or "",
        sheet=sheet,
        row=row,
        rules_version=manifest["rules_version"],
        mapping_version=report.get("mapping_version"),
        cells=sent,
        fields=tuple(_fields(assets.dataset(history.series.dataset).fields, published, report, sheet, sent)),
    )


def _fields(
    fields: Iterable[Field],
    published: Mapping[str, str | None],
    report: Mapping[str, Any],
    sheet: str | None,
    cells: Mapping[str, str],
) -> Iterator[TracedField]:
    """Every field that was sent or published, in the order of the dataset."""
    table = next((table for table in report["tables"] if table["sheet"] == sheet), None)
    headings, letters = (table["columns"], table["column_letters"]) if table else ({}, {})
    for one in fields:
        sent, value = cells.get(letters.get(one.name, "")), published.get(one.name)
        if one.name in headings or value is not None:
            done = _describe_change(one, headings.get(one.name), sent, value, known=bool(cells))
            yield TracedField(one.name, headings.get(one.name), letters.get(one.name), sent, value, done)


def _describe_change(one: Field, heading: str | None, sent: str | None, value: str | None, *, known: bool) -> str:
    """What was done to a cell, as shown to people."""
    if one.origin is Origin.DERIVED or heading is None:
        return "added by us"
    if not known:
        return "sent; the file as received cannot be read here"
    if sent == value or (not sent and value is None):
        return "as sent"
    if value is None:
        return "left out: it cannot be read, is a placeholder, or must not be published"
    if not sent:
        return "filled in by us"
    return "converted to our format" if one.type != "string" else "tidied"
