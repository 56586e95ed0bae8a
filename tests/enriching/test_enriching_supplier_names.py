"""Spellings of one supplier share a key, and names of different organisations do not."""

import pytest

from piperoll.enriching import group_spellings, normal_form, supplier_key

SAME = """
Quillfeather Ltd | QUILLFEATHER LIMITED
Quillfeather Ltd | Quillfeather Ltd.
Quillfeather Ltd | quillfeather
Quillfeather Ltd | Quillfeather  Ltd
Quillfeather Ltd | Quillfeather,Ltd
Quillfeather Ltd | Quillfeather (Ltd)
Quillfeather Ltd | QUILLFEATHER LTD,
Quillfeather Ltd | Quillfeather L.T.D
Quillfeather Ltd | Quillfeather Limted
Quillfeather Ltd | The Quillfeather Limited
Quillfeather Ltd | Quillfeather Limited (The)
Quillfeather Ltd | Quill-Feather Ltd
Quillfeather Ltd | Quill Feather Ltd
Quillfeather plc | QUILLFEATHER P.L.C.
Quillfeather plc | Quillfeather P L C
Quillfeather plc | Quillfeather Public Limited Company
Quillfeather LLP | Quillfeather L.L.P.
Quillfeather LLP | Quillfeather Limited Liability Partnership
Quillfeather CIC | Quillfeather C.I.C
Quillfeather CIC | Quillfeather Community Interest Company
Quillfeather CIO | Quillfeather
Quillfeather Inc | Quillfeather, Inc.
Quillfeather GmbH | Quillfeather
Quillfeather Cyf | Quillfeather Ltd
Quillfeather (Wales) Ltd | QUILLFEATHER (WALES) LIMITED
Quillfeather (Wales) Ltd | Quillfeather Wales
Quillfeather Ltd (Wales) | Quillfeather (Wales) Limited
Quillfeather (UK) Ltd | Quillfeather UK Limited
Quillfeather (UK) Ltd | Quillfeather (U.K.) Ltd
Quillfeather (UK) Ltd | QUILLFEATHER  ( UK )  LTD
Quillfeather Ltd - Leeds | Quillfeather Limited, Leeds
Rook & Daw | Rook and Daw
Rook & Daw | ROOK&DAW
Rook & Daw | Rook &amp; Daw
Quillfeather Ltd | Quillfeather Limi
Rook & Daw Ltd | Rook And Daw Limited
Rook & Co Ltd | Rook and Company Limited
Rook & Co. | Rook & Company
Rook Corp | Rook Corporation
Rook's Bakery Services Ltd | Rooks Bakery Services Ltd
Rook’s Bakery Services Ltd | Rook's Bakery Services Ltd
Rooks' Bakery Services Ltd | Rooks Bakery Services
R.O.O.K. Services Ltd | ROOK Services Ltd
Rook Bakery Ltd T/A Daw Bread | Rook Bakery Limited trading as Daw Bread
Rook Bakery Ltd t/as Daw Bread | Rook Bakery Limited T/A Daw Bread
Rôok Bakery Services Ltd | Rook Bakery Services Ltd
Rook / Daw Services | Rook Daw Services
Rook Services Holdings (No. 2) Ltd | Rook Services Holdings No 2 Limited
Anyshire C.C. Catering | Anyshire CC Catering
The Anytown Trust | Anytown Trust
Anytown Housing Association Ltd | ANYTOWN HOUSING ASSOCIATION LIMITED
Work@Home Supplies Ltd | Work at Home Supplies Limited
"""

DIFFERENT = """
Quillfeather (Wales) Ltd | Quillfeather Ltd
Quillfeather (UK) Ltd | Quillfeather Ltd
Quillfeather Leeds Ltd | Quillfeather York Ltd
Quillfeather Holdings Ltd | Quillfeather Ltd
Quillfeather Group plc | Quillfeather plc
Quillfeather Services Ltd | Quillfeather Ltd
Quillfeather Ltd - Leeds | Quillfeather Ltd
Quillfeather Ltd T/A Daw Bread | Quillfeather Ltd
Quillfeather No 1 Ltd | Quillfeather No 2 Ltd
Quillfeather Company Ltd | Quillfeather Ltd
Limited Edition Prints Services | Edition Prints Services
Unlimited Prints Services | Prints Services
A+ Signs Services | A Signs Services
Anytown Primary School | Anytown Infant School
Anytown Borough Council | Anytown City Council
Anytown Council | Anytown Borough Council
North Anyshire Trust | South Anyshire Trust
Depot 1 23 Services | Depot 12 3 Services
Rook & Daw | Rook
Rook Associates | Rook Associate Services
Daws Bakery Services Ltd | Daw Bakery Services Ltd
SA Signs Ltd | Signs Ltd
AG Signs Ltd | Signs Ltd
Theatre Services Ltd | Atre Services Ltd
The Rook Services Group | The Daw Services Group
Incline Services Ltd | Line Services Ltd
"""

KEYS = """
Quillfeather (Wales) Ltd | quillfeatherwales
The Rook & Daw Co. Ltd | rookanddawcompany
Rook No. 12 345 Services plc | rookno12-345services
The Limited | limited
"""


def _pairs(text: str) -> list[tuple[str, str]]:
    cells = [line.split("|") for line in text.strip().splitlines()]
    return [(first.strip(), second.strip()) for first, second in cells]


def test_the_tables_have_at_least_sixty_pairs():
    assert len(_pairs(SAME)) + len(_pairs(DIFFERENT)) >= 60


@pytest.mark.parametrize(("first", "second"), _pairs(SAME))
def test_spellings_of_one_supplier_share_a_key(first, second):
    assert supplier_key(first) == supplier_key(second) is not None


@pytest.mark.parametrize(("first", "second"), _pairs(DIFFERENT))
def test_different_organisations_have_different_keys(first, second):
    assert supplier_key(first) != supplier_key(second)
    assert supplier_key(first) is not None


@pytest.mark.parametrize(("name", "key"), _pairs(KEYS))
def test_a_key_has_letters_and_digits_only(name, key):
    assert supplier_key(name) == key


@pytest.mark.parametrize("name", [pair[0] for pair in _pairs(SAME)])
def test_the_key_of_a_key_is_itself(name):
    assert normal_form(supplier_key(name)) == supplier_key(name)


@pytest.mark.parametrize(
    "name",
    [
        *("REDACTED PERSONAL DATA", "Redacted", "Name withheld", "****", "Commercial in confidence"),
        *("Mrs Hortensia Blackwood", "John Smith", "J A Smith", "Estate of Hortensia Blackwood"),
        *("Mrs Hortensia Blackwood c/o Rook & Daw LLP", "Hortensia Blackwood C/O Rook & Daw LLP"),
        *("Various", "Sundry suppliers", "ONE TIME VENDOR", "Foster carers", "N/A", "Unknown", "Supplier"),
        *("", None, "-", "12345", "?", "00123/45"),
    ],
)
def test_persons_redactions_placeholders_and_codes_have_no_key(name):
    assert supplier_key(name) is None


def test_a_key_can_be_turned_back_into_its_spellings():
    names = ["Quillfeather Ltd", "Rook & Daw", "QUILLFEATHER LIMITED", "Quillfeather Ltd", "Redacted"]
    assert group_spellings(names) == {
        "quillfeather": ["Quillfeather Ltd", "QUILLFEATHER LIMITED"],
        "rookanddaw": ["Rook & Daw"],
    }
