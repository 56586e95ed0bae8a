"""Expectations drawn at random, of every rule that is compiled, for tables of the kind that `drawn_tables` draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

NUMBERS = ("original_value", "annual_value")
DAYS = ("start_date", "current_end_date")
TEXTS = ("title", "description", "supplier_name")
COLUMNS = (*NUMBERS, *DAYS, *TEXTS)

AMOUNTS = (0, 1, -1, 2.5, 0.1, 0.2, 0.3, 100, 1e9, -0.0, 12345678.91)
MOMENTS = ("2026-10-01T00:00:00", "2026-10-02T00:00:00", "2024-02-29T12:30:00", "1990-01-01T00:00:00")
WORDS = ("Road", "road", "Café", "a", "12", "TBC", "naïve", "line\nend", "12\n", "x y", "")
PATTERNS = (
    r"^[\d\s.,/£-]+$",
    r"(?i)^\s*(tests?|tbc|road|x{2,}|\?+)\s*$",
    "Ã[\u0080-\u00bf]|â€|é",
    r"\d",
    r"^\w+$",
    r"12$",
    r"\bx\b",
    r"(?i)K",
    "a|b|",
    r"(.)\1",
    r"^(?!T)",
    r"o{1,2}",
    r"[^a-z]$",
    "line.end",
    r"\s",
    r"\S\s\S",
)

Kwargs = dict[str, Any]


def draw_expectations(seed: int, count: int, conditions: float = 0.35) -> list[dict[str, Any]]:
    """Draw `count` expectations, of all rules in turn; the share `conditions` of them have a row condition."""
    random = Random(seed)  # noqa: S311 - questions, not secrets
    names = tuple(ARGUMENTS)
    drawn = []
    for number in range(count):
        name = names[number % len(names)]
        kwargs = ARGUMENTS[name](random)
        if random.random() < conditions:
            kwargs["row_condition"] = _condition(random)
        if name in ROW_BY_ROW:
            kwargs["mostly"] = random.choice((1, 1.0, 0.95, 0.9, 0.5, 2 / 3, 0.25, 0.0))
        drawn.append(
            {
                "type": name,
                "kwargs": kwargs,
                "severity": random.choice(("critical", "warning", "info")),
                "meta": {"code": f"asked-{number}", "message": "It is not.", "fix": "Look again."},
            }
        )
    return drawn


def _condition(random: Random) -> Mapping[str, Any]:
    return {
        "type": "comparison",
        "column": {"name": random.choice((*NUMBERS, "row"))},
        "operator": random.choice(("<", "<=", ">", ">=", "==", "!=")),
        "parameter": random.choice(AMOUNTS),
    }


def _between(values: tuple[Any, ...]) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        low, high = sorted(random.choices(values, k=2))
        return random.choice(({"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high}))

    return drawn


def _of(columns: tuple[str, ...], *more: Callable[[Random], Kwargs]) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        kwargs: Kwargs = {"column": random.choice(columns)}
        for each in more:
            kwargs |= each(random)
        return kwargs

    return drawn


def _values_between(random: Random) -> Kwargs:
    if random.random() < 0.5:
        return _of(DAYS, _between(MOMENTS))(random)
    return _of((*NUMBERS, "row"), _between(AMOUNTS))(random)


def _set(random: Random) -> Kwargs:
    if random.random() < 0.5:
        return {"column": random.choice(NUMBERS), "value_set": random.sample(AMOUNTS, random.randrange(1, 6))}
    return {"column": random.choice(TEXTS), "value_set": random.sample(WORDS, random.randrange(1, 6))}


def _one(name: str, values: tuple[Any, ...], chance: float = 1.0) -> Callable[[Random], Kwargs]:
    return lambda random: {name: random.choice(values)} if random.random() < chance else {}


def _pair(random: Random) -> Kwargs:
    first, second = random.sample(random.choice((NUMBERS, DAYS)), 2)
    return {
        "column_A": first,
        "column_B": second,
        "ignore_row_if": "either_value_is_missing",
        **_one("or_equal", (True, False), 0.7)(random),
    }


def _columns(*sorts: tuple[str, ...], most: int) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        columns = random.choice(sorts)
        names = random.sample(columns, random.randrange(2, min(most, len(columns)) + 1))
        return {"column_list": names, "ignore_row_if": "any_value_is_missing"}

    return drawn


_SIZES = (0, 1, 2, 3, 5, 8, 13)
_SHARES = (0.0, 0.25, 0.5, 2 / 3, 0.9, 1.0)

ARGUMENTS: Mapping[str, Callable[[Random], Kwargs]] = {
    "expect_column_values_to_be_between": _values_between,
    "expect_column_values_to_be_in_set": _set,
    "expect_column_values_to_not_be_in_set": _set,
    "expect_column_values_to_match_regex": _of(TEXTS, _one("regex", PATTERNS)),
    "expect_column_values_to_not_match_regex": _of(TEXTS, _one("regex", PATTERNS)),
    "expect_column_value_lengths_to_be_between": _of(TEXTS, _between(_SIZES)),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_select_column_values_to_be_unique_within_record": _columns(NUMBERS, DAYS, TEXTS, most=2),
    "expect_column_values_to_be_unique": _of((*COLUMNS, "row")),
    "expect_compound_columns_to_be_unique": _columns(NUMBERS, DAYS, TEXTS, COLUMNS, most=7),
    "expect_column_max_to_be_between": _of((*NUMBERS, "row"), _between(AMOUNTS)),
    "expect_column_min_to_be_between": _of((*NUMBERS, "row"), _between(AMOUNTS)),
    "expect_column_mean_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_median_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_sum_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_unique_value_count_to_be_between": _of(COLUMNS, _between(_SIZES)),
    "expect_column_proportion_of_unique_values_to_be_between": _of(COLUMNS, _between(_SHARES)),
}

ROW_BY_ROW = frozenset(
    name
    for name in ARGUMENTS
    if any(part in name for part in ("_values_to_", "_lengths_", "_pair_", "_record", "_columns_to_be_unique"))
    and "proportion" not in name
)
