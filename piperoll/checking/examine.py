"""Examining: everything there is to say about a submission, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from piperoll.checking import findings, verdict
from piperoll.checking.capping import Capped
from piperoll.checking.checks_passed import passed
from piperoll.checking.conservation import conserve
from piperoll.checking.engine import CheckEngine
from piperoll.checking.examination import Examination
from piperoll.checking.history.comparison import compare
from piperoll.checking.periods import find_period, named_period, outside
from piperoll.checking.places import place
from piperoll.checking.plausibility import UnmetExpectation, find_unmet_expectations
from piperoll.checking.tables import Examined, examine_table
from piperoll.model import Body, Cap, Dataset, Disposition, Finding, Period, Report, Severity, Verdict, Version, What
from piperoll.reading import DRIFTED, Reading, ReadTable


@dataclass(frozen=True, slots=True)
class _Given:
    """What is known of a submission before it is looked into."""

    file: str
    sha256: str
    size: int
    period: Period | None
    part: str | None
    standing: Version | None
    suite: str | None
    engine: CheckEngine


def examine(  # noqa: PLR0913 - what is known of a submission, by name
    reading: Reading,
    *,
    file: str,
    sha256: str,
    size: int,
    body: Body,
    period: Period | None = None,
    part: str | None = None,
    standing: Version | None = None,
    plausibility: bool = True,
    suite: str | None = None,
    engine: CheckEngine = CheckEngine.COMPILED,
) -> Examination:
    """The report on what was read of `file`, what becomes of each row, and the period and part found.

    `size` is in bytes. `period` and `part` are what was given with the file, `standing` is the version of the series
    that stands, if any. `suite` is the dataset's GX suite as JSON text; without it, or with `plausibility` False,
    plausibility is left out. `engine` applies its rules and the schema's. Pure: the same arguments give the same
    examination.

    Raises: ConservationError: rows or pounds do not add up. DescriptorError: our own schema, suite or list is wrong.
    """
    wanted = suite if plausibility else None
    given = _Given(file, sha256, size, period, part or reading.part, standing, wanted, engine)
    dataset = reading.dataset
    if reading.what is What.NIL_RETURN and dataset is not None:
        return _nil(reading, dataset, given, body)
    if reading.what is not What.DATA or dataset is None or not reading.tables:
        said = () if _has_error(reading.findings) else (findings.not_data(reading.why),)
        return _examination(reading, given, (), (*reading.findings, *said), Verdict.REJECTED, given.period, body)
    return _data(reading, dataset, given, body)


def as_held(examination: Examination, finding: Finding) -> Examination:
    """The same examination with a further finding that holds it whole."""
    report = examination.report
    return replace(
        examination,
        report=replace(report, verdict=Verdict.HELD, findings=(*report.findings, finding), passed=report.passed),
    )


def _nil(reading: Reading, dataset: Dataset, given: _Given, body: Body) -> Examination:
    """A return that says there was nothing: it needs a period like any other."""
    tables = [examine_table(table, dataset, body, period_given=True, engine=given.engine) for table in reading.tables]
    found = find_period((), (), dataset, given.file, given.period)
    outcome = Verdict.NIL if found.period else Verdict.HELD
    said = (*reading.findings, *found.findings)
    return _examination(reading, given, tables, said, outcome, found.period, body)


def _data(reading: Reading, dataset: Dataset, given: _Given, body: Body) -> Examination:
    told = given.period is not None or named_period(reading.tables, dataset, given.file)
    tables = [examine_table(table, dataset, body, period_given=told, engine=given.engine) for table in reading.tables]
    conserve(reading.tables, [examined.tally for examined in tables])
    said = [finding for examined in tables for finding in examined.findings]
    said = [*_not_said_again(reading.findings, said), *said]
    if all(examined.lacks_core for examined in tables):
        return _examination(reading, given, tables, said, Verdict.REJECTED, given.period, body)
    surveys = [examined.seen for examined in tables]
    found = find_period(reading.tables, surveys, dataset, given.file, given.period)
    said += found.findings
    if found.period and not dataset.snapshot:
        said += [one for each in tables for one in outside(each.table, each.seen, dataset, found.period)]
    said += [*_plausibility(tables, dataset, given), *_comparison(tables, given)]
    holding = list(_holding(tables))
    asked = any(finding.code == DRIFTED for finding in said)
    outcome = Verdict.HELD if holding or asked or not found.period else verdict.of_findings(said)
    return _examination(reading, given, tables, (*said, *holding), outcome, found.period, body)


def _not_said_again(of_reading: Sequence[Finding], said: Sequence[Finding]) -> Iterator[Finding]:
    """What reading found, without a column that is missing there and a core that is missing for it here."""
    absent = {(finding.sheet, finding.field) for finding in said if finding.code == "core-missing"}
    for finding in of_reading:
        if finding.code != "column-not-found" or (finding.sheet, finding.field) not in absent:
            yield finding


def _holding(tables: Sequence[Examined]) -> Iterator[Finding]:
    """What holds the file whole, the period apart."""
    if not any(examined.tally.rows.read for examined in tables):
        yield findings.no_rows()
    counting = sum(examined.counting for examined in tables)
    if finding := verdict.too_much_held([examined.tally for examined in tables], counting):
        yield finding


def _plausibility(tables: Sequence[Examined], dataset: Dataset, given: _Given) -> Iterator[Finding]:
    if given.suite is None:
        return
    read = [examined.table for examined in tables]
    for said in find_unmet_expectations(read, dataset, given.suite, given.engine):
        yield from _implausible(said, tables)


def _implausible(said: UnmetExpectation, tables: Sequence[Examined]) -> tuple[Finding, ...]:
    if not said.rows:
        home = next((each.table for each in tables if said.field in each.table.columns), tables[0].table)
        return (findings.implausible_whole(said, place(home, said.field)),)
    cells = Capped()
    for number, row in said.rows:
        cells.add(number, partial(_implausible_cell, said, tables[number].table, row))
    return cells.findings()


def _implausible_cell(said: UnmetExpectation, table: ReadTable, row: int) -> Finding:
    return findings.implausible_cell(said, place(table, said.field, row))


def _comparison(tables: Sequence[Examined], given: _Given) -> Iterator[Finding]:
    if given.standing is not None:
        tallies = [examined.tally for examined in tables]
        yield from compare(sum(tally.lines for tally in tallies), verdict.net_pounds(tallies), given.standing)


def _has_error(said: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in said)


def _examination(
    reading: Reading,
    given: _Given,
    tables: Sequence[Examined],
    said: Sequence[Finding],
    outcome: Verdict,
    period: Period | None,
    body: Body,
) -> Examination:
    in_order = Cap().apply(ordered(said, [table.sheet for table in reading.tables]))
    report = Report(
        file=given.file,
        sha256=given.sha256,
        bytes=given.size,
        dataset=reading.dataset.name if reading.dataset else None,
        format=reading.format,
        encoding=reading.encoding,
        what=reading.what,
        verdict=outcome,
        period=str(period) if period else None,
        part=given.part,
        tables=tuple(examined.report for examined in tables),
        findings=in_order,
        passed=tuple(passed(tables, in_order, body)),
        mapping_version=reading.mapping_version,
    )
    disposition = Disposition(
        held={number: each.held for number, each in enumerate(tables) if each.held},
        redacted={number: each.redacted for number, each in enumerate(tables) if each.redacted},
        blanked={number: each.blanked for number, each in enumerate(tables) if each.blanked},
    )
    return Examination(reading, report, disposition, period, given.part)


def ordered(said: Sequence[Finding], sheets: Sequence[str | None]) -> list[Finding]:
    """The file first, then sheet by sheet: what is about columns before the rows, and the rows in order.

    `sheets` are those of the tables in order. What stands for many more places comes after the places that are named.
    """
    by_row = {(finding.code, finding.sheet, finding.field) for finding in said if finding.row is not None}

    def key(finding: Finding) -> tuple[int, float]:
        if finding.sheet is None and finding.row is None and finding.field is None:
            return -1, 0
        number = sheets.index(finding.sheet) if finding.sheet in sheets else len(sheets)
        more = finding.row is None and (finding.code, finding.sheet, finding.field) in by_row
        return number, math.inf if more else finding.row or 0

    return sorted(said, key=key)
