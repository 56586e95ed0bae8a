"""What people decide about values that are held for privacy."""

from __future__ import annotations

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
