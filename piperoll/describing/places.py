"""Where everything stands: keys in the store, links between them, addresses and names that do not depend on a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from posixpath import dirname, relpath
from urllib.parse import quote

from piperoll.model import Series, Submission, Version

ROOT = "catalogue/"
HOME = f"{ROOT}index.html"
STYLE = f"{ROOT}style.css"
SEARCH_PAGE = f"{ROOT}search.html"
SEARCH_FIXED = f"{ROOT}search/-fixed.json"
ICON = f"{ROOT}icon.svg"
READER = f"{ROOT}vendor/parquet.js"
DCAT = f"{ROOT}catalog.jsonld"
FRESHNESS = f"{ROOT}freshness.json"
PACKAGE = f"{ROOT}datapackage.json"
COMPARE = f"{ROOT}compare/index.html"
SITEMAP = f"{ROOT}sitemap.xml"
ROBOTS = f"{ROOT}robots.txt"


def search_shard(letters: str) -> str:
    """The key of the shard of the search index for words that begin with `letters`."""
    return f"{ROOT}search/{letters}.json"


def script(name: str) -> str:
    """The key of a script of ours."""
    return f"{ROOT}scripts/{name}.js"


def list_page(page: str, name: str) -> Callable[[int], str]:
    """The keys of the pages, by number from 1, of the list `name` that begins on `page`."""
    return lambda number: page if number == 1 else f"{page.removesuffix('.html')}/{name}-{number}.html"


def bodies_page(number: int) -> str:
    """The key of a page, from 1, of the list of all bodies."""
    return f"{ROOT}bodies/index.html" if number == 1 else f"{ROOT}bodies/index-{number}.html"


def dataset_page(name: str) -> str:
    """The key of a dataset's page."""
    return f"{ROOT}datasets/{name}.html"


def compared_page(dataset: str, year: str) -> str:
    """The key of the page of all bodies of a dataset and financial year."""
    return f"{ROOT}compare/{dataset}/{year}.html"


def compared_file(dataset: str, year: str, path: str) -> str:
    """The key of a consolidated file, as the pointer of its year names it."""
    return f"{ROOT}consolidated/{dataset}/{year}/{path}"


def compared_pointer(dataset: str, year: str) -> str:
    """The key of the pointer of a dataset and year: the consolidated files of every body."""
    return compared_file(dataset, year, "index.json")


def body_page(slug: str) -> str:
    """The key of a body's page."""
    return f"{ROOT}bodies/{slug}.html"


def series_page(series: Series) -> str:
    """The key of a series' page."""
    return f"{ROOT}series/{series}.html"


def posts(series: Series, number: int, form: str) -> str:
    """The key of a file, from 1, of the posts that a series tells of, in `form` (jsonld or ttl)."""
    return f"{ROOT}series/{series}/posts-{number}.{form}"


def version_page(series: Series, version: Version) -> str:
    """The key of the page of one version of a series."""
    return f"{ROOT}series/{series}/v{version.version}.html"


def submission_page(submission: Submission) -> str:
    """The key of the page that tells the public report of a submission."""
    return f"{ROOT}reports/{submission.dataset}/{submission.body}/{submission.sha256}.html"


def release_file(series: Series, version: Version, name: str) -> str:
    """The key of a file of a release."""
    return f"{series.prefix}{version.path}/{name}"


def dcat(form: str) -> str:
    """The key of the root of the catalogue in DCAT, in `form` (jsonld or ttl)."""
    return f"{ROOT}catalog.{form}"


def body_dcat(slug: str, form: str = "jsonld", dataset: str | None = None, year: int | None = None) -> str:
    """The key of a body's own catalogue in DCAT, or of that of a dataset and year of it."""
    return f"{ROOT}bodies/{slug}.{form}" if dataset is None else f"{ROOT}bodies/{slug}/{dataset}-{year}.{form}"


def body_package(slug: str, dataset: str) -> str:
    """The key of the Data Package of all that a body publishes of a dataset."""
    return f"{ROOT}bodies/{slug}/{dataset}/datapackage.json"


def dataset_schema(name: str) -> str:
    """The key of a dataset's Table Schema."""
    return f"{ROOT}datasets/{name}.schema.json"


def packages_table(dataset: str) -> str:
    """The key of the table of the Data Packages of a dataset."""
    return f"{ROOT}packages/{dataset}.csv"


def sitemap(slug: str | None) -> str:
    """The key of the sitemap of a body; None: of the pages that tell of all bodies."""
    return f"{ROOT}sitemap-pages.xml" if slug is None else f"{ROOT}sitemap-of-{slug}.xml"


def body_freshness(slug: str) -> str:
    """The key of what is told of a body's freshness for machines."""
    return f"{ROOT}bodies/{slug}.freshness.json"


def feed(form: str, *, dataset: str | None = None, body: str | None = None) -> str:
    """The key of a feed in `form` (atom or json): of everything, of a dataset or of a body."""
    if dataset is not None:
        return f"{ROOT}feeds/{dataset}.{form}"
    if body is not None:
        return f"{ROOT}feeds/bodies/{body}.{form}"
    return f"{ROOT}feed.{form}"


def late_feed(slug: str | None) -> str:
    """The key, without its form, of the feed of a body's lateness; None: of that of all bodies."""
    return f"{ROOT}feeds/late" if slug is None else f"{ROOT}feeds/late/{slug}"


def archive(stem: str) -> str:
    """What the keys of the archive of a feed begin with; `stem` is the feed's key without its form."""
    return f"{ROOT}feeds/all/" if stem == f"{ROOT}feed" else f"{stem}/"


def of_body(slug: str, datasets: Iterable[str]) -> list[str]:
    """What the keys of everything begin with that is of one body."""
    own = [
        f"{ROOT}bodies/{slug}.",
        f"{ROOT}bodies/{slug}/",
        f"{ROOT}feeds/bodies/{slug}.",
        f"{ROOT}feeds/bodies/{slug}/",
    ]
    own += [sitemap(slug), f"{late_feed(slug)}."]
    return own + [f"{ROOT}{kind}/{dataset}/{slug}/" for dataset in datasets for kind in ("series", "reports")]


def link(target: str, here: str) -> str:
    """The way from the page `here` to `target`, both keys: works on any server, in a bucket and from a disk."""
    return quote(relpath(target, dirname(here)))


def address(base_url: str, key: str) -> str:
    """The full web address of a key; `base_url` (ending in a slash) is where the store is served."""
    return base_url + quote(key)


def series_name(series: Series) -> str:
    """The name of a series as a URN."""
    return f"urn:piperoll:series:{series}"


def release_name(series: Series, version: Version) -> str:
    """The name of a release as a URN: it never changes and is never used again."""
    return f"urn:piperoll:release:{series}/v{version.version}"


def collection_name(dataset: str, body: str) -> str:
    """The name of all that a body publishes of a dataset, as a URN."""
    return f"urn:piperoll:collection:{dataset}/{body}"


def body_name(identifier: str) -> str:
    """The name of a body as a URN, from its identifier in a public register."""
    return f"urn:piperoll:body:{quote(identifier, safe=':')}"


def licence_name(licence: Mapping[str, str]) -> str:
    """The address of a licence as a descriptor gives it; a URN for one that we know by name alone."""
    return licence.get("path") or f"urn:piperoll:licence:{quote(licence['name'])}"
