"""A row of words over figures is headings though we know none of them; what columns hold makes no dataset of a file."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import What
from piperoll.reading import Reading, read

FOREIGN = (
    "Liveranto,Dato,Sumo,Celo\r\nAcme Ltd,01/04/2024,120.50,Rent\r\n"
    "Bolt Ltd,02/04/2024,1120.50,Rent\r\nCook Ltd,03/04/2024,99.10,Tables\r\n"
)
RATEPAYERS = (
    "Account Number,Ratepayer Name,Property Address,Rateable Value,Liability Start Date\r\n"
    "1001,Acme Ltd,1 High St,120000,01/04/2010\r\n1002,Bolt Ltd,2 High St,54000,01/06/2012\r\n"
    "1003,Cook Ltd,3 High St,54100,01/07/2012\r\n"
)
REQUESTS = (
    "Ref,Date Received,Request,Directorate,Outcome,Date Closed\r\n"
    "IR1001,04/05/2011,Parking fines,Highways,Disclosed,20/05/2011\r\n"
    "IR1002,05/05/2011,School places,Schools,Refused,21/05/2011\r\n"
)


def of(text: str, name: str | None = None) -> Reading:
    dataset = assets.dataset(name) if name else None
    return read(text.encode(), "file.csv", assets.datasets(), dataset=dataset)


def test_unknown_headings_are_not_a_record_and_are_reported_with_the_guesses() -> None:
    reading = of(FOREIGN, "spend")
    table = reading.tables[0]
    assert (table.header_row, table.rows) == (1, 3)
    assert table.columns == {"payment_date": "Dato", "net_amount": "Sumo", "supplier_name": "Liveranto"}
    told = next(finding for finding in reading.findings if finding.code == "headings-unknown")
    assert "'Liveranto', 'Dato'" in told.message
    guessed = {finding.field for finding in reading.findings if finding.code == "column-guessed"}
    assert guessed == set(table.columns)


def test_a_table_of_another_kind_is_not_recognised_by_its_cells() -> None:
    reading = of(RATEPAYERS, "contracts")
    assert (reading.what, reading.why) == (What.NOT_DATA, "no_table")
    assert "no-headings" in {finding.code for finding in reading.findings}


@pytest.mark.parametrize("text", [RATEPAYERS, REQUESTS, FOREIGN])
def test_a_file_with_unknown_headings_is_not_recognised_by_its_cells(text: str) -> None:
    reading = of(text)
    assert (reading.dataset, reading.tables) == (None, ())


def test_a_table_without_headings_is_recognised_by_its_cells() -> None:
    reading = of(FOREIGN.split("\r\n", 1)[1])
    assert reading.dataset is not None
    assert (reading.dataset.name, reading.tables[0].rows) == ("spend", 3)


def test_a_first_record_without_an_amount_is_not_a_row_of_headings() -> None:
    reading = of("Dane Ltd,04/04/2024,pending,Rent\r\n" + FOREIGN.split("\r\n", 1)[1] * 4, "spend")
    assert (reading.tables[0].header_row, reading.tables[0].rows) == (0, 13)
