"""Questions about a file that is not sent yet: what a heading means, what held names are. Answers count later, too.

They are answered like those in the decision queue and kept in the same places. The file is then checked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import publishers
from piperoll.checking.privacy.decisions import fold_value
from piperoll.errors import MappingError, UsageError
from piperoll.model import BodyMapping, Draft, HeldValue
from piperoll.operations.answering import TakenAnswers, answer_items
from piperoll.operations.decision_queue import ask_heading, ask_value
from piperoll.operations.queue_items import ItemKind, QueueItem
from piperoll.operations.submitting import CheckedAttempt, check_again
from piperoll.reading import ASKING


def list_draft_questions(draft: Draft, checked: CheckedAttempt) -> list[QueueItem]:
    """What the last attempt asks: its headings, and then its held names, those with the most rows first."""
    dataset, files = checked.report.dataset, (draft.last.sha256,)
    if dataset is None:
        return []
    rows, pounds = checked.held.rows, checked.held.pounds
    codes = {finding.value: finding.code for finding in checked.report.findings if finding.code in ASKING}
    items = [
        ask_heading(
            draft.body,
            dataset,
            question,
            draft.last.at,
            rows=rows,
            pounds=pounds,
            files=files,
            code=codes[question.heading],
        )
        for question in checked.questions
        if question.heading in codes
    ]
    groups: dict[str, list[HeldValue]] = {}
    for value in checked.report.held_values:
        if not value.left_out and (folded := fold_value(value.value)):
            groups.setdefault(folded, []).append(value)
    values = [
        ask_value(
            draft.body,
            dataset,
            held,
            draft.last.at,
            rows=len({(one.sheet, row) for one in held for row in one.rows}),
            files=files,
            details=tuple(dict.fromkeys(one.where(6) for one in held))[:5],
        )
        for held in groups.values()
    ]
    return items + sorted(values, key=lambda item: (-item.rows, item.subject))


def answer_draft_questions(
    store: publishers.Store,
    draft: Draft,
    checked: CheckedAttempt,
    answers: Mapping[str, str],
    *,
    because: str,
    by: str,
    moment: str,
) -> TakenAnswers:
    """Record answers by the identifiers of their items, and have the file checked again; return which were taken.

    Raises: UsageError: as `answer_items`; and no reason is given.
    """
    if not because.strip():
        raise UsageError("give a reason: it is kept with the answers")
    items = list_draft_questions(draft, checked)
    headings = {item.subject for item in items if item.kind is ItemKind.HEADING and item.id in answers}
    for question in checked.questions:
        if question.heading in headings and checked.report.dataset:
            ask = partial(BodyMapping.with_question, question=question)
            with suppress(MappingError):  # its answer is refused below, and no other
                publishers.update_mapping(store, draft.body, checked.report.dataset, ask)
    answered = answer_items(store, items, answers, because=because, by=by, moment=moment, standings=None)
    check_again(store, draft)
    return answered
