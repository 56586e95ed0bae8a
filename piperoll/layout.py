"""The storage layout: every key of a store, made and parsed here and nowhere else.

A store is a folder or a bucket; a key is a path in it, relative and separated by `/`. `docs/storage.md` describes the
same layout for operators and readers.

    archive/      the bytes of every file received, by their sha256             private
    collected/    what was received when, full reports, the catalogue's state   private
    mappings/     what each body's headings mean, and questions about them      private
    decisions/    what people decided about held values and files               private
    log/          what was withdrawn and purged                                 private
    reports/      the public report of every file received                      public
    data/         releases, the pointers that name them, and an index           public
    catalogue/    pages, feeds, DCAT, consolidated files                        public

Three kinds of object: *written once* and never changed (`Store.create`); a *pointer*, changed only by conditional write
(`Store.replace`); and *remade*, which can be made again from the others at any time (`Store.put`).

The keys of pages about several bodies are in `piperoll.shared_pages_layout` and are found here too. This module is not
part of `publishers`, because `piperoll.describing` links to keys and may not import a store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from piperoll.errors import StoreError
from piperoll.model import Series, Submission, Version
from piperoll.shared_pages_layout import *  # noqa: F403 - its keys are found here too

ARCHIVE, COLLECTED, MAPPINGS, DECISIONS = "archive/", "collected/", "mappings/", "decisions/"
REPORTS, DATA, CATALOGUE = "reports/", "data/", "catalogue/"

PUBLIC = (CATALOGUE, DATA, REPORTS)
"""The only prefixes that are ever served."""

PRIVATE = (ARCHIVE, COLLECTED, MAPPINGS, DECISIONS, "log/")
"""The prefixes that only the operator reads."""


# --- archive/: bytes as received ------------------------------------------------------------------------------------


def received_bytes(sha256: str) -> str:
    """The bytes of a file exactly as received. Written once; private; deleted only by a purge."""
    return f"archive/sha256/{sha256[:2]}/{sha256}"


def parse_received_bytes(key: str) -> str | None:
    """The sha256 that the key of received bytes names; None for any other key."""
    pieces = key.split("/")
    return pieces[3] if pieces[:2] == ["archive", "sha256"] and len(pieces) == 4 else None


def senders_prefix(sha256: str) -> str:
    """The prefix of the keys that lead from a hash, or its first digits, to who sent these bytes."""
    return f"archive/from/{sha256[:2]}/{sha256}"


def sender_link(submission: Submission) -> str:
    """An empty object whose key says that a body sent these bytes for a dataset. Written once; private."""
    return f"{senders_prefix(submission.sha256)}/{submission.body}/{submission.dataset}"


def parse_sender_link(key: str) -> tuple[str, str, str]:
    """The sha256, body and dataset that a key made by `sender_link` names."""
    sha256, body, dataset = key.split("/")[3:]
    return sha256, body, dataset


def tombstone(sha256: str) -> str:
    """The record that these bytes were purged: when, why, which versions. Written once; private; refuses the bytes."""
    return f"archive/purged/{sha256}.json"


# --- collected/: what is known of each file received ----------------------------------------------------------------


def submission_folder(body: str, dataset: str, sha256: str) -> str:
    """The prefix of what is kept about one file received from a body for a dataset. Private."""
    return f"collected/{body}/{dataset}/{sha256}/"


def submissions_prefix(body: str | None = None) -> str:
    """The prefix of the submissions of a body, or of all bodies (with other keys among them)."""
    return COLLECTED if body is None else f"{COLLECTED}{body}/"


def records_prefix(body: str, dataset: str, sha256: str) -> str:
    """The prefix of the records of one submission: the same bytes received again have another record."""
    return f"{submission_folder(body, dataset, sha256)}received-"


def record(submission: Submission) -> str:
    """Who sent a file, from where and when. Written once, after its bytes; private."""
    return f"{_folder_of(submission)}received-{_compact(submission.received)}.json"


def parse_record(key: str) -> tuple[str, str, str] | None:
    """The body, dataset and sha256 of a record's key; None for any other key below `collected/`."""
    pieces = key.split("/")
    if len(pieces) != 5 or not pieces[4].startswith("received-"):
        return None
    return pieces[1], pieces[2], pieces[3]


def full_report(submission: Submission) -> str:
    """The full report, with the values of held rows. A pointer, since rules change; private."""
    return report_in_full(submission.body, submission.dataset, submission.sha256)


def report_in_full(body: str, dataset: str, sha256: str) -> str:
    """The key of the full report of a submission that is known by its hash."""
    return f"{submission_folder(body, dataset, sha256)}report.json"


def rulings_prefix(submission: Submission) -> str:
    """The prefix of what people decided about a submission, oldest first."""
    return f"{_folder_of(submission)}decision-"


def ruling(submission: Submission, decided: str) -> str:
    """One decision about a submission, at an ISO 8601 instant. Written once; private."""
    return f"{rulings_prefix(submission)}{_compact(decided)}.json"


def fetches_folder(body: str, dataset: str, address_hash: str = "") -> str:
    """The prefix of the log of fetches from one web address, or from all; each entry is written once. Private."""
    return f"collected/{body}/{dataset}/fetches/{address_hash and f'{address_hash}/'}"


def claims_folder(body: str, dataset: str) -> str:
    """The prefix of the records of files that claimed one series in the same run. Written once; private."""
    return f"collected/{body}/{dataset}/claims/"


def decisions_applied(body: str | None, dataset: str) -> str:
    """The decisions applied to all files of a body and dataset, or (None) of every body. A pointer; private."""
    return f"collected/{'' if body is None else f'{body}/{dataset}/'}decisions-applied.json"


def decision_uses(body: str, dataset: str) -> str:
    """The prefix of the records of which decision had an effect on which version."""
    return f"collected/{body}/{dataset}/decided/"


def decision_use(decision: str, series: Series, manifest_sha256: str) -> str:
    """An empty object: a decision had an effect on the version with this manifest. Written once, before it; private."""
    return f"{decision_uses(series.body, series.dataset)}{decision}/{str(series).split('/')[2]}/{manifest_sha256}"


def parse_decision_use(key: str) -> tuple[str, Series, str]:
    """The decision, the series and the sha256 of the manifest that a key made by `decision_use` names."""
    _, body, dataset, _, decision, name, manifest_sha256 = key.split("/")
    return decision, Series.parse(f"{dataset}/{body}/{name}"), manifest_sha256


def claim(body: str, dataset: str, digest: str) -> str:
    """The record of one claim, by the sha256 of its content. Written once; private."""
    return f"{claims_folder(body, dataset)}{digest[:20]}.json"


BUILD = f"{COLLECTED}catalogue/"
"""The prefix of what the last build of the catalogue recorded. Remade; private."""

BUILD_STATE = f"{BUILD}state.json"
"""Which build of the catalogue was the last, and what it wrote. A pointer; private."""

BUILDS_RUNNING = f"{BUILD}at-work/"
"""One object for each build that has begun and not ended. Private."""

CHANGES = f"{BUILD}changed/"
"""Empty objects that name what changed since the catalogue was last built. Private; deleted by the build."""


def change(dataset: str, body: str, what: str, mark: str) -> str:
    """One change: of a series (`what` is the period and part) or of a submission (`sha256-` and its hash)."""
    return f"{CHANGES}{dataset}/{body}/{what}/{mark}"


# --- mappings/, decisions/ and log/ ---------------------------------------------------------------------------------


def mapping(body: str, dataset: str) -> str:
    """What the headings of a body's files mean. A pointer that people may edit too (TOML); private."""
    return f"mappings/{body}/{dataset}.toml"


def mappings_prefix(body: str | None = None) -> str:
    """The prefix of the mappings of a body, or of all bodies."""
    return MAPPINGS if body is None else f"{MAPPINGS}{body}/"


def decisions_prefix(body: str | None) -> str:
    """The prefix of the decisions about files of one body, oldest first; None: of those for all bodies."""
    return f"{DECISIONS}all/" if body is None else f"{DECISIONS}bodies/{body}/"


def decision(body: str | None, decided: str, identifier: str) -> str:
    """One decision about a held value or file, at an ISO 8601 instant. Written once; private."""
    return f"{decisions_prefix(body)}{_compact(decided)}-{identifier}.json"


def log_entry(instant: str, action: str, digest: str) -> str:
    """One withdrawal or purge, with its reason. Written once, before anything else is done; private."""
    return f"log/{_compact(instant)}-{action}-{digest}.json"


# --- reports/: what the public may know of each file received -------------------------------------------------------


def public_report(dataset: str, body: str, sha256: str) -> str:
    """The public report of a submission, rejected ones too. A pointer; its presence marks the submission as done."""
    return f"reports/{dataset}/{body}/{sha256}.json"


def public_report_of(submission: Submission) -> str:
    """The public report of a submission."""
    return public_report(submission.dataset, submission.body, submission.sha256)


# --- data/: releases ------------------------------------------------------------------------------------------------

INDEX = f"{DATA}index.json"
"""The bodies of each dataset. Changed by conditional write, only when a body is new."""


def body_index(dataset: str, body: str) -> str:
    """The years in which a body's periods of a dataset begin. Changed by conditional write, only for a new year."""
    return f"data/{dataset}/{body}/index.json"


def year_index(dataset: str, body: str, year: int) -> str:
    """Every series of a body, dataset and year with the version that is current. Changed by conditional write."""
    return f"data/{dataset}/{body}/index-{year}.json"


def series_folder(series: Series) -> str:
    """The prefix of everything published in a series."""
    return f"data/{series}/"


def series_prefix(dataset: str = "", body: str = "", year: int | None = None) -> str:
    """The prefix of all series; of a dataset; of a body for a dataset; of those whose period begins in a year."""
    return "/".join(["data", *filter(None, (dataset, body)), "" if year is None else f"{year}-"])


def pointer(series: Series) -> str:
    """The history of a series, which names its current version. The pointer: written last, by conditional write."""
    return f"{series_folder(series)}versions.json"


def parse_pointer(key: str) -> Series | None:
    """The series whose pointer this key is; None for any other key."""
    if not (key.startswith(DATA) and key.endswith("/versions.json") and key.count("/") == 4):
        return None
    return Series.parse(key.removeprefix(DATA).removesuffix("/versions.json"))


def parse_version_key(key: str) -> tuple[Series, str] | None:
    """The series, and the version's folder or file of differences, of a key; None for a pointer or an index."""
    pieces = key.split("/")
    if len(pieces) < 6:
        return None
    series = Series.parse("/".join(pieces[1:4]))
    return series, (key if pieces[4] == "changes" else "/".join(pieces[:5]) + "/")


def version_name(number: int, manifest_sha256: str) -> str:
    """The name of a version's folder, below that of its series: `v3-0123456789ab`."""
    return f"v{number}-{manifest_sha256[:12]}"


def version_folder(series: Series, version: Version) -> str:
    """The prefix of the files of a version."""
    return f"{series_folder(series)}{version.path}/"


def release_file(series: Series, version: Version, name: str) -> str:
    """A file of a release: `manifest.json` or one that the manifest names. Written once; served as immutable."""
    return f"{version_folder(series, version)}{name}"


def differences_name(before: int, after: int, sha256: str = "") -> str:
    """The name, below a series' folder, of the rows that differ between two versions; without a hash, its start."""
    return f"changes/v{before}-v{after}-{f'{sha256[:12]}.csv' if sha256 else ''}"


# --- catalogue/: pages, feeds and files that the catalogue build makes; all remade ----------------------------------

HOME = f"{CATALOGUE}index.html"
STYLE = f"{CATALOGUE}style.css"
SEARCH_PAGE = f"{CATALOGUE}search.html"
SEARCH_FIXED = f"{CATALOGUE}search/-fixed.json"
ICON = f"{CATALOGUE}icon.svg"
READER = f"{CATALOGUE}vendor/parquet.js"
DCAT = f"{CATALOGUE}catalog.jsonld"
FRESHNESS = f"{CATALOGUE}freshness.json"
PACKAGE = f"{CATALOGUE}datapackage.json"
SITEMAP = f"{CATALOGUE}sitemap.xml"
ROBOTS = f"{CATALOGUE}robots.txt"
BODIES_LIST, NOT_FOUND = f"{CATALOGUE}bodies.json", f"{CATALOGUE}404.html"


def search_shard(letters: str) -> str:
    """The part of the search index for words that begin with `letters`."""
    return f"{CATALOGUE}search/{letters}.json"


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


# --- any key --------------------------------------------------------------------------------------------------------

_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*\Z")
_IMMUTABLE = re.compile(r"data/[^/]+/[^/]+/[^/]+/(v\d+-[0-9a-f]{12}/|changes/v\d+-v\d+-[0-9a-f]{12}\.csv\Z)")
_JSON_FEED = re.compile(r"catalogue/(feed|feeds/.+)\.json\Z")
_TEXT = "; charset=utf-8"
_MEDIA_TYPES = {
    ".csv": f"text/csv{_TEXT}", ".html": f"text/html{_TEXT}", ".css": f"text/css{_TEXT}", ".txt": f"text/plain{_TEXT}",
    ".js": f"text/javascript{_TEXT}", ".json": "application/json", ".jsonld": "application/ld+json",
    ".ttl": "text/turtle", ".atom": "application/atom+xml", ".xml": "application/xml", ".svg": "image/svg+xml",
    ".png": "image/png", ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def check_key(key: str) -> str:
    """Return `key`: it names nothing outside the store. Raises: StoreError: a segment is empty or begins with a dot."""
    if not all(_SEGMENT.match(segment) for segment in key.split("/")):
        raise StoreError(f"{key!r} is not a key: segments separated by '/', none empty, none beginning with a dot")
    return key


def is_public(key: str) -> bool:
    """True if the object under `key` may be served."""
    return key.startswith(PUBLIC)


def is_immutable(key: str) -> bool:
    """True for the files of versions and the differences between them, which their pointers vouch for by hash."""
    return bool(_IMMUTABLE.match(key))


def content_type(key: str) -> str:
    """The media type of the object under `key`, by its name; we vouch for none of the bytes as received."""
    suffix = PurePosixPath(key).suffix
    if not is_public(key) and suffix != ".json":
        return "application/octet-stream"
    return "application/feed+json" if _JSON_FEED.match(key) else _MEDIA_TYPES.get(suffix, "application/octet-stream")


def cache_control(key: str) -> str:
    """Cache-Control for a key: immutable for version files, one minute for other public keys, no-store for private."""
    if not is_public(key):
        return "private, no-store"
    return "public, max-age=31536000, immutable" if is_immutable(key) else "public, max-age=60, must-revalidate"


def _folder_of(submission: Submission) -> str:
    return submission_folder(submission.body, submission.dataset, submission.sha256)


def _compact(instant: str) -> str:
    """An ISO 8601 instant without the characters that some file systems refuse in names."""
    return instant.replace(":", "").replace("-", "")
