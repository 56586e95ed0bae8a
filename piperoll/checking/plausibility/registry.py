"""The rules by their names in Great Expectations."""

from __future__ import annotations

import operator
from collections.abc import Mapping

from piperoll.checking.plausibility import aggregates, record_rules, row_rules, table_rules
from piperoll.checking.plausibility.arguments import Kwargs, whole
from piperoll.checking.plausibility.columns import Kind, Kinds
from piperoll.checking.plausibility.evidence import Different, Numbers, Values
from piperoll.checking.plausibility.plans import (
    Plan,
    Rule,
    by_record,
    by_row,
    extreme,
    in_order,
    measured,
    of_column,
    of_table,
    unlike_others,
)
from piperoll.checking.plausibility.suite import Expectation, NotCompiled

_BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")
_NUMBER = frozenset({Kind.NUMBER})
_NAMED = frozenset({"column", "column_A", "column_B"})


def _column(kwargs: Kwargs) -> list[str]:
    return [kwargs["column"]]


def _pair(kwargs: Kwargs) -> list[str]:
    return [kwargs["column_A"], kwargs["column_B"]]


_BOTH, _ALL = "both_values_are_missing", "all_values_are_missing"
_A_B = ("column_A", "column_B")

RULES: Mapping[str, Rule] = {
    "expect_column_values_to_be_between": by_row(row_rules.values_between, *_BOUNDS),
    "expect_column_values_to_be_in_set": by_row(row_rules.values_in_set, "value_set"),
    "expect_column_values_to_not_be_in_set": by_row(row_rules.values_not_in_set, "value_set"),
    "expect_column_values_to_match_regex": by_row(row_rules.values_match, "regex"),
    "expect_column_values_to_not_match_regex": by_row(row_rules.values_not_match, "regex"),
    "expect_column_values_to_match_regex_list": by_row(row_rules.values_match_list, "regex_list", "match_on"),
    "expect_column_values_to_not_match_regex_list": by_row(row_rules.values_not_match_list, "regex_list"),
    "expect_column_value_lengths_to_be_between": by_row(row_rules.lengths_between, *_BOUNDS),
    "expect_column_value_lengths_to_equal": by_row(row_rules.lengths_equal, "value"),
    "expect_column_values_to_be_null": by_row(row_rules.values_null, of_all=True),
    "expect_column_values_to_not_be_null": by_row(row_rules.values_not_null, of_all=True),
    "expect_column_values_to_be_unique": unlike_others(_column, "column"),
    "expect_column_values_to_be_increasing": in_order(operator.le, operator.lt),
    "expect_column_values_to_be_decreasing": in_order(operator.ge, operator.gt),
    "expect_column_pair_values_a_to_be_greater_than_b": by_record(
        record_rules.a_greater_than_b, _pair, _BOTH, *_A_B, "or_equal"
    ),
    "expect_column_pair_values_to_be_equal": by_record(record_rules.pair_equal, _pair, _BOTH, *_A_B),
    "expect_column_pair_values_to_be_in_set": by_record(
        record_rules.pair_in_set, _pair, _BOTH, *_A_B, "value_pairs_set"
    ),
    "expect_compound_columns_to_be_unique": unlike_others(record_rules.several, "column_list", "ignore_row_if"),
    "expect_select_column_values_to_be_unique_within_record": by_record(
        record_rules.different_within, record_rules.several, _ALL, "column_list"
    ),
    "expect_multicolumn_sum_to_equal": by_record(
        record_rules.sum_equals, record_rules.several, _ALL, "column_list", "sum_total"
    ),
    "expect_column_max_to_be_between": extreme(aggregates.largest),
    "expect_column_min_to_be_between": extreme(aggregates.smallest),
    "expect_column_mean_to_be_between": measured(Numbers, aggregates.mean, _NUMBER),
    "expect_column_median_to_be_between": measured(Numbers, aggregates.middle, _NUMBER),
    "expect_column_stdev_to_be_between": measured(Numbers, aggregates.deviation, _NUMBER),
    "expect_column_sum_to_be_between": measured(Numbers, aggregates.total, _NUMBER),
    "expect_column_quantile_values_to_be_between": of_column(
        Numbers, aggregates.quantiles_between, "quantile_ranges", "allow_relative_error", kinds_known=_NUMBER
    ),
    "expect_column_unique_value_count_to_be_between": measured(Different, aggregates.unique_count, read=whole),
    "expect_column_proportion_of_unique_values_to_be_between": measured(Different, aggregates.unique_share),
    "expect_column_proportion_of_non_null_values_to_be_between": measured(Different, aggregates.filled_share),
    "expect_column_distinct_values_to_be_in_set": of_column(Values, aggregates.distinct_in_set, "value_set"),
    "expect_column_distinct_values_to_contain_set": of_column(Values, aggregates.distinct_contain_set, "value_set"),
    "expect_column_distinct_values_to_equal_set": of_column(Values, aggregates.distinct_equal_set, "value_set"),
    "expect_column_most_common_value_to_be_in_set": of_column(
        Values, aggregates.most_common_in_set, "value_set", "ties_okay"
    ),
    "expect_table_row_count_to_be_between": of_table(table_rules.row_count_between, *_BOUNDS, rows=True),
    "expect_table_row_count_to_equal": of_table(table_rules.row_count_equal, "value", rows=True),
    "expect_table_column_count_to_be_between": of_table(table_rules.column_count_between, "min_value", "max_value"),
    "expect_table_column_count_to_equal": of_table(table_rules.column_count_equal, "value"),
    "expect_table_columns_to_match_set": of_table(table_rules.columns_in_set, "column_set", "exact_match"),
    "expect_table_columns_to_match_ordered_list": of_table(table_rules.columns_in_order, "column_list"),
    "expect_column_to_exist": of_table(table_rules.column_there, "column"),
}
"""Every expectation that is worked out over whole columns. What is not here, GX works out itself."""


def compiled(expectation: Expectation, kinds: Kinds, rules: Mapping[str, Rule] = RULES) -> Plan | None:
    """How an expectation is worked out over whole columns; None where Great Expectations must do it itself.

    That is where the rule, one of its arguments or what an argument says is not among what we know.
    """
    rule = rules.get(expectation.type)
    if (
        rule is None
        or not expectation.kwargs.keys() <= rule.arguments
        or not expectation.looks_at(kinds) <= kinds.keys()
    ):
        return None
    if not rule.arguments & _NAMED <= expectation.kwargs.keys():
        return None
    try:
        return rule.plan(expectation, kinds)
    except NotCompiled:
        return None
