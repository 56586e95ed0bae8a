"""How a CSV file is written: what its dialect says, and what Frictionless tells from the file where it says nothing.

Table Dialect (Data Package 2.0). Frictionless sniffs what is not declared from the first hundred lines, and takes the
first row that is about as wide as the average for the header; so that a table means the same here, we do so, too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TextIO

SAMPLE = 100
"""How many lines, and then how many rows, Frictionless looks at."""
_DELIMITERS = ",\t;|"
_LONGEST_CELL = 2_147_483_646
"""As Frictionless sets it for the process."""
_CSV: Mapping[str, type] = {
    "delimiter": str,
    "lineTerminator": str,
    "quoteChar": str,
    "doubleQuote": bool,
    "escapeChar": str,
    "skipInitialSpace": bool,
}
_ROWS: Mapping[str, type] = {
    "header": bool,
    "headerRows": list,
    "headerJoin": str,
    "commentChar": str,
    "commentRows": list,
    "skipBlankRows": bool,
}
_ONE_CHARACTER = ("delimiter", "quoteChar", "escapeChar")


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect that is understood: `of_csv` are the properties of CSV, `of_rows` those of headers and comments."""

    of_csv: Mapping[str, Any]
    of_rows: Mapping[str, Any]

    @classmethod
    def understood(cls, descriptor: Mapping[str, Any]) -> Dialect | None:
        """The dialect, None if it holds anything that we do not know for certain."""
        own = dict(descriptor)
        nested = own.pop("csv", {})
        if not isinstance(nested, dict) or set(nested) & set(own):
            return None
        told = own | nested
        csv_, rows = ({name: told.pop(name) for name in known if name in told} for known in (_CSV, _ROWS))
        if told or not _fits(csv_, _CSV) or not _fits(rows, _ROWS):
            return None
        if any(len(csv_.get(name, "x")) != 1 for name in _ONE_CHARACTER):
            return None
        numbers = [*rows.get("headerRows", []), *rows.get("commentRows", [])]
        if not all(isinstance(number, int) and 0 < number <= SAMPLE for number in numbers):
            return None
        heads = rows.get("headerRows", [1])
        return cls(csv_, rows) if heads == sorted(heads) else None

    def records(self, text: TextIO, form: str) -> Iterator[list[str]]:
        """The rows of a file, as Python's csv module reads them; `form` is csv or tsv."""
        csv.field_size_limit(_LONGEST_CELL)
        sample = list(islice(text, SAMPLE))
        return csv.reader(chain(sample, text), self._python(sample, form))

    def headed(self, sample: Sequence[Sequence[str]]) -> Headed:
        """Which of the first rows are the header, and which are not of the table."""
        rows = self.of_rows
        head = rows.get("headerRows", [1])
        if not rows.get("header", True):
            head = []
        elif not {"header", "headerRows"} & set(rows) and sample:
            head = [_header_row(sample, self._is_comment)]
        return Headed(tuple(head), self)

    def is_content(self, number: int, cells: Sequence[str]) -> bool:
        """Whether a row below the header is of the table."""
        return not self._is_comment(number, cells) and (not self.of_rows.get("skipBlankRows") or any(cells))

    @property
    def takes_every_row(self) -> bool:
        """Whether all rows below the header are of the table."""
        return not {"commentChar", "commentRows", "skipBlankRows"} & set(self.of_rows)

    def _is_comment(self, number: int, cells: Sequence[str]) -> bool:
        mark = self.of_rows.get("commentChar")
        return bool(mark and cells and cells[0].startswith(mark)) or number in self.of_rows.get("commentRows", ())

    def _python(self, sample: Sequence[str], form: str) -> type[csv.excel]:
        told = ({"delimiter": "\t"} if form == "tsv" else {}) | dict(self.of_csv)
        try:
            sniffed: Any = csv.Sniffer().sniff("".join(sample), told.get("delimiter", _DELIMITERS))
        except csv.Error:
            sniffed = csv.excel()
        escape = told.get("escapeChar", sniffed.escapechar)

        class Described(csv.excel):
            delimiter = told.get("delimiter", sniffed.delimiter)
            doublequote = told.get("doubleQuote", True) if escape else True
            escapechar = escape
            # an apostrophe is no guess that one can rely on
            quotechar = told.get("quoteChar", '"' if sniffed.quotechar == "'" else sniffed.quotechar)
            skipinitialspace = told.get("skipInitialSpace", sniffed.skipinitialspace)

        return Described


@dataclass(frozen=True, slots=True)
class Headed:
    """Where the header stands: the numbers of its rows, none where there is none."""

    rows: tuple[int, ...]
    dialect: Dialect

    @property
    def first_content(self) -> int:
        """The first row that may be of the table."""
        return self.rows[-1] + 1 if self.rows else 1

    def labels(self, sample: Sequence[Sequence[str]]) -> list[str]:
        """The labels, those of several rows joined; a cell that only repeats what stands above it is left out."""
        labels: list[str] = []
        above: dict[int, str] = {}
        for number in self.rows:
            if number > len(sample) or self.dialect._is_comment(number, sample[number - 1]):
                continue
            for place, cell in enumerate(each.strip() for each in sample[number - 1]):
                if above.get(place) == cell:
                    continue
                above[place] = cell
                if len(labels) <= place:
                    labels.append(cell)
                else:
                    labels[place] = self.dialect.of_rows.get("headerJoin", " ").join([labels[place], cell])
        return labels

    def content(self, records: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
        """The rows of the table with their numbers."""
        below = enumerate(islice(records, self.first_content - 1, None), start=self.first_content)
        return below if self.dialect.takes_every_row else filter(self._is_content, below)

    def _is_content(self, numbered: tuple[int, list[str]]) -> bool:
        return self.dialect.is_content(*numbered)


def _fits(told: Mapping[str, Any], kinds: Mapping[str, type]) -> bool:
    return all(isinstance(value, kinds[name]) for name, value in told.items())


def _header_row(sample: Sequence[Sequence[str]], is_comment: Any) -> int:
    """The first row whose width is within a tenth (at least one) of the average."""
    width = round(sum(map(len, sample)) / len(sample))
    drift = max(round(width * 0.1), 1)
    for number, cells in enumerate(sample, start=1):
        if not is_comment(number, cells) and width - drift <= len(cells) <= width + drift:
            return number
    return 1
