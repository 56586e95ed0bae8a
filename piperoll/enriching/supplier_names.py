"""The normal form of a supplier's name, by which its spellings are put together.

Two names have the same key if they differ only in what Companies House disregards too when it decides whether a name is
the same as one that is registered (SI 2015/17, Schedule 3): case, accents, punctuation, spaces, `&` for "and", a
leading "the", and the form of the company. Everything else stays: places, brackets and their words, numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from html import unescape
from pathlib import Path

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.people.names import fold_text
from piperoll.people.private_people import person_rule, redaction_kind

FOLDER = "suppliers"
"""The folder in datapackages/ with the lists of this package."""

_THE = re.compile(r"^THE\s+(?=\S)|[\s,]*\(\s*THE\s*\)|,\s*THE$")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)|(?<=S)'(?=\s|$)")
_WORD = re.compile(r"[^\W_]+")
_CARE_OF = re.compile(r"\s+c\s?/\s?o\s+", re.IGNORECASE)
_DIGITS_MEET = re.compile(r"(?<=\d)\s+(?=\d)")
_LETTER = re.compile(r"[^\W\d_]")
_END = r"(?=\W*(?:$|[()\[\],;:/\\|]|\s-|-\s|\bT/A\b|\bC/O\b|\bTRADING AS\b))"


@lru_cache(maxsize=1 << 17)
def supplier_key(name: str | None) -> str | None:
    """The normal form of a supplier's name: lower-case letters and digits, `rookwales` for "Rook (Wales) Ltd".

    None for a name that names no organisation: a redaction, a placeholder such as "Sundry supplier", what looks like a
    private person's name, and codes without a letter.
    """
    if not name or redaction_kind(name) or is_placeholder(name) or names_person(name):
        return None
    return normal_form(name)


def names_person(name: str) -> bool:
    """Whether a name looks like a private person's, also care of a firm: "Jane Doe C/O Rook & Daw LLP"."""
    return person_rule(name) is not None or (
        (before := _CARE_OF.split(name, maxsplit=1)[0]) != name and person_rule(before) is not None
    )


@lru_cache(maxsize=1 << 17)
def normal_form(name: str) -> str | None:
    """The normal form of a name, also of a person; None unless it has a letter and another letter or digit."""
    text = without_form(fold_text(unescape(name)))
    for word, written_as in _written_as():
        text = word.sub(written_as, text)
    text = _APOSTROPHE.sub("", text)
    text = _DIGITS_MEET.sub("-", " ".join(_WORD.findall(text))).replace(" ", "").lower()
    return text if len(text) > 1 and _LETTER.search(text) else None


def without_form(folded: str) -> str:
    """Remove "the" and the forms of companies from a folded name, unless nothing would be left."""
    for pattern in (_THE, _forms_inside(), _forms_last()):
        previous = None
        while folded != previous:
            previous = folded
            shorter = pattern.sub(" ", folded, count=1).strip(" ,")
            folded = shorter if _WORD.search(shorter) else folded
    return folded


@cache
def is_placeholder(name: str) -> bool:
    """Whether a name stands for several payees or none: "Various", "One time vendor"."""
    return placeholder_class(name) is not None


def placeholder_class(name: str) -> str | None:
    """The payee class of a placeholder; None for any other name."""
    folded = fold_text(name)
    return next((found for pattern, found in _placeholders() if pattern.fullmatch(folded)), None)


@cache
def _placeholders() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = read_list("placeholders.csv", "pattern", "class")
    return tuple((re.compile(row["pattern"], re.IGNORECASE), row["class"]) for row in rows)


@cache
def company_form() -> re.Pattern[str]:
    """Find the form of a company at the end of a folded name or before a bracket, comma or dash."""
    return re.compile(rf"{_forms_inside().pattern}|{_forms_last().pattern}")


@cache
def _forms_inside() -> re.Pattern[str]:
    """Forms that are never another word, wherever they stand but at the beginning."""
    return re.compile(rf"(?<=[\w)\]])[\s.,]*[\s.,()](?:{forms_pattern('anywhere')})\.?(?!\w)")


@cache
def _forms_last() -> re.Pattern[str]:
    """Forms that count at the end of a name, or of a part of it."""
    return re.compile(rf"(?<=[\w)\]])[\s.,]*[\s.,()](?:{forms_pattern('end')})\.?(?!\w){_END}")


def forms_pattern(where: str) -> str:
    """A pattern (also of RE2) for the forms that forms.csv says count `where`; letters may have dots: "P.L.C."."""
    forms = [row["form"] for row in read_list("forms.csv", "form", "where", "class") if row["where"] == where]
    spelt = ["[. ]?".join(form) if len(form) <= 4 else form.replace(" ", r"\s+") for form in forms]
    return "|".join(sorted(spelt, key=lambda form: (-len(form), form)))


@cache
def _written_as() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = read_list("words.csv", "pattern", "written_as")
    return tuple((re.compile(row["pattern"]), row["written_as"]) for row in rows)


def read_list(name: str, *columns: str) -> list[dict[str, str]]:
    """Read a list of datapackages/suppliers. Raises: DescriptorError: a column is missing."""
    path = list_path(name)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not set(columns) <= rows[0].keys():
        raise DescriptorError(f"{FOLDER}/{name} lacks one of the columns {', '.join(columns)}, or has no rows")
    return rows


def list_path(name: str) -> Path:
    """The path of a list of datapackages/suppliers."""
    return assets.folder("datapackages") / FOLDER / name


def group_spellings(names: Iterable[str]) -> dict[str, list[str]]:
    """The spellings of each key, in the order given; names without a key are left out."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if (key := supplier_key(name)) is not None:
            found.setdefault(key, []).append(name)
    return found
