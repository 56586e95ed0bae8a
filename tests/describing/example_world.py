"""A few made-up bodies, tables and submissions, in the form in which the store returns them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from piperoll import assets
from piperoll.describing.context import CatalogueContext, Holdings, collect_holdings
from piperoll.describing.series_facts import extract_facts
from piperoll.duties import find_first_starts, summarise_received
from piperoll.findings import without_value
from piperoll.model import (
    Acts,
    AmountTotals,
    Body,
    DateSpan,
    FileEntry,
    Finding,
    History,
    Listing,
    Manifest,
    Period,
    Register,
    Report,
    RowCounts,
    Series,
    Severity,
    Status,
    Submission,
    TableReport,
    Verdict,
    Version,
    What,
    to_document,
)
from tests.describing.whole_catalogue import build_catalogue

ON = date(2026, 11, 22)
BASE_URL = "https://data.example.org/commons/"
PUBLISHER = "Open Counties"
HOSTILE = "<script>alert('x')</script> & \"Sons\""

BODIES = (
    Body("gss:E07000999", "anytown", "Anytown Borough Council", "council", contact="open@anytown.example"),
    Body("gss:E06000998", "brackwater", "Brackwater Council", "council", same_as=("GB-LAE-BRW",)),
    Body("gss:E10000997", "eastmarch", "Eastmarch County Council", "council"),
    Body("GB-GOVUK-department_of_bridges", "bridges", "Department of Bridges & Tunnels", "department"),
    Body("GB-NHS-RZZ", "st-swithin", "St Swithin NHS Foundation Trust", "nhs", contact="https://swithin.example/open"),
)
REGISTER = Register(BODIES)
STRANGER = Body.provisional_for("Parish of Nowhere")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def finding(code: str, severity: Severity = Severity.WARNING, **more: Any) -> Finding:
    words: dict[str, Any] = {"message": f"Something about {code}.", "fix": f"Put {code} right."}
    return Finding(code, severity, **words | more)


UNREADABLE = finding(
    "amount-unreadable",
    Severity.ERROR,
    sheet="Oct 26",
    row=1207,
    column="F",
    field="net_amount",
    value="1.250.00",
    message="'1.250.00' is not an amount we can read for certain.",
    fix="In cell F1207 write the amount as 1250.00. The row is held until then.",
)


def report(verdict: Verdict = Verdict.ACCEPTED_WITH_WARNINGS, *, held: int = 2, **more: Any) -> Report:
    table = TableReport(
        sheet="Oct 26",
        header_row=4,
        header_line=None,
        columns={"payment_date": "Date Paid", "supplier_name": "Beneficiary", "net_amount": "Amount (£)"},
        column_letters={"payment_date": "B", "supplier_name": "C", "net_amount": "F"},
        rows=RowCounts(1200 + held, 1200, held, {"blank": 14, "total": 1, "note": 2}),
        amount=AmountTotals("net_amount", Decimal("8123456.78"), Decimal("8120956.78"), Decimal("2500.00"), 1, 0),
        date=DateSpan("payment_date", "2026-10-01", "2026-10-30", 0, 0),
    )
    repeated = finding("supplier-repeated", row=9, column="C", field="supplier_name", sheet="Oct 26")
    whole = Report(
        file="payments%20over%20%C2%A3500%20by%20the%20council%20%20%20october%202026.xls",
        sha256=digest("payments"),
        bytes=184_320,
        dataset="spend",
        format="xlsx",
        encoding=None,
        what=What.DATA,
        verdict=verdict,
        period="2026-10",
        part=None,
        tables=(table,),
        findings=(
            finding("content-not-as-named", Severity.INFO, acts=Acts.PLATFORM, fix="Nothing to do."),
            without_value(UNREADABLE),
            repeated,
            replace(repeated, row=11),
            replace(repeated, row=None, column=None, count=40, message="The same again in 40 more places."),
        ),
        passed=("Every row has a supplier.", "No two lines are the same."),
    )
    return replace(whole, **more)


def accepted(period: Period, dataset: str = "spend", part: str | None = None, held: int = 0) -> Report:
    plain = report(Verdict.ACCEPTED, held=held)
    return replace(plain, dataset=dataset, period=str(period), part=part, findings=())


def submission(body: str, period: str | None, received: str, *, dataset: str = "spend", **more: Any) -> Submission:
    name = f"{dataset}-{body}-{period}.csv"
    values: dict[str, Any] = {
        "sha256": digest(name),
        "bytes": 52_000,
        "name": name,
        "dataset": dataset,
        "body": body,
        "origin": f"{dataset}/{body}/{name}",
        "received": received,
        "period": period,
    }
    return Submission(**values | more)


def entry(series: Series, number: int, status: Status, rows: int, amount: str | None, reason: str) -> Version:
    manifest = digest(f"{series} v{number}")
    return Version(
        version=number,
        path=f"v{number}-{manifest[:12]}",
        manifest_sha256=manifest,
        published=f"2026-11-{3 + number:02}T09:30:00Z",
        status=status,
        supersedes=number - 1 or None,
        reason=reason,
        rows=rows,
        amount_gbp=None if amount is None else Decimal(amount),
        rows_sha256=digest(f"rows {series} v{number}"),
        sources=(submission(series.body, str(series.period), "2026-11-01T08:00:00Z", dataset=series.dataset).sha256,),
    )


def manifest_of(series: Series, version: Version) -> Manifest:
    names = (f"{series.dataset}.csv", f"{series.dataset}.parquet", "datapackage.json", "report.json")
    files = tuple(FileEntry(name, 1_000 * (n + 1), digest(f"{version.path}/{name}")) for n, name in enumerate(names))
    return Manifest(
        series=series,
        dataset_version="1.0.0",
        rules_version="1.0.0+abcdef",
        rows=version.rows,
        amount_gbp=version.amount_gbp,
        rows_sha256=version.rows_sha256,
        sources=version.sources,
        files=files,
    )


def descriptor_of(series: Series, body: Body) -> dict[str, Any]:
    """The parts that the catalogue reads of a descriptor that piperoll.releasing writes."""
    declared = assets.dataset(series.dataset).descriptor
    return {
        "name": str(series).replace("/", "-"),
        "licenses": declared["licenses"],
        "resources": [{"name": series.dataset, "schema": declared["resources"][0]["schema"]}],
        "x_piperoll": {"body": {"id": body.id, "slug": body.slug, "name": body.name, "kind": body.kind}},
    }


def head(series: Series, supplier: str) -> tuple[tuple[str, ...], ...]:
    names = tuple(field.name for field in assets.dataset(series.dataset).fields)
    known = {"payment_date": "2026-10-05", "supplier_name": supplier, "net_amount": "1250.00", "body_id": series.body}
    lines = (known | {"line_id": digest(str(n))[:20]} for n in range(8))
    return (names, *(tuple(line.get(name, "") for name in names) for line in lines))


def listing(
    body: str,
    period: str,
    *,
    dataset: str = "spend",
    part: str | None = None,
    rows: int = 1200,
    amount: str | None = "8120956.78",
    versions: int = 1,
    supplier: str = "Oak & Ash Ltd",
    sender: Body | None = None,
) -> Listing:
    series = Series(dataset, body, Period.parse(period), part)
    earlier = [entry(series, n, Status.SUPERSEDED, rows - 5, amount, "First publication") for n in range(1, versions)]
    last = entry(
        series,
        versions,
        Status.CURRENT,
        rows,
        amount,
        "First publication" if versions == 1 else "A corrected file came",
    )
    named = sender or REGISTER.find(body)
    return Listing(
        history=History(series, (*earlier, last), versions),
        manifest=manifest_of(series, last),
        descriptor=descriptor_of(series, named),
        report=to_document(report(dataset=dataset, period=period, part=part)),
        first_rows=head(series, supplier),
    )


def withdrawn(body: str, period: str, status: Status) -> Listing:
    series = Series("spend", body, Period.parse(period))
    only = entry(series, 1, status, 40, "4000.00", "A person was named")
    return Listing(History(series, (only,), None), None, None, None)


LISTINGS = (
    listing("anytown", "2026-10", versions=2, supplier=HOSTILE),
    listing("anytown", "2026-09"),
    listing("anytown", "2026-Q4", rows=3600, amount="24000000.00"),
    listing("anytown", "2026-10", part="card", rows=88, amount="-0.005"),
    listing("brackwater", "2026-10", rows=402, amount="912000.10"),
    listing("bridges", "2026-10", rows=2981),
    listing("bridges", "2026-09-30", dataset="roles", part="senior", rows=61, amount=None),
    listing("eastmarch", "2026-Q3", dataset="contracts", rows=0, amount="0.00"),
    listing("parish-of-nowhere", "2026-10", rows=3, amount="1500.00", sender=STRANGER),
    withdrawn("brackwater", "2026-09", Status.PURGED),
)

OCTOBER, SEPTEMBER = Period.parse("2026-10"), Period.parse("2026-09")
SUBMISSIONS: Sequence[tuple[Submission, Report | None]] = (
    (submission("anytown", "2026-10", "2026-11-01T08:00:00Z"), accepted(OCTOBER)),
    (submission("anytown", "2026-09", "2026-10-05T08:00:00Z"), accepted(SEPTEMBER)),
    (submission("bridges", "2026-10", "2026-11-01T08:00:00Z"), accepted(OCTOBER)),
    (submission("bridges", "2026-09", "2026-11-15T08:00:00Z"), accepted(SEPTEMBER)),
    (
        submission("st-swithin", "2026-09", "2026-10-20T08:00:00Z"),
        report(Verdict.HELD, period="2026-09", file=HOSTILE),
    ),
    (
        submission("eastmarch", None, "2026-11-02T08:00:00Z", name=f"{HOSTILE}.pdf"),
        replace(report(Verdict.REJECTED, period=None), what=What.NOT_DATA, tables=()),
    ),
    (submission("st-swithin", "2026-10", "2026-11-21T08:00:00Z"), None),
)


def collect(
    slug: str,
    submissions: Sequence[tuple[Submission, Report | None]],
    listings: Sequence[Listing] = (),
    register: Register = REGISTER,
) -> Holdings:
    """Everything known about a body that sent `submissions`; duties begin with the first period that arrived."""
    context = CatalogueContext(assets.datasets(), BASE_URL, PUBLISHER, ON, register, register)
    received = summarise_received(submissions)
    facts = [extract_facts(one) for one in listings]
    return collect_holdings(context, register.find(slug), facts, received, find_first_starts(received))


def built(
    listings: Sequence[Listing] = LISTINGS,
    *,
    register: Register = REGISTER,
    on: date = ON,
    base_url: str = BASE_URL,
    api_url: str = "",
    submissions: Sequence[tuple[Submission, Report | None]] = SUBMISSIONS,
) -> Iterator[tuple[str, bytes]]:
    return build_catalogue(
        listings,
        datasets=assets.datasets(),
        register=register,
        base_url=base_url,
        api_url=api_url,
        publisher_name=PUBLISHER,
        on=on,
        submissions=submissions,
    )
