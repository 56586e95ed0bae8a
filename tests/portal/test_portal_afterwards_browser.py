"""The portal after sending, in a real browser: by keyboard alone, on a phone, without scripts, and by axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from piperoll.operations.reader_reports import report_table
from piperoll.operations.withdrawing import ask_to_withdraw
from tests.fixtures.portal_server import ServedPortal, serve_portal
from tests.fixtures.waiting import eventually
from tests.operations.inbox import spend
from tests.operations.test_operations_standing import NAME, OCTOBER, Place, with_name

OTHER = "Oswin Thimblewick"
PHONE = {"width": 360, "height": 740}
NOW = "2026-11-28T09:00:00Z"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Anytown has two held names and a short file, a reader's report, and asks to withdraw a table."""
    made = Place(tmp_path_factory.mktemp("portal"))
    made.send("anytown/August 2026.csv", spend(40, month="08/2026"))
    made.send("anytown/October 2026.csv", with_name(NAME, OTHER))
    made.send("anytown/August 2026 short.csv", spend(10, month="08/2026"))
    report_table(made.store, OCTOBER, "wrong", "Is the third line in pence?", moment=NOW)
    return made


@pytest.fixture(scope="module")
def served(place: Place) -> Iterator[ServedPortal]:
    with serve_portal(Path(place.to), "anytown") as portal:
        yield portal


def sign_in(context: BrowserContext, served: ServedPortal) -> Page:
    """A page of someone who opened the one-time address and confirmed it."""
    page = context.new_page()
    page.goto(served.sign_in_address())
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


@pytest.fixture
def context(browser: Browser, served: ServedPortal) -> Iterator[BrowserContext]:
    """A phone without scripts that is signed in; axe is a script, so the policy is bypassed for it."""
    made = browser.new_context(viewport=PHONE, bypass_csp=True)  # type: ignore[arg-type]
    sign_in(made, served)
    yield made
    made.close()


def check(page: Page) -> None:
    """The page fits a phone, is accessible, and every control is large enough for a finger."""
    fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert fits, page.url
    results = Axe().run(page)
    assert results.violations_count == 0, f"{page.url}: {results.generate_report()}"
    small = page.locator("main .button, main select, main .choice, main textarea").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML.slice(0, 80))"
    )
    assert small == [], page.url


PAGES = ("", "submissions/", "questions/", "standing", "replies/")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_accessible_on_a_phone(
    browser: Browser, served: ServedPortal, place: Place, colours: str
) -> None:
    made = browser.new_context(viewport=PHONE, bypass_csp=True, color_scheme=colours)  # type: ignore[arg-type]
    page = sign_in(made, served)
    sent = [file.submission.sha256[:12] for file in _standing(place).files]
    addresses = [f"bodies/anytown/{name}" for name in PAGES]
    addresses += [f"bodies/anytown/submissions/{reference}" for reference in sent]
    addresses += ["operator/queue", "operator/calendar?since=2026-01-01", f"report/{OCTOBER}"]
    for address in addresses:
        answer = page.goto(f"{served.address}{address}")
        assert answer is not None and answer.status == 200, address
        assert page.url == f"{served.address}{address}"
        check(page)
    made.close()


def _standing(place: Place):  # type: ignore[no-untyped-def]
    from piperoll.operations.standing import read_standing  # noqa: PLC0415 - only here

    return read_standing(place.index(), "anytown")


def tab_to(page: Page, what: str) -> None:
    """Press Tab until the focused control has this accessible text, as someone without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "() => { const one = document.activeElement; const label = one.labels && one.labels[0];"
            " if (!one.matches('a, button, input, select, textarea')) return '';"
            " return (label ? label.innerText : one.innerText) || ''; }"
        )
        if what in words:
            return
    raise AssertionError(f"no Tab leads to '{what}'")


def test_an_officer_answers_by_keyboard_and_sees_the_row_published(
    browser: Browser, served: ServedPortal, place: Place
) -> None:
    made = browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    sign_in(made, served)
    keyboard = browser.new_context(viewport=PHONE, storage_state=made.storage_state())  # type: ignore[arg-type]
    page = keyboard.new_page()
    page.goto(f"{served.address}bodies/anytown/")
    tab_to(page, "2 held names")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Questions")
    tab_to(page, "A business")
    page.keyboard.press("Space")
    tab_to(page, "A business")
    page.keyboard.press("Space")
    tab_to(page, "Why")
    page.keyboard.type("Both are firms, by our register of suppliers")
    tab_to(page, "Keep these answers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("examined again now")
    eventually(lambda: {NAME, OTHER} <= set(place.names()), "the rows are published")
    eventually(lambda: page.reload() and not page.get_by_text(OTHER).count(), "the question is gone")
    made.close()
    keyboard.close()


def test_an_operator_answers_in_bulk_and_sees_it_gone(
    context: BrowserContext, served: ServedPortal, place: Place
) -> None:
    ask_to_withdraw(place.store, OCTOBER, 1, because="A draft", personal_data=False, by="p-1", moment=NOW)
    page = context.new_page()
    page.goto(f"{served.address}operator/queue?kind=withdrawal")
    page.get_by_role("checkbox", name=re.compile("A draft")).check()
    page.get_by_role("radio", name=re.compile("Leave it published")).check()
    page.get_by_role("textbox", name="Why").fill("The table is right")
    page.get_by_role("button", name="Answer what is chosen").click()
    expect(page.get_by_role("status")).to_contain_text("1 answered")
    check(page)
    page.goto(f"{served.address}operator/queue?kind=withdrawal")
    expect(page.get_by_text("Nothing waits for a decision.")).to_be_visible()


def test_an_error_is_named_above_the_form(context: BrowserContext, served: ServedPortal) -> None:
    page = context.new_page()
    page.goto(f"{served.address}bodies/anytown/replies/")
    page.get_by_text("I have the figure_id").click()
    check(page)
    page.get_by_role("textbox").fill("nonsense")
    page.get_by_role("button", name="Show this figure").click()
    expect(page.get_by_role("alert")).to_contain_text("16 letters and digits")
    expect(page).to_have_title(re.compile("^Error: "))
    check(page)


def test_a_reader_reports_without_signing_in(browser: Browser, served: ServedPortal) -> None:
    made = browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    page = made.new_page()
    page.goto(f"{served.address}report/{OCTOBER}")
    page.get_by_role("radio", name="Something is unclear").check()
    page.get_by_label("What you found").fill("What does Estates mean here?")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    made.close()
