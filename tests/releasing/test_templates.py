"""The blank forms pass their own check: empty they say so, and filled they are accepted with the right total."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.model import KINDS, Dataset, Field, Report, Severity, Verdict, What
from piperoll.releasing import make_template_csv, make_template_xlsx
from piperoll.releasing.spreadsheets import sent_fields

DATASETS = [pytest.param(dataset, id=dataset.name) for dataset in assets.datasets()]
FORMATS = ("csv", "xlsx")
ROWS = 5

TEXTS = {
    "body_name": "Anytown Services",
    "supplier_name": "Acme Roofing Ltd",
    "merchant_name": "Acme Roofing Ltd",
    "job_title": "Head of Roads",
    "reports_to": "P1",
    "title": "Grass cutting",
    "capital_revenue": "Revenue",
    "budget_type": "Resource",
}
"""Cells of fields whose words have a meaning of their own."""

WORDS = ("Winter maintenance", "Street lighting", "Bridge inspection", "Drainage works", "Traffic signals")
"""Cells of the other texts, a word for each row."""


def make_form(dataset: Dataset, format_: str) -> bytes:
    return make_template_csv(dataset) if format_ == "csv" else make_template_xlsx(dataset)


def cell_for(field: Field, row: int) -> str | int | Decimal | date | None:  # noqa: PLR0911 - one a type
    """What an officer might write in row `row` (from 1) of a field's column."""
    constraints = field.constraints or {}
    if "enum" in constraints:
        return str(constraints["enum"][0])
    if field.privacy == "name" and field.name not in TEXTS:
        return None  # names of people are not due
    match field.type:
        case "number":
            return Decimal(10 * row) + Decimal("0.25")
        case "integer":
            return row
        case "date":
            return date(2026, 10, row)
        case "boolean":
            return "true"
    if field.is_code or "pattern" in constraints:
        return f"P{row}" if field.is_identifier and "pattern" not in constraints else None
    return TEXTS.get(field.name, WORDS[row - 1])


def filled(dataset: Dataset, format_: str) -> bytes:
    """The blank form, filled as a person would fill it: the drop-downs, notes and lists stay."""
    rows = [[cell_for(field, row) for field in sent_fields(dataset)] for row in range(1, ROWS + 1)]
    if format_ == "csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return make_template_csv(dataset) + text.getvalue().encode()
    return fill_workbook(make_template_xlsx(dataset), rows)


def fill_workbook(form: bytes, rows: Sequence[Sequence[str | int | Decimal | date | None]]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(form))
    for number, cells in enumerate(rows, start=2):
        for column, cell in enumerate(cells, start=1):
            if cell is not None:
                book.worksheets[0].cell(number, column, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def checked(
    content: bytes, dataset: Dataset, format_: str, kind: str | None = None, given: str | None = None
) -> Report:
    name = f"Anytown {dataset.name} October 2026.{format_}"
    period = "2026-10-31" if dataset.snapshot else "2026-10"
    return check_file(FileToCheck(content, name, given, period, kind=kind))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_an_empty_form_is_said_to_have_no_rows_yet_and_nothing_else(dataset: Dataset, format_: str) -> None:
    report = checked(make_form(dataset, format_), dataset, format_)
    assert (report.what, report.dataset) == (What.NOT_DATA, dataset.name)
    told = [finding.code for finding in report.findings if finding.severity is not Severity.INFO]
    assert told == ["no-records"]
    assert {finding.code for finding in report.findings} <= {"no-records", "reference-sheet-left-out"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_filled_form_is_accepted_with_its_total_for_every_kind_of_body(
    dataset: Dataset, format_: str, kind: str
) -> None:
    report = checked(filled(dataset, format_), dataset, format_, kind)
    assert report.dataset == dataset.name
    assert report.verdict.publishes, [finding.message for finding in report.findings]
    assert [table.rows.read for table in report.tables] == [ROWS]
    assert [table.rows.held for table in report.tables] == [0]
    assert not {"duty-column-absent", "dataset-guessed", "core-missing"} & {each.code for each in report.findings}
    (table,) = report.tables
    if table.amount is not None:
        assert table.amount.read == sum(10 * row + Decimal("0.25") for row in range(1, ROWS + 1))


def test_a_form_filled_with_the_drop_downs_is_accepted_without_a_warning() -> None:
    dataset = assets.dataset("spend")
    report = checked(filled(dataset, "xlsx"), dataset, "xlsx", "council")
    assert report.verdict in (Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS)
    assert not [each for each in report.findings if each.sheet in ("Lists", "Notes") and each.severity != Severity.INFO]
