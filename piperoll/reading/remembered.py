"""Remembered headings of a body: whether they have changed, what to ask then, and what to remember next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from piperoll.model import BodyMapping, Dataset, Finding, Layout, Question, Severity
from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import find_scale
from piperoll.reading.columns.assignment import ColumnChoice, make_column_finding
from piperoll.reading.columns.lexicon import Lexicon, terms_in
from piperoll.reading.reading import Reading, ReadTable

DRIFTED, DOUBTED = "headings-drifted", "headings-doubted"
"""The codes of the findings that hold a file until the question about a heading is answered."""

ASKING = frozenset([DRIFTED, DOUBTED])


@dataclass(frozen=True, slots=True)
class HeadingQuestions:
    """The questions and findings about the headings of a file, compared with what the body sent before."""

    questions: tuple[Question, ...]
    findings: tuple[Finding, ...]


def find_mapping(remembered: Sequence[BodyMapping], dataset: Dataset | None) -> BodyMapping | None:
    """Return the body's mapping for a dataset; None if there is none."""
    return next((one for one in remembered if dataset and one.dataset == dataset.name), None)


def find_questions(
    tables: Sequence[ReadTable], remembered: BodyMapping, dataset: Dataset, part: str | None
) -> HeadingQuestions:
    """Return the questions that the tables raise, and the findings about headings that replaced others."""
    questions: list[Question] = []
    findings: list[Finding] = []
    for table in tables:
        for choice in table.choices.values():
            core, key = choice.field in dataset.core_fields, bare(choice.heading)
            # The earlier headings of the field, that of the latest period first.
            layouts = [layout for layout in reversed(remembered.layouts) if layout.part == part]
            before = [layout.columns[choice.field] for layout in layouts if choice.field in layout.columns]
            known = choice.how == "answered" or key in map(bare, before)
            if not key or not before or known:
                if is_guess(choice) and core and key:
                    questions.append(Question(choice.heading, choice.field, part=part))
                continue
            doubtful, replaced = may_mean_another(choice, before[0]), before[0].strip()
            drifted = doubtful and core
            findings.append(
                make_column_finding(
                    DRIFTED if drifted else "heading-replaced",
                    table.sheet,
                    dataset.field(choice.field),
                    choice,
                    variant="" if drifted else "doubtful" if doubtful else "same",
                    severity=None if drifted else Severity.WARNING if doubtful else Severity.INFO,
                    replaced=replaced,
                )
            )
            questions += [Question(choice.heading, choice.field, before[0], part)] if doubtful else []
    return HeadingQuestions(tuple(questions), tuple(findings))


def may_mean_another(choice: ColumnChoice, replaced: str) -> bool:
    """Return whether a heading that replaced another may mean something else.

    It certainly does not if it is listed for the field, no other column could be it, and both headings say the same
    about VAT, invoice or payment, forecast or actual, and the unit.
    """
    same = terms_in(choice.heading) == terms_in(replaced) and find_scale(choice.heading) == find_scale(replaced)
    return choice.how != "listed" or choice.contested or not same


def is_guess(choice: ColumnChoice) -> bool:
    """Return whether a column was chosen although another could be the field, or by its cells alone."""
    return choice.contested or choice.how == "content"


def learn_headings(
    remembered: BodyMapping, reading: Reading, *, period: str | None, day: str, source: str, published: bool
) -> BodyMapping:
    """Return the mapping with what a file taught: its questions, and if it was published its headings without guesses.

    `day` is when it came (ISO 8601), `source` its sha256. The same file teaches nothing twice.
    """
    waiting = {finding.value for finding in reading.findings if finding.code in ASKING}
    for question in reading.questions:
        waits = (source,) if question.heading in waiting else ()
        asked_now = Question(question.heading, question.field, question.replaced, question.part, day, waits)
        remembered = remembered.with_question(asked_now)
    for table in reading.tables if published else ():
        choices = (choice for choice in table.choices.values() if bare(choice.heading) and not is_guess(choice))
        columns = {choice.field: choice.heading for choice in choices}
        if columns:
            remembered = remembered.with_layout(Layout(columns, period, day, source, reading.part))
    return remembered


def find_recalled(recalled: Reading, alone: Reading) -> Iterator[tuple[ReadTable, ColumnChoice]]:
    """Yield the columns that a file has by what earlier files taught, and not when it is read by itself.

    First come those whose heading meant the field in an earlier file, then those that have changed because of them.
    """
    before = {(table.sheet, choice.field, choice.column) for table in alone.tables for choice in table.choices.values()}
    changed = [
        (table, choice)
        for table in recalled.tables
        for choice in table.choices.values()
        if bare(choice.heading) and (table.sheet, choice.field, choice.column) not in before
    ]
    yield from sorted(changed, key=lambda one: one[1].how != "remembered")


def mapping_version_of(tables: Sequence[ReadTable], lexicon: Lexicon) -> str | None:
    """Return 12 digits of a sha256 over the remembered headings that affected a reading; None if none did.

    Answers about headings that were met count, and columns chosen because of earlier files.
    """
    choices = (choice for table in tables for choice in table.choices.values() if choice.how == "remembered")
    bore = [*lexicon.answers_consulted(), *((bare(choice.heading), choice.field) for choice in choices)]
    return hashlib.sha256(json.dumps(bore).encode()).hexdigest()[:12] if bore else None


def apply_mapping(reading: Reading, lexicon: Lexicon, remembered: BodyMapping | None) -> Reading:
    """Return the reading with the questions and findings from the body's mapping; unchanged without a mapping.

    `lexicon` is the one that the file was read with.
    """
    if remembered is None:
        return reading
    found = find_questions(reading.tables, remembered, lexicon.dataset, reading.part)
    answered = [
        make_column_finding("heading-answered", table.sheet, lexicon.dataset.field(choice.field), choice)
        for table in reading.tables
        for choice in table.choices.values()
        if choice.how == "answered"
    ]
    return replace(
        reading,
        findings=(*reading.findings, *found.findings, *answered),
        questions=found.questions,
        mapping_version=mapping_version_of(reading.tables, lexicon),
    )
