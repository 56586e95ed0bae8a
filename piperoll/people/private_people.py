"""Who is a private person: whether a supplier's name looks like one.

A name is judged by its text alone, so the same name gets the same answer everywhere, in every spelling. What is said of
an organisation (a legal form, a trade, an institution) comes first, then titles and initials, and then `name_model`,
which knows the names of many countries. The rules do not find a person under an organisation's word ("Smith Care"), nor
by a single word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from piperoll.people.lists import PrivacyLists, normalise_name, privacy_lists, split_folded
from piperoll.people.name_model import score_name, score_word
from piperoll.people.names import TITLES, fold_name, fold_text

_FULL_NAME = -1.6
"""A name whose score is higher may be a person's: by bench/privacy.py 97 % of the people of every origin have more."""

_KNOWN_FULL_NAME = -3.6
"""So much is enough if the first or the last word is a listed given name."""

_SURNAME = -2.6
"""Beside initials a word is a family name if its score is higher."""

_SHORT_SURNAME = 0.3
"""A family name of two letters needs more."""

_GLUED_SURNAME = 1.0
"""Beside two letters that may be initials or an abbreviation a family name needs more."""

_NAME_WITHOUT_VOWEL = 2.5
"""A word without a vowel is a name if its score is higher, and otherwise an abbreviation."""

_NO_NAME = -2.0
"""Words whose scores are all lower are an organisation's."""

_GATEWAY = re.compile(r"^(?:PAYPAL|SUMUP|ZETTLE|IZETTLE|IZ|SQ|SP|STRIPE|WORLDPAY|CRV|GOCARDLESS)\s?[*_]+\s*")
_TRADING = re.compile(
    r"\bT\s?/\s?AS?\b(?=.*\w)|\bTRADING\s+AS\b|\w(?<!\bOF)(?<!\bLATE)(?<!\d)\s+T\.?A\.?\s+[A-Z]+\s+[A-Z]|\bC/O\s+\S+\s+(?:LTD|LIMITED|PLC)\b"
)
_AND_SONS = re.compile(r"(?:&|\+|\bAND)\s*(?:SONS?|DAUGHTERS?|CO|COMPANY|PARTNERS?|ASSOCIATES)\b|\bCO\.?\s?LI?M")
_ADDRESS_ON_WEB = re.compile(r"\.(?:CO|COM|ORG|NET|GOV|AC|UK|EU|IO|INFO|BIZ)\b|\bWWW\b|^AMZ")
_ANY_TITLE = "(?:" + "|".join(sorted(TITLES, key=len, reverse=True)) + ")"
_AFTER_TITLE = rf"(?:\.\s*|\s+)(?:(?:(?:&|AND)\s*)?{_ANY_TITLE}(?:\.\s*|\s+))*(?P<word>[A-Z][A-Z'-]*)"
_TITLED = re.compile(
    rf"(?:(?:^|(?<=[,;:(/&-])\s*|(?<=[,;:(/&-]\s))(?P<title>{_ANY_TITLE})|(?<=\s)(?:MR|MRS|MISS|MX|CLLR|PROFESSOR))"
    rf"{_AFTER_TITLE}"
)
_TITLE_LAST = re.compile(
    r"^[A-Z'-]{2,}[,\s]+(?:[A-Z'-]+\.?\s+){0,3}\(?(?:MR|MRS|MS|MISS|MX|DR|PROF|PROFESSOR|REV|CLLR)\)?\.?$"
)
_OF_A_PERSON = re.compile(
    r"^(?:THE\s+)?(?:ESTATE|EXECUTORS?|EXORS?|EXECUTRIX|ADMINISTRATORS?|PERSONAL REPRESENTATIVES?|NEXT OF KIN|PARENTS?"
    r"|GUARDIANS?|CARERS?)\s+(?:OF|FOR|TO)\b|^(?:THE\s+)?LATE\s|\bDECEASED\b|\(DEC'?D?\.?\)|\bDEC'D\b|\bEXECUTORS? OF\b"
    r"|'S ESTATE$"
)
_WORD = re.compile(r"[A-Z]+(?:'[A-Z]+)*")
_NO_LETTER = re.compile(r"[^A-Z]")
_IN_BRACKETS = re.compile(r"\([^)]*\)?")
_VOWEL = re.compile("[AEIOUY]")
_NO_INITIAL = re.compile(r"\([A-Z]\)|[A-Z0-9]-[A-Z]\b|\b[A-Z]-|/|@|%")
_NO_NAME_SIGN = re.compile(r"[@%_=!?]|\w{3}\.\w{3}")
_SPACED_LETTERS = re.compile(r"\b(?:[A-Z] ){2,}[A-Z]\b")
_GIVEN_NAMES_TOO = frozenset(("CHARITY",))
"""Words of organisations that are given names when they come first."""


_JOINED_NAMES = re.compile(r"[A-Z][A-Z']*(?:[._/|:~\\\u00b7;+-]+[A-Z][A-Z']*){1,3}[._-]*\d{0,6}")
"""A folded name whose words have a sign between them in place of a space: jane.smith, SMITH/JANE, smith_j84."""

_CAPITAL_WITHIN = re.compile(r"^([A-Z][a-z]{2,})(?=[A-Z][a-z]{2,}$)")
_BETWEEN_JOINED = re.compile(r"[^A-Z']+")


@lru_cache(maxsize=1 << 17)
def person_rule(name: str) -> str | None:
    """The rule by which `name` looks like a private person: titled-name, surname-initial, full-name; None if none does.

    docs/standards.md#detectors has the source; the forms of a name are those of a supplier column.
    """
    rule = _rule_as_written(name)
    if rule is None and (spaced := _put_spaces(name)):
        rule = _rule_as_written(spaced)
    return rule


def _put_spaces(name: str) -> str | None:
    """The words of a name without spaces, with spaces, if they may be a person's: one of them is a given name.

    Towns have hyphens and brands have capitals too, so with these the other word must be a family name.
    """
    if " " in name.strip():
        return None
    folded, words = fold_text(_CAPITAL_WITHIN.sub(r"\1-", name)), privacy_lists()
    if not _JOINED_NAMES.fullmatch(folded) or _ADDRESS_ON_WEB.search(folded):
        return None
    parts = _BETWEEN_JOINED.sub(" ", folded).split()
    if set(_BETWEEN_JOINED.findall(folded.rstrip("0123456789"))) == {"-"}:
        likely = len(parts) == 2 and parts[0] in words.given_names and parts[1] in words.family_names
    else:
        likely = parts[0] not in {"ST", "SAINT"} and not words.given_names.isdisjoint((parts[0], parts[-1]))
    return " ".join(parts) if likely else None


def _rule_as_written(name: str) -> str | None:
    """`person_rule` of a name whose words have spaces between them."""
    words = privacy_lists()
    folded = fold_text(name)
    if "*" in folded or "_" in folded:
        folded = _GATEWAY.sub("", folded)
    parts = split_folded(folded)
    if not _GIVEN_NAMES_TOO.isdisjoint(parts):  # whether it comes first shows without what stands before the name
        folded = folded if parts[0] in TITLES else fold_name(name)
        parts = split_folded(folded)
    if _is_certain_organisation(folded, parts, words):
        return None
    if _is_titled(folded, parts, words):
        return "titled-name"
    bare = fold_name(name)
    if _is_organisation(bare, words) or any(character.isdigit() for character in bare):
        return None
    return _untitled_rule(bare, words)


def _untitled_rule(bare: str, words: PrivacyLists) -> str | None:
    """The rule by which a folded name without a title or an organisation's word looks like a person's."""
    if not bare.isascii():  # another script than Latin, for which there is no model
        return "full-name" if 2 <= len(bare.split()) <= 4 else None
    parts = [part for part in _WORD.findall(bare) if part not in TITLES]
    if len(parts) > 2:
        parts = [part for part in parts if part not in words.in_names["after"]]
    if _has_initials(bare, parts, words):
        return "surname-initial"
    if _is_full_name(bare, parts, words):
        return "full-name"
    return "surname-initial" if _has_glued_initials(bare, parts, words) else None


def redaction_kind(name: str | None) -> str | None:
    """The kind of redaction in a supplier's cell, None if it names a supplier (docs/standards.md#spend).

    "Redactive Publishing Ltd" is a firm, and so is every other name with a legal form.
    """
    if name is None or privacy_lists().strong.intersection(normalise_name(name).split()):
        return None
    return next((kind for pattern, kind in privacy_lists().redactions if pattern.search(name)), None)


@lru_cache(maxsize=1 << 17)
def is_clearly_organisation(name: str) -> bool:
    """Whether `name` has a word, a legal form or a web address that only organisations have, or no word like a name."""
    if person_rule(name):
        return False
    words = privacy_lists()
    folded = fold_text(name)
    parts = split_folded(folded)
    if _is_certain_organisation(folded, parts, words) or _is_organisation(folded, words):
        return True
    if len(parts) == 1:  # BT, EDF, BUPA
        return 2 <= len(folded) <= 4 and name.isupper()
    long = [part for part in parts if len(part) > 2 and part.isalpha()]
    return len(long) > 1 and all(score_word(part).name < _NO_NAME for part in long)


def _is_certain_organisation(folded: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether nothing else in the name can make it a person's: it trades, has a legal form, or is a known firm."""
    if _has_word(words.strong, folded, parts, words) or " ".join(parts) in words.firms:
        return True
    if _TRADING.search(folded) or _AND_SONS.search(folded):
        return True
    spaced = _SPACED_LETTERS.search(folded)
    return spaced is not None and spaced[0].replace(" ", "") in words.strong | words.in_names["council"]


def _has_word(listed: frozenset[str], folded: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether a word is listed; two letters may be initials, and count as the last word or if they never are."""
    found = listed.intersection(parts)
    if not found:
        return False
    return any(
        len(part) > 2 or index == len(parts) - 1 or (part in words.in_names["no-initials"] and part in folded.split())
        for index, part in enumerate(parts)
        if part in found and (index or part not in _GIVEN_NAMES_TOO)
    )


def _is_titled(folded: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether the name has a title or is of an estate, and is not an institution that is named after someone."""
    if estate := _OF_A_PERSON.search(folded):
        if not words.usual.intersection(parts).difference(("ESTATE", "ESTATES")):
            return True
        if estate.start() == 0:
            folded = folded[estate.end() :].removeprefix(" THE LATE").lstrip()
    if TITLES.isdisjoint(parts) or words.not_names.search(folded):
        return False
    match = _TITLED.search(folded)
    if match is None:
        return bool(_TITLE_LAST.match(folded))
    if match["title"] not in words.in_names["weak-title"]:
        return not (match["title"] == "DR" and {"CENTRE", "CENTER", "CLINIC", "HOSPITAL"}.intersection(parts))
    return match["word"] not in ("OF", "AND", "THE") and words.usual.isdisjoint(parts)


def _is_organisation(folded: str, words: PrivacyLists) -> bool:
    """Whether a name without a title is an organisation's by one of its words, or is a web address."""
    if _has_word(words.usual, folded, split_folded(folded), words) or _ADDRESS_ON_WEB.search(folded):
        return True
    parts = _WORD.findall(folded)
    if words.surnames.isdisjoint(parts):
        return False
    small = words.in_names["particle"]
    last = len(parts) - 1
    found = [part for at, part in enumerate(parts) if part in words.surnames and (at == last or part not in small)]
    others = [
        part
        for part in parts
        if part not in words.surnames and part not in TITLES and (part not in small or len(part) == 1)
    ]
    if not found:
        return False
    return folded.startswith(("ST ", "ST.", "SAINT ", "THE ")) or not _may_bear(found, others, parts, words)


def _may_bear(found: Sequence[str], others: Sequence[str], parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether `others` are a person's names beside the words `found`: "John Green", not "Village Green"."""
    initials = [part for part in others if len(part) == 1]
    if words.in_names["council"].issuperset(others):
        return False
    if len(initials) == len(others):
        return bool(initials) and "".join(initials) not in words.in_names["council"]
    scores = [score_word(part.replace("'", "")) for part in others if len(part) > 1]
    if any(score.name < 0 for score in scores):
        return False
    is_given = len(found) == 1 and parts[0] == found[0] and found[0] in words.given_names
    return is_given or any(score.given > 0 for score in scores)


def _has_initials(bare: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether the name is one family name with initials before or after it: J A Smith, Smith J., A & B Jones."""
    if _NO_INITIAL.search(bare):
        return False
    long = _main_words(parts, words, 1)
    if len(long) != 1 or not 1 <= sum(len(part) == 1 for part in parts) <= 4:
        return False
    if bare.endswith(" C C") and "," not in bare:  # a county council
        return False
    lowest = _SURNAME if len(long[0]) > 2 else _SHORT_SURNAME
    return long[0] not in words.in_names["abbreviation"] and score_word(long[0].replace("'", "")).name > lowest


def _has_glued_initials(bare: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether the name is a family name beside two letters that may be initials: JA Smith."""
    if len(parts) != 2 or "&" in bare:
        return False
    glued, family = sorted(parts, key=len)
    if len(glued) != 2 or len(family) < 3 or glued in words.in_names["abbreviation"] | words.in_names["particle"]:
        return False
    return score_word(family.replace("'", "")).name > _GLUED_SURNAME


def _is_full_name(bare: str, parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether two to four words, and initials among them, look like a person's names."""
    if not parts or parts[0] == "THE" or _NO_NAME_SIGN.search(bare):
        return False
    if not words.in_names["between"].isdisjoint(parts[1:-1]) or not words.in_names["no-person"].isdisjoint(parts):
        return False
    if "&" in bare or "+" in bare or " AND " in bare:
        return _is_couple(re.split(r"\s*[&+]\s*|\s+AND\s+", bare), words)
    if _any_firm(parts, words):
        return False
    outside = set(_WORD.findall(_IN_BRACKETS.sub(" ", bare)))
    parts = [part for part in parts if part in outside]
    bare = _IN_BRACKETS.sub(" ", bare)
    spaced = [word for word in re.split(r"[\s,]+", bare) if len(_NO_LETTER.sub("", word)) > 1]
    return 2 <= len(_main_words(spaced, words, 2)) <= 4 and _looks_like_name(parts, words)


def _main_words(parts: Sequence[str], words: PrivacyLists, fewest: int) -> list[str]:
    """The words longer than an initial, without small words such as De; with them if fewer than `fewest` are left.

    Le, Do and Ben are names too.
    """
    long = [part for part in parts if len(part) > 1]
    main = [part for part in long if part not in words.in_names["particle"]]
    return main if len(main) >= fewest else long


def _any_firm(parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether the first two words are a known firm, or two others that do not begin with a given name."""
    return any(
        f"{first} {second}" in words.firms and (at == 0 or first not in words.given_names)
        for at, (first, second) in enumerate(pairwise(parts))
    )


def _looks_like_name(parts: Sequence[str], words: PrivacyLists) -> bool:
    """Whether the words, initials and particles aside, look like one person's names."""
    long = [part.replace("'", "") for part in _main_words(parts, words, 2)]
    if not long or any(_is_abbreviation(word) and word not in words.given_names for word in long):
        return False
    if not words.given_names.isdisjoint((long[0], long[-1])):
        return score_name(long) > _KNOWN_FULL_NAME
    # family names alone are more often a firm's
    if words.family_names.issuperset(long) or (len(long) > 2 and all(score_word(word).given < 0 for word in long)):
        return False
    return score_name(long) > _FULL_NAME


def _is_abbreviation(word: str) -> bool:
    """Whether a word has no vowel, and is no name without one, as Tsz is."""
    return len(word) > 2 and not _VOWEL.search(word) and score_word(word).name < _NAME_WITHOUT_VOWEL


def _is_couple(sides: Sequence[str], words: PrivacyLists) -> bool:
    """Whether names joined by "and" are people's: "John & Mary Smith" is, "Allen & Crane" is a firm."""
    pieces = [[word for word in _WORD.findall(side) if len(word) > 1] for side in sides]
    if len(pieces) != 2 or not all(pieces):
        return False
    first, second = pieces
    if len(first) == 1 and len(second) in (2, 3):
        return score_word(first[0]).given > 0 and _looks_like_name(second, words)
    if len(second) == 1 and len(first) in (2, 3):
        return score_word(second[0]).given > 1 and _looks_like_name(first, words)
    return len(first) in (2, 3) and len(second) in (2, 3) and all(_looks_like_name(each, words) for each in pieces)
