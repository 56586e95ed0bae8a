"""Names compare equal however they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.people.names import fold_name, fold_text


@pytest.mark.parametrize(
    "text",
    [
        "Siobhan O'Brien",
        "siobhan o'brien",
        "SIOBHÁN O\u2019BRIEN",
        "Siobha\u0301n O\u2018Brien",
        " Siobhán\u00a0 O\u02bcBrien ",
        "Sio\u200bbhán\u2009O'Bri\u00aden",
        "Mrs Siobhán O'Brien",
        "MRS.SIOBHÁN O'BRIEN",
        "Siobhán O'Brien (Mrs)",
        "Prof. Dr Siobhan O'Brien",
        "Estate of Siobhán O'Brien",
        "The Executors of the late Mrs Siobhan O'Brien",
        "Siobhan O'Brien (deceased)",
        "Siobhan O'Brien Dec'd",
        "Siobhan O'Brien 12345",
        "Siobhan O'Brien (Ref: 00123)",
        "12345 - Siobhan O'Brien",
        "PAYPAL *SIOBHAN O'BRIEN",
        "Siobh\u0430n O'Brien",  # a Cyrillic letter
    ],
)
def test_one_name_in_every_spelling(text: str) -> None:
    assert fold_name(text) == "SIOBHAN O'BRIEN"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łukasz Żółć", "LUKASZ ZOLC"),
        ("Ọlúwaṣẹ́gun Ọ̀ṣọ́", "OLUWASEGUN OSO"),
        ("Đặng Thị Ánh", "DANG THI ANH"),
        ("Søren Ærø-Weiß", "SOREN AERO-WEISS"),
        ("İbrahim Is\u0131k", "IBRAHIM ISIK"),
        ("Иван Петров", "ИВАН ПЕТРОВ"),
        ("Mr J & Mrs A Smith", "J & A SMITH"),
        ("Mr and Mrs smith", "SMITH"),
        ("Mr", "MR"),
        ("12345", "12345"),
        ("G4S", "G4S"),
        ("", ""),
    ],
)
def test_a_name_is_folded(text: str, folded: str) -> None:
    assert fold_name(text) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
    assert fold_name(fold_name(text)) == fold_name(text)
