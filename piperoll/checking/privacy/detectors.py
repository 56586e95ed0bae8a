"""What in a text may be personal: numbers and addresses by which a person is known.

Source: STANDARDS §9.3, with the limits of precision that it states. Each detector's name is the rule in the code of its
finding, `privacy-{rule}`.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from piperoll.checking.privacy.lists import lists, tokens

_SUSPECT = re.compile(r"\d|@|\b(?:mr|mrs|ms|miss|mx|master|dr|prof|rev|sir|dame|lord|lady|cllr)\b", re.IGNORECASE)
_NI = re.compile(
    r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b", re.IGNORECASE
)
_NHS = re.compile(r"(?<![\d-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?![\d-])")
_NHS_CUE = re.compile(r"\bNHS\b|\bpatient\b", re.IGNORECASE)
_EMAIL = re.compile(r"\b([A-Z0-9._%+\-']+)@[A-Z0-9.\-]+\.[A-Z]{2,}\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\d/.-])(?:\+44\s?\(?0?\)?\s?|\(?0)(?=[127])(?:\d[\s\-)]{0,2}){8,9}\d(?![\d/])")
_PHONE_CUE = re.compile(r"\b(?:tel|telephone|phone|ph|mob|mobile|call|contact|ring)\b", re.IGNORECASE)
_LONG_DATE = re.compile(r"\d[- ]\d{1,2}[- ](?:19|20)\d\d")
_SORT = re.compile(r"(?<![\d/-])(\d{2})[- ](\d{2})[- ](\d{2})(?![\d/-])")
_SORT_CUE = re.compile(r"\bsort\b|\bs/c\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<!\d)\d{8}(?!\d)")
_ACCOUNT_CUE = re.compile(
    r"\bbank\b.{0,30}(?<!\d)\d{8}(?!\d)|\bacc(?:oun)?t\.?\s?(?:no|num(?:ber)?)\b\D{0,5}\d{8}(?!\d)", re.IGNORECASE
)
_BORN = re.compile(r"\b(?:dob|d\.o\.b|born)\b.{0,15}\d", re.IGNORECASE)
_CASE = re.compile(
    r"\b(?:client|child|case|swift|mosaic|(?-i:LAS))\s?(?:no|id|ref)?\.?[:\s]*\d{4,}(?![\d/-])", re.IGNORECASE
)
_TITLED = re.compile(
    r"(?<![\w-])(?:(?:Mr|Mrs|Ms|Miss|Mx|Master|Dr|Cllr|Rev\.|Prof\.)\.?\s+[A-Z][A-Za-z'’\-]+"
    r"|(?:Rev|Prof)\s+(?:[A-Z]\.?\s+)*[A-Z][a-z'’\-]+\s+[A-Z][a-z'’\-]+"
    r"|(?:MR|MRS|MISS|CLLR)\.?\s+[A-Z][A-Z'’\-]*\b|[Mm]rs?\.?\s+(?:[a-z]\.?\s+)*[a-z'’\-]{3,})"
)
"""Not Sir, Dame, Lord and Lady, which in a text are houses, schools and people in public life; not "Rev Inside RAB"."""


@lru_cache(maxsize=65536)
def personal_rules(text: str) -> frozenset[str]:
    """The rules by which `text` may hold what is personal; empty if it holds nothing that we know."""
    if not _SUSPECT.search(text):
        return frozenset()
    sort_code = _has_sort_code(text)
    found = {
        "ni-number": bool(_NI.search(text)),
        "nhs-number": any(_is_nhs_number(match, text) for match in _NHS.finditer(text)),
        "email": any(_is_personal_mailbox(match[1]) for match in _EMAIL.finditer(text)),
        "phone": _has_phone(text),
        "sort-code": sort_code,
        "account-number": bool(_ACCOUNT_CUE.search(text) or (sort_code and _ACCOUNT.search(text))),
        "date-of-birth": bool(_BORN.search(text)),
        "case-reference": bool(_CASE.search(text)),
        "titled-name": any(_is_persons(match, text) for match in _TITLED.finditer(text)),
    }
    return frozenset(rule for rule, there in found.items() if there)


def _is_persons(match: re.Match[str], text: str) -> bool:
    """Whether what stands after a title names a person, and not a master plan or an institution."""
    if lists().not_names.match(text, match.start()):
        return False
    words = tokens(match[0])[1:]
    return not (match[0].startswith(("Rev ", "Prof ")) and lists().usual.union(lists().strong).intersection(words))


def _is_nhs_number(match: re.Match[str], text: str) -> bool:
    """Modulus 11, and written as NHS numbers are, in threes and four.

    Ten digits in one run are more often an order number, one in eleven of which passes the check: those count only
    beside the word.
    """
    digits = match[1] + match[3] + match[4]
    weighed = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9]))
    check = (11 - weighed % 11) % 11
    return check == int(digits[9]) and (bool(match[2]) or bool(_NHS_CUE.search(text)))


def _is_personal_mailbox(mailbox: str) -> bool:
    """Whether no word of the part before the @ is that of a shared mailbox."""
    pieces = re.split(r"[._\-+']", mailbox.lower())
    return mailbox.lower() not in lists().mailboxes and not lists().mailboxes.intersection(pieces)


def _has_phone(text: str) -> bool:
    """A number with gaps, a mobile's, or one beside a word for telephone; plain digits are more often a reference."""
    for match in _PHONE.finditer(text):
        if _LONG_DATE.search(match[0]):
            continue
        written_so = bool(re.search(r"\d[\s\-)]", match[0])) or match[0].startswith(("+44", "07"))
        if written_so or _PHONE_CUE.search(text):
            return True
    return False


def _has_sort_code(text: str) -> bool:
    """Three pairs of digits that are no date, or that stand beside the word."""
    for match in _SORT.finditer(text):
        if _SORT_CUE.search(text):
            return True
        if "-" in match[0] and not _is_date(match):
            return True
    return False


def _is_date(match: re.Match[str]) -> bool:
    first, middle, last = (int(group) for group in match.groups())
    return (
        _exists(2000 + last, middle, first)
        or _exists(2000 + first, middle, last)
        or _exists(2000 + last, first, middle)
    )


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
