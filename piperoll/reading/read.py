"""Bytes to a Reading: the way from a file as received to its tables. Never fails on what a body sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from piperoll.model import Cap, Dataset, Finding, What
from piperoll.reading import findings as say
from piperoll.reading import findings_cells as tell
from piperoll.reading.doubts import holds_figures
from piperoll.reading.encodings import Decoded, decode
from piperoll.reading.grids import Grid
from piperoll.reading.jsons import open_json, release_table
from piperoll.reading.kinds import Kind, classify
from piperoll.reading.lexicon import lexicon_of
from piperoll.reading.reading import Reading, ReadTable
from piperoll.reading.recognise import recognise, recognise_part
from piperoll.reading.sheets import read_grids
from piperoll.reading.tables import GridReading
from piperoll.reading.text import read_text
from piperoll.reading.workbooks import read_workbook

_EXTENSIONS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".tab": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx"}
_EXTENSIONS |= {".xls": "xls", ".ods": "ods", ".json": "json", ".pdf": "pdf", ".html": "html", ".htm": "html"}
_WHY = {"html": "html_page", "pdf": "pdf", "empty": "empty", "unknown": "unknown_format"}


@dataclass
class _Opened:
    """A file opened as far as grids or releases, with what there was to say on the way."""

    grids: list[Grid] = field(default_factory=list)
    releases: tuple[object, ...] | None = None
    encoding: str | None = None
    findings: list[Finding] = field(default_factory=list)
    why: str | None = None


def read(
    content: bytes,
    name: str,
    datasets: Sequence[Dataset],
    *,
    dataset: Dataset | None = None,
    part: str | None = None,
) -> Reading:
    """Everything that can be read of one file, as the given dataset or the one that fits best of `datasets`.

    `name` is the file's name as received; it decides nothing about the content, and only hints at the part.
    Every guess is a finding; a file that is no table gives a Reading without tables that says why.
    """
    kind = classify(content)
    opened = _open(kind)
    if _expected(name) not in (None, kind.format) and kind.container is None and kind.format != "empty":
        opened.findings.insert(0, say.content_not_as_named(PurePosixPath(name).name, kind.format))
    reading = _read(opened, kind, name, datasets, dataset, part)
    return replace(reading, findings=Cap().apply(reading.findings))


def _expected(name: str) -> str | None:
    return _EXTENSIONS.get(PurePosixPath(name).suffix.lower())


def _open(kind: Kind) -> _Opened:
    if kind.trouble:
        return _Opened(findings=[say.cannot_open(kind.trouble)], why=kind.trouble.replace("-", "_"))
    if kind.format in _WHY:
        return _Opened(findings=[say.not_a_table(kind.format)], why=_WHY[kind.format])
    if kind.format in ("xlsx", "xls", "ods"):
        workbook = read_workbook(kind.content, kind.format)
        if workbook.trouble:
            return _Opened(findings=[say.cannot_open(workbook.trouble)], why=workbook.trouble.replace("-", "_"))
        hidden = [say.sheet_hidden(grid.sheet or "") for grid in workbook.grids if grid.hidden]
        return _Opened(list(workbook.grids), findings=hidden)
    decoded = decode(kind.content)
    if kind.format == "json":
        return _open_json(decoded)
    rows = read_text(decoded.pieces())
    findings = _about_text(decoded)
    findings += [say.quotes_broken(row.number, row.line) for row in rows.broken_quotes]
    return _Opened([Grid(None, rows.rows)], encoding=decoded.encoding, findings=findings)


def _about_text(decoded: Decoded) -> list[Finding]:
    if decoded.mixed:
        return [say.encoding_mixed(decoded.mixed, decoded.runner_up)]
    if decoded.encoding in ("cp1252", "mac_roman", "cp850"):
        return [say.encoding_guessed(decoded.encoding, decoded.runner_up, sure=decoded.sure)]
    return []


def _open_json(decoded: Decoded) -> _Opened:
    document = open_json(decoded.text)
    opened = _Opened(encoding=decoded.encoding, releases=document.releases)
    if document.grid:
        opened.grids.append(document.grid)
    elif document.releases is None:
        opened.why = "no_table"
        opened.findings.append(say.not_a_table("json"))
    return opened


def _read(
    opened: _Opened,
    kind: Kind,
    name: str,
    datasets: Sequence[Dataset],
    dataset: Dataset | None,
    part: str | None,
) -> Reading:
    blank = Reading(
        format=kind.format,
        encoding=opened.encoding,
        what=What.NOT_DATA,
        tables=(),
        findings=tuple(opened.findings),
        dataset=dataset,
        part=part,
        why=opened.why,
        container=kind.container,
        member=kind.member,
    )
    if opened.why:
        return blank
    if opened.releases is not None:
        return _with_releases(blank, opened, datasets)
    known = dataset or recognise(opened.grids, datasets)
    return _with_grids(replace(blank, dataset=known), opened, known, datasets, name)


def _with_releases(blank: Reading, opened: _Opened, datasets: Sequence[Dataset]) -> Reading:
    known = blank.dataset if blank.dataset and blank.dataset.ocds else next((one for one in datasets if one.ocds), None)
    if known is None:
        return replace(blank, why="no_table", findings=(*blank.findings, say.not_a_table("json")))
    if not opened.releases:
        findings = (*blank.findings, tell.nil_return(None, None))
        return replace(blank, what=What.NIL_RETURN, dataset=known, findings=findings)
    releases = [release for release in opened.releases if isinstance(release, dict)]
    return replace(blank, what=What.DATA, dataset=known, tables=(release_table(releases, known),))


def _with_grids(
    blank: Reading,
    opened: _Opened,
    known: Dataset | None,
    datasets: Sequence[Dataset],
    name: str,
) -> Reading:
    lexicon = lexicon_of(known or datasets[0], blank.part)
    readings = read_grids(opened.grids, lexicon, name)
    tables = tuple(table for _, reading in readings for table in reading.tables)
    findings = [*blank.findings, *_said(readings, bool(tables))]
    if tables:
        part = blank.part or recognise_part(lexicon.dataset, name, tables[0].columns)
        blank = replace(blank, dataset=lexicon.dataset, part=part, findings=tuple(findings))
        return replace(blank, what=What.DATA, tables=tables)
    part = blank.part or (recognise_part(known, name, ()) if known else None)
    outcomes = {reading.outcome for _, reading in readings}
    blank = replace(blank, findings=tuple(findings), part=part)
    if "nil" in outcomes:
        return replace(blank, what=What.NIL_RETURN)
    if "no_records" in outcomes:
        return replace(blank, why="pro_forma")
    if outcomes <= {"empty", "stray_cell"}:
        return replace(blank, why="empty", findings=(*findings, say.not_a_table("empty")))
    looked = [heading.heading for heading in lexicon.dataset.headings if heading.field in lexicon.dataset.core_fields]
    return replace(blank, why="no_table", findings=(*findings, say.no_headings(looked[:6])))


def _said(readings: Sequence[tuple[Grid, GridReading]], data: bool) -> list[Finding]:
    """What the grids say; a sheet without a table is only told where others have one."""
    found: list[Finding] = []
    for grid, reading in readings:
        if data and not reading.tables and reading.outcome != "left_out":
            if grid.sheet is not None and reading.outcome != "empty":
                figures = reading.outcome == "no_table" and holds_figures(grid)
                found.append(say.sheet_without_table(grid.sheet, figures=figures))
        else:
            found += reading.findings
    return found


__all__ = ["ReadTable", "Reading", "read"]
