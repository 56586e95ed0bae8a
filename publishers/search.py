"""Searching every object of a store for values: the proof that a purge is complete."""

from __future__ import annotations

import codecs
import errno
import gzip
import html
import io
import json
import lzma
import struct
import tempfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import NotThere
from publishers.stores.protocol import Store

_MAX_DEPTH = 3
"""Levels of archives within archives that are opened: a workbook in a ZIP in a ZIP."""

_PIECE_BYTES = 4 << 20
"""Bytes of text that are in memory at a time."""

_SMALL_READ = 4096
"""Bytes of a member packed with bzip2 or LZMA that are unpacked at a time: they can become 80 MB."""

_BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_MOST_UNPACKED, _UNPACKED_TIMES = 512 << 20, 50
"""Unpack at most this many bytes of an object, or this many times its own size if that is more. No file that we can
read is larger; a zip bomb of 1 MB unpacks to a gigabyte."""

_PACKED = (b"PAR1", b"PK", b"\x1f\x8b")

_DAMAGED = (
    pa.ArrowException,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    lzma.LZMAError,
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
    (so workbooks too) and gzip files are opened, in pieces. Streams within a PDF or an old XLS file, encrypted files,
    archives too damaged to be opened, and what an archive has beyond 512 MB and 50 times its size are not searched.
    """
    wanted: dict[str, frozenset[str]] = {}
    for value in values:
        if plain := value.strip().lower():
            escaped = (html.escape(plain), json.dumps(plain)[1:-1], urllib.parse.quote(plain), plain.replace('"', '""'))
            wanted[value] = frozenset([plain, *(form.lower() for form in escaped)])
    longest = max((len(form) for forms in wanted.values() for form in forms), default=0)
    overlap = min(4 * longest + 8, _PIECE_BYTES // 2)
    for key in store.keys(""):
        try:
            content = store.read(key).content
        except NotThere:  # removed since it was listed
            continue
        left = dict(wanted)
        for text in _Unpacker(len(content), overlap).texts(io.BytesIO(content)):
            for value in [value for value, forms in left.items() if any(form in text for form in forms)]:
                del left[value]
                yield FoundValue(key, value)


@contextmanager
def _undamaged() -> Iterator[None]:
    """Go on after an archive that cannot be opened. Raises: OSError: there is no room to unpack it."""
    try:
        yield
    except _DAMAGED as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


class _Unpacker:
    """Finds the texts in an object and in what is packed in it, piece by piece, so that memory is bounded.

    Pieces overlap by `overlap` bytes, so that no value is cut in two. At most `left` bytes are unpacked.
    """

    def __init__(self, size: int, overlap: int) -> None:
        self._overlap = overlap
        self._left = max(_MOST_UNPACKED, _UNPACKED_TIMES * size)

    def texts(self, stream: BinaryIO, depth: int = 0) -> Iterator[str]:
        """The bytes as text in every encoding they may be in, and the same of everything packed in them."""
        start = stream.read(4)
        stream.seek(0)
        yield from self._pieces(stream, _PIECE_BYTES)
        if depth == _MAX_DEPTH:
            return
        stream.seek(0)
        with _undamaged():
            if start == b"PAR1":
                yield from self._parquet(stream)
            elif start.startswith(b"PK"):
                with zipfile.ZipFile(stream) as archive:
                    for info in archive.infolist():
                        yield from self._zipped(archive, info, depth + 1)
            elif start.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=stream) as member:
                    yield from self._member(cast("BinaryIO", member), _PIECE_BYTES, depth + 1)

    def _zipped(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int) -> Iterator[str]:
        """The texts of a member of a ZIP; one that is damaged or encrypted keeps no other from being searched."""
        # zipfile bounds what it makes of one read for these methods only
        read = _PIECE_BYTES if info.compress_type in _BOUNDED_METHODS else _SMALL_READ
        with _undamaged(), archive.open(info) as member:
            yield from self._member(cast("BinaryIO", member), read, depth)

    def _member(self, member: BinaryIO, read: int, depth: int) -> Iterator[str]:
        """The texts of a member; one that is an archive itself is unpacked into a temporary file first."""
        first = self._take(member.read(read))
        if not first.startswith(_PACKED):
            yield from self._pieces(member, read, first, packed=True)
            return
        with tempfile.SpooledTemporaryFile(max_size=_PIECE_BYTES) as spool:
            while first:
                spool.write(first)
                first = self._take(member.read(read))
            spool.seek(0)
            yield from self.texts(cast("BinaryIO", spool), depth)

    def _take(self, piece: bytes) -> bytes:
        """The piece, as far as it may still be unpacked."""
        piece = piece[: self._left]
        self._left -= len(piece)
        return piece

    def _pieces(self, stream: BinaryIO, read: int, first: bytes = b"", *, packed: bool = False) -> Iterator[str]:
        piece = bytearray(first)
        while True:
            while len(piece) < _PIECE_BYTES and (more := stream.read(read)):
                more = self._take(more) if packed else more
                if not more:
                    break
                piece += more
            yield from _decode(piece)
            if len(piece) < _PIECE_BYTES:
                return
            del piece[: -self._overlap]

    def _parquet(self, stream: BinaryIO) -> Iterator[str]:
        """The distinct texts of each column: a file of one text a million times is as small in memory as on disk."""
        schema = pq.read_schema(stream)
        names = [one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
        stream.seek(0)
        table = pq.ParquetFile(stream, read_dictionary=names)
        if sum(table.metadata.row_group(at).total_byte_size for at in range(table.num_row_groups)) > self._left:
            return
        for batch in table.iter_batches(columns=names):
            for column in batch.columns:
                yield "\n".join(cell for cell in column.unique().to_pylist() if cell is not None).lower()


def _decode(content: bytearray) -> Iterator[str]:
    """The bytes as lower-case text: as UTF-8 if they are valid, else in each older encoding.

    The first and the last character may be cut: they are in the piece before and after.
    """
    start = next((at for at in range(min(4, len(content))) if content[at] & 0xC0 != 0x80), 0)
    try:
        yield codecs.utf_8_decode(content[start:], "strict", False)[0].lower()
    except UnicodeDecodeError:
        for encoding in ("cp1252", "cp850", "mac_roman"):
            yield content.decode(encoding, errors="replace").lower()
    if b"\x00" in content:
        for start in (0, 1):
            for encoding in ("utf-16-le", "utf-16-be"):
                yield content[start:].decode(encoding, errors="replace").lower()
