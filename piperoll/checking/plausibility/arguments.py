"""What an expectation's arguments may be for us to know what they mean; all else is for Great Expectations to say."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from piperoll.checking.plausibility.suite import NotCompiled

Kwargs = Mapping[str, Any]

_EXACT = 2**53
"""Up to here every whole number is a float64 too."""
_WORDS = re.compile(r"[\w .,&/-]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def finite(value: Any) -> bool:
    """Whether `value` is a number that a float64 holds exactly as JSON gave it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and (isinstance(value, float) or abs(value) <= _EXACT)


def plain_words(value: Any) -> bool:
    """Whether `value` is text without a character that a query would take for something else."""
    return isinstance(value, str) and _WORDS.fullmatch(value) is not None


def flag(kwargs: Kwargs, name: str) -> bool:
    """A yes or no that may be left out. Raises: NotCompiled: it is something else."""
    value = kwargs.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise NotCompiled(f"{name} is {value!r}")
    return value


def share(kwargs: Kwargs) -> float:
    """`mostly`: the share of the rows looked at that must be as expected, from 0 to 1, all of them if not said.

    Raises: NotCompiled: it is no such number.
    """
    value = kwargs.get("mostly", 1.0)
    if not finite(value) or not 0 <= value <= 1:
        raise NotCompiled(f"mostly is {value!r}")
    return float(value)


def number(value: Any) -> float:
    """A bound on numbers. Raises: NotCompiled: it is none."""
    if not finite(value):
        raise NotCompiled(f"{value!r} is no number")
    return float(value)


def whole(value: Any) -> int:
    """A bound on counts. Raises: NotCompiled: it is no whole number."""
    if not finite(value) or not isinstance(value, int):
        raise NotCompiled(f"{value!r} is no whole number")
    return value


def moment(value: Any) -> np.datetime64:
    """A bound on dates, `2005-01-01T00:00:00`, in microseconds. Raises: NotCompiled: it is not written so."""
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return np.datetime64(datetime.fromisoformat(value), "us")
    except ValueError:
        pass
    raise NotCompiled(f"{value!r} is no moment")


def texts(value: Any) -> list[str]:
    """A list of texts. Raises: NotCompiled: it is none."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise NotCompiled(f"{value!r} is no list of texts")
    return value


def numbers(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A list of numbers. Raises: NotCompiled: it is none."""
    if not isinstance(value, list) or not all(finite(each) for each in value):
        raise NotCompiled(f"{value!r} is no list of numbers")
    return np.array(value, np.float64)


def bounds(kwargs: Kwargs, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Whether values, one or an array of them, lie between `min_value` and `max_value`.

    A bound that is None holds nothing back; a strict one is not allowed itself. What is no value (NaN, NaT) lies
    nowhere. Raises: NotCompiled: no bound, bounds the wrong way round, or one that `read` does not know.
    """
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None and high is None:
        raise NotCompiled("no bounds")
    least, most = (None if bound is None else read(bound) for bound in (low, high))
    if least is not None and most is not None and least > most:
        raise NotCompiled("bounds the wrong way round")
    strict_min, strict_max = flag(kwargs, "strict_min"), flag(kwargs, "strict_max")

    def between(values: Any) -> Any:
        above = True if least is None else (values > least if strict_min else values >= least)
        below = True if most is None else (values < most if strict_max else values <= most)
        return above & below

    return between
