"""Classify the lines of one file by function: what a body sees of its own spending before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from piperoll.checking.check_file import FileToCheck, examine_file
from piperoll.enriching.functions import Classification, Side, classify_lines
from piperoll.errors import UsageError
from piperoll.model import Dataset, Report
from piperoll.reading import ReadTable


@dataclass(frozen=True, slots=True)
class ClassifiedLine:
    """A line of a file: its place, its amount, the texts that rules read, and its classification.

    `sheet` is None in a text file; `amount` is None if it is missing or cannot be read.
    """

    sheet: str | None
    row: int
    amount: Decimal | None
    texts: tuple[str, ...]
    classification: Classification


@dataclass(slots=True)
class FunctionTotal:
    """Lines and pounds, and how much of them is contested. Credits are subtracted."""

    lines: int = 0
    amount: Decimal = Decimal(0)
    contested: Decimal = Decimal(0)

    def add(self, line: ClassifiedLine) -> None:
        """Add a line."""
        amount = line.amount or Decimal(0)
        self.lines += 1
        self.amount += amount
        if line.classification.contested:
            self.contested += amount


@dataclass(frozen=True)
class ClassifiedFile:
    """The lines of a file, classified, in order; `fields` are the titles of their texts."""

    report: Report
    dataset: Dataset
    fields: tuple[str, ...]
    lines: Sequence[ClassifiedLine] = field(repr=False)

    def totals_by_function(self) -> dict[str, FunctionTotal]:
        """The totals of each function that any line has, in the order of the list of functions."""
        totals: dict[str, FunctionTotal] = {}
        for line in self.lines:
            totals.setdefault(line.classification.function.id, FunctionTotal()).add(line)
        return totals

    def totals_by_side(self) -> dict[Side, FunctionTotal]:
        """The totals of each side; all four are there."""
        totals = {side: FunctionTotal() for side in Side}
        for line in self.lines:
            totals[line.classification.function.side].add(line)
        return totals

    def largest_unknown(self, count: int) -> list[tuple[tuple[str, ...], FunctionTotal]]:
        """The texts of lines that are not classified, with their totals, largest amount first."""
        totals: dict[tuple[str, ...], FunctionTotal] = {}
        for line in self.lines:
            if line.classification.function.side is Side.UNKNOWN:
                totals.setdefault(line.texts, FunctionTotal()).add(line)
        return sorted(totals.items(), key=lambda entry: abs(entry[1].amount), reverse=True)[:count]


def classify_file(file: FileToCheck) -> ClassifiedFile:
    """Read a file and classify its lines, rows that are held for privacy too: nothing is published.

    Raises:
        UsageError: the file has no table of a dataset with texts to classify by.
        UnknownDataset, PeriodError: the file's dataset or period does not exist.
    """
    examination = examine_file(file, quick=True)
    dataset = examination.reading.dataset
    if dataset is None or not examination.reading.tables:
        raise UsageError(f"{file.name} has no table that can be classified: see piperoll check {file.name}")
    if not dataset.function_texts:
        raise UsageError(f"the lines of {dataset.name} are not classified by function: give a file of spending")
    names = tuple(name for kind in dataset.function_texts.values() for name in kind)
    lines = [line for table in examination.reading.tables for line in _classify_table(dataset, table, names, file)]
    return ClassifiedFile(examination.report, dataset, tuple(dataset.field(name).title for name in names), lines)


def _classify_table(
    dataset: Dataset, table: ReadTable, names: Sequence[str], file: FileToCheck
) -> Iterator[ClassifiedLine]:
    amount = next((name for name in dataset.amount if name in table.columns), None)
    for batch in table.batches():
        amounts = batch.column(amount).to_pylist() if amount else [None] * batch.num_rows
        present = frozenset(batch.schema.names)
        texts = zip(
            *(batch.column(name).to_pylist() if name in present else [None] * batch.num_rows for name in names),
            strict=True,
        )
        rows = batch.column("row").to_numpy().tolist()
        found = zip(rows, amounts, texts, classify_lines(dataset, batch, file.body), strict=True)
        for row, cell, line_texts, classification in found:
            yield ClassifiedLine(
                table.sheet,
                row,
                None if cell is None else Decimal(cell),
                tuple(text or "" for text in line_texts),
                classification,
            )
