"""Files that are made to do harm: bombs, entities, names with headers and markup. The portal answers and goes on."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest

import publishers
from piperoll import layout
from tests.fixtures.portal_client import Client, PortalUnderTest
from tests.operations.inbox import spend
from tests.reading.damage import seeds

SEND = "/bodies/anytown/send"
HOSTS = "Ynot-a-name"
ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hosts">'
    b'<!ENTITY b "Ynot-a-name&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
NAME = 'Oct"ober\r\nSet-Cookie: piperoll=x\u202e <script>alert(1)</script> 2026.csv'


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path)


def with_part(change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """A workbook with its parts changed, and more of them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seeds.xlsx())) as parts, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in parts.namelist():
            new.writestr(name, change(name, parts.read(name)))
        for name, content in more.items():
            new.writestr(name, content)
    return made.getvalue()


def entities(name: str, content: bytes) -> bytes:
    head, _, rest = content.partition(b"?>")
    return ENTITY + rest.replace(b"<t>", b"<t>&c;", 1) if head and name.endswith("sharedStrings.xml") else content


FILES = {
    "a sheet that is a thousand times as large as its file": lambda: with_part(
        lambda name, content: content + b" " * (1 << 28) if name.endswith("sheet1.xml") else content
    ),
    "entities that name a file of ours": lambda: with_part(entities),
    "a part outside of the archive": lambda: with_part(
        lambda _, content: content, **{"../../../../etc/piperoll": b"x"}
    ),
}


def begin(client: Client, content: bytes, name: str) -> str:
    answer = client.post(SEND, data={"csrf": client.csrf, "dataset": "spend"}, files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


@pytest.mark.parametrize("what", FILES)
def test_a_malicious_workbook_is_answered_with_a_page_and_nothing_is_public(portal: PortalUnderTest, what: str) -> None:
    client = portal.sign_in("anytown")
    content = FILES[what]()
    draft = begin(client, content, "April 2026.xlsx")
    answer = client.get(draft)
    assert answer.status_code == 200
    assert "localhost" not in answer.text.replace(portal.settings.site, "")
    assert HOSTS not in answer.text
    assert "Your corrected file" in answer.text  # what to do next
    copy = client.get(f"{draft}marked-copy")
    assert copy.status_code in (200, 400, 422)
    assert not Path("/etc/piperoll").exists()
    assert all(not next(portal.store.keys(prefix), None) for prefix in (layout.DATA, layout.REPORTS, layout.CATALOGUE))
    assert "What we found" in client.get(begin(client, spend(3), "October 2026.csv")).text


def test_the_name_of_a_file_makes_no_header_and_no_markup(portal: PortalUnderTest) -> None:
    client = portal.sign_in("anytown")
    boundary = "a-boundary"
    quoted = NAME.replace("\r\n", "%0D%0A").replace('"', "%22")  # as browsers send it
    for sent in (quoted, NAME.replace("\r\n", " ").replace('"', '\\"')):
        body = (
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{client.csrf}\r\n--{boundary}\r\n'
                f'Content-Disposition: form-data; name="dataset"\r\n\r\nspend\r\n--{boundary}\r\n'
                f'Content-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n'
            ).encode()
            + spend(3)
            + f"\r\n--{boundary}--\r\n".encode()
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        draft = str(client.post(SEND, content=body, headers=kind).headers["Location"])
        page = client.get(draft).text
        assert "<script" not in page
        assert "\u202e" not in page
        answer = client.get(f"{draft}corrected-copy")
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers or "piperoll=x" not in answer.headers["Set-Cookie"]
        header = Message()
        header["Content-Disposition"] = answer.headers["Content-Disposition"]
        plain = re.search(r'filename="([^"]*)"', answer.headers["Content-Disposition"])
        assert plain
        assert re.fullmatch(r"[A-Za-z0-9._-]+", plain[1])
        assert header.get_content_disposition() == "attachment"
    names = {one.last.name for one in publishers.list_drafts(portal.store, "anytown")}
    assert not any(re.search(r"[\x00-\x1f\u202e/\\]", name) for name in names)
