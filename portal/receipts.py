"""Receipts: the page that follows publication, the signed document, and the message with it."""

from __future__ import annotations

import re

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

import publishers
from piperoll.describing.page_wording import describe_statement
from piperoll.model import Receipt, ReturnKind, Role, describe_period, to_document, to_json_bytes
from piperoll.operations import submitting
from portal.mail import MailNotSent, send_mail
from portal.rendering import page
from portal.sessions import Signed, own_body, require, settings_of
from portal.settings import PortalSettings

router = APIRouter()

FOLLOW_SECONDS = 5
"""How often the page of a receipt is loaded again while its file is processed."""

_REFERENCE = re.compile(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}")


def own_receipt(request: Request, body: str = Depends(own_body)) -> Receipt:
    """The receipt in the address, which is one of the body's. Raises: HTTPException: 404."""
    reference = request.path_params["reference"].removesuffix(".json")
    store = settings_of(request).opened
    receipt = publishers.read_receipt(store, body, reference) if _REFERENCE.fullmatch(reference) else None
    if receipt is None:
        raise HTTPException(404)
    return receipt


@router.get("/bodies/{body}/receipts/{reference}")
def get_receipt(
    request: Request, receipt: Receipt = Depends(own_receipt), _: Signed = Depends(require(Role.SUBMIT, Role.DECIDE))
) -> Response:
    """The receipt as a page, or with `.json` as the signed document. The page says what became of the file.

    With `follow=yes` it is loaded again and again until the file is processed: nobody gets that without asking for it,
    because it moves the focus of screen readers.
    """
    if request.path_params["reference"].endswith(".json"):
        return receipt_response(receipt)
    settings = settings_of(request)
    report = submitting.is_processed(settings.opened, receipt)
    waits = bool(receipt.sha256) and publishers.is_waiting(settings.opened, receipt)
    if waits:
        request.app.state.work.ask()  # after a restart, nobody may be at work on it
    return page(
        request,
        "receipt.html",
        receipt=receipt,
        report=report,
        waits=waits,
        follows=request.query_params.get("follow") == "yes",
        seconds=FOLLOW_SECONDS,
        said=describe_statement(receipt.statement) if receipt.statement else "",
        nil=receipt.kind is ReturnKind.NIL,
    )


def receipt_response(receipt: Receipt, status: int = 200) -> Response:
    """The signed document of a receipt."""
    headers = {
        "Content-Disposition": f'attachment; filename="receipt-{receipt.reference}.json"',
        "Location": f"/bodies/{receipt.body}/receipts/{receipt.reference}.json",
    }
    return Response(to_json_bytes(to_document(receipt)), status, headers, "application/json")


def mail_receipt(settings: PortalSettings, signed: Signed, receipt: Receipt) -> bool:
    """Send the receipt to who submitted; False if it cannot be sent. The page and the store have it in any case.

    The message names no person, no file and nothing that is held.
    """
    if settings.mail is None or not signed.email:
        return False
    what = f"{receipt.dataset}{f' ({receipt.part})' if receipt.part else ''}, {describe_period(receipt.period)}"
    accepted = f"Rows accepted: {receipt.accepted.rows:,}\n" if receipt.sha256 else ""
    text = (
        f"We have received this return: {what}.\n\n"
        f"Reference: {receipt.reference}\n"
        f"Received: {receipt.time}\n"
        f"{f'SHA-256 of the file: {receipt.sha256}' if receipt.sha256 else f'Kind: {receipt.kind}'}\n"
        f"{accepted}\n"
        f"Follow it at {settings.address}bodies/{receipt.body}/receipts/{receipt.reference}\n"
    )
    try:
        send_mail(settings.mail, signed.email, f"Receipt {receipt.reference}", text)
    except MailNotSent:
        return False
    return True
