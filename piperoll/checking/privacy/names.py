"""Whether a supplier's name looks like a private person's.

Precision is limited, and the limit is chosen: better one firm held too many than one carer published. What is not
found: a person under an organisation's word ("Smith Care"), a name of which no part is in given-names.csv, and one word
alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

from piperoll.checking.privacy.lists import Lists, lists, spelling, tokens

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
    """By which rule `name` looks like a private person: titled-name, surname-initial, full-name; None if it does not.

    Source: STANDARDS §9.3; the forms of a name are those of a supplier column.
    """
    words = lists()
    name = _GATEWAY.sub("", name.strip())
    parts = tokens(name)
    if _TRADING.search(name) or words.strong.intersection(parts) or spelling(name) in words.firms:
        return None
    if (_TITLED.search(name) or _TITLE_LAST.match(name)) and not words.not_names.search(name):
        return "titled-name"
    if _is_organisation(name, parts, words):
        return None
    if _INITIAL_FIRST.match(name.upper() if name.islower() else name) or _SURNAME_FIRST.match(name):
        return "surname-initial"
    return "full-name" if _full_name(name, parts, words) else None


@lru_cache(maxsize=65536)
def evidently_organisation(name: str) -> bool:
    """Whether `name` bears a word, a form or an address that only organisations bear."""
    words = lists()
    parts = tokens(name)
    if person_rule(name):
        return False
    return bool(
        words.strong.intersection(parts)
        or _TRADING.search(name)
        or spelling(name) in words.firms
        or _is_organisation(name, parts, words)
        or (len(parts) == 1 and 2 <= len(parts[0]) <= 4 and name.isupper())  # BT, EDF, BUPA
    )


def _is_organisation(name: str, parts: list[str], words: Lists) -> bool:
    if words.usual.intersection(parts) or _ADDRESS_ON_WEB.search(name):
        return True
    found = words.surnames.intersection(parts)
    others = [part for part in parts if part not in found]
    # "Village Green" is a place, "John Green" and "Mr Green" are not
    return bool(found) and not all(_of_a_person(part, words) for part in others)


def _of_a_person(part: str, words: Lists) -> bool:
    return len(part) == 1 or part in words.given_names or part in _TITLES


def _full_name(name: str, parts: list[str], words: Lists) -> bool:
    """Two to four words of letters that read as a person's: John Smith, SMITH JOHN, Smith, Mary Ann, Xanthippe Smith.

    A given name comes first or last; or a word that is no family name comes before one that is, where two family
    names would be a firm's (Coleman Milne).
    """
    if not 2 <= len(parts) <= 4 or parts[0] == "THE" or any(character.isdigit() for character in name):
        return False
    if " ".join(parts[:2]) in words.firms:
        return False
    if parts[0] in words.given_names or (parts[-1] in words.given_names and len(parts) <= 3):
        return True
    strange = len(parts) == 2 and len(parts[0]) > 2 and parts[0] not in words.family_names and "&" not in name
    return strange and parts[-1] in words.family_names
