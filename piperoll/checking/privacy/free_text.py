"""People in free text: names beside words such as "refund to" or "W/E", children's ages, and home addresses.

Text about a person seldom has a title: "W/E 13.10.13 Jane Doe", "Refund to J Doe", "Respite for Jane aged 7". A name is
searched only where the text, the service or the supplier says that the payment is about one person (a *context*): most
texts elsewhere that have the form of a name are of places and things. What stands around a name (dates, hours, job
titles) is cut away, and `person_rule` judges what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from piperoll.people.lists import privacy_lists, split_words
from piperoll.people.name_model import score_word
from piperoll.people.names import fold_text
from piperoll.people.private_people import person_rule

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b"
)
_DATE = (
    rf"\d{{1,4}}(?:st|nd|rd|th)?[\s./-]+(?:\d{{1,2}}|{_MONTH})(?:[\s./-]+\d{{2,4}})?|{_MONTH}[\s./-]+\d{{2,4}}"
    rf"|\b{_MONTH}\b(?=\s*\d)|\d+"
)
_WEEK = r"\bw\s?[/.]?\s?[ec]\b|\bweeks?\s+(?:ending|commencing|end|comm)\b|\bwk\s?(?:ending|end|comm)?\b|\bp\s?/\s?e\b"

CUE_PATTERN = (
    r"(?i:refund|reimburs|respite|w\s?[/.]\s?[ec]\b|week(?:s)?\s+(?:ending|commencing)|wk\s+end|on behalf of"
    r"|in respect of|(?:payment|paid|payable|allowance|award|grant|support|care|transport|taxi|tuition|compensation"
    r"|deposit)s? (?:to|for|of)\b"
    r"|\bre[:;]|\baged?\b|years? old|yrs? old|timesheet|time sheet|case (?:ref|no)|\bc/o\b)"
)
"""A pattern of RE2 and Python: the texts that may be about one person whatever their row says."""

_PARTICLES = "and|de|van|von|der|den|bin|al|el|la|le|da|dos|di"

NAME_PATTERNS = (
    rf"[A-Z][A-Za-z'-]*[^A-Za-z0-9]+(?:(?:{_PARTICLES}) )*[A-Z]",
    r"\bx[A-Za-z'-]*[^A-Za-z0-9]+[A-Za-z]|[A-Za-z][^A-Za-z0-9]+x",
    "^[^A-Z]*$",
)
"""Patterns of RE2: a text with a name matches one. An accented capital is an x by the time that it is searched."""

BARE_PATTERN = r"^[^A-Za-z0-9]*[A-Za-z]+(?:[ ,.'-]+[A-Za-z]+){1,3}[^A-Za-z0-9]*$"
"""A pattern of RE2: the texts that may be a name and nothing else."""

_BARE = re.compile(r"\W*[^\W\d_]+(?:[ ,.'’-]+[^\W\d_]+){1,3}\W*")
_CUE = re.compile(CUE_PATTERN)
_DIRECT_CUE = re.compile(
    rf"{_WEEK}|\b(?:refund|reimburse|respite|timesheet)|\b(?:allowance|compensation|deposit|tuition|payment|paid|payable|care"
    r"|bursary|taxi|transport|support)s?\s+(?:to|for|of)\b|\bon behalf of\b|\bin respect of\b|\bre\s?[:;]|\bc/o\b"
    r"|\baged?\s+\d|\d\s+y(?:ea)?rs?\s+old",
    re.IGNORECASE,
)
_NOISE = re.compile(
    rf"{_WEEK}|\baged?\s+\d+|\b{_DATE}|[^\s,;:()/]*\d[^\s,;:()/]*|[£$€%@#*=+|\\/:;()\[\]{{}}<>\"“”_?!]+|\s[-–—]+\s?|\s?[-–—]+\s"
    r"|\b(?:refund(?:ed)?|reimburse(?:d|ment)?|respite|payments?|paid|payable|pay|to|for|of|from|in|at|on|by|the|with|per"
    r"|re|aged?|years?|yrs?|old|hours?|hrs?|days?|weeks?|wks?|invoices?|inv|timesheets?|sheet|time|agency|staff|temp"
    r"|temporary|locum|interim|behalf|respect|case|ref|client|child|care|carer|carers|foster|fostering|placement|benefit"
    r"|direct|overpayment|overpaid|council|tax|rent|housing|allowance|compensation|deposit|tuition|taxi|transport|support"
    r"|supply|cover|teacher|social|worker|nurse|driver|officer|manager|assistant|admin|consultant|expenses|mileage|fees?|costs?|charges?|contractor|period|ending|commencing|worked|shifts?"
    r"|april|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thurs?|fri|sat|sun|january|february"
    r"|march|june|july|august|september|october|november|december|apr|jan|feb|mar|jun|jul|aug|sept?|oct|nov|dec)\b",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(rf"{_WEEK}|\baged?\s+\d|\d\s*y(?:ea)?rs?\b", re.IGNORECASE)
"""What may follow a name directly: "JANE DOE W/E 24/06/12", "Jane Doe aged 7"."""

_AROUND = " .,'-–—&\t\r\n"
_LOWER_WORD = re.compile(rf"(?:^|\s)(?!(?:{_PARTICLES})\b)[a-z]")
_LEAST_IN_CONTEXT = -2.0
"""How little a word may look like a name beside a given name, in a row that may be about one person."""

_LONG = 200
"""A text with more characters describes a service: it may name officials, and whom it is about only after a cue."""

_AGE = re.compile(
    r"\b(?:child|boy|girl|son|daughter|client|pupil|baby|infant|service user|he|she)\b[\s,(]*(?:is\s+)?(?:aged?\s+)?"
    r"\d{1,2}\b(?!\s*(?:-|to|–|/)\s*\d)(?=\s*(?:\)|,|\.|$|y|months?|aged))"
    r"|\b(?:child|boy|girl|son|daughter|client|pupil|baby|infant|service user)\b[\s,(]*aged?\s+\d{1,2}\b"
    r"(?!\s*(?:-|to|–|/|and|plus|\+)\s*\d?)",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"\b(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-HJKPSTUW]|[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRV-Y])"
    r"\s?\d[ABD-HJLNP-UW-Z]{2}\b",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\d{1,4}[a-z]?,?\s+(?:[a-z][\w'’.-]*\s+){1,4}?(?:street|st|road|rd|avenue|ave|lane|ln|close|cl|drive|dr|crescent|cres"
    r"|court|ct|way|grove|gr|terrace|terr|gardens|gdns|place|walk|mews|hill|green|row|rise|view|square|sq|park)\b",
    re.IGNORECASE,
)
_HOME = re.compile(
    r"refund|respite|direct payment|foster|benefit|adapt|disabled|\bdfg\b|personal budget|home ?care|carer|client"
    r"|tenant|council tax|\bc/o\b|hardship|home address",
    re.IGNORECASE,
)


@lru_cache(maxsize=65536)
def says_context(text: str) -> bool:
    """Whether a service area, a supplier or a text says that the payment may be about one person."""
    return bool(privacy_lists().contexts.search(text))


@lru_cache(maxsize=65536)
def names_in_text(text: str, *, in_context: bool) -> tuple[str, ...]:
    """The names of people in a text; `in_context` if its row says that the payment may be about one person."""
    if is_bare_name(text):
        return (text.strip(_AROUND),)
    if not (in_context or _CUE.search(text)):
        return ()
    if len(text) > _LONG:
        in_context = False
    names, before = [], ""
    for piece, after in _split_pieces(text):
        direct = bool(_DIRECT_CUE.search(before) or _AFTER_NAME.search(after))
        for part in (piece, *(piece.split(",") if "," in piece else ())):
            if (direct or in_context) and _is_name(part.strip(_AROUND), direct=direct, lower=text.islower()):
                names.append(part.strip(_AROUND))
                break
        before = after
    return tuple(names)


@lru_cache(maxsize=65536)
def is_bare_name(text: str) -> bool:
    """Whether a text, code or label is certainly the full name of a person and nothing else.

    A name needs no cue where it stands alone, but many things have the form of one ("Chelsea Harbour"). Titles are left
    to `personal_data`: "Dame Ellen" and "Lord Nelson" are schools and pubs.
    """
    if not _BARE.fullmatch(text) or is_thing(text):
        return False
    return is_certain_name(split_words(fold_text(text))) and person_rule(text) == "full-name"


def is_certain_name(words: Sequence[str], least: float = 0) -> bool:
    """Whether words in capitals are a person's name beyond what `person_rule` asks of a supplier's.

    A given name that is known stands first, or last after a known family name, and every other word looks like a name:
    its score (`score_word`) is `least` or more.
    """
    lists = privacy_lists()
    if not 2 <= len(words) <= 4:
        return False
    if words[0] in lists.given_names:
        others = words[1:]
    elif words[-1] in lists.given_names and words[0] in lists.family_names:
        others = words[1:-1]
    else:
        return False
    return all(len(word) == 1 or word in lists.family_names or score_word(word).name >= least for word in others)


@lru_cache(maxsize=65536)
def text_rules(text: str, *, in_context: bool) -> frozenset[str]:
    """The rules of this module by which a text is about a person: `person-in-text`, `home-address`."""
    rules = set()
    names = names_in_text(text, in_context=in_context)
    if names or _AGE.search(text):
        rules.add("person-in-text")
    if _STREET.search(text) and (names or (_POSTCODE.search(text) and _HOME.search(text))):
        rules.add("home-address")
    return frozenset(rules)


def is_thing(text: str) -> bool:
    """Whether a text has a word for a thing or a place: "Darwin Grant" looks like a person's name but is not.

    Some things have two words ("bain marie") of which each could be a name; they are looked up as a pair.
    """
    things, folded = privacy_lists().things, fold_text(text)
    return not (things.isdisjoint(split_words(text)) and things.isdisjoint(map(" ".join, pairwise(folded.split()))))


def _split_pieces(text: str) -> Iterator[tuple[str, str]]:
    """Split a text at dates, numbers and words that are not part of a name.

    Yields each piece with what stands between it and the next one; the first piece may be empty.
    """
    piece, between, end = "", "", 0
    for noise in _NOISE.finditer(text):
        words = text[end : noise.start()].strip(_AROUND)
        if words:
            yield piece, between
            piece, between = words, noise[0]
        else:
            between += " " + noise[0]
        end = noise.end()
    yield piece, between
    if words := text[end:].strip(_AROUND):
        yield words, ""


def _is_name(piece: str, *, direct: bool, lower: bool) -> bool:
    """Whether a piece of text is a person's name. Without a direct cue, a known given or family name is needed too.

    Unless the text is all in lower case, each word begins with a capital.
    """
    words = split_words(piece)
    if not (4 <= len(piece) <= 60 and 2 <= len(words) <= 5 and len(max(words, key=len)) >= 3):
        return False
    if is_thing(piece) or (not lower and _LOWER_WORD.search(piece)):
        return False
    rule = person_rule(piece)
    if rule is None or direct or rule == "titled-name":
        return rule is not None
    if rule == "full-name":
        return is_certain_name(words, _LEAST_IN_CONTEXT)
    return not privacy_lists().family_names.isdisjoint(words)
