"""A file given back to its sender: marked with its findings, or with the safe corrections made."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from typer.testing import CliRunner

from piperoll import api
from piperoll.cli import app
from piperoll.errors import UsageError
from piperoll.model import Report
from piperoll.operations import marked_copy
from piperoll.operations.marked_copy import Change, CorrectedCopy

REAL = Path(__file__).parents[3] / "shared" / "realdata"

HEADINGS = ["Directorate", "Purpose", "Supplier", "Payment Date", "Amount", "Transaction Number"]
ROWS: list[list[object]] = [
    ["Highways", "Surfacing", "Roadworks Ltd", "03/10/2026", "£1,000.00", "T1"],
    ["Finance", "Audit fees", "  Ledger   Audit LLP ", "14/10/2026", "(200.50)", "T2"],
    ["Finance", "=1+1", "Sundry Supplies Ltd", "45/10/2026", "12.5", "T3"],
    ["Finance", "Paper", "Stationer Ltd", "30/10/2026", "ten", "T4"],
    ["Total", "", "", "", "812.00", ""],
]


def as_csv(rows: list[list[object]] = ROWS, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADINGS, *rows])
    return text.getvalue().encode(encoding)


def as_workbook(rows: list[list[object]] = ROWS) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "October"
    for row in [HEADINGS, *rows]:
        sheet.append(row)
    for cell in sheet["B"]:
        cell.data_type = "s"
    sheet["A1"].font = Font(bold=True, color="FF0000")
    sheet["H2"] = "=SUM(E2:E3)"
    workbook.create_sheet("Notes")["A1"] = "made by hand"
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


MAKERS: list[Callable[[], bytes]] = [as_csv, as_workbook]


def check(content: bytes, extension: str) -> Report:
    return api.check(content, name=f"spend October 2026{extension}", dataset="spend", period="2026-10")


def totals(report: Report) -> list[tuple[int, int, Decimal | None]]:
    return [(table.rows.read, table.rows.accepted, table.amount and table.amount.read) for table in report.tables]


def places(report: Report) -> int:
    return sum(finding.count for finding in report.findings)


def mark(content: bytes) -> Workbook:
    copy = api.marked_copy(content, name="spend October 2026", dataset="spend", period="2026-10")
    return load_workbook(io.BytesIO(copy))


def correct(content: bytes) -> CorrectedCopy:
    return api.corrected_copy(content, name="spend October 2026", dataset="spend", period="2026-10")


@pytest.mark.parametrize("make", MAKERS)
def test_a_cell_that_cannot_be_read_is_coloured_and_says_what_to_do(make: Callable[[], bytes]) -> None:
    sheet = mark(make()).worksheets[0]
    for address, words in (("D4", "45/10/2026"), ("E5", "ten")):
        assert sheet[address].value == words
        assert sheet[address].fill.start_color.rgb != "00000000"
        assert "To do:" in sheet[address].comment.text
    assert sheet["A3"].comment is None


def test_a_workbook_keeps_its_formats_formulas_and_other_sheets() -> None:
    workbook = mark(as_workbook())
    assert workbook.sheetnames == ["October", "Notes", "Piperoll findings"]
    assert workbook["October"]["A1"].font.color.rgb == "00FF0000"
    assert workbook["October"]["H2"].value == "=SUM(E2:E3)"
    assert workbook["Notes"]["A1"].value == "made by hand"


@pytest.mark.parametrize("make", MAKERS)
def test_the_list_has_every_finding_and_leads_to_its_cell(make: Callable[[], bytes]) -> None:
    content = make()
    workbook = mark(content)
    sheet = workbook["Piperoll findings"]
    rows = [row for row in sheet.iter_rows(min_row=4) if row[0].value]
    report = check(content, ".csv" if make is as_csv else ".xlsx")
    assert sorted(row[7].value for row in rows) == sorted(finding.code for finding in report.findings)
    unreadable = next(row for row in rows if row[7].value == "amount-unreadable")
    assert unreadable[2].hyperlink.location.endswith("!E5")


@pytest.mark.parametrize("make", MAKERS)
def test_a_text_that_looks_like_a_formula_stays_a_text(make: Callable[[], bytes]) -> None:
    sheet = mark(make()).worksheets[0]
    assert (sheet["B4"].value, sheet["B4"].data_type) == ("=1+1", "s")


def test_a_message_that_quotes_a_formula_is_no_formula_in_the_list() -> None:
    rows: list[list[object]] = [*ROWS[:2], ["Finance", "Paper", "Ltd Co Ltd", "30/10/2026", '=HYPERLINK("x")', "T5"]]
    sheet = mark(as_csv(rows))["Piperoll findings"]
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize("make", MAKERS)
def test_a_marked_copy_that_is_sent_back_gives_the_same_report(make: Callable[[], bytes]) -> None:
    content = make()
    before = check(content, ".csv" if make is as_csv else ".xlsx")
    copy = api.marked_copy(content, name="spend October 2026", dataset="spend", period="2026-10")
    after = check(copy, ".xlsx")
    assert totals(after) == totals(before)
    assert [finding.code for finding in after.findings] == [finding.code for finding in before.findings]
    again = api.marked_copy(copy, name="spend October 2026.xlsx", dataset="spend", period="2026-10")
    assert load_workbook(io.BytesIO(again)).sheetnames[-1] == "Piperoll findings"


def test_a_text_file_is_corrected_where_no_judgement_is_needed_and_nowhere_else() -> None:
    copy = correct(as_csv())
    rows = list(csv.reader(io.StringIO(copy.content.decode("utf-8-sig"))))
    assert copy.extension == ".csv"
    assert rows == [
        HEADINGS,
        ["Highways", "Surfacing", "Roadworks Ltd", "2026-10-03", "1000.00", "T1"],
        ["Finance", "Audit fees", "Ledger   Audit LLP", "2026-10-14", "-200.50", "T2"],
        ["Finance", "=1+1", "Sundry Supplies Ltd", "45/10/2026", "12.5", "T3"],
        ["Finance", "Paper", "Stationer Ltd", "2026-10-30", "ten", "T4"],
    ]


def test_a_workbook_gets_dates_and_numbers_and_keeps_the_rest() -> None:
    before = load_workbook(io.BytesIO(as_workbook()))["October"]
    copy = correct(as_workbook())
    after = load_workbook(io.BytesIO(copy.content))["October"]
    changed = {f"{change.column}{change.row}" for change in copy.changes if change.column}
    moved = {change.row for change in copy.changes if change.column is None}
    for row in before.iter_rows():
        for cell in row:
            if cell.row in moved:
                assert after[cell.coordinate].value is None
            elif cell.coordinate not in changed:
                assert after[cell.coordinate].value == cell.value
            assert after[cell.coordinate].font.b == cell.font.b
    assert after["D2"].value == datetime(2026, 10, 3)  # noqa: DTZ001 - cells have no time zone
    assert (after["E2"].value, after["E3"].value) == (1000, -200.5)
    assert moved == {6}


def test_every_change_is_listed_with_what_was_there_before() -> None:
    copy = correct(as_csv())
    assert Change(None, 2, "E", "£1,000.00", "1000.00", "a number, without signs around it") in copy.changes
    total = next(change for change in copy.changes if change.column is None)
    assert (total.row, total.before) == (6, "Total | 812.00")


@pytest.mark.parametrize("make", MAKERS)
def test_a_corrected_copy_has_the_same_rows_and_pounds_and_no_more_findings(make: Callable[[], bytes]) -> None:
    content = make()
    before = check(content, ".csv" if make is as_csv else ".xlsx")
    copy = correct(content)
    after = check(copy.content, copy.extension)
    assert totals(after) == totals(before)
    assert places(after) <= places(before)
    assert not correct(copy.content).changes


def test_a_file_in_a_code_page_becomes_unicode() -> None:
    rows: list[list[object]] = [["Highways", "Surfacing", "Caf\u00e9 Anytown Ltd", "03/10/2026", "10.00", "T1"]]
    copy = correct(as_csv(rows, "cp1252"))
    assert "Caf\u00e9" in copy.content.decode("utf-8-sig")


def test_amounts_in_thousands_are_not_written_in_pounds() -> None:
    """The heading would still say thousands."""
    text = as_csv([["Highways", "Surfacing", "Roadworks Ltd", "03/10/2026", "1.5", "T1"]]).decode()
    copy = correct(text.replace("Amount", "Amount £000").encode())
    assert not [change for change in copy.changes if change.column == "E"]


def test_a_file_without_a_table_has_nothing_to_correct() -> None:
    with pytest.raises(UsageError, match="nothing to correct"):
        correct(b"A letter about nothing in particular.\nIt has two lines.\n")


def test_a_page_of_text_has_no_cells_to_mark() -> None:
    with pytest.raises(UsageError, match="no cells"):
        api.marked_copy(b"%PDF-1.4\n", name="spend.pdf")


def test_a_file_of_too_many_cells_is_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marked_copy, "MOST_CELLS", 10)
    with pytest.raises(UsageError, match="up to 10"):
        api.marked_copy(as_csv(), name="spend October 2026.csv")


def test_the_command_writes_both_copies_and_the_list_of_changes(tmp_path: Path) -> None:
    file, marked, corrected = (tmp_path / name for name in ("spend October 2026.csv", "marked.xlsx", "corrected.csv"))
    file.write_bytes(as_csv())
    result = CliRunner().invoke(app, ["check", str(file), "--marked", str(marked), "--corrected", str(corrected)])
    assert result.exit_code in (0, 1), result.output
    assert load_workbook(marked).sheetnames[-1] == "Piperoll findings"
    assert corrected.read_text("utf-8-sig").splitlines()[1].startswith("Highways,Surfacing,Roadworks Ltd,2026-10-03")
    changes = (tmp_path / "corrected.changes.csv").read_text("utf-8-sig")
    assert "£1,000.00" in changes


def test_a_corrected_copy_under_a_name_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "spend October 2026.csv"
    file.write_bytes(as_csv())
    result = CliRunner().invoke(app, ["check", str(file), "--corrected", str(tmp_path / "corrected.xlsx")])
    assert isinstance(result.exception, UsageError)
    assert ".csv file" in str(result.exception)


def test_a_copy_is_not_made_by_what_is_published(tmp_path: Path) -> None:
    file = tmp_path / "spend October 2026.csv"
    file.write_bytes(as_csv())
    asked = ["check", str(file), "--marked", str(tmp_path / "m.xlsx"), "--against", str(tmp_path), "--body", "x"]
    assert isinstance(CliRunner().invoke(app, asked).exception, UsageError)


def test_a_change_that_looks_like_a_formula_is_defused_in_the_list() -> None:
    text = io.StringIO(newline="")
    marked_copy.write_changes([Change(None, 2, "B", "=cmd()", "-12.50", "x")], text)
    assert text.getvalue().splitlines()[1] == ",2,B,'=cmd(),-12.50,x"


def test_a_code_page_is_a_change_that_is_listed() -> None:
    rows = [["Highways", "Café", *ROWS[0][2:]]]
    copy = api.corrected_copy(as_csv(rows, "cp1252"), name="October 2026.csv", dataset="spend")
    assert (copy.changes[0].row, copy.changes[0].before, copy.changes[0].after) == (0, "cp1252", "utf-8")
    assert "whole file" in listed(copy.changes)
    unicode = api.corrected_copy(as_csv(rows), name="October 2026.csv", dataset="spend")
    assert all(change.row for change in unicode.changes)


def listed(changes: Sequence[Change]) -> str:
    text = io.StringIO(newline="")
    marked_copy.write_changes(changes, text)
    return text.getvalue()


def shown(value: object) -> object:
    """A number to the 15 digits that spreadsheet programs show: openpyxl writes 16, and a file may have 17."""
    return f"{value:.15g}" if isinstance(value, (int, float)) else value


def unlisted_differences(sent: bytes, copy: CorrectedCopy) -> list[str]:
    """The cells of a corrected workbook that differ from those sent, in value or format, and are not in the list."""
    before, after = (load_workbook(io.BytesIO(one)) for one in (sent, copy.content))
    first = before.sheetnames[0]
    rows = {(change.sheet or first, change.row) for change in copy.changes if change.column is None}
    cells = {(change.sheet or first, f"{change.column}{change.row}") for change in copy.changes if change.column}
    found = []
    for sheet in before.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                place = (sheet.title, cell.coordinate)
                theirs = after[sheet.title][cell.coordinate]
                same = (shown(cell.value), cell.number_format) == (shown(theirs.value), theirs.number_format)
                if not (same or place in cells or (sheet.title, cell.row) in rows):
                    found.append(f"{place}: {cell.value!r} became {theirs.value!r}")
    added = set(after.sheetnames) - set(before.sheetnames) - {"Piperoll changes"}
    return [*found, *added]


def test_a_corrected_workbook_differs_from_what_was_sent_in_nothing_but_what_is_listed() -> None:
    sent = as_workbook()
    copy = api.corrected_copy(sent, name="October 2026.xlsx", dataset="spend")
    assert copy.changes
    assert unlisted_differences(sent, copy) == []


# --- real files -------------------------------------------------------------------------------------------------------


def real_files() -> list[Path]:
    found = [path for name in ("spend", "gpc", "contracts", "roles") for path in sorted((REAL / name).rglob("*.*"))]
    Random(20261128).shuffle(found)  # noqa: S311 - a sample
    return [path for path in found if path.suffix != ".json" and path.stat().st_size < 1_000_000][:60]


@pytest.mark.real
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_a_real_file_given_back_reads_as_before(path: Path) -> None:
    """Marked: the same findings, rows and pounds. Corrected: the same rows and pounds, and no more findings."""
    dataset = path.relative_to(REAL).parts[0]
    before = api.check(path, dataset=dataset, quick=True)
    marked = api.marked_copy(path, dataset=dataset)
    after = api.check(marked, name=f"{path.stem}.xlsx", dataset=dataset, quick=True)
    assert totals(after) == totals(before)
    about_text_files = ("encoding-guessed", "letters-mended", "encoding-mixed", "content-not-as-named", "quotes-broken")
    codes = [
        sorted(each.code for each in report.findings if each.code not in about_text_files) for report in (before, after)
    ]
    assert codes[0] == codes[1]
    if not before.tables:
        return
    copy = api.corrected_copy(path, dataset=dataset)
    corrected = api.check(copy.content, name=f"{path.stem}{copy.extension}", dataset=dataset, quick=True)
    assert totals(corrected) == totals(before)
    assert places(corrected) <= places(before)
    if path.read_bytes().startswith(b"PK") and path.suffix.lower() in (".xlsx", ".xlsm"):
        assert unlisted_differences(path.read_bytes(), copy) == []
