"""Every predicate by its name: what it stands for and how it is told, over whole columns."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from piperoll.checking.schema.predicates import numbers, stamps, strings
from piperoll.checking.schema.predicates.masks import Cells, Mask, Predicate, mask, not_in

__all__ = ["PREDICATES", "Cells", "Mask", "Predicate"]


def _missing(cells: Cells, values: Cells) -> Mask:
    null = mask(pc.is_null(cells)) if cells.null_count else np.zeros(len(cells), np.bool_)
    return null | mask(pc.is_in(cells, value_set=values)) if len(values) else null


def _everything(cells: Cells, _: object) -> Mask:
    return np.ones(len(cells), np.bool_)


PREDICATES: dict[str, Predicate] = {
    "missing": Predicate("Table Schema, missingValues", _missing),
    "required": Predicate("Table Schema, Constraints: required", _missing),
    "whole": Predicate("any type, format or constraint that is not compiled", _everything),
    "integer": Predicate("Table Schema, Field Types: integer", numbers.integer_unproven),
    "number": Predicate("Table Schema, Field Types: number", numbers.number_unproven),
    "year": Predicate("Table Schema, Field Types: year", numbers.year_unproven),
    "boolean": Predicate("Table Schema, Field Types: boolean", not_in),
    "stamp": Predicate("Table Schema, Field Types: date, datetime, time, yearmonth", stamps.stamp_unproven),
    "email": Predicate("Table Schema, string: email", strings.email_unproven),
    "uri": Predicate("Table Schema, string: uri", strings.uri_unproven),
    "uuid": Predicate("Table Schema, string: uuid", strings.uuid_unproven),
    "binary": Predicate("Table Schema, string: binary", strings.base64_unproven),
    "minLength": Predicate("Table Schema, Constraints: minLength", strings.shorter),
    "maxLength": Predicate("Table Schema, Constraints: maxLength", strings.longer),
    "pattern text": Predicate("Table Schema, Constraints: pattern", strings.pattern_unproven),
    "pattern": Predicate("Table Schema, Constraints: pattern", strings.off_pattern),
    "enum": Predicate("Table Schema, Constraints: enum", strings.not_among),
    "number minimum": Predicate("Table Schema, Constraints: minimum", numbers.below_minimum),
    "number maximum": Predicate("Table Schema, Constraints: maximum", numbers.above_maximum),
    "number exclusiveMinimum": Predicate("Table Schema, Constraints: exclusiveMinimum", numbers.not_above_minimum),
    "number exclusiveMaximum": Predicate("Table Schema, Constraints: exclusiveMaximum", numbers.not_below_maximum),
    "number enum": Predicate("Table Schema, Constraints: enum", numbers.not_among_numbers),
    "stamp minimum": Predicate("Table Schema, Constraints: minimum", stamps.before_minimum),
    "stamp maximum": Predicate("Table Schema, Constraints: maximum", stamps.after_maximum),
    "stamp exclusiveMinimum": Predicate("Table Schema, Constraints: exclusiveMinimum", stamps.not_after_minimum),
    "stamp exclusiveMaximum": Predicate("Table Schema, Constraints: exclusiveMaximum", stamps.not_before_maximum),
    "stamp enum": Predicate("Table Schema, Constraints: enum", stamps.not_among_stamps),
}
