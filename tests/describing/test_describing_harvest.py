"""Files for harvesters: sitemaps, robots.txt and Data Packages; and every link in the catalogue resolves."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import unquote
from urllib.robotparser import RobotFileParser

import frictionless
import jsonschema
import pytest
from lxml import etree

from piperoll import layout
from tests.describing.example_world import BASE_URL, LISTINGS, SUBMISSIONS, built
from tests.fixtures.published_profiles import read_profile

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return dict(built())


def keys(content: bytes) -> list[str]:
    """The keys below catalogue/ that a sitemap or sitemap index lists."""
    found = [str(loc.text) for loc in etree.fromstring(content).iter(f"{SITEMAP}loc")]
    assert all(address.startswith(f"{BASE_URL}catalogue/") for address in found)
    return [unquote(address.removeprefix(f"{BASE_URL}catalogue/")) for address in found]


def test_the_sitemap_index_reaches_every_page_of_a_body_dataset_and_series(site: dict[str, bytes]) -> None:
    parts = keys(site["sitemap.xml"])
    pages = [page for part in parts for page in keys(site[part])]
    assert len(pages) == len(set(pages))
    assert set(pages) <= site.keys()
    wanted = {key for key in site if re.match(r"(index|datasets/[^/]+|bodies/[^/]+|series/[^v]+)\.html$", key)}
    assert wanted - {"bodies/index.html"} <= set(pages)


def test_a_sitemap_lists_only_addresses_in_its_folder_or_below(site: dict[str, bytes]) -> None:
    assert all("/" not in key for key in site if key.startswith("sitemap"))


def test_robots_may_read_everything_and_find_the_sitemap(site: dict[str, bytes]) -> None:
    parser = RobotFileParser()
    parser.parse(site["robots.txt"].decode().splitlines())
    assert parser.can_fetch("anyone", f"{BASE_URL}catalogue/index.html")
    assert parser.site_maps() == [f"{BASE_URL}catalogue/sitemap.xml"]


@pytest.mark.real
def test_every_data_package_is_valid_by_the_published_profile(site: dict[str, bytes]) -> None:
    packages = {key: json.loads(content) for key, content in site.items() if key.endswith("datapackage.json")}
    shelves = {(one.series.dataset, one.series.body) for one in LISTINGS if one.manifest is not None}
    assert packages.keys() == {"datapackage.json"} | {
        f"bodies/{body}/{name}/datapackage.json" for name, body in shelves
    }
    validator = jsonschema.Draft7Validator(read_profile("datapackage"))
    for key, package in packages.items():
        assert not list(validator.iter_errors(package)), key
        assert frictionless.Package.metadata_validate(package) is not None


def test_a_package_has_every_current_table_with_its_hash(site: dict[str, bytes]) -> None:
    package = json.loads(site["bodies/anytown/spend/datapackage.json"])
    standing = [one for one in LISTINGS if one.manifest is not None and one.series.body == "anytown"]
    assert len(package["resources"]) == len(standing)
    for resource, one in zip(package["resources"], sorted(standing, key=lambda one: _order(one.series)), strict=True):
        assert resource["name"] == str(one.series).rpartition("/")[2].lower()
        assert one.manifest is not None
        assert resource["hash"] == f"sha256:{one.manifest.files[0].sha256}"


def _order(series: object) -> tuple[int, int, str]:
    period, part = series.period, series.part  # type: ignore[attr-defined]
    return (-period.end.toordinal(), -period.start.toordinal(), part or "")


def test_the_tables_of_packages_name_each_of_them(site: dict[str, bytes]) -> None:
    whole = json.loads(site["datapackage.json"])
    named = []
    for resource in whole["resources"]:
        rows = list(csv.DictReader(io.StringIO(site[resource["path"]].decode(), newline="")))
        assert all(list(row) == [field["name"] for field in resource["schema"]["fields"]] for row in rows)
        named += [row["package"].removeprefix(f"{BASE_URL}catalogue/") for row in rows]
    assert sorted(named) == sorted(key for key in site if key.endswith("/datapackage.json"))


def test_every_address_in_feeds_dcat_packages_and_sitemaps_leads_somewhere(site: dict[str, bytes]) -> None:
    """The store guarantees the keys below data/ and reports/; the catalogue must have the rest."""
    files = {f"data/{one.series}/" for one in LISTINGS} | {layout.public_report_of(sent) for sent, _ in SUBMISSIONS}
    known = re.compile(rf"{re.escape(BASE_URL)}([^\s\"<>#]*)")
    looked_at = 0
    for key, content in site.items():
        if key.endswith((".atom", ".json", ".jsonld", ".ttl", ".xml", ".txt", ".csv")):
            for found in known.findall(content.decode()):
                target = unquote(found.replace("&amp;", "&"))
                below = target.removeprefix("catalogue/")
                address_of_the_store = key == "README.txt" and not target
                there = address_of_the_store or below in site or any(target.startswith(place) for place in files)
                assert there, (key, target)
                looked_at += 1
    assert looked_at > 500


def test_every_file_for_programs_is_named_by_another(site: dict[str, bytes]) -> None:
    """Except for the entry points, which the first page and robots.txt link to."""
    begins = {"catalog.ttl", "datapackage.json", "robots.txt", "freshness.json"}
    texts = (content for key, content in site.items() if not key.endswith((".parquet", ".ico", ".gz")))
    everything = " ".join(map(bytes.decode, texts))
    for key in sorted(site.keys() - begins):
        if key.endswith((".atom", ".jsonld", ".ttl", ".xml", ".json")) and not key.startswith("search/"):
            assert key in everything or key.rpartition("/")[2] in everything, key


def test_no_file_is_large(site: dict[str, bytes]) -> None:
    assert not {key: len(content) for key, content in site.items() if len(content) > 200_000}
