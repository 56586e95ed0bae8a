"""Questions about headings on the command line: listed with the command that answers them, and answered."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from piperoll import api, cli
from piperoll.errors import MappingError, PiperollError, UnknownDataset, UsageError
from piperoll.model import Layout, Question
from publishers import FolderStore, read_mapping, update_mapping

ROWS = "01/04/2026,Acorn Roofing Ltd,100.50,T001\n13/04/2026,Beech Services plc,9.99,T002\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store in which one question is open."""
    store = FolderStore(tmp_path / "published")
    columns = Layout({"net_amount": "Amount"}, "2026-10", "2026-11-03", "ab" * 32)
    asked = Question("Gross", "net_amount", "Amount", asked="2026-12-01", waiting=("cd" * 32,))
    update_mapping(store, "anytown", "spend", lambda mapping: mapping.with_layout(columns).with_question(asked))
    return tmp_path / "published"


def piperoll(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, arguments)))


def refused(*arguments: str | Path) -> PiperollError:
    error = piperoll(*arguments).exception
    assert isinstance(error, PiperollError)
    return error


def test_questions_come_with_the_command_that_answers_them(place: Path) -> None:
    output = piperoll("mapping", "questions", "--to", place).output
    assert "anytown, spend: is 'Gross' the net_amount? It replaced 'Amount'. Files held for it: 1." in output
    assert f'piperoll mapping answer anytown spend "Gross" same --to {place} --because "…"' in output


def test_a_heading_cannot_write_to_the_terminal_nor_add_a_command_to_the_one_that_is_shown(place: Path) -> None:
    """An operator copies the command, and a sender chose what is in it."""
    asked = Question('Gross"; rm -r $HOME `id` \x1b[31m', "net_amount", asked="2026-12-01", waiting=("cd" * 32,))
    update_mapping(FolderStore(place), "anytown", "spend", lambda mapping: mapping.with_question(asked))
    output = piperoll("mapping", "questions", "--to", place).output
    assert "\x1b" not in output
    command = next(line for line in output.splitlines() if "rm -r" in line and "mapping answer" in line)
    assert shlex.split(command)[5] == 'Gross"; rm -r $HOME `id`  [31m'
    assert "'Gross\"; rm -r $HOME `id`  [31m' same --to" in command


def test_an_answer_is_recorded_and_closes_the_question(place: Path) -> None:
    answered = piperoll("mapping", "answer", "Anytown", "spend", "gross", "same", "--to", place, "--because", "asked")
    assert "Noted for anytown, spend: 'gross' is same." in answered.output
    assert "examined again in the next piperoll run" in answered.output
    assert piperoll("mapping", "questions", "--to", place).output == "There are no open questions.\n"
    (question,) = read_mapping(FolderStore(place), "anytown", "spend").questions
    assert (question.answer, question.because) == ("same", "asked")


def test_show_prints_the_file(place: Path) -> None:
    shown = piperoll("mapping", "show", "anytown", "spend", "--to", place).output
    assert shown == (place / "mappings/anytown/spend.toml").read_text()


def test_mistakes_are_errors(place: Path) -> None:
    to = ("--to", place, "--because", "so")
    assert isinstance(refused("mapping", "answer", "anytown", "spend", "Gross", "perhaps", *to), MappingError)
    assert isinstance(refused("mapping", "answer", "anytown", "spent", "Gross", "same", *to), UnknownDataset)
    assert "there is no mapping" in str(refused("mapping", "show", "beeford", "spend", "--to", place))


def test_a_file_is_checked_with_the_mapping(place: Path, tmp_path: Path) -> None:
    (tmp_path / "april.csv").write_text(f"Date,Supplier,Gross,Transaction Number\n{ROWS}")
    check = ("check", tmp_path / "april.csv", "--dataset", "spend", "--quick")
    assert piperoll(*check).exit_code == 0
    beside = piperoll(*check, "--mappings", place / "mappings/anytown")
    assert beside.exit_code == 1
    report = api.check(tmp_path / "april.csv", dataset="spend", quick=True, mappings=place / "mappings/anytown")
    assert [finding.field for finding in report.findings if finding.code == "headings-drifted"] == ["net_amount"]


def test_a_marked_copy_goes_by_the_mapping_that_the_report_went_by(place: Path, tmp_path: Path) -> None:
    """The report asked about a heading, and the copy did not."""
    (tmp_path / "april.csv").write_text(f"Date,Supplier,Gross,Transaction Number\n{ROWS}")
    marked = tmp_path / "marked.xlsx"
    check = ("check", tmp_path / "april.csv", "--dataset", "spend", "--quick", "--marked", marked)
    piperoll(*check, "--mappings", place / "mappings/anytown")
    codes = [row[7] for row in load_workbook(marked)["Piperoll findings"].iter_rows(min_row=4, values_only=True)]
    assert "headings-drifted" in codes


def test_a_folder_without_mappings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "april.csv").write_text(f"Date,Supplier,Gross,Transaction Number\n{ROWS}")
    with pytest.raises(UsageError, match="has no <dataset>"):
        api.check(tmp_path / "april.csv", mappings=tmp_path)
