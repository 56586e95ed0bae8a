"""What a made-up file is: the lines of its sheets as sent, each with what it means, and how its bytes are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

UNREADABLE = "<unreadable>"
"""What a cell means that holds something which cannot be read for certain."""

RAW = "\ue000"
"""The prefix of a cell that a text file gets unchanged, whatever quotes or delimiters are in it."""

Meanings = tuple[str | None, ...]
"""The readings of one cell that are right, the true one first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row as sent. `kind`: heading, record, one of the exclusions, or `free`: no record, and no more is asked.

    `means` gives for each field of a record what its cell means; `amount` is what an excluded row states.
    An `odd` line is written in the other encoding of its draft.
    """

    cells: tuple[str, ...]
    kind: str = "record"
    means: Mapping[str, Meanings] = field(default_factory=dict)
    amount: Decimal | None = None
    odd: bool = False

    def with_cell(self, column: int, text: str, **means: Meanings) -> Line:
        """The line with another text in one of its cells, which may mean something else."""
        cells = (*self.cells[:column], text, *self.cells[column + 1 :])
        return replace(self, cells=cells, means={**self.means, **means})

    def laid(self, indices: Sequence[int | None]) -> Line:
        """The line with its cells in another order: for each new column the index of the old one, None if empty."""
        old = dict(enumerate(self.cells))
        return replace(self, cells=tuple("" if index is None else old.get(index, "") for index in indices))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its lines, and the field of each column under its first headings (None for a column of no field)."""

    lines: tuple[Line, ...]
    columns: tuple[str | None, ...]
    name: str = "Sheet1"
    hidden: bool = False

    @property
    def records(self) -> list[int]:
        """The indices of the records among the lines."""
        return [index for index, line in enumerate(self.lines) if line.kind == "record"]

    @property
    def heading(self) -> int:
        """The index of the first headings among the lines; -1 if there are none."""
        return next((index for index, line in enumerate(self.lines) if line.kind == "heading"), -1)

    @property
    def headed(self) -> bool:
        """Whether the headings are above all records."""
        return bool(self.records) and 0 <= self.heading < self.records[0]

    def column(self, name: str) -> int:
        """The index of the column of a field."""
        return self.columns.index(name)

    def with_lines(self, new: Mapping[int, Line]) -> Sheet:
        """The sheet with other lines at some indices."""
        return replace(self, lines=tuple(new.get(index, line) for index, line in enumerate(self.lines)))

    def with_rows(self, before: Mapping[int, Sequence[Line]]) -> Sheet:
        """The sheet with more lines inserted before some indices; the number of lines is the end."""
        lines: list[Line] = []
        for index, line in enumerate(self.lines):
            lines += [*before.get(index, ()), line]
        return replace(self, lines=(*lines, *before.get(len(self.lines), ())))


@dataclass(frozen=True, slots=True)
class Draft:
    """A made-up file before it is written: its sheets (the first is the table), and how its bytes are made.

    `scale` is what the amounts as sent are multiplied by to be pounds. `must` holds sets of codes: of each, one must be
    among the findings even if every cell is read rightly.
    """

    dataset: str
    sheets: tuple[Sheet, ...]
    format: str = "csv"
    encoding: str = "utf-8"
    odd_encoding: str | None = None
    ends: tuple[str, ...] = ("\r\n",)
    delimiter: str = ","
    quoting: str = "minimal"
    typed: bool = False
    given: bool = True
    merged: bool = False
    scale: Decimal = Decimal(1)
    must: tuple[frozenset[str], ...] = ()

    @property
    def sheet(self) -> Sheet:
        """The sheet that holds the table."""
        return self.sheets[0]

    def with_sheet(self, sheet: Sheet) -> Draft:
        """The draft with another first sheet."""
        return replace(self, sheets=(sheet, *self.sheets[1:]))

    @property
    def is_text(self) -> bool:
        """Whether it will be a text file."""
        return self.format == "csv"


Apply = Callable[[Draft, Random], Draft | None]


@dataclass(frozen=True, slots=True)
class Mess:
    """One accident: how it befalls a draft (None where it cannot), and the codes whose findings name it.

    `names` are the codes that may excuse a wrong reading, and no others do; a mess without any must be read rightly.
    Of the messes of one `group` a file has one at most; those with a smaller `stage` befall it first.
    """

    name: str
    stage: int
    apply: Apply
    names: frozenset[str]
    group: str


REGISTRY: dict[str, Mess] = {}


def mess(stage: int, *names: str, group: str = "") -> Callable[[Apply], Apply]:
    """Put a function into the register of messes under its own name."""

    def put(apply: Apply) -> Apply:
        name = apply.__name__
        REGISTRY[name] = Mess(name, stage, apply, frozenset(names), group or name)
        return apply

    return put


CELLS, COLUMNS, ROWS, TEXT, HEADS, LAST, FILE = range(7)
"""The stages of a file: cells typed, columns named, rows added, text spoilt, headings moved, copied down, all saved."""


def dice(*of: object) -> Random:
    """Dice that fall the same way for the same things."""
    return Random(":".join(map(str, of)))  # noqa: S311 - no secret
