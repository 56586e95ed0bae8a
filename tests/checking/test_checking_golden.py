"""Golden submissions: small made-up files, read and examined; what comes out is written down here."""

from __future__ import annotations

from decimal import Decimal

from piperoll import assets
from piperoll.checking import Examination, examine
from piperoll.findings import public_report
from piperoll.model import Body, Verdict, to_document
from piperoll.reading import read

SPEND = """Anytown Council,,,,,
Payments over £500,,,,,
Directorate,Date Paid,Supplier Name,Purpose,Amount (£),Transaction No
Housing,05/10/2026,Anytown Roofing Ltd,Roof repairs,"1,250.00",T1
Housing,06/10/2026,Mrs J Quince,Respite,500.00,T2
Housing,07/10/2026,REDACTED PERSONAL DATA,Grant,600.00,T3
Highways,08/10/2026,Quince Tarmac Ltd,Resurfacing,(250.00),T4
Highways,09/10/2026,Quince Tarmac Ltd,Resurfacing,1.250.00,T5
""" + "".join(f"Parks,{day:02}/10/2026,Anytown Nurseries Ltd,Trees,100.10,T{day}\n" for day in range(10, 31))
ROLES = """Post Unique Reference,Name,Grade,Job Title,Organisation,Reports to Senior Post,Actual Pay Floor (£),\
Actual Pay Ceiling (£),FTE
1,Ann Quince,SCS3,Chief executive,Anytown Agency,XX,120000,124999,1
2,Bob Quince,SCS1,Deputy director,Anytown Agency,1,70000,74999,1
3,N/D,SCS1,Deputy director,Anytown Agency,1,N/D,N/D,0.5
"""
CONTRACTS = """Contract Ref,Contract Title,Description,Supplier Name,Start Date,End Date,Contract Value
C1,Grounds maintenance,Grass and trees,Anytown Nurseries Ltd,01/04/2026,31/03/2029,90000
C2,Counsel,Write to jane.quince@example.org,Quince Chambers,01/05/2026,31/10/2026,6000
"""
TRANSACTIONS = """Name of service,2015-Q2 Vol.,2015-Q2 CPT (£),2015-Q3 Vol.,2015-Q3 CPT (£)
Renew a fishing licence,1200,2.50,1300,2.40
Register a boat,-5,9.10,40,9.00
"""


def check(text: str, dataset: str, name: str) -> Examination:
    content = text.encode("utf-8-sig")
    reading = read(content, name, assets.datasets(), dataset=assets.dataset(dataset))
    body = Body.provisional_for("Anytown Council")
    return examine(reading, file=name, sha256="0" * 64, size=len(content), body=body)


def holds(examination: Examination) -> dict[int, set[str]]:
    return {row: set(codes) for row, codes in examination.disposition.held.get(0, {}).items()}


def test_spending() -> None:
    examination = check(SPEND, "spend", "payments-october-2026.csv")
    (table,) = examination.report.tables
    assert examination.report.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert examination.report.period == "2026-10"
    assert (table.header_row, table.rows.read, table.rows.accepted, table.rows.held) == (3, 26, 24, 2)
    assert table.amount is not None
    assert (table.amount.read, table.amount.held, table.amount.unreadable) == (Decimal("4202.10"), Decimal(500), 1)
    assert holds(examination) == {5: {"privacy-titled-name"}, 8: {"core-unreadable"}}
    assert examination.disposition.redacted == {0: {6: "personal"}}
    public = str(to_document(public_report(examination.report, examination.disposition)))
    assert "Mrs J Quince" not in public
    assert "1.250.00" not in public
    assert "1.250.00" in str(to_document(examination.report))


def test_roles() -> None:
    examination = check(ROLES, "roles", "2013-09-30-senior.csv")
    assert examination.report.verdict.publishes
    assert (examination.report.period, examination.part) == ("2013-09-30", "senior")
    assert examination.disposition.redacted == {0: {3: "personal"}}
    assert holds(examination) == {}


def test_contracts() -> None:
    examination = check(CONTRACTS, "contracts", "contracts 2026-Q2.csv")
    assert examination.report.verdict.publishes
    assert holds(examination) == {3: {"privacy-email"}}
    assert examination.report.tables[0].amount is not None
    assert examination.report.tables[0].amount.read == Decimal(96000)


def test_service_transactions_count_services_and_not_lines() -> None:
    examination = check(TRANSACTIONS, "transactions", "services.csv")
    (table,) = examination.report.tables
    assert table.rows.read == 2
    assert holds(examination) == {3: {"structure-constraint-error"}}


def test_a_file_without_amounts_is_rejected_and_says_so_once() -> None:
    examination = check("Date Paid,Supplier Name\n05/10/2026,Anytown Roofing Ltd\n", "spend", "payments.csv")
    assert examination.report.verdict is Verdict.REJECTED
    codes = [finding.code for finding in examination.report.findings]
    assert codes.count("core-missing") == 1
    assert "column-not-found" not in codes
