"""`piperoll classify`: the lines of a file by function, on made-up files."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from piperoll.checking.check_file import FileToCheck
from piperoll.cli import app
from piperoll.enriching.functions import Side
from piperoll.errors import UsageError
from piperoll.operations.classify import classify_file

SPENDING = """\
Directorate,Purpose,Supplier,Payment Date,Amount,Transaction Number{heading}
Highways,Surfacing,Roadworks Ltd,03/10/2026,"1,000.00",T1{first}
Finance,Audit fees,Ledger Audit LLP,04/10/2026,200.50,T2{second}
Finance,Flood levy,Anyshire Flood Board,05/10/2026,300.00,T3{second}
Miscellaneous,Other,Sundry Supplies Ltd,06/10/2026,40.25,T4{second}
Highways,Surfacing,Roadworks Ltd,07/10/2026,-100.00,T5{second}
"""


def spending(heading: str = "", first: str = "", second: str = "") -> bytes:
    return SPENDING.format(heading=heading, first=first, second=second).encode()


def test_lines_of_a_file_are_added_up_by_side() -> None:
    classified = classify_file(FileToCheck(spending(), "spend October 2026.csv"))
    sides = classified.totals_by_side()
    assert {side.value: total.amount for side, total in sides.items()} == {
        "O": Decimal("900.00"),
        "I": Decimal("200.50"),
        "X": Decimal("300.00"),
        "U": Decimal("40.25"),
    }
    assert sum(total.lines for total in sides.values()) == 5
    [(texts, unknown)] = classified.largest_unknown(10)
    assert (unknown.lines, "Miscellaneous" in texts) == (1, True)


def test_a_function_that_the_body_declares_is_taken() -> None:
    content = spending(heading=",Function", first=",i-change", second=",")
    classified = classify_file(FileToCheck(content, "spend October 2026.csv"))
    assert classified.lines[0].classification.function.id == "i-change"
    assert classified.totals_by_side()[Side.OUTCOME].amount == Decimal("-100.00")


def test_a_file_of_another_dataset_is_refused_with_a_reason() -> None:
    headings = "Contract Reference,Title,Supplier,Start Date,End Date,Contract Value"
    content = f"{headings}\nC1,Roads,Ltd Co Ltd,01/04/2026,31/03/2027,1000\n".encode()
    with pytest.raises(UsageError, match="not classified by function"):
        classify_file(FileToCheck(content, "contracts register.csv", dataset="contracts"))


def test_the_command_writes_every_line_with_its_rule(tmp_path: Path) -> None:
    file, out = tmp_path / "spend October 2026.csv", tmp_path / "lines.csv"
    file.write_bytes(spending())
    result = CliRunner().invoke(app, ["classify", str(file), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "Front line" in result.output
    assert "Miscellaneous" in result.output
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["row"], row["function_id"], row["rules"]) for row in rows] == [
        ("2", "o-assets", "roads"),
        ("3", "i-finance", "finance-team"),
        ("4", "x-transfer-body", "precept-levy"),
        ("5", "u-unknown", ""),
        ("6", "o-assets", "roads"),
    ]


def test_the_command_prints_json_that_adds_up(tmp_path: Path) -> None:
    file = tmp_path / "spend October 2026.csv"
    file.write_bytes(spending())
    document = json.loads(CliRunner().invoke(app, ["classify", str(file), "--json"]).output)
    by_function = sum(Decimal(one["amount"]) for one in document["functions"].values())
    assert by_function == sum(Decimal(one["amount"]) for one in document["sides"].values()) == Decimal("1440.75")
