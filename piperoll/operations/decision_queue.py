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

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

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
    Period,
    Question,
    Submission,
    Verdict,
    WithdrawalStep,
    describe_period,
)
from piperoll.operations.body_index import BodyIndex, StoreIndex
from piperoll.operations.queue_items import (
    CLAIM_CHOICES,
    FILE_CHOICES,
    PAIR_CHOICES,
    PURGE_CHOICES,
    REPORT_CHOICES,
    VALUE_CHOICES,
    WITHDRAWAL_CHOICES,
    Choice,
    ItemKind,
    QueueItem,
)
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
_NOT_ASKED = "it is held because of a heading, and no question about it is remembered any more"
_NOT_RELEASED = "It was released before and is held again: by today's rules it may be rejected. See its report."


def list_items(index: StoreIndex, bodies: Iterable[str] | None = None) -> list[QueueItem]:
    """Everything that waits for an answer, of some bodies or of all; the oldest first, and reviews last."""
    slugs = index.slugs if bodies is None else tuple(bodies)
    items = [item for body in index.read_all(slugs) for item in list_body_items(index.store, body)]
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
    """Files with something held: those of current versions, and held ones that no later file has made good.

    The histories of the body's releases are read only if rows of a published file are held.
    """
    settled: set[tuple[str, Period | None, str | None]] = set()
    newest_first = sorted(body.received, key=lambda one: one[0].received, reverse=True)
    for submission, outcome in newest_first:
        if outcome is None:
            continue
        period = period_of(submission, outcome)
        series = submission.dataset, period, outcome.part or submission.part
        if outcome.verdict.publishes:
            settled.add(series)
            if outcome.held_rows and _is_current(body, submission):
                yield submission, outcome
        elif outcome.verdict is Verdict.HELD and (period is None or series not in settled):
            yield submission, outcome


def _is_current(body: BodyIndex, submission: Submission) -> bool:
    """Whether a file is in the current version of a series."""
    return any(
        series.dataset == submission.dataset
        and facts.history.current_version is not None
        and submission.sha256 in facts.history.current_version.sources
        for series, facts in body.series.items()
    )


def _list_headings(
    store: publishers.Store, body: BodyIndex, files: Sequence[tuple[Submission, ReportOutcome]]
) -> Iterator[QueueItem]:
    held = [(one, outcome) for one, outcome in files if outcome.code in ASKING]
    for name in sorted({submission.dataset for submission, _ in held}):
        waiting = {one.sha256: (one, outcome) for one, outcome in held if one.dataset == name}
        try:
            questions = publishers.read_mapping(store, body.body.slug, name).questions
        except MappingError as error:  # edited by hand and wrong: no answer can be taken until it is corrected
            yield from (_ask_file(*file, str(error), turn=Acts.PLATFORM) for file in waiting.values())
            continue
        asked = {sha256 for question in questions for sha256 in question.waiting}
        for sha256 in waiting.keys() - asked:  # somebody deleted the mapping, and the question with it
            yield _ask_file(*waiting[sha256], _NOT_ASKED, FILE_CHOICES, turn=Acts.PLATFORM)
        for question in (one for one in questions if one.open):
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
        VALUE_CHOICES,
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
        claimed = outcome.code == _CLAIMED
        answers = list_release_answers(store, submission)
        applied = publishers.list_applied(store, submission.body, submission.dataset) if answers else frozenset()
        if any(entry.id not in applied for entry in answers):
            continue  # the next run publishes it
        yield _ask_file(
            submission,
            outcome,
            outcome.reason or "it is held",
            CLAIM_CHOICES if claimed else FILE_CHOICES,
            kind=ItemKind.CLAIM if claimed else ItemKind.FILE,
            turn=outcome.acts or Acts.BODY,
            details=(_NOT_RELEASED,) if answers else (),
        )


def _ask_file(
    submission: Submission,
    outcome: ReportOutcome,
    why: str,
    choices: tuple[Choice, ...] = (),
    *,
    turn: Acts,
    kind: ItemKind = ItemKind.FILE,
    details: tuple[str, ...] = (),
) -> QueueItem:
    """The item about a file that is held as a whole; it can only be answered if the file shows its period."""
    period = period_of(submission, outcome)
    named = f"{submission.name}, {describe_period(str(period))}" if period else submission.name
    return QueueItem(
        kind,
        submission.body,
        submission.dataset,
        submission.sha256,
        f"{named}: {why}",
        choices if period else (),
        turn,
        submission.received,
        rows=outcome.rows,
        pounds=outcome.amount,
        files=(submission.sha256,),
        period=str(period) if period else None,
        code=outcome.code,
        details=details,
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
            PURGE_CHOICES if purge else WITHDRAWAL_CHOICES,
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
            REPORT_CHOICES,
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
        PAIR_CHOICES,
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
