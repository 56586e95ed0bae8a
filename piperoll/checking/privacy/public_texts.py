"""Names of people in the texts around the data: names of files, sheets and archive members, headings, values, reasons.

They become public like cells: in reports, versions, feeds and pages. One that names a person is replaced by a neutral
one in everything public, and its sender is told.

Of a file that is not published no cell is quoted, and its headings only if they consist of words that known headings
have: what we took for a heading may be a cell (`quote_headings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from piperoll import assets
from piperoll.checking.privacy.free_text import is_certain_name, names_in_text
from piperoll.checking.privacy.held_names import HeldNames
from piperoll.checking.privacy.personal_data import personal_rules
from piperoll.findings import finding_type, make_finding, quotes_headings, replace_texts, without_value
from piperoll.model import MONTHS, Address, Finding
from piperoll.people.lists import PrivacyLists, privacy_lists
from piperoll.people.name_model import score_word
from piperoll.people.names import fold_name, fold_text
from piperoll.people.private_people import person_rule

WITHHELD = "name withheld"

_CERTAIN = frozenset(("ni-number", "nhs-number", "email", "date-of-birth"))
"""The rules of text that count in a label. Numbers in the names of files are seldom telephones or bank accounts."""

_SEPARATORS = re.compile(r"%[0-9A-Fa-f]{2}|[_+~]|(?<=[a-z])(?=[A-Z][a-z])|-(?!\w+-)|(?<=\w)-(?=\w)")
_ENDING = re.compile(
    r"(?:\.(?:csv|tsv|txt|dat|xls[xmb]?|ods|json|jsonl|ndjson|xml|html?|zip|gz|parquet|pdf|docx?|rtf))+\s*$",
    re.IGNORECASE,
)
"""The ending of a file's name, as in `.csv.gz`: it is no word beside the others."""
_TITLED = re.compile(
    r"(?<!\w)(?:MR|MRS|MS|MISS|MX|DR|PROF|PROFESSOR|REV|REVEREND|CLLR|COUNCILLOR)\.?\s+(?:[A-Z]\.?\s+)*[^\W\d_]{2,}"
)
_LONGEST_NAME = 4
"""Words of the longest name."""

_LIKE_A_NAME = 0.6
"""The score of a word (`score_word`) that is a family name beside a given name, whatever the words around them."""

_LEAST_IN_LABEL = -2.0
"""The score of each word of a full name in a label: of made-up people of 17 origins 98 % have more, and of the words in
the names of 240 published files, their sheets and headings none."""

_LEAST_OF_PAIR = 0.0
"""The same for two words among others, of which none is a known given name."""

_QUOTED = re.compile(r"'(?![\s),.;:])([^'\n]{4,200})(?<![\s(])'")
"""What is between the quotation marks of a message, and not what is between two quotations."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_HEADING = re.compile(r"'([^\n]{1,200}?)'(?=[\s).,;:]|\Z)")
"""A heading in a message."""

_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){7}")
"""Eight digits or more: no heading of ours has them, and numbers of people and accounts do."""

_SHORTEST_NAME = 3
"""Letters that a word must have to tell anything of a person; shorter ones are column letters and initials."""

NOT_SHOWN = "not shown"
"""What stands in a public message for a heading that is not known."""


@lru_cache(maxsize=8192)
def names_person(label: str, *, in_sentence: bool = False) -> bool:
    """Whether a short text, such as the name of a file or a heading, names a private person.

    `in_sentence`, only names with a known given name count: any two words may look like a name there.
    """
    spaced = _SEPARATORS.sub(" ", _ENDING.sub("", label))
    if personal_rules(spaced) & _CERTAIN or personal_rules(label) & _CERTAIN:
        return True
    lists, folded = privacy_lists(), fold_text(spaced)
    if any(_is_titled(match[0], lists) for match in _TITLED.finditer(folded)):
        return True
    runs = list(_runs_of_names(folded, lists))
    if any(_is_full_name(run, lists) for run in runs):
        return True
    if not in_sentence and (
        any(_looks_like_full_name(run, _LEAST_IN_LABEL) for run in runs)
        or any(
            _looks_like_full_name(pair, _LEAST_OF_PAIR if lists.given_names.isdisjoint(pair) else _LEAST_IN_LABEL)
            for pair in _pairs_of_words(folded, lists)
        )
    ):
        return True
    return any(_is_full_name(_WORD.findall(fold_text(name)), lists) for name in names_in_text(spaced, in_context=False))


def public_file_name(name: str) -> str:
    """The name of a file as it is published: as sent, or `name-withheld` with its ending."""
    return _neutral_file_name(name) if names_person(name) else name


@dataclass(frozen=True, slots=True)
class Labels:
    """The texts around the data of one submission that become public, as sent.

    `headings` are by sheet and column letter; `quoting` are the findings that may quote a cell.
    """

    file: str
    member: str | None
    sheets: Sequence[str]
    headings: Mapping[tuple[str | None, str | None], str]
    quoting: Iterable[Finding]


def withhold_labels(labels: Labels, held: HeldNames) -> tuple[dict[str, str], list[Finding]]:
    """What is published in place of each label that names a person, or someone `held`; and a finding for each."""
    withheld: dict[str, str] = {}
    findings: list[Finding] = []

    def is_named(label: str, *, in_sentence: bool = False) -> bool:
        return names_person(label, in_sentence=in_sentence) or held.in_text(_SEPARATORS.sub(" ", label))

    if is_named(labels.file):
        withheld[labels.file] = _neutral_file_name(labels.file)
        findings.append(make_finding("privacy-name-in-label", variant="file"))
    if labels.member and is_named(labels.member):
        withheld[labels.member] = WITHHELD
        findings.append(make_finding("privacy-name-in-label", variant="member"))
    for number, sheet in enumerate(labels.sheets, 1):
        if sheet not in withheld and is_named(sheet):
            withheld[sheet] = f"sheet {number} ({WITHHELD})"
            findings.append(make_finding("privacy-name-in-label", Address(sheet), variant="sheet"))
    for (table, letter), heading in labels.headings.items():
        if heading not in withheld and is_named(heading):
            withheld[heading] = WITHHELD
            findings.append(make_finding("privacy-name-in-label", Address(table, column=letter), variant="heading"))
    for finding in labels.quoting:
        for value in _quoted_in(finding):
            if value not in withheld and (is_named(value) or _is_cell_of_name(value)):
                withheld[value] = WITHHELD
        message = str(replace_texts(finding.message, withheld))
        if finding.message not in withheld and is_named(message, in_sentence=True):
            withheld[finding.message] = without_value(finding).message
    return withheld, findings


def quote_headings(findings: Iterable[Finding], datasets: Iterable[str]) -> dict[str, str]:
    """For each message about headings, what may be published of it although the file's cells may not.

    A heading is shown if every word in it is one of the known headings of `datasets` (names) or of labels in general;
    another is `NOT_SHOWN`. A message that then still has another word is left out of the result. Names of people are no
    concern here: `withhold_labels` replaces them.
    """
    quoting = [finding for finding in findings if quotes_headings(finding.code)]
    if not quoting:
        return {}
    known = _label_vocabulary() | _heading_vocabulary(tuple(datasets))
    shown = {}
    for finding in quoting:
        entry = finding_type(finding.code)
        own = frozenset(_words_of(*entry.messages.values(), *entry.fixes.values()))
        message = _HEADING.sub(lambda match: match[0] if _is_known(match[1], known) else NOT_SHOWN, finding.message)
        if _is_known(f"{message} {finding.fix}", known | own):
            shown[finding.message] = message
    return shown


def _is_known(text: str, words: frozenset[str]) -> bool:
    return words.issuperset(_words_of(text)) and not _LONG_NUMBER.search(text)


def _words_of(*texts: str) -> Iterator[str]:
    return (word for word in _LETTERS.findall(fold_text(" ".join(texts))) if len(word) >= _SHORTEST_NAME)


@lru_cache(maxsize=1)
def _label_vocabulary() -> frozenset[str]:
    lists = privacy_lists()
    words = lists.label_words | lists.heading_words | lists.usual | lists.things
    return frozenset(words - lists.given_names - lists.family_names) | frozenset(
        _words_of(*MONTHS, NOT_SHOWN, "and more")
    )


@lru_cache(maxsize=16)
def _heading_vocabulary(datasets: tuple[str, ...]) -> frozenset[str]:
    texts = []
    for dataset in map(assets.dataset, datasets):
        texts += [dataset.title, *(heading.heading for heading in dataset.headings)]
        texts += [text for field in dataset.fields for text in (field.title, field.name)]
    return frozenset(_words_of(*texts))


def _quoted_in(finding: Finding) -> Iterator[str]:
    if finding.value:
        yield finding.value
    yield from _QUOTED.findall(finding.message)


def _neutral_file_name(name: str) -> str:
    """`name-withheld` with the ending of the file's name, if that is a usual one."""
    ending = PurePosixPath(name).suffix.lower()
    return WITHHELD.replace(" ", "-") + (ending if re.fullmatch(r"\.[a-z]{2,5}", ending) else "")


def _runs_of_names(folded: str, lists: PrivacyLists) -> Iterable[list[str]]:
    """The runs of two to four words between numbers and words that no name has."""
    run: list[str] = []
    for found in [*_WORD.findall(folded), ""]:
        word = found.removesuffix("'S")
        if word.isalpha() and not _is_other_word(word, lists):
            run.append(word)
            continue
        if 2 <= len(run) <= _LONGEST_NAME:
            yield run
        yield from (list(pair) for pair in pairwise(run) if _is_given_and_family(*pair, lists))
        run = []


def _is_given_and_family(given: str, family: str, lists: PrivacyLists) -> bool:
    """Whether two words among others are a name: "Jane Smith asked for it"."""
    return given in lists.given_names and (family in lists.family_names or score_word(family).name >= _LIKE_A_NAME)


def _is_full_name(words: Sequence[str], lists: PrivacyLists) -> bool:
    """Whether words are a person's name by a given or family name that is known."""
    if not 2 <= len(words) <= 4:
        return False
    rule = person_rule(" ".join(word.title() for word in words))
    if rule == "full-name":
        return is_certain_name(words)
    return rule == "surname-initial" and not lists.family_names.isdisjoint(words)


def _pairs_of_words(folded: str, lists: PrivacyLists) -> Iterator[tuple[str, str]]:
    """Yield each pair of neighbouring words that could be the two parts of a name."""
    for pair in pairwise(_WORD.findall(folded)):
        if all(word.isalpha() and len(word) > 1 and not _is_other_word(word, lists) for word in pair):
            yield pair


def _looks_like_full_name(words: Sequence[str], least: float) -> bool:
    """Whether words are a full name as a supplier's would be, and each of them looks like a part of one."""
    if person_rule(" ".join(word.title() for word in words)) != "full-name":
        return False
    return all(len(word) == 1 or score_word(word.replace("'", "")).name >= least for word in words)


def _is_titled(text: str, lists: PrivacyLists) -> bool:
    words = _WORD.findall(text)
    return not _is_other_word(words[-1], lists) and not lists.not_names.search(text)


def _is_other_word(word: str, lists: PrivacyLists) -> bool:
    """Whether a word is one of organisations, things or files, and so no part of a person's name."""
    return any(word in each for each in (lists.label_words, lists.usual, lists.strong, lists.things))


def _is_cell_of_name(value: str) -> bool:
    """Whether a value that a finding quotes is a name and no more: a cell that stands in the wrong column."""
    return bool(re.fullmatch(r"[^\d_]{4,60}", value)) and bool(person_rule(value) or person_rule(fold_name(value)))
