"""Read the privacy lists of `datapackages/privacy/`; its README says what each is for."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from piperoll import assets
from piperoll.errors import DescriptorError
from piperoll.people.names import fold_text

_TOKEN = re.compile(r"[A-Z0-9]+(?:['’][A-Z]+)*")
_DOTTED = re.compile(r"(?<![A-Z])(?:[A-Z]\.){2,}[A-Z]?\.?(?![A-Z])")
_INITIALS = 2
"""A vacancy of so few characters counts only as a whole cell: in a longer one they are initials."""
_KINDS_IN_NAMES = frozenset(
    ("abbreviation", "after", "between", "council", "no-initials", "no-person", "particle", "weak-title")
)
_RULES = ("pattern", "minimum")


@dataclass(frozen=True, slots=True)
class NamedPost:
    """A rule by which a post is published with its holder's name: cell `by` matches a pattern, or has a minimum."""

    dataset: str
    field: str
    by: str
    rule: str
    value: str


@dataclass(frozen=True)
class PrivacyLists:
    """The lists, with words in capitals and patterns compiled.

    `strong`, `usual` and `surnames` are the words of organisations by strength; `firms` are whole names.
    `trigger_phrases` are the phrases that `triggers` finds, `household_triggers` those whose payees are people always.
    `contexts` finds what says that a payment may be about one person; `vacant` finds the
    `vacancies` in a longer cell. `things` are words that no person's name has, and
    `label_words` those of the names of files, sheets and headings. `heading_words` are further words of headings.
    `in_names` are the small words within names and around them, by kind.
    """

    strong: frozenset[str]
    usual: frozenset[str]
    surnames: frozenset[str]
    firms: frozenset[str]
    given_names: frozenset[str]
    family_names: frozenset[str]
    in_names: Mapping[str, frozenset[str]]
    mailboxes: frozenset[str]
    vacancies: frozenset[str]
    vacant: re.Pattern[str]
    not_names: re.Pattern[str]
    triggers: re.Pattern[str]
    contexts: re.Pattern[str]
    things: frozenset[str]
    label_words: frozenset[str]
    heading_words: frozenset[str]
    household_triggers: re.Pattern[str]
    trigger_phrases: tuple[str, ...]
    redactions: tuple[tuple[re.Pattern[str], str], ...]
    named_posts: tuple[NamedPost, ...]


@cache
def privacy_lists() -> PrivacyLists:
    """Read all lists, once.

    Raises: DescriptorError: a list lacks a column or has an unknown value.
    """
    words = _rows("organisations", "word", "strength")
    strengths = {strength for _word, strength in words}
    by_strength = {each: frozenset(word for word, strength in words if strength == each) for each in strengths}
    if set(by_strength) != {"strong", "usual", "surname"}:
        raise DescriptorError("privacy/organisations.csv: use strong, usual or surname as strength")
    in_names = _rows("words-in-names", "word", "kind")
    if {kind for _word, kind in in_names} != _KINDS_IN_NAMES:
        raise DescriptorError(f"privacy/words-in-names.csv: use {', '.join(sorted(_KINDS_IN_NAMES))} as kind")
    posts = tuple(NamedPost(*row) for row in _rows("named-posts", "dataset", "field", "by", "rule", "value"))
    if any(post.rule not in _RULES for post in posts):
        raise DescriptorError("privacy/named-posts.csv: use pattern or minimum as rule")
    vacancies = tuple(text for (text,) in _rows("vacancies", "text"))
    payees = tuple(_rows("triggers", "phrase", "payees"))
    if any(each not in ("people", "mixed") for _phrase, each in payees):
        raise DescriptorError("privacy/triggers.csv: use people or mixed as payees")
    triggers = tuple(phrase for phrase, _payees in payees)
    return PrivacyLists(
        strong=by_strength["strong"],
        usual=by_strength["usual"],
        surnames=by_strength["surname"],
        firms=frozenset(normalise_name(name) for (name,) in _rows("firms", "name")),
        given_names=frozenset(name.upper() for (name,) in _rows("given-names", "name")),
        family_names=frozenset(name.upper() for (name,) in _rows("surnames", "name")),
        in_names={kind: frozenset(word for word, of_kind in in_names if of_kind == kind) for kind in _KINDS_IN_NAMES},
        mailboxes=frozenset(name for (name,) in _rows("mailboxes", "name")),
        vacancies=frozenset(text.upper() for text in vacancies),
        vacant=_any_of(text for text in vacancies if len(text) > _INITIALS),
        not_names=_any_of(phrase for (phrase,) in _rows("not-names", "phrase")),
        triggers=_any_of(triggers),
        contexts=_starting_with(phrase for (phrase,) in _rows("contexts", "phrase")),
        things=frozenset(word for (word,) in _rows("things", "word")),
        label_words=frozenset(word for (word,) in _rows("label-words", "word")),
        heading_words=frozenset(word for (word,) in _rows("heading-words", "word")),
        household_triggers=_any_of(phrase for phrase, each in payees if each == "people"),
        trigger_phrases=triggers,
        redactions=tuple((re.compile(pattern, re.I), kind) for pattern, kind in _rows("redactions", "pattern", "kind")),
        named_posts=posts,
    )


def split_words(text: str) -> list[str]:
    """Split a name into words in capitals: `Smith-Jones, J.` into SMITH, JONES, J; `C.I.C.` into CIC."""
    return split_folded(fold_text(text))


def split_folded(text: str) -> list[str]:
    """Split what `fold_text` has folded into words."""
    if "." in text:
        text = _DOTTED.sub(lambda match: match[0].replace(".", ""), text)
    return _TOKEN.findall(text)


def normalise_name(name: str) -> str:
    """Spell a name as the lists compare it: its words in capitals, with single spaces."""
    return " ".join(split_words(name))


def _starting_with(phrases: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that finds words that begin like any of `phrases`, in any case: `care` finds Carers."""
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(phrases))) + ")", re.I)


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that finds any of `phrases` as whole words, in any case; the longest first."""
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(phrase) for phrase in ordered) + r")(?!\w)", re.I)


def _rows(name: str, *columns: str) -> list[tuple[str, ...]]:
    path = assets.folder("datapackages") / "privacy" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not set(columns) <= set(rows[0]):
        raise DescriptorError(f"privacy/{name}.csv lacks one of the columns {', '.join(columns)}, or has no rows")
    return [tuple(row[column] for column in columns) for row in rows]
