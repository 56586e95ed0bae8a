"""Pages looked at in a real browser: at the width of a phone, by keyboard, printed, without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from describing_world import built, report
from playwright.sync_api import Browser, Page, sync_playwright

from piperoll.describing import report_page

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}
HOME, SERIES = "index.html", "series/spend/anytown/2026-10.html"
PAGES = (
    HOME,
    SERIES,
    "series/spend/anytown/2026-10/v2.html",
    "datasets/spend.html",
    "bodies/anytown.html",
    "report.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "catalogue"
    for key, content in built():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    (folder / "report.html").write_text(report_page(report()), "utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, java_script_enabled=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    yield page
    context.close()


def open_page(page: Page, site: Path, key: str) -> None:
    page.goto((site / key).as_uri())


@pytest.mark.parametrize("key", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(phone: Page, site: Path, key: str) -> None:
    open_page(phone, site, key)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "no style came"


def test_wide_tables_scroll_within_their_own_box(phone: Page, site: Path) -> None:
    open_page(phone, site, SERIES)
    box = phone.locator(".box.rows")
    assert box.evaluate("element => element.scrollWidth > element.clientWidth")
    box.focus()
    phone.keyboard.press("ArrowRight")
    phone.wait_for_function("document.querySelector('.box.rows').scrollLeft > 0")


def stops(page: Page, most: int = 80) -> list[str]:
    """Where the tabulator key leads, in order, by the words of each stop."""
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found.append(str(page.evaluate("document.activeElement.innerText || document.activeElement.tagName")))
    return found


def test_the_keyboard_reaches_the_main_links_and_shows_where_it_is(phone: Page, site: Path) -> None:
    open_page(phone, site, HOME)
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.innerText") == "Skip to main content"
    assert phone.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    reached = stops(phone)
    assert {"Datasets", "Public bodies", "Contracts", "Anytown Borough Council", "Atom"} <= set(reached)
    phone.locator("a", has_text="Contracts").first.focus()
    phone.keyboard.press("Shift+Tab")
    phone.keyboard.press("Tab")
    ground = "getComputedStyle(document.activeElement).backgroundColor"
    assert phone.evaluate(ground) == "rgb(255, 213, 46)", "the focus cannot be seen"


def test_the_skip_link_leads_past_the_head(phone: Page, site: Path) -> None:
    open_page(phone, site, SERIES)
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    assert phone.evaluate("document.activeElement.id") == "main"


def test_a_reader_walks_from_home_to_a_table_by_links_alone(phone: Page, site: Path) -> None:
    open_page(phone, site, HOME)
    phone.get_by_role("link", name="Anytown Borough Council").first.click()
    phone.get_by_role("link", name="October 2026", exact=True).first.click()
    assert phone.get_by_role("heading", level=1).inner_text().endswith("Spending: October 2026")
    phone.get_by_text("Show the other places").first.click()
    assert phone.get_by_text("cell C11").is_visible()


def test_a_hostile_supplier_runs_nothing(phone: Page, site: Path) -> None:
    phone.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    open_page(phone, site, SERIES)
    assert phone.get_by_text("<script>alert('x')</script>").first.is_visible()


def test_everything_reads_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    open_page(page, site, SERIES)
    assert page.get_by_role("table").count() >= 4
    assert page.get_by_role("link", name="spend.csv").is_visible()
    context.close()


# WCAG 2.2, 1.4.3: contrast of text of ordinary size is at least 4.5
CONTRAST = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const a = light(parse(getComputedStyle(element).color)), b = light(ground(element));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push([element.tagName, element.className, element.innerText.slice(0, 40), ratio.toFixed(2)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("key", PAGES)
def test_text_stands_out_from_its_ground(browser: Browser, site: Path, key: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    open_page(page, site, key)
    assert page.evaluate(CONTRAST) == []
    context.close()
