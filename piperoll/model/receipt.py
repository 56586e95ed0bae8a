"""What a body sent or stated through the portal, and the receipt that it was given for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from piperoll.model.report import Report, Verdict


class ReturnKind(StrEnum):
    """What a body does about a duty: it sends a file, or says why it sends none."""

    FILE = "file"
    NIL = "nil"
    EXEMPT = "exempt"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows and their exact sum in pounds; None if no amount could be read."""

    rows: int
    pounds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a body says of a return that it does not send. It is published.

    `reason` is a code of the list in `datapackages/returns.json`: nobody writes free text, so no statement names a
    person. `clause` is the law or rule by which the body is exempt; `expected` the day (ISO 8601) on which a late
    return will come. `made` is when it was stated (ISO 8601, UTC). `reference` is that of the receipt.
    """

    kind: ReturnKind
    dataset: str
    body: str
    period: str
    part: str | None
    made: str
    reference: str
    reason: str | None = None
    clause: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a file or a statement was received. Signed, and changed only if the file is purged.

    `reference` is not guessable, and the same for the same content: sending twice gives one receipt. `time` is when it
    was received (ISO 8601, UTC). `sha256` and `bytes` are those of the file, empty and 0 for an exemption or a late
    return. `held` and `left_out` are what of the file waits or is no record. `publication` is `at-once`,
    `after-review` (someone has to answer first) or `none`, `expected` the day of it at the latest. `public_key` is the
    platform's Ed25519 key and `signature` that of every other field, both in hex. `purged` is when the file was purged:
    then `file` is None, because its name went too, and what is left was signed again.
    """

    reference: str
    time: str
    kind: ReturnKind
    body: str
    dataset: str
    period: str | None
    part: str | None
    file: str | None
    sha256: str
    bytes: int
    verdict: str
    accepted: Counted
    held: Counted
    left_out: Counted
    publication: str
    expected: str | None
    statement: Statement | None = field(default=None, metadata={"omit_if_empty": True})
    purged: str | None = field(default=None, metadata={"omit_if_empty": True})
    public_key: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One upload to a draft, and what checking it found. `report` and `comparison` are in an object of their own.

    `dataset`, `period` and `part` are what the sender confirmed; None leaves it to be recognised. `at` is an ISO 8601
    instant in UTC. `verdict` is empty until the file has been checked.
    """

    number: int
    name: str
    sha256: str
    bytes: int
    at: str
    dataset: str | None = None
    period: str | None = None
    part: str | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that a body is preparing to send. Private; deleted when it is submitted or abandoned.

    `id` is random. `by` is the opaque identifier of the person who began it. `reference` is that of the receipt, once
    it has been submitted. `kind` is the kind of body, for one that only the operator's own register has.
    """

    id: str
    body: str
    begun: str
    by: str
    attempts: tuple[Attempt, ...] = ()
    reference: str | None = None
    kind: str | None = None

    @property
    def last(self) -> Attempt:
        """The last attempt; a draft is begun with one."""
        return self.attempts[-1]


def receipt_bytes(document: Mapping[str, Any]) -> bytes:
    """The bytes of a receipt's document that its signature is of."""
    unsigned = {key: value for key, value in document.items() if key != "signature"}
    return json.dumps(unsigned, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def count_report(report: Report) -> tuple[Counted, Counted, Counted]:
    """What of a file is accepted, held and left out, over all of its tables. A file held whole accepts nothing."""
    tables = report.tables
    amounts = [table.amount for table in tables if table.amount is not None]
    accepted, held = sum(table.rows.accepted for table in tables), sum(table.rows.held for table in tables)
    left_out = sum(sum(table.rows.excluded.values()) for table in tables)
    pounds = [sum((getattr(one, name) for one in amounts), Decimal(0)) for name in ("accepted", "held", "excluded")]
    known = [one if amounts else None for one in pounds]
    if report.verdict.publishes:
        return Counted(accepted, known[0]), Counted(held, known[1]), Counted(left_out, known[2])
    nothing = Counted(0, Decimal(0) if amounts else None)
    whole = Counted(accepted + held, pounds[0] + pounds[1] if amounts else None)
    if report.verdict is Verdict.HELD:
        return nothing, whole, Counted(left_out, known[2])
    out = Counted(whole.rows + left_out, sum(pounds, Decimal(0)) if amounts else None)
    return nothing, nothing, out
