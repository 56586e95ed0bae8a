"""The site in a real browser: search, rows, charts, keyboard, phone, print, and without JavaScript."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from piperoll import assets, layout
from piperoll.describing.charts import PHONE, fit_label, rows_link
from piperoll.describing.release_summary import Bar, read_summary
from piperoll.describing.wording import format_pounds
from piperoll.model import Series
from publishers import read_listing
from tests.describing.example_site import FORMULA, HOSTILE, LARGE, SIZES, Site, with_summary
from tests.fixtures.http_server import LocalServer, QuietHandler

Open = Callable[..., Page]
HOME, SEARCH, BODIES = "index.html", "search.html", "bodies/index.html"
SERIES, VERSION = "series/spend/anytown/2026-10.html", "series/spend/anytown/2026-10/v2.html"
ROLES, CONTRACTS = "series/roles/anytown/2026-09-30.html", "series/contracts/anytown/2026-10.html"
SERVICES = "series/transactions/bridges/2026-Q3.html"
PAGES = (
    *(HOME, SEARCH, BODIES, SERIES, VERSION, ROLES, CONTRACTS, SERVICES),
    *("datasets/spend.html", "bodies/anytown.html", "bodies/bridges.html", "report.html"),
    *("download.html", "bodies-by/council/all.html"),
)
PUBLISHED = LARGE - 1
"""One row of October is held: its amount cannot be read."""


def rows_shown(page: Page) -> list[list[str]]:
    return [line.locator("td").all_inner_texts() for line in page.locator("#rows-table tbody tr").all()]


def columns_shown(page: Page) -> list[str]:
    names: list[str] = page.locator("#rows-table thead th").evaluate_all("all => all.map(one => one.dataset.field)")
    return names


def pounds(cell: str) -> Decimal:
    """The amount that a cell shows: -£1,234.50."""
    assert "£" in cell, "pounds are shown as pounds"
    return Decimal(cell.replace("£", "").replace(",", ""))


def published_rows(site: Site, key: str) -> list[dict[str, str]]:
    """The rows of the current version of the series on a page."""
    series = Series.parse(key.removeprefix("series/").removesuffix(".html"))
    current = read_listing(site.store, series).history.current_version
    assert current is not None
    content = site.store.read(layout.release_file(series, current, f"{series.dataset}.csv")).content.decode()
    return list(csv.DictReader(io.StringIO(content, newline="")))


def status(page: Page, words: str) -> None:
    expect(page.locator("#rows-status")).to_have_text(words)


def named(page: Page, column: str) -> list[str]:
    place = columns_shown(page).index(column)
    return [row[place] for row in rows_shown(page)]


# ---- search


def search(page: Page, words: str) -> list[str]:
    page.get_by_label("Public bodies, suppliers, datasets and fields").fill(words)
    expect(page.locator("#search-status")).to_contain_text(f"“{words}”")
    return page.locator("#found .found").all_inner_texts()


def test_search_finds_bodies_suppliers_datasets_and_fields(opened: Open, site: Site) -> None:
    page = opened(site.page(SEARCH))
    assert search(page, "anyt") == ["Anytown Borough Council"]
    assert search(page, "GB-LAE-BRW") == ["Brackwater Council"]
    assert search(page, "northern li") == ["Northern Lights plc"]
    assert search(page, "spending")[0] == "Spending"
    assert "Supplier: company number" in search(page, "company number")
    assert search(page, "ymir cafe") == ["Ÿmir Café"]
    assert search(page, "zzzz") == []
    expect(page.locator("#search-status")).to_contain_text("There are no results")


def test_a_supplier_found_links_to_its_rows(opened: Open, site: Site) -> None:
    page = opened(site.page(HOME))
    page.get_by_label("Find a public body, a supplier, a dataset or a field").fill("oak ash")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Spending, October 2026").first.click()
    expect(page.locator("#rows-status")).to_contain_text("match.")
    assert set(named(page, "supplier_name")) == {"Oak & Ash Ltd"}


# ---- the rows, asked in place


def test_the_rows_are_sorted_filtered_and_paged_in_place(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    page.get_by_role("button", name=f"page through all {PUBLISHED} rows").click()
    status(page, f"All {PUBLISHED} rows.")
    page.locator("[data-sort=net_amount]").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Amount")
    amounts = [pounds(cell) for cell in named(page, "net_amount")]
    assert amounts == sorted(amounts, reverse=True), "the largest first"
    page.locator("[data-sort=net_amount]").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Amount")
    assert pounds(named(page, "net_amount")[0]) < 0
    page.get_by_label("Column").select_option("org_unit")
    page.get_by_label("Condition").select_option("is")
    page.get_by_label("Value").fill("Housing")
    page.get_by_role("button", name="Filter", exact=True).click()
    status(page, f"50 rows of {PUBLISHED} match.")
    assert len(rows_shown(page)) == 25
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("#rows-page")).to_have_text("Page 2 of 2")
    page.go_back()
    expect(page.locator("#rows-page")).to_have_text("Page 1 of 2")
    page.get_by_role("button", name="Department, directorate or service is Housing").click()
    status(page, f"All {PUBLISHED} rows.")


def test_the_rows_begin_with_date_supplier_amount_and_purpose(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    first = ["payment_date", "supplier_name", "net_amount", "purpose"]
    assert columns_shown(page)[:4] == first
    headings = ["Payment date", "Supplier", "Amount", "Purpose"]
    assert page.locator("#rows-table thead th").all_inner_texts()[:4] == headings
    assert all("£" in cell for cell in named(page, "net_amount"))
    before = rows_shown(page)
    page.locator("#rows-open").click()
    status(page, f"All {PUBLISHED} rows.")
    assert columns_shown(page)[:4] == first
    assert rows_shown(page)[: len(before)] == before, "the script shows cells as the page does"


def sum_of(rows: list[dict[str, str]]) -> str:
    return f"Sum of Amount: {format_pounds(sum((Decimal(row['net_amount']) for row in rows), Decimal(0)))}"


def test_the_rows_that_match_are_added_up_to_the_penny(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    rows = published_rows(site, SERIES)
    page.locator("#rows-open").click()
    expect(page.locator("#rows-sum")).to_have_text(sum_of(rows))
    page.get_by_label("Value").fill("oak")
    page.get_by_role("button", name="Filter", exact=True).click()
    matching = [row for row in rows if "oak" in row["supplier_name"].lower()]
    expect(page.locator("#rows-sum")).to_have_text(sum_of(matching))
    page.goto(site.page(SERIES) + "?net_amount=to.0#rows")
    credited = [row for row in rows if Decimal(row["net_amount"]) <= 0]
    expect(page.locator("#rows-sum")).to_have_text(sum_of(credited))
    assert "-£" in sum_of(credited)
    page.goto(site.page(SERIES) + "?supplier_name=is.Nobody#rows")
    status(page, f"0 rows of {PUBLISHED} match.")
    assert page.locator("#rows-sum").inner_text() == ""


def test_the_rows_of_all_spellings_of_a_supplier_are_found_together(opened: Open, site: Site) -> None:
    rows = published_rows(site, SERIES)
    names = sorted({row["supplier_name"] for row in rows if row["supplier_name"]})[:2]
    asked = urlencode([("supplier_name", f"is.{name}") for name in names])
    page = opened(f"{site.page(SERIES)}?{asked}#rows")
    matching = [row for row in rows if row["supplier_name"] in names]
    expect(page.locator("#rows-sum")).to_have_text(sum_of(matching))


def test_the_parquet_is_fetched_in_parts_and_only_when_needed(opened: Open, site: Site) -> None:
    asked: list[str] = []
    page = opened("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.page(SERIES), wait_until="networkidle")
    assert not [url for url in asked if "vendor" in url or "parquet" in url]
    page.locator("#rows-open").click()
    status(page, f"All {PUBLISHED} rows.")
    parts = [request for request in asked if request.endswith("spend.parquet")]
    assert parts, "the file is read"
    assert all(url.startswith(site.address) for url in asked), "nothing comes from elsewhere"


def bars(site: Site, series: str) -> list[Bar]:
    summary = read_summary(with_summary(site.store, read_listing(site.store, Series.parse(series))))
    return [bar for chart in summary.charts for bar in chart.bars if bar.rows]


@pytest.mark.parametrize("key", [SERIES, CONTRACTS, ROLES, SERVICES])
def test_each_figure_of_a_chart_links_to_the_rows_it_counts(opened: Open, site: Site, key: str) -> None:
    page = opened(site.page(key))
    links = page.locator(".chart a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    figures = bars(site, key.removeprefix("series/").removesuffix(".html"))
    for bar in figures[:: max(1, len(figures) // 12)]:
        assert rows_link(bar) in links or len(figures) == 1
        page.goto(site.page(key) + rows_link(bar))
        words = "1 row" if bar.rows == 1 else f"{bar.rows} rows"
        expect(page.locator("#rows-status")).to_contain_text(words)


def test_a_chart_is_one_stop_for_the_keyboard(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    for chart in page.locator(".chart").all():
        stops = chart.evaluate(
            "chart => [...chart.querySelectorAll('a, summary, [tabindex]')]"
            ".filter(one => one.tabIndex >= 0 && one.checkVisibility({ contentVisibilityAuto: true }))"
            ".filter(one => !one.closest('details:not([open])') || one.tagName === 'SUMMARY')"
            ".map(one => one.tagName)"
        )
        apart = chart.locator("figcaption ~ p a").count()
        assert stops.count("SUMMARY") == 1 and len(stops) == 1 + apart


def test_labels_do_not_run_over_figures_on_a_phone(opened: Open, site: Site) -> None:
    names = (
        "WWW MMM LIMITED AND SONS OF MANY COUNTIES",
        "Illicit illness",
        "GRÜßE AUS ÄÖÜ GESELLSCHAFT",
        "日本語の会社名",
    )
    page = opened(site.page(SERIES), "phone")
    for width in SIZES.values():
        page.set_viewport_size(width)  # type: ignore[arg-type]
        overlaps = page.locator(".chart svg a").evaluate_all(
            """all => all.map(bar => {
              const [label, value] = ['.label', '.value'].map(name => [...bar.querySelectorAll(name)]
                .find(one => getComputedStyle(one).display !== 'none'))
              return label && value && label.getBoundingClientRect().right > value.getBoundingClientRect().left
                ? label.textContent : null
            }).filter(Boolean)"""
        )
        assert overlaps == []
    page.set_viewport_size(SIZES["phone"])  # type: ignore[arg-type]
    for name in names:
        for figure in ("£1.00", "-£12,345,678,901.23"):
            lengths = page.locator(".chart svg .label").first.evaluate(
                """(one, [label, figure]) => [['label', label], ['value', figure]].map(([name, words]) => {
                  const made = document.createElementNS('http://www.w3.org/2000/svg', 'text')
                  made.setAttribute('class', name)
                  made.textContent = words
                  one.parentNode.append(made)
                  return made.getComputedTextLength()
                })""",
                [fit_label(name, figure, PHONE), figure],
            )
            assert sum(lengths) < 320 - 8 or len(fit_label(name, figure, PHONE)) <= 9, (name, figure)


def saved(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows (CSV)").click()
    return Path(download.value.path()).read_bytes().decode()


@pytest.mark.parametrize("key", [SERIES, CONTRACTS, ROLES, SERVICES])
def test_all_rows_saved_are_the_published_csv_byte_for_byte(opened: Open, site: Site, key: str) -> None:
    page = opened(site.page(key) + "?rows=all#rows")
    expect(page.locator("#rows-status")).to_contain_text("All ")
    series = Series.parse(key.removeprefix("series/").removesuffix(".html"))
    standing = read_listing(site.store, series).history.current_version
    assert standing is not None
    csv_key = f"{layout.version_folder(series, standing)}{series.dataset}.csv"
    assert saved(page) == site.store.read(csv_key).content.decode()


def test_the_rows_found_are_saved_with_every_column(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES) + "?supplier_name=is.Quill%20Stationery%20Ltd&sort=-net_amount#rows")
    expect(page.locator("#rows-status")).to_contain_text("match.")
    rows = list(csv.DictReader(io.StringIO(saved(page), newline="")))
    assert {row["supplier_name"] for row in rows} == {"Quill Stationery Ltd"}
    assert len(rows[0]) == len(assets.dataset("spend").fields)
    amounts = [float(row["net_amount"]) for row in rows]
    assert amounts == sorted(amounts, reverse=True)


class _FileHandler(QuietHandler, SimpleHTTPRequestHandler):
    """Serves files as the standard library does, without logging."""


@pytest.fixture
def without_parts(site: Site) -> Iterator[str]:
    """The same files from a server without range requests: the one in the standard library."""
    handler = partial(_FileHandler, directory=str(site.store._root))
    with LocalServer(handler) as server:
        yield f"{server.address}/catalogue/"


def test_without_range_requests_the_page_keeps_the_first_rows_and_says_so(opened: Open, without_parts: str) -> None:
    page = opened(without_parts + SERIES)
    before = rows_shown(page)
    page.locator("#rows-open").click()
    expect(page.locator("#rows-status")).to_contain_text("The first rows are shown below")
    assert rows_shown(page) == before


# ---- versions


def test_a_version_says_what_it_changed_and_offers_the_rows(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    page.get_by_role("link", name="Version 2").click()
    table = page.get_by_role("table", name="What changed against version 1")
    expect(table.get_by_role("row", name="Corrected")).to_contain_text("1")
    expect(table.get_by_role("row", name="Corrected")).to_contain_text("+£5.00")
    with page.expect_download() as download:
        page.get_by_role("link", name="The rows that differ").click()
    assert b"net_amount" in Path(download.value.path()).read_bytes()


# ---- hostile words


def test_hostile_names_are_shown_as_text_everywhere(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    assert page.get_by_text(HOSTILE).count() > 0
    page.locator("#rows-open").click()
    status(page, f"All {PUBLISHED} rows.")
    assert HOSTILE in named(page, "supplier_name")
    assert FORMULA in named(page, "supplier_name")
    page.get_by_label("Value").fill(HOSTILE)
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("button", name=f"Supplier contains {HOSTILE}")).to_be_visible()
    page.goto(site.page(SEARCH) + "?q=onerror")
    expect(page.locator("#found .found")).to_have_text([HOSTILE])
    assert page.locator("img").count() == 0


def test_nothing_written_into_a_page_runs(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.goto(site.page(HOME))
    blocked = page.evaluate(
        """() => new Promise(done => {
          addEventListener('securitypolicyviolation', event => done(event.effectiveDirective))
          const script = document.createElement('script')
          try { script.textContent = 'window.ran = true' } catch (error) { done(String(error)); return }
          document.body.append(script)
        })"""
    )
    assert "script" in blocked or "TrustedScript" in blocked
    assert page.evaluate("window.ran") is None
    page.close()


# ---- keyboard


def test_rows_can_be_filtered_by_keyboard_alone(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "rows-open":
            break
    page.keyboard.press("Enter")
    status(page, f"All {PUBLISHED} rows.")
    expect(page.locator("#filter-field")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("café")
    page.keyboard.press("Enter")
    expect(page.locator("#rows-status")).to_contain_text("match.")
    page.get_by_role("button", name="Payment date").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Payment date")
    expect(page.get_by_role("button", name="Payment date")).to_be_focused()


def test_the_keyboard_goes_through_a_page_without_a_trap_and_shows_where_it_is(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
              const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect()
              const shown = style.outlineStyle !== 'none' || style.boxShadow !== 'none'
              return [it.tagName, shown, box.width > 0 && box.height > 0]
            }"""
        )
        if focus[0] == "BODY":
            break
        seen.append(focus)
    assert focus[0] == "BODY", "the tabulator key comes to the end of the page"
    assert len(seen) > 30
    assert [one for one in seen if not one[1] or not one[2]] == []


# ---- phone, print, no JavaScript


def test_no_page_scrolls_sideways_on_a_phone(opened: Open, site: Site) -> None:
    page = opened("about:blank", "phone")
    for key in PAGES:
        page.goto(site.page(key))
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"], key


def test_rows_can_be_filtered_on_a_phone(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES) + "?supplier_name=has.oak#rows", "phone", has_touch=True)
    expect(page.locator("#rows-status")).to_contain_text("match.")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"]
    box = page.locator(".box.rows")
    assert box.evaluate("element => element.scrollWidth > element.clientWidth"), "the table scrolls in its own box"


def test_everything_reads_without_javascript(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES), java_script_enabled=False)
    assert len(page.locator("#rows-table tbody tr").all()) == 10
    assert page.locator("#explorer").is_hidden()
    assert page.locator("#rows-open").is_hidden()
    assert page.get_by_role("link", name="spend-anytown-2026-10-v2.csv").is_visible()
    assert page.locator(".chart .bar").count() > 30
    page.get_by_text("the figures as a table").first.click()
    assert page.get_by_role("link", name="1 October 2026", exact=True).last.is_visible()
    page.goto(site.page(SEARCH) + "?q=oak")
    assert page.get_by_text("Search works in your browser and needs JavaScript").is_visible()
    page.get_by_role("link", name="All public bodies").first.click()
    page.get_by_role("link", name="Anytown Borough Council").click()
    assert page.get_by_role("heading", level=1).inner_text().endswith("Anytown Borough Council")


def test_a_printed_page_has_the_figures_and_no_controls(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES))
    page.emulate_media(media="print")
    assert page.locator("#table-suppliers").is_visible(), "the table beneath a chart is open in print"
    assert page.locator("#rows-open").is_hidden()
    assert page.get_by_role("search").is_hidden()


def test_print_cuts_no_figure(opened: Open, site: Site) -> None:
    page = opened("about:blank")
    page.set_viewport_size({"width": 700, "height": 1000})
    page.emulate_media(media="print")
    for key in (SERIES, HOME, CONTRACTS, "bodies/anytown.html", "datasets/spend.html"):
        page.goto(site.page(key))
        cut = page.locator(".pounds, .count, .value").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().right > 701).map(one => one.textContent)"
        )
        assert cut == [], key


def test_the_figures_of_a_page_leave_no_empty_cell(opened: Open, site: Site) -> None:
    page = opened(site.page(HOME))
    for width in (360, 700, 900, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        gaps = page.locator("dl.figures").evaluate_all(
            """all => all.flatMap(list => {
              const edge = list.getBoundingClientRect().right, rows = new Map()
              for (const cell of list.children) {
                const box = cell.getBoundingClientRect()
                rows.set(box.top, Math.max(rows.get(box.top) ?? 0, box.right))
              }
              return [...rows.values()].filter(right => edge - right > 3)
            })"""
        )
        assert gaps == [], width


# ---- lists of bodies


def test_bodies_are_filtered_by_kind_and_region_without_a_script(opened: Open, site: Site) -> None:
    page = opened(site.page(BODIES), java_script_enabled=False)
    listed = page.locator("#bodies-caption").locator("..").locator("tbody th")
    assert len(listed.all()) == 3
    page.get_by_role("navigation", name="Kind of body").get_by_role("link", name="Councils").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Councils"
    assert len(listed.all()) == 2
    page.get_by_role("navigation", name="Region").get_by_role("link", name="London").click()
    assert listed.all_inner_texts() == ["Brackwater Council"]
    page.get_by_role("navigation", name="Kind of body").get_by_role("link", name="All kinds").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Public bodies: London"


def test_the_map_leads_to_a_region_and_its_list_does_too(opened: Open, site: Site) -> None:
    page = opened(site.page(BODIES))
    table = page.get_by_role("table", name="Bodies by region")
    assert table.get_by_role("row", name="London").locator("td").all_inner_texts() == ["1", "1"]
    assert page.locator("svg.map [tabindex='0'], svg.map a:not([tabindex])").count() == 0
    page.locator("svg.map a").filter(has_text="London").click()
    expect(page).to_have_url(re.compile("bodies-by/all/london.html"))
    page.go_back()
    table.get_by_role("link", name="London").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("bodies-by/all/london.html"))


# ---- accessibility


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_axe_finds_no_fault_on_any_page(opened: Open, site: Site, size: str, scheme: str) -> None:
    """Every page in light mode; in dark mode, the rules that colours and sizes can break."""
    page = opened("about:blank", size, color_scheme=scheme, bypass_csp=True)
    rules = () if scheme == "light" else ("color-contrast", "target-size", "link-in-text-block")
    found = {}
    for key in PAGES:
        page.goto(site.page(key))
        found[key] = axe_findings(page, *rules)
    assert found == {key: [] for key in PAGES}


def test_axe_finds_no_fault_after_rows_and_results_load(opened: Open, site: Site) -> None:
    page = opened(site.page(SERIES) + "?supplier_name=has.oak&sort=-net_amount#rows", bypass_csp=True)
    expect(page.locator("#rows-status")).to_contain_text("match.")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert axe_findings(page) == []
    page.goto(site.page(SEARCH) + "?q=an")
    expect(page.locator("#search-status")).to_contain_text("“an”")
    assert axe_findings(page) == []


def axe_findings(page: Page, *rules: str) -> list[object]:
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    which = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": tags}
    found = Axe().run(page, options={"runOnly": which, "rules": {"target-size": {"enabled": True}}})
    return [
        (one["id"], [(node["target"], node["failureSummary"][:200]) for node in one["nodes"][:3]])
        for one in found.response["violations"]
    ]
