"""Examine one table by itself: its columns, the cells that cannot be published, personal data, and its totals."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from piperoll.checking.body_kind import BodyKind
from piperoll.checking.engine import CheckEngine
from piperoll.checking.privacy.decisions import Decided
from piperoll.checking.privacy.held_names import HeldNames
from piperoll.checking.privacy.rows import PrivacyResult, PrivacyScreen, finish_screens
from piperoll.checking.row_sets import RowLabels, RowSet, ValueByRow
from piperoll.checking.schema import Breach, find_breaches
from piperoll.checking.survey import (
    TableSurvey,
    TableSurveyor,
    address_in,
    core_columns,
    fields_present,
    is_duty,
    visit_batches,
)
from piperoll.checking.totals import ExaminedTotals, count_table
from piperoll.checking.within_file import LineComparer
from piperoll.findings import CappedFindings, make_by_row, make_finding
from piperoll.model import Address, ColumnScore, Dataset, Finding, HeldValue, Severity, TableReport
from piperoll.reading import ReadTable, letter

_ROWS_NAMED = 10
"""A message about several rows names this many of them; the finding has all."""

_HEADINGS_NAMED = 6
"""A finding about a missing column names this many of the headings that we know for it."""


@dataclass(frozen=True)
class ExaminedTable:
    """One table's findings, its totals and what happens to its rows (as in `Disposition`).

    `held_not_for_privacy` counts the rows held for other reasons than privacy. `decided`
    counts, for each decision by its identifier, the rows of which it changes anything, held for other reasons or not.
    `lacks_core` is True if a core group has no column: no row of the table can then be published.
    """

    table: ReadTable
    findings: tuple[Finding, ...]
    held: ValueByRow[frozenset[str]]
    redacted: ValueByRow[str]
    cut: ValueByRow[frozenset[str]]
    blanked: ValueByRow[frozenset[str]]
    totals: ExaminedTotals
    survey: TableSurvey
    held_not_for_privacy: int
    held_names: HeldNames
    held_values: tuple[HeldValue, ...]
    decided: Mapping[str, int]
    lacks_core: bool = False

    @property
    def report(self) -> TableReport:
        """The table as the report has it."""
        scores = {
            name: ColumnScore(
                score=choice.score,
                runner_up=None if choice.runner_up is None else letter(choice.runner_up),
                runner_up_score=choice.runner_up_score,
                how=choice.how,
                why=choice.why,
            )
            for name, choice in self.table.choices.items()
        }
        return TableReport(
            sheet=self.table.sheet,
            header_row=self.table.header_row,
            header_line=self.table.header_line,
            columns=dict(self.table.columns),
            column_letters=dict(self.table.column_letters),
            rows=self.totals.rows,
            amount=self.totals.amount,
            date=self.totals.date,
            column_scores=scores,
        )


def examine_tables(
    tables: Sequence[ReadTable],
    dataset: Dataset,
    *,
    period_known: bool,
    engine: CheckEngine = CheckEngine.COMPILED,
    decided: Decided = Decided(),  # noqa: B008 - never changed
) -> list[ExaminedTable]:
    """Examine the tables of a file; `period_known` if the period was given with the file, or a name gives it.

    All are screened for personal data before any is concluded: a name that is held in one table is held in all.
    `decided` is what people decided about values of this body and dataset.
    """
    surveys, screens, comparers = [], [], []
    for table in tables:
        surveyor, screen = TableSurveyor(table, dataset), PrivacyScreen(table, dataset, decided)
        comparer = LineComparer(table, dataset)
        visit_batches(table, surveyor, screen, comparer)
        surveys.append(surveyor.survey())
        screens.append(screen)
        comparers.append(comparer)
    return [
        _examine_table(table, dataset, survey, privacy, comparer.result(), period_known=period_known, engine=engine)
        for table, survey, privacy, comparer in zip(tables, surveys, finish_screens(screens), comparers, strict=True)
    ]


def _examine_table(
    table: ReadTable,
    dataset: Dataset,
    survey: TableSurvey,
    privacy: PrivacyResult,
    from_lines: Sequence[Finding],
    *,
    period_known: bool,
    engine: CheckEngine,
) -> ExaminedTable:
    held, blanked = RowLabels(), RowLabels()
    core_missing = list(_find_missing_core(table, dataset, period_known=period_known))
    if core_missing:
        held.add("core-missing", survey.rows.numbers)
    findings = (
        *core_missing,
        *_find_left_out_names(privacy, table, dataset),
        *from_lines,
        *_hold_unreadable(table, dataset, survey, held),
        *_hold_or_blank_breaches(table, dataset, engine, held, blanked),
        *_hold_personal_data(privacy, table, held),
    )
    held_rows, blanked_rows = held.by_row(), blanked.by_row()
    findings = (*findings, *_find_cut_texts(privacy, table, held_rows))
    not_for_privacy = held_rows.rows_where(
        [not all(code.startswith("privacy-") for code in codes) for codes in held_rows.values_used]
    )
    return ExaminedTable(
        table=table,
        findings=findings,
        held=held_rows,
        redacted=privacy.redacted.without(held_rows),
        cut=privacy.cut_fields().without(held_rows),
        blanked=blanked_rows.without(held_rows),
        totals=count_table(table, dataset, held_rows, not_for_privacy, survey),
        survey=survey,
        held_not_for_privacy=len(not_for_privacy),
        held_names=privacy.names,
        held_values=privacy.held_values,
        decided={each: len(rows) for each, rows in privacy.decided.items()},
        lacks_core=bool(core_missing),
    )


def _find_missing_core(table: ReadTable, dataset: Dataset, *, period_known: bool) -> Iterator[Finding]:
    """Yield a finding for each core group that has no column."""
    for group in dataset.missing_core(fields_present(table), period_given=period_known):
        fields = [dataset.field(name) for name in group if name != "@period"]
        names = [field.name for field in fields]
        headings = [heading.heading for heading in dataset.headings if heading.field in names]
        yield make_finding(
            "core-missing",
            Address(table.sheet, field=names[0]),
            variant="no-column-or-period" if "@period" in group else "no-column",
            title=fields[0].title,
            titles=" or ".join(f"'{field.title}'" for field in fields),
            headings=", ".join(headings[:_HEADINGS_NAMED] or [fields[0].title]),
        )


def find_gaps(
    table: ReadTable, survey: TableSurvey, dataset: Dataset, known: BodyKind, part: str | None
) -> Iterator[Finding]:
    """Yield a warning for each column that the body has to send for this part, and that is absent or has gaps.

    Of a core group, the first column that is present counts. If the kind of body is not known, no other column does.
    """
    first_of_core = {group[0] for group in core_columns(table, dataset) if group}
    for field in dataset.fields:
        duty = field.duty(known.kind, part, known.nation) if is_duty(field) else None
        if field.name in table.columns:
            gaps = len(survey.missing.get(field.name, ()))
            counts = duty is not None or field.name in first_of_core
            if counts and gaps and not (field.constraints or {}).get("required"):
                where = address_in(table, field.name)
                marks = survey.marks.get(field.name, {})
                yield make_finding(
                    "cells-missing",
                    where,
                    variant="marked" if marks else "empty",
                    title=field.title,
                    count=gaps,
                    rows=table.rows,
                    marked=sum(marks.values()),
                    marks=" or ".join(f"'{mark}'" for mark in sorted(marks, key=lambda mark: -marks[mark])[:2]),
                )
        elif duty is not None:
            where = Address(table.sheet, field=field.name)
            yield make_finding("duty-column-absent", where, title=field.title, source=duty.clause)


def _find_left_out_names(privacy: PrivacyResult, table: ReadTable, dataset: Dataset) -> Iterator[Finding]:
    """Yield a finding for each column with names that are not due, and one for the redactions of the body itself."""
    not_due = RowSet()
    for name, rows in privacy.not_due.items():
        title = dataset.field(name).title
        where, numbers = address_in(table, name), tuple(rows)
        more = len(numbers) - _ROWS_NAMED
        found = make_finding(
            "privacy-name-not-due",
            where,
            variant="many" if more > 0 else "few",
            title=title,
            count=len(numbers),
            named=", ".join(map(str, numbers[:_ROWS_NAMED])),
            more=more,
        )
        yield replace(found, rows=numbers)
        not_due.add(rows.numbers)
    if redacted_by_body := len(privacy.redacted.without(not_due)):
        names = (field.name for field in dataset.fields if field.privacy == "name" and field.name in table.columns)
        yield make_finding("names-redacted", address_in(table, next(names)), count=redacted_by_body)


def unreadable_core_rows(table: ReadTable, survey: TableSurvey) -> Iterator[tuple[int, str]]:
    """Yield each row in which no cell of a core group can be read though one is filled, and the field of that cell.

    If several cells of the group are filled, it is the last. The rows are in ascending order within each group.
    """
    for names, readable in survey.readable:
        unreadable = [RowSet(table.unreadable.get(name, ())) for name in names]
        union = RowSet()
        for rows in unreadable:
            union.add(rows.numbers)
        held = (union - readable).numbers
        last = np.max([rows.contains(held) * index for index, rows in enumerate(unreadable)], axis=0)
        yield from zip(held.tolist(), (names[index] for index in last.tolist()), strict=True)


def _hold_unreadable(table: ReadTable, dataset: Dataset, survey: TableSurvey, held: RowLabels) -> Iterator[Finding]:
    """Hold each row with a core group that cannot be read."""
    rows_by_field: dict[str, array[int]] = {}
    for row, name in unreadable_core_rows(table, survey):
        rows_by_field.setdefault(name, array("q")).append(row)
    for name, rows in rows_by_field.items():
        held.add("core-unreadable", np.frombuffer(rows, np.int64))
        make = partial(make_finding, "core-unreadable", title=dataset.field(name).title.lower())
        yield from _make_in_column(table, name, rows.tolist(), make)


def _make_in_column(
    table: ReadTable, field: str, rows: Sequence[int], make: Callable[[Address], Finding]
) -> Iterator[Finding]:
    """Make the finding about cells of one column in `rows`."""
    for letter_there, group in _by_letter(table, field, rows):
        yield from make_by_row(group, lambda at: make(replace(at, sheet=table.sheet, column=letter_there, field=field)))  # noqa: B023 - called at once


def _by_letter(table: ReadTable, field: str, rows: Sequence[int]) -> Iterator[tuple[str | None, Sequence[int]]]:
    """The rows by the letter of the column, which changes where the headings do."""
    if not table.later_letters:
        yield table.letter(field), rows
        return
    groups: dict[str | None, list[int]] = {}
    for row in rows:
        groups.setdefault(table.letter(field, row), []).append(row)
    yield from groups.items()


def _hold_or_blank_breaches(
    table: ReadTable, dataset: Dataset, engine: CheckEngine, held: RowLabels, blanked: RowLabels
) -> tuple[Finding, ...]:
    """Hold the row of a breach of a core field, or of what every row must have; of any other, blank the cell."""
    findings = CappedFindings()
    rows_by_label: dict[tuple[bool, str], array[int]] = {}
    unreadable = {name: RowSet(rows) for name, rows in table.unreadable.items()}
    for breach in find_breaches(table, dataset, engine):
        if breach.rule == "required" and breach.row in unreadable.get(breach.field, ()):
            continue  # reading has reported the cell, and the row is held for it
        holds = breach.rule == "required" or breach.field in dataset.core_fields
        address = address_in(table, breach.field, breach.row, breach.line)
        make = partial(_breach_finding, breach, dataset, holds=holds)
        findings.add((breach.kind, breach.field), (breach.rule, breach.sent, address.column), address, make)
        label = f"structure-{breach.kind}" if holds else breach.field
        rows_by_label.setdefault((holds, label), array("q")).append(breach.row)
    for (holds, label), rows in rows_by_label.items():
        (held if holds else blanked).add(label, np.frombuffer(rows, np.int64))
    return findings.findings()


def _breach_finding(breach: Breach, dataset: Dataset, address: Address, *, holds: bool) -> Finding:
    field = dataset.field(breach.field)
    return make_finding(
        f"structure-{breach.kind}",
        address,
        variant="required-marked" if breach.rule == "required" and (breach.sent or "").strip() else breach.rule or "",
        severity=Severity.ERROR if holds else Severity.WARNING,
        value=breach.sent,
        title=field.title,
        type=field.type,
        bound=(breach.bound or "").strip("[]").replace("'", ""),
        holds=int(holds),
    )


def _hold_personal_data(privacy: PrivacyResult, table: ReadTable, held: RowLabels) -> Iterator[Finding]:
    for (name, rule), rows in privacy.held.items():
        held.add(f"privacy-{rule}", rows.numbers)
        yield from _make_in_column(table, name, rows.numbers.tolist(), partial(make_finding, f"privacy-{rule}"))


def _find_cut_texts(privacy: PrivacyResult, table: ReadTable, held: Iterable[int]) -> Iterator[Finding]:
    """Report each text that is left out of a row that is published."""
    held_rows = RowSet(held)
    for (name, rule), rows in privacy.cut.items():
        make = partial(make_finding, "privacy-text-redacted", variant=rule)
        yield from _make_in_column(table, name, (rows - held_rows).numbers.tolist(), make)
