"""Questions about a file that are answered in its draft, before it is sent."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import publishers
from piperoll.model import Role, Series
from piperoll.operations import submitting
from tests.fixtures.portal_client import Client, PortalUnderTest
from tests.operations.inbox import spend
from tests.operations.test_operations_standing import NAME, Place

OTHER = "Oswin Thimblewick"
SEND = "/bodies/anytown/send"
NOVEMBER = spend(40, month="11/2026").replace(b"Amount", b"Gross", 1)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Place(tmp_path_factory.mktemp("october"))
    place.send("anytown/October 2026.csv", spend(40))
    return place.folder


@pytest.fixture
def portal(sent: Path, tmp_path: Path) -> PortalUnderTest:
    """A portal over a copy of a store in which Anytown has published October."""
    shutil.copytree(sent, tmp_path / "town")
    return PortalUnderTest(Path(Place(tmp_path / "town").to))


def begin(client: Client, content: bytes) -> str:
    files = {"file": ("November 2026.csv", content)}
    answer = client.post(SEND, data={"csrf": client.csrf, "dataset": "spend"}, files=files)
    return str(answer.headers["Location"])


def asked(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([0-9a-f]{12})"', page)


def test_a_heading_that_changed_is_answered_before_the_file_is_sent(portal: PortalUnderTest) -> None:
    """The page quoted a command, and the question came after the file was sent and processed."""
    client = portal.sign_in("anytown")
    draft = begin(client, NOVEMBER)
    page = client.get(draft).text
    assert "&#39;Gross&#39; replaced &#39;Amount&#39;: is it" in page
    assert "piperoll mapping" not in page
    assert "Beside the last file" not in page
    (question,) = asked(page)
    for given in ({}, {f"a-{question}": "same"}, {"because": "x"}, {f"a-{question}": "perhaps", "because": "x"}):
        refused = client.post_form(f"{draft}answers", **given)
        assert refused.status_code == 422
        assert "There is a problem" in refused.text
    done = client.post_form(f"{draft}answers", **{f"a-{question}": "same", "because": "Renamed by finance"})
    assert done.headers["Location"] == f"{draft}?answered=1"
    page = client.get(done.headers["Location"]).text
    assert "checked again" in page
    assert "Beside the last file" in page
    assert asked(page) == []
    receipt = client.post_form(f"{draft}submit").headers["Location"]
    submitting.publish_waiting(portal.settings.store)
    assert "The file is published" in client.get(receipt).text


def test_held_names_are_grouped_and_answered_together_before_the_file_is_sent(portal: PortalUnderTest) -> None:
    content = spend(40, month="11/2026")
    for name, others in ((NAME, (b"T00003", b"T00005")), (OTHER, (b"T00007",))):
        lines = content.split(b"\r\n")
        for place, line in enumerate(lines):
            cells = line.split(b",")
            if len(cells) > 3 and cells[3] in others:
                lines[place] = b",".join([cells[0], name.encode(), *cells[2:]])
        content = b"\r\n".join(lines)
    client = portal.sign_in("anytown")
    draft = begin(client, content)
    page = client.get(draft).text
    first, second = asked(page)
    assert page.index(NAME) < page.index(OTHER)  # the one with more rows comes first
    assert "2 rows" in page
    reader = portal.sign_in("anytown", Role.SUBMIT, email="clerk@anytown.example")
    assert "Someone with the role <em>decide</em>" in reader.get(draft).text
    assert reader.post_form(f"{draft}answers", because="x", **{f"a-{first}": "business"}).status_code == 403
    data = {"because": "They trade so", f"a-{second}": "person", "all-names": "business", "shown": [first, second]}
    assert client.post(f"{draft}answers", data={"csrf": client.csrf, **data}).status_code == 303
    page = client.get(draft).text
    assert asked(page) == []
    assert NAME not in page.partition("Beside the last file")[0]
    client.post_form(f"{draft}submit")
    submitting.publish_waiting(portal.settings.store)
    history, _ = publishers.read_history(portal.store, Series.parse("spend/anytown/2026-11"))
    assert history.current_version is not None
    assert history.current_version.rows == 40
    found = {seen.key.split("/")[0] for seen in publishers.find_values(portal.store, [OTHER])}
    assert found.isdisjoint({"data", "catalogue", "reports"})


def test_a_rejected_file_without_a_period_says_where_to_give_it(portal: PortalUnderTest) -> None:
    client = portal.sign_in("anytown")
    rows = "\r\n".join(f"Acorn Roofing Ltd,{600 + number},Estates" for number in range(12))
    files = {"file": ("payments.csv", f"Supplier,Amount,Department\r\n{rows}\r\n".encode())}
    answer = client.post(SEND, data={"csrf": client.csrf, "dataset": "spend"}, files=files)
    assert "If you know the period, give it below." in client.get(answer.headers["Location"]).text
