"""Who is a private person: whether a supplier's name looks like one.

The rules prefer to hold one firm too many over publishing one carer's name. They do not find a person under an
organisation's word ("Smith Care"), a name with no part in given-names.csv, or a single word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from piperoll.checking.privacy.lists import PrivacyLists, normalise_name, privacy_lists, split_words

_GATEWAY = re.compile(
    r"^(?:paypal|sumup|zettle|izettle|iz|sq|sp|stripe|worldpay|crv|gocardless)\s?[*_]+\s*", re.IGNORECASE
)
_TRADING = re.compile(r"\b(?:t\s?/\s?as?|trading\s+as|c/o\s+\S+\s+(?:ltd|limited|plc))\b", re.IGNORECASE)
_ADDRESS_ON_WEB = re.compile(r"\.(?:co|com|org|net|gov|ac|uk|eu|io|info|biz)\b|\bwww\b", re.IGNORECASE)
_TITLES = frozenset(
    ("MR", "MRS", "MS", "MISS", "MX", "MASTER", "DR", "PROF", "REV", "SIR", "DAME", "LORD", "LADY", "CLLR", "MESSRS")
)
_TITLED = re.compile(
    r"(?:^|(?<=[\s,;:(/&-]))(?:Mr|Mrs|Ms|Miss|Mx|Master|Dr|Prof|Rev|Sir|Dame|Lord|Lady|Cllr"
    r"|MR|MRS|MS|MISS|MX|DR|PROF|REV|CLLR)"
    r"(?:\.\s*|\s+)(?:(?:&|and|AND)\s+\w+\.?\s+)?[A-Z][A-Za-z'’\-]*"
)
_TITLE_LAST = re.compile(
    r"^[A-Za-z'’\-]{2,}[,\s]+(?:[A-Za-z'’\-]+\.?\s+){0,3}\(?(?:MR|MRS|MS|MISS|DR)\)?\.?$", re.IGNORECASE
)
_SURNAME = r"(?:(?:Mc|Mac|O['’]|MC|MAC|VAN|Van|van|DE|De|de|LE|Le|ST|St)\s?)?[A-Z][A-Za-z'’\-]{2,}"
_AND = r"(?:\s*(?:&|AND|and)\s*|\s+|(?<=\.))"
_INITIAL_FIRST = re.compile(rf"^(?:[A-Z]\.?{_AND}){{1,4}}{_SURNAME}$")
_SURNAME_FIRST = re.compile(rf"^{_SURNAME}\s*,?\s+(?:[A-Z]{{1,2}}|[A-Z]\.?(?:{_AND}[A-Z]\.?){{1,3}}|[A-Z]\.)$")


@lru_cache(maxsize=65536)
def person_rule(name: str) -> str | None:
    """The rule by which `name` looks like a private person: titled-name, surname-initial, full-name; None if none does.

    docs/standards.md#detectors has the source; the forms of a name are those of a supplier column.
    """
    words = privacy_lists()
    name = _GATEWAY.sub("", name.strip())
    parts = split_words(name)
    if _TRADING.search(name) or words.strong.intersection(parts) or normalise_name(name) in words.firms:
        return None
    if (_TITLED.search(name) or _TITLE_LAST.match(name)) and not words.not_names.search(name):
        return "titled-name"
    if _is_organisation(name, parts, words):
        return None
    if _INITIAL_FIRST.match(name.upper() if name.islower() else name) or _SURNAME_FIRST.match(name):
        return "surname-initial"
    return "full-name" if _is_full_name(name, parts, words) else None


@lru_cache(maxsize=65536)
def is_clearly_organisation(name: str) -> bool:
    """Whether `name` has a word, a legal form or a web address that only organisations have."""
    words = privacy_lists()
    parts = split_words(name)
    if person_rule(name):
        return False
    return bool(
        words.strong.intersection(parts)
        or _TRADING.search(name)
        or normalise_name(name) in words.firms
        or _is_organisation(name, parts, words)
        or (len(parts) == 1 and 2 <= len(parts[0]) <= 4 and name.isupper())  # BT, EDF, BUPA
    )


def _is_organisation(name: str, parts: list[str], words: PrivacyLists) -> bool:
    if words.usual.intersection(parts) or _ADDRESS_ON_WEB.search(name):
        return True
    found = words.surnames.intersection(parts)
    # "Village Green" is a place, "John Green" and "Mr Green" are not
    return bool(found) and not all(
        len(part) == 1 or part in words.given_names or part in _TITLES for part in parts if part not in found
    )


def _is_full_name(name: str, parts: list[str], words: PrivacyLists) -> bool:
    """Whether two to four words look like a person's: John Smith, SMITH JOHN, Smith, Mary Ann, Xanthippe Smith.

    A given name is first or last; or a word that is not a family name is before one that is (two family names are
    more often a firm's: Coleman Milne).
    """
    if not 2 <= len(parts) <= 4 or parts[0] == "THE" or any(character.isdigit() for character in name):
        return False
    if " ".join(parts[:2]) in words.firms:
        return False
    if parts[0] in words.given_names or (parts[-1] in words.given_names and len(parts) <= 3):
        return True
    strange = len(parts) == 2 and len(parts[0]) > 2 and parts[0] not in words.family_names and "&" not in name
    return strange and parts[-1] in words.family_names
