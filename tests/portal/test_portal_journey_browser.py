"""The whole journey in a real browser, by keyboard alone and on a phone: send, look, submit, receipt, afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.file_chooser import choose_by_keyboard
from tests.fixtures.portal_server import ServedPortal, serve_portal
from tests.portal.test_portal_afterwards_browser import PHONE, check, sign_in, tab_to
from tests.reading.damage import seeds

FILES: dict[str, Callable[[], bytes]] = {
    "csv": lambda: seeds.text().encode("utf-8"),
    "xlsx": seeds.xlsx,
    "xls": seeds.xls,
    "ods": seeds.ods,
}
_SECONDS = 240
"""How long the files may take from their receipts to their publication, on a machine that does much else."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    with serve_portal(tmp_path_factory.mktemp("journey") / "store", None) as portal:
        yield portal


@pytest.mark.timeout(600)
def test_first_files_of_every_form_are_sent_by_keyboard_and_published(
    browser: Browser, served: ServedPortal, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=PHONE, bypass_csp=True, accept_downloads=True)  # type: ignore[arg-type]
    page = sign_in(context, served)
    receipts = {}
    for form, make in FILES.items():  # all are sent before any is waited for: they are published together
        path = tmp_path / f"April 2026.{form}"
        path.write_bytes(make())
        receipts[form] = _send(page, f"{served.address}bodies/borough-of-{form}/", path)
    deadline = time.monotonic() + _SECONDS
    for form, receipt in receipts.items():
        page.goto(receipt)
        while not page.get_by_text("The file is published").count() and time.monotonic() < deadline:
            time.sleep(1)
            page.goto(receipt)
        expect(page.get_by_text("The file is published")).to_be_visible()
        check(page)
        page.goto(f"{served.address}bodies/borough-of-{form}/submissions/")
        tab_to(page, f"April 2026.{form}")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"April 2026.{form}")
        expect(page.locator(".tag.good", has_text="Published").first).to_be_visible()
        check(page)
        page.get_by_role("link", name="Receipt").click()
        assert page.url == receipt
    context.close()


def _send(page: Page, home: str, path: Path) -> str:
    """Send a file by keyboard, from the home page to the address of its receipt."""
    page.goto(home)
    check(page)
    tab_to(page, "Send a file")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Send a file")
    tab_to(page, "Your file")
    choose_by_keyboard(page, "Your file", path)
    tab_to(page, "Dataset")
    page.keyboard.type("Spend")
    tab_to(page, "Check the file")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What we found")).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Period")).to_have_value("2026-04")
    expect(page.get_by_text("4 rows").first).to_be_visible()
    check(page)
    for copy in ("with the findings marked", "with the safe corrections made"):
        with page.expect_download() as download:
            page.get_by_role("link", name=copy).click()
        assert Path(download.value.path()).stat().st_size > 100
    tab_to(page, "Submit this file")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have received it")
    return page.url
