"""What a made-up file is: the lines of its sheets as sent, each with what it means, and how its bytes are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

UNREADABLE = "<unreadable>"
"""What a cell means that holds something which cannot be read for certain."""

RAW = "\ue000"
"""Before a cell's text: a text file gets the cell as it stands, whatever quotes or delimiters are in it."""

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

    def laid(self, places: Sequence[int | None]) -> Line:
        """The line with its cells in new places: for each new column the old one, None for an empty cell."""
        old = dict(enumerate(self.cells))
        return replace(self, cells=tuple("" if place is None else old.get(place, "") for place in places))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its lines, and which field stands in each column under its first headings (None: none of ours)."""

    lines: tuple[Line, ...]
    columns: tuple[str | None, ...]
    name: str = "Sheet1"
    hidden: bool = False

    @property
    def records(self) -> list[int]:
        """Where the records stand among the lines."""
        return [place for place, line in enumerate(self.lines) if line.kind == "record"]

    @property
    def heading(self) -> int:
        """Where the first headings stand among the lines; -1 where there are none."""
        return next((place for place, line in enumerate(self.lines) if line.kind == "heading"), -1)

    @property
    def headed(self) -> bool:
        """Whether the headings stand above all records."""
        return bool(self.records) and 0 <= self.heading < self.records[0]

    def column(self, name: str) -> int:
        """Where a field stands."""
        return self.columns.index(name)

    def with_lines(self, new: Mapping[int, Line]) -> Sheet:
        """The sheet with other lines in some places."""
        return replace(self, lines=tuple(new.get(place, line) for place, line in enumerate(self.lines)))

    def with_rows(self, before: Mapping[int, Sequence[Line]]) -> Sheet:
        """The sheet with more lines before some places; one place past the last is the end."""
        lines: list[Line] = []
        for place, line in enumerate(self.lines):
            lines += [*before.get(place, ()), line]
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
