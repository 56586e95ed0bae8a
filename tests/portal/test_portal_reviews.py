"""An operator reviews suppliers and pairs of contracts in the queue of the portal."""

from __future__ import annotations

import re
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from piperoll.errors import UsageError
from piperoll.model import DecisionKind
from piperoll.operations.own_figures import reply_to_figure
from piperoll.operations.run_request import RunRequest
from portal.operator import ITEMS_A_PAGE
from publishers import read_reviews
from tests.fixtures.portal_client import Client, PortalUnderTest
from tests.operations.measured_town import measure_town, overwrite_table, send_town

QUEUE = "/operator/queue"
MOMENT = "2026-11-03T09:00:00.000000Z"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviews")
    request = RunRequest(to=str(folder / "published"), inbox=folder / "inbox")
    send_town(request)
    measure_town(request)
    return folder / "published"


@pytest.fixture
def portal(made: Path, tmp_path: Path) -> PortalUnderTest:
    """A portal over a copy of a store with measures."""
    shutil.copytree(made, tmp_path / "published")
    return PortalUnderTest(tmp_path / "published")


def picks(page: str) -> list[str]:
    return re.findall(r'name="pick" value="([0-9a-f]{12})"', page)


def operator(portal: PortalUnderTest) -> Client:
    return portal.sign_in(None, email="operator@platform.example")


def test_an_operator_answers_two_suppliers_at_once(portal: PortalUnderTest) -> None:
    client = operator(portal)
    page = client.get(f"{QUEUE}?kind=supplier&turn=platform").text
    assert "Beech Tree Services plc: is it GB-COH-03456789?" in page
    assert "Another body published a number with the same name." in page
    picked = picks(page)
    assert len(picked) == 2
    data = {"csrf": client.csrf, "pick": picked, "answer": "proposed", "because": "Looked up"}
    assert client.post(QUEUE, data=data).headers["Location"] == f"{QUEUE}?done=2"
    assert {(one.subject, one.decided_as, one.body) for one in read_reviews(portal.store, DecisionKind.SUPPLIER)} == {
        ("acornroofing", "GB-COH-02345678", "beeford"),
        ("beechtreeservices", "GB-COH-03456789", "beeford"),
    }
    assert picks(client.get(f"{QUEUE}?kind=supplier").text) == []
    assert "count when measures are next made" in client.get(f"{QUEUE}?done=2").text


def test_an_operator_says_what_two_contracts_are_to_each_other(portal: PortalUnderTest) -> None:
    client = operator(portal)
    page = client.get(f"{QUEUE}?kind=pair&of=beeford").text
    assert "Grounds upkeep" in page
    assert "Mowing and litter" in page
    for answer in ("joint", "common-framework", "separate", "not-same", "unclear"):
        assert f'value="{answer}"' in page
    (pick,) = picks(page)
    assert client.post_form(QUEUE, pick=pick, answer="separate", because="").status_code == 400
    assert client.post_form(QUEUE, pick=pick, answer="separate", because="Two tenders").status_code == 303
    assert [one.decided_as for one in read_reviews(portal.store, DecisionKind.PAIR)] == ["separate"]


def test_an_officer_of_a_body_sees_no_review(portal: PortalUnderTest) -> None:
    officer = portal.sign_in("beeford", email="officer@beeford.example")
    assert officer.get(QUEUE).status_code == 403
    for path in ("", "questions/"):
        assert "Mowing and litter" not in officer.get(f"/bodies/beeford/{path}").text


REPLIES = "/bodies/anytown/replies/"
MEASURE = "?measure=supplier-identity"


def figures_of(officer: Client, body: str) -> list[str]:
    return re.findall(r"figure=([0-9a-f]{16})", officer.get(f"/bodies/{body}/replies/{MEASURE}").text)


def test_a_body_chooses_a_figure_of_its_own_replies_and_takes_it_back(portal: PortalUnderTest) -> None:
    officer = portal.sign_in("anytown", email="officer@anytown.example")
    assert "This measure has no figure about" in officer.get(f"{REPLIES}?measure=cost-per-transaction").text
    figure = figures_of(officer, "anytown")[0]
    assert f"figure_id {figure}" in officer.get(f"{REPLIES}?figure={figure}").text
    refused = officer.post_form(REPLIES, figure=figure, note="Ask Mr Tarquin Quillfeather.")
    assert refused.status_code == 400
    assert ">Ask Mr Tarquin Quillfeather.</textarea>" in refused.text
    assert officer.post_form(REPLIES, figure=figure, note="It includes a grant.").status_code == 303
    page = officer.get(REPLIES).text
    assert "It includes a grant." in page
    assert figure not in page  # it is named in words
    identifier = re.search(r'name="take-back" value="([^"]+)"', page)
    assert identifier
    other = portal.sign_in("beeford", email="officer@beeford.example")
    assert other.post_form("/bodies/beeford/replies/", **{"take-back": identifier[1]}).status_code == 400
    assert officer.post_form(REPLIES, **{"take-back": identifier[1]}).status_code == 303
    assert "It includes a grant." not in officer.get(REPLIES).text


def test_a_reply_to_the_figure_of_another_body_is_refused_when_it_is_written(portal: PortalUnderTest) -> None:
    officer = portal.sign_in("anytown", email="officer@anytown.example")
    others = figures_of(portal.sign_in("beeford", email="officer@beeford.example"), "beeford")[0]
    for figure, why in ((others, "is about beeford"), ("0" * 16, "is published"), ("nonsense", "16 letters")):
        assert why in officer.get(f"{REPLIES}?figure={figure}").text
        refused = officer.post_form(REPLIES, figure=figure, note="It includes a grant.")
        assert refused.status_code == 400
        assert why in refused.text
    assert list(read_reviews(portal.store, DecisionKind.REPLY)) == []
    with pytest.raises(UsageError, match="about beeford"):  # nor by the operator for a body
        reply_to_figure(portal.store, others, "Late.", by="them", moment=MOMENT, body="anytown", ahead=True)


def long_pair(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "pair": f"{number:016x}", "score": 0.5, "tier": "review", "type": "separate",
        "evidence": "both are about " + "mowing, " * 40,
    }  # fmt: skip
    for side, body in (("a", "anytown"), ("b", "beeford")):
        row |= {f"body_{side}": body, f"title_{side}": f"{number} Mowing of verges and parks " * 12}
        row |= {f"suppliers_{side}": "; ".join(f"Rook and Daw Grounds {each} Ltd" for each in range(9))}
        row |= {f"value_{side}": Decimal("123456.78"), f"starts_{side}": date(2026, 4, 1), f"ends_{side}": None}
    return row


def test_a_full_page_of_long_questions_is_small(portal: PortalUnderTest) -> None:
    rows = pa.Table.from_pylist([long_pair(number) for number in range(150)])
    overwrite_table(str(portal.folder), "duplication", "contract_pairs", rows)
    page = operator(portal).get(f"{QUEUE}?kind=pair")
    assert len(picks(page.text)) == ITEMS_A_PAGE
    assert f"Page 1 of {-(-150 // ITEMS_A_PAGE)}" in page.text
    assert len(page.content) < 120_000
