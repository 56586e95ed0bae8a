"""Profiles of columns: what the cells look like, measured on a sample of the rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from statistics import median

from piperoll.reading.cells.amounts import states_number
from piperoll.reading.cells.dates import is_date, is_serial, may_be_time, read_month
from piperoll.reading.cells.marks import is_error, is_label, means_nothing
from piperoll.reading.grids.cell_shapes import to_shape
from piperoll.reading.grids.grid import Row, sample_rows, tidy

_SAMPLE = 2000
"""Profile at most this many rows; more would not change what a column looks like."""
_CELLS = 400_000
"""Look at most at this many cells of a table; a table with thousands of columns gets a smaller sample of rows."""

_LITTLE = 0.5
"""A row of totals fills at most this share of the cells of a usual row."""

COMPANY = re.compile(
    r"\b(?:ltd|limited|plc|llp|inc|cic|co|company|council|trust|nhs|university|college|school|group|services?|"
    r"solutions|systems|association|partners(?:hip)?|society|consult\w*|uk|bank|hmrc|authority|foundation)\b",
    re.I,
)
_WEB_OR_MAIL = re.compile(r"(?:https?://|www[.])\S|[^\s@]+@[^\s@]+\Z", re.I)
"""A web or e-mail address; it may have a word such as `uk` or `council`, but names no organisation."""
_IDENTIFIER = re.compile(r"(?=.*\d)[A-Za-z0-9][\w./\-+]{2,40}\Z")
_TIME = re.compile(r"[T ]\d{1,2}:(?!00(?::00)?(?:[.]0+)?\s*Z?\Z)\d{2}|[T ](?!0{1,2}:)\d{1,2}:\d{2}")
"""A time of day other than midnight."""
_PENCE = re.compile(r"\d[.](?!00\D*\Z)\d\d\D*\Z")
"""Pence after pounds: two digits after a point, not both zero."""
_ZERO = re.compile(r"\W*0*(?:[.,]0*)?\W*\Z")
_OF_ZERO = re.compile(_ZERO.pattern.replace("0", "9"))
"""The shape of a zero."""
_RANGE = re.compile(r"\W*\d[\d,.]*k?\s*(?:-|–|to)\s*\W*\d[\d,.]*k?\s*\Z", re.I)
_TRUTH = frozenset(["yes", "no", "y", "n", "true", "false", "1", "0"])
_LONGEST_TRUTH = max(map(len, _TRUTH))


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What share of a column's cells (0 to 1) is of each kind.

    `filled` is a share of all cells; every other share is one of the `count` cells that are not empty.
    """

    count: int
    filled: float
    numbers: float
    dates: float
    serials: float
    months: float
    companies: float
    identifiers: float
    truths: float
    distinct: float
    length: float
    counts_up: bool
    money: float
    stamps: bool = False
    """Whether most dates have a time of day, as in a log of when something was done."""
    pence: float = 0
    zeros: float = 0
    ranges: float = 0
    """Ranges of figures, such as `100-105`."""
    numbered: bool = False
    """Whether the cells are numbers of documents or rows: see `are_document_numbers`."""
    row_numbers: bool = False
    """Whether the cells count the rows: 1, 2, 3 …"""
    forms: Mapping[str, int] = field(default_factory=dict, repr=False)
    """The distinct cells with each digit written as 9, and how often each occurs in the sample."""

    @property
    def kinds(self) -> int:
        """The number of distinct values among its cells."""
        return round(self.distinct * self.count)

    def share_matching(self, pattern: str) -> float:
        """Return the share of cells that contain the pattern, ignoring case; digits are matched as 9."""
        found = sum(times for form, times in self.forms.items() if re.search(pattern, form, re.IGNORECASE))
        return found / self.count if self.count else 0.0

    @property
    def is_code(self) -> bool:
        """Whether the cells are numbers or references, and neither money nor dates."""
        coded = max(self.numbers, self.identifiers) > 0.8
        return coded and self.pence < 0.3 and self.dates < 0.5

    @property
    def is_wordy(self) -> bool:
        """Whether the cells are words, and not numbers, dates or references."""
        return bool(self.count) and max(self.numbers, self.dates) < 0.2 and self.identifiers < 0.5


EMPTY = ColumnProfile(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, counts_up=False, money=0)
"""The profile of an empty column."""


def _names_company(text: str) -> bool:
    return COMPANY.search(text) is not None and not _WEB_OR_MAIL.match(text)


def profile_columns(rows: Sequence[Row], width: int) -> list[ColumnProfile]:
    """Profile each column from at most 2,000 evenly spread rows, without rows of totals."""
    most = max(1, min(_SAMPLE, _CELLS // max(1, width)))
    sample = [row for row in sample_rows(rows, most) if any(row.cells)][: most + 1]
    counts = [len(row.cells) - row.cells.count("") for row in sample]
    few = median(counts) * _LITTLE if counts else 0
    sample = [
        row
        for row, count in zip(sample, counts, strict=True)
        if count > few or not any(is_label(tidy(cell)) for cell in row.cells if cell)
    ]
    columns = list(zip_longest(*(row.cells for row in sample), fillvalue=""))[:width]
    columns += [("",) * len(sample)] * (width - len(columns))
    return [profile_column(cells) for cells in columns]


def profile_column(cells: Sequence[str]) -> ColumnProfile:
    """Profile these cells; cells that mean nothing or hold an error count as empty."""
    distinct: Counter[str] = Counter()
    for cell, times in Counter(cells).items():
        text = tidy(cell)
        if text and not means_nothing(text, typed=True) and not is_error(text):
            distinct[text] += times
    if not distinct:
        return EMPTY
    seen = _DistinctCells(distinct)
    texts = seen.of_forms(may_be_time)
    numbers = {form for form in seen.by_form if states_number(form)}
    # A row counter holds whole numbers, each larger than the one before.
    unique = seen.count == len(distinct) > 1 and all(text.isascii() and text.isdigit() for text in distinct)
    counts_up = unique and all(one < other for one, other in pairwise(map(int, distinct)))
    return ColumnProfile(
        count=seen.count,
        filled=seen.count / len(cells),
        numbers=seen.formed(numbers.__contains__),
        dates=seen.share(is_date, texts),
        serials=seen.share(is_serial, texts),
        months=seen.share(read_month, texts),
        companies=seen.formed(_names_company),
        identifiers=seen.formed(is_reference),
        truths=seen.share(lambda text: len(text) <= _LONGEST_TRUTH and text.casefold() in _TRUTH),
        distinct=len(distinct) / seen.count,
        length=sum(len(text) * times for text, times in distinct.items()) / seen.count,
        counts_up=counts_up,
        money=seen.formed(lambda form: ("." in form or "," in form or "£" in form) and form in numbers),
        stamps=seen.share(_TIME.search, seen.of_forms(lambda form: ":" in form)) > 0.5,
        pence=seen.share(_PENCE.search, seen.of_forms(lambda form: "." in form and form in numbers)),
        zeros=seen.share(lambda text: "0" in text and _ZERO.match(text), seen.of_forms(_OF_ZERO.match)),
        ranges=seen.formed(_RANGE.match),
        numbered=are_document_numbers(distinct),
        row_numbers=counts_up and _count_rows(list(map(int, distinct))),
        forms=seen.by_form,
    )


def are_document_numbers(counts: Mapping[str, int]) -> bool:
    """Return whether the distinct cells of a column, in order of appearance, number documents or rows.

    They are whole numbers without signs or separators, few of them round, and count the rows, or are longer than
    amounts are throughout: nearly all have six digits or more, or all have five and rise.
    """
    texts = [text for text in counts if text.isascii() and text.isdigit()]
    total, own = sum(counts.values()), sum(counts[text] for text in texts)
    if (
        len(texts) < _ENOUGH_NUMBERS
        or own < _MOSTLY * total
        or sum(text.endswith("00") for text in texts) > len(texts) / 5
    ):
        return False
    numbers, lengths = list(map(int, texts)), sorted(map(len, texts))
    if _count_rows(numbers):
        return True
    shortest = lengths[round((1 - _NEARLY_ALL) * len(lengths))]
    alike = lengths.count(shortest) >= _MOSTLY * len(lengths)
    if shortest >= _VERY_LONG_NUMBER and alike:
        return True  # the lines of a document repeat its number
    if own > len(texts) / _MOSTLY:
        return False
    steps = [other - one for one, other in pairwise(numbers)]
    rising = sum(step > 0 for step in steps) >= _MOSTLY * len(steps)
    near = max(numbers) - min(numbers) < max(numbers) / 2
    if shortest >= _LONG_NUMBER:
        return alike or len(texts) >= _MANY_NUMBERS
    return shortest == _LONG_NUMBER - 1 and alike and rising and near


def _count_rows(numbers: Sequence[int]) -> bool:
    """Return whether numbers count the rows of a table: 1, 2, 3 …, perhaps with some left out."""
    return all(0 < other - one <= 3 for one, other in pairwise(numbers)) and numbers[0] <= 2


_ENOUGH_NUMBERS = 8
"""In fewer cells, whole amounts may be alike by chance."""
_MANY_NUMBERS = 20
"""So many amounts are not all of six digits or more."""
_MOSTLY, _NEARLY_ALL = 0.9, 0.98
_LONG_NUMBER, _VERY_LONG_NUMBER = 6, 8
"""Digits: amounts of a list span several lengths, down to hundreds or tens of thousands of pounds."""


class _DistinctCells:
    """The distinct cells of a column (tidy) and their shapes, which suffice for checks that ignore the digits."""

    def __init__(self, distinct: Counter[str]) -> None:
        self.distinct, self.count = distinct, distinct.total()
        self.forms = {text: to_shape(text) for text in distinct}
        self.by_form: Counter[str] = Counter()
        for text, times in distinct.items():
            self.by_form[self.forms[text]] += times

    def share(self, holds: Callable[[str], object], texts: Iterable[str] | None = None) -> float:
        """Return the share of cells that a check accepts; only `texts` are checked, if given."""
        asked = self.distinct if texts is None else texts
        return sum(self.distinct[text] for text in asked if holds(text)) / self.count

    def of_forms(self, may: Callable[[str], object]) -> list[str]:
        """Return the cells whose shape a check accepts."""
        likely = {form for form in self.by_form if may(form)}
        return [text for text, form in self.forms.items() if form in likely] if likely else []

    def formed(self, holds: Callable[[str], object]) -> float:
        """Return the share of cells whose shape a check accepts."""
        return sum(times for form, times in self.by_form.items() if holds(form)) / self.count


def is_reference(text: str) -> bool:
    """Return whether a tidy cell looks like a reference: a word with a digit in it."""
    return bool(_IDENTIFIER.match(text))
