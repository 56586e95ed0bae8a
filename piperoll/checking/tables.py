"""One table examined: what is found in it, which rows are held, and what it adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from piperoll.checking import findings
from piperoll.checking.columns import gaps, missing_core, unreadable_core
from piperoll.checking.places import lines_of, place
from piperoll.checking.privacy import Privacy, privacy, rows_by_rule
from piperoll.checking.structure import Breach, breaches
from piperoll.checking.tally import Tally, tally
from piperoll.model import Body, Cap, ColumnScore, Dataset, Finding, TableReport
from piperoll.reading import ReadTable, letter

_MANY = Cap()


@dataclass(frozen=True)
class Examined:
    """One table's findings and what becomes of its rows, as Disposition words it."""

    table: ReadTable
    findings: tuple[Finding, ...]
    held: Mapping[int, frozenset[str]]
    redacted: Mapping[int, str]
    blanked: Mapping[int, frozenset[str]]
    tally: Tally
    lacks_core: bool = False
    """Whether a core group has no column: the table is then no use."""

    @property
    def counting(self) -> frozenset[int]:
        """The rows that are held for some other reason than privacy."""
        return frozenset(row for row, codes in self.held.items() if not all(map(_is_private, codes)))

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


@dataclass
class _Rows:
    """What becomes of rows, while it is gathered."""

    held: dict[int, set[str]] = field(default_factory=dict)
    blanked: dict[int, set[str]] = field(default_factory=dict)

    def hold(self, row: int, codes: Iterable[str]) -> None:
        self.held.setdefault(row, set()).update(codes)


def examine_table(table: ReadTable, dataset: Dataset, body: Body, *, period_given: bool) -> Examined:
    """`table` examined by itself: columns, structure, privacy.

    `period_given` also where a name says the period.
    """
    rows = _Rows()
    absent = missing_core(table, dataset, period_given=period_given)
    said: list[Finding] = [*absent, *gaps(table, dataset, body)]
    if absent:
        rows.held = {row: {"core-missing"} for row, _line in lines_of(table)}
    by_row = [*_MANY.apply(_unreadable(table, dataset, rows)), *_MANY.apply(_breaches(table, dataset, rows))]
    found = privacy(table, dataset)
    for row, codes in rows_by_rule(found.suspicions).items():
        rows.hold(row, codes)
    said += [*_of_columns(found, table, dataset), *by_row, *_MANY.apply(_suspected(found, table))]
    held = {row: frozenset(codes) for row, codes in sorted(rows.held.items())}
    counting = {row for row, codes in held.items() if not all(map(_is_private, codes))}
    return Examined(
        table=table,
        findings=tuple(said),
        held=held,
        redacted={row: kind for row, kind in sorted(found.redacted.items()) if row not in held},
        blanked={row: frozenset(names) for row, names in sorted(rows.blanked.items()) if row not in held},
        tally=tally(table, dataset, held, counting),
        lacks_core=bool(absent),
    )


def _unreadable(table: ReadTable, dataset: Dataset, rows: _Rows) -> Iterator[Finding]:
    for row, finding in unreadable_core(table, dataset):
        rows.hold(row, [finding.code])
        yield finding


def _breaches(table: ReadTable, dataset: Dataset, rows: _Rows) -> Iterator[Finding]:
    """A breach of a core field, or of what every row must have, holds the row; any other leaves out the cell."""
    for breach in breaches(table, dataset):
        if breach.rule == "required" and breach.row in table.unreadable.get(breach.field, ()):
            continue  # reading has said so, and the row is held for it
        holds = breach.rule == "required" or breach.field in dataset.core_fields
        finding = _breach(breach, table, dataset, holds=holds)
        if holds:
            rows.hold(breach.row, [finding.code])
        else:
            rows.blanked.setdefault(breach.row, set()).add(breach.field)
        yield finding


def _breach(breach: Breach, table: ReadTable, dataset: Dataset, *, holds: bool) -> Finding:
    where = place(table, breach.field, breach.row, breach.line)
    return findings.breach(breach, dataset.field(breach.field), where, holds=holds)


def _of_columns(found: Privacy, table: ReadTable, dataset: Dataset) -> Iterator[Finding]:
    for name, rows in found.not_due.items():
        yield findings.name_not_due(dataset.field(name), place(table, name), len(rows))
    not_due = frozenset[int]().union(*found.not_due.values())
    if own := found.redacted.keys() - not_due:
        supplier = next(
            field.name for field in dataset.fields if field.privacy == "name" and field.name in table.columns
        )
        yield findings.redacted(place(table, supplier), len(own))


def _suspected(found: Privacy, table: ReadTable) -> Iterator[Finding]:
    for suspicion in found.suspicions:
        yield findings.suspected(suspicion.rule, place(table, suspicion.field, suspicion.row, suspicion.line))


def _is_private(code: str) -> bool:
    return code.startswith("privacy-")
