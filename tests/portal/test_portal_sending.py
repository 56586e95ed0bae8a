"""Send a file through the pages: draft, confirmation, copies, submission, receipt, and what a program sends."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import publishers
from piperoll.model import Role, SubjectKind
from piperoll.operations import submitting
from piperoll.operations.access import NewGrant, grant_access
from piperoll.operations.receipts import verify_receipt
from piperoll.operations.takedown import purge_submission
from portal.settings import MailSettings
from tests.fixtures.portal_client import SECRET, Client, PortalUnderTest
from tests.fixtures.sign_in_servers import smtp_server
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import spend

BODY = "anytown"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path, {"background": True})


def upload(client: Client, path: str, content: bytes, name: str = "October 2026.csv", **fields: str) -> Any:
    """Send a form with a file."""
    return client.post(path, data={"csrf": client.csrf, **fields}, files={"file": (name, content)})


def begin(client: Client, content: bytes, **fields: str) -> str:
    """The address of a new draft."""
    answer = upload(client, f"/bodies/{BODY}/send", content, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_file_is_checked_put_right_submitted_and_followed_to_its_publication(portal: PortalUnderTest) -> None:
    client = portal.sign_in(BODY)
    draft = begin(client, spend(60).replace(b"08/10/2026", b"not a day", 1), dataset="spend")
    shown = client.get(draft).text
    assert "59 rows" in shown
    assert 'value="2026-10"' in shown
    for kind in ("marked", "corrected"):
        copy = client.get(f"{draft}{kind}-copy")
        assert copy.status_code == 200
        assert copy.headers["Content-Disposition"].startswith("attachment")
    assert upload(client, f"{draft}file", spend(10)).headers["Location"] == draft
    shown = client.get(draft).text
    assert "Since your last attempt" in shown
    assert "Submit this file" in shown
    receipt_page = client.post_form(f"{draft}submit").headers["Location"]
    assert client.post_form(f"{draft}submit").headers["Location"] == receipt_page  # a double click
    assert client.get(draft).headers["Location"] == receipt_page  # the back button
    assert "http-equiv" not in client.get(receipt_page).text
    document = client.get(f"{receipt_page}.json").json()
    assert document["accepted"]["rows"] == 10
    assert len(verify_receipt(document, spend(10), publishers.signing_key(portal.store).public)) == 2
    portal.app.state.work.wait(PATIENCE_SECONDS)
    assert "The file is published" in client.get(receipt_page).text
    assert "http-equiv" not in client.get(receipt_page).text


def test_a_purge_reaches_the_name_of_the_file_in_receipts_drafts_and_logs(tmp_path: Path) -> None:
    """Only what it was published as was purged: its receipt and its draft went on naming the file."""
    portal, name = PortalUnderTest(tmp_path), "Tarquin Quillfeather October 2026.csv"
    client = portal.sign_in(BODY)
    drafts = []
    for _ in range(2):  # of the second, a corrected file was uploaded too
        answer = upload(client, f"/bodies/{BODY}/send", spend(10), name, dataset="spend")
        drafts.append(answer.headers["Location"])
    client.get(drafts[1])
    upload(client, f"{drafts[1]}file", spend(11))
    page = client.post_form(f"{drafts[0]}submit").headers["Location"]
    before = client.get(f"{page}.json").json()
    submitting.publish_waiting(portal.settings.store)
    assert {seen.key.split("/")[0] for seen in publishers.find_values(portal.store, ["Quillfeather"])} >= {
        "drafts", "receipts", "collected", "catalogue",
    }  # fmt: skip

    because = "Its name is that of a person"
    assert (
        purge_submission(portal.settings.store, before["sha256"], because=because, values=["Quillfeather"]).seen == ()
    )
    shown = client.get(page).text
    assert "it was purged" in shown
    assert "Its name was removed" in shown
    after, key = client.get(f"{page}.json").json(), publishers.signing_key(portal.store).public
    assert verify_receipt(before, spend(10), key)[-1] == "It is for the file given, byte by byte."
    proved = verify_receipt(after, spend(10), key)
    assert "its name was removed" in proved[1]
    assert proved[-1] == "It is for the file given, byte by byte."
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {"file", "purged", "signature"}
    assert "11 rows" in client.get(drafts[1]).text
    assert [one.sha256 for one in publishers.list_drafts(portal.store, BODY)[0].attempts] != [before["sha256"]]


def test_a_purge_of_an_earlier_upload_loses_no_receipt_of_the_corrected_file(tmp_path: Path) -> None:
    """The draft was deleted whole, with the file of a receipt that was not processed yet."""
    portal = PortalUnderTest(tmp_path)
    client = portal.sign_in(BODY)
    draft = begin(client, spend(10), dataset="spend")
    upload(client, f"{draft}file", spend(11))
    page = client.post_form(f"{draft}submit").headers["Location"]
    wrong = hashlib.sha256(spend(10)).hexdigest()
    publishers.remove_submission(portal.store, wrong, because="It names people", now="2026-11-29T00:00:00Z")
    submitting.publish_waiting(portal.settings.store)
    assert "The file is published" in client.get(page).text


def test_a_body_of_the_operators_own_register_is_checked_as_its_kind(tmp_path: Path) -> None:
    """Its draft said that the kind of body is not known, and no legal duty was checked."""
    heading = "id,slug,name,kind,aliases,same_as,contact,licence"
    bodies = tmp_path / "bodies.csv"
    bodies.write_text(f"{heading}\nGB-X-1,{BODY},Anytown Council,council,,,,OGL-UK-3.0\n")
    for given, known in (({}, False), ({"bodies": str(bodies)}, True)):
        portal = PortalUnderTest(tmp_path / f"store-{known}", {"background": False, **given})
        shown = portal.sign_in(BODY)
        assert ("which kind of body" in shown.get(begin(shown, spend(5))).text) is not known


def test_errors_stand_next_to_their_field(portal: PortalUnderTest) -> None:
    client = portal.sign_in(BODY)
    answer = upload(client, f"/bodies/{BODY}/send", b"", period="the other day", dataset="no-such")
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert 'href="#file"' in answer.text
    assert re.search(r'id="(dataset|period)-error"', answer.text)


def test_who_may_not_submit_sees_no_draft(portal: PortalUnderTest) -> None:
    draft = begin(portal.sign_in(BODY), spend(3))
    reader = portal.sign_in(BODY, Role.DECIDE, email="reader@anytown.example")
    assert reader.get(draft).status_code == 403
    other = portal.sign_in("othertown", email="officer@othertown.example")
    assert other.get(draft).status_code == 404
    assert other.get(draft.replace(BODY, "othertown")).status_code == 404


def test_nothing_to_send_has_a_receipt(portal: PortalUnderTest) -> None:
    client = portal.sign_in(BODY)
    address = f"/bodies/{BODY}/nothing-to-send"
    assert client.get(address).status_code == 200
    late = {"kind": "late", "dataset": "spend", "period": "October 2026", "late": "staff"}
    assert 'id="expected-error"' in client.post_form(address, **late).text
    answer = client.post_form(address, **late, expected="2027-12-15")
    shown = client.get(answer.headers["Location"]).text
    assert "October 2026 will be late: the people who prepare it are away" in shown
    assert client.post_form(address, **late, expected="2027-12-15").headers["Location"] == answer.headers["Location"]
    assert 'id="exempt-error"' in client.post_form(address, kind="exempt", dataset="spend", period="2026-10").text
    nil = client.post_form(address, kind="nil", dataset="spend", period="September 2026")
    assert nil.status_code == 303, nil.text
    portal.app.state.work.wait(PATIENCE_SECONDS)
    assert "The nil return is published" in client.get(nil.headers["Location"]).text


def test_a_program_puts_a_file_and_gets_the_receipt_or_the_findings(portal: PortalUnderTest) -> None:
    grant = NewGrant(SubjectKind.KEY, "", BODY, (Role.SUBMIT,))
    key = grant_access(portal.store, SECRET, grant, by="the test").key
    client = portal.client()
    client.headers["Authorization"] = f"Bearer {key}"
    address = f"/submissions?body={BODY}&dataset=spend&period=2026-10&name=spend.csv"
    first = client.put(address, content=spend(5))
    assert first.status_code == 201, first.text
    assert first.headers["Location"] == f"/bodies/{BODY}/receipts/{first.json()['reference']}.json"
    again = client.put(address, content=spend(5))
    assert (again.status_code, again.json()) == (200, first.json())
    refused = client.put(f"/submissions?body={BODY}&name=pets.csv", content=b"Colour,Animal\r\nred,cat\r\nblue,dog\r\n")
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["report"]["verdict"] == "rejected"
    undated = b"Supplier Name,Amount,Transaction Number\r\nAcorn Ltd,612.00,T1\r\nBeech Ltd,800.00,T2\r\n"
    held = client.put(f"/submissions?body={BODY}&dataset=spend&name=x.csv", content=undated)
    assert held.status_code in (409, 422)
    assert held.json()["report"]["findings"]
    assert client.put("/submissions?body=othertown&name=x.csv", content=spend(5)).status_code == 404


def test_a_receipt_is_mailed_without_the_name_of_a_person_or_file_or_what_is_held(tmp_path: Path) -> None:
    with smtp_server() as (address, inbox):
        portal = PortalUnderTest(tmp_path, {"mail": MailSettings(address, "portal@piperoll.example")})
        client = portal.sign_in(BODY)
        draft = begin(client, spend(60).replace(b"08/10/2026", b"not a day", 1), dataset="spend")
        client.post_form(f"{draft}submit")
        client.post_form(f"{draft}submit")
        (message,) = inbox.messages
        text = message.get_content()
        reference = publishers.list_receipts(portal.store, BODY)[0].reference
    assert message["To"] == "officer@anytown.example"
    assert reference in text
    assert "Rows accepted: 59" in text
    for word in ("held", "Held", "October 2026.csv", "Acorn", "officer", "£"):
        assert word not in text


def test_a_formula_in_a_file_is_no_formula_in_the_copies(portal: PortalUnderTest) -> None:
    client = portal.sign_in(BODY)
    name = b'"=HYPERLINK(""http://evil.example"",""x"")"'
    draft = begin(client, spend(20).replace(b"Acorn Roofing Ltd", name, 1), dataset="spend")
    marked = load_workbook(io.BytesIO(client.get(f"{draft}marked-copy").content))
    cells = [cell for sheet in marked for row in sheet.iter_rows() for cell in row]
    assert any(isinstance(cell.value, str) and cell.value.startswith("=HYPERLINK") for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)
    changes = client.get(f"{draft}changes-of-corrected-copy").text
    assert not any(line.split(",")[3].startswith(("=", "+", "@")) for line in changes.splitlines())
