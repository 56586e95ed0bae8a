"""Looking for values in everything that a store holds: the proof that a purge is complete."""

from __future__ import annotations

import gzip
import html
import io
import json
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import NotThere
from publishers.store import Store

_DEEP = 3
"""Archives within archives are opened so far: a workbook in a ZIP in a ZIP."""

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp850", "mac_roman")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A value found, and the key of the object that holds it."""

    key: str
    value: str


def sightings(store: Store, values: Sequence[str]) -> Iterator[Sighting]:
    """Every object in the store, private ones too, that holds one of `values`, in whatever capitals.

    Text is looked through in the encodings that bodies use and as CSV, JSON, HTML and web addresses spell it; Parquet,
    ZIP (workbooks too) and gzip are opened. What is compressed within a PDF or an old XLS record is not.
    """
    wanted = {value: _spellings(value) for value in values if value.strip()}
    for key in store.keys(""):
        try:
            content = store.read(key).content
        except NotThere:  # removed since it was listed
            continue
        whole = b"\n".join(_layers(content))
        yield from (Sighting(key, value) for value, forms in wanted.items() if any(form in whole for form in forms))


def _spellings(value: str) -> frozenset[bytes]:
    """The value in every form that it may take in a file of text, in small letters."""
    plain = value.strip().lower()
    forms = {plain, plain.replace('"', '""'), html.escape(plain), json.dumps(plain)[1:-1], urllib.parse.quote(plain)}
    found = set()
    for form in forms | {form.upper() for form in forms}:  # bytes know small letters of ASCII alone
        for encoding in _ENCODINGS:
            try:
                found.add(form.encode(encoding).lower())
            except UnicodeEncodeError:  # it has a letter that this encoding lacks, so no such file can hold it
                continue
    return frozenset(found)


def _layers(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves in small letters, and whatever is packed in them."""
    yield _lowered(content)
    if depth == _DEEP:
        return
    if content.startswith(b"PAR1"):
        yield from _columns(content)
    elif content.startswith(b"PK"):
        for member in _members(content):
            yield from _layers(member, depth + 1)
    elif content.startswith(b"\x1f\x8b"):
        yield from _layers(_unzipped(content), depth + 1)


def _lowered(content: bytes) -> bytes:
    """Small letters: by Unicode where the bytes are UTF-8, else of ASCII alone."""
    try:
        return content.decode("utf-8").lower().encode()
    except UnicodeDecodeError:
        return content.lower()


def _columns(content: bytes) -> Iterator[bytes]:
    try:
        table = pq.read_table(io.BytesIO(content))
    except pa.ArrowInvalid:
        return
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            yield "\n".join(cell for cell in column.to_pylist() if cell is not None).lower().encode()


def _members(content: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                yield archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return


def _unzipped(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return b""
