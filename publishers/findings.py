"""The findings of publishing, each worded in one place; docs/findings.md explains them."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Finding, Series, Severity, Version, plain

_SAY_SO = (
    "If the new file is right, tell whoever runs the platform to release it (`piperoll release … --as replace`), "
    "or `--as add` if it belongs beside what stands. If not, send the whole file again."
)


def fewer_rows(series: Series, standing: Version, rows: int) -> Finding:
    """The release has under 80 % of the rows of the version that stands."""
    return _held(
        "fewer-rows-than-before",
        f"{series}: this file has {rows:,} rows, but version {standing.version}, which it would replace, has "
        f"{standing.rows:,}.",
    )


def fewer_pounds(series: Series, standing: Version, amount_gbp: Decimal) -> Finding:
    """The release has under 80 % of the pounds of the version that stands."""
    return _held(
        "fewer-pounds-than-before",
        f"{series}: this file adds up to £{plain(amount_gbp)}, but version {standing.version}, which it would "
        f"replace, to £{plain(standing.amount_gbp or Decimal(0))}.",
    )


def nil_over_rows(series: Series, standing: Version) -> Finding:
    """A nil return for a series that has rows."""
    return _held(
        "nil-over-rows",
        f"{series}: this is a nil return, but version {standing.version}, which it would replace, has "
        f"{standing.rows:,} rows.",
    )


def series_claimed_twice(series: Series, other: str) -> Finding:
    """Two submissions of one run claim one series with different rows; `other` is the file name of the other one."""
    return _held(
        "series-claimed-twice",
        f"{series}: another file of the same delivery, '{other}', is for the same series and has other rows. We do "
        "not know whether one corrects the other or each is a part.",
    )


def _held(code: str, message: str) -> Finding:
    return Finding(code, Severity.ERROR, message, _SAY_SO)
