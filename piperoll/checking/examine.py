"""Examine a submission: its findings, its verdict, and what happens to each row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from piperoll import assets
from piperoll.checking.body_kind import BodyKind, find_body_kind
from piperoll.checking.checks_passed import checks_passed
from piperoll.checking.completeness import find_below_threshold, find_early_end, find_rows_missing
from piperoll.checking.engine import CheckEngine
from piperoll.checking.examine_table import ExaminedTable, examine_tables, find_gaps
from piperoll.checking.period import (
    find_dates_outside,
    find_period,
    find_period_of_nil_return,
    find_period_outside_life,
    name_gives_period,
)
from piperoll.checking.plausibility import UnmetExpectation, find_unmet_expectations
from piperoll.checking.privacy.decisions import Decided
from piperoll.checking.privacy.held_names import HeldNames
from piperoll.checking.privacy.public_texts import Labels, quote_headings, withhold_labels
from piperoll.checking.survey import address_in, is_duty
from piperoll.checking.totals import (
    find_far_more_than_published,
    find_only_zeros,
    find_too_much_held,
    require_conservation,
)
from piperoll.findings import (
    CappedFindings,
    cap_findings,
    fold_symptoms,
    holds_file,
    make_by_row,
    make_finding,
    shared_text,
)
from piperoll.model import (
    Address,
    Body,
    Dataset,
    Disposition,
    Finding,
    Period,
    PrivacyDecision,
    Register,
    Report,
    Severity,
    Verdict,
    Version,
    What,
)
from piperoll.reading import Reading


@dataclass(frozen=True)
class Examination:
    """A report, what happens to each row, and the period and part that were found.

    `period` is None if there is none to find: the report then holds the submission (`period-unknown`).
    """

    reading: Reading
    report: Report
    disposition: Disposition
    period: Period | None
    part: str | None


@dataclass(frozen=True, slots=True)
class _GivenFacts:
    """What is known of a submission before it is examined."""

    file: str
    sha256: str
    size: int
    body: Body
    period: Period | None
    part: str | None
    standing: Version | None
    suite: str | None
    engine: CheckEngine
    kind: str | None
    register: Register | None
    decided: Decided

    def find_kind(self, tables: Sequence[ExaminedTable], dataset: Dataset | None) -> BodyKind:
        """The kind of body that sends the file, if it is known."""
        return find_body_kind(self.body, self.kind, [table.survey for table in tables], dataset, self.register)


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
    kind: str | None = None,
    register: Register | None = None,
    decisions: Iterable[PrivacyDecision] = (),
) -> Examination:
    """Examine what was read of `file`. The same arguments always give the same examination.

    `size` is in bytes. `period` and `part` are what was given with the file. `standing` is the published version of the
    series, if there is one. `suite` is the dataset's Great Expectations suite as JSON text; without it, or with
    `plausibility` False, expectations are not checked. `engine` applies them and the rules of the schema. `kind` is the
    kind of body as given with the file; without it, the body's own, or that of a body that the file names and
    `register` (without it, ours) has.

    Raises: ConservationError: rows or pounds do not add up. DescriptorError: our own schema, suite or list is wrong.
    """
    given = _GivenFacts(
        file,
        sha256,
        size,
        body,
        period,
        part or reading.part,
        standing,
        suite if plausibility else None,
        engine,
        kind,
        register,
        Decided(decisions),
    )
    dataset = reading.dataset
    if reading.what is What.NIL_RETURN and dataset is None:
        # what the file would have held is in neither its headings nor its records
        found, about_period = find_period_of_nil_return(file, reading.names, period)
        verdict = Verdict.NIL if found else Verdict.HELD
        return _conclude(reading, given, (), (*reading.findings, *about_period), verdict, found)
    if reading.what is What.NIL_RETURN and dataset is not None:
        # like any other file, a return that says there was nothing to report needs a period
        tables = examine_tables(reading.tables, dataset, period_known=True, engine=engine)
        found, about_period = find_period((), (), dataset, file, period, reading.names)
        verdict = Verdict.NIL if found else Verdict.HELD
        about_period += find_period_outside_life(body, found, register)
        return _conclude(reading, given, tables, (*reading.findings, *about_period), verdict, found)
    if reading.what is not What.DATA or dataset is None or not reading.tables:
        findings = reading.findings
        if not any(finding.severity is Severity.ERROR for finding in findings):
            reason = reading.why and reading.why.replace("_", " ")
            variant = "explained" if reason else "unexplained"
            findings = (*findings, make_finding("not-data", variant=variant, reason=reason))
        return _conclude(reading, given, (), findings, Verdict.REJECTED, given.period)
    return _examine_data(reading, dataset, given)


def hold_file(examination: Examination, finding: Finding) -> Examination:
    """Add a finding that holds the whole file, after all others."""
    report = examination.report
    return replace(examination, report=replace(report, verdict=Verdict.HELD, findings=(*report.findings, finding)))


def add_findings(examination: Examination, findings: Sequence[Finding]) -> Examination:
    """Add findings, each where it belongs in the report, and hold the file if one of them does."""
    report = examination.report
    ordered = order_findings((*report.findings, *findings), [table.sheet for table in report.tables])
    verdict = report.verdict
    if any(holds_file(finding.code) for finding in findings):
        verdict = Verdict.HELD
    elif verdict is Verdict.ACCEPTED:
        verdict = _accepting_verdict(ordered)
    return replace(examination, report=replace(report, verdict=verdict, findings=cap_findings(ordered)))


def order_findings(findings: Sequence[Finding], sheets: Sequence[str | None]) -> list[Finding]:
    """Order findings: about the file, then sheet by sheet, with those about columns before the rows in order.

    `sheets` are those of the tables in order. A finding that counts many more rows comes after the rows that are named.
    """
    named_by_row = {(finding.code, finding.sheet, finding.field) for finding in findings if finding.row is not None}

    def key(finding: Finding) -> tuple[int, float]:
        if finding.sheet is None and finding.row is None and finding.field is None:
            return -1, 0
        number = sheets.index(finding.sheet) if finding.sheet in sheets else len(sheets)
        counts_the_rest = finding.row is None and (finding.code, finding.sheet, finding.field) in named_by_row
        return number, math.inf if counts_the_rest else finding.row or 0

    return sorted(findings, key=key)


def _examine_data(reading: Reading, dataset: Dataset, given: _GivenFacts) -> Examination:
    period_known = given.period is not None or name_gives_period(reading.tables, dataset, given.file)
    tables = examine_tables(
        reading.tables, dataset, period_known=period_known, engine=given.engine, decided=given.decided
    )
    totals = [table.totals for table in tables]
    require_conservation(reading.tables, totals)
    known = given.find_kind(tables, dataset)
    from_tables = [
        finding
        for each in tables
        for finding in (*find_gaps(each.table, each.survey, dataset, known, given.part), *each.findings)
    ]
    core_missing = {(finding.sheet, finding.field) for finding in from_tables if finding.code == "core-missing"}
    from_reading = [
        finding
        for finding in reading.findings
        # `core-missing` reports the column and what follows from its absence
        if finding.code != "column-not-found" or (finding.sheet, finding.field) not in core_missing
    ]
    found = (*from_reading, *_find_how_kind_is_known(known, dataset), *from_tables)
    findings = _join_unreadable(found, dataset)
    if all(table.lacks_core for table in tables):
        return _conclude(reading, given, tables, findings, Verdict.REJECTED, given.period)

    surveys = [table.survey for table in tables]
    period, about_period = find_period(reading.tables, surveys, dataset, given.file, given.period)
    findings += [*about_period, *find_period_outside_life(given.body, period, given.register)]
    if period and not dataset.snapshot:  # the dates of a snapshot are about other things
        for table in tables:
            findings += find_dates_outside(table.table, table.survey, dataset, period)
            findings += find_early_end(table.table, table.survey, dataset, period)
    for table in tables:
        findings += find_below_threshold(table.table, dataset, given.file)
        findings += find_rows_missing(table.table)
    if given.suite is not None:
        read = [table.table for table in tables]
        for unmet in find_unmet_expectations(read, dataset, given.suite, given.engine):
            findings += _expectation_findings(unmet, tables)
    if given.standing is not None:
        findings += find_far_more_than_published(totals, given.standing)
    rows_read = sum(each.rows.read for each in totals)
    if not rows_read:
        findings.append(make_finding("no-rows"))
    if zeros := find_only_zeros(reading.tables, totals, dataset):
        findings.append(zeros)
    elif too_much := find_too_much_held(totals, sum(table.held_not_for_privacy for table in tables)):
        findings.append(too_much)
    elif rows_read and not any(each.rows.accepted for each in totals):
        findings.append(make_finding("nothing-to-publish", rows=rows_read))
    held = any(holds_file(finding.code) for finding in findings)
    verdict = Verdict.HELD if held else _accepting_verdict(findings)
    return _conclude(reading, given, tables, findings, verdict, period)


_CELL_UNREADABLE = frozenset(
    ["amount-unreadable", "cell-error", "cell-unreadable", "date-unreadable", "number-unreadable"]
)
"""The findings of reading that quote a cell that cannot be read."""


def _join_unreadable(findings: Sequence[Finding], dataset: Dataset) -> list[Finding]:
    """Report a cell that cannot be read once: where a finding quotes it, that one says that its row is held."""
    held = {
        (each.sheet, each.field, row)
        for each in findings
        if each.code == "core-unreadable"
        for row in each.rows or (each.row,)
    }
    quoted: set[tuple[str | None, str | None, int | None]] = set()
    joined: list[Finding] = []
    for finding in findings:
        cells = {(finding.sheet, finding.field, row) for row in finding.rows or (finding.row,)}
        if finding.code in _CELL_UNREADABLE and finding.row is not None and cells <= held:
            quoted |= cells
            message = f"{finding.message} {shared_text('held', 'message', count=finding.count)}"
            joined.append(replace(finding, severity=Severity.ERROR, message=message))
        elif finding.code != "core-unreadable":
            joined.append(finding)
    for finding in findings:
        if finding.code == "core-unreadable":
            title = dataset.field(finding.field or "").title.lower()
            make = partial(_make_core_unreadable, finding.address, title)
            left = {row for row in finding.rows or (finding.row,) if (finding.sheet, finding.field, row) not in quoted}
            joined += make_by_row([row for row in left if row is not None], make)
    return joined


def _make_core_unreadable(of: Address, title: str, rows: Address) -> Finding:
    at = replace(of, row=rows.row, line=of.line if rows.row == of.row else None, rows=rows.rows)
    return make_finding("core-unreadable", at, title=title)


def _find_how_kind_is_known(known: BodyKind, dataset: Dataset) -> tuple[Finding, ...]:
    """Say how the file shows the kind of body, or that we do not know it; nothing if it is given or registered."""
    if not any(is_duty(field) for field in dataset.fields):
        return ()
    if known.kind is None:
        return (make_finding("kind-unknown"),)
    if known.source == "file":
        variant, kind = "title" if known.heading is None else "column", shared_text("kind-of-body", known.kind)
        return (make_finding("kind-from-file", variant=variant, kind=kind, heading=known.heading),)
    return ()


def _expectation_findings(unmet: UnmetExpectation, tables: Sequence[ExaminedTable]) -> tuple[Finding, ...]:
    """One finding for the rows that do not meet the expectation, or for the whole table if it is about that."""

    def make(variant: str, address: Address) -> Finding:
        message = shared_text("expectation", variant, address, message=unmet.message, observed=unmet.observed)
        count = max(1, len(address.rows))
        return Finding(unmet.code, unmet.severity, message, unmet.fix, count=count, **address.values())

    if not unmet.rows:
        home = next((each.table for each in tables if unmet.field in each.table.columns), tables[0].table)
        return (make("table" if unmet.observed is None else "table-with-value", address_in(home, unmet.field)),)
    findings = CappedFindings()
    for number, row in unmet.rows:
        address = address_in(tables[number].table, unmet.field, row)
        findings.add(number, address.column, address, partial(make, "row"))
    return findings.findings()


def _conclude(
    reading: Reading,
    given: _GivenFacts,
    tables: Sequence[ExaminedTable],
    findings: Sequence[Finding],
    verdict: Verdict,
    period: Period | None,
) -> Examination:
    withheld, about_labels = _withhold_labels(reading, given.file, tables, findings)
    if about_labels and verdict is Verdict.ACCEPTED:
        verdict = Verdict.ACCEPTED_WITH_WARNINGS
    ordered = order_findings((*findings, *about_labels), [table.sheet for table in reading.tables])
    listed = cap_findings(fold_symptoms(ordered))
    known = given.find_kind(tables, reading.dataset)
    dates_compared = period is not None and reading.dataset is not None and not reading.dataset.snapshot
    report = Report(
        file=given.file,
        sha256=given.sha256,
        bytes=given.size,
        dataset=reading.dataset.name if reading.dataset else None,
        format=reading.format,
        encoding=reading.encoding,
        what=reading.what,
        verdict=verdict,
        period=str(period) if period else None,
        part=given.part,
        tables=tuple(table.report for table in tables),
        findings=listed,
        passed=tuple(checks_passed(tables, ordered, given.body, known.kind, dates_compared=dates_compared)),
        kind=known.kind,
        kind_source=known.source,
        mapping_version=reading.mapping_version,
        held_values=tuple(value for table in tables for value in table.held_values),
        decided=dict(sum((Counter(table.decided) for table in tables), Counter())),
    )
    disposition = Disposition(
        held={number: each.held for number, each in enumerate(tables) if each.held},
        redacted={number: each.redacted for number, each in enumerate(tables) if each.redacted},
        blanked={number: each.blanked for number, each in enumerate(tables) if each.blanked},
        cut={number: each.cut for number, each in enumerate(tables) if each.cut},
        withheld=withheld,
        quotable=quote_headings(listed, [reading.dataset.name] if reading.dataset else assets.dataset_names()),
    )
    return Examination(reading, report, disposition, period, given.part)


def _withhold_labels(
    reading: Reading, file: str, tables: Sequence[ExaminedTable], findings: Iterable[Finding]
) -> tuple[dict[str, str], list[Finding]]:
    """What is published in place of names of files, sheets and headings that name a person; and a finding for each."""
    quoting = [finding for finding in findings if not finding.private]
    sheets = [table.sheet for table in reading.tables] + [finding.sheet for finding in quoting]
    headings = {
        (table.sheet, table.letter(name)): heading
        for table in reading.tables
        for name, heading in table.columns.items()
    }
    labels = Labels(
        file=file,
        member=reading.member,
        sheets=tuple(dict.fromkeys(sheet for sheet in sheets if sheet)),
        headings=headings,
        quoting=quoting,
    )
    return withhold_labels(labels, tables[0].held_names if tables else HeldNames())


def _accepting_verdict(findings: Iterable[Finding]) -> Verdict:
    if any(finding.severity is not Severity.INFO for finding in findings):
        return Verdict.ACCEPTED_WITH_WARNINGS
    return Verdict.ACCEPTED
