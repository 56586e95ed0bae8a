"""The encoding of a text, and characters that were garbled or lost, reported with their lines."""

from __future__ import annotations

import pytest
from damage import seeds

from piperoll import assets
from piperoll.reading import Reading, read
from piperoll.reading.files.encodings import PIECE, decode
from piperoll.reading.files.mojibake import find_remains, repair

WORDS = "Café Royal,It’s £5 – or “more”,Ynys Môn\r\n"


def spend(content: bytes) -> Reading:
    return read(content, "a.csv", assets.datasets(), dataset=assets.dataset("spend"))


def locate_findings(reading: Reading) -> dict[str, tuple[int, int | None]]:
    return {finding.code: (finding.count, finding.line) for finding in reading.findings}


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
        *("cp1252", "mac_roman"),
    ],
)
def test_every_encoding_gives_the_same_text(encoding: str) -> None:
    decoded = decode((WORDS * 5).encode(encoding))
    assert (decoded.text, decoded.sure, decoded.mixed) == (WORDS * 5, True, 0)
    assert decoded.encoding == encoding


def test_dos_text_is_recognised_by_its_pound_signs() -> None:
    words = "Café Royal,£5,£1.50\r\n" * 3
    decoded = decode(words.encode("cp850"))
    assert (decoded.encoding, decoded.text) == ("cp850", words)


def test_one_undefined_byte_does_not_change_the_encoding_of_windows_text() -> None:
    decoded = decode((WORDS * 5).encode("cp1252") + b"\x81\r\n")
    assert (decoded.encoding, decoded.lost.count, decoded.lost.line) == ("cp1252", 1, 6)


def test_a_code_page_chosen_by_a_single_letter_is_doubtful() -> None:
    assert not decode(b"Supplier\r\nAcme \xa6 Co\r\n").sure


def test_lines_in_another_code_page_are_decoded_separately() -> None:
    decoded = decode(WORDS.encode("utf-8") * 20 + WORDS.encode("cp1252") * 3)
    assert (decoded.text, decoded.encoding, decoded.mixed, decoded.runner_up) == (WORDS * 23, "utf-8", 3, "cp1252")


def test_a_few_dos_lines_in_windows_text_are_decoded_separately() -> None:
    words = "Acme,£5,£1.50\r\n"
    decoded = decode(WORDS.encode("cp1252") * 20 + words.encode("cp850"))
    assert (decoded.text, decoded.encoding, decoded.mixed) == (WORDS * 20 + words, "cp1252", 1)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", " "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "ascii"])
def test_the_pieces_joined_are_the_whole_text(encoding: str, end: str) -> None:
    line = ("Acme Ltd,£5,Café" if encoding != "ascii" else "Acme Ltd,5,Cafe") + end
    text = line * (PIECE // len(line) + 7)
    pieces = list(decode(text.encode(encoding)).pieces())
    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert end == " " or all(piece.endswith(end) for piece in pieces)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Â£1,000", "£1,000"),
        ("Itâ€™s", "It’s"),
        ("CafÃ©", "Café"),
        ("Ã\u201aÂ£", "£"),
        ("Ã¢â\u201a¬â„¢s", "’s"),
        ("¬£20", "£20"),
        ("┬ú5", "£5"),
        ("TÅµr", "Tŵr"),
        ("Café £5 CafÃ©", "Café £5 Café"),
    ],
)
def test_garbled_letters_are_repaired(sent: str, meant: str) -> None:
    assert repair(sent)[0] == meant
    assert find_remains(meant).count == 0


@pytest.mark.parametrize("word", ["CAFÉ’S", "CHÂTEAU", "Ångström", "naïve", "Ã", "£20", "Zürich", "½ Ä", "â"])
def test_a_word_that_may_be_correct_is_not_repaired(word: str) -> None:
    assert repair(word)[0] == word


@pytest.mark.parametrize("word", ["â€ x", "Ã la carte", "Â£ MÃ"])
def test_a_garbled_letter_that_lost_a_byte_is_reported_or_repaired(word: str) -> None:
    mended, found = repair(word)
    assert found.count or find_remains(mended).count


def test_garbled_letters_are_reported_with_count_line_and_example() -> None:
    content = seeds.text().replace("Acme", "â€ Acme").encode().decode("cp1252").encode()
    reading = spend(content)
    assert locate_findings(reading)["letters-mended"][1] == 2
    repaired = next(finding for finding in reading.findings if finding.code == "letters-mended")
    assert "'CafÃ©'" in repaired.message or "â" in repaired.message


def test_lost_letters_and_nul_characters_are_reported_with_their_line() -> None:
    content = seeds.text().replace("Acme", "Ac\x00me").replace("Royal", "Ro\ufffdal").encode()
    found = locate_findings(spend(content))
    assert found["nul-characters"] == (1, 2)
    assert found["letters-lost"] == (1, 3)
