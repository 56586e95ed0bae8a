"""What is remembered about a body's headings: its layouts, and questions with their answers."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from piperoll.errors import MappingError
from piperoll.model.period import Period

SAME, DIFFERENT, IGNORE = "same", "different", "ignore"
"""The answers besides the name of a field: the suggested field, another one, or none of the dataset's fields."""


_WORDS = re.compile(r"[a-z0-9]+")
_DECORATION = bytes(code for code in range(128) if not chr(code).isalnum())


def bare(text: str) -> str:
    """Return the letters and digits of a heading in lower case: `Amount (£) ` and `amount` are the same."""
    if text.isascii():
        return text.lower().encode("ascii").translate(None, _DECORATION).decode("ascii")
    return "".join(_WORDS.findall(fold_case(text)))


def fold_case(text: str) -> str:
    """Return a text without capitals and accents."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return text.casefold()


@dataclass(frozen=True, slots=True)
class Layout:
    """Headings that came together: the heading of each field that was found for certain.

    `since` is the earliest period with these headings (None if it has no period), and `source` the sha256 of a file of
    that period. `seen` is the day when the first file with these headings came. `part` is the part of the dataset.
    """

    columns: Mapping[str, str]
    since: str | None
    seen: str
    source: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question whether a heading means a field, with the answer once a person has given it.

    `replaced` is the heading that meant the field before, or None. `waiting` are the sha256 of the submissions held for
    the question. `answer` is empty while the question is open; otherwise `same` (yes), `different` (no), `ignore` or
    another field's name. A correction that nobody asked for has no `asked`.
    """

    heading: str
    field: str
    replaced: str | None = None
    part: str | None = None
    asked: str | None = None
    waiting: tuple[str, ...] = ()
    answer: str = ""
    because: str = ""
    answered: str | None = None

    @property
    def open(self) -> bool:
        """Whether the question has no answer yet."""
        return not self.answer

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What makes it the same question as another: the letters of its heading, its field and its part."""
        return bare(self.heading) or self.heading, self.field, self.part

    @property
    def means(self) -> str | None:
        """The field that the heading means by the answer.

        None if there is no answer, or it only says what it does not mean.
        """
        if self.answer in ("", DIFFERENT, IGNORE):
            return None
        return self.field if self.answer == SAME else self.answer


@dataclass(frozen=True, slots=True)
class BodyMapping:
    """What is remembered for one body and dataset: `mappings/<body>/<dataset>.toml`, which people read and edit."""

    body: str
    dataset: str
    questions: tuple[Question, ...] = ()
    layouts: tuple[Layout, ...] = field(default=())

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The questions without an answer."""
        return tuple(question for question in self.questions if question.open)

    def as_of(self, period: Period | None) -> BodyMapping:
        """Return the mapping with only the headings that a period before this one taught; None: every period.

        Headings whose period is not on record count for all.
        """
        if period is None:
            return self
        earlier = (one for one in self.layouts if one.since is None or Period.parse(one.since) < period)
        return replace(self, layouts=tuple(earlier))

    def with_layout(self, layout: Layout) -> BodyMapping:
        """Return the mapping with one more layout; for a known layout, only an earlier period is recorded.

        The layouts are in the order of their periods, so nothing depends on the order in which files arrived.
        """
        others = [one for one in self.layouts if (one.columns, one.part) != (layout.columns, layout.part)]
        for before in self.layouts:
            if before not in others:
                if _taught_order(before) <= _taught_order(layout) or layout.since is None:
                    return self
                layout = replace(layout, seen=min(before.seen, layout.seen))
        return replace(self, layouts=tuple(sorted((*others, layout), key=_taught_order)))

    def with_question(self, question: Question) -> BodyMapping:
        """Return the mapping with one more question; a question asked before only gets more waiting files.

        Questions about headings that differ only in capitals, spaces and signs are one. An answer that was given later
        is kept.
        """
        for index, known in enumerate(self.questions):
            if known.key == question.key:
                waiting = tuple(dict.fromkeys((*known.waiting, *question.waiting)))
                # a mapping of old can have the answer at the second one, and one that was replayed an older answer
                kept = max(known, question, key=lambda one: (not one.open, one.answered or ""))
                return self._replace_question(index, replace(kept, waiting=waiting))
        return replace(self, questions=(*self.questions, question))

    def with_answer(self, heading: str, answer: str, because: str, moment: str, fields: Iterable[str]) -> BodyMapping:
        """Return the mapping with the questions about a heading answered, or with a correction if none was asked.

        Raises: MappingError: `answer` is not same, different, ignore or one of the `fields`, or it is `same` or
        `different` although nothing was asked.
        """
        if answer not in (SAME, DIFFERENT, IGNORE, *fields):
            raise MappingError(
                f"'{answer}' is not a valid answer: use same, different, ignore, or the name of a field of "
                f"{self.dataset}"
            )
        wanted = bare(heading) or heading
        asked = [index for index, question in enumerate(self.questions) if question.key[0] == wanted]
        if not asked and answer in (SAME, DIFFERENT):
            raise MappingError(f"there is no question about '{heading}': use the name of a field, or ignore")
        if not asked:
            named = "" if answer == IGNORE else answer
            correction = Question(heading, named, answer=answer, because=because, answered=moment)
            return replace(self, questions=(*self.questions, correction))
        answered = self
        for index in asked:
            settled = replace(answered.questions[index], answer=answer, because=because, answered=moment)
            answered = answered._replace_question(index, settled)
        return answered

    def _replace_question(self, index: int, question: Question) -> BodyMapping:
        return replace(self, questions=(*self.questions[:index], question, *self.questions[index + 1 :]))

    def to_toml(self) -> str:
        """Return the content of the file; the same mapping always gives the same bytes."""
        text = f"{_HEAD.format(body=self.body, dataset=self.dataset)}body = {_quoted(self.body)}\n"
        text += f"dataset = {_quoted(self.dataset)}\n"
        for question in self.questions:
            text += f"\n[[question]]\n{_entries(question)}"
        for layout in self.layouts:
            text += f"\n[[layout]]\n{_entries(layout)}[layout.columns]\n"
            text += "".join(f"{name} = {_quoted(heading)}\n" for name, heading in sorted(layout.columns.items()))
        return text

    @classmethod
    def from_toml(cls, text: str) -> BodyMapping:
        """Read what `to_toml` wrote or a person edited. Raises: MappingError: the text is not a valid mapping."""
        try:
            document = tomllib.loads(text)
            questions = [
                Question(**entry | {"waiting": tuple(entry.get("waiting", ()))})
                for entry in document.pop("question", ())
            ]
            layouts = tuple(Layout(**{"since": None} | entry) for entry in document.pop("layout", ()))
            mapping = cls(document.pop("body"), document.pop("dataset"), (), layouts, **document)
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise MappingError(f"the mapping is not valid: {error}") from error
        for question in questions:
            mapping = mapping.with_question(question)
        return mapping


def _taught_order(layout: Layout) -> tuple[date, date, str, str]:
    """The period that taught a layout, then its part and file; layouts without a period come first."""
    period = Period.parse(layout.since) if layout.since else None
    start, end = (period.start, period.end) if period else (date.min, date.min)
    return start, end, layout.part or "", layout.source


_HEAD = """\
# How the columns of the {dataset} files of {body} are read. Piperoll adds to this file; people answer in it.
# To answer a question, write "same", "different", "ignore" or the name of a field after `answer`, and why after
# `because`; or type: piperoll mapping answer {body} {dataset} "THE HEADING" same --because "WHY" --to PLACE
# Notes of your own are lost when Piperoll writes the file: put them after `because`.
"""


def _entries(entry: Question | Layout) -> str:
    """Format the values of an entry, one on each line; unknown values are left out, except the answer."""
    lines = []
    for name in entry.__dataclass_fields__:
        value = getattr(entry, name)
        if isinstance(value, tuple):
            lines += [f"{name} = [{', '.join(map(_quoted, value))}]\n"] if value else []
        elif isinstance(value, str):
            lines.append(f"{name} = {_quoted(value)}\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    """Quote a TOML basic string: its escapes are those of JSON, apart from the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
