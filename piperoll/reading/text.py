"""Text files to rows: which delimiter, which quotes are broken, and where each record begins."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from piperoll.reading.grids import Row

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_DELIMITERS = ",\t;|"
_SAMPLE = 200
_REPAIRS = 200
"""How many broken quotes are mended singly; a file with more is read as if quotes meant nothing."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text file: how they are parted, and the rows whose quotes are broken."""

    rows: tuple[Row, ...]
    delimiter: str
    broken_quotes: tuple[int, ...]


def read_text(text: str) -> TextRows:
    """Every record of a text file with its record number and first physical line.

    An empty line is a record, as a spreadsheet program shows it. CR, LF and CRLF each end a line.
    """
    lines = [match[0] for match in _LINES.finditer(text)]
    delimiter = choose_delimiter(lines)
    rows, broken = [], []
    for number, (line, cells, mended) in enumerate(_records(lines, delimiter), start=1):
        rows.append(Row(number, line, cells))
        if mended:
            broken.append(number)
    return TextRows(tuple(rows), delimiter, tuple(broken))


def choose_delimiter(lines: Sequence[str]) -> str:
    """The delimiter under which most lines have the same number of cells, more than one."""
    sample = [line for line in lines[: 5 * _SAMPLE] if line.strip()][:_SAMPLE]
    scores = {delimiter: _evenness(sample, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: (scores[delimiter], -_DELIMITERS.index(delimiter)))
    return best if scores[best] > 1.15 * scores[","] else ","


def _evenness(sample: Sequence[str], delimiter: str) -> float:
    widths = Counter(len(cells) for cells in _naive(sample, delimiter) if cells)
    many = {width: count for width, count in widths.items() if width > 1}
    if not many:
        return 0.0
    width = max(many, key=lambda width: (many[width], width))
    near = sum(count for other, count in many.items() if abs(other - width) <= 2)
    return (near + many[width]) / (2 * sum(widths.values()))


def _naive(sample: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(sample, delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in sample]


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str], bool]]:
    """(first line from 1, cells, mended) of each record; a quote that swallows rows is taken as a letter."""
    width = _usual_width(lines, delimiter)
    place, repairs = 0, 0
    while place < len(lines):
        for span, cells in _parse(lines, place, delimiter):
            if cells is None or (span > 1 and _swallows(lines[place : place + span], cells, delimiter, width)):
                repairs += 1
                break
            yield place + 1, cells, False
            place += span
        else:
            return
        stop = len(lines) if repairs > _REPAIRS else place + 1
        for line in range(place, stop):
            yield line + 1, _literally(lines[line], delimiter), True
        place = stop


def _parse(lines: Sequence[str], place: int, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    reader = csv.reader((lines[number] for number in range(place, len(lines))), delimiter=delimiter)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell of over 131,072 characters: an open quote
            yield 1, None
            return
        yield reader.line_num - before, cells
        before = reader.line_num


def _usual_width(lines: Sequence[str], delimiter: str) -> int:
    widths = Counter(len(cells) for cells in _naive(lines[:_SAMPLE], delimiter) if len(cells) > 1)
    return widths.most_common(1)[0][0] if widths else 1


def _swallows(lines: Sequence[str], cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a record over several lines holds whole rows within one cell, or never closes its quote."""
    if sum(line.count('"') for line in lines) % 2:
        return True
    if width < 3:
        return False
    inner = [line for cell in cells if "\n" in cell or "\r" in cell for line in re.split(r"\r\n|\r|\n", cell)[1:-1]]
    full = len([line for line in inner if line.count(delimiter) >= width - 1])
    return full > 0 and 2 * full >= len(inner)


def _literally(line: str, delimiter: str) -> list[str]:
    cells = line.rstrip("\r\n").split(delimiter)
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]
