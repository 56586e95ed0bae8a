"""Conditions: `field=value` and `field__lt=value`, typed by the descriptor."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from serving.fields import Known
from serving.limits import Limits
from serving.problems import Problem, shown, unknown, unprocessable

Value: TypeAlias = "str | int | bool | Decimal | date"

_ORDERED = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "string": (*_ORDERED, "contains", "starts"),
    "number": _ORDERED,
    "integer": _ORDERED,
    "date": _ORDERED,
    "boolean": ("eq", "ne", "isnull"),
}
"""What can be asked of a field, by its type."""

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a field, what is asked of it, and the values; several values mean any of them."""

    field: Known
    operator: str
    values: tuple[Value, ...]


def term(parameter: str, texts: Sequence[str], known: Mapping[str, Known], limits: Limits) -> Term:
    """The condition that a parameter and its values spell.

    Raises: Problem: there is no such field or operator, or a value is none of the field's type.
    """
    name, mark, operator = parameter.rpartition("__")
    if not mark:
        name, operator = parameter, "eq"
    if name not in known:
        raise unknown("field", name, known, see="ask /datasets/{dataset} for its fields")
    field = known[name]
    if operator not in OPERATORS[field.type]:
        able = ", ".join(f"{name}__{one}" for one in OPERATORS[field.type])
        raise unprocessable(parameter, f"'{shown(operator)}' cannot be asked of {name} ({field.type}): write {able}")
    spelt = [one for text in texts for one in listed(text)] if operator == "in" else list(texts)
    if not 1 <= len(spelt) <= limits.values:
        raise unprocessable(parameter, f"{parameter} takes 1 to {limits.values} values, and has {len(spelt)}")
    if len(spelt) > 1 and operator not in ("eq", "in", "ne", "contains", "starts"):
        raise unprocessable(parameter, f"{parameter} takes one value: write it once")
    wanted = "boolean" if operator == "isnull" else field.type
    return Term(field, operator, tuple(value(parameter, one, wanted) for one in spelt))


def value(parameter: str, text: str, kind: str) -> Value:
    """Text as a value of a field's type. Raises: Problem: it is none, and the message shows one."""
    reader = _READERS[kind]
    found = reader(text)
    if found is None:
        raise unprocessable(parameter, f"'{shown(text)}' is no {kind}: write for example {parameter}={_EXAMPLES[kind]}")
    return found


def listed(text: str) -> list[str]:
    """The items of a list parted by commas; one that holds a comma stands in double quotes.

    Raises: Problem: a quote is not closed.
    """
    try:
        rows = list(csv.reader([text.replace("\r", " ").replace("\n", " ")], strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise Problem(400, "bad-parameter", f"'{shown(text)}' is no list: close its double quotes") from error
    return [item for row in rows for item in row]


def any_of(names: Iterable[str]) -> str:
    """Names as a sentence lists them."""
    return ", ".join(names)


def _text(text: str) -> str | None:
    return text or None


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.match(text) else None


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.match(text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None


def _truth(text: str) -> bool | None:
    return _TRUTHS.get(text.lower())


_READERS = {"string": _text, "number": _number, "integer": _integer, "date": _day, "boolean": _truth}
_EXAMPLES = {"string": "Acorn", "number": "1250.00", "integer": "3", "date": "2026-10-31", "boolean": "true"}
