"""Say that there is nothing to send: a nil return, an exemption, or that a return will be late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import publishers
from piperoll import assets
from piperoll.errors import UsageError
from piperoll.model import (
    Body,
    Counted,
    Period,
    Receipt,
    Report,
    ReturnKind,
    Statement,
    Verdict,
    from_document,
)
from piperoll.operations import submitting
from piperoll.operations.checked_upload import Upload, check_upload
from piperoll.operations.run_request import current_moment
from piperoll.operations.submitting import CheckedAttempt, Given, Sender, SentFile, parse_given
from publishers import Store


class FieldError(UsageError):
    """A value of a form is missing or wrong; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """What a body says of one return: `reason` is a code of the list, `expected` the day of a late one."""

    kind: ReturnKind
    given: Given
    reason: str | None = None
    expected: str | None = None


def state_nothing(to: str, store: Store, sender: Sender, body: Body, said: NothingToSend) -> tuple[Receipt, bool]:
    """Record that there is nothing to send; return the receipt and whether it is new.

    A nil return is a file like any other, which we write: it goes through the same checks and is published as a nil
    return. Raises: FieldError: a value is missing or not possible.
    """
    if said.given.dataset is None:
        raise FieldError("dataset", "choose the dataset")
    if said.given.period is None:
        raise FieldError("period", "enter the period, like October 2026")
    try:
        given = parse_given(said.given)
    except UsageError as error:
        raise FieldError("period" if "period" in str(error) else "dataset", str(error)) from error
    if said.kind is ReturnKind.NIL:
        return _submit_nil(to, store, sender, body, given)
    return _record(store, body, said, given)


def _submit_nil(to: str, store: Store, sender: Sender, body: Body, given: Given) -> tuple[Receipt, bool]:
    file = make_nil_file(body, given)
    if before := submitting.find_receipt(store, body.slug, given, file.sha256):
        return before, False
    period = Period.parse(given.period or "")
    upload = Upload(
        file.content, file.name, given.dataset, period, body.slug, store=to, part=given.part, from_body=True
    )
    checked = check_upload(upload)  # in this process: the file is ours and has three rows
    if checked.report["verdict"] != Verdict.NIL:
        first = next(iter(checked.report["findings"]), {"message": "the period does not fit"})
        raise FieldError("period", str(first["message"]))
    draft = submitting.begin_draft(store, body.slug, sender.person, file)
    attempt = CheckedAttempt(
        from_document(Report, checked.report), None, checked.accepted, checked.held, checked.left_out
    )
    receipt, new = submitting.record_receipt_for(store, draft, attempt, ReturnKind.NIL)
    submitting.mark_submitted(store, draft, receipt)
    return receipt, new


def make_nil_file(body: Body, given: Given) -> SentFile:
    """The file of a nil return: always the same bytes for a body, dataset, period and part."""
    dataset, period = assets.dataset(given.dataset or ""), Period.parse(given.period or "")
    part = f" ({given.part})" if given.part else ""
    text = f"{dataset.title}{part}\r\n{body.name}\r\n{period.title}\r\n\r\nNil return\r\n"
    name = "-".join(filter(None, ["nil-return", body.slug, dataset.name, given.part, str(period)]))
    return SentFile(f"{name}.csv", text.encode(), given)


def _record(store: Store, body: Body, said: NothingToSend, given: Given) -> tuple[Receipt, bool]:
    listed = next((one for one in assets.return_reasons()[said.kind] if one["code"] == said.reason), None)
    if listed is None:
        raise FieldError("reason", "choose the reason")
    if listed.get("kinds") and body.kind not in listed["kinds"]:
        raise FieldError("reason", f"this exemption is for {' and '.join(listed['kinds'])} only: choose another")
    now, expected = current_moment(), None
    if said.kind is ReturnKind.LATE:
        expected = _parse_day(said.expected, now[:10])
    key = publishers.signing_key(store)
    content = (body.slug, given.dataset, given.period, given.part, str(said.kind), said.reason, expected)
    reference = key.reference(*content)
    if before := publishers.read_receipt(store, body.slug, reference):
        if before.statement is not None:  # it may have been interrupted in between
            publishers.record_statement(store, before.statement)
        return before, False
    statement = Statement(
        said.kind,
        given.dataset or "",
        body.slug,
        given.period or "",
        given.part,
        now,
        reference,
        said.reason,
        listed.get("clause"),
        expected,
    )
    nothing = Counted(0)
    receipt = Receipt(
        reference=reference,
        time=now,
        kind=said.kind,
        body=body.slug,
        dataset=statement.dataset,
        period=given.period,
        part=given.part,
        file=None,
        sha256="",
        bytes=0,
        verdict=str(said.kind),
        accepted=nothing,
        held=nothing,
        left_out=nothing,
        publication="at-once",
        expected=now[:10],
        statement=statement,
    )
    receipt, new = publishers.record_receipt(store, key.sign(receipt), None)
    if receipt.statement is not None:
        publishers.record_statement(store, receipt.statement)
    return receipt, new


def _parse_day(text: str | None, today: str) -> str:
    try:
        day = date.fromisoformat((text or "").strip())
    except ValueError:
        raise FieldError("expected", "enter the day on which you will send it, like 2026-12-15") from None
    if day.isoformat() <= today or day.year > int(today[:4]) + 2:
        raise FieldError("expected", "the day must be after today and within two years")
    return day.isoformat()
