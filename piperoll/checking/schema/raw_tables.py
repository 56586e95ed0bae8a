"""A CSV file as it stands, in blocks of columns: only what Frictionless guesses is guessed, and nothing is mended."""

from __future__ import annotations

import codecs
import gc
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.schema import reference
from piperoll.checking.schema.blocks import Block
from piperoll.checking.schema.dialects import SAMPLE, Dialect, Headed
from piperoll.checking.schema.errors import Error

_BUFFER = 100_000
"""How many bytes Frictionless looks at to tell the encoding."""
_BLOCK = 8_192
_CHUNK = 1 << 20
_MARKED = (
    ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
    ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
    ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
)
"""Encodings whose name says nothing of the byte order mark, the mark, and the one that takes it off."""
_FORMATS = {".csv": "csv", ".tsv": "tsv"}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a file: where it is, its Table Schema, its Table Dialect and encoding if any is given.

    `profile` is the `$schema` of the Data Resource, which says of which version everything in it is.
    `size` in bytes and `hash` (`sha256:…`, or MD5 without a name) are what the resource says that they are.
    """

    path: Path
    schema: Mapping[str, Any]
    dialect: Mapping[str, Any] = field(default_factory=dict)
    encoding: str | None = None
    format: str | None = None
    profile: str | None = None
    size: int | None = None
    hash: str | None = None

    @property
    def descriptor(self) -> dict[str, Any]:
        """The file as a Data Resource."""
        told = {"$schema": self.profile, "encoding": self.encoding, "format": self.format, "dialect": self.dialect}
        given = {name: each for name, each in told.items() if each}
        return {"path": str(self.path), "schema": dict(self.schema), **given}


@dataclass(frozen=True, slots=True)
class RawTable:
    """A CSV file that can be read from its start as often as wanted; `sample` are its first rows, whatever they are."""

    path: Path
    encoding: str
    format: str
    dialect: Dialect
    sample: tuple[list[str], ...]

    @property
    def headed(self) -> Headed:
        """Where the header stands."""
        return self.dialect.headed(self.sample)

    @property
    def labels(self) -> list[str]:
        """The labels of the columns; none where there is no header."""
        return self.headed.labels(self.sample)

    @property
    def empty(self) -> bool:
        """Whether neither labels nor a row of the table stand among the first rows."""
        return not self.labels and not any(True for _ in self.headed.content(list(self.sample)))

    def blocks(self, fields: int, only: Collection[int] | None = None) -> Iterator[Block]:
        """The rows of the table; each has a cell, or null, for each of so many fields.

        `only` are the fields, from 0, that are looked at; None for all.
        """
        with self.path.open(encoding=self.encoding, newline="" if self.format == "csv" else None) as text:
            rows = self.headed.content(self.dialect.records(text, self.format))
            while block := _next(rows, fields, only):
                yield block


def raw_table(told: Told) -> RawTable | None:
    """The file as a table; None if anything about it is not as plain as we know how to read."""
    form = told.format or _FORMATS.get(told.path.suffix)
    dialect = Dialect.understood(told.dialect)
    if form is None or form not in _FORMATS.values() or dialect is None or not told.path.is_file():
        return None
    encoding = _encoding(told)
    if encoding is None or not _decodes(told.path, encoding):
        return None
    with told.path.open(encoding=encoding, newline="" if form == "csv" else None) as text:
        sample = tuple(islice(dialect.records(text, form), SAMPLE))
    return RawTable(told.path, encoding, form, dialect, sample)


def _next(rows: Iterator[tuple[int, list[str]]], fields: int, only: Collection[int] | None) -> Block | None:
    """The next rows as a block, None if there are none."""
    with _uncollected():
        numbered = list(islice(rows, _BLOCK))
        if not numbered:
            return None
        numbers, cells = zip(*numbered, strict=True)
        return _block(numbers, cells, fields, only)


def _block(numbers: Sequence[int], rows: Sequence[list[str]], fields: int, only: Collection[int] | None) -> Block:
    widths = np.fromiter(map(len, rows), np.int64, len(rows))
    ragged = bool((widths != fields).any())
    if ragged:
        rows = [[*row[:fields], *[None] * (fields - len(row))] for row in rows]  # type: ignore[list-item]
    columns = tuple(
        pa.array(column, pa.string()) if only is None or at in only else pa.nulls(len(rows), pa.string())
        for at, column in enumerate(zip(*rows, strict=True))
    )
    return Block(columns, np.array(numbers, np.int64), widths if ragged else None)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles, which would go through every row again and again; rows hold no cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _encoding(told: Told) -> str | None:
    """The encoding as Frictionless has it: told, or detected by its first bytes; None if there is no such encoding."""
    with told.path.open("rb") as file:
        start = file.read(_BUFFER)
    if told.encoding is None:
        if start.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        plain = start.isascii() and b"\x1b" not in start and b"~{" not in start
        return "utf-8" if plain else reference.encoding(start)
    try:
        name = codecs.lookup(told.encoding).name
    except LookupError:
        return None
    for plain_name, mark, marked in _MARKED:
        if name == plain_name and start.startswith(mark):
            return marked
    return name


def _decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def file_errors(told: Told) -> Iterator[Error]:
    """Whether the file is what its resource says: "hash-count" and "byte-count", as Frictionless calls them."""
    if told.hash:
        algorithm, _, wanted = told.hash.rpartition(":")
        if algorithm in {"", "md5", "sha256"}:
            with told.path.open("rb") as file:
                found = hashlib.file_digest(file, algorithm or "md5").hexdigest()
            if wanted != found:
                yield Error("hash-count")
    if told.size and told.size != told.path.stat().st_size:
        yield Error("byte-count")
