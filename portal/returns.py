"""Nothing to send: a nil return, an exemption, or that a return will be late. Each has a receipt."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from piperoll import assets
from piperoll.model import ReturnKind, Role
from piperoll.operations import returns
from piperoll.operations.returns import FieldError, NothingToSend
from piperoll.operations.submitting import Given, Sender
from portal.receipts import mail_receipt
from portal.rendering import page
from portal.sending import dataset_choices, in_a_slot
from portal.sessions import Signed, own_body, require, sent_form, settings_of

router = APIRouter()

_FIELDS = ("kind", "dataset", "period", "late", "exempt", "expected")


@router.get("/bodies/{body}/nothing-to-send")
def get_nothing(
    request: Request,
    body: str = Depends(own_body),
    _: Signed = Depends(require(Role.SUBMIT)),
    dataset: str = "",
    period: str = "",
    part: str = "",
) -> Response:
    """The page to say so; what is known already may be in the address."""
    chosen = f"{dataset}/{part}" if dataset and part else dataset
    return _nothing_page(request, body, dict.fromkeys(_FIELDS, "") | {"dataset": chosen, "period": period[:40]}, {})


@router.post("/bodies/{body}/nothing-to-send")
async def post_nothing(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.SUBMIT)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Record it, and give the receipt."""
    values = {name: str(form.get(name) or "").strip()[:200] for name in _FIELDS}
    settings = settings_of(request)
    if values["kind"] not in ("nil", "exempt", "late"):
        return _nothing_page(request, body, values, {"kind": "Choose what you want to tell us"}, 422)
    kind = ReturnKind(values["kind"])
    dataset, _, part = values["dataset"].partition("/")
    given = Given(dataset or None, values["period"] or None, part or None)
    said = NothingToSend(kind, given, values.get(str(kind)), values["expected"])
    sender = Sender(body, signed.person)
    try:
        receipt, new = await in_a_slot(
            request,
            lambda: returns.state_nothing(settings.store, settings.opened, sender, settings.find_body(body), said),
        )
    except FieldError as error:
        field = str(kind) if error.field == "reason" else error.field
        message = str(error)
        return _nothing_page(request, body, values, {field: message[:1].upper() + message[1:]}, 422)
    request.app.state.work.ask()
    if new:
        await run_in_threadpool(mail_receipt, settings, signed, receipt)
    return RedirectResponse(f"/bodies/{body}/receipts/{receipt.reference}", 303)


def _nothing_page(
    request: Request, body: str, values: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    kind = settings_of(request).find_body(body).kind
    exemptions = [one for one in assets.return_reasons()["exempt"] if not one["kinds"] or kind in one["kinds"]]
    return page(
        request,
        "nothing.html",
        status=status,
        values=values,
        errors=errors,
        datasets=dataset_choices(),
        late_reasons=assets.return_reasons()["late"],
        exemptions=exemptions,
    )
