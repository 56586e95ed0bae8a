"""What the cells of a block look like, digits apart: a question is asked of a few forms in place of every cell.

The form of a cell has a 9 for each of its digits from 0 to 9. A column of a hundred thousand amounts has some ten
forms. What is asked of a form must hold wherever it holds of a cell of that form; then a form of which it does not
hold speaks for all its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Mask, pc, utf8, with_utf8
from piperoll.reading.grids.ahead import ahead
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.shelves import Shelf

Holds = Callable[[str], object]
"""A question asked of a form."""

_DIGITS = "0123456789"
_NINES = str.maketrans(dict.fromkeys(_DIGITS, "9"))
_NOUGHT, _NINE = np.frombuffer(b"09", np.uint8)

COLUMNS = 64
"""So many columns are looked at one by one: a row may have thousands. Nothing is known of those beyond."""

_MANY = 4096
"""In a column of a block with more forms than this nothing is known: it is text of all sorts."""

_MOST = 100_000
"""So many forms are kept for all blocks of a shelf; nothing is known of a column that brings others later."""


def form_of(cell: str) -> str:
    """The cell with a 9 for every digit from 0 to 9."""
    return cell.translate(_NINES)


def forms_in(cells: Cells) -> Cells:
    """The forms of a column of cells."""
    text = utf8(cells)
    digits = (text - _NOUGHT < len(_DIGITS)).view(np.uint8)
    return with_utf8(cells, text + digits * (_NINE - text))


def those(cells: Cells, holds: Holds, may: Holds) -> Mask:
    """Of which cells this holds; asked once of each distinct cell that `may` be such by its form."""
    coded = forms_in(cells).dictionary_encode()
    likely = pa.array(map(bool, map(may, coded.dictionary.to_pylist())), pa.bool_())
    if not pc.any(likely).as_py():
        return likely.take(coded.indices)
    asked = likely.take(coded.indices)
    left = cells.filter(asked).dictionary_encode()
    found = pa.array(map(bool, map(holds, left.dictionary.to_pylist())), pa.bool_())
    return pc.replace_with_mask(asked, asked, found.take(left.indices))


class Forms:
    """All forms that stand on a shelf, each once, with what was asked of them."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._answers: dict[Holds, Any] = {}

    def places(self, forms: Sequence[str]) -> Any:
        """Where these forms are kept; None if there are more than can be."""
        known = self._places
        if len(known) + len(forms) > _MOST and any(form not in known for form in forms):
            return None
        return np.fromiter((known.setdefault(form, len(known)) for form in forms), np.int32, len(forms))

    def answers(self, holds: Holds) -> Any:
        """Of which forms this holds, in the order of their places; each is asked once."""
        found = self._answers.get(holds)
        if found is None or len(found) < len(self._places):
            found = np.fromiter((bool(holds(form)) for form in self._places), np.bool_, len(self._places))
            self._answers[holds] = found
        return found


class Looks:
    """What is known of one block: how wide it is, and the forms in each column, empty where a row is too short.

    It is `even` if every row is as wide as the widest.
    """

    def __init__(self, forms: Forms, columns: Sequence[Any], width: int, *, even: bool) -> None:
        self._forms, self._columns, self.width, self.even = forms, columns, width, even

    def may(self, column: int, holds: Holds) -> bool:
        """Whether a cell of the column may be such; True where that is not known."""
        if column >= self.width:
            return bool(holds(""))
        places = self._known(column)
        return places is None or bool(self._forms.answers(holds)[places].any())

    def all(self, column: int, holds: Holds) -> bool:
        """Whether every cell of the column is such; False where that is not known."""
        if column >= self.width:
            return bool(holds(""))
        places = self._known(column)
        return places is not None and bool(self._forms.answers(holds)[places].all())

    def _known(self, column: int) -> Any:
        return self._columns[column] if column < len(self._columns) else None


def looks_of(block: Block, forms: Forms) -> Looks:
    """What the cells of a block look like."""
    return _looks(*_coded(block), forms)


def _looks(block: Block, coded: Any, forms: Forms) -> Looks:
    there = _there(block, coded.indices.to_numpy(), len(coded.dictionary))
    few = [np.flatnonzero(column) for column in there]
    own = np.flatnonzero(there[[len(places) <= _MANY for places in few]].any(axis=0))
    kept = forms.places(coded.dictionary.take(pa.array(own)).to_pylist())
    shortest = block.lengths.to_numpy().min(initial=block.width)
    even = bool(shortest == block.width)
    if kept is None:
        return Looks(forms, (), block.width, even=even)
    where = np.zeros(len(coded.dictionary), np.int32)
    where[own] = kept
    columns = [where[places] if len(places) <= _MANY else None for places in few]
    columns = [_with_empty(each, forms, place >= shortest) for place, each in enumerate(columns)]
    return Looks(forms, columns, block.width, even=even)


def _there(block: Block, codes: Any, count: int) -> Any:
    """Which of so many forms stand in which of the first columns, from the place of each cell's form."""
    found = np.zeros((min(block.width, COLUMNS), count), np.bool_)
    if not len(codes):
        return found
    if len(codes) == len(block) * block.width:
        for column in range(len(found)):
            found[column, codes[column :: block.width]] = True
        return found
    lengths = block.lengths.to_numpy()
    columns = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    near = columns < COLUMNS
    found[columns[near], codes[near]] = True
    return found


def _with_empty(places: Any, forms: Forms, short: Any) -> Any:
    """The places of a column's forms, with the empty one where some rows are too `short` for it."""
    return np.union1d(places, forms.places([""])) if short and places is not None else places


_OF_SHELVES: WeakKeyDictionary[Shelf, tuple[Forms, list[Looks]]] = WeakKeyDictionary()


def looks_on(shelf: Shelf, place: int) -> Looks:
    """What a block on a shelf looks like; all blocks are looked at when the first is asked for."""
    forms, known = _OF_SHELVES.setdefault(shelf, (Forms(), []))
    if place >= len(known):
        fresh = (Block(shelf.get(other)) for other in range(len(known), len(shelf)))
        known += [_looks(block, coded, forms) for block, coded in ahead(_coded, fresh)]
    return known[place]


def _coded(block: Block) -> tuple[Block, Any]:
    """A block, and the forms of its cells one after another, each form once."""
    return block, forms_in(block.flat).dictionary_encode()
