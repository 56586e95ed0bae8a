"""Conservation at the end of the line: what is published is what the report says was accepted."""

from __future__ import annotations

from decimal import Context, Decimal

import pyarrow as pa

from piperoll.errors import ConservationError
from piperoll.model import TableReport, plain
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.lines import LineBatch

_EXACT = Context(prec=100)
"""Python's own 28 digits would round long sums."""


class AcceptedTotals:
    """Counts the source rows and the pounds of one table as its lines are published."""

    def __init__(self, report: TableReport, columns: tuple[PublishedColumn, ...]) -> None:
        self._report = report
        field = report.amount.field if report.amount else None
        self._amount = next((column for column in columns if column.name == field), None)
        self._rows: list[Cells] = [pa.array([], pa.int64())]
        self.pounds = Decimal(0)

    def add(self, lines: LineBatch) -> None:
        """Count a batch of lines."""
        self._rows.append(lines.rows.unique())
        if self._amount:
            self.pounds = add_pounds(self.pounds, column_sum(self._amount, lines.batch))

    def settle(self) -> None:
        """Compare with the report. Raises: ConservationError: rows or pounds are not those that it accepted."""
        place = f"the table in {self._report.sheet or 'the file'}"
        rows = pc.count_distinct(pa.concat_arrays(self._rows)).as_py()
        if rows != self._report.rows.accepted:
            raise ConservationError(
                f"{place}: {self._report.rows.accepted} rows were accepted but {rows} would be published"
            )
        accepted = self._report.amount.accepted if self._report.amount else Decimal(0)
        if self.pounds != accepted:
            raise ConservationError(
                f"{place}: £{plain(accepted)} were accepted but £{plain(self.pounds)} would be published"
            )


def column_sum(column: PublishedColumn, batch: pa.RecordBatch) -> Decimal:
    """The exact sum of a number column of canonical strings."""
    total: Decimal | None = pc.sum(column.typed(batch.column(column.name))).as_py()
    return total or Decimal(0)


def add_pounds(one: Decimal, other: Decimal) -> Decimal:
    """The exact sum, however many digits it takes."""
    return _EXACT.add(one, other)
