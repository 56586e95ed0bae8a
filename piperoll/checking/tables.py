"""One table examined: what is found in it, which rows are held, and what it adds up to."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from piperoll.checking import findings
from piperoll.checking.capping import Capped
from piperoll.checking.columns import gaps, missing_core, unreadable_core
from piperoll.checking.engine import CheckEngine
from piperoll.checking.places import place
from piperoll.checking.privacy.rows import Privacy, Suspecting, Suspicion
from piperoll.checking.rows import ByRow, Labels, Rows
from piperoll.checking.schema import Breach, find_breaches
from piperoll.checking.survey import Survey, Surveying, look_over
from piperoll.checking.tally import Tally, tally
from piperoll.model import Body, ColumnScore, Dataset, Field, Finding, TableReport
from piperoll.reading import ReadTable, letter


@dataclass(frozen=True)
class Examined:
    """One table's findings and what becomes of its rows, as Disposition words it."""

    table: ReadTable
    findings: tuple[Finding, ...]
    held: ByRow[frozenset[str]]
    redacted: ByRow[str]
    blanked: ByRow[frozenset[str]]
    tally: Tally
    seen: Survey
    counting: int
    """How many rows are held for some other reason than privacy."""
    lacks_core: bool = False
    """Whether a core group has no column: the table is then no use."""

    @property
    def report(self) -> TableReport:
        """The table as the report has it."""
        return TableReport(
            sheet=self.table.sheet,
            header_row=self.table.header_row,
            header_line=self.table.header_line,
            columns=dict(self.table.columns),
            column_letters=dict(self.table.column_letters),
            rows=self.tally.rows,
            amount=self.tally.amount,
            date=self.tally.date,
            column_scores=_scores(self.table),
        )


def _scores(table: ReadTable) -> dict[str, ColumnScore]:
    return {
        name: ColumnScore(
            score=choice.score,
            runner_up=None if choice.runner_up is None else letter(choice.runner_up),
            runner_up_score=choice.runner_up_score,
            how=choice.how,
            why=choice.why,
        )
        for name, choice in table.choices.items()
    }


def examine_table(
    table: ReadTable, dataset: Dataset, body: Body, *, period_given: bool, engine: CheckEngine = CheckEngine.COMPILED
) -> Examined:
    """`table` examined by itself: columns, structure, privacy.

    `period_given` also where a name says the period.
    """
    surveying, suspecting = Surveying(table, dataset), Suspecting(table, dataset)
    look_over(table, surveying, suspecting)
    seen, private = surveying.survey(), suspecting.privacy()
    absent = missing_core(table, dataset, period_given=period_given)
    fates = _Fates()
    if absent:
        fates.held.add("core-missing", seen.rows.numbers)
    said = [*absent, *gaps(table, dataset, body, seen), *_of_columns(private, table, dataset)]
    said += _unreadable(table, dataset, seen, fates)
    said += _breaches(table, dataset, engine, fates)
    said += _suspected(private, table, fates)
    held, blanked = fates.held.by_row(), fates.blanked.by_row()
    counting = held.rows_where([not all(map(_is_private, codes)) for codes in held.different])
    return Examined(
        table=table,
        findings=tuple(said),
        held=held,
        redacted=private.redacted.without(held),
        blanked=blanked.without(held),
        tally=tally(table, dataset, held, counting, seen),
        seen=seen,
        counting=len(counting),
        lacks_core=bool(absent),
    )


@dataclass
class _Fates:
    """What becomes of rows, while it is gathered: the codes that hold them, the fields that are left out."""

    held: Labels = field(default_factory=Labels)
    blanked: Labels = field(default_factory=Labels)


def _unreadable(table: ReadTable, dataset: Dataset, seen: Survey, fates: _Fates) -> tuple[Finding, ...]:
    said, rows = Capped(), array("q")
    for row, name in unreadable_core(table, seen):
        said.add(name, partial(_core_unreadable, dataset.field(name), table, row))
        rows.append(row)
    fates.held.add("core-unreadable", np.frombuffer(rows, np.int64))
    return said.findings()


def _core_unreadable(field: Field, table: ReadTable, row: int) -> Finding:
    return findings.core_unreadable(field, place(table, field.name, row))


def _breaches(table: ReadTable, dataset: Dataset, engine: CheckEngine, fates: _Fates) -> tuple[Finding, ...]:
    """A breach of a core field, or of what every row must have, holds the row; any other leaves out the cell."""
    said = Capped()
    held: dict[str, array[int]] = {}
    blanked: dict[str, array[int]] = {}
    unreadable = {name: Rows(rows) for name, rows in table.unreadable.items()}
    for breach in find_breaches(table, dataset, engine):
        if breach.rule == "required" and breach.row in unreadable.get(breach.field, ()):
            continue  # reading has said so, and the row is held for it
        holds = breach.rule == "required" or breach.field in dataset.core_fields
        said.add((breach.kind, breach.field), partial(_breach, breach, table, dataset, holds=holds))
        label, rows = (f"structure-{breach.kind}", held) if holds else (breach.field, blanked)
        rows.setdefault(label, array("q")).append(breach.row)
    for labels, gathered in ((fates.held, held), (fates.blanked, blanked)):
        for label, rows_of in gathered.items():
            labels.add(label, np.frombuffer(rows_of, np.int64))
    return said.findings()


def _breach(breach: Breach, table: ReadTable, dataset: Dataset, *, holds: bool) -> Finding:
    where = place(table, breach.field, breach.row, breach.line)
    return findings.breach(breach, dataset.field(breach.field), where, holds=holds)


def _of_columns(found: Privacy, table: ReadTable, dataset: Dataset) -> Iterator[Finding]:
    not_due = Rows()
    for name, rows in found.not_due.items():
        yield findings.name_not_due(dataset.field(name), place(table, name), len(rows))
        not_due.add(rows.numbers)
    if own := len(found.redacted.without(not_due)):
        supplier = next(
            field.name for field in dataset.fields if field.privacy == "name" and field.name in table.columns
        )
        yield findings.redacted(place(table, supplier), own)


def _suspected(found: Privacy, table: ReadTable, fates: _Fates) -> tuple[Finding, ...]:
    said = Capped()
    for suspicion in found.suspicions:
        said.add((suspicion.field, suspicion.rule), partial(_suspicion, suspicion, table))
    for (name, rule), rows in found.held.items():
        said.counted((name, rule), len(rows))
        fates.held.add(f"privacy-{rule}", rows.numbers)
    return said.findings()


def _suspicion(suspicion: Suspicion, table: ReadTable) -> Finding:
    return findings.suspected(suspicion.rule, place(table, suspicion.field, suspicion.row, suspicion.line))


def _is_private(code: str) -> bool:
    return code.startswith("privacy-")
