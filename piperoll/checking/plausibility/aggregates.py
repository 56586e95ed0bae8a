"""Rules about a column or the table as a whole: what is observed, and whether it lies where it should.

What is observed of numbers is worked out as pandas does it, in its order, so that it is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.plausibility.arguments import Kwargs, bounds, flag, number, numbers, texts, whole
from piperoll.checking.plausibility.columns import Kind
from piperoll.checking.plausibility.evidence import Differing
from piperoll.checking.plausibility.results import Result
from piperoll.checking.plausibility.suite import NotCompiled

Floats = npt.NDArray[np.float64]
Verdict = tuple[bool, Result]

_MOST_NAMED = 20
"""GX names no more values than that."""
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def largest(cells: npt.NDArray[Any]) -> Any:
    """The greatest number or latest date; None of none."""
    filled = cells[cells == cells]  # noqa: PLR0124 - NaN and NaT are not themselves
    return filled.max() if len(filled) else None


def smallest(cells: npt.NDArray[Any]) -> Any:
    """The least number or earliest date; None of none."""
    filled = cells[cells == cells]  # noqa: PLR0124
    return filled.min() if len(filled) else None


def total(cells: Floats) -> float:
    """The sum of the numbers: 0 of none."""
    return float(np.where(np.isnan(cells), 0.0, cells).sum())


def mean(cells: Floats) -> float | None:
    """The mean; None of none."""
    count = int(np.count_nonzero(~np.isnan(cells)))
    return total(cells) / count if count else None


def middle(cells: Floats) -> float | None:
    """The median; None of none."""
    filled = cells[~np.isnan(cells)]
    return float(np.median(filled, overwrite_input=True)) if len(filled) else None


def deviation(cells: Floats) -> float | None:
    """The standard deviation of a sample; None of fewer than two."""
    empty = np.isnan(cells)
    count = int(np.count_nonzero(~empty))
    if count < 2:
        return None
    away = np.where(empty, 0.0, (total(cells) / count - cells) ** 2)
    return float(np.sqrt(away.sum() / (count - 1)))


def unique_share(found: Differing) -> float:
    """Different cells for each filled one; 0 where none is filled."""
    return found.different / found.filled if found.filled else 0


def unique_count(found: Differing) -> int:
    """How many different cells are filled."""
    return found.different


def filled_share(found: Differing) -> float:
    """Filled cells for each row; 0 where there are no rows."""
    return found.filled / found.rows if found.rows else 0


def between(kwargs: Kwargs, read: Callable[[Any], Any] = number) -> Callable[[Any], Verdict]:
    """Whether what was observed lies between the bounds; nothing observed lies nowhere."""
    within = bounds(kwargs, read)

    def verdict(observed: Any) -> Verdict:
        return observed is not None and bool(within(observed)), {"observed_value": shown(observed)}

    return verdict


def shown(observed: Any) -> Any:
    """A value as Python has it."""
    if isinstance(observed, np.datetime64):
        moment: datetime = observed.astype("datetime64[s]").item()
        return moment
    return observed.item() if isinstance(observed, np.generic) else observed


def equal_to(kwargs: Kwargs) -> Callable[[Any], Verdict]:
    """Whether a count is `value`."""
    value = whole(kwargs.get("value"))
    return lambda observed: (observed == value, {"observed_value": observed})


def quantiles_between(kwargs: Kwargs, _kind: Kind) -> Callable[[Floats], Verdict]:
    """Whether the quantiles lie in their ranges; a bound of None holds nothing back."""
    asked, ranges, method = _quantile_arguments(kwargs)

    def verdict(cells: Floats) -> Verdict:
        filled = cells[~np.isnan(cells)]
        values = (
            np.quantile(filled, np.array(asked, np.float64), method=method) if len(filled) else [np.nan] * len(asked)
        )
        found = [float(value) for value in values]
        details = [low <= value <= high for value, (low, high) in zip(found, ranges, strict=True)]
        observed = {"quantiles": asked, "values": found}
        return all(details), {"observed_value": observed, "details": {"success_details": details}}

    return verdict


def _quantile_arguments(kwargs: Kwargs) -> tuple[list[float], list[tuple[float, float]], Any]:
    match kwargs.get("quantile_ranges"):
        case {"quantiles": list() as asked, "value_ranges": list() as ranges, **rest} if not rest:
            numbers(asked)
        case other:
            raise NotCompiled(f"quantile_ranges is {other!r}")
    if len(asked) != len(ranges) or not all(isinstance(pair, list) and len(pair) == 2 for pair in ranges):
        raise NotCompiled("a range for each quantile")
    method = kwargs.get("allow_relative_error") or "nearest"
    if method not in _METHODS or not all(0 <= each <= 1 for each in asked):
        raise NotCompiled(f"quantiles {asked!r} by {method!r}")
    open_ended = [(_or(low, -np.inf), _or(high, np.inf)) for low, high in ranges]
    if any(low > high for low, high in open_ended):
        raise NotCompiled("a range the wrong way round")
    return asked, open_ended, method


def _or(bound: Any, infinite: float) -> float:
    return infinite if bound is None else number(bound)


def distinct_in_set(kwargs: Kwargs, kind: Kind) -> Callable[[pa.Table], Verdict]:
    """Whether every different cell is one of `value_set`."""
    known = set(_value_set(kwargs, kind))

    def verdict(found: pa.Table) -> Verdict:
        strange = [value for value in found["value"].to_pylist() if value not in known]
        return not strange, _result("unexpected", strange)

    return verdict


def distinct_contain_set(kwargs: Kwargs, kind: Kind) -> Callable[[pa.Table], Verdict]:
    """Whether every value of `value_set` is there."""
    known = set(_value_set(kwargs, kind))

    def verdict(found: pa.Table) -> Verdict:
        absent = sorted(known - set(found["value"].to_pylist()))
        return not absent, _result("missing", absent)

    return verdict


def distinct_equal_set(kwargs: Kwargs, kind: Kind) -> Callable[[pa.Table], Verdict]:
    """Whether the different cells are those of `value_set`."""
    inside, containing = distinct_in_set(kwargs, kind), distinct_contain_set(kwargs, kind)

    def verdict(found: pa.Table) -> Verdict:
        (none_strange, strange), (none_absent, absent) = inside(found), containing(found)
        return none_strange and none_absent, {**strange, **absent}

    return verdict


def most_common_in_set(kwargs: Kwargs, kind: Kind) -> Callable[[pa.Table], Verdict]:
    """Whether the most frequent cell is one of `value_set`: the only one, or with `ties_okay` one of them."""
    known, ties_okay = set(_value_set(kwargs, kind)), flag(kwargs, "ties_okay")

    def verdict(found: pa.Table) -> Verdict:
        counts = found["count"].to_numpy()
        modes = found.filter(counts == counts.max())["value"].to_pylist() if len(counts) else []
        shared = len(known & set(modes))
        return (shared > 0 if ties_okay else len(modes) == 1 == shared), {"observed_value": modes}

    return verdict


def _value_set(kwargs: Kwargs, kind: Kind) -> Sequence[Any]:
    values = kwargs.get("value_set")
    if not values or kind is Kind.DAY:
        raise NotCompiled(f"a set of {kind}s: {values!r}")
    return texts(values) if kind is Kind.TEXT else numbers(values).tolist()


def _result(what: str, values: Sequence[Any]) -> Result:
    return {
        "observed_value": None,
        f"{what}_count": len(values),
        f"partial_{what}_list": list(values[:_MOST_NAMED]),
    }
