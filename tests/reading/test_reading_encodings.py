"""The encoding of a text, and characters that were garbled or lost, reported with their lines."""

from __future__ import annotations

import pytest
from damage import seeds

from piperoll import assets
from piperoll.reading import Reading, read
from piperoll.reading.files.encodings import PIECE, decode
from piperoll.reading.files.mojibake import DamageInText, find_remains, repair

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


@pytest.mark.parametrize("sent", ["Ynys Mï¿½n", "Ynys MÃ¯Â¿Â½n"])
def test_a_lost_letter_that_was_garbled_again_is_reported_as_lost_and_not_as_restored(sent: str) -> None:
    reading = spend(seeds.text().replace("Royal", sent).encode())
    assert locate_findings(reading)["letters-lost"] == (1, 3)
    assert "letters-mended" not in locate_findings(reading)
    assert repair(f"{sent}, Â£1")[0] == "Ynys M\ufffdn, £1"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Se\u0087n Byrne", "Seán Byrne"),
        ("Se\u0087n and R\u0097is\u0092n", "Seán and Róis’n"),  # what may be an apostrophe stays one
        ("R\u0097isin", "R—isin"),  # a dash by itself can be one
        ("2025 \u0096 2026", "2025 – 2026"),
    ],
)
def test_a_macintosh_letter_within_a_word_is_not_read_as_a_sign(sent: str, meant: str) -> None:
    assert repair(sent)[0] == meant


def test_a_control_character_is_shown_in_the_message() -> None:
    assert repair("2025 \u0096 2026")[1].example == ("\ufffd", "–")


def test_a_garbled_narrow_space_is_restored() -> None:
    mended, found = repair("framework.\u00e2\u20ac\u00af The")
    assert mended == "framework.\u202f The"
    assert found == DamageInText(1, 10, ("framework.\u00e2\u20ac\u00af", "framework.\u202f"))


NO_BREAK = [
    b"Travel agencies\xa0,100.00\r\n",
    b"12,\xa0Payment for interim services\r\n",
    b"Reactive\xa0Maintenance\xa0\x96 Schools,100.00\r\n",
    b"repairs\xa0and\xa0maintenance,100.00\r\n",
    b"1\xa0234.56,Rent\r\n",
    b"Fees \x96\xa0legal,the council\x92s own,\x93urgent\x94,etc\x85\r\n",
]


@pytest.mark.parametrize("line", NO_BREAK)
@pytest.mark.parametrize("times", [1, 40])
def test_no_break_spaces_of_windows_text_are_not_read_as_dos_letters(line: bytes, times: int) -> None:
    """Cells such as "Travel agencies\u00e1" and "Reactive\u00e1Maintenance\u00e1\u00fb" were published."""
    decoded = decode(b"Description,Amount\r\n" + line * times)
    assert decoded.text == "Description,Amount\r\n" + line.decode("cp1252") * times


@pytest.mark.parametrize("encoding", ["cp850", "cp437", "latin-1", "cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "words",
    [
        "Fees of £25,000 – no, £5".replace("–", "-") + ",Café Royal",
        "Sánchez and Hernández,£100.00,Málaga",
        "£5 each,Café,Zoë,naïve",
    ],
)
def test_pounds_and_accents_survive_every_code_page(encoding: str, words: str) -> None:
    decoded = decode(f"Description,Amount\r\n{words}\r\n".encode(encoding))
    assert decoded.text == f"Description,Amount\r\n{words}\r\n"


def test_a_no_break_space_survives_macintosh_and_dos_text() -> None:
    for encoding in ("mac_roman", "cp850", "cp437"):
        words = "Fees:\u00a0£100,Travel agencies\u00a0,Café,£5\r\n" * 3
        assert decode(words.encode(encoding)).text == words


def test_windows_dashes_kept_as_control_characters_are_put_right() -> None:
    decoded = decode("Works 2012 \u0096 2013,the council\u0092s\r\n".encode())
    assert decoded.text == "Works 2012 – 2013,the council’s\r\n"
    assert (decoded.repaired.count, decoded.encoding) == (2, "utf-8")


def test_a_character_that_lost_its_second_byte_is_lost_and_not_a_letter_of_another_code_page() -> None:
    decoded = decode("£5,Café\r\n".encode() * 9 + b"Lead \xc2,Admin\r\n")
    assert decoded.text.endswith("Lead \ufffd,Admin\r\n")
    assert (decoded.mixed, decoded.lost.count) == (0, 1)


def test_no_break_spaces_in_cells_are_spaces() -> None:
    head = "Payment\u00a0Date,Supplier\u00a0Name,Amount\r\n"
    text = head + "01\u00a0October\u00a02026,Acme\u00a0Ltd\u00a0,1\u00a0234.56\r\n"
    for encoding in ("utf-8", "cp1252"):
        (table,) = spend(text.encode(encoding)).tables
        (batch,) = table.batches()
        cells = {name: batch[name].to_pylist()[0] for name in ("payment_date", "supplier_name", "net_amount")}
        assert cells == {"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1234.56"}
