"""Tables without headings: each guess names its field and the other columns that it could be."""

from __future__ import annotations

from piperoll import assets
from piperoll.reading import read

LINES = "".join(
    f"{number},Works and Pensions,Repair of the roof of building number {number},Contractors {number} Ltd,"
    f"0{number}/06/2012,1{number}/07/2013,{number}4500.25\n"
    for number in range(1, 9)
)


def test_each_guess_names_its_field_and_the_other_possible_columns() -> None:
    dataset, _ = assets.find_dataset("contracts")
    reading = read(LINES.encode(), "contracts.csv", assets.datasets(), dataset=dataset)
    guessed = {finding.field: finding for finding in reading.findings if finding.code == "column-guessed"}
    assert set(guessed) == set(reading.tables[0].columns)
    assert "It could also be column F" in guessed["start_date"].message
    not_told = {finding.field: finding.message for finding in reading.findings if finding.code == "column-not-told"}
    assert "it is column B" in not_told["body_name"]
