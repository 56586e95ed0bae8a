"""Findings about columns that contradict their headings: shifted, exchanged, without signs, cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Finding
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.columns.assignment import ColumnChoice, Columns
from piperoll.reading.columns.heading_fits import find_contradiction
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.grids.grid import Row, Rows, address_of, cell_at, letter, tidy
from piperoll.reading.tables.classified_rows import ClassifiedRows
from piperoll.reading.tables.sections import Section
from piperoll.reading.tables.table_findings import CreditMarks, PossibleTotal
from piperoll.reading.tables.total_rows import NEAR

_LOOK = 50
"""Rows in which to look for an example."""

_FORMS = r"\b(?:ltd|limited|plc|llp|cic|inc|gmbh)\b"
"""The form of a company, which names of services and categories never have."""
_MANY_FORMS, _NO_FORMS = 0.25, 0.03
_MANY_SUMS = 0.8
"""Share of a column of references that is written as sums of money, if its heading was exchanged with the amount's."""
_ENOUGH = 10
"""In fewer cells, suppliers without a form are chance."""


class SectionColumns(Protocol):
    """What is known of the columns and records of one section."""

    @property
    def columns(self) -> Columns:
        """The columns that were found."""

    @property
    def profiles(self) -> Sequence[ColumnProfile]:
        """What each column holds."""

    @property
    def records(self) -> Rows:
        """The rows that are records."""


def find_contradicted_column(
    part: SectionColumns, choice: ColumnChoice, sheet: str | None, dataset: Dataset
) -> Finding | None:
    """Report a core column whose cells contradict its heading, unless someone has said what the heading means."""
    wanted, moved = dataset.field(choice.field), part.columns.moved
    if choice.how == "answered" or choice.column >= len(part.profiles) or not (moved.certain and part.columns.headings):
        return None
    profile = part.profiles[choice.column]
    variant = find_contradiction(profile, wanted, dataset)
    if variant is None:
        return None
    cells = (tidy(cell_at(row, choice.column)) for row in part.records[:_LOOK])
    value = next(filter(None, cells), "")
    return make_finding(
        "column-contradicts-heading",
        Address(sheet, column=letter(choice.column), field=wanted.name),
        variant=variant,
        value=value,
        heading=choice.heading.strip(),
        field_title=wanted.title.lower(),
    )


def report_shift(columns: Columns, sheet: str | None) -> Finding:
    """Report that all cells of a table stand beside their headings, and where that begins."""
    moved, first = columns.moved, columns.headings[columns.moved.start].strip()
    return make_finding(
        "columns-shifted" if moved.certain else "columns-perhaps-shifted",
        Address(sheet),
        variant="all" if moved.end is None else "some",
        value=first,
        first=first,
        last="" if moved.end is None else columns.headings[moved.end - 1].strip(),
        letter=letter(moved.start),
        side="left" if moved.shift < 0 else "right",
    )


def report_shifted_rows(section: Section, sheet: str | None) -> Finding | None:
    """Report the rows whose cells stand beside their headings."""
    moved, cells = section.shifted, section.heading.cells
    if moved is None:
        return None
    heading = next((cell.strip() for cell in cells[moved.column :] if tidy(cell)), "")
    return make_finding(
        "columns-shifted" if moved.certain else "columns-perhaps-shifted",
        Address(sheet, moved.first, column=letter(moved.column)),
        variant="rows",
        value=heading,
        first=heading,
        letter=letter(moved.column),
        rows_named=f"rows {moved.first:,} to {moved.last:,}",
        side="left" if moved.shift < 0 else "right",
        count=moved.last - moved.first + 1,
    )


def find_exchanged_names(part: SectionColumns, sheet: str | None, dataset: Dataset) -> Iterator[Finding]:
    """Report a column of suppliers without one company beside another column that is full of them."""
    wanted = next(
        (each for each in dataset.fields if each.privacy == "name" and each.name in dataset.core_fields), None
    )
    choice = part.columns.choices.get(wanted.name) if wanted and dataset.amount else None
    if wanted is None or choice is None or choice.how == "answered" or choice.column >= len(part.profiles):
        return
    own = part.profiles[choice.column]
    if own.count < _ENOUGH or own.share_matching(_FORMS) > _NO_FORMS:
        return
    for column, profile in enumerate(part.profiles):
        known = (each for each in part.columns.choices.values() if each.column == column)
        other = next(known, None)
        names = other is not None and dataset.field(other.field).is_name
        if column == choice.column or names or profile.count < _ENOUGH or profile.share_matching(_FORMS) < _MANY_FORMS:
            continue
        heading = part.columns.headings[column].strip() if column < len(part.columns.headings) else ""
        cells = (tidy(cell_at(row, column)) for row in part.records[:_LOOK])
        yield make_finding(
            "columns-perhaps-exchanged",
            Address(sheet, column=letter(choice.column), field=wanted.name),
            variant="names",
            value=next(filter(None, cells), ""),
            heading=choice.heading.strip(),
            field_title=wanted.title.lower(),
            other=letter(column),
            other_heading=heading,
        )
        return


def find_exchanged_amounts(part: SectionColumns, sheet: str | None, lexicon: Lexicon) -> Iterator[Finding]:
    """Report amounts of which none has pence beside a column that is headed as references and full of sums of money."""
    dataset, columns = lexicon.dataset, part.columns
    amount = next((columns.choices[name] for name in dataset.amount if name in columns.choices), None)
    if amount is None or amount.how == "answered" or amount.column >= len(part.profiles):
        return
    own = part.profiles[amount.column]
    if own.count < _ENOUGH or max(own.pence, own.money) > _NO_FORMS:
        return
    for column, (heading, profile) in enumerate(zip(columns.headings, part.profiles, strict=False)):
        meant = [dataset.field(match.field) for match in lexicon.meanings(heading)[:1]]
        if profile.count < _ENOUGH or not any(each.is_identifier for each in meant):
            continue
        if min(profile.numbers, profile.money) > _MANY_SUMS and profile.pence > _MANY_FORMS:
            cells = (tidy(cell_at(row, column)) for row in part.records[:_LOOK])
            yield make_finding(
                "columns-perhaps-exchanged",
                Address(sheet, column=letter(amount.column), field=amount.field),
                variant="amounts",
                value=next((cell for cell in cells if "." in cell or "," in cell), ""),
                heading=amount.heading.strip(),
                field_title=dataset.field(amount.field).title.lower(),
                other=letter(column),
                other_heading=heading.strip(),
            )
            return


def signs_are_proved(signs: CreditMarks, amount: int, rows: ClassifiedRows, total: PossibleTotal | None) -> bool:
    """Return whether a total that does not add up does so once the marked amounts are credits.

    `total` is a record that is named like a total of the others.
    """
    credited = sum((read_amount(cell_at(row, amount)) or Decimal(0) for row in signs.credits), Decimal(0))
    if total is not None:
        stated = read_amount(cell_at(total.row, amount)) or Decimal(0)
        return abs(rows.whole - stated - 2 * credited - stated) <= NEAR
    return any(
        one.kind == "total" and one.amount is not None and not one.proved and abs(one.difference + 2 * credited) <= NEAR
        for one in rows.others
    )


def apply_signs(rows: Rows, signs: CreditMarks, amount: int) -> Rows:
    """Return the rows with a minus sign before the amount of each row that is marked as a credit."""
    credited = {row.number for row in signs.credits}

    def signed(row: Row) -> Row:
        cells = list(row.cells)
        cells[amount] = f"-{tidy(cells[amount])}"
        return Row(row.number, row.line, cells)

    return Rows.of(signed(row) if row.number in credited else row for row in rows)


def find_cut_row(records: Rows, last: Row | None, sheet: str | None) -> Finding | None:
    """Report the last row of a text file if it is a record that ends before all the others do."""
    if len(records) < _ENOUGH or last is None or last.line is None or records[len(records) - 1].number != last.number:
        return None
    widths = records.widths()
    own = len(last.cells)
    if own >= min((width for width in widths if width != own), default=0) or widths[own] > 1 or len(widths) > 2:
        return None
    usual = max(widths)
    return make_finding("row-cut-off", address_of(sheet, last), cells=own, usual=usual)
