"""Rows that are split at once are those that are read one by one, with the same numbers and lines."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piperoll.reading.files import delimited, encodings
from piperoll.reading.files.delimited import TextRows, read_text
from piperoll.reading.files.encodings import decode
from piperoll.reading.files.mojibake import find_remains, repair
from piperoll.reading.files.tokens import SplitRows, split_rows

RAGGED = ["a", "1,5", ",", ",", ",,", ";", "\t", "\n", "\n", "\r\n", "é£", "\x85", "\u2028", " ", "\x00", "\ufeff"]
QUOTED = ['"a,b"', '"x\ny"', '"1,2\r\n3"', '"say ""so"""', '""', '""""', '"\n\n\n"', '"1,2,3\n4,5,6\n7,8,9"']
BROKEN = ['"', '""', '"a"b', 'a"b', '"open\n', '" "', "\r", "\r\r\n", '"\r"']

sound = st.lists(st.sampled_from(RAGGED + QUOTED), max_size=60)
any_text = st.lists(st.sampled_from(RAGGED + QUOTED + BROKEN), max_size=60)


def one_by_one(whole: str) -> TextRows:
    """The records of a text, of which none is taken at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "split_rows", lambda *_, **__: None)
        return read_text([whole])


def same(one: TextRows, other: TextRows) -> bool:
    return (one.delimiter, list(one.rows), list(one.broken_quotes)) == (
        other.delimiter,
        list(other.rows),
        list(other.broken_quotes),
    )


@settings(max_examples=300)
@given(parts=st.one_of(sound, any_text), times=st.sampled_from([1, 1, 3]), least=st.sampled_from([1, 20, 10**6]),
       cut=st.integers(1, 40), rows=st.sampled_from([1, 4, 10**4]), as_bytes=st.booleans())  # fmt: skip
@example(parts=["a,b\n", '"1,2,3\n4,5,6\n7,8,9",x,y\n'], times=3, least=1, cut=2, rows=4, as_bytes=True)
@example(parts=["a,b,c\n", '"open,2\n', "1,2,3\n"], times=3, least=1, cut=9, rows=1, as_bytes=True)
@example(parts=['"a\r', "\n", '"'], times=1, least=1, cut=1, rows=1, as_bytes=False)
def test_rows_split_at_once_are_those_read_one_by_one(
    parts: list[str], times: int, least: int, cut: int, rows: int, *, as_bytes: bool
) -> None:
    whole = "".join(parts) * times
    content = whole.encode() if as_bytes else whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_LEAST", least)
        patch.setattr(delimited, "ROWS", rows)
        read = read_text(content[at : at + cut] for at in range(0, len(content), cut))
    assert same(read, one_by_one(whole))


def taken(whole: str, *, width: int = 3, last: bool = True) -> SplitRows | None:
    return split_rows(whole.encode(), ",", width, last=last)


def rows_of(found: SplitRows) -> list[list[str]]:
    cells = [bytes(found.text[start:end]).decode() for start, end in zip(found.cells, found.cells[1:], strict=False)]
    return [cells[start:end] for start, end in zip(found.rows, found.rows[1:], strict=False)]


@pytest.mark.parametrize(
    ("whole", "rows", "starts"),
    [
        ("a,b\r\nc\n", [["a", "b"], ["c"]], [0, 1]),
        ('"a,""b""",\n""\n', [['a,"b"', ""], [""]], [0, 1]),
        ('"two\r\nlines",b\nc,d', [["two\r\nlines", "b"], ["c", "d"]], [0, 2]),
        ("\n\r\n,\n", [[], [], ["", ""]], [0, 1, 2]),
        ("£5,é\n", [["£5", "é"]], [0]),
    ],
)
def test_sound_rows_are_split(whole: str, rows: list[list[str]], starts: list[int]) -> None:
    found = taken(whole)
    assert found is not None
    assert rows_of(found) == rows
    assert list(found.starts) == starts
    assert found.size == len(whole.encode())


@pytest.mark.parametrize(
    "doubtful",
    [
        'x,5" pipe,z\n',
        '"open,y,z\n',
        '"a"b,y,z\n',
        '"a" ,y,z\n',
        "x\ry,z\n",
        '"x\ry",z\n',
        "x" * 131_073 + ",y,z\n",
        '"1,2,3\n4,5,6\n7,8,9",y,z\n',
    ],
)
def test_rows_are_split_up_to_the_first_that_needs_care(doubtful: str) -> None:
    before = 'a,"b\nb",c\n'
    assert taken(doubtful) is None
    found = taken(before + doubtful + "d,e,f\n")
    assert found is not None
    assert rows_of(found) == [["a", "b\nb", "c"]]
    assert (found.size, found.lines) == (len(before), 2)


def test_an_incomplete_row_is_left() -> None:
    found = taken("a,b\nc,d", last=False)
    assert found is not None
    assert (rows_of(found), found.size) == ([["a", "b"]], 4)
    assert taken("a,b", last=False) is None


def test_rows_after_one_that_needs_care_continue_the_numbers() -> None:
    read = read_text([b'a,b\n"x\ny",1\n5" pipe,2\nc,d\n'])
    assert [tuple(row) for row in read.rows] == [
        (1, 1, ["a", "b"]), (2, 2, ["x\ny", "1"]), (3, 4, ['5" pipe', "2"]), (4, 5, ["c", "d"]),
    ]  # fmt: skip


@given(content=st.one_of(st.binary(max_size=30), st.text(max_size=20).map(str.encode)))
def test_utf8_is_valid_if_python_can_decode_it(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        assert not encodings._is_valid_utf8(content)
        assert not encodings._is_decodable(content)
    else:
        assert encodings._is_valid_utf8(content)
        assert encodings._is_decodable(content)


@given(whole=st.text(alphabet="aé£ŁÂÃ€â\x80¬√\u201a┬├Ô5 \n\x00\ufffd", max_size=30), mark=st.booleans())
def test_a_text_that_is_not_searched_for_damage_has_nothing_to_report(whole: str, *, mark: bool) -> None:
    if encodings._find_simple_encoding(codecs.BOM_UTF8 * mark + whole.encode()):
        assert not repair(whole)[1].count
        assert not find_remains(whole).count
        assert "\x00" not in whole
        assert "\ufffd" not in whole


@given(
    whole=st.text(alphabet="aé£Ã€\x80\n\r,\ufeff", max_size=30), codec=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"])
)
def test_the_utf8_of_a_file_is_its_text(whole: str, codec: str) -> None:
    decoded = decode(whole.encode(codec, "replace"))
    parts = (part if isinstance(part, bytes) else part.encode() for part in decoded.utf8())
    assert b"".join(parts).decode() == decoded.text
