"""The monthly list of companies: its columns as published, looked up by number, name and first word."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from piperoll.enriching.identities import Company, PreviousName
from piperoll.enriching.supplier_names import normal_form
from piperoll.errors import SourcesError
from piperoll.measuring.companies import read_companies, select_companies, select_similar

HEADER = (
    "CompanyName, CompanyNumber,RegAddress.PostCode,CompanyCategory,CompanyStatus,DissolutionDate,IncorporationDate,"
    "Accounts.AccountCategory,SICCode.SicText_1,SICCode.SicText_2,URI,"
    "PreviousName_1.CONDATE, PreviousName_1.CompanyName,PreviousName_2.CONDATE, PreviousName_2.CompanyName"
)
"""As Companies House writes it, with spaces before some names; fewer columns."""

LINES = [
    ("ROOK & DAW (WALES) LIMITED", "00688424", "", "", "Active", "", "09/11/1961", "FULL",
     "62020 - Information technology", "70100 - Head offices", "", "01/02/2015", "ROOK PLC",
     "03/04/1999", "OLD ROOK LTD"),
    ("THE WREN,\nCOMPANY LTD", "SC012345", "", "", "Liquidation", "", "30/02/2001", "DORMANT",
     "99999 - Dormant Company", "", "", "", "", "", ""),
    ("FINCH LTD", "2345678", "", "", "Active", "31/12/2024", "01/01/2020", "", "None Supplied", "", "", "", "", "", ""),
]  # fmt: skip


def made_csv(lines: list[tuple[str, ...]] = LINES, header: str = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(lines)
    return f"{header}\n{text.getvalue()}".encode()


def read(folder: Path, content: bytes, name: str = "BasicCompanyData.csv") -> pa.Table:
    path = folder / name
    path.write_bytes(content)
    return read_companies(path)


ROOK = Company(
    "00688424",
    "ROOK & DAW (WALES) LIMITED",
    date(1961, 11, 9),
    None,
    ("62020", "70100"),
    False,
    (PreviousName("ROOK PLC", date(2015, 2, 1)), PreviousName("OLD ROOK LTD", date(1999, 4, 3))),
)


def test_the_columns_as_companies_house_writes_them(tmp_path: Path) -> None:
    table = read(tmp_path, made_csv())
    assert select_companies(table, numbers=["00688424"]) == [ROOK]
    (wren,) = select_companies(table, numbers=["SC012345"])
    assert (wren.incorporated, wren.dormant, wren.sic) == (None, True, ("99999",))
    (finch,) = select_companies(table, numbers=["02345678"])
    assert (finch.dissolved, finch.sic, finch.previous_names) == (date(2024, 12, 31), (), ())


@pytest.mark.parametrize(
    ("looked_up", "found"),
    [
        ({"keys": [normal_form("Rook and Daw (Wales) Ltd")]}, ["00688424"]),
        ({"keys": [normal_form("Rook Ltd"), "nobody"]}, ["00688424"]),
        ({"keys": [normal_form("Rook and Daw Ltd")]}, []),
        ({"bare": [normal_form("Rook and Daw Ltd")]}, ["00688424"]),
        ({"keys": [normal_form("Wren, Company")], "numbers": ["02345678"]}, ["SC012345", "02345678"]),
        ({}, []),
    ],
)
def test_a_company_is_found_by_its_names(tmp_path: Path, looked_up: dict[str, list[str]], found: list[str]) -> None:
    table = read(tmp_path, made_csv())
    assert [one.number for one in select_companies(table, **looked_up)] == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "name", "found"),
    [
        ("WREN", "Wren Compagny Ltd", ["SC012345"]),
        ("WREN", "Wren Catering Ltd", []),
        ("ROOK", "Wren Compagny Ltd", []),
        ("DAW", "Daw Ltd", []),
    ],
)
def test_similar_names_begin_with_the_same_word(tmp_path: Path, word: str, name: str, found: list[str]) -> None:
    table = read(tmp_path, made_csv())
    assert [one.number for one in select_similar(table, {word: [normal_form(name) or ""]})] == found


def test_a_zip_file_of_the_list_is_read_too(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("BasicCompanyDataAsOneFile-2026-11-01.csv", made_csv())
    assert read(tmp_path, packed.getvalue(), "companies.zip").num_rows == 3


def test_many_batches_keep_every_row_and_order(tmp_path: Path) -> None:
    lines = [(f"ROOK {n} LTD", f"{n:08}", *[""] * 8, "x" * 900, *[""] * 4) for n in range(1, 20_001)]
    table = read(tmp_path, made_csv(lines))
    assert len(table.to_batches()) > 1
    assert table["company_number"].to_pylist() == [f"{n:08}" for n in range(1, 20_001)]
    assert [one.name for one in select_companies(table, keys=["rook19999"])] == ["ROOK 19999 LTD"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Name,Number\nROOK LTD,00688424\n", "is no list of companies"),
        (b"", "is no list of companies"),
        (f"{HEADER}\nROOK LTD,00688424\n".encode(), "cannot be read as a list of companies"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourcesError, match=message):
        read(tmp_path, content)


def test_a_zip_file_with_two_lists_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.csv", made_csv())
        archive.writestr("2.csv", made_csv())
    with pytest.raises(SourcesError, match="has 2 CSV files"):
        read(tmp_path, packed.getvalue(), "companies.zip")


WORDS = ("ROOK", "Daw", "(Wales)", "&", "Limited", "Co", "CO.", "Wren's", "The", "Écru", "24", "7")
FORMS = ("Ltd", "LIMITED", "P.L.C.", "LLP", "L.L.P", "CIC", "Ltd.", "Co Ltd", "& Co. Limited", "(UK) Ltd", "")


def test_names_are_found_by_their_normal_form(tmp_path: Path) -> None:
    """The form of names is made in columns: it must be that of `normal_form`."""
    made = [" ".join(words).strip() for words in product(WORDS[::3], WORDS, WORDS[:4], FORMS)]
    numbers = {f"{number:08}": name for number, name in enumerate(made, 1)}
    table = read(tmp_path, made_csv([(name, number, *[""] * 13) for number, name in numbers.items()]))
    keys = dict(zip(table["company_number"].to_pylist(), table["keys"].to_pylist(), strict=True))
    expected = {number: (normal_form(name) or "").replace("-", "") for number, name in numbers.items()}
    assert [name for number, name in numbers.items() if expected[number] and keys[number] != [expected[number]]] == []
