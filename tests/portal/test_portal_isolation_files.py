"""What a body has sent does not exist for another: drafts, receipts, files, copies and questions, by every address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

import publishers
from piperoll.model import Role
from piperoll.operations import submitting
from piperoll.operations.decision_queue import list_items
from piperoll.operations.reviews import record_reply
from piperoll.operations.standing import read_standing
from piperoll.operations.submitting import Given, SentFile
from portal.app import walk_routes
from publishers import list_decisions, list_receipts
from tests.fixtures.portal_client import Client, PortalUnderTest
from tests.operations.inbox import spend
from tests.operations.test_operations_standing import NAME, Place, with_name

FIGURE, MOMENT = "0123456789abcdef", "2026-11-28T10:00:00Z"
SECRETS = ("Quillfeather", NAME, "October of Anytown", "Anytown", "anytown")
"""What must be in no answer to another body: a supplier, a held name, the name of a file, the body."""


@dataclass(frozen=True)
class Sent:
    """What Anytown has: the values of the parameters of its addresses, and the portal."""

    portal: PortalUnderTest
    drafts: tuple[str, str]
    receipt: str
    file: str
    question: str
    reply: str

    def addresses(self, body: str) -> dict[str, set[str]]:
        """Every address that names something of Anytown, below the address of a body, with its methods."""
        values = {
            "{draft}": self.drafts,
            "{reference}": (self.receipt, f"{self.receipt}.json", self.file[:12], self.file),
            "{kind}": ("marked", "corrected", "changes-of-corrected"),
        }
        found: dict[str, set[str]] = {}
        for path, methods, _ in walk_routes(self.portal.app):
            named = [name for name in values if name in path]
            if not path.startswith("/bodies/{body}/") or not named:
                continue
            for chosen in product(*(values[name] for name in named)):
                address = path.replace("{body}", body)
                for name, value in zip(named, chosen, strict=True):
                    address = address.replace(name, value)
                found.setdefault(address, set()).update(methods)
        return found

    def keys(self) -> dict[str, str]:
        """Everything in the store that is Anytown's, with its content's tag."""
        store = self.portal.store
        return {key: store.stat(key).tag for key in store.keys("") if "anytown" in key}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    place = Place(tmp_path_factory.mktemp("isolation"))
    place.send("anytown/October of Anytown.csv", with_name(NAME))
    portal = PortalUnderTest(Path(place.to))
    store = portal.store
    content = spend(10, month="11/2026").replace(b"Acorn", b"Quillfeather")
    file = SentFile("November of Anytown.csv", content, Given("spend", "2026-11"))
    draft, submitted = (submitting.begin_draft(store, "anytown", "a person", file) for _ in range(2))
    checked = submitting.check_draft(place.to, store, draft)
    receipt, _ = submitting.record_receipt_for(store, submitted, checked)
    submitting.mark_submitted(store, submitted, receipt)
    (question,) = list_items(place.index())
    reply = record_reply(store, FIGURE, "We count this differently", by="them", moment=MOMENT, body="anytown")
    (archived,) = {one.submission.sha256 for one in read_standing(place.index(), "anytown").files}
    return Sent(portal, (draft.id, submitted.id), receipt.reference, archived, question.id, reply.id)


def sign_in(sent: Sent, body: str) -> Client:
    return sent.portal.sign_in(body, Role.SUBMIT, Role.DECIDE, email=f"officer@{body}.example")


def test_the_body_itself_finds_what_it_sent(sent: Sent) -> None:
    """Otherwise the tests below would prove nothing."""
    ours = sign_in(sent, "anytown")
    draft, submitted = (f"/bodies/anytown/drafts/{one}/" for one in sent.drafts)
    assert "November of Anytown.csv" in ours.get(draft).text
    assert ours.get(submitted).headers["Location"].endswith(f"/receipts/{sent.receipt}")
    for address in (f"receipts/{sent.receipt}", f"receipts/{sent.receipt}.json", f"submissions/{sent.file[:12]}"):
        assert ours.get(f"/bodies/anytown/{address}").status_code == 200
    assert NAME in ours.get("/bodies/anytown/questions/").text
    assert len(sent.addresses("anytown")) > 20


@pytest.mark.parametrize("body", ["anytown", "otherton"])
def test_another_body_finds_nothing_of_it_below_either_address(sent: Sent, body: str) -> None:
    theirs, before = sign_in(sent, "otherton"), sent.keys()
    form = {"dataset": "spend", "period": "2026-11", "because": "why not", "reason": "personal"}
    for address, methods in sent.addresses(body).items():
        file = {"file": ("a.csv", b"Date,Amount\r\n")}
        answers = [theirs.get(address)] if "GET" in methods else []
        if "POST" in methods:
            answers.append(theirs.post_form(address, **form))
            answers.append(theirs.post(address, data={"csrf": theirs.csrf, **form}, files=file))
        for answer in answers:
            assert answer.status_code == 404, address
            assert not [word for word in SECRETS if word in answer.text], address
    assert sent.keys() == before


def test_answers_to_questions_of_another_body_are_refused(sent: Sent) -> None:
    theirs, before = sign_in(sent, "otherton"), sent.keys()
    given = {f"a-{sent.question}": "business", "shown": sent.question, "because": "They are a firm"}
    for fields in (given, {**given, f"a-{sent.question}": "", "all-names": "business"}):
        assert theirs.post_form("/bodies/anytown/questions/", **fields).status_code == 404
        answer = theirs.post_form("/bodies/otherton/questions/", **fields)
        assert answer.status_code == 400
        assert not [word for word in SECRETS if word in answer.text]
    for path in ("anytown", "otherton"):
        answer = theirs.post_form(f"/bodies/{path}/replies/", **{"take-back": sent.reply})
        assert answer.status_code == (404 if path == "anytown" else 400)
    assert sent.keys() == before
    assert sent.reply in {entry.id for entry in list_decisions(sent.portal.store, "anytown")}


def test_the_pages_of_another_body_name_nothing_of_it(sent: Sent) -> None:
    theirs = sign_in(sent, "otherton")
    for path in ("", "send", "submissions/", "questions/", "standing", "replies/", "nothing-to-send"):
        assert theirs.get(f"/bodies/anytown/{path}").status_code == 404
        answer = theirs.get(f"/bodies/otherton/{path}?reference={sent.receipt}&draft={sent.drafts[0]}")
        assert answer.status_code == 200
        assert not [word for word in SECRETS if word in answer.text], path


def test_the_same_file_of_two_bodies_has_two_receipts(sent: Sent) -> None:
    """Whoever guesses another body's file and sends it learns nothing of the receipt of that body."""
    store, (draft, _) = sent.portal.store, sent.drafts
    theirs = replace(publishers.read_draft(store, "anytown", draft) or pytest.fail("it is there"), body="otherton")
    checked = submitting.check_draft(sent.portal.settings.store, store, replace(theirs, body="anytown"))
    receipt, is_new = submitting.record_receipt_for(store, theirs, checked)
    assert is_new
    assert receipt.reference != sent.receipt
    assert [one.reference for one in list_receipts(store, "anytown")] == [sent.receipt]
    assert [one.reference for one in list_receipts(store, "otherton")] == [receipt.reference]
