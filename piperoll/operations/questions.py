"""Questions about headings: recorded while files are examined, answered by people, then acted on by the next run."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial

import publishers
from piperoll import assets, layout
from piperoll.checking import Examination, add_findings
from piperoll.describing.wording import format_pounds
from piperoll.errors import MappingError, UnknownSubmission, UsageError
from piperoll.findings import make_finding
from piperoll.model import Address, BodyMapping, DecisionEntry, DecisionKind, Question, Report, Submission, Verdict
from piperoll.reading import (
    ASKING,
    Reading,
    build_lexicon,
    find_questions,
    find_recalled,
    learn_headings,
    letter,
)


def learn(store: publishers.Store, submission: Submission, examination: Examination, *, published: bool) -> None:
    """Record the headings of a file in the mapping of its body if it is published, and any question about them.

    The headings are recorded for the file's period: files of later periods are read by them.
    """
    publishers.update_mapping(
        store,
        submission.body,
        submission.dataset,
        lambda mapping: teach(mapping, submission, examination, published=published),
    )


def teach(mapping: BodyMapping, submission: Submission, examination: Examination, *, published: bool) -> BodyMapping:
    """The mapping with what a file teaches: its headings if it is published, and its questions."""
    return learn_headings(
        mapping,
        examination.reading,
        period=str(examination.period) if examination.period else None,
        day=submission.received[:10],
        source=submission.sha256,
        published=published,
    )


def bears_on(earlier: BodyMapping, reading: Reading, submission: Submission) -> bool:
    """Return True if headings of earlier files may change how a file is read, or what is asked about it.

    `reading` is that of the file by itself: it needs the choice of columns of each table, and no rows.
    """
    dataset = assets.dataset(submission.dataset)
    return bool(earlier.layouts) and (
        bool(build_lexicon(dataset, submission.part, earlier).before)
        or bool(find_questions(reading.tables, earlier, dataset, reading.part).findings)
    )


def settle_memory(alone: Examination, recalled: Examination) -> Examination:
    """Choose between a file read by itself, `alone`, and read by what earlier files taught, `recalled`.

    What earlier files taught decides, unless the file would be rejected by it, or lose rows, or is only readable by it:
    then it is read by itself and held, with the question what the heading means.
    """
    doubt = _find_doubt(alone.report, recalled.report)
    if doubt is None:
        return recalled
    found = next(find_recalled(recalled.reading, alone.reading), None)
    if found is None:
        return alone
    table, choice = found
    dataset = assets.dataset(recalled.report.dataset or "")
    rows, rows_before = _count_accepted(alone.report), _count_accepted(recalled.report)
    finding = make_finding(
        "headings-doubted",
        Address(table.sheet, column=letter(choice.column), field=choice.field),
        variant=doubt,
        value=choice.heading,
        heading=choice.heading.strip(),
        field_title=dataset.field(choice.field).title.lower(),
        rows=rows,
        pounds=_describe_pounds(alone.report),
        rows_before=rows_before,
        pounds_before=_describe_pounds(recalled.report),
    )
    asked = Question(choice.heading, choice.field, None, alone.reading.part)
    reading = replace(
        alone.reading,
        findings=(*alone.reading.findings, finding),
        questions=(*alone.reading.questions, asked),
    )
    return add_findings(replace(alone, reading=reading), [finding])


def _find_doubt(alone: Report, recalled: Report) -> str | None:
    """How reading by what earlier files taught is worse for a file than reading it by itself, or the reverse."""
    if recalled.verdict is Verdict.REJECTED:
        return None if alone.verdict is Verdict.REJECTED else "rejected"
    if alone.verdict is Verdict.REJECTED:
        return "rescued"
    asks = any(finding.code in ASKING for finding in recalled.findings)
    held = recalled.verdict is Verdict.HELD and alone.verdict.publishes and not asks
    fewer = _count_accepted(recalled) < _count_accepted(alone)
    return "fewer" if held or fewer else None


def _count_accepted(report: Report) -> int:
    return sum(table.rows.accepted for table in report.tables)


def _describe_pounds(report: Report) -> str:
    return format_pounds(sum((table.amount.accepted for table in report.tables if table.amount), Decimal(0)))


def record_answer(
    store: publishers.Store,
    mapping: BodyMapping,
    heading: str,
    answer: str,
    *,
    because: str,
    moment: str,
    by: str | None = None,
) -> BodyMapping:
    """Record what a heading means, asked or not; return the new mapping. Capitals and spaces do not matter.

    The mapping is what is read; with `by`, the log of decisions says who answered, too.

    Raises: UsageError: no reason is given. MappingError: it is not an answer.
    """
    if not because.strip():
        raise UsageError("give a reason: it is kept with the answer")
    fields = [each.name for each in assets.dataset(mapping.dataset).fields]

    changed = publishers.update_mapping(
        store,
        mapping.body,
        mapping.dataset,
        lambda now: now.with_answer(heading, answer, because.strip(), moment, fields),
    )
    if by is not None:
        kind, body = DecisionKind.HEADING, mapping.body
        entry = DecisionEntry(kind, heading, answer, because.strip(), by, moment, body, mapping.dataset)
        publishers.record_decision(store, entry)
    return changed


def is_answered(store: publishers.Store, submission: Submission, report: Report) -> bool:
    """Return True if a submission is held for questions that have all been answered since."""
    if report.verdict is not Verdict.HELD or all(finding.code not in ASKING for finding in report.findings):
        return False
    mapping = publishers.read_mapping(store, submission.body, submission.dataset)
    blocking = [question for question in mapping.questions if submission.sha256 in question.waiting]
    return bool(blocking) and not any(question.open for question in blocking)


def find_answered(
    store: publishers.Store, but: Container[tuple[str, str]] = (), keeps: Callable[[str], bool] | None = None
) -> Iterator[Submission]:
    """Yield the submissions whose questions are all answered, `but` not those of some datasets and bodies.

    With `keeps`, only of the bodies for which it is True.

    A mapping that someone edited and that cannot be read is skipped here: the next file of that body fails with the
    reason, and so does `piperoll mapping questions`.
    """
    for key in store.keys(layout.MAPPINGS):
        _, body, name = key.split("/", 2)
        if (keeps and not keeps(body)) or (name.removesuffix(".toml"), body) in but:
            continue
        try:
            mapping = publishers.read_mapping(store, body, name.removesuffix(".toml"))
        except MappingError:
            continue
        for sha256 in dict.fromkeys(one for question in mapping.questions for one in question.waiting):
            try:
                submission = publishers.find_submission(store, f"{mapping.body}/{mapping.dataset}/{sha256}")
            except UnknownSubmission:
                continue  # purged since
            report = publishers.read_report(store, submission)
            if report and is_answered(store, submission, report):
                yield submission


def copy_answers(store: publishers.Store, to: publishers.Store) -> None:
    """Copy all answers from one store to another, so that a replay begins with them."""
    for mapping in publishers.list_mappings(store):
        if answered := tuple(replace(question, waiting=()) for question in mapping.questions if not question.open):
            publishers.update_mapping(to, mapping.body, mapping.dataset, partial(replace, questions=answered))
