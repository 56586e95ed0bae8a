"""The one table of personal-data rules: how each is found in one text, and fast in a column of them.

A rule's name is the end of the code of its finding, `privacy-{name}`. docs/standards.md#detectors has the sources, and
how precise each rule can be.

Most texts hold nothing personal. `find_personal_data` in a column of different texts therefore runs one regular
expression of Arrow (the *sieve*) over the whole column, and the precise rules over the few texts that it keeps. So a
rule has two patterns in its row, beside each other: one that never misses, and one that is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from piperoll.model.columns import Cells, Flags, is_filled, pc, texts_from_buffers, to_flags
from piperoll.people.lists import privacy_lists, split_words

_S = r"[\t-\r\x1c-\x20]"
"""The ASCII characters that `\\s` matches in Python; it matches fewer of them in RE2, the engine of Arrow."""


@dataclass(frozen=True, slots=True)
class PersonalDataRule:
    """One kind of personal data that a text can hold.

    `precise` is searched in one text, and `check` decides about each match. `sieve` is a pattern of RE2 for ASCII text
    that must match every text that has the rule: it is `precise` without what surrounds it.
    """

    name: str
    sieve: str
    precise: re.Pattern[str]
    check: Callable[[re.Match[str], str], bool] = lambda _match, _text: True

    def applies(self, text: str) -> bool:
        """Whether `text` may hold this kind of personal data."""
        return any(self.check(match, text) for match in self.precise.finditer(text))


_NHS_CUE = re.compile(r"\bNHS\b|\bpatient\b", re.IGNORECASE)
_PHONE_CUE = re.compile(r"\b(?:tel|telephone|phone|ph|mob|mobile|call|contact|ring)\b", re.IGNORECASE)
_SORT_CUE = re.compile(r"\bsort\b|\bs/c\b", re.IGNORECASE)
_LONG_DATE = re.compile(r"\d[- ]\d{1,2}[- ](?:19|20)\d\d")
_SORT_SIEVE = r"[0-9]{2}[- ][0-9]{2}[- ][0-9]{2}"
_SORT_CODE = re.compile(r"(?<![\d/-])(\d{2})[- ](\d{2})[- ](\d{2})(?![\d/-])")
_BESIDE_ACCOUNT_WORDS = re.compile(
    r"\bbank\b.{0,30}(?<!\d)\d{8}(?!\d)|\bacc(?:oun)?t\.?\s?(?:no|num(?:ber)?)\b\D{0,5}\d{8}(?!\d)", re.IGNORECASE
)
_CUSTOMER_CUE = re.compile(
    r"\b(?:customer|utilit(?:y|ies)|electric(?:ity)?|gas|water|sewerage|energy|power|heating|oil|fuel|telephone|telecoms?"
    r"|phones?|mobiles?|broadband|internet|line rental|meter|mpan|mprn|supply|standing charge|rates|invoices?|bill"
    r"|billing|period|subscription|licen[cs]e|premises|site|postage|franking|courier)\b",
    re.IGNORECASE,
)
"""Words of what is supplied to a customer, whose number has the form of a bank account number."""

_COURT_CASE = re.compile(
    r"case\W{0,2}(?:no|number|ref|reference)?\W{0,4}(?:AC|BL|CA|CH|CL|CO|HC|HQ|HT|KB|QB)\d{0,2}[/ -]?"
    r"(?:\d+[/-](?:19|20)\d\d|(?:19|20)\d\d[/-])",
    re.IGNORECASE,
)
"""The number of a case in a civil court, of which one part is a year: "CO/1234/2010"."""

_ENGAGEMENT = re.compile(r"\bengag(?:ement)?\b|\bmatter\s?(?:no|id|ref|number)\b", re.IGNORECASE)
"""Words of a firm that numbers its clients, who are organisations, and its work for them."""

_MAY_BE_PERSONAL = re.compile(
    r"\d|@|\b(?:mr|mrs|ms|miss|mx|master|dr|prof|rev|sir|dame|lord|lady|cllr)\b", re.IGNORECASE
)
"""Without a digit, an @ or a title a text holds nothing personal: most texts need no other search."""


def _is_nhs_number(match: re.Match[str], text: str) -> bool:
    """Whether ten digits pass the modulus 11 check, and are grouped 3-3-4 as NHS numbers are.

    Ten digits in one run are more often an order number, one in eleven of which passes the check: they count only
    beside the word.
    """
    digits = match[1] + match[3] + match[4]
    weighed = sum(int(digit) * (10 - index) for index, digit in enumerate(digits[:9]))
    check = (11 - weighed % 11) % 11
    return check == int(digits[9]) and (bool(match[2]) or bool(_NHS_CUE.search(text)))


def _is_personal_mailbox(match: re.Match[str], _text: str) -> bool:
    """Whether no word before the @ is that of a shared mailbox."""
    mailbox = match[1].lower()
    return not privacy_lists().mailboxes.intersection((mailbox, *re.split(r"[._\-+']", mailbox)))


def _is_phone_number(match: re.Match[str], text: str) -> bool:
    """Whether a number has gaps, is a mobile's or is beside a word for telephone; others are more often references."""
    if _LONG_DATE.search(match[0]):
        return False
    has_gaps = bool(re.search(r"\d[\s\-)]", match[0]))
    return has_gaps or match[0].startswith(("+44", "07")) or bool(_PHONE_CUE.search(text))


def _is_sort_code(match: re.Match[str], text: str) -> bool:
    """Whether three pairs of digits are beside the word "sort", or are joined by hyphens and not a date."""
    if _SORT_CUE.search(text):
        return True
    first, middle, last = (int(group) for group in match.groups())
    for year, month, day in ((last, middle, first), (first, middle, last), (last, first, middle)):
        with suppress(ValueError):
            date(2000 + year, month, day)
            return False
    return match[0].count("-") == len(match.groups()) - 1


def _is_account_number(_match: re.Match[str], text: str) -> bool:
    """Whether eight digits are beside the words for a bank account, or in one text with a sort code.

    The number of a customer of a utility is called an account number too, and is nobody's bank account.
    """
    if any(_is_sort_code(match, text) for match in _SORT_CODE.finditer(text)):
        return True
    return bool(_BESIDE_ACCOUNT_WORDS.search(text)) and not _CUSTOMER_CUE.search(text)


def _is_case_reference(match: re.Match[str], text: str) -> bool:
    """Whether a number is that of a person's case: not of a case in court, nor of a law or audit firm's work."""
    return not (_COURT_CASE.match(text, match.start()) or _ENGAGEMENT.search(text))


def _is_person(match: re.Match[str], text: str) -> bool:
    """Whether a title is before a person's name, and not part of an institution or a master plan."""
    if privacy_lists().not_names.match(text, match.start()):
        return False
    words = split_words(match[0])[1:]
    return not (
        match[0].startswith(("Rev ", "Prof "))
        and privacy_lists().usual.union(privacy_lists().strong).intersection(words)
    )


RULES: tuple[PersonalDataRule, ...] = (
    PersonalDataRule(
        "ni-number",
        rf"(?i:\b[a-z]{{2}}{_S}?[0-9]{{2}}{_S}?[0-9]{{2}}{_S}?[0-9]{{2}}{_S}?[a-d]\b)",
        re.compile(
            r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b",
            re.IGNORECASE,
        ),
    ),
    PersonalDataRule(
        "nhs-number",
        r"(?is:[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}|\b(?:NHS|patient)\b.*[0-9]{10}|[0-9]{10}.*\b(?:NHS|patient)\b)",
        re.compile(r"(?<![\d-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?![\d-])"),
        _is_nhs_number,
    ),
    PersonalDataRule(
        "email",
        r"(?i:[a-z0-9._%+'-]@[a-z0-9.-]+\.[a-z]{2})",
        re.compile(r"\b([A-Z0-9._%+\-']+)@[A-Z0-9.\-]+\.[A-Z]{2,}\b", re.IGNORECASE),
        _is_personal_mailbox,
    ),
    PersonalDataRule(
        "phone",
        rf"(?:\+44{_S}?\(?0?\)?{_S}?|0)[127](?:[\t-\r\x1c-\x20)-]{{0,2}}[0-9]){{8}}",
        re.compile(r"(?<![\d/.-])(?:\+44\s?\(?0?\)?\s?|\(?0)(?=[17]|2[03489])(?:\d[\s\-)]{0,2}){8,9}\d(?![\d/])"),
        _is_phone_number,
    ),
    PersonalDataRule("sort-code", _SORT_SIEVE, _SORT_CODE, _is_sort_code),
    PersonalDataRule(
        "account-number",
        rf"(?is:\bbank\b.*[0-9]{{8}}|\bacc(?:oun)?t\.?{_S}?(?:no|num(?:ber)?)\b[^0-9]{{0,5}}[0-9]{{8}}|{_SORT_SIEVE})",
        re.compile(r"(?<![A-Za-z\d])\d{8}(?!\d)"),
        _is_account_number,
    ),
    PersonalDataRule(
        "date-of-birth",
        r"(?is:\b(?:dob|d\.o\.b|born)\b.*[0-9])",
        re.compile(r"\b(?:dob|d\.o\.b|born)\b.{0,15}\d", re.IGNORECASE),
    ),
    PersonalDataRule(
        "case-reference",
        rf"(?i:\b(?:client|child|case|swift|mosaic|las){_S}?(?:no|id|ref)?\.?[\t-\r\x1c-\x20:]*[0-9]{{4}}"
        rf"|\b(?:client|child|case|service user){_S}?(?:no|id|ref|reference|number)\b[^0-9A-Za-z]*[A-Za-z]{{0,4}}"
        r"[/ -]?[0-9]{3})",
        re.compile(
            r"\b(?:client|child|case|swift|mosaic|(?-i:LAS))\s?(?:no|id|ref)?\.?[:\s]*\d{4,}(?![\d/-])"
            r"|\b(?:client|child|case|service user)\s?(?:no|id|ref|reference|number)\b[^\w]{0,4}[A-Z]{0,4}[/ -]?\d{3,}",
            re.IGNORECASE,
        ),
        _is_case_reference,
    ),
    PersonalDataRule(
        # not Sir, Dame, Lord and Lady, which in a text are houses, schools and people in public life
        "titled-name",
        rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Master|Dr|Cllr|Rev|Prof|MR|MRS|MISS|CLLR|mrs?)\.{{0,2}}{_S}+[A-Za-z'-]",
        re.compile(
            r"(?<![\w-])(?:(?:Mr|Mrs|Ms|Miss|Mx|Master|Dr|Cllr|Rev\.|Prof\.)\.?\s+[A-Z][A-Za-z'’\-]+"
            r"|(?:Rev|Prof)\s+(?:[A-Z]\.?\s+)*[A-Z][a-z'’\-]+\s+[A-Z][a-z'’\-]+"  # not "Rev Inside RAB"
            r"|Prof\s+(?:[A-Z]\.?\s+)+[A-Z][a-z'’\-]+"  # not "Rev A Drawing"
            r"|(?:MR|MRS|MISS|CLLR)\.?\s+[A-Z][A-Z'’\-]*\b|[Mm]rs?\.?\s+(?:[a-z]\.?\s+)*[a-z'’\-]{3,})"
        ),
        _is_person,
    ),
)


@lru_cache(maxsize=65536)
def personal_rules(text: str) -> frozenset[str]:
    """The names of the rules by which `text` may hold personal data."""
    if not _MAY_BE_PERSONAL.search(text):
        return frozenset()
    return frozenset(rule.name for rule in RULES if rule.applies(text))


def sieve_personal_data(cells: Cells) -> Flags:
    """Which cells of a column may have a rule: all that do, and few others."""
    return _sieve(cells, "|".join(rule.sieve for rule in RULES))


def sieve_phrases(cells: Cells, phrases: Sequence[str]) -> Flags:
    """Which cells of a column may hold one of `phrases` as whole words, in any case: all that do, and few others."""
    if not all(phrase.isascii() for phrase in phrases):
        return is_filled(cells)
    return _sieve(cells, "(?i:" + "|".join(re.escape(phrase) for phrase in phrases) + ")")


CODE_RULES = frozenset(("ni-number", "email", "date-of-birth", "titled-name"))
"""The rules for columns of codes and labels. The others take references for telephone or bank account numbers."""

_WORDS = r"[A-Za-z]{2}[ ,.&'-]+[A-Za-z]"
"""Two words, as a name has: few codes do."""


def sieve_codes(cells: Cells) -> Flags:
    """Which cells of a column of codes or labels may have one of `CODE_RULES`, or be a name."""
    return _sieve(cells, "|".join([*(rule.sieve for rule in RULES if rule.name in CODE_RULES), _WORDS]))


def sieve_pattern(cells: Cells, pattern: str) -> Flags:
    """Which cells of a column may match `pattern`, which is of ASCII: all that do, and few others."""
    return _sieve(cells, pattern)


_WORTH_SIEVING = 100
"""Below this number of cells, checking each takes less time than compiling the sieve."""

_TO_ASCII: Mapping[str, str] = {"[£€–—…•·“”]": "~", "[\u2018\u2019]": "'", "\u00a0": " ", "[À-ÖØ-öø-ÿ]": "x"}
"""Common characters outside ASCII, and one of ASCII that every rule treats alike: as part of a word, or as none."""


def _may_match_anywhere(cells: Cells, pattern: str) -> bool:
    """Whether any cell may match `pattern`, by one search in all of them as one text: far faster than in each.

    In the joined text a match may begin in one cell and end in the next, so word boundaries are left out; a pattern
    that says where a cell begins or ends is not searched so.
    """
    data = cells.buffers()[2]
    if data is None or "^" in re.sub(r"\[\^", "[", pattern) or "$" in pattern:
        return data is not None
    joined = texts_from_buffers(np.array([0, data.size], np.int32), data)
    if not pc.string_is_ascii(joined)[0].as_py():
        return True
    return bool(pc.match_substring_regex(joined, pattern.replace(r"\b", ""))[0].as_py())


def _sieve(cells: Cells, pattern: str) -> Flags:
    """Search `pattern` in ASCII, where RE2 and Python agree on letters, digits and word boundaries.

    A text with other characters is searched after `_TO_ASCII`, and kept if it has any character that this lacks.
    """
    if len(cells) < _WORTH_SIEVING:
        return is_filled(cells)
    if not _may_match_anywhere(cells, pattern):
        return np.zeros(len(cells), np.bool_)
    found = to_flags(pc.match_substring_regex(cells, pattern))
    not_ascii = (~to_flags(pc.string_is_ascii(cells)) & is_filled(cells)).nonzero()[0]
    if not_ascii.size:
        replaced = cells.take(not_ascii)
        for characters, ascii_character in _TO_ASCII.items():
            replaced = pc.replace_substring_regex(replaced, characters, ascii_character)
        matches = to_flags(pc.match_substring_regex(replaced, pattern))
        found[not_ascii] = matches | ~to_flags(pc.string_is_ascii(replaced))
    return found
