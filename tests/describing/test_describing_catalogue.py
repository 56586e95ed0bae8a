import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from posixpath import dirname, join, normpath, relpath
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from piperoll import assets, layout
from piperoll.describing.catalogue import build_overview, collect_dated_contributions, digest_group
from piperoll.describing.context import CatalogueContext, collect_holdings
from piperoll.describing.overview import digest_body
from piperoll.describing.series_facts import extract_facts
from piperoll.errors import UnknownDataset
from piperoll.model import Listing, Register, Series, Status, Verdict, to_document
from tests.describing.example_world import (
    BASE_URL,
    BODIES,
    HOSTILE,
    LISTINGS,
    ON,
    SUBMISSIONS,
    built,
    listing,
    report,
    submission,
    withdrawn,
)

SERIES = "series/spend/anytown/2026-10.html"


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    files = list(built())
    keys = [key for key, _ in files]
    assert len(keys) == len(set(keys)), "a key is written twice"
    return dict(files)


class Page(HTMLParser):
    """The links, ids, headings and words of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts: list[str | None] = []
        self.headings: list[int] = []
        self.pieces: list[str] = []
        self.lang: str | None = None
        self.meta: dict[str, str] = {}
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := given.get(name)) is not None]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag == "script":
            self.scripts.append(given.get("type"))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "meta":
            self.meta |= {name: given.get("content") or "" for key in ("name", "property") if (name := given.get(key))}
        if tag == "html":
            self.lang = given.get("lang")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.pieces).split())


def pages(site: dict[str, bytes]) -> dict[str, Page]:
    return {key: Page(content) for key, content in site.items() if key.endswith(".html")}


def keys_of_the_store(listings: tuple[Listing, ...] = LISTINGS) -> set[str]:
    """The keys under data/ and reports/ by the storage layout."""
    keys = set()
    for one in listings:
        for version in one.history.versions:
            names = [f"{one.series.dataset}.csv", f"{one.series.dataset}.parquet"]
            names += ["datapackage.json", "report.json", "manifest.json"]
            if version.status in (Status.CURRENT, Status.SUPERSEDED):
                keys |= {layout.release_file(one.series, version, name) for name in names}
    return keys | {layout.public_report_of(submission) for submission, report in SUBMISSIONS if report is not None}


def test_there_is_a_page_for_each_dataset_body_series_and_release(site: dict[str, bytes]) -> None:
    wanted = {
        "index.html",
        "style.css",
        "catalog.jsonld",
        "freshness.json",
        "feed.atom",
        "feed.json",
        "datasets/spend.html",
    }
    wanted |= {"bodies/anytown.html", "bodies/st-swithin.html", "bodies/parish-of-nowhere.html"}
    wanted |= {SERIES, "series/spend/anytown/2026-10/v1.html", "series/spend/anytown/2026-10/v2.html"}
    wanted |= {"series/spend/anytown/2026-10--card.html", "series/spend/anytown/2026-10--card/v1.html"}
    wanted |= {"feeds/spend.atom", "feeds/spend.json", "feeds/bodies/anytown.atom", "feeds/bodies/anytown.json"}
    assert wanted <= site.keys()


def test_no_link_is_dead(site: dict[str, bytes]) -> None:
    found = pages(site)
    there = {f"catalogue/{key}" for key in site} | keys_of_the_store()
    for key, page in found.items():
        for link in page.links:
            if link.startswith(("https://", "mailto:")):
                continue
            target, anchor = urldefrag(link)
            if key == "404.html" and target:  # it is sent for any address, so its links are from the root
                target = relpath(target, f"{urlsplit(BASE_URL).path}catalogue")
            place = normpath(join(dirname(f"catalogue/{key}"), unquote(target))) if target else f"catalogue/{key}"
            assert place in there, f"{key} leads to {place}"
            if anchor:
                assert anchor in found[place.removeprefix("catalogue/")].ids, f"{key} leads to #{anchor}"


def test_every_page_can_be_reached_from_the_first(site: dict[str, bytes]) -> None:
    found, seen, ahead = pages(site), set(), ["catalogue/index.html"]
    while ahead:
        key = ahead.pop()
        if key in seen or key.removeprefix("catalogue/") not in site:
            continue
        seen.add(key)
        page = found.get(key.removeprefix("catalogue/"))
        links = page.links if page else []
        ahead += [normpath(join(dirname(key), unquote(urldefrag(link)[0]))) for link in links if "://" not in link]
    by_form = {"search.html", "404.html"}
    assert {f"catalogue/{key}" for key in site if key.endswith(".html") and key not in by_form} <= seen


def test_pages_do_not_depend_on_where_they_are_served(site: dict[str, bytes]) -> None:
    """Except for linked data, and the code to copy for loading and citing."""
    elsewhere = dict(built(base_url="http://localhost:8000/"))
    on_host = re.compile(
        rb'<script type="application/ld\+json">.*?</script>|<pre id="[a-z-]+" tabindex=0>.*?</pre>', re.DOTALL
    )
    for key, content in site.items():
        if key.endswith((".html", ".css")) and key != "404.html":
            assert on_host.sub(b"", content) == on_host.sub(b"", elsewhere[key]), key


def test_the_same_store_on_the_same_day_gives_the_same_bytes(site: dict[str, bytes]) -> None:
    again = dict(built(tuple(reversed(LISTINGS)), submissions=tuple(reversed(SUBMISSIONS))))
    assert again == site


def test_a_day_later_the_pages_of_tables_are_the_same(site: dict[str, bytes]) -> None:
    later = dict(built(on=date(2026, 11, 23)))
    changed = {key for key in site if site[key] != later[key]}
    assert not {key for key in changed if key.startswith(("series/", "reports/"))}


def test_a_supplier_named_like_a_script_is_shown_and_not_run(site: dict[str, bytes]) -> None:
    page = Page(site[SERIES])
    assert HOSTILE in page.words
    assert b"<script>alert" not in site[SERIES]


def test_what_a_sender_or_stranger_wrote_makes_no_tag_anywhere() -> None:
    stranger = Register((replace(BODIES[0], name=HOSTILE, contact=HOSTILE),))
    sent = submission("anytown", "2026-10", "2026-11-01T08:00:00Z", name=HOSTILE)
    hostile_report = replace(
        report(), findings=(replace(report().findings[0], message=HOSTILE, sheet=HOSTILE),), file=HOSTILE
    )
    one = listing("anytown", "2026-10", supplier=HOSTILE)
    hostile = replace(one, report=to_document(hostile_report))
    site = dict(built([hostile], register=stranger, submissions=[(sent, hostile_report)]))
    for key, page in pages(site).items():
        assert set(page.scripts) <= {"application/ld+json", "application/json", None}, key
    assert json.loads(site["feed.json"])["items"][0]["authors"] == [{"name": HOSTILE}]


def test_each_table_and_its_downloads_are_described_for_search_engines(site: dict[str, bytes]) -> None:
    (script,) = re.findall(rb'<script type="application/ld\+json">(.*?)</script>', site[SERIES])
    document = json.loads(script)
    assert document["@type"] == "Dataset"
    assert document["@id"] == "urn:piperoll:series:spend/anytown/2026-10"
    assert document["temporalCoverage"] == "2026-10-01/2026-10-31"
    (csv,) = [entry for entry in document["distribution"] if entry["encodingFormat"] == "text/csv"]
    assert csv["contentUrl"].startswith(f"{BASE_URL}data/spend/anytown/2026-10/v2-")
    assert len(csv["sha256"]) == 64


def test_pages_are_built_for_readers(site: dict[str, bytes]) -> None:
    titles = set()
    for key, page in pages(site).items():
        assert page.lang == "en-GB", key
        assert page.headings.count(1) == 1, key
        assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False)), key
        assert len(page.ids) == len(set(page.ids)), key
        assert page.links[0] != "" and "#main" in page.links, key
        titles.add(re.search(rb"<title>(.*?)</title>", site[key]).group(1))  # type: ignore[union-attr]
    assert len(titles) == len(pages(site)), "two pages have one title"


def test_every_page_is_described_for_those_who_link_to_it(site: dict[str, bytes]) -> None:
    found = pages(site)
    for key, page in found.items():
        assert len(page.meta["description"]) > 30, key
    tables = {key: page.meta["description"] for key, page in found.items() if key.startswith("series/")}
    assert len(set(tables.values())) == len(tables), "no two tables are described alike"
    assert "1,200 rows, £8,120,956.78, 2 rows held back. Version 2, published on 5 November 2026" in tables[SERIES]


def test_a_release_page_says_what_it_is_and_how_far_to_trust_it(site: dict[str, bytes]) -> None:
    words = Page(site[SERIES]).words
    for part in (
        "Anytown Borough Council Spending: October 2026",
        "1,200",
        "£8,120,956.78",
        "2 rows held back",
        "1 October 2026 to 31 October 2026",
        "Rows held back until you act (1 kind,",
        "Should fix (1 kind,",
        "Passed (2)",
        "spend-anytown-2026-10-v2.parquet 2.0 kB",
        "A corrected file came",
        "Open Government Licence v3.0",
        "The first 8 of 1,200 rows",
    ):
        assert part in words, part
    assert b'href="../../../datasets/spend.html#field-payment_date">Payment date</a>' in site[SERIES]


def test_overlaps_in_time_are_declared(site: dict[str, bytes]) -> None:
    words = Page(site[SERIES]).words
    assert "Overlaps in time with October to December 2026 ; October 2026, procurement card . Do not add" in words


def test_a_version_page_says_what_it_changed(site: dict[str, bytes]) -> None:
    second = Page(site["series/spend/anytown/2026-10/v2.html"]).words
    first = Page(site["series/spend/anytown/2026-10/v1.html"]).words
    assert "+5 against version 1" in second
    assert "no change against version 1" in second
    assert "There is a later version: version 2" in first


def test_a_purged_version_offers_no_file(site: dict[str, bytes]) -> None:
    purged = Page(site["series/spend/brackwater/2026-09/v1.html"])
    assert not [link for link in purged.links if "/data/" in link]
    assert "Removed, because it held personal data" in purged.words
    assert "No current version" in Page(site["series/spend/brackwater/2026-09.html"]).words


def test_a_provisional_body_is_labelled(site: dict[str, bytes]) -> None:
    for key in ("bodies/parish-of-nowhere.html", "series/spend/parish-of-nowhere/2026-10.html"):
        words = Page(site[key]).words
        assert "Provisional body" in words
        assert "Parish of Nowhere" in words


def test_every_figure_states_how_many_bodies_it_covers(site: dict[str, bytes]) -> None:
    words = Page(site["index.html"]).words
    assert "Spending October 2026 4 of 6 bodies 4,586 £17,155,413.66 8 rows" in words
    assert "Spending Procurement card October 2026 1 of 6 bodies 88 -£0.005 2 rows" in words


def test_nothing_is_summed_over_periods_that_overlap() -> None:
    context = CatalogueContext(tuple(assets.datasets()), BASE_URL, "x", ON, Register(()), Register(()))
    tables = [listing("anytown", "2026-10", amount="10.00"), listing("anytown", "2026-Q4", amount="30.00")]
    holdings = collect_holdings(context, BODIES[0], map(extract_facts, tables), (), {})
    digests = {
        name: digest_group(name, {"anytown": brought})
        for name, brought in collect_dated_contributions(holdings).items()
    }
    whole = build_overview(context, [digest_body(holdings)], digests)
    assert [line.amount for line in whole.periods("spend")] == [Decimal("30.00"), Decimal("10.00")]
    assert [line.amount for line in whole.newest("spend")] == [Decimal("10.00")]


def test_late_and_held_files_are_listed_without_values(site: dict[str, bytes]) -> None:
    home = Page(site["index.html"]).words
    assert "Spending government departments and NHS bodies September 2026 30 October 2026 0 of 2 bodies 1 0 1 0" in home
    assert "Files that wait for their sender (2)" in home
    body = Page(site["bodies/st-swithin.html"]).words
    assert "Spending September 2026 30 October 2026 – Held" in body
    assert "1.250.00" not in home + body


def test_a_held_file_has_a_page_that_says_why(site: dict[str, bytes]) -> None:
    held = next(submission for submission, report in SUBMISSIONS if report and report.verdict is Verdict.HELD)
    page = Page(site[f"reports/spend/st-swithin/{held.sha256}.html"])
    assert "The whole file is held" in page.words
    assert f"../../../../{layout.public_report_of(held)}" in page.links


def test_no_duty_is_shown_before_the_platform_received_anything(site: dict[str, bytes]) -> None:
    assert "August 2026" not in Page(site["bodies/bridges.html"]).words
    assert "July to September 2026" not in Page(site["bodies/anytown.html"]).words
    empty = Page(dict(built([], submissions=()))["index.html"]).words
    assert "No legal duty is shown" in empty


def test_a_catalogue_is_built_from_an_empty_store() -> None:
    site = dict(built([], register=Register(()), submissions=()))
    assert "Nothing published yet" in Page(site["index.html"]).words
    assert json.loads(site["feed.json"])["items"] == []


def test_the_same_file_sent_twice_is_listed_once() -> None:
    first, its_report = SUBMISSIONS[0]
    site = built(submissions=[(first, its_report), (replace(first, received="2026-11-09T08:00:00Z"), its_report)])
    assert Page(dict(site)["bodies/anytown.html"]).words.count(first.name) == 1


def test_a_series_whose_only_version_is_withdrawn_counts_as_no_table() -> None:
    site = dict(built([withdrawn("anytown", "2026-10", Status.WITHDRAWN)]))
    assert "lines in 0 tables 0" in Page(site["index.html"]).words
    assert "Withdrawn. You cannot download its files." in Page(site["series/spend/anytown/2026-10/v1.html"]).words


def test_something_published_of_an_unknown_dataset_is_our_own_fault() -> None:
    stray = withdrawn("anytown", "2026-10", Status.WITHDRAWN)
    stray = replace(stray, history=replace(stray.history, series=Series("stars", "anytown", stray.series.period)))
    with pytest.raises(UnknownDataset, match="stars"):
        list(built([stray]))


def test_every_size_of_page_is_kept_small(site: dict[str, bytes]) -> None:
    assert max(len(content) for key, content in site.items() if key.endswith(".html")) < 120_000
