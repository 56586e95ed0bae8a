"""Damaged files: a finding or a table always, an exception never."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
from test_reading_traps import HEAD, ROWS

from piperoll import assets
from piperoll.model import What
from piperoll.reading import read

_PLAIN = (HEAD + ROWS).encode("cp1252")
_JSON = b'{"releases": [{"ocid": "ocds-1", "awards": [{"value": {"amount": 1}}]}]}'


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inner.csv", HEAD + ROWS)
    return buffer.getvalue()


SEEDS = (_PLAIN, (HEAD + ROWS).encode("utf-16"), _JSON, _zipped())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    start, end = draw(st.integers(0, 40)), draw(st.integers(0, len(content)))
    return bytes(content[:end] if draw(st.booleans()) else content[start:] + content[:start])


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_a_damaged_file_is_read_or_told(content: bytes) -> None:
    reading = read(content, "f.csv", assets.datasets())
    assert bool(reading.tables) == (reading.what is What.DATA)
    assert reading.tables or reading.findings


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_told(content: bytes) -> None:
    reading = read(content, "f.csv", assets.datasets())
    assert reading.tables or reading.findings


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=8))
def test_any_cells_under_good_headings_are_read_or_told(rows: list[list[str]]) -> None:
    body = "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    reading = read((HEAD + body).encode("utf-8", "ignore"), "f.csv", assets.datasets())
    table_rows = sum(table.rows + len(table.excluded_rows) for table in reading.tables)
    assert reading.tables or reading.findings
    assert table_rows <= len(rows) + body.count("\r") + body.count("\n") + 8
