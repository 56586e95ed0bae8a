"""The keys of the catalogue: pages, feeds and consolidated files, all of which can be made again from the releases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable

from piperoll.model import Series, Submission, Version

CATALOGUE = "catalogue/"


# --- catalogue/: pages, feeds and files that the catalogue build makes; all remade ----------------------------------

HOME = f"{CATALOGUE}index.html"
STYLE = f"{CATALOGUE}style.css"
SEARCH_PAGE = f"{CATALOGUE}search.html"
SEARCH_FIXED = f"{CATALOGUE}search/-fixed.json.gz"
ICON = f"{CATALOGUE}icon.svg"
READER = f"{CATALOGUE}vendor/parquet.js"
DCAT = f"{CATALOGUE}catalog.jsonld"
FRESHNESS = f"{CATALOGUE}freshness.json"
PACKAGE = f"{CATALOGUE}datapackage.json"
RECEIPTS_KEY = f"{CATALOGUE}receipts-key.json"
SITEMAP = f"{CATALOGUE}sitemap.xml"
ROBOTS = f"{CATALOGUE}robots.txt"
BODIES_LIST, NOT_FOUND = f"{CATALOGUE}bodies.json", f"{CATALOGUE}404.html"


def search_shard(letters: str) -> str:
    """The part of the search index for words that begin with `letters`."""
    return f"{CATALOGUE}search/{letters}.json.gz"


def script(name: str) -> str:
    """A script of the catalogue's pages."""
    return f"{CATALOGUE}scripts/{name}.js"


def list_page(page: str, name: str) -> Callable[[int], str]:
    """The keys, by page number from 1, of the list `name` that begins on `page`."""
    return lambda number: page if number == 1 else f"{page.removesuffix('.html')}/{name}-{number}.html"


def bodies_page(number: int) -> str:
    """A page, numbered from 1, of the list of all bodies."""
    return f"{CATALOGUE}bodies/index.html" if number == 1 else f"{CATALOGUE}bodies/index-{number}.html"


def dataset_page(name: str) -> str:
    """The page of a dataset."""
    return f"{CATALOGUE}datasets/{name}.html"


def dataset_schema(name: str) -> str:
    """The Table Schema of a dataset."""
    return f"{CATALOGUE}datasets/{name}.schema.json"


def packages_table(dataset: str) -> str:
    """The table of all Data Packages of a dataset."""
    return f"{CATALOGUE}packages/{dataset}.csv"


def body_page(slug: str) -> str:
    """The page of a body."""
    return f"{CATALOGUE}bodies/{slug}.html"


def body_freshness(slug: str) -> str:
    """How fresh a body's data is, for machines."""
    return f"{CATALOGUE}bodies/{slug}.freshness.json"


def body_package(slug: str, dataset: str) -> str:
    """The Data Package of all that a body publishes of a dataset."""
    return f"{CATALOGUE}bodies/{slug}/{dataset}/datapackage.json"


def series_page(series: Series) -> str:
    """The page of a series."""
    return f"{CATALOGUE}series/{series}.html"


def version_page(series: Series, version: Version) -> str:
    """The page of one version of a series."""
    return f"{CATALOGUE}series/{series}/v{version.version}.html"


def posts_file(series: Series, number: int, form: str) -> str:
    """The posts that a series describes, in linked data (`jsonld` or `ttl`); files are numbered from 1."""
    return f"{CATALOGUE}series/{series}/posts-{number}.{form}"


def submission_page(submission: Submission) -> str:
    """The page that shows the public report of a submission."""
    return f"{CATALOGUE}reports/{submission.dataset}/{submission.body}/{submission.sha256}.html"


def dcat_root(form: str) -> str:
    """The root of the catalogue in DCAT, as `jsonld` or `ttl`."""
    return f"{CATALOGUE}catalog.{form}"


def body_dcat(slug: str, form: str = "jsonld", dataset: str | None = None, year: int | None = None) -> str:
    """A body's own DCAT catalogue, or that of one dataset and year of it."""
    return f"{CATALOGUE}bodies/{slug}{'' if dataset is None else f'/{dataset}-{year}'}.{form}"


def sitemap(slug: str | None) -> str:
    """The sitemap of a body's pages; None: of the pages about all bodies."""
    return f"{CATALOGUE}sitemap-pages.xml" if slug is None else f"{CATALOGUE}sitemap-of-{slug}.xml"


def feed(form: str, *, dataset: str | None = None, body: str | None = None) -> str:
    """A feed, as `atom` or `json`: of everything, of a dataset or of a body."""
    folder = f"bodies/{body}" if dataset is None else dataset
    return f"{CATALOGUE}feed.{form}" if dataset is None and body is None else f"{CATALOGUE}feeds/{folder}.{form}"


def late_feed(slug: str | None) -> str:
    """The feed of a body's late files, without its form; None: of the late files of all bodies."""
    return f"{CATALOGUE}feeds/late" if slug is None else f"{CATALOGUE}feeds/late/{slug}"


def feed_archive(stem: str) -> str:
    """The prefix of the archive pages of a feed; `stem` is the feed's key without its form."""
    return f"{CATALOGUE}feeds/all/" if stem == f"{CATALOGUE}feed" else f"{stem}/"


def prefixes_of_body(slug: str, datasets: Iterable[str]) -> list[str]:
    """The prefixes of everything in the catalogue that belongs to one body."""
    own = [f"{CATALOGUE}{folder}bodies/{slug}{end}" for folder in ("", "feeds/") for end in "./"]
    of_datasets = (f"{CATALOGUE}{kind}/{dataset}/{slug}/" for dataset in datasets for kind in ("series", "reports"))
    return [*own, sitemap(slug), f"{late_feed(slug)}.", *of_datasets]


# --- catalogue/: pages about several bodies -------------------------------------------------------------------------

_SUPPLIERS = "catalogue/suppliers/"

COMPARE = "catalogue/compare/index.html"
DOWNLOAD_ALL = "catalogue/download.html"
README = "catalogue/README.txt"
SUPPLIERS = f"{_SUPPLIERS}index.html"
FIGURES = "catalogue/figures.json"
"""What all bodies add up to by dataset and year, for machines."""


def body_figures(slug: str) -> str:
    """What a body's data adds up to by dataset and year, for machines."""
    return f"catalogue/bodies/{slug}.figures.json"


def comparison_page(dataset: str, year: str, kind: str | None = None, order: str = "") -> str:
    """The page that compares the bodies of a dataset and financial year: of all kinds, or those of one `kind`.

    `order` names another page about the same bodies: `by-amount`, `months` or `services`.
    """
    folder = comparison_prefix(dataset, year)
    return f"{folder}.html" if kind is None else f"{folder}/{kind}{order and f'-{order}'}.html"


def comparison_file(dataset: str, year: str, form: str) -> str:
    """The figures of all bodies of a dataset and financial year, as `csv` or `json`."""
    return f"{comparison_prefix(dataset, year)}.{form}"


def comparison_prefix(dataset: str, year: str) -> str:
    """The prefix of everything that compares the bodies of a dataset and financial year."""
    return f"catalogue/compare/{dataset}/{year}"


# --- catalogue/suppliers/: a page for each supplier -----------------------------------------------------------------

_WORDS = re.compile(r"[a-z0-9]+")
_LONGEST_SLUG = 80


def supplier_slug(key: str) -> str:
    """A supplier key as a file name. A key with other characters than a to z, digits and hyphens gets a hash."""
    words = _WORDS.findall(key)
    slug = "-".join(words)
    if slug == key and len(slug) <= _LONGEST_SLUG and words[0] != "index":
        return slug
    return "-".join(filter(None, (slug[:_LONGEST_SLUG].strip("-"), hashlib.sha256(key.encode()).hexdigest()[:8])))


def supplier_letters(key: str) -> str:
    """The first three letters and digits of a supplier's file name: suppliers are kept in groups by them."""
    return supplier_slug(key).replace("-", "")[:3]


def supplier_page(key: str) -> str:
    """The page of a supplier, by its `supplier_key`."""
    return f"{supplier_group(supplier_letters(key))}{supplier_slug(key)}.html"


def supplier_group(letters: str) -> str:
    """The prefix of the pages of suppliers whose names begin with these letters."""
    return f"{_SUPPLIERS}{letters}/"


def supplier_list(letters: str) -> Callable[[int], str]:
    """The keys, by page number from 1, of the list of suppliers whose names begin with these letters."""
    folder = supplier_group(letters)
    return lambda number: f"{folder}index.html" if number == 1 else f"{folder}index-{number}.html"


def supplier_figures(letters: str) -> str:
    """The figures of the suppliers whose names begin with these letters, for machines."""
    return f"{supplier_group(letters)}index.json"


def supplier_letter_page(letter: str) -> str:
    """The page that links to the lists of suppliers whose names begin with one letter or digit."""
    return f"{_SUPPLIERS}{letter}.html"


def bodies_list(kind: str | None, region: str | None, number: int) -> str:
    """A page, numbered from 1, of the list of bodies of a kind, of a region (both as in addresses), or of both."""
    stem = f"catalogue/bodies-by/{kind or 'all'}/{region or 'all'}"
    return f"{stem}.html" if number == 1 else f"{stem}-{number}.html"


def download_name(series: Series, version: Version, name: str) -> str:
    """The name under which a person saves a file of a release: `spend-anytown-2026-10-v2.csv`, `…-v2-report.json`."""
    stem = f"{str(series).replace('/', '-')}-v{version.version}"
    return stem + (name.removeprefix(series.dataset) if name.startswith(f"{series.dataset}.") else f"-{name}")


# --- catalogue/measures/: a page for each measure, and lists of its figures -------------------------------------------

MEASURE_PAGES = f"{CATALOGUE}measures/"

MEASURES_PAGE = f"{MEASURE_PAGES}index.html"
QUESTIONS = f"{CATALOGUE}questions.html"
"""What people ask, with the page that answers each question or what is missing."""

ENDING_FEED = f"{CATALOGUE}feeds/contracts-ending"
"""The feed of contracts that end soon, without its form."""


def measure_page(measure: str) -> str:
    """The page of a measure."""
    return f"{MEASURE_PAGES}{measure}.html"


def measure_prefix(measure: str) -> str:
    """The prefix of the lists of a measure's figures."""
    return f"{MEASURE_PAGES}{measure}/"


def measure_list(measure: str, year: str, kind: str, figure: str) -> Callable[[int], str]:
    """The keys, by page number from 1, of the list of a figure for the bodies of a kind in a financial year."""
    stem = f"{measure_prefix(measure)}{year}/{kind}-{figure}"
    return lambda number: f"{stem}.html" if number == 1 else f"{stem}-{number}.html"


def measures_feed(measure: str | None) -> str:
    """The feed of new figures, without its form: of a measure, or of all measures."""
    return f"{CATALOGUE}feeds/measures" if measure is None else f"{CATALOGUE}feeds/measures/{measure}"


def profile_page(slug: str) -> str:
    """The profile of a body: what all measures say of it."""
    return f"{CATALOGUE}bodies/{slug}/profile.html"


# --- catalogue/consolidated/: one file a body, dataset and financial year -------------------------------------------

CONSOLIDATED = f"{CATALOGUE}consolidated/"

CONSOLIDATED_INDEX = f"{CONSOLIDATED}index.json"
"""The financial years of each dataset that have consolidated files. Changed by conditional write."""


def consolidated_file(dataset: str, year: str, name: str) -> str:
    """A file that the index of its year names: `{body}-{12 digits of its hash}` and `.parquet`, `.csv` or `.json`."""
    return f"{CONSOLIDATED}{dataset}/{year}/{name}"


def consolidated_name(body: str, sha256: str, suffix: str) -> str:
    """The name of a consolidated file in the index of its year."""
    return f"{body}-{sha256[:12]}{suffix}"


def consolidated_index(dataset: str, year: str) -> str:
    """The consolidated files of every body for a dataset and year. A pointer: written after the files it names."""
    return consolidated_file(dataset, year, "index.json")


def parse_consolidated_file(key: str) -> tuple[str, str] | None:
    """The index that should name a consolidated file, and its name there; None for the indexes themselves."""
    folder, _, name = key.rpartition("/")
    return None if name == "index.json" else (f"{folder}/index.json", name)
