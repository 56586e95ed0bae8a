"""What publishing comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from piperoll.model import Finding, Version


class Decision(StrEnum):
    """What someone has said about a release: nothing yet, that it replaces what stands, or that it is added to it."""

    NORMAL = "normal"
    REPLACE = "replace"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Published:
    """A new version stands."""

    version: Version


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The same rows stand already: noted, no new version."""

    version: Version


@dataclass(frozen=True, slots=True)
class OnHold:
    """Nothing is published until someone says `replace` or `add`; the finding says why."""

    finding: Finding


Outcome: TypeAlias = Published | Unchanged | OnHold
