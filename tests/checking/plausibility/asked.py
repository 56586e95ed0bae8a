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

WRITTEN = (
    'col("original_value") > 0',
    'col("title") == "Road"',
    'col("start_date").notnull()',
    'col("title") != "a"',
)

Kwargs = dict[str, Any]


def expectations(seed: int, count: int, conditions: float = 0.35) -> list[dict[str, Any]]:
    """`count` expectations drawn by `seed`, of all rules in turn; so large a share has a row condition."""
    random = Random(seed)  # noqa: S311 - questions, not secrets
    names = tuple(ARGUMENTS)
    drawn = []
    for number in range(count):
        name = names[number % len(names)]
        kwargs = ARGUMENTS[name](random) | _common(random, name, conditions)
        drawn.append(
            {
                "type": name,
                "kwargs": kwargs,
                "severity": random.choice(("critical", "warning", "info")),
                "meta": {"code": f"asked-{number}", "message": "It is not.", "fix": "Look again."},
            }
        )
    return drawn


def _common(random: Random, name: str, conditions: float) -> Kwargs:
    kwargs: Kwargs = {}
    if name.startswith("expect_table_column") or name == "expect_column_to_exist":
        return kwargs
    if random.random() < conditions and name != "expect_column_pair_values_to_be_in_set":
        kwargs |= _condition(random)
    by_row = any(word in name for word in ("values_to_be_", "values_to_not_", "value_lengths", "values_to_match"))
    by_row |= name in ROW_BY_ROW
    if by_row and "proportion" not in name and "distinct" not in name and "quantile" not in name:
        kwargs["mostly"] = random.choice((1, 1.0, 0.95, 0.9, 0.5, 2 / 3, 0.25, 0.0))
    return kwargs


def _condition(random: Random) -> Kwargs:
    if random.random() < 0.2:
        said = random.choice(
            (
                'col("original_value") > 0',
                'col("title") == "Road"',
                'col("start_date").notnull()',
                'col("title") != "a"',
            )
        )
        return {"row_condition": said, "condition_parser": "great_expectations"}
    parts = [_simple(random) for _ in range(random.choice((1, 1, 2, 3)))]
    if len(parts) == 1:
        return {"row_condition": parts[0]}
    return {"row_condition": {"type": random.choice(("and", "or")), "conditions": parts}}


def _simple(random: Random) -> Mapping[str, Any]:
    sort = random.randrange(6)
    if sort == 0:
        return {"type": "nullity", "column": {"name": random.choice(COLUMNS)}, "is_null": random.random() < 0.5}
    if sort == 1:
        return _comparison(random, random.choice(DAYS), ("<", ">=", "==", "!=", ">"), ("2026-10-01", "2024-02-29"))
    if sort == 2:
        return _comparison(random, random.choice(TEXTS), ("==", "!="), ("Road", "a", "Café", "x y"))
    if sort == 3:
        name, sign = random.choice(TEXTS), random.choice(("IN", "NOT_IN"))
        return _made(name, sign, random.sample(("Road", "a", "TBC", "12"), 2))
    if sort == 4:
        return _made(random.choice(NUMBERS), random.choice(("IN", "NOT_IN")), random.sample((0, 1, 2.5, 100), 3))
    return _comparison(random, random.choice(NUMBERS), ("<", "<=", ">", ">=", "==", "!="), AMOUNTS)


def _comparison(random: Random, name: str, signs: tuple[str, ...], values: tuple[Any, ...]) -> Mapping[str, Any]:
    return _made(name, random.choice(signs), random.choice(values))


def _made(name: str, sign: str, parameter: Any) -> Mapping[str, Any]:
    return {"type": "comparison", "column": {"name": name}, "operator": sign, "parameter": parameter}


def _between(values: tuple[Any, ...], *, strict: bool = True) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        low, high = sorted(random.choices(values, k=2))
        said = random.choice(("min_value", "max_value", "both"))
        kwargs: Kwargs = {} if said == "max_value" else {"min_value": low}
        kwargs |= {} if said == "min_value" else {"max_value": high}
        if strict:
            kwargs |= {name: random.random() < 0.5 for name in ("strict_min", "strict_max") if random.random() < 0.5}
        return kwargs

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


def _some(name: str, values: tuple[Any, ...]) -> Callable[[Random], Kwargs]:
    return lambda random: {name: random.sample(values, random.randrange(1, 4))}


def _ignoring(*words: str) -> Callable[[Random], Kwargs]:
    return _one("ignore_row_if", words, 0.8)


_PAIR = _ignoring("both_values_are_missing", "either_value_is_missing", "neither")
_RECORD = _ignoring("all_values_are_missing", "any_value_is_missing", "never")


def _pair(*columns: tuple[str, ...]) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        first, second = random.sample(random.choice(columns), 2)
        return {"column_A": first, "column_B": second, **_PAIR(random)}

    return drawn


def _pairs(random: Random) -> Kwargs:
    cells = {**dict.fromkeys(NUMBERS, (*AMOUNTS, None)), **dict.fromkeys(TEXTS, (*WORDS, None))}
    first, second = random.sample((*NUMBERS, *TEXTS), 2)
    pairs = [[random.choice(cells[first]), random.choice(cells[second])] for _ in range(random.randrange(1, 9))]
    return {"column_A": first, "column_B": second, "value_pairs_set": pairs, **_PAIR(random)}


def _columns(*sorts: tuple[str, ...], least: int = 2) -> Callable[[Random], Kwargs]:
    def drawn(random: Random) -> Kwargs:
        columns = random.choice(sorts)
        return {"column_list": random.sample(columns, random.randrange(least, len(columns) + 1)), **_RECORD(random)}

    return drawn


def _within(random: Random) -> Kwargs:
    if random.random() < 0.3:
        return {"column_list": random.sample(COLUMNS, 3), "ignore_row_if": "any_value_is_missing"}
    return _columns(NUMBERS, DAYS, TEXTS)(random)


def _quantiles(random: Random) -> Kwargs:
    asked = sorted(random.sample((0, 0.05, 0.25, 0.5, 1 / 3, 0.75, 0.9, 1), random.randrange(1, 5)))
    ranges = [random.choice(([0, 100], [None, 2.5], [-1, None], [None, None], [1, 1])) for _ in asked]
    kwargs: Kwargs = {"column": random.choice(NUMBERS), "quantile_ranges": {"quantiles": asked, "value_ranges": ranges}}
    methods = ("linear", "lower", "higher", "midpoint", "nearest", False)
    return kwargs | _one("allow_relative_error", methods, 0.6)(random)


def _column_list(random: Random) -> Kwargs:
    columns = [*COLUMNS, "table", "row"]
    known = ["title", "description", "supplier_name", "start_date", "current_end_date", "original_value"]
    return {"column_list": random.choice((columns, known, [*known, "annual_value", "table", "row"], ["row"]))}


def _column_set(random: Random) -> Kwargs:
    names = random.sample((*COLUMNS, "table", "row"), random.choice((2, 5, 9)))
    return {"column_set": names, **_one("exact_match", (True, False), 0.7)(random)}


_SIZES = (0, 1, 2, 3, 5, 8, 13)
_SHARES = (0.0, 0.25, 0.5, 2 / 3, 0.9, 1.0)
_EXTREME = _values_between

ARGUMENTS: Mapping[str, Callable[[Random], Kwargs]] = {
    "expect_column_values_to_be_between": _values_between,
    "expect_column_values_to_be_in_set": _set,
    "expect_column_values_to_not_be_in_set": _set,
    "expect_column_values_to_match_regex": _of(TEXTS, _one("regex", PATTERNS)),
    "expect_column_values_to_not_match_regex": _of(TEXTS, _one("regex", PATTERNS)),
    "expect_column_values_to_match_regex_list": _of(
        TEXTS, _some("regex_list", PATTERNS), _one("match_on", ("any", "all"), 0.7)
    ),
    "expect_column_values_to_not_match_regex_list": _of(TEXTS, _some("regex_list", PATTERNS)),
    "expect_column_value_lengths_to_be_between": _of(TEXTS, _between(_SIZES)),
    "expect_column_value_lengths_to_equal": _of(TEXTS, _one("value", _SIZES)),
    "expect_column_values_to_be_null": _of(COLUMNS),
    "expect_column_values_to_not_be_null": _of(COLUMNS),
    "expect_column_values_to_be_unique": _of((*COLUMNS, "row")),
    "expect_column_values_to_be_increasing": _of((*NUMBERS, *DAYS, "row"), _one("strictly", (True, False), 0.7)),
    "expect_column_values_to_be_decreasing": _of((*NUMBERS, *DAYS, "row"), _one("strictly", (True, False), 0.7)),
    "expect_column_pair_values_a_to_be_greater_than_b": lambda random: (
        _pair(NUMBERS, DAYS)(random) | _one("or_equal", (True, False), 0.7)(random)
    ),
    "expect_column_pair_values_to_be_equal": _pair(NUMBERS, DAYS, TEXTS),
    "expect_column_pair_values_to_be_in_set": _pairs,
    "expect_compound_columns_to_be_unique": _columns(NUMBERS, DAYS, TEXTS, COLUMNS),
    "expect_select_column_values_to_be_unique_within_record": _within,
    "expect_multicolumn_sum_to_equal": lambda random: (
        {"column_list": list(NUMBERS)} | _RECORD(random) | _one("sum_total", (*AMOUNTS, 0.1 + 0.2, 3.5))(random)
    ),
    "expect_column_max_to_be_between": _EXTREME,
    "expect_column_min_to_be_between": _EXTREME,
    "expect_column_mean_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_median_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_stdev_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_sum_to_be_between": _of(NUMBERS, _between(AMOUNTS)),
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_unique_value_count_to_be_between": _of(COLUMNS, _between(_SIZES)),
    "expect_column_proportion_of_unique_values_to_be_between": _of(COLUMNS, _between(_SHARES)),
    "expect_column_proportion_of_non_null_values_to_be_between": _of(COLUMNS, _between(_SHARES)),
    "expect_column_distinct_values_to_be_in_set": _set,
    "expect_column_distinct_values_to_contain_set": _set,
    "expect_column_distinct_values_to_equal_set": _set,
    "expect_column_most_common_value_to_be_in_set": lambda random: (
        _set(random) | _one("ties_okay", (True, False), 0.6)(random)
    ),
    "expect_table_row_count_to_be_between": _between(_SIZES),
    "expect_table_row_count_to_equal": _one("value", _SIZES),
    "expect_table_column_count_to_be_between": _between((1, 5, 8, 9, 10), strict=False),
    "expect_table_column_count_to_equal": _one("value", (7, 8, 9)),
    "expect_table_columns_to_match_set": _column_set,
    "expect_table_columns_to_match_ordered_list": _column_list,
    "expect_column_to_exist": _of(COLUMNS),
}

ROW_BY_ROW = (
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_compound_columns_to_be_unique",
    "expect_select_column_values_to_be_unique_within_record",
    "expect_multicolumn_sum_to_equal",
)
