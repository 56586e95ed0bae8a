"""One section of a grid examined: its columns found, its cut rows mended, each row judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from piperoll.model import Dataset
from piperoll.reading.cells.amounts import scale_of
from piperoll.reading.columns.assigning import Columns, assign, guess_unnamed
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import Profile, profiles
from piperoll.reading.grids.grid import Row, Rows
from piperoll.reading.tables.doubts import may_be_cut, overlong
from piperoll.reading.tables.judging import Judgement, judge
from piperoll.reading.tables.ragged import Mended, mend
from piperoll.reading.tables.records import Shape
from piperoll.reading.tables.sections import Section
from piperoll.reading.tables.summaries import settle
from piperoll.reading.tables.totals import TOP, Above
from piperoll.reading.tables.wide import Wide, find_wide


@dataclass(frozen=True)
class Part:
    """One section with its columns found and its rows judged."""

    section: Section
    columns: Columns
    wide: Wide | None
    judgement: Judgement
    profiles: Sequence[Profile]
    repaired: Mended | None = None

    @property
    def records(self) -> Rows:
        """The rows that are records."""
        return self.judgement.records

    @cached_property
    def overlong(self) -> Sequence[Row]:
        """The records with more cells than there are columns."""
        if self.section.heading.index < 0:
            return []
        known = (*self.repaired.cut, *self.repaired.beside) if self.repaired else ()
        cut = {row.number: row for row in (*known, *overlong(self.records, self.columns.headings))}
        return [cut[number] for number in sorted(cut)]

    def amount(self, dataset: Dataset) -> str | None:
        """The field that holds the amounts."""
        return next((name for name in dataset.amount if name in self.columns.choices), None)

    def amount_column(self, dataset: Dataset) -> int | None:
        """Where the amounts stand."""
        name = self.amount(dataset)
        return self.columns.column(name) if name else None

    def scale(self, dataset: Dataset) -> Decimal:
        """What an amount as sent is multiplied by to be pounds."""
        name = self.amount(dataset)
        return scale_of(self.columns.choices[name].heading) if name else Decimal(1)

    def cut(self, dataset: Dataset) -> Iterator[int]:
        """The numbers of the rows whose amounts may be others'."""
        column = self.amount_column(dataset)
        sure = {row.number for row in self.repaired.beside} if self.repaired else set()
        for row in self.overlong:
            if column is not None and row.number not in sure and may_be_cut(row, column, self.columns.headings):
                yield row.number


def examined(section: Section, lexicon: Lexicon, delimiter: str, above: Above = TOP) -> Part:
    """The columns of a section found, its cut rows mended and every row judged, with the sums of the sections above."""
    cells = section.heading.cells
    width = max(len(cells), section.rows.width)
    seen = profiles(section.rows, width)
    wide = find_wide(cells, lexicon.dataset)
    measured = {measure.column for measure in wide.measures} if wide else set()
    own = ["" if column in measured else cell for column, cell in enumerate(cells)]
    columns = assign(own, seen, lexicon, barred=measured, rows=section.rows)
    columns = guess_unnamed(columns, cells, seen, lexicon.dataset)
    columns = Columns(columns.choices, columns.moved, tuple(cells))
    if wide:
        fixed = {*wide.fields, wide.start_field, wide.end_field}
        kept = {name: choice for name, choice in columns.choices.items() if name not in fixed}
        columns = Columns(kept, columns.moved, columns.headings)
    repaired = mend(section.rows, cells, delimiter)
    shape = replace(Shape.of(repaired.rows, columns, lexicon.dataset, sorted(measured)), said=section.said)
    figures = [column for column, profile in enumerate(seen) if profile.numbers > 0.8 and profile.filled > 0.5]
    return Part(section, columns, wide, settle(judge(repaired.rows, shape, above), shape, figures), seen, repaired)
