"""What people decide about held values and files, suppliers, pairs of contracts and figures: the entries of one log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class DecidedAs(StrEnum):
    """What a name, a text or a service area is said to be.

    `BUSINESS` is about no private person. `PUBLIC_ROLE` names a person who is named in a public role. Both are
    published. `PERSON` is a private person: the name is left out.
    """

    BUSINESS = "business"
    PUBLIC_ROLE = "public-role"
    PERSON = "person"

    @property
    def publishes(self) -> bool:
        """Whether the value is published."""
        return self is not DecidedAs.PERSON


@dataclass(frozen=True, slots=True)
class PrivacyDecision:
    """What someone decided about a value, or a whole service area, in the files of one body or of all bodies.

    `id` identifies the decision. `body` is a slug; None is every body, by an operator's decision. `dataset` None is
    every dataset. `area` is True if `value` is a service area and the decision is about everyone paid in it. `by` is
    who decided, `decided` when (ISO 8601, UTC).
    """

    id: str
    value: str
    decided_as: DecidedAs
    because: str
    by: str
    decided: str
    body: str | None
    dataset: str | None = None
    area: bool = False

    def applies_to(self, body: str, dataset: str) -> bool:
        """Whether the decision is about files of this body and dataset."""
        return self.body in (None, body) and self.dataset in (None, dataset)


class DecisionKind(StrEnum):
    """What an entry of the log is about.

    A value, a service area, a held file, the withdrawal of a version, or the restatement of a series by today's rules;
    who a supplier is, how two contracts are related, or a body's reply to a figure; or an earlier decision that is
    taken back. `HEADING` and `TAKEDOWN` record what is in force elsewhere: an answer about a heading, and what an
    operator withdrew or purged.
    """

    VALUE = "value"
    AREA = "area"
    FILE = "file"
    TAKE_BACK = "take-back"
    REPLY = "reply"
    SUPPLIER = "supplier"
    PAIR = "pair"
    WITHDRAW = "withdraw"
    RESTATE = "restate"
    HEADING = "heading"
    TAKEDOWN = "takedown"

    @property
    def is_review(self) -> bool:
        """Whether it is about what measures are made of: no file is examined again because of it."""
        return self in (DecisionKind.REPLY, DecisionKind.SUPPLIER, DecisionKind.PAIR)


class PairDecision(StrEnum):
    """What two contracts of different bodies are to each other.

    `JOINT` is one purchase by both; `COMMON_FRAMEWORK` are two purchases of the same from one framework; `SEPARATE` is
    the same need, bought separately.
    """

    JOINT = "joint"
    COMMON_FRAMEWORK = "common-framework"
    SEPARATE = "separate"
    NOT_SAME = "not-same"
    UNCLEAR = "unclear"


class WithdrawalStep(StrEnum):
    """What an entry about a withdrawal says.

    `ASKED`: the body asks, and an operator decides. `PERSONAL_DATA`: the body asks because of personal data, and the
    version is removed at once. `CONFIRMED` and `REFUSED` are an operator's answers. `PURGED`: an operator has also
    removed the file as received.
    """

    ASKED = "asked"
    PERSONAL_DATA = "personal-data"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    PURGED = "purged"


class Restated(StrEnum):
    """What today's rules made of a series when someone applied them: it was published, replaced or withdrawn."""

    PUBLISHED = "published"
    RESTATED = "restated"
    HELD = "held"


NO_COMPANY = "none"
"""What a supplier is decided as that is in no register."""


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One entry of the log of decisions, which is never changed.

    | `kind` | `subject` | `decided_as` | `body` |
    |---|---|---|---|
    | `VALUE`, `AREA` | the value or service area as someone wrote it | a `DecidedAs` | a slug; None is every body |
    | `FILE` | the sha256 of a file | `replace` or `add` | a slug |
    | `SUPPLIER` | a supplier key | an org-id such as `GB-COH-01234567`, or `NO_COMPANY` | as for a value |
    | `PAIR` | the identifier of a pair of contracts | a `PairDecision` | None |
    | `WITHDRAW` | a version (`spend/anytown/2026-10/v1`) | a `WithdrawalStep` | the slug of whose it is |
    | `RESTATE` | a series (`spend/anytown/2026-10`) | a `Restated` | the slug of whose it is |
    | `HEADING` | the heading as the file has it | `same`, `different`, `ignore` or a field | the slug of whose it is |
    | `TAKEDOWN` | a version, or the sha256 of a file | `withdrawn` or `purged` | the slug of whose it is |
    | `REPLY` | the identifier of a figure | `reply` | the slug of who replies |
    | `TAKE_BACK` | the identifier of the decision that is taken back | what that had said | as that had |

    `because` is private, except for a `REPLY`, whose note it is. The other fields are as in `PrivacyDecision`; `id` is
    empty until it is recorded.
    """

    kind: DecisionKind
    subject: str
    decided_as: str
    because: str
    by: str
    decided: str
    body: str | None
    dataset: str | None = None
    id: str = ""

    @property
    def bears_on_files(self) -> bool:
        """Whether files are examined again because of the entry."""
        if self.kind is DecisionKind.TAKE_BACK:
            return self.decided_as in set(DecidedAs)
        return self.kind in (DecisionKind.VALUE, DecisionKind.AREA)

    def as_decision(self) -> PrivacyDecision:
        """The decision about a value or service area that this entry records."""
        return PrivacyDecision(
            self.id,
            self.subject,
            DecidedAs(self.decided_as),
            self.because,
            self.by,
            self.decided,
            self.body,
            self.dataset,
            area=self.kind is DecisionKind.AREA,
        )


def decisions_in_force(entries: Iterable[DecisionEntry]) -> tuple[PrivacyDecision, ...]:
    """The decisions about values and service areas that nobody has taken back, oldest first."""
    entries = sorted(entries, key=lambda entry: (entry.decided, entry.id))
    taken_back = {entry.subject for entry in entries if entry.kind is DecisionKind.TAKE_BACK}
    return tuple(
        entry.as_decision()
        for entry in entries
        if entry.kind in (DecisionKind.VALUE, DecisionKind.AREA) and entry.id not in taken_back
    )


def reviews_in_force(entries: Iterable[DecisionEntry], kind: DecisionKind) -> tuple[DecisionEntry, ...]:
    """The replies, or the decisions about suppliers or pairs, that count: nobody has taken them back, oldest first.

    Of two by the same body (or for all bodies) about the same subject, the later counts.
    """
    entries = sorted(entries, key=lambda entry: (entry.decided, entry.id))
    taken_back = {entry.subject for entry in entries if entry.kind is DecisionKind.TAKE_BACK}
    counting = {
        (entry.subject, entry.body): entry for entry in entries if entry.kind is kind and entry.id not in taken_back
    }
    return tuple(sorted(counting.values(), key=lambda entry: (entry.decided, entry.id)))
