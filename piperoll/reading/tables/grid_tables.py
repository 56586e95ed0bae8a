"""Read one grid: its sections, columns, records and batches, and the findings about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from piperoll.findings import cap_findings, make_finding
from piperoll.model import Address, Dataset, Finding, Severity
from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import find_scale
from piperoll.reading.columns.assignment import Columns, assign_columns, find_column_doubts, guess_unnamed
from piperoll.reading.columns.headless import find_guessed_columns, recognise_headless
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import ColumnProfile, profile_columns
from piperoll.reading.grids.grid import Grid, Row, Rows, address_of, cell_at, is_blank, letter, tidy, without_blanks
from piperoll.reading.reading import ExcludedRow, GridReading, ReadTable
from piperoll.reading.tables import nil_returns, table_findings
from piperoll.reading.tables.classified_rows import ClassifiedRows, TableShape, classify_rows
from piperoll.reading.tables.cut_rows import RepairedRows, repair_cut_rows
from piperoll.reading.tables.doubted_columns import (
    apply_signs,
    find_contradicted_column,
    find_cut_row,
    find_exchanged_amounts,
    find_exchanged_names,
    report_shift,
    report_shifted_rows,
    signs_are_proved,
)
from piperoll.reading.tables.group_headings import (
    GroupHeadings,
    exclude_as_headings,
    fill_groups,
    find_group_headings,
)
from piperoll.reading.tables.heading_rows import HeadingRow, find_numbering, find_unknown_headings, words
from piperoll.reading.tables.record_batches import Segment, build
from piperoll.reading.tables.sections import Section, find_sections
from piperoll.reading.tables.shifted_rows import divide_shifted
from piperoll.reading.tables.summary_rows import exclude_proved_totals
from piperoll.reading.tables.total_rows import NOTHING_ABOVE, SumsAbove
from piperoll.reading.tables.wide_tables import WideTable, find_wide

_FEW_BELOW = 30
"""The most rows below a possible total that are assumed to be sums as well."""


@dataclass(frozen=True)
class ExaminedSection:
    """One section with its columns found and its rows classified."""

    section: Section
    columns: Columns
    wide: WideTable | None
    rows: ClassifiedRows
    profiles: Sequence[ColumnProfile]
    repaired: RepairedRows | None = None
    groups: Sequence[GroupHeadings] = ()

    @property
    def records(self) -> Rows:
        """The rows that are records."""
        return self.rows.records

    @cached_property
    def overlong(self) -> Sequence[Row]:
        """The records with more cells than there are columns."""
        if self.section.heading.index < 0:
            return []
        known = (*self.repaired.cut, *self.repaired.beside) if self.repaired else ()
        cut = {row.number: row for row in (*known, *table_findings.find_overlong(self.records, self.columns.headings))}
        return [cut[number] for number in sorted(cut)]

    def amount(self, dataset: Dataset) -> str | None:
        """Return the field that holds the amounts; None if there is none."""
        return next((name for name in dataset.amount if name in self.columns.choices), None)

    def amount_column(self, dataset: Dataset) -> int | None:
        """Return the column of the amounts; None if there is none."""
        name = self.amount(dataset)
        return self.columns.column(name) if name else None

    def nil_table(self, grid: Grid, dataset: Dataset) -> nil_returns.NilTable:
        """Return the rows that can make it a nil return: the titles above it too, but not its headings."""
        others = [*self.section.rows_above(grid), *(excluded.row for excluded in self.rows.others)]
        columns = {name: choice.column for name, choice in self.columns.choices.items()}
        return nil_returns.NilTable.of(self.records, others, columns, dataset)

    def scale(self, dataset: Dataset) -> Decimal:
        """Return the factor that converts amounts as sent to pounds."""
        name = self.amount(dataset)
        return find_scale(self.columns.choices[name].heading) if name else Decimal(1)

    def cut(self, dataset: Dataset) -> Iterator[int]:
        """Yield the numbers of rows whose amounts may belong to another column."""
        column = self.amount_column(dataset)
        sure = {row.number for row in self.repaired.beside} if self.repaired else set()
        for row in self.overlong:
            if column is None or row.number in sure:
                continue
            if table_findings.may_be_cut(row, column, self.columns.headings):
                yield row.number


def examine_section(
    section: Section, lexicon: Lexicon, delimiter: str, above: SumsAbove = NOTHING_ABOVE
) -> ExaminedSection:
    """Find the columns of a section, repair its cut rows and classify every row.

    `above` are the sums of the sections above it.
    """
    cells = section.heading.cells
    width = max(len(cells), section.rows.width)
    seen = profile_columns(section.rows, width)
    wide = find_wide(cells, lexicon.dataset)
    measured = {measure.column for measure in wide.measures} if wide else set()
    own = ["" if column in measured else cell for column, cell in enumerate(cells)]
    columns = assign_columns(own, seen, lexicon, barred=measured, rows=section.rows)
    columns = guess_unnamed(columns, cells, seen, lexicon.dataset)
    columns = Columns(columns.choices, columns.moved, tuple(cells))
    if wide:
        fixed = {*wide.fields, wide.start_field, wide.end_field}
        kept = {name: choice for name, choice in columns.choices.items() if name not in fixed}
        columns = Columns(kept, columns.moved, columns.headings)
    repaired = repair_cut_rows(section.rows, cells, delimiter)
    shape = replace(
        TableShape.of(repaired.rows, columns, lexicon.dataset, sorted(measured)), heading_texts=section.heading_texts
    )
    figures = [column for column, profile in enumerate(seen) if profile.numbers > 0.8 and profile.filled > 0.5]
    rows = exclude_proved_totals(classify_rows(repaired.rows, shape, above), shape, figures)
    part = ExaminedSection(section, columns, wide, rows, seen, repaired)
    if groups := list(find_group_headings(rows, columns, lexicon.dataset)):
        filled = fill_groups(repaired.rows, rows.records, groups)
        part = examine_section(replace(section, rows=filled), lexicon, delimiter, above)
        return replace(part, rows=exclude_as_headings(part.rows, groups), groups=groups)
    amount = part.amount_column(lexicon.dataset)
    if amount is not None and section.signed is None and wide is None:
        signs = table_findings.find_credit_marks(rows.records, columns, amount)
        if signs and signs_are_proved(
            signs, amount, rows, table_findings.possible_total(rows.records, columns, lexicon.dataset)
        ):
            signed = replace(section, rows=apply_signs(section.rows, signs, amount))
            signed = replace(signed, signed=(signs.column, len(signs.credits)))
            return examine_section(signed, lexicon, delimiter, above)
    return part


def read_grid(grid: Grid, lexicon: Lexicon) -> GridReading:
    """Read every table of a grid as the lexicon's dataset; the outcome says why there is none."""
    if all(map(is_blank, grid.rows)) and not grid.headings:
        return GridReading("empty")
    sections = find_sections(grid, lexicon)
    if not sections:
        return _without_headings(grid, lexicon)
    parts = _parts(grid, sections, lexicon)
    if nil := nil_returns.find_nil_return(part.nil_table(grid, lexicon.dataset) for part in parts):
        return GridReading("nil", findings=[nil_returns.nil_return(grid.sheet, nil)])
    # Sections with the same columns are one table; others, and sections side by side, are separate tables.
    groups: list[list[ExaminedSection]] = []
    for part in parts:
        if part.records and groups and _is_same_table(groups[-1][0], part):
            groups[-1].append(part)
        elif part.records:
            groups.append([part])
    if not groups:
        if nil := nil_returns.find_nil_row(without_blanks(grid.rows)):
            return GridReading("nil", findings=[nil_returns.nil_return(grid.sheet, nil)])
        address = Address(sheet=grid.sheet, row=_heading_address(parts[0].section.heading, grid)[0])
        return GridReading("no_records", findings=[make_finding("no-records", address)])
    reading = GridReading("data")
    for group in groups:
        _add_table(reading, group, grid, lexicon)
    if spans := sorted({part.section.span for part in parts if part.section.span and part.records}):
        row = grid.rows[parts[0].section.heading.index].number
        starts = " and ".join(letter(start) for start, _ in spans)
        address = Address(grid.sheet, row)
        reading.findings.insert(0, make_finding("tables-side-by-side", address, tables=len(spans), columns=starts))
    return reading


def _parts(grid: Grid, sections: Sequence[Section], lexicon: Lexicon) -> list[ExaminedSection]:
    """Examine the sections one after the other, the first with the records above its headings.

    The sums of one section continue in the next, unless that is beside it or has little more than the core columns.
    """
    divided = [part for section in sections for part in divide_shifted(section, lexicon)]
    first = examine_section(divided[0], lexicon, grid.delimiter)
    if records := table_findings.find_records_above(grid, divided[0], first.columns, lexicon.dataset):
        titles = divided[0].heading_texts - {words(row.cells) for row in records}
        whole = replace(divided[0], rows=Rows.of(records) + divided[0].rows, heading_texts=titles)
        first = examine_section(whole, lexicon, grid.delimiter)
    parts = [first]
    for section in divided[1:]:
        last = parts[-1]
        goes_on = section.span == last.section.span and not (section.lesser or last.section.lesser)
        parts.append(examine_section(section, lexicon, grid.delimiter, last.rows.below if goes_on else NOTHING_ABOVE))
    return parts


def _is_same_table(one: ExaminedSection, other: ExaminedSection) -> bool:
    if other.section.continues:
        return True
    if one.section.span != other.section.span or one.section.lesser or other.section.lesser:
        return False
    return set(one.columns.choices) == set(other.columns.choices)


def _add_table(reading: GridReading, group: Sequence[ExaminedSection], grid: Grid, lexicon: Lexicon) -> None:
    dataset, first = lexicon.dataset, group[0]
    cut = frozenset(number for part in group for number in part.cut(dataset))
    segments = [Segment(part.records, part.columns, part.wide, cut) for part in group]
    reading.findings += _about_headings(group, grid, first.amount(dataset), first=not reading.tables)
    reading.findings += _about_columns(first, grid.sheet, lexicon)
    reading.findings += [found for part in group if (found := report_shifted_rows(part.section, grid.sheet))]
    amounts = table_findings.AmountColumn(first.amount(dataset), first.amount_column(dataset))
    reading.findings += table_findings.find_row_findings([part.rows for part in group], grid.sheet, amounts)
    for part in group:
        reading.findings += cap_findings(_doubts(part, grid, lexicon))
    titles = first.section.find_titles(grid)
    built = build(segments, dataset, grid.sheet, (*grid.names, *titles), grid.proofs)
    reading.findings += built.findings
    reading.date_proofs = (reading.date_proofs[0] + built.proofs[0], reading.date_proofs[1] + built.proofs[1])
    reading.order_unproved |= built.order_unproved
    headings, letters = _named(first)
    for part in group[1:]:  # rows that are shifted may have a column that the first rows lack
        headings, letters = {**_named(part)[0], **headings}, {**_named(part)[1], **letters}
    number, line = _heading_address(first.section.heading, grid)
    reading.tables.append(
        ReadTable(
            sheet=grid.sheet,
            header_row=number,
            header_line=line,
            columns=headings,
            column_letters=letters if grid.headings is None or grid.sheet is not None else {},
            rows=sum(len(segment.records) for segment in segments),
            excluded_rows=tuple(_excluded(group, dataset)),
            unreadable={name: tuple(rows) for name, rows in built.unreadable.items()},
            stored=built.batches,
            wide=first.wide.fields if first.wide else (),
            later_letters=tuple(_later(group, letters)),
            choices=first.columns.choices,
            titles=titles,
        )
    )


def _heading_address(heading: HeadingRow, grid: Grid) -> tuple[int, int | None]:
    return (0, None) if heading.index < 0 else (grid.rows[heading.index].number, grid.rows[heading.index].line)


def _named(part: ExaminedSection) -> tuple[dict[str, str], dict[str, str]]:
    headings = {name: choice.heading for name, choice in part.columns.choices.items()}
    letters = {name: letter(choice.column) for name, choice in part.columns.choices.items()}
    for name in part.wide.fields if part.wide else ():
        latest = part.wide.latest(name) if part.wide else None
        if latest:
            headings[name], letters[name] = latest.heading, letter(latest.column)
    return headings, letters


def _later(group: Sequence[ExaminedSection], letters: Mapping[str, str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row from which on the columns have other letters, and the letters."""
    for part in group[1:]:
        own = _named(part)[1]
        if own != letters and part.section.rows:
            letters = own
            yield part.section.rows[0].number, own


def _excluded(group: Sequence[ExaminedSection], dataset: Dataset) -> Iterable[ExcludedRow]:
    for number, part in enumerate(group):
        if number and part.section.heading.index >= 0 and not part.section.continues:
            first = part.section.rows[0].number if part.section.rows else part.section.heading.index + 2
            yield ExcludedRow(first - 1, None, "repeated_header")
        for excluded in part.rows.others:
            pounds = None if excluded.amount is None else excluded.amount * part.scale(dataset)
            yield ExcludedRow(excluded.row.number, excluded.row.line, excluded.kind, pounds)


def _about_headings(group: Sequence[ExaminedSection], grid: Grid, amount: str | None, *, first: bool) -> list[Finding]:
    heading, found = group[0].section.heading, list[Finding]()
    if heading.index < 0:
        return []
    row = grid.rows[heading.index]
    if group[0].section.below:
        # Count the titles above the records.
        start = group[0].section.rows[0].number
        above = [each for each in grid.rows[: heading.start] if each.number < start and not is_blank(each)]
        found += [_preamble_left_out(grid.sheet, len(above), row.number)] if above else []
        found.append(make_finding("headings-at-end", Address(grid.sheet, row.number, row.line)))
    elif first:
        # Records from above the headings come first.
        read = {own.number for own in group[0].section.rows[: heading.index]}
        rows = [other for other in grid.rows[: heading.start] if not is_blank(other)]
        above = [other for other in rows if other.number not in read]
        if len(above) < len(rows):
            address, count = Address(grid.sheet, row.number), len(rows) - len(above)
            found.append(make_finding("records-above-headings", address, count=count))
        if above:
            found.append(_preamble_left_out(grid.sheet, len(above), row.number))
    if heading.extra or heading.after:
        last = grid.rows[heading.end - 1].number
        address = Address(grid.sheet, last)
        found.append(make_finding("headings-in-several-rows", address, rows=heading.end - heading.start))
    if group[0].section.lesser:
        records = sum(len(part.records) for part in group)
        address = Address(grid.sheet, row.number, field=amount)
        found.append(make_finding("table-perhaps-summary", address, count=records))
    for part in group[1:]:
        if part.section.continues:
            continue
        later = grid.rows[part.section.heading.index]
        found.append(make_finding("headings-changed", Address(grid.sheet, later.number, later.line)))
    return found


def _preamble_left_out(sheet: str | None, rows: int, heading_row: int) -> Finding:
    return make_finding("preamble-left-out", Address(sheet), count=rows, heading_row=heading_row)


def _about_columns(part: ExaminedSection, sheet: str | None, lexicon: Lexicon) -> list[Finding]:
    dataset, columns, found = lexicon.dataset, part.columns, []
    if columns.moved.shift:
        found.append(report_shift(columns, sheet))
    for choice in columns.choices.values():
        contradiction = find_contradicted_column(part, choice, sheet, dataset)
        doubts = find_column_doubts(choice, sheet, lexicon, headed=bool(columns.headings))
        found += [each for each in doubts if not contradiction or each.code != "column-unlike-heading"]
        found += [contradiction] if contradiction else []
    found_fields = {*columns.choices}
    if part.wide:
        found_fields |= {*part.wide.fields, part.wide.start_field, part.wide.end_field}
    for group in dataset.missing_core(found_fields, period_given=False):
        wanted = [dataset.field(name) for name in group if name != "@period"]
        examples = [heading.heading for heading in dataset.headings if heading.field in group][:6]
        found.append(
            make_finding(
                "column-not-found",
                Address(sheet, field=wanted[0].name),
                severity=Severity.WARNING if "@period" in group else Severity.ERROR,
                titles=table_findings.quote_list([field.title.lower() for field in wanted], "or"),
                headings=table_findings.quote_list(examples, "or"),
            )
        )
    measured = {measure.column for measure in part.wide.measures} if part.wide else set()
    unused = [
        column
        for column, heading in enumerate(columns.headings[: len(part.profiles)])
        if column not in columns.used | measured and tidy(heading) and part.profiles[column].filled
    ]
    return [*found, *_find_unused(unused, columns, sheet)]


_COLUMNS_NAMED = 6
"""A finding about several columns names this many."""


def _find_unused(unused: Sequence[int], columns: Columns, sheet: str | None) -> Iterator[Finding]:
    """Yield a finding for each column that repeats the heading of one in use, and one for all others of `unused`."""
    in_use = {bare(heading): column for column, heading in enumerate(columns.headings) if column in columns.used}
    others = []
    for column in unused:
        heading = columns.headings[column]
        other = in_use.get(bare(heading))
        if other is None:
            others.append(column)
            continue
        address = Address(sheet, column=letter(column))
        text = heading.strip()
        yield make_finding("column-repeated", address, value=heading, heading=text, other=letter(other))
    if others:
        named = [f"{letter(column)} ('{columns.headings[column].strip()}')" for column in others[:_COLUMNS_NAMED]]
        left = len(others) - len(named)
        listed = named if not left else [*named, f"{left:,} more"]
        yield make_finding(
            "column-not-mapped",
            Address(sheet, column=letter(others[0])),
            value=columns.headings[others[0]],
            count=len(others),
            columns=" and ".join([", ".join(listed[:-1]), listed[-1]] if listed[1:] else listed),
        )


_PENCE = 0.3
"""Amounts in thousands hardly ever have two digits after the point in a larger share of cells."""


def _doubts(part: ExaminedSection, grid: Grid, lexicon: Lexicon) -> Iterator[Finding]:
    """Yield findings about what may be wrong although every cell can be read."""
    dataset = lexicon.dataset
    amount, columns, sheet = part.amount(dataset), part.columns, grid.sheet
    for group in part.groups:
        address = address_of(sheet, group.rows[0], group.column, group.field)
        heading = columns.headings[group.column].strip()
        yield make_finding(
            "group-headings-read", address, count=group.records, headings=len(group.rows), heading=heading
        )
    for each in part.repaired.mends if part.repaired else ():
        address = Address(sheet, each.row.number, each.row.line, letter(each.column))
        yield make_finding("row-mended", address, value=each.value, text=each.value.strip())
    for row in part.overlong:
        address, usual = address_of(sheet, row, field=amount), len(columns.headings)
        yield make_finding("row-too-long", address, cells=len(row.cells), usual=usual)
    above = [] if part.section.below else grid.rows[: max(part.section.heading.index, 0)]
    titles_and_notes = [*above, *(excluded.row for excluded in part.rows.others if excluded.kind == "note")]
    if amount and part.scale(dataset) == 1 and (unit := table_findings.find_unit_outside(titles_and_notes)):
        row, wording = unit
        column = part.amount_column(dataset)
        pence = column is not None and column < len(part.profiles) and part.profiles[column].pence > _PENCE
        address = address_of(sheet, row, field=amount)
        if pence:  # amounts in pounds and pence: the title is about something else
            yield make_finding("amount-unit-doubtful", address, variant="title", value=wording)
        else:
            yield make_finding("amounts-perhaps-in-thousands", address, value=wording)
    where = part.amount_column(dataset)
    yield from find_exchanged_names(part, sheet, dataset)
    yield from find_exchanged_amounts(part, sheet, lexicon)
    last = part.section.rows[len(part.section.rows) - 1] if part.section.rows else None
    if cut := find_cut_row(part.records, last, sheet):
        yield cut
    if part.section.signed and amount:
        column, count = part.section.signed
        heading = columns.headings[column].strip()
        yield make_finding(
            "amount-signs-applied", Address(sheet, column=letter(column), field=amount), count=count, heading=heading
        )
    if amount and where is not None and (signs := table_findings.find_credit_marks(part.records, columns, where)):
        address = address_of(sheet, signs.credits[0], signs.column, amount)
        heading = columns.headings[signs.column].strip()
        yield make_finding("amount-sign-beside", address, count=len(signs.credits), heading=heading)
    for name, choice in columns.choices.items():
        wanted = dataset.field(name)
        if wanted.is_identifier and (rows := table_findings.find_damaged_references(part.records, choice.column)):
            value = cell_at(rows[0], choice.column)
            address = address_of(sheet, rows[0], choice.column, wanted.name)
            text, title = value.strip(), wanted.title.lower()
            yield make_finding("reference-damaged", address, value=value, count=len(rows), text=text, title=title)
    if total := table_findings.possible_total(part.records, columns, dataset):
        value, below = cell_at(total.row, total.column), total.below
        few = 0 < below.count <= _FEW_BELOW
        yield make_finding(
            "possible-total-rows",
            address_of(sheet, total.row, total.column, total.field),
            variant="rows-below" if few else "plain",
            value=value,
            text=value.strip(),
            span=f"row {below.first}" if below.count == 1 else f"rows {below.first} to {below.last}",
            below=below.count,
            more=below.count + 1,
            left=below.records - 1 - (below.count if few else 0),
            records=below.records,
        )


def _without_headings(grid: Grid, lexicon: Lexicon) -> GridReading:
    rows = without_blanks(grid.rows)
    if nil := nil_returns.find_nil_row(rows):
        return GridReading("nil", findings=[nil_returns.nil_return(grid.sheet, nil)])
    if sum(1 for row in rows[:2] for cell in row.cells if tidy(cell)) < 2:
        return GridReading("stray_cell")
    heading = find_unknown_headings(grid) or find_numbering(grid) or HeadingRow(-1, (), frozenset(), 0.0)
    section = Section(heading, grid.rows[heading.end :])
    seen = profile_columns(section.rows, grid.width)
    columns = recognise_headless(seen, len(without_blanks(section.rows)), lexicon.dataset)
    if columns is None:
        return GridReading("no_table")
    columns = columns.under(heading.cells)
    shape = TableShape.of(section.rows, columns, lexicon.dataset)
    part = ExaminedSection(
        section, columns, None, exclude_proved_totals(classify_rows(section.rows, shape), shape), seen
    )
    reading = GridReading("data")
    titles = [lexicon.dataset.field(name).title.lower() for name in columns.choices]
    if heading.cells:
        row = grid.rows[heading.index]
        unknown = ", ".join(f"'{' '.join(cell.split())}'" for cell in heading.cells if cell.strip())
        address = Address(grid.sheet, row.number)
        reading.findings.append(make_finding("headings-unknown", address, headings=unknown, titles=", ".join(titles)))
    else:
        place = f"sheet '{grid.sheet.strip()}'" if grid.sheet else "the file"
        address = Address(grid.sheet)
        reading.findings.append(
            make_finding("headings-missing", address, place=place, titles=table_findings.quote_list(titles))
        )
        reading.findings += find_guessed_columns(columns, seen, lexicon.dataset, grid.sheet)
    _add_table(reading, [part], grid, lexicon)
    return reading
