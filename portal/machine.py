"""`PUT /submissions`: a program sends a file with a key, in one request."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from hosting.problems import Problem
from hosting.transfers import UploadBody
from piperoll.errors import UsageError
from piperoll.model import Role, Verdict, to_document
from piperoll.operations import submitting
from piperoll.operations.submitting import Given, Sender, SentFile, SubmissionRefused
from portal.receipts import receipt_response
from portal.sending import clean_name, in_a_slot, limits_of
from portal.sessions import Signed, for_machines, own_body, require, settings_of

router = APIRouter()


@router.put("/submissions")
@for_machines
async def put_submission(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.SUBMIT)),
) -> Response:
    """Receive the file that is the body of the request: `name`, and `dataset`, `period`, `part` if known, in the query.

    `held=accept` also sends what has to be reviewed.
    Answers 201 with the receipt, or 200 with the same if the same file was sent before. Raises: Problem: 409 if the
    file would be held, 422 if it cannot be published; `report` is that of `piperoll check --json`.
    """
    query = request.query_params
    name, held = query.get("name", ""), query.get("held", "refuse")
    given = Given(query.get("dataset") or None, query.get("period") or None, query.get("part") or None)
    if not name:
        raise Problem(400, "bad-parameter", "give the file's name: name=spend-2026-10.csv", parameter="name")
    if held not in ("refuse", "accept"):
        raise Problem(400, "bad-parameter", f"'{held[:20]}' is not valid: use held=refuse or held=accept")
    settings, limits = settings_of(request), limits_of(request)
    arriving = UploadBody(request, settings.limits.check_bytes, request.app.state.upload_budget, settings.limits)
    try:
        content = b"".join([piece async for piece in arriving.stream()])
        if not content:
            raise Problem(400, "no-file", "the request has no body: send the file with curl --upload-file")
        file = SentFile(clean_name(name), content, given)
        sender = Sender(body, signed.person, settings.kind_of(body))
        receipt, new = await in_a_slot(
            request,
            lambda: submitting.put_submission(
                settings.store, settings.opened, sender, file, limits, held=held == "accept"
            ),
        )
    except SubmissionRefused as refused:
        status = 409 if refused.report.verdict is Verdict.HELD else 422
        kind = "held" if status == 409 else "rejected"
        raise Problem(status, kind, str(refused), report=to_document(refused.report)) from refused
    except UsageError as error:
        if isinstance(error, Problem):
            raise
        raise Problem(400, "bad-parameter", str(error)) from error
    finally:
        arriving.close()
    request.app.state.work.ask()
    return receipt_response(receipt, 201 if new else 200)
