from __future__ import annotations

import csv
import io
import zipfile

import openpyxl
import pytest

from piperoll import assets
from piperoll.model import Origin
from piperoll.releasing import make_template_csv, make_template_xlsx
from piperoll.releasing.spreadsheets import make_workbook

DATASETS = ("contracts", "roles", "spend", "transactions")


@pytest.mark.parametrize("name", DATASETS)
def test_a_template_has_a_heading_for_every_field_that_is_sent_and_no_two_alike(name: str) -> None:
    dataset = assets.dataset(name)
    [headings] = csv.reader(io.StringIO(make_template_csv(dataset).decode(), newline=""))
    sent = [field for field in dataset.fields if field.origin is Origin.SENT]
    assert len(headings) == len(set(headings)) == len(sent)
    for heading, field in zip(headings, sent, strict=True):
        meanings = [one.field for one in dataset.headings if one.heading.casefold() == heading.casefold()]
        assert meanings[:1] in ([], [field.name])


@pytest.mark.parametrize("name", DATASETS)
def test_the_workbook_is_the_same_bytes_each_time_and_explains_itself(name: str) -> None:
    dataset = assets.dataset(name)
    content = make_template_xlsx(dataset)
    assert content == make_template_xlsx(dataset)
    book = openpyxl.load_workbook(io.BytesIO(content))
    [headings] = csv.reader(io.StringIO(make_template_csv(dataset).decode(), newline=""))
    assert [cell.value for cell in book.worksheets[0][1]] == headings
    assert [row[0].value for row in book["Notes"].iter_rows(min_row=2)] == headings
    for rule in book.worksheets[0].data_validations.dataValidation:
        assert rule.formula1.startswith("Lists!")


def test_a_text_that_looks_like_a_formula_is_never_calculated() -> None:
    texts = [
        '=HYPERLINK("http://x.example","pay")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1+1",
        "http://x.example",
    ]
    content = make_workbook("Rows", ["=1+1", "amount"], [(text, 12.5) for text in texts])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = [row[0] for row in sheet.iter_rows()]
    assert [cell.value for cell in cells] == ["=1+1", *texts]
    assert [cell.hyperlink for cell in cells] == [None] * len(cells)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        (xml,) = (book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
    assert b"<f>" not in xml
    assert b"hyperlink" not in xml
