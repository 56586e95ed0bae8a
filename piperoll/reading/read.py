"""Read a file as received into tables. A faulty file never raises: what is wrong with it becomes findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from piperoll.findings import cap_findings, make_finding
from piperoll.model import Address, BodyMapping, Dataset, Finding, Period, Severity, What
from piperoll.reading.columns.lexicon import build_lexicon
from piperoll.reading.files.contents import Content, whole
from piperoll.reading.files.json_files import read_releases
from piperoll.reading.files.kinds import Kind, classify
from piperoll.reading.files.opening import Opened, open_file, report_merged_cells, report_no_table, report_wrong_name
from piperoll.reading.grids.grid import Grid, Row, tidy, without_blanks
from piperoll.reading.reading import GridReading, Reading, ReadTable
from piperoll.reading.recognise import is_certain, recognise, recognise_part
from piperoll.reading.remembered import apply_mapping, find_mapping
from piperoll.reading.tables.nil_returns import FEW_ROWS, nil_return
from piperoll.reading.tables.sheets import read_grids
from piperoll.reading.tables.table_findings import holds_figures, quote_list

_EXTENSIONS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".tab": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx"}
_EXTENSIONS |= {".xls": "xls", ".ods": "ods", ".json": "json", ".jsonl": "json", ".pdf": "pdf", ".xml": "xml"}
_EXTENSIONS |= {".html": "html", ".htm": "html", ".xlsb": "xlsx"}


@dataclass(frozen=True)
class SentCells:
    """The cells of a file as sent, sheet by sheet; `content` are the bytes of the file, out of its archive."""

    format: str
    content: bytes = field(repr=False)
    grids: Sequence[Grid]


def read_cells(content: Content) -> SentCells:
    """Read the cells of every sheet of a file, without looking for tables; no grids if it has none."""
    kind = classify(content)
    return SentCells(kind.format, whole(kind.content), open_file(kind).grids)


def read(
    content: Content,
    name: str,
    datasets: Sequence[Dataset],
    *,
    dataset: Dataset | None = None,
    part: str | None = None,
    remembered: Sequence[BodyMapping] = (),
    period: Period | None = None,
) -> Reading:
    """Read everything in one file, as the given dataset or the one of `datasets` that fits best.

    `name` is the file's name as received. It hints at the part, and at the period if dates can be read in two ways; it
    decides nothing else. `remembered` are the mappings of the body's headings, one for each dataset. Every guess is a
    finding. A file without a table gives a Reading without tables that says why. `period` is the one given with the
    file: dates that can be read in two ways are read so that they are in it.
    """
    kind = classify(content)
    opened = open_file(kind)
    expected = _EXTENSIONS.get(PurePosixPath(name).suffix.lower())
    if expected not in (None, kind.format) and kind.container is None and kind.format != "empty":
        opened.findings.insert(0, report_wrong_name(PurePosixPath(name).name, kind.format))
    reading = _read(opened, kind, datasets, _Given(name, dataset, part, remembered, period))
    return replace(reading, findings=cap_findings(reading.findings))


class _Given(NamedTuple):
    """What came with a file."""

    name: str
    dataset: Dataset | None
    part: str | None
    remembered: Sequence[BodyMapping]
    period: Period | None


def _read(
    opened: Opened,
    kind: Kind,
    datasets: Sequence[Dataset],
    given: _Given,
) -> Reading:
    blank = Reading(
        format=kind.format,
        encoding=opened.encoding,
        what=What.NOT_DATA,
        tables=(),
        findings=tuple(opened.findings),
        dataset=given.dataset,
        part=given.part,
        why=opened.why,
        container=kind.container,
        member=kind.member,
    )
    if opened.why and not opened.grids:
        return blank
    if opened.releases is not None:
        return _with_releases(blank, opened, datasets)
    known = given.dataset or recognise(opened.grids, datasets)
    blank = replace(blank, dataset=known)
    return _with_grids(blank, opened, datasets, given)


def _with_releases(blank: Reading, opened: Opened, datasets: Sequence[Dataset]) -> Reading:
    known = blank.dataset if blank.dataset and blank.dataset.ocds else next((one for one in datasets if one.ocds), None)
    if known is None:
        return replace(blank, why="no_table", findings=(*blank.findings, report_no_table("json")))
    if not opened.releases:
        findings = (*blank.findings, nil_return(None, None))
        return replace(blank, what=What.NIL_RETURN, dataset=known, findings=findings)
    releases = [release for release in opened.releases if isinstance(release, dict)]
    return replace(blank, what=What.DATA, dataset=known, tables=(read_releases(releases, known),))


def _with_grids(
    blank: Reading,
    opened: Opened,
    datasets: Sequence[Dataset],
    given: _Given,
) -> Reading:
    known, name = blank.dataset, given.name
    remembered = find_mapping(given.remembered, known)
    lexicon = build_lexicon(known or datasets[0], blank.part, remembered)
    list_sources = {source for part in opened.parts for source in part.list_sources}
    readings = read_grids(opened.grids, lexicon, name, given.period, list_sources)
    if known is None:  # no dataset fits, so there is no table, whatever the columns hold
        no_table = ("nil", "empty", "stray_cell")
        readings = [(g, reading if reading.outcome in no_table else GridReading("no_table")) for g, reading in readings]
    tables = tuple(table for _, reading in readings for table in reading.tables)
    if opened.why and not any(table.header_row for table in tables):
        return replace(blank, findings=(report_no_table(blank.format),))
    findings = [*blank.findings, *_grid_findings(readings, bool(tables))]
    if tables:
        part = blank.part or recognise_part(lexicon.dataset, name, tables[0].columns)
        findings += report_merged_cells(opened.parts, tables)
        if given.dataset is None and not is_certain(tables, lexicon.dataset):
            headings = [f"'{text}'" for choice in [*tables[0].choices.values()][:4] if (text := choice.heading.strip())]
            findings.append(
                make_finding(
                    "dataset-guessed",
                    variant="headed" if headings else "headless",
                    dataset=lexicon.dataset.title.lower(),
                    headings=", ".join(headings),
                    headed=len(headings),
                )
            )
        blank = replace(blank, dataset=lexicon.dataset, part=part, findings=tuple(findings))
        return apply_mapping(replace(blank, what=What.DATA, why=None, tables=tables), lexicon, remembered)
    part = blank.part or (recognise_part(known, name, {}) if known else None)
    outcomes = {reading.outcome for _, reading in readings}
    blank = replace(blank, findings=tuple(findings), part=part)
    if "nil" in outcomes:
        return replace(blank, what=What.NIL_RETURN, names=_names_in_nil_return(opened.grids))
    if "no_records" in outcomes:
        return replace(blank, why="pro_forma")
    if outcomes <= {"empty", "stray_cell"}:
        return replace(blank, why="empty", findings=(*findings, report_no_table("empty")))
    examples = [heading.heading for heading in lexicon.dataset.headings if heading.field in lexicon.dataset.core_fields]
    if known is None:
        titles = ", ".join(dataset.title.lower() for dataset in datasets)
        no_headings = make_finding("no-headings", variant="no-dataset", datasets=titles)
    else:
        no_headings = make_finding("no-headings", variant="dataset", headings=quote_list(examples[:6]))
    return replace(blank, why="no_table", findings=(*findings, no_headings))


def _names_in_nil_return(grids: Sequence[Grid]) -> tuple[str, ...]:
    """The names of the sheets and the texts in their first rows, any of which can give the period."""
    rows = [row for grid in grids for row in without_blanks(grid.rows)[:FEW_ROWS]]
    cells = [tidy(cell) for row in rows for cell in row.cells if cell]
    return tuple(dict.fromkeys([*(grid.sheet for grid in grids if grid.sheet), *filter(None, cells)]))


def _grid_findings(readings: Sequence[tuple[Grid, GridReading]], data: bool) -> list[Finding]:
    """Return the findings of the grids; a sheet without a table is reported only if others have one."""
    found: list[Finding] = []
    for grid, reading in readings:
        if data and not reading.tables and reading.outcome not in ("left_out", "reference"):
            if grid.sheet is not None and reading.outcome != "empty":
                figures = reading.outcome == "no_table" and holds_figures(grid)
                severity = Severity.WARNING if figures else Severity.INFO
                name = grid.sheet.strip()
                found.append(
                    make_finding("sheet-without-table", Address(grid.sheet), severity=severity, sheet_name=name)
                )
        else:
            found += reading.findings
    return found


__all__ = ["ReadTable", "Reading", "read"]


def row_as_sent(content: bytes, sheet: str | None, number: int) -> Row | None:
    """Return the row with this number as a spreadsheet program shows it (`sheet` None: the file has no sheets).

    None if the file has no such row, as in an OCDS package.
    """
    grids = [grid for grid in open_file(classify(content)).grids if grid.sheet == sheet]
    return next((row for grid in grids for row in grid.rows if row.number == number), None)
