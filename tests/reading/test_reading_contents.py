"""A file on the disk is read like its bytes in memory."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.reading import read
from piperoll.reading.files import contents, encodings
from piperoll.reading.files.contents import OnDisk

TABLE = "Body,Supplier,Date,Amount\r\n" + "Wessing,Café Noir,01/04/2026,£5.00\r\n" * 40


@given(content=st.binary(max_size=40), start=st.none() | st.integers(-50, 50), stop=st.none() | st.integers(-50, 50))
def test_a_slice_is_that_of_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: int | None, stop: int | None
) -> None:
    path = tmp_path_factory.mktemp("content") / "some.csv"
    path.write_bytes(content)
    there = OnDisk(path)
    assert there[start:stop] == content[start:stop]
    assert (len(there), contents.whole(there)) == (len(content), content)
    assert contents.sha256(there) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(), TABLE.encode("utf-8-sig"), TABLE.encode("cp1252"), TABLE.encode("utf-16"),
        TABLE.replace("\r\n", "\r").encode("mac_roman"), gzip.compress(TABLE.encode(), mtime=0),
        TABLE.encode() + TABLE.encode("cp1252"), b"", b"%PDF-1.7", b"\xd0\xcf\x11\xe0", b'[{"a": 1}]',
    ],
)  # fmt: skip
def test_a_file_on_the_disk_is_read_like_its_bytes(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spend.csv"
    path.write_bytes(content)
    expected = read(content, path.name, assets.datasets())
    monkeypatch.setattr(encodings, "STRETCH", 50)
    monkeypatch.setattr(encodings, "PIECE", 50)
    found = read(OnDisk(path), path.name, assets.datasets())
    assert (found.encoding, found.findings, found.what) == (expected.encoding, expected.findings, expected.what)
    assert [list(table.batches()) for table in found.tables] == [list(table.batches()) for table in expected.tables]
