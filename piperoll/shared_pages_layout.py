"""The keys of pages about many bodies and suppliers, and names of downloads; `piperoll.layout` has them too."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from piperoll.model import Series, Version

__all__ = (
    "COMPARE",
    "DOWNLOAD_ALL",
    "FIGURES",
    "README",
    "SUPPLIERS",
    "bodies_list",
    "body_figures",
    "comparison_file",
    "comparison_page",
    "comparison_prefix",
    "download_name",
    "supplier_figures",
    "supplier_group",
    "supplier_letter_page",
    "supplier_letters",
    "supplier_list",
    "supplier_page",
    "supplier_slug",
)

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
