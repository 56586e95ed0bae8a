"""What a person reads in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from piperoll import terminal
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.describing.pages.rendering import render_report_page
from piperoll.model import (
    AmountTotals,
    DateSpan,
    Finding,
    HeldValue,
    Report,
    RowCounts,
    Severity,
    TableReport,
    Verdict,
    What,
    to_document,
)

TABLE = TableReport(
    sheet="Oct 26",
    header_row=4,
    header_line=None,
    columns={"net_amount": "Amount (£)"},
    column_letters={"net_amount": "F"},
    rows=RowCounts(read=2981, accepted=2979, held=2, excluded={"blank": 14, "total": 1}),
    amount=AmountTotals("net_amount", Decimal("8123456.78"), Decimal("8120956.78"), Decimal("2500.00"), 1, 0),
    date=DateSpan("payment_date", "2026-10-01", "2026-10-30", 0, 0),
)
UNREADABLE = Finding(
    "amount-unreadable",
    Severity.ERROR,
    "'1.250.00' is not an amount we can read for certain.",
    "In cell F1207 write the amount as 1250.00. The row is held until then.",
    sheet="Oct 26",
    row=1207,
    column="F",
    field="net_amount",
    value="1.250.00",
)
REPORT = Report(
    file="Payments.xlsx",
    sha256="0" * 64,
    bytes=184320,
    dataset="spend",
    format="xlsx",
    encoding=None,
    what=What.DATA,
    verdict=Verdict.ACCEPTED_WITH_WARNINGS,
    period="2026-10",
    part=None,
    tables=(TABLE,),
    findings=(UNREADABLE,),
    passed=("Every supplier has a name.",),
)


def printed(report: Report, *, width: int = 80, quick: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, highlight=False).print(terminal.report_view(report, quick=quick))
    return out.getvalue()


def test_the_verdict_comes_first_and_each_thing_to_fix_has_its_address() -> None:
    lines = [line.strip() for line in printed(REPORT).splitlines()]
    assert lines[:2] == [
        "Payments.xlsx",
        "Accepted, with things to put right. 2,979 of 2,981 rows can be published; 2 rows",
    ]
    assert "Sheet 'Oct 26': headings in row 4, 2,981 rows read, 2,979 accepted, 2 held." in lines
    assert "Left out because they are not records: 14 blank rows, 1 row of totals." in lines
    assert "net_amount: £8,123,456.78 read, £8,120,956.78 accepted, £2,500.00 held." in lines
    text = " ".join(lines)
    assert (
        "Rows held back until you act (1 kind, 1 place) amount-unreadable Sheet 'Oct 26', cell F1207: '1.250.00' is not"
        in text
    )
    assert "-> In cell F1207 write the amount as 1250.00. The row is held until then." in text
    assert "Passed (1) Every supplier has a name." in text


def test_it_fits_eighty_columns_and_has_no_colours_when_it_is_not_a_terminal() -> None:
    text = printed(REPORT)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_a_code_that_repeats_is_shown_three_times_and_counted() -> None:
    many = (*(replace(UNREADABLE, row=row) for row in range(10, 20)), replace(UNREADABLE, row=None, count=90))
    text = printed(replace(REPORT, findings=many))
    assert "Rows held back until you act (1 kind, 100 places)" in text
    assert "amount-unreadable, 100 places" in text
    assert "and 97 more like this, of which --json lists 7." in text


def test_nothing_must_be_fixed_in_a_file_that_is_accepted() -> None:
    critical = replace(UNREADABLE, code="digital-more-than-all")
    accepted = printed(replace(REPORT, findings=(UNREADABLE, critical)))
    assert "Must fix" not in accepted
    assert "Should fix (1 kind, 1 place)" in accepted
    held = printed(replace(REPORT, verdict=Verdict.HELD, findings=(UNREADABLE, critical)))
    assert "Must fix (2 kinds, 2 places)" in held


def test_the_address_is_not_said_twice() -> None:
    line = replace(UNREADABLE, sheet=None, row=3, line=4, column="D", message="Cell D3: The amount is too large.")
    assert printed(replace(REPORT, findings=(line,))).count("ell D3") == 1


def test_held_values_are_shown_to_their_sender_with_all_their_rows() -> None:
    code = "privacy-titled-name"
    finding = replace(UNREADABLE, code=code, message="Column B contains what looks like a name.", count=3)
    value = HeldValue("Mrs Jane Example", "supplier_name", "Oct 26", (code,), (7, 12, 13), 3, Decimal("750.00"))
    text = printed(replace(REPORT, findings=(finding,), held_values=(value,)))
    assert "'Mrs Jane Example', £750.00: rows 7, 12 and 13" in text


def test_markup_in_a_cell_is_only_text() -> None:
    assert "[bold red]" in printed(replace(REPORT, findings=(replace(UNREADABLE, message="'[bold red]' is odd."),)))


@given(st.text(max_size=40))
def test_control_characters_of_a_cell_are_removed(cell: str) -> None:
    text = printed(replace(REPORT, findings=(replace(UNREADABLE, message=f"'{cell}' is odd."),)), width=400)
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_a_quick_check_says_what_was_not_checked() -> None:
    assert "Not checked: whether figures are plausible" in printed(REPORT, quick=True)
    assert "Not checked" not in printed(REPORT)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_sentence(verdict: Verdict) -> None:
    assert (
        printed(replace(REPORT, verdict=verdict, tables=()))
        .splitlines()[1]
        .startswith(("Accepted", "Held", "Reject", "Nil return"))
    )


def test_a_file_without_data_is_described_by_format_and_size() -> None:
    none = replace(REPORT, what=What.NOT_DATA, format="html", dataset=None, period=None, tables=(), bytes=1)
    assert "Read as html, 1 byte." in printed(replace(none, verdict=Verdict.REJECTED))


def test_the_spinner_shows_the_current_action(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal.working() as say:
        say("Reading October.csv")
    assert not capsys.readouterr().err
    monkeypatch.setenv("FORCE_COLOR", "1")
    with terminal.working() as say:
        say("Reading \x1b[2JOctober.csv")
    shown = capsys.readouterr().err
    assert "October.csv" in shown
    assert "\x1b[2J" not in shown


def _counted(text: str) -> tuple[int, int]:
    found = re.findall(r"\(([\d,]+) kinds?, ([\d,]+) places?\)", text)
    kinds, places = (sum(int(each[index].replace(",", "")) for each in found) for index in (0, 1))
    return kinds, places


@pytest.mark.parametrize(
    "rows",
    [
        "01/10/2026,Acme Ltd,T1,600.00\n",
        "soon,Acme Ltd,T1,600.00\nlater,Acme Ltd,T2,five\n",
        "01/10/2026,Acme Ltd,T1,1.250.00\n" * 30,
        "01/10/2026,Mr John Example,T1,600.00\n02/10/2026,Mr John Example,T2,700.00\n",
        "01/10/2026,=Acme,T1,0.00\n02/01/2026,=Beta,T2,0.00\n",
        "".join(f"{day:02}/10/2026,Firm {day},T{day},{day}.x\n" for day in range(1, 29)),
    ],
)
def test_terminal_page_and_json_count_the_same_things(rows: str) -> None:
    content = f"Payment Date,Supplier,Transaction Number,Amount\n{rows}".encode()
    report = check_file(FileToCheck(content, "Anytown spend October 2026.csv", dataset="spend"))
    counts = to_document(report)["counts"]
    expected = (counts["kinds"], counts["places"])
    assert counts["places"] == sum(finding.count for finding in report.findings)
    assert _counted(printed(report, width=400)) == expected
    assert _counted(render_report_page(report)) == expected
