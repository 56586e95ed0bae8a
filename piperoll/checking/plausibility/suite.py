"""Read a suite: the JSON of Great Expectations, with what we need to make a finding of each expectation."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from piperoll.errors import DescriptorError
from piperoll.model import Severity

ROW, TABLE = "row", "table"
"""The two columns that every table has besides its fields: a line's row and the number of its table."""

_SEVERITIES = {"critical": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}
_WORD = re.compile(r"\w+")
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite: `number` is its position, `severity` the word that GX uses."""

    number: int
    type: str
    kwargs: Mapping[str, Any]
    severity: str
    meta: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """The columns that it is about, in the order of its arguments."""
        found: list[str] = []
        for argument in _COLUMN_ARGUMENTS:
            value = self.kwargs.get(argument) or []
            found += [value] if isinstance(value, str) else list(value)
        return found

    def columns_needed(self, known: Container[str]) -> frozenset[str]:
        """Its columns and those of its row condition; of a condition that is text, the words that are `known`."""
        condition = self.kwargs.get("row_condition")
        words = [word for word in _WORD.findall(condition) if word in known] if isinstance(condition, str) else []
        return frozenset((*self.columns, *words, *_condition_columns(condition)))

    @property
    def weight(self) -> Severity:
        """The severity of a finding made of it."""
        return _SEVERITIES[self.severity]


def parse_suite(suite: str) -> list[Expectation]:
    """Parse the expectations of a suite, in order.

    Raises: DescriptorError: it is not a suite, or an expectation lacks something that a finding needs.
    """
    return list(_parse_suite(suite))


@lru_cache(maxsize=16)
def _parse_suite(suite: str) -> tuple[Expectation, ...]:
    try:
        found = []
        for number, entry in enumerate(json.loads(suite)["expectations"]):
            meta, severity = entry["meta"], entry["severity"]
            _ = _SEVERITIES[severity], [meta[name] for name in ("code", "message", "fix")]  # raises if one is absent
            found.append(Expectation(number, entry["type"], dict(entry["kwargs"]), severity, meta))
    except (ValueError, KeyError, TypeError) as error:
        raise DescriptorError(
            f"a suite lacks {error}: each expectation needs type, kwargs, severity and meta (code, message, fix)"
        ) from error
    return tuple(found)


def _condition_columns(condition: Any) -> Iterator[str]:
    """The columns in a row condition, however deeply it is nested."""
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += [value for key, value in part.items() if key != "column"]
            if "column" in part:
                yield part["column"]["name"]
