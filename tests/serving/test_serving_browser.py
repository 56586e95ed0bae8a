"""The page to check a file, in a real browser: by keyboard, on a phone, without JavaScript."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.file_chooser import choose_by_keyboard
from tests.serving.published_place import BAD, Served

PHONE = {"width": 360, "height": 740}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_user_checks_a_file_and_saves_the_report(browser: Browser, api: Served, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts, viewport=PHONE, accept_downloads=True)  # type: ignore[arg-type]
    page, messages = context.new_page(), []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"{api.address}/check")
    file = {"name": "October 2026.csv", "mimeType": "text/csv", "buffer": BAD}
    page.get_by_label("Your file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_label("What it is about").select_option("spend")
    page.get_by_role("button", name="Check the file").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("October 2026.csv")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save this report").click()
    kept = Path(download.value.path()).read_text("utf-8")
    assert download.value.suggested_filename == "report-October-2026.html"
    assert (
        kept
        in b64decode(page.get_by_role("link", name="Save this report").get_attribute("href").split(",")[1]).decode()
    )  # type: ignore[union-attr]
    assert messages == []
    context.close()


def test_both_pages_are_accessible(browser: Browser, api: Served) -> None:
    page = browser.new_page(viewport=PHONE, bypass_csp=True)  # type: ignore[arg-type]  # axe is a script
    page.goto(f"{api.address}/check")
    assert fits(page)
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Your file").set_input_files(
        {"name": "October.csv", "mimeType": "text/csv", "buffer": BAD}  # type: ignore[arg-type]
    )
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("link", name="Save this report")).to_be_visible(timeout=60_000)
    assert fits(page)
    assert Axe().run(page).violations_count == 0
    page.close()


CONTROLS = "main a, main button, main input, main select, .skip"


def sizes(page: Page) -> list[tuple[str, float]]:
    """The height of each control that a finger can reach; the skip link is visible only while it is focused."""
    found: list[tuple[str, float]] = page.locator(CONTROLS).evaluate_all(
        "all => all.filter(one => !one.matches('.skip')).map(one => [one.outerHTML.slice(0, 80), "
        "one.getBoundingClientRect().height])"
    )
    return found


def test_every_control_of_the_page_is_large_enough_for_a_finger(browser: Browser, api: Served) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(f"{api.address}/check")
    assert {control: height for control, height in sizes(page) if height < 44} == {}
    page.close()


def test_the_whole_journey_needs_only_a_keyboard(browser: Browser, api: Served) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{api.address}/check")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your file")).to_be_focused()
    choose_by_keyboard(page, "Your file", {"name": "October 2026.csv", "mimeType": "text/csv", "buffer": BAD})
    page.keyboard.press("Tab")
    expect(page.get_by_label("What it is about")).to_be_focused()
    page.keyboard.type("Spend")
    page.keyboard.press("Tab")
    page.keyboard.type("October 2026")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your public body")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Council")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check the file")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("October 2026.csv")
    expect(page.get_by_text("Council", exact=False).first).to_be_visible()
    context.close()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_an_error_is_an_accessible_page_with_a_way_back(browser: Browser, api: Served, colours: str) -> None:
    context = browser.new_context(viewport=PHONE, bypass_csp=True, color_scheme=colours)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{api.address}/check")
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Your file").set_input_files(
        {"name": "October.csv", "mimeType": "text/csv", "buffer": BAD}  # type: ignore[arg-type]
    )
    page.get_by_label("The period it covers").fill("last month")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible(timeout=60_000)
    assert fits(page)
    assert Axe().run(page).violations_count == 0
    assert {control: height for control, height in sizes(page) if height < 44} == {}
    page.get_by_role("link", name="Choose a file again").click()
    expect(page.get_by_label("Your file")).to_be_visible()
    context.close()
