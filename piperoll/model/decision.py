"""What people decide about values that are held for privacy and about held files: the entries of one log."""

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
    """What an entry of the log is about: a value, a service area, a held file, or an earlier decision."""

    VALUE = "value"
    AREA = "area"
    FILE = "file"
    TAKE_BACK = "take-back"


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One entry of the log of decisions, which is never changed.

    `subject` is the value or the service area as someone wrote it, the sha256 of a file, or the identifier of the
    decision that is taken back. `decided_as` is a `DecidedAs`, for a file `replace` or `add`, and for a decision that
    is taken back what it had said. The other fields are as in `PrivacyDecision`; `id` is empty until it is recorded.
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
