"""Lists of bodies by kind and region, the map, links to the API, names of downloads, and the fields of a table."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import to_builtins

from piperoll import assets, layout
from piperoll.describing.charts import PHONE, WIDE, draw_chart, fit_label
from piperoll.describing.page_wording import describe_source, format_cell, format_share
from piperoll.describing.pages.body_lists import TILES, WHOLE_COUNTRY, region_of
from piperoll.describing.release_summary import Bar, Chart
from piperoll.model import Body
from piperoll.settings import Settings
from tests.describing.example_world import LISTINGS, built, listing
from tests.describing.test_describing_catalogue import SERIES, Page

SPEND = assets.dataset("spend")


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return dict(built())


# ---- bodies


def test_each_kind_and_region_has_a_list_of_its_own(site: dict[str, bytes]) -> None:
    councils = Page(site["bodies-by/council/all.html"])
    assert "Anytown Borough Council" in councils.words
    assert "Department of Bridges" not in councils.words
    departments = Page(site["bodies-by/department/all.html"])
    assert "whole-country-or-not-known.html" in departments.links
    assert "bodies-by/police/all.html" not in site, "no list of nothing"


def test_the_region_is_that_of_the_register_or_of_the_gss_code() -> None:
    body = Body("gss:W06000001", "a", "A", "council")
    assert region_of(body) == "Wales"
    assert region_of(replace(body, region="North West")) == "North West"
    assert region_of(replace(body, id="gss:E06000001")) == "England"
    assert region_of(replace(body, id="GB-GOVUK-a")) == WHOLE_COUNTRY


def test_no_two_tiles_of_the_map_are_in_one_place() -> None:
    assert len(set(TILES.values())) == len(TILES) == 12


# ---- the API


def test_pages_link_to_the_api_if_there_is_one(site: dict[str, bytes]) -> None:
    api = "https://api.example.org/"
    linked = dict(built(api_url=api))
    assert f"{api}rows/spend?body=anytown&period=2026-10&part=none" in Page(linked[SERIES]).links
    card = Page(linked["series/spend/anytown/2026-10--card.html"])
    assert f"{api}rows/spend?body=anytown&period=2026-10&part=card" in card.links
    assert f"{api}rows/spend?body=anytown" in Page(linked["bodies/anytown.html"]).links
    assert f"{api}rows/spend" in Page(linked["datasets/spend.html"]).links
    assert all(api in Page(content).links for key, content in linked.items() if key.endswith(".html"))
    assert not any(b"Query with the API" in content for content in site.values())


def test_the_address_of_the_api_is_a_setting() -> None:
    settings = Settings.from_environment({"PIPEROLL_API_URL": "https://api.example.org"})
    assert settings.api_url == "https://api.example.org/"
    assert Settings.from_environment({}).api_url == ""


# ---- downloads


def test_a_download_says_its_body_period_and_version(site: dict[str, bytes]) -> None:
    page = site[SERIES].decode()
    names = re.findall(r' download="([^"]+)"', page)
    assert names == [
        "spend-anytown-2026-10-v2.csv",
        "spend-anytown-2026-10-v2.parquet",
        "spend-anytown-2026-10-v2-datapackage.json",
        "spend-anytown-2026-10-v2-report.json",
        "spend-anytown-2026-10-v2-manifest.json",
    ]
    card = LISTINGS[3].history
    assert card.current_version is not None
    assert layout.download_name(card.series, card.current_version, "spend.csv") == "spend-anytown-2026-10--card-v1.csv"
    first = site["series/spend/anytown/2026-10/v1.html"].decode()
    assert 'download="spend-anytown-2026-10-v1.csv"' in first


def test_everything_can_be_downloaded_with_a_readme(site: dict[str, bytes]) -> None:
    page = Page(site["download.html"])
    assert "9 tables, 90.0 kB" in page.words
    assert "piperoll get --all --from https://data.example.org/commons/ -o everything" in page.words
    assert {"README.txt", "datapackage.json", "packages/spend.csv"} <= set(page.links)
    readme = site["README.txt"].decode()
    assert "Open Counties: open data of public bodies" in readme
    assert "spend: Spending. 4 bodies." in readme
    assert "&amp;" not in readme


# ---- the fields of a table


def test_only_fields_that_hold_something_are_explained_and_the_others_named() -> None:
    filled = {"payment_date": 1200, "supplier_name": 1199, "net_amount": 1200, "line_id": 1200, "purpose": 3}
    one = replace(listing("anytown", "2026-10"), summary={"filled": filled})
    page = Page(dict(built([one]))["series/spend/anytown/2026-10.html"])
    assert "5 fields that hold something" in page.words
    assert f"Empty in this version ({len(SPEND.fields) - 5})" in page.words
    assert "1,199 of 1,200 rows (99 %)" in page.words
    assert "3 of 1,200 rows (under 1 %)" in page.words
    assert "docs/standards.md" not in page.words


def test_shares_are_never_rounded_up_to_the_whole() -> None:
    assert format_share(1200, 1200) == "every row"
    assert format_share(1199, 1200) == "1,199 of 1,200 rows (99 %)"
    assert format_share(1, 1) == "the one row"


def test_figures_in_rows_are_written_as_people_write_them() -> None:
    assert format_cell("-1234567.5", "GBP") == "-£1,234,567.50"
    assert format_cell("1234.005", None) == "1,234.005"
    assert format_cell("-0.5", "") == "-0.5"
    assert format_cell("", "GBP") == ""
    assert describe_source("Piperoll (docs/standards.md#spend)") == "Piperoll"


# ---- charts


def chart(*bars: Bar, shape: str = "ranked") -> Chart:
    rows = sum(bar.rows for bar in bars)
    return Chart("c", "C", shape, "sum", "supplier_name", "net_amount", rows, rows, bars)


def test_what_sums_up_many_values_does_not_squeeze_the_others() -> None:
    own = Bar("Oak", Decimal(10), 1, (("supplier_name", "is", "Oak"),))
    others = Bar("All 1,990 others", Decimal(90_000), 2_000, (("supplier_name", "not", "Oak"),), rest=True)
    drawn = draw_chart(chart(own, others), SPEND)
    assert [bar.length for bar in drawn.bars] == ["100"]
    assert [row.bar.label for row in drawn.apart] == ["All 1,990 others"]
    assert len(drawn.rows) == 2, "the table has both"


def test_rows_outside_the_axis_are_said_beside_the_chart() -> None:
    before = Bar("Before 1 October 2026", Decimal(5), 2, (("payment_date", "to", "2026-09-30"),), rest=True)
    none = Bar("No date", Decimal(7), 3, (("payment_date", "is", ""),), rest=True)
    days = [Bar(f"{n} October 2026", Decimal(n), 1, (("payment_date", "is", f"2026-10-0{n}"),)) for n in (1, 2)]
    one = chart(before, *days, none, shape="time")
    summary = {"charts": [to_builtins(replace(one, by="payment_date"))], "filled": {}}
    page = Page(dict(built([replace(listing("anytown", "2026-10"), summary=summary)]))[SERIES])
    assert "Not drawn: before 1 October 2026 , £5.00 in 2 rows; no date , £7.00 in 3 rows." in page.words


def test_a_label_is_shortened_by_the_room_that_its_figure_leaves() -> None:
    name = "Northern Lights Energy and Water Services Limited"
    assert len(fit_label(name, "-£12,345,678.90", PHONE)) < len(fit_label(name, "£1.00", PHONE))
    assert len(fit_label(name, "£1.00", PHONE)) < len(fit_label(name, "£1.00", WIDE))
    assert len(fit_label(name.upper(), "£1.00", PHONE)) < len(fit_label(name, "£1.00", PHONE))
    assert fit_label("Oak", "£1.00", PHONE) == "Oak"
