"""What is asked about headings: put on record while files are examined, answered by people, and acted upon then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from piperoll import assets, layout
from piperoll.checking import Examination
from piperoll.errors import MappingError, UnknownSubmission, UsageError
from piperoll.model import BodyMapping, Report, Submission, Verdict
from piperoll.reading import DRIFTED, bare, learn_headings
from publishers import (
    Store,
    find_submission,
    list_mappings,
    read_mapping,
    read_received_bytes,
    read_report,
    update_mapping,
)


def learn(store: Store, submission: Submission, examination: Examination) -> None:
    """Remember what a file shows: its headings if it is published, and what must be asked about them."""
    period = str(examination.period) if examination.period else None
    update_mapping(
        store,
        submission.body,
        submission.dataset,
        lambda mapping: learn_headings(
            mapping,
            examination.reading,
            period=period,
            day=submission.received[:10],
            source=submission.sha256,
            published=examination.report.verdict.publishes,
        ),
    )


def answer(store: Store, mapping: BodyMapping, heading: str, said: str, *, because: str, moment: str) -> BodyMapping:
    """Put an answer about a heading on record, or a correction that nobody asked for; the mapping with it.

    A heading is the same however its capitals and spaces stand. Raises: UsageError: no reason is given. MappingError:
    it is no answer.
    """
    if not because.strip():
        raise UsageError("say why: the reason stands beside the answer for whoever reads it next")
    fields = [each.name for each in assets.dataset(mapping.dataset).fields]

    def answered(now: BodyMapping) -> BodyMapping:
        asked = (question.heading for question in now.questions if bare(question.heading) == bare(heading))
        return now.with_answer(next(asked, heading), said, because.strip(), moment, fields)

    return update_mapping(store, mapping.body, mapping.dataset, answered)


def is_answered(store: Store, submission: Submission, report: Report) -> bool:
    """Whether a submission is held for questions that have all been answered since."""
    if report.verdict is not Verdict.HELD or all(finding.code != DRIFTED for finding in report.findings):
        return False
    mapping = read_mapping(store, submission.body, submission.dataset)
    waited_for = [question for question in mapping.questions if submission.sha256 in question.waiting]
    return bool(waited_for) and not any(question.open for question in waited_for)


def set_free(store: Store, folder: Path) -> Iterator[tuple[Submission, Path]]:
    """The submissions whose questions are answered, their bytes brought into `folder` from the archive.

    A mapping that somebody has edited into something we cannot understand frees none: the next file of that body says
    so, and so does `piperoll mapping questions`.
    """
    for key in store.keys(layout.MAPPINGS):
        _, body, name = key.split("/", 2)
        try:
            mapping = read_mapping(store, body, name.removesuffix(".toml"))
        except MappingError:
            continue
        for sha256 in dict.fromkeys(one for question in mapping.questions for one in question.waiting):
            if submission := _to_examine_again(store, mapping, sha256):
                yield submission, _brought(store, submission, folder)


def carry_answers(store: Store, to: Store) -> None:
    """What people answered in one store, known in another from the beginning: answers are rules."""
    for mapping in list_mappings(store):
        if given := tuple(replace(question, waiting=()) for question in mapping.questions if not question.open):
            answers = BodyMapping(mapping.body, mapping.dataset, given)
            update_mapping(to, mapping.body, mapping.dataset, partial(_in_place, answers))


def _in_place(mapping: BodyMapping, before: BodyMapping) -> BodyMapping:
    return replace(before, questions=mapping.questions)


def _to_examine_again(store: Store, mapping: BodyMapping, sha256: str) -> Submission | None:
    try:
        submission = find_submission(store, f"{mapping.body}/{mapping.dataset}/{sha256}")
    except UnknownSubmission:
        return None  # purged since
    report = read_report(store, submission)
    return submission if report and is_answered(store, submission, report) else None


def _brought(store: Store, submission: Submission, folder: Path) -> Path:
    path = folder / submission.body / submission.dataset / submission.sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(read_received_bytes(store, submission))
    return path
