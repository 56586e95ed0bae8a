"""The pages of sending in a real browser: by axe on a phone and a desktop, and by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.settings import MailSettings
from tests.fixtures.file_chooser import choose_by_keyboard
from tests.fixtures.portal_server import ServedPortal, serve_portal
from tests.operations.inbox import spend
from tests.portal.test_portal_afterwards_browser import PHONE, check, sign_in, tab_to

DESKTOP = {"width": 1280, "height": 900}
WRONG = spend(12).replace(b"08/10/2026", b"not a day", 1)
LATE = {"kind": "late", "dataset": "spend", "period": "October 2026", "late": "staff", "expected": "soon"}
DAY = (date.today() + timedelta(days=60)).isoformat()  # noqa: DTZ011
"""A day on which a late return may be promised."""


class Sent:
    """A portal with a draft that has findings, a receipt of a late return, and a session that may see them."""

    def __init__(self, served: ServedPortal, browser: Browser, folder: Path) -> None:
        self.served = served
        self.home = f"{served.address}bodies/anytown"
        context = browser.new_context()
        page = sign_in(context, served)
        self.draft = self.begin(page, folder / "October 2026.csv", WRONG)
        page.goto(f"{self.home}/nothing-to-send")
        fill_nothing(page, LATE | {"expected": DAY})
        self.receipt = page.url
        assert "/receipts/" in self.receipt
        self.state: Any = context.storage_state()
        context.close()

    def begin(self, page: Page, path: Path, content: bytes) -> str:
        """The address of a new draft of this file."""
        path.write_bytes(content)
        page.goto(f"{self.home}/send")
        page.get_by_label("Your file").set_input_files(path)
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("heading", name="What we found")).to_be_visible(timeout=60_000)
        return page.url

    def addresses(self) -> list[str]:
        """Each page that someone who is signed in meets on the way from a file to its receipt."""
        return [f"{self.home}/send", self.draft, f"{self.home}/nothing-to-send", self.receipt]

    def public_addresses(self) -> list[str]:
        """Each page of signing in."""
        sign = f"{self.served.address}sign-in"
        return [sign, f"{sign}/sent", f"{sign}/link?token=x"]


def fill_nothing(page: Page, values: dict[str, str]) -> None:
    """Fill in and send the form of nothing to send."""
    page.locator(f"input[name=kind][value={values['kind']}]").check()
    page.get_by_label("Dataset").select_option(values["dataset"])
    page.get_by_label("Period").fill(values["period"])
    page.locator("#late").select_option(values["late"])
    page.get_by_label("When will you send it?").fill(values["expected"])
    page.get_by_role("button", name="Submit").click()


@pytest.fixture(scope="module")
def sent(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("sending")
    mail = MailSettings("smtp://127.0.0.1:9", "portal@piperoll.example")
    with serve_portal(folder / "store", "anytown", mail=mail) as served:
        yield Sent(served, browser, folder)


def open_context(browser: Browser, sent: Sent | None, **given: Any) -> BrowserContext:
    """A context that is signed in if there is something sent; axe is a script, so the policy is bypassed for it."""
    given.setdefault("viewport", PHONE)
    return browser.new_context(bypass_csp=True, storage_state=sent.state if sent else None, **given)


SCREENS = pytest.mark.parametrize(
    "screen",
    [{"viewport": PHONE}, {"viewport": DESKTOP, "color_scheme": "dark"}],
    ids=["phone", "desktop-dark"],
)


@SCREENS
def test_every_page_of_sending_is_accessible_and_fits(browser: Browser, sent: Sent, screen: dict[str, Any]) -> None:
    for known, addresses in ((None, sent.public_addresses()), (sent, sent.addresses())):
        context = open_context(browser, known, **screen)
        page = context.new_page()
        for address in addresses:
            answer = page.goto(address)
            assert answer is not None and (answer.status, page.url) == (200, address)
            check(page)
        context.close()


@SCREENS
def test_errors_are_accessible_and_lead_to_their_field(browser: Browser, sent: Sent, screen: dict[str, Any]) -> None:
    context = open_context(browser, sent, **screen)
    page = context.new_page()
    page.goto(f"{sent.home}/send")
    page.get_by_role("button", name="Check the file").click()
    _check_errors(page)
    page.goto(f"{sent.home}/nothing-to-send")
    page.get_by_role("button", name="Submit").click()
    _check_errors(page)
    fill_nothing(page, LATE)
    _check_errors(page)
    page.goto(sent.draft)
    page.get_by_label("Period").fill("the other day")
    page.get_by_role("button", name="Check it as this").click()
    _check_errors(page)
    page.get_by_role("button", name="Check this file instead").click()
    _check_errors(page)
    page.goto(f"{sent.home}/no-such-page")
    check(page)
    context.close()


def _check_errors(page: Page) -> None:
    """Each error of the summary leads to a field that is described by it."""
    links = page.get_by_role("alert").get_by_role("link")
    expect(links.first).to_be_visible()
    assert page.title().startswith("Error: ")
    for link in links.all():
        name = (link.get_attribute("href") or "").removeprefix("#")
        link.click()
        assert page.evaluate("document.activeElement.id") == name
        expect(page.locator(f"#{name}-error")).to_have_text(link.inner_text())
    check(page)


_CONTROLS = """() => {
  const shown = [...document.querySelectorAll('a[href], button, input, select, textarea')].filter(
    one => one.type !== 'hidden' && one.checkVisibility());
  const groups = new Set();
  return shown.filter(one => one.type !== 'radio' || !groups.has(one.name) && groups.add(one.name)).length;
}"""
_FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  if (!one.matches('a[href], button, input, select, textarea')) return null;
  window.met ??= new Set();
  window.met.add(one.type === 'radio' ? one.name : one);
  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
  return shown ? '' : one.outerHTML.slice(0, 120);
}"""


def test_every_control_is_reached_by_tab_and_shows_that_it_is(browser: Browser, sent: Sent) -> None:
    for known, addresses in ((None, sent.public_addresses()), (sent, sent.addresses())):
        context = open_context(browser, known)
        page = context.new_page()
        for address in addresses:
            page.goto(address)
            controls = page.evaluate(_CONTROLS)
            for _ in range(controls + 20):
                page.keyboard.press("Tab")
                assert not page.evaluate(_FOCUS), address
            assert page.evaluate("window.met.size") == controls, address
        context.close()


def test_a_file_is_put_right_by_keyboard_and_submitted(browser: Browser, sent: Sent, tmp_path: Path) -> None:
    context = open_context(browser, sent)
    page = context.new_page()
    sent.begin(page, tmp_path / "October 2026.csv", WRONG)
    expect(page.get_by_text("11 rows").first).to_be_visible()
    (tmp_path / "right.csv").write_bytes(spend(12))
    tab_to(page, "Your corrected file")
    choose_by_keyboard(page, "Your corrected file", tmp_path / "right.csv")
    tab_to(page, "Check this file instead")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Since your last attempt")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("12 rows").first).to_be_visible()
    check(page)
    tab_to(page, "Submit this file")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have received it")
    check(page)
    context.close()


def test_nothing_to_send_is_said_by_keyboard(browser: Browser, sent: Sent) -> None:
    context = open_context(browser, sent)
    page = context.new_page()
    page.goto(f"{sent.home}/send")
    tab_to(page, "There is nothing to send")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing to send")
    tab_to(page, "There was nothing to report")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Dataset")
    page.keyboard.type("Spend")
    tab_to(page, "Period")
    page.keyboard.type("September 2026")
    tab_to(page, "Why")  # of an exemption, which is not said
    tab_to(page, "Why")
    page.keyboard.press("ArrowDown")
    tab_to(page, "When will you send it?")
    page.keyboard.type(DAY)
    tab_to(page, "Submit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have received it")
    expect(page.get_by_text("September 2026 will be late")).to_be_visible()
    context.close()
