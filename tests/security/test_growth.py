"""Work grows at most as n log n with every size of a file: calls of functions are counted, and no time is taken.

A file of one size and one four times as large are checked in one run. Functions of Python and of its libraries are
counted by the interpreter; work that a library does within one call is not. The long form (`make soak`) takes files
three times as large.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from piperoll.checking import warm_up
from piperoll.checking.check_file import FileToCheck, check_file
from tests.security.hostile_files import HEADINGS, LINES, TABLE, packed, sheet_rows, workbook

TIMES = 4


def rows(size: int) -> bytes:
    """Records whose every cell is different from those of other sizes too."""
    lines = (
        f"{n % 28 + 1:02}/10/2026,Firm {size} {n} Ltd,{n}.{size % 89:02},T{size}{n},Kind {size} {n},U"
        for n in range(size)
    )
    return "\n".join([HEADINGS, *lines]).encode()


def people(size: int) -> bytes:
    """Records of people who are held, each in the text of another record too."""
    names = [
        f"Jane {''.join('aeioudrnst'[int(digit)] for digit in str(size * 1_000 + n))}".title() for n in range(size)
    ]
    lines = [f"05/10/2026,{name},{600 + n}.00,T{n},Supplies for {names[n - 1]},Estates" for n, name in enumerate(names)]
    return "\n".join([HEADINGS, *lines]).encode()


def columns(size: int) -> bytes:
    """Columns that mean nothing."""
    headings = ",".join([HEADINGS, *(f"Note {size} {number}" for number in range(size))])
    return "\n".join([headings, *(f"{line}{',x' * size}" for line in LINES)]).encode()


def sheets(size: int) -> bytes:
    """Sheets of a good table each."""
    return workbook([sheet_rows([HEADINGS, *LINES])] * size)


def blank_lines(size: int) -> bytes:
    """Blank lines between records."""
    return TABLE + b"\n" * size + LINES[0].encode()


def quotes(size: int) -> bytes:
    """Quotes that nothing closes."""
    return TABLE + b'"a,"b,"c\n' * size


def delimiters(size: int) -> bytes:
    """A record of delimiters."""
    return TABLE + b"," * size


def long_cell(size: int) -> bytes:
    """One long text."""
    return TABLE + b"05/10/2026," + b"Jane Smith of " * size + b",1.00,T,Supplies,Estates\n"


def objects(size: int) -> bytes:
    """Records of JSON."""
    return json.dumps(
        [{"Payment Date": "05/10/2026", "Supplier Name": f"F {size} {n}", "Amount": n} for n in range(size)]
    ).encode()


def cells_of_a_page(size: int) -> bytes:
    """A table of a web page that is never closed."""
    return b"<html><body><table>" + b"<tr><td>a<td>b" * size


def members(size: int) -> bytes:
    """Members of an archive."""
    return packed({f"{number}.txt": b"x" for number in range(size)})


def nested(size: int) -> bytes:
    """Brackets within brackets."""
    return b"[" * size


def compressed(size: int) -> bytes:
    """A record that repeats, packed."""
    return gzip.compress(TABLE + f"{LINES[0]}\r\n".encode() * size, mtime=0)


SIZES: dict[str, tuple[Callable[[int], bytes], int]] = {
    make.__name__: (make, size)
    for make, size in (
        *((rows, 100), (people, 70), (columns, 12), (sheets, 4), (blank_lines, 2_000), (quotes, 140)),
        *((delimiters, 700), (long_cell, 200), (objects, 140), (cells_of_a_page, 350), (members, 40)),
        *((nested, 1_000), (compressed, 1_000)),
    )
}


def count_calls(content: bytes) -> int:
    """How many functions are called while a file is checked."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    threading.setprofile(count)
    sys.setprofile(count)
    try:
        check_file(FileToCheck(content, "Payments October 2026"))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return calls


@pytest.mark.soak
@pytest.mark.parametrize("kind", SIZES)
def test_work_grows_at_most_as_n_log_n(kind: str, long: bool) -> None:
    make, size = SIZES[kind]
    size *= 3 if long else 1
    warm_up()
    check_file(FileToCheck(make(size - 1), "Payments October 2026"))  # what is read once, is read now
    small, large = count_calls(make(size)), count_calls(make(size * TIMES))
    assert small > 100
    assert large <= small * TIMES * math.log(size * TIMES) / math.log(size)
