"""A contracts register as an OCDS 1.1 release package: the sender publishes, other bodies buy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piperoll.model import Period, to_json_bytes
from piperoll.sample.rows import Row

BUYERS = ("Made-Up Museums Board", "Commission for Imaginary Inquiries", "Office for Pretend Standards")


def package(rows: Sequence[Row], period: Period) -> bytes:
    """One release a contract, with one award and one supplier each."""
    return to_json_bytes(
        {
            "uri": f"https://pretend.example/ocds/{period}",
            "version": "1.1",
            "publishedDate": f"{period.end.isoformat()}T09:00:00Z",
            "publisher": {"name": "Office for Pretend Standards"},
            "license": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "releases": [_release(number, row) for number, row in enumerate(rows)],
        }
    )


def _release(number: int, row: Row) -> dict[str, Any]:
    buyer = BUYERS[number % len(BUYERS)]
    value = {"amount": float(row["original_value"]), "currency": "GBP"}
    span = {"startDate": f"{row['start_date']}T00:00:00Z", "endDate": f"{row['current_end_date']}T23:59:59Z"}
    return {
        "ocid": f"ocds-smpl00-{row['contract_ref'].lower()}",
        "id": f"{row['contract_ref']}-award",
        "language": "en",
        "date": f"{row['start_date']}T09:00:00Z",
        "tag": ["award"],
        "initiationType": "tender",
        "tender": {
            "id": row["contract_ref"],
            "title": row["title"],
            "description": row["description"],
            "status": "complete",
            "procurementMethod": "open",
            "value": value,
        },
        "parties": [
            {"id": f"buyer-{number}", "name": buyer, "roles": ["buyer"]},
            {"id": f"supplier-{number}", "name": row["supplier_name"], "roles": ["supplier"]},
        ],
        "buyer": {"id": f"buyer-{number}", "name": buyer},
        "awards": [
            {
                "id": "1",
                "status": "active",
                "date": f"{row['start_date']}T00:00:00Z",
                "value": value,
                "suppliers": [{"id": f"supplier-{number}", "name": row["supplier_name"]}],
                "contractPeriod": span,
            }
        ],
    }
