"""The decision queue: everything that waits for a person's answer, with whose turn it is and what each answer does.

    heading     a heading that replaced another: the same thing, another field, or neither?
    value       a name or a text that is held: a business, a public role, or a private person?
    file        a file that is held as a whole: is it right as it is?
    claim       several files of one delivery for one period: which one, or all of them?
    withdrawal  a body asks to withdraw a version
    purge       a body withdrew a table because of personal data: is the file as received removed, too?
    report      a reader reports something about a published table
    supplier    a supplier of measures: is it the organisation that is proposed?
    pair        two contracts of different bodies: what are they to each other?

Items are found from the index of each body; only files that have something held are opened. The last two kinds are
reviews: they are found from the newest tables of measures, and are an operator's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import publishers
from piperoll import assets
from piperoll.checking.privacy.decisions import Decided, fold_value
from piperoll.describing.wording import format_pounds
from piperoll.duties import ReportOutcome, period_of
from piperoll.errors import MappingError
from piperoll.model import (
    NO_COMPANY,
    Acts,
    DecisionEntry,
    DecisionKind,
    HeldValue,
    PairDecision,
    Period,
    Question,
    Submission,
    Verdict,
    WithdrawalStep,
    describe_period,
)
from piperoll.operations.body_index import BodyIndex, StoreIndex
from piperoll.operations.reader_reports import list_open_reports
from piperoll.operations.review_queue import (
    ContractToCompare,
    PairToReview,
    PublishedTable,
    SupplierToReview,
    list_pairs,
    list_suppliers,
    read_newest_table,
)
from piperoll.operations.withdrawing import list_withdrawals
from piperoll.reading import ASKING, DOUBTED, DRIFTED

_CLAIMED = "series-claimed-twice"
_PENNY = Decimal("0.01")
_BODIES_NAMED = 5
_NOT_RELEASED = "It was released before and is held again: by today's rules it may be rejected. See its report."


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


_VALUE_CHOICES = (
    Choice("business", "A business", "The rows are published with this name."),
    Choice("public-role", "A person in a public role", "The rows are published with this name."),
    Choice("person", "A private person", "The rows are published without the name; published versions with it go."),
)
_FILE_CHOICES = (
    Choice("replace", "It is right: publish it", "It is published in place of what is published for the period."),
    Choice("add", "It is a further part: add it", "Its rows are added to what is published for the period."),
)
_CLAIM_CHOICES = (
    Choice("replace", "Publish this file", "It is published in place of what is published for the period."),
    Choice("add", "Add this file", "Its rows are added to what is published for the period."),
)
_WITHDRAWAL_CHOICES = (
    Choice("confirmed", "Withdraw it", "The table shows that it was withdrawn, and why. Its files stay, marked."),
    Choice("refused", "Leave it published", "Nothing changes. The body sees the reason."),
)
_PURGE_CHOICES = (
    Choice(
        "purged",
        "Purge the file as received",
        "The bytes, their reports and everything made from them are deleted, and are refused if they come again.",
    ),
    Choice(
        "refused", "Keep it in the private archive", "The operator alone can read it, and it can be examined again."
    ),
)
_REPORT_CHOICES = (Choice("answer", "Answer", "Your answer and the report are published beside the table."),)
_PAIR_CHOICES = (
    Choice(PairDecision.JOINT, "One purchase by both", "It counts as bought once."),
    Choice(PairDecision.COMMON_FRAMEWORK, "Two purchases from one framework", "It counts as bought together already."),
    Choice(PairDecision.SEPARATE, "The same need, bought separately", "Its pounds enter the totals of such contracts."),
    Choice(PairDecision.NOT_SAME, "Not the same need", "It is counted no more."),
    Choice(PairDecision.UNCLEAR, "Their texts do not tell", "It counts in high bounds only, and is not asked again."),
)


def list_items(index: StoreIndex, bodies: Iterable[str] | None = None) -> list[QueueItem]:
    """Everything that waits for an answer, of some bodies or of all; the oldest first, and reviews last."""
    slugs = index.slugs if bodies is None else tuple(bodies)
    items = [item for slug in slugs for item in list_body_items(index.store, index.read(slug))]
    items.sort(key=lambda item: (item.since, item.body, item.dataset, item.id))
    return items + [one for one in _list_reviews(index) if bodies is None or not {*slugs}.isdisjoint(one.concerns)]


def list_body_items(store: publishers.Store, body: BodyIndex) -> list[QueueItem]:
    """Everything of one body that waits for an answer; the oldest first."""
    open_files = list(_list_open_files(body))
    items: list[QueueItem] = []
    if open_files:
        items += _list_headings(store, body, open_files)
        items += _list_values(store, body, open_files)
        items += _list_files(store, open_files)
    items += _list_withdrawals(store, body)
    items += _list_reports(store, body)
    return sorted(items, key=lambda item: (item.since, item.dataset, item.id))


def _list_open_files(body: BodyIndex) -> Iterator[tuple[Submission, ReportOutcome]]:
    """Files with something held: those of current versions, and held ones that no later file has made good."""
    current = {
        (series.dataset, sha256)
        for series, facts in body.series.items()
        if facts.history.current_version
        for sha256 in facts.history.current_version.sources
    }
    settled: set[tuple[str, Period | None, str | None]] = set()
    newest_first = sorted(body.received, key=lambda one: one[0].received, reverse=True)
    for submission, outcome in newest_first:
        if outcome is None:
            continue
        period = period_of(submission, outcome)
        series = submission.dataset, period, outcome.part or submission.part
        if outcome.verdict.publishes:
            settled.add(series)
            if outcome.held_rows and (submission.dataset, submission.sha256) in current:
                yield submission, outcome
        elif outcome.verdict is Verdict.HELD and (period is None or series not in settled):
            yield submission, outcome


def _list_headings(
    store: publishers.Store, body: BodyIndex, files: Sequence[tuple[Submission, ReportOutcome]]
) -> Iterator[QueueItem]:
    held = [(one, outcome) for one, outcome in files if outcome.code in ASKING]
    for name in sorted({submission.dataset for submission, _ in held}):
        waiting = {one.sha256: (one, outcome) for one, outcome in held if one.dataset == name}
        try:
            questions = publishers.read_mapping(store, body.body.slug, name).open_questions
        except MappingError:  # edited by hand and wrong: the next file of the body fails with the reason
            continue
        for question in questions:
            known = [waiting[sha256] for sha256 in question.waiting if sha256 in waiting]
            if not known:
                continue
            yield ask_heading(
                body.body.slug,
                name,
                question,
                min(submission.received for submission, _ in known),
                rows=sum(outcome.rows for _, outcome in known),
                pounds=_add(outcome.amount for _, outcome in known),
                files=tuple(submission.sha256 for submission, _ in known),
                code=known[0][1].code or DRIFTED,
            )


def ask_heading(  # noqa: PLR0913 - keyword-only options
    body: str,
    dataset: str,
    question: Question,
    since: str,
    *,
    rows: int,
    pounds: Decimal | None,
    files: tuple[str, ...],
    code: str,
) -> QueueItem:
    """The item that asks what a heading means; `code` is that of the finding that holds the file."""
    title = assets.dataset(dataset).field(question.field).title.lower()
    replaced = f"replaced '{question.replaced}'" if question.replaced else "is new"
    same, different = "The files are examined again and read so.", "The files are read without it"
    if code == DOUBTED:
        replaced = "had that meaning in earlier files"
        same, different = "The files are read as earlier ones were.", "The files are read by themselves"
    return QueueItem(
        ItemKind.HEADING,
        body,
        dataset,
        question.heading,
        f"'{question.heading}' {replaced}: is it the {title}?",
        (
            Choice("same", f"Yes: it is the {title}", same),
            Choice("different", "No: it means something else", f"{different}, and may be rejected."),
            Choice("ignore", "Leave this column out", "The files are examined again without the column."),
        ),
        Acts.BODY,
        since,
        rows=rows,
        pounds=pounds,
        files=files,
        code=code,
    )


def _list_values(
    store: publishers.Store, body: BodyIndex, files: Sequence[tuple[Submission, ReportOutcome]]
) -> Iterator[QueueItem]:
    """The held values of files, grouped by what the cell says; those that are decided are not asked again."""
    found: dict[tuple[str, str], list[tuple[Submission, HeldValue]]] = {}
    for submission, outcome in files:
        if not outcome.held_rows:
            continue
        report = publishers.read_full_report(store, submission)
        for value in report.held_values if report else ():
            if not value.left_out and value.value.strip():
                found.setdefault((submission.dataset, fold_value(value.value)), []).append((submission, value))
    decided: dict[str, Decided] = {}
    for (name, _), held in sorted(found.items()):
        if name not in decided:
            decided[name] = Decided(publishers.read_decisions(store, body.body.slug, name))
        if _is_decided(decided[name], held[0][1]):
            continue
        places = dict.fromkeys(f"{value.where(6)} of {submission.name}" for submission, value in held)
        yield ask_value(
            body.body.slug,
            name,
            [value for _, value in held],
            min(submission.received for submission, _ in held),
            rows=len({(submission.sha256, value.sheet, row) for submission, value in held for row in value.rows}),
            files=tuple(dict.fromkeys(submission.sha256 for submission, _ in held)),
            details=tuple(places)[:5],
        )


def ask_value(
    body: str,
    dataset: str,
    held: Sequence[HeldValue],
    since: str,
    *,
    rows: int,
    files: tuple[str, ...],
    details: tuple[str, ...],
) -> QueueItem:
    """The item that asks what a held value names; `held` are its places, one or more."""
    first = held[0]
    return QueueItem(
        ItemKind.VALUE,
        body,
        dataset,
        first.value,
        f"{assets.dataset(dataset).field(first.field).title}: '{first.value}'",
        _VALUE_CHOICES,
        Acts.BODY,
        since,
        rows=rows,
        pounds=_add(value.amount for value in held),
        files=files,
        code=first.rules[0] if first.rules else None,
        details=details,
    )


def _is_decided(decided: Decided, value: HeldValue) -> bool:
    values = [one.value for one in decided.decisions if not one.area]
    return any(
        fold_value(value.value, is_name=is_name) in {fold_value(one, is_name=is_name) for one in values}
        for is_name in (False, True)
    )


def _list_files(store: publishers.Store, files: Sequence[tuple[Submission, ReportOutcome]]) -> Iterator[QueueItem]:
    for submission, outcome in files:
        if outcome.verdict is not Verdict.HELD or outcome.code in ASKING:
            continue
        period = period_of(submission, outcome)
        named = f"{submission.name}, {describe_period(str(period))}" if period else submission.name
        claimed = outcome.code == _CLAIMED
        answers = list_release_answers(store, submission)
        applied = publishers.list_applied(store, submission.body, submission.dataset) if answers else frozenset()
        if any(entry.id not in applied for entry in answers):
            continue  # the next run publishes it
        yield QueueItem(
            ItemKind.CLAIM if claimed else ItemKind.FILE,
            submission.body,
            submission.dataset,
            submission.sha256,
            f"{named}: {outcome.reason or 'it is held'}",
            (_CLAIM_CHOICES if claimed else _FILE_CHOICES) if period else (),
            outcome.acts or Acts.BODY,
            submission.received,
            rows=outcome.rows,
            pounds=outcome.amount,
            files=(submission.sha256,),
            period=str(period) if period else None,
            code=outcome.code,
            details=(_NOT_RELEASED,) if answers else (),
        )


def list_release_answers(store: publishers.Store, submission: Submission) -> list[DecisionEntry]:
    """The entries of the log that release a file as a whole, oldest first."""
    entries = publishers.list_decisions(store, submission.body)
    return [
        entry
        for entry in entries
        if entry.kind is DecisionKind.FILE and (entry.subject, entry.dataset) == (submission.sha256, submission.dataset)
    ]


def _list_withdrawals(store: publishers.Store, body: BodyIndex) -> Iterator[QueueItem]:
    for one in list_withdrawals(store, body.body.slug):
        if one.step not in (WithdrawalStep.ASKED, WithdrawalStep.PERSONAL_DATA):
            continue
        history = publishers.read_history(store, one.series)[0]
        version = history.version(one.number)
        if version is None:
            continue
        purge = one.step is WithdrawalStep.PERSONAL_DATA
        yield QueueItem(
            ItemKind.PURGE if purge else ItemKind.WITHDRAWAL,
            body.body.slug,
            one.series.dataset,
            f"{one.series}/v{one.number}",
            f"{publishers.describe_series(one.series)}, version {one.number}: {one.asked.because}",
            _PURGE_CHOICES if purge else _WITHDRAWAL_CHOICES,
            Acts.PLATFORM,
            one.asked.decided,
            rows=version.rows,
            pounds=version.amount_gbp,
            files=version.sources,
            period=str(one.series.period),
        )


def _list_reports(store: publishers.Store, body: BodyIndex) -> Iterator[QueueItem]:
    for report in list_open_reports(store, body.body.slug):
        line = f" (line {report.line})" if report.line else ""
        yield QueueItem(
            ItemKind.REPORT,
            body.body.slug,
            report.series.dataset,
            report.id,
            f"{publishers.describe_series(report.series)}{line}: {report.text}",
            _REPORT_CHOICES,
            Acts.BODY,
            report.reported,
            period=str(report.series.period),
            details=(str(report.series), str(report.concern)),
        )


def _list_reviews(index: StoreIndex) -> Iterator[QueueItem]:
    """Suppliers, then pairs of contracts; of each, what bears on most comes first."""
    expected = {body.slug: body.name for body in index.context.expected}

    def name_of(slug: str) -> str:
        return expected.get(slug) or index.context.known.find(slug).name

    if suppliers := read_newest_table(index.store, "supplier-identity", "supplier_identities"):
        for supplier in list_suppliers(index.store, suppliers.rows):
            yield _ask_supplier(supplier, suppliers, name_of)
    if pairs := read_newest_table(index.store, "duplication", "contract_pairs"):
        for pair in list_pairs(index.store, pairs.rows):
            yield _ask_pair(pair, pairs, name_of)


def _ask_supplier(one: SupplierToReview, table: PublishedTable, name_of: Callable[[str], str]) -> QueueItem:
    is_it = f"is it {' or '.join(one.proposed)}" if one.proposed else "who is it"
    choices = [
        Choice(
            "proposed" if number == 1 else f"proposed-{number}",
            "It is the organisation proposed" if number == 1 else f"It is number {number} of those proposed",
            "Its number is a fact, for the bodies that pay it under this name.",
        )
        for number in range(1, len(one.proposed) + 1)
    ]
    choices.append(Choice(NO_COMPANY, "It is in no register", "No number is expected of it, for the same bodies."))
    paid = [f"{name_of(slug)} {format_pounds(pounds.quantize(_PENNY))}" for slug, pounds in one.bodies.items()]
    more = f" and {len(paid) - _BODIES_NAMED} more" if len(paid) > _BODIES_NAMED else ""
    return QueueItem(
        ItemKind.SUPPLIER,
        next(iter(one.bodies)),
        "spend",
        one.key,
        f"{'; '.join(one.names)}: {is_it}?",
        tuple(choices),
        Acts.PLATFORM,
        table.published,
        pounds=one.pounds.quantize(_PENNY),
        period=str(table.year),
        details=(
            *one.evidence,
            *(("matched already: drawn to measure how many matches are right",) if one.sampled else ()),
            f"paid by {', '.join(paid[:_BODIES_NAMED])}{more}",
        ),
        proposed=one.proposed,
        bodies=tuple(one.bodies),
    )


def _ask_pair(one: PairToReview, table: PublishedTable, name_of: Callable[[str], str]) -> QueueItem:
    titles = [
        f"'{side.title}' ({name_of(side.body)}{f', {format_pounds(side.value)}' if side.value is not None else ''})"
        for side in one.sides
    ]
    return QueueItem(
        ItemKind.PAIR,
        one.sides[0].body,
        "contracts",
        one.pair,
        f"{titles[0]} and {titles[1]}: the same need?",
        _PAIR_CHOICES,
        Acts.PLATFORM,
        table.published,
        pounds=_add(side.value for side in one.sides),
        period=str(table.year),
        details=(
            f"{one.guess.replace('-', ' ')} by their texts: {one.evidence}; {one.score:.2f} alike",
            *(f"{name_of(side.body)}: {known}" for side in one.sides if (known := _describe_contract(side))),
        ),
        bodies=tuple(side.body for side in one.sides),
    )


def _describe_contract(side: ContractToCompare) -> str:
    """Who supplies it, and from when to when, as far as it is known."""
    days = [f"{word} {day.isoformat()}" for word, day in (("from", side.starts), ("to", side.ends)) if day]
    return "; ".join(filter(None, (", ".join(side.suppliers), " ".join(days))))


def _add(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def group_items(items: Iterable[QueueItem]) -> Mapping[ItemKind, Sequence[QueueItem]]:
    """Items by kind, in the order of `ItemKind`."""
    groups: dict[ItemKind, list[QueueItem]] = {kind: [] for kind in ItemKind}
    for item in items:
        groups[item.kind].append(item)
    return {kind: found for kind, found in groups.items() if found}
