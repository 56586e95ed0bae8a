"""A suite as we read it: Great Expectations' own JSON, with what each expectation needs to become a finding."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from piperoll.errors import DescriptorError
from piperoll.model import Severity

ROW, TABLE = "row", "table"
"""The two columns that every table has beside its fields: a line's row and its table's number."""

_SEVERITY = {"critical": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}
_WORD = re.compile(r"\w+")
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")


class NotCompiled(Exception):
    """What the compiler does not know: the expectation goes to Great Expectations itself. It never leaves this room."""


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite: `number` is its place, `severity` GX's own word for it."""

    number: int
    type: str
    kwargs: Mapping[str, Any]
    severity: str
    meta: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """The columns it is about, in the order of its arguments."""
        found: list[str] = []
        for argument in _COLUMN_ARGUMENTS:
            value = self.kwargs.get(argument) or []
            found += [value] if isinstance(value, str) else list(value)
        return found

    def looks_at(self, known: Container[str]) -> frozenset[str]:
        """These and the columns of its row condition: of one that is text, the words that are `known` as columns."""
        asked = self.kwargs.get("row_condition")
        words = [word for word in _WORD.findall(asked) if word in known] if isinstance(asked, str) else []
        return frozenset((*self.columns, *words, *_in_condition(asked)))

    @property
    def weight(self) -> Severity:
        """How much it matters to the reader of a report."""
        return _SEVERITY[self.severity]


def expectations(suite: str) -> list[Expectation]:
    """The expectations of `suite`, in order.

    Raises: DescriptorError: the suite is not one, or an expectation lacks what we make a finding of.
    """
    try:
        entries: list[dict[str, Any]] = json.loads(suite)["expectations"]
        return [_expectation(number, entry) for number, entry in enumerate(entries)]
    except (ValueError, KeyError, TypeError) as error:
        raise DescriptorError(f"a suite lacks {error}: each expectation has type, kwargs, severity and meta") from error


def _expectation(number: int, entry: Mapping[str, Any]) -> Expectation:
    _ = _SEVERITY[entry["severity"]], [entry["meta"][word] for word in ("code", "message", "fix")]
    return Expectation(number, entry["type"], dict(entry["kwargs"]), entry["severity"], entry["meta"])


def _in_condition(condition: Any) -> Iterator[str]:
    """The columns that a row condition looks at, however deep it is nested."""
    waiting = [condition]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, list):
            waiting += piece
        elif isinstance(piece, dict):
            waiting += [value for key, value in piece.items() if key != "column"]
            if "column" in piece:
                yield piece["column"]["name"]
