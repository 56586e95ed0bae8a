"""Comparing bodies and the pages of suppliers in a real browser: sort, chart, phone, print, keyboard, search."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from piperoll import layout
from tests.describing.example_site import SIZES, File, Site, contracts, pages_of, published, served, spend

Open = Callable[..., Page]
COMPARE, YEAR = "compare/index.html", "compare/spend/2026-27.html"
COUNCILS, LARGEST = "compare/spend/2026-27/council.html", "compare/spend/2026-27/council-by-amount.html"
MONTHS, SERVICES = "compare/spend/2026-27/council-months.html", "compare/spend/2026-27/council-services.html"
DEPARTMENTS = "compare/spend/2026-27/department.html"
OAK = layout.supplier_page("oakandash").removeprefix(layout.CATALOGUE)
SUPPLIERS = "suppliers/index.html"
PAGES = (COMPARE, YEAR, COUNCILS, LARGEST, MONTHS, SERVICES, DEPARTMENTS, SUPPLIERS, OAK, "bodies/anytown.html")


def brackwater(month: str, count: int) -> bytes:
    """Payments of a council that writes a supplier otherwise."""
    return spend(month, count).replace(b"Oak & Ash Ltd", b"OAK AND ASH LIMITED")


FILES = (
    *(File("spend", "anytown", f"{month}.csv", month, spend(month, 60)) for month in ("2026-07", "2026-08", "2026-09")),
    *(File("spend", "brackwater", f"{month}.csv", month, brackwater(month, 90))
      for month in ("2026-07", "2026-08", "2026-09", "2026-10")),
    File("spend", "bridges", "october.csv", "2026-10", spend("2026-10", 40)),
    File("contracts", "anytown", "contracts.csv", "2026-10", contracts()),
)  # fmt: skip


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of two councils with several months each, and a department with one."""
    store = published(Path(tmp_path_factory.mktemp("compared")), FILES)
    for key, content in pages_of(store):
        store.put(key, content)
    with served(store) as address:
        yield Site(address, store)


def first_cells(page: Page) -> list[str]:
    return page.locator("table.compared tbody th").all_inner_texts()


def test_bodies_of_a_kind_stand_side_by_side(opened: Open, compared: Site) -> None:
    page = opened(compared.page(COMPARE))
    page.get_by_role("link", name="April 2026 to March 2027").last.click()
    page.get_by_role("link", name="Councils", exact=True).click()
    assert first_cells(page) == ["Anytown Borough Council", "Brackwater Council"]
    anytown = page.get_by_role("row", name="Anytown Borough Council").last.inner_text()
    assert "3 of 12" in anytown
    assert "population not known" in anytown
    assert page.locator(".chart .bar").count() == 2
    page.get_by_role("link", name="By pounds a month").click()
    assert first_cells(page) == ["Brackwater Council", "Anytown Borough Council"]


def test_a_body_with_one_month_has_no_monthly_figure(opened: Open, compared: Site) -> None:
    page = opened(compared.page(DEPARTMENTS))
    row = page.get_by_role("row", name="Department of Bridges & Tunnels").last
    expect(row).to_contain_text("not enough: 1 of 12 months")
    expect(page.locator(".lead")).to_contain_text("None has the 3 covered months")
    assert page.locator(".chart").count() == 0


def test_a_month_that_no_table_covers_says_so(opened: Open, compared: Site) -> None:
    page = opened(compared.page(MONTHS))
    cells = page.get_by_role("row", name="Anytown Borough Council").locator("td").all_inner_texts()
    assert [cell.startswith("£") for cell in cells] == [3 <= n <= 5 for n in range(12)]
    assert cells[6] == "not covered"


def test_a_table_is_sorted_by_a_click_and_by_keyboard(opened: Open, compared: Site) -> None:
    page = opened(compared.page(COUNCILS))
    page.get_by_role("button", name="Pounds in all").click()
    assert first_cells(page) == ["Brackwater Council", "Anytown Borough Council"]
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Pounds in all")
    page.get_by_role("button", name="Body").focus()
    page.keyboard.press("Enter")
    assert first_cells(page) == ["Anytown Borough Council", "Brackwater Council"]
    page.keyboard.press("Enter")
    assert first_cells(page) == ["Brackwater Council", "Anytown Borough Council"]
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Body")


def test_the_downloads_have_the_figures_of_the_page(opened: Open, compared: Site) -> None:
    page = opened(compared.page(COUNCILS))
    with page.expect_download() as download:
        page.get_by_role("link", name="These figures (CSV)").click()
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    anytown = next(line for line in lines if line["body"] == "anytown")
    cell = page.get_by_role("row", name="Anytown Borough Council").last.locator("td").nth(1).inner_text()
    assert Decimal(cell.replace("£", "").replace(",", "")) == Decimal(anytown["per_month_gbp"])
    months = sum(Decimal(anytown[month]) for month in ("2026-07", "2026-08", "2026-09"))
    assert months == Decimal(anytown["amount_gbp"])
    found = json.loads(compared.store.read("catalogue/compare/spend/2026-27.json").content)
    assert [one["amount_gbp"] for one in found["bodies"]] == [line["amount_gbp"] for line in lines]


def test_a_service_that_two_councils_name_alike_is_compared(opened: Open, compared: Site) -> None:
    page = opened(compared.page(SERVICES))
    services = page.locator("table.compared tbody tr td:first-child").all_inner_texts()
    assert sorted(services) == sorted(2 * ["Housing", "Waste and Recycling", "Libraries"])


def test_a_supplier_under_two_spellings_has_one_page(opened: Open, compared: Site) -> None:
    page = opened(compared.page("search.html"))
    page.get_by_label("Public bodies, suppliers, datasets and fields").fill("oak ash")
    expect(page.locator("#found .found")).to_have_count(1)
    expect(page.locator("#found")).to_contain_text("Also written Oak & Ash Ltd")
    page.locator("#found .found a").click()
    expect(page.locator("h1")).to_contain_text("OAK AND ASH LIMITED")
    assert first_cells(page)[:1] == ["Brackwater Council"]
    assert set(first_cells(page)[:3]) == {
        "Anytown Borough Council",
        "Brackwater Council",
        "Department of Bridges & Tunnels",
    }
    spellings = page.locator("#spellings-caption").locator("..").locator("tbody th").all_inner_texts()
    assert spellings == ["OAK AND ASH LIMITED", "Oak & Ash Ltd"]
    expect(page.get_by_role("link", name="Works 4", exact=True)).to_be_visible()
    page.get_by_role("row", name="Brackwater Council").get_by_role("link", name="October 2026").click()
    expect(page.locator("#rows-status")).to_contain_text("match.")


def test_the_figures_of_a_supplier_are_those_of_its_json(opened: Open, compared: Site) -> None:
    found = json.loads(compared.store.read(layout.supplier_figures("oak")).content)["suppliers"]["oakandash"]
    by_body = [Decimal(year["amount_gbp"]) for years in found["bodies"].values() for year in years.values()]
    assert sum(by_body) == Decimal(found["amount_gbp"])
    page = opened(compared.page(OAK))
    expect(page.locator(".lead")).to_contain_text(f"£{Decimal(found['amount_gbp']):,}")
    assert len(found["contracts"]) == page.locator("#contracts-caption").locator("..").locator("tbody tr").count()


@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_on_pages_that_compare(opened: Open, compared: Site, size: str, scheme: str) -> None:
    page = opened("about:blank", size, color_scheme=scheme, bypass_csp=True)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = {}
    for key in PAGES:
        page.goto(compared.page(key))
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
        found[key] = [(one["id"], one["nodes"][0]["target"]) for one in result.response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], key
    assert found == {key: [] for key in PAGES}


def test_pages_that_compare_print_and_read_without_javascript(opened: Open, compared: Site) -> None:
    page = opened(compared.page(COUNCILS), java_script_enabled=False)
    assert first_cells(page) == ["Anytown Borough Council", "Brackwater Council"]
    assert page.locator("table.compared button").count() == 0
    page.emulate_media(media="print")
    assert page.get_by_role("navigation", name="Other views of these bodies").is_hidden()
    assert page.get_by_role("row", name="Brackwater Council").last.is_visible()


def test_every_page_that_compares_is_under_120_kb(compared: Site) -> None:
    pages = [key for key in compared.files(".html") if key.startswith(("compare/", "suppliers/", "index"))]
    assert len(pages) > 15
    assert [key for key in pages if len(compared.store.read(f"catalogue/{key}").content) > 120_000] == []
