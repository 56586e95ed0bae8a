"""Dates, times and months of a fixed layout, read from the bytes of the column.

Table Schema, "date", "datetime", "time", "yearmonth". What `strptime` would also take (one digit for a month,
Unicode digits, names of months) is doubted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.schema.predicates.masks import Cells, Mask

_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_ORDER = "YmdHMS"
_HIGHEST = {"m": 12, "d": 31, "H": 23, "M": 59, "S": 59}
_LITERAL = re.compile(r"[-/.:,T_Z ]")
_CENTURY = 69
"""`strptime` takes %y from 69 on for the twentieth century, as POSIX does."""
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the digits stand: `parts` are a directive of strptime and its first byte; `literals` a byte and its place.

    `years` are the first and last year that are proven.
    """

    width: int
    parts: tuple[tuple[str, int], ...]
    literals: tuple[tuple[int, int], ...]
    years: tuple[int, int] = (1, 9999)


@dataclass(frozen=True, slots=True)
class StampBound:
    """A bound as `Stamps.values` has it, or those of an enum, and the layout of the cells."""

    value: Any
    layout: Layout


@dataclass(frozen=True, slots=True)
class Stamps:
    """`proven` where a cell is of the layout and such a day exists; `values` are then in the order of time."""

    proven: Mask
    values: npt.NDArray[np.int64]


def layout(pattern: str, years: tuple[int, int] = (1, 9999)) -> Layout | None:
    """The layout of a pattern of strptime; None where it has what is not of one width, or nothing at all."""
    parts, literals, at, rest = [], [], 0, pattern
    while rest:
        if rest[0] == "%" and rest[1:2] in _WIDTHS:
            parts.append((rest[1], at))
            at, rest = at + _WIDTHS[rest[1]], rest[2:]
        elif _LITERAL.fullmatch(rest[0]):
            literals.append((at, ord(rest[0])))
            at, rest = at + 1, rest[1:]
        else:
            return None
    names = [name.replace("y", "Y") for name, _ in parts]
    if not parts or "  " in pattern or pattern != pattern.strip() or len(names) != len(set(names)):
        return None
    return Layout(at, tuple(parts), tuple(literals), years)


def stamp_unproven(cells: Cells, form: Layout) -> Mask:
    """Not of the layout, or no such day, hour or minute."""
    return ~stamps(cells, form).proven


def before_minimum(cells: Cells, bound: StampBound) -> Mask:
    """Before the bound."""
    return np.asarray(stamps(cells, bound.layout).values < bound.value)


def after_maximum(cells: Cells, bound: StampBound) -> Mask:
    """After the bound."""
    return np.asarray(stamps(cells, bound.layout).values > bound.value)


def not_after_minimum(cells: Cells, bound: StampBound) -> Mask:
    """The bound or before."""
    return np.asarray(stamps(cells, bound.layout).values <= bound.value)


def not_before_maximum(cells: Cells, bound: StampBound) -> Mask:
    """The bound or after."""
    return np.asarray(stamps(cells, bound.layout).values >= bound.value)


def not_among_stamps(cells: Cells, bound: StampBound) -> Mask:
    """None of the values."""
    return ~np.isin(stamps(cells, bound.layout).values, bound.value)


def exact_stamp(value: object, form: Layout) -> int | None:
    """A bound of a descriptor; None where it is not of the layout, so that it cannot be compiled."""
    if not isinstance(value, str):
        return None
    read = stamps(pa.array([value], pa.string()), form)
    return int(read.values[0]) if read.proven[0] else None


def stamps(cells: Cells, form: Layout) -> Stamps:
    """Every cell read by its layout."""
    offsets = _buffer(cells, 1, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    proven = np.diff(offsets) == form.width
    values = np.zeros(len(cells), np.int64)
    wide = np.flatnonzero(proven)
    if len(wide):
        proven[wide], values[wide] = _read(_characters(cells, offsets[wide], form.width), form)
    return Stamps(proven, values)


def _buffer(cells: Cells, number: int, kind: type[Any]) -> npt.NDArray[Any]:
    """One of Arrow's buffers: 1 has the offsets, 2 the bytes; an array without any text may lack them."""
    buffer = cells.buffers()[number]
    return np.zeros(len(cells) + 1, kind) if buffer is None else np.frombuffer(memoryview(buffer), kind)


def _characters(cells: Cells, starts: npt.NDArray[np.int32], width: int) -> npt.NDArray[np.uint8]:
    """The bytes of cells of one width, a row each."""
    held = _buffer(cells, 2, np.uint8)
    if starts[-1] - starts[0] == (len(starts) - 1) * width:
        return np.reshape(held[starts[0] : starts[0] + len(starts) * width], (len(starts), width))
    return np.asarray(held[starts.astype(np.int64)[:, None] + np.arange(width)])


def _read(bytes_: npt.NDArray[np.uint8], form: Layout) -> tuple[Mask, npt.NDArray[np.int64]]:
    proven = np.ones(len(bytes_), np.bool_)
    for at, byte in form.literals:
        proven &= bytes_[:, at] == byte
    read = {}
    for name, start in form.parts:
        read[name] = np.zeros(len(bytes_), np.int32)
        for place in range(start, start + _WIDTHS[name]):
            digits = bytes_[:, place] - 48
            proven &= digits < 10
            read[name] = read[name] * np.int32(10) + digits
    if "y" in read:
        read["Y"] = read["y"] + np.where(read["y"] >= _CENTURY, np.int32(1900), np.int32(2000))
    for name, highest in _HIGHEST.items():
        if name in read:
            proven &= (read[name] >= (name in "md")) & (read[name] <= highest)
    proven &= _days_exist(read, form.years)
    values = np.zeros(len(bytes_), np.int64)
    for name in _ORDER:
        if name in read:
            values = values * 100 + read[name]
    return proven, values


def _days_exist(read: dict[str, npt.NDArray[np.int32]], years: tuple[int, int]) -> Mask | bool:
    """Whether the year lies in `years` and the month has that day. Without a year it is 1900, as strptime has it."""
    year = read.get("Y", np.array(1900, np.int32))
    within = (year >= years[0]) & (year <= years[1])
    if "d" not in read:
        return np.asarray(within)
    month = np.clip(read.get("m", np.array(1, np.int32)), 1, 12)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.asarray(within & (read["d"] <= _DAYS[month] + (leap & (month == 2))))
