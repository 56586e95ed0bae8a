"""The questions of the decision queue: their kinds, what each answer does, and one question as it is listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from piperoll.model import Acts, PairDecision


class ItemKind(StrEnum):
    """What an item asks."""

    HEADING = "heading"
    VALUE = "value"
    FILE = "file"
    CLAIM = "claim"
    WITHDRAWAL = "withdrawal"
    PURGE = "purge"
    REPORT = "report"
    SUPPLIER = "supplier"
    PAIR = "pair"

    @property
    def is_review(self) -> bool:
        """Whether the answer counts when measures are next made, and no file is examined again for it."""
        return self in (ItemKind.SUPPLIER, ItemKind.PAIR)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its name in the log, the words on its button, and what it would do."""

    answer: str
    label: str
    effect: str


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One question that waits for an answer.

    `subject` is what it is about in the log: a heading, a value, the sha256 of a file, a version, the identifier of a
    report or a pair, or a supplier key. `question` may quote what is held: it is for the body and the operator alone.
    `rows` and `pounds` (None if no amount was read) are what waits for the answer, in the files `files` (sha256).
    `since` is an ISO 8601 instant. `code` is that of the finding that holds a file. `proposed` are the organisations
    that a supplier may be, in order of the answers. `bodies` are all that it is about, if several; `body` is the first.
    """

    kind: ItemKind
    body: str
    dataset: str
    subject: str
    question: str
    choices: tuple[Choice, ...]
    turn: Acts
    since: str
    rows: int = 0
    pounds: Decimal | None = None
    files: tuple[str, ...] = ()
    period: str | None = None
    code: str | None = None
    details: tuple[str, ...] = field(default=())
    proposed: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The identifier of the question: the same question has the same, whenever the queue is read."""
        text = "\0".join((self.kind, self.body, self.dataset, self.subject, *self.proposed, *self.bodies))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def concerns(self) -> tuple[str, ...]:
        """The bodies that it is about."""
        return self.bodies or (self.body,)

    def age_days(self, on: date) -> int:
        """For how many days it has waited."""
        return max(0, (on - datetime.fromisoformat(self.since).date()).days)

    def to_document(self, on: date) -> dict[str, Any]:
        """The item as `piperoll decisions --json` prints it."""
        return {
            "id": self.id,
            "kind": str(self.kind),
            "body": self.body,
            "bodies": list(self.concerns),
            "dataset": self.dataset,
            "period": self.period,
            "question": self.question,
            "subject": self.subject,
            "turn": str(self.turn),
            "since": self.since,
            "age_days": self.age_days(on),
            "rows": self.rows,
            "pounds": None if self.pounds is None else f"{self.pounds:.2f}",
            "files": list(self.files),
            "code": self.code,
            "details": list(self.details),
            "proposed": list(self.proposed),
            "answers": [{"answer": one.answer, "label": one.label, "effect": one.effect} for one in self.choices],
        }


VALUE_CHOICES = (
    Choice("business", "A business", "The rows are published with this name."),
    Choice("public-role", "A person in a public role", "The rows are published with this name."),
    Choice("person", "A private person", "The rows are published without the name; published versions with it go."),
)
FILE_CHOICES = (
    Choice("replace", "It is right: publish it", "It is published in place of what is published for the period."),
    Choice("add", "It is a further part: add it", "Its rows are added to what is published for the period."),
)
CLAIM_CHOICES = (
    Choice("replace", "Publish this file", "It is published in place of what is published for the period."),
    Choice("add", "Add this file", "Its rows are added to what is published for the period."),
)
WITHDRAWAL_CHOICES = (
    Choice("confirmed", "Withdraw it", "The table shows that it was withdrawn, and why. Its files stay, marked."),
    Choice("refused", "Leave it published", "Nothing changes. The body sees the reason."),
)
PURGE_CHOICES = (
    Choice(
        "purged",
        "Purge the file as received",
        "The bytes, their reports and everything made from them are deleted, and are refused if they come again.",
    ),
    Choice(
        "refused", "Keep it in the private archive", "The operator alone can read it, and it can be examined again."
    ),
)
REPORT_CHOICES = (Choice("answer", "Answer", "Your answer and the report are published beside the table."),)
PAIR_CHOICES = (
    Choice(PairDecision.JOINT, "One purchase by both", "It counts as bought once."),
    Choice(PairDecision.COMMON_FRAMEWORK, "Two purchases from one framework", "It counts as bought together already."),
    Choice(PairDecision.SEPARATE, "The same need, bought separately", "Its pounds enter the totals of such contracts."),
    Choice(PairDecision.NOT_SAME, "Not the same need", "It is counted no more."),
    Choice(PairDecision.UNCLEAR, "Their texts do not tell", "It counts in high bounds only, and is not asked again."),
)


def group_items(items: Iterable[QueueItem]) -> Mapping[ItemKind, Sequence[QueueItem]]:
    """Items by kind, in the order of `ItemKind`."""
    groups: dict[ItemKind, list[QueueItem]] = {kind: [] for kind in ItemKind}
    for item in items:
        groups[item.kind].append(item)
    return {kind: found for kind, found in groups.items() if found}
