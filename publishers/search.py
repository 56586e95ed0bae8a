"""Searching every object of a store for values: the proof that a purge is complete."""

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
from publishers.stores.protocol import Store

_MAX_DEPTH = 3
"""Levels of archives within archives that are opened: a workbook in a ZIP in a ZIP."""

_DAMAGED = (
    pa.ArrowInvalid,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zlib.error,
)
"""What Arrow, zipfile and gzip raise for an archive that is damaged, encrypted, or packed in a way they do not know."""


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value found, and the key of the object that holds it."""

    key: str
    value: str


def find_values(store: Store, values: Sequence[str]) -> Iterator[FoundValue]:
    """Find every object in the store, private ones too, that holds one of `values`, in any letter case.

    Text is searched in the encodings that bodies use, and as CSV, JSON, HTML and web addresses escape it. Parquet, ZIP
    (so workbooks too) and gzip files are opened. Streams within a PDF or an old XLS file, encrypted files, and archives
    too damaged to be opened are not searched.
    """
    wanted: dict[str, frozenset[str]] = {}
    for value in values:
        if plain := value.strip().lower():
            escaped = (html.escape(plain), json.dumps(plain)[1:-1], urllib.parse.quote(plain), plain.replace('"', '""'))
            wanted[value] = frozenset([plain, *(form.lower() for form in escaped)])
    for key in store.keys(""):
        try:
            content = store.read(key).content
        except NotThere:  # removed since it was listed
            continue
        left = dict(wanted)
        for text in _read_texts(content):
            for value in [value for value, forms in left.items() if any(form in text for form in forms)]:
                del left[value]
                yield FoundValue(key, value)


def _read_texts(content: bytes, depth: int = 0) -> Iterator[str]:
    """The bytes as text in every encoding they may be in, and the same of everything packed in them."""
    yield from _decode(content)
    if depth == _MAX_DEPTH:
        return
    try:
        if content.startswith(b"PAR1"):
            for column in pq.read_table(io.BytesIO(content)).columns:
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    yield "\n".join(cell for cell in column.to_pylist() if cell is not None).lower()
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for info in archive.infolist():
                    yield from _read_texts(archive.read(info), depth + 1)
        elif content.startswith(b"\x1f\x8b"):
            yield from _read_texts(gzip.decompress(content), depth + 1)
    except _DAMAGED:
        return


def _decode(content: bytes) -> Iterator[str]:
    """The bytes as lower-case text: as UTF-8 if they are valid, else in each older encoding."""
    try:
        yield content.decode("utf-8").lower()
    except UnicodeDecodeError:
        for encoding in ("cp1252", "cp850", "mac_roman"):
            yield content.decode(encoding, errors="replace").lower()
    if b"\x00" in content:
        for start in (0, 1):
            for encoding in ("utf-16-le", "utf-16-be"):
                yield content[start:].decode(encoding, errors="replace").lower()
