"""Pages of measures, profiles and questions in a real browser: axe, phone, print, keyboard, search, no JavaScript."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from piperoll import assets
from piperoll.describing.context import CatalogueContext
from piperoll.model import Body, Register
from piperoll.operations.catalogue.build import build_from_store
from publishers import FolderStore
from tests.describing.example_measures import ON, publish_examples
from tests.describing.example_site import SIZES, Site, served

Open = Callable[..., Page]
NAMES = ["Ashby", "Brook", "Corley", "Dunham", "Elmsby", "Fairton", "Gorse", "Hatton", "Inchby"]
BODIES = tuple(
    Body(f"gss:E0700{number:04}", f"{name.lower()}-borough", f"{name} Borough", "council")
    for number, name in enumerate(NAMES)
)
MEASURE, INDEX, QUESTIONS = "measures/public-value-index.html", "measures/index.html", "questions.html"
LIST, ITEMS = (
    "measures/public-value-index/2026-27/council-pvi-total.html",
    "measures/public-value-index/2026-27/council-by-function.html",
)
PROFILE, WITHHELD = "bodies/ashby-borough/profile.html", "bodies/brook-borough/profile.html"
PAGES = (MEASURE, INDEX, QUESTIONS, LIST, ITEMS, PROFILE, WITHHELD, "index.html", "bodies/ashby-borough.html")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of nine councils with three made-up measures."""
    folder = Path(tmp_path_factory.mktemp("measured"))
    store, register = FolderStore(folder / "store"), Register(BODIES)
    publish_examples(store, [body.slug for body in BODIES])
    context = CatalogueContext(assets.datasets(), "http://localhost:8000/", "Open Counties", ON, register, register)
    build_from_store(store, context, folder)
    with served(store) as address:
        yield Site(address, store)


@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_on_pages_of_measures(opened: Open, measured: Site, size: str, scheme: str) -> None:
    page = opened("about:blank", size, color_scheme=scheme, bypass_csp=True)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = {}
    for key in PAGES:
        page.goto(measured.page(key))
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
        found[key] = [(one["id"], one["nodes"][0]["target"]) for one in result.response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], key
    assert found == {key: [] for key in PAGES}


def test_a_measure_is_read_without_javascript_and_on_paper(opened: Open, measured: Site) -> None:
    page = opened(measured.page(MEASURE), java_script_enabled=False)
    expect(page.locator("h1")).to_contain_text("How much of the money reaches the front line?")
    row = page.get_by_role("row", name="Brook Borough")
    expect(row).to_contain_text("Withheld")
    expect(row).to_contain_text("60 % are needed")
    page.emulate_media(media="print")
    assert row.is_visible()
    assert page.locator("#chart-council svg").is_visible()
    assert page.locator(".masthead nav").is_hidden()


def test_the_picture_shows_bounds_and_the_band_of_the_peers(opened: Open, measured: Site) -> None:
    page = opened(measured.page(MEASURE))
    chart = page.locator("#chart-council")
    assert chart.locator(".range").count() == 8
    assert chart.locator(".track.none").count() == 1, "the withheld figure has a line of its own"
    band, whole = (chart.locator(name).bounding_box() for name in (".band", "svg"))
    assert band is not None and whole is not None
    assert abs((band["x"] - whole["x"]) / whole["width"] - 0.6) < 0.01
    assert abs(band["width"] / whole["width"] - 0.2) < 0.01
    names = chart.locator(".label").all_text_contents()
    assert names == sorted(names), "bodies are listed by name"


def test_words_of_a_picture_stay_inside_it_on_a_phone(opened: Open, measured: Site) -> None:
    for key in (MEASURE, PROFILE):
        page = opened(measured.page(key), "phone")
        wide = page.locator(".chart text").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.textContent)"
        )
        assert wide == []


def test_a_profile_is_reached_from_the_body_by_keyboard(opened: Open, measured: Site) -> None:
    page = opened(measured.page("bodies/ashby-borough.html"))
    page.get_by_role("link", name="Profile of Ashby Borough").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Ashby Borough")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Contracts").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#contracts")
    page.get_by_role("link", name="How much of the money reaches the front line?").click()
    expect(page.locator("h1")).to_contain_text("How much of the money")


def test_every_link_of_a_page_of_measures_leads_somewhere(opened: Open, measured: Site) -> None:
    page = opened(measured.page(MEASURE))
    for key in (MEASURE, INDEX, LIST, ITEMS, PROFILE, WITHHELD, QUESTIONS):
        page.goto(measured.page(key))
        links = page.locator("main a").evaluate_all("all => all.map(one => one.href.split('#')[0])")
        for link in sorted({link for link in links if link.startswith(measured.address)}):
            assert page.request.get(link).ok, (key, link)


def test_every_anchor_of_a_page_of_measures_is_there(opened: Open, measured: Site) -> None:
    page = opened(measured.page(LIST))
    page.get_by_role("row", name="Corley Borough").get_by_role("link").click()
    assert page.locator("#public-value-index").is_visible()
    for key in (PROFILE, WITHHELD, MEASURE):
        page.goto(measured.page(key))
        missing = page.locator("main a[href^='#']").evaluate_all(
            "all => all.map(one => one.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))"
        )
        assert missing == []


def test_a_measure_is_found_by_search(opened: Open, measured: Site) -> None:
    page = opened(measured.page("search.html"))
    page.get_by_label("Public bodies, suppliers, datasets and fields").fill("front line")
    page.locator("#found").get_by_role("link", name="Public Value Index").click()
    expect(page.locator("h1")).to_contain_text("How much of the money reaches the front line?")


def test_a_question_without_an_answer_says_who_would_have_to_publish_it(opened: Open, measured: Site) -> None:
    page = opened(measured.page(QUESTIONS))
    assert page.locator("main h2").count() == 11
    waiting = page.locator("dd", has_text="Waiting times and backlogs")
    expect(waiting).to_contain_text("Who would have to publish it: The body that runs the service.")


def test_every_page_of_measures_is_under_120_kb(measured: Site) -> None:
    sizes = {key: len(measured.store.read(f"catalogue/{key}").content) for key in measured.files(".html")}
    assert [key for key, size in sizes.items() if size > 120_000] == []
