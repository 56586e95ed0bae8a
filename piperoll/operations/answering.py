"""Answers to the decision queue: recorded with who and why, then applied from the archive, at once or by the next run.

`answer_items` only records, so a page can call it. `apply_answers` does the work, in a background process or in a run;
killed at any moment, the next call does what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import publishers
from piperoll.describing.wording import format_count
from piperoll.errors import PiperollError, UsageError
from piperoll.model import DecidedAs, DecisionEntry, DecisionKind, Series, Verdict, WithdrawalStep
from piperoll.operations import decisions, questions, reviews
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.pipeline import fail, group_by_body, process_body
from piperoll.operations.queue_items import ItemKind, QueueItem
from piperoll.operations.reader_reports import answer_report, check_answer
from piperoll.operations.release import release_by_ruling, require_reason
from piperoll.operations.remote_files import local_file
from piperoll.operations.run_request import Run, open_run
from piperoll.operations.run_summary import Ending, FileResult, failure
from piperoll.operations.steps import clear_scratch
from piperoll.operations.trust import Standing
from piperoll.operations.withdrawing import answer_withdrawal, finish_withdrawals
from piperoll.settings import Settings

_OPERATORS = (ItemKind.WITHDRAWAL, ItemKind.PURGE, ItemKind.SUPPLIER, ItemKind.PAIR)
"""What only an operator answers."""


@dataclass(frozen=True, slots=True)
class AppliedAnswers:
    """What was examined again, what could not be released and why, and why the catalogue could not be built."""

    results: tuple[FileResult, ...]
    refused: Mapping[str, str]
    trouble: str | None


@dataclass(frozen=True, slots=True)
class TakenAnswers:
    """The items whose answers were recorded, and why others were not, by the identifiers of their items."""

    taken: tuple[QueueItem, ...]
    refused: Mapping[str, str]

    def describe(self, items: Iterable[QueueItem]) -> str:
        """What to tell who gave the answers if some were refused, naming the questions of these; "" if none was."""
        if not self.refused:
            return ""
        known = {item.id: item.question for item in items}
        words = "; ".join(f"{known.get(identifier, identifier)} ({why})" for identifier, why in self.refused.items())
        taken = format_count(len(self.taken), "answer")
        return f"{taken} {'was' if len(self.taken) == 1 else 'were'} recorded. Not recorded: {words}"


def may_answer(item: QueueItem, standing: Standing | None) -> bool:
    """Whether an officer of the body whose `standing` this is may answer without an operator; None is an operator."""
    if standing is None:
        return True
    if item.kind in (ItemKind.FILE, ItemKind.CLAIM):
        return standing.may_release(item.code)
    return item.kind not in _OPERATORS


def answer_items(
    store: publishers.Store,
    items: Sequence[QueueItem],
    answers: Mapping[str, str],
    *,
    because: str,
    by: str,
    moment: str,
    standings: Mapping[str, Standing] | None,
) -> TakenAnswers:
    """Record answers to items, by their identifiers, and say which were taken; one that is not blocks no other.

    `standings` are those of the bodies for which the person may answer; None is an operator. An answer to a reader's
    report is its text.
    Raises: UsageError: no answer was taken, and why the first was not: the item is not open, the answer is not one of
    its choices, or someone else must give it; no reason is given, or it may name a person where it is published; the
    mapping that keeps it cannot be read. StoreError: the store took none.
    """
    if not answers:
        raise UsageError("choose an answer to at least one question")
    known = {item.id: item for item in items}
    taken: list[QueueItem] = []
    refused: dict[str, PiperollError] = {}
    for identifier, answer in answers.items():
        try:
            item = _find_answerable(known, identifier, answer, because, standings)
            reason = require_reason(because) if item.kind in (ItemKind.FILE, ItemKind.CLAIM) else because
            _record(store, item, answer, reason, by, moment)
        except PiperollError as error:
            refused[identifier] = error
        else:
            taken.append(item)
    if not taken:
        raise next(iter(refused.values()))
    return TakenAnswers(tuple(taken), {identifier: str(error) for identifier, error in refused.items()})


def _find_answerable(
    known: Mapping[str, QueueItem],
    identifier: str,
    answer: str,
    because: str,
    standings: Mapping[str, Standing] | None,
) -> QueueItem:
    """The item of an identifier. Raises: UsageError: this person may not give this answer to it."""
    item = known.get(identifier)
    if item is None:
        raise UsageError("one of these questions is not open any more: look at the list again")
    if standings is not None and not (item.body in standings and may_answer(item, standings[item.body])):
        raise UsageError("an operator decides this: it is in their queue")
    if item.kind is ItemKind.REPORT:
        check_answer(answer)
        return item
    if answer not in {choice.answer for choice in item.choices}:
        raise UsageError(f"'{answer}' is not an answer to this question")
    if not because.strip():
        raise UsageError("give a reason: it is kept with the answers")
    return item


def _record(store: publishers.Store, item: QueueItem, answer: str, because: str, by: str, moment: str) -> None:
    match item.kind:
        case ItemKind.HEADING:
            mapping = publishers.read_mapping(store, item.body, item.dataset)
            questions.record_answer(
                store, mapping, item.subject, answer, because=f"{because} ({by})", moment=moment, by=by
            )
        case ItemKind.VALUE:
            decisions.record(
                store,
                [item.subject],
                DecidedAs(answer),
                because=because,
                by=by,
                moment=moment,
                body=item.body,
                dataset=item.dataset,
            )
        case ItemKind.FILE | ItemKind.CLAIM:
            kind, subject = DecisionKind.FILE, item.subject
            entry = DecisionEntry(kind, subject, answer, because, by, moment, item.body, item.dataset)
            publishers.record_decision(store, entry)
        case ItemKind.WITHDRAWAL | ItemKind.PURGE:
            series, _, number = item.subject.rpartition("/v")
            step = WithdrawalStep(answer)
            answer_withdrawal(store, Series.parse(series), int(number), step, because=because, by=by, moment=moment)
        case ItemKind.REPORT:
            answer_report(store, item.body, item.subject, answer, by=by, moment=moment)
        case ItemKind.SUPPLIER:
            given = (choice.answer for choice in item.choices)
            org_id = dict(zip(given, item.proposed, strict=False)).get(answer, answer)
            for body in item.bodies:  # only those that were named
                reviews.record_supplier(store, item.subject, org_id, because=because, by=by, moment=moment, body=body)
        case ItemKind.PAIR:
            reviews.record_pair(store, item.subject, answer, because=because, by=by, moment=moment)


def apply_answers(
    to: str, *, bodies: Path | None = None, settings: Settings | None = None, only: str | None = None
) -> AppliedAnswers:
    """Examine again what answers bear on, publish what was released, finish withdrawals, and build the catalogue.

    `only` is the slug of a body; without it, all bodies with answers. A file that fails stays as it is.
    """
    results: list[FileResult] = []
    with open_run(to, bodies=bodies, settings=settings, only=None if only is None else [only]) as run:
        for files in group_by_body(run, CollectedFiles()):
            results += process_body(run, files)
        released, refused = finish_answers(run, only=only)
        _, trouble = build_for_run(run)
    return AppliedAnswers((*results, *released), refused, trouble)


def finish_answers(run: Run, *, only: str | None = None) -> tuple[list[FileResult], dict[str, str]]:
    """Publish the held files that were released, and finish withdrawals; return the results, and what was refused why.

    A run does this after the files of all bodies. A file that fails for another reason, such as a store that does not
    answer, has that as its result, and the next call does it.
    """
    results: list[FileResult] = []
    refused: dict[str, str] = {}
    for slug in publishers.list_bodies_with_decisions(run.store) if only is None else [only]:
        finish_withdrawals(run.store, slug, moment=run.moment)
        for entry in list_waiting_releases(run.store, slug):
            _release(run, entry, results, refused)
    return results, refused


def list_waiting_releases(store: publishers.Store, body: str) -> list[DecisionEntry]:
    """The entries of the log that release a held file of a body and have not been applied, oldest first.

    Of answers given together, what replaces comes before what is added to it.
    """
    entries = [entry for entry in publishers.list_decisions(store, body) if entry.kind is DecisionKind.FILE]
    waiting = []
    for entry in entries:
        if entry.dataset is None or entry.id in publishers.list_applied(store, body, entry.dataset):
            continue
        found = publishers.read_submission(store, entry.dataset, body, entry.subject)
        if found and found[1] and found[1].verdict is Verdict.HELD:
            waiting.append(entry)
    return sorted(waiting, key=lambda entry: (entry.decided, entry.decided_as != publishers.Decision.REPLACE))


def _release(run: Run, entry: DecisionEntry, results: list[FileResult], refused: dict[str, str]) -> None:
    """Publish a file by an entry of the log, and record that the entry has been applied."""
    assert entry.body is not None and entry.dataset is not None, "entries about files have both"  # noqa: S101
    submission = publishers.find_submission(run.store, f"{entry.body}/{entry.dataset}/{entry.subject}")
    ruling = publishers.Ruling(publishers.Decision(entry.decided_as), entry.because, entry.decided, entry.by)
    try:
        results.append(release_by_ruling(run, submission, ruling, None))
    except Exception as error:  # noqa: BLE001 - one file's fault stays one file's
        if not isinstance(error, PiperollError) or error.retryable:
            results.append(fail(run, submission, error))
            return
        refused[entry.subject] = str(error)
        results.append(failure(submission, str(error), Ending.REFUSED))
    finally:
        clear_scratch(run, entry.dataset, entry.body)
    publishers.mark_applied(run.store, [entry.id], entry.body, entry.dataset)


def apply_from_arguments() -> None:
    """Apply answers to the store, and with the list of bodies, that the arguments of this process name."""
    to, *bodies = sys.argv[1:]
    apply_answers(to, bodies=local_file(bodies[0]) if bodies else None)
