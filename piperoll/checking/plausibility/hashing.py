"""Keys: one 64-bit number for a cell or for several cells of a row, equal where they are.

So that what repeats is found in eight bytes a row, however long the texts. Two different cells get one key with the
odds of 64 random bits: among ten million different rows, one pair in 370,000 such tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from piperoll.checking.plausibility.columns import Kind, Mask, Rows, Text

Keys = npt.NDArray[np.uint64]

_WORD = 8
_EMPTY = np.uint64(0x9E3779B97F4A7C15)
_MASKS = np.array([(1 << 8 * taken) - 1 for taken in range(_WORD + 1)], np.uint64)
"""What is left of a word of eight bytes of which only the first so many belong to the text."""


def keys(rows: Rows, names: list[str]) -> Keys:
    """One key for each row, from its cells in the columns `names`; empty cells are equal to one another."""
    made = np.zeros(rows.size, np.uint64)
    for name in names:
        made = _mixed(made ^ _column(rows, name))
    return made


def distinct_keys(rows: Rows, name: str, within: Mask) -> Keys:
    """The keys that the filled cells of a column have among the rows `within`, each once and in order."""
    filled = within & ~rows.missing(name)
    if rows.kinds[name] is Kind.TEXT:
        text = rows.text(name)
        used = np.zeros(len(text.distinct), np.bool_)
        used[text.codes[filled]] = True
        return once(_of_texts(rows, name)[used])
    return once(_column(rows, name)[filled])


def once(made: Keys) -> Keys:
    """The different ones among keys, which it puts in order: ten times faster than numpy's own way."""
    made.sort()
    different: Keys = made[np.append(True, made[1:] != made[:-1])[: len(made)]]
    return different


def text_keys(text: Text) -> Keys:
    """A key for each distinct text, eight of its bytes at a time."""
    offsets, held = text.bytes
    content = held.tobytes() + bytes(_WORD)
    # a word of eight bytes begins at every byte; the last ones run into the padding
    words: npt.NDArray[np.uint64] = np.ndarray((len(content) - _WORD + 1,), "<u8", content, strides=(1,))
    at, left = offsets[:-1].copy(), np.diff(offsets)
    made = _mixed(left.astype(np.uint64))
    where = np.flatnonzero(left > 0)
    while len(where):
        taken = words[at[where]] & _MASKS[np.minimum(left[where], _WORD)]
        made[where] = _mixed(made[where] ^ taken)
        at[where] += _WORD
        left[where] -= _WORD
        where = where[left[where] > 0]
    return made


def _column(rows: Rows, name: str) -> Keys:
    if rows.kinds[name] is Kind.TEXT:
        return np.append(_of_texts(rows, name), _EMPTY)[rows.text(name).codes]
    cells: npt.NDArray[Any] = rows.ordered(name)
    if rows.kinds[name] is Kind.DAY:
        made = _mixed(cells.astype(np.int64).view(np.uint64))
    else:
        made = _mixed((cells + 0.0).view(np.uint64))  # so that nought below zero is nought
    return np.where(rows.missing(name), _EMPTY, made)


def _of_texts(rows: Rows, name: str) -> Keys:
    return rows.once("keys", name, lambda: text_keys(rows.text(name)))


def _mixed(keys: Keys) -> Keys:
    """A turn of 64 bits into 64 others, one to one, that spreads each of them over all (the end of MurmurHash3)."""
    mixed = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    turned: Keys = mixed ^ (mixed >> np.uint64(33))
    return turned
