"""The findings of publishing, each worded in one place; docs/findings.md explains them."""

from __future__ import annotations

from decimal import Decimal

from piperoll.model import Finding, Series, Severity, Version, plain

_SAY_SO = (
    "If this file is right, tell whoever runs the platform so: that it is to replace what is published, or that it "
    "belongs beside it. If not, send the whole file again."
)


def fewer_rows(series: Series, standing: Version, rows: int) -> Finding:
    """The release has under 80 % of the rows of the version that stands."""
    return _held(
        "fewer-rows-than-before",
        f"This file has {_counted(rows)} for {_words(series)}, but version {standing.version}, which it would replace, "
        f"has {standing.rows:,}.",
    )


def fewer_pounds(series: Series, standing: Version, amount_gbp: Decimal) -> Finding:
    """The release has under 80 % of the pounds of the version that stands."""
    return _held(
        "fewer-pounds-than-before",
        f"This file adds up to {_pounds(amount_gbp)} for {_words(series)}, but version {standing.version}, which it "
        f"would replace, to {_pounds(standing.amount_gbp or Decimal(0))}.",
    )


def nil_over_rows(series: Series, standing: Version) -> Finding:
    """A nil return for a series that has rows."""
    return _held(
        "nil-over-rows",
        f"This is a nil return for {_words(series)}, but version {standing.version}, which it would replace, has "
        f"{_counted(standing.rows)}.",
    )


def taken_back_before(series: Series, version: Version) -> Finding:
    """The release has the rows of a version that was withdrawn or purged."""
    return _held(
        "taken-back-before",
        f"This file has the same rows for {_words(series)} as version {version.version}, which was {version.status} on "
        f"{(version.ended or '')[:10]}.",
    )


def series_claimed_twice(series: Series, other: str) -> Finding:
    """Two submissions of one run claim one series with different rows; `other` is the file name of the other one."""
    return _held(
        "series-claimed-twice",
        f"Another file of the same delivery, '{other}', is for {_words(series)} too and has other rows. We do "
        "not know whether one corrects the other or each is a part.",
    )


def _counted(rows: int) -> str:
    """Rows in words: 1 row, 1,200 rows."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _words(series: Series) -> str:
    """Which table it is, to someone who knows whose it is: spend (card) of October 2026."""
    part = f" ({series.part})" if series.part else ""
    return f"{series.dataset}{part} of {series.period.title}"


def _pounds(amount: Decimal) -> str:
    sign, digits = ("-", plain(-amount)) if amount < 0 else ("", plain(amount))
    whole, _, pence = digits.partition(".")
    return f"{sign}£{int(whole):,}.{pence}"


def _held(code: str, message: str) -> Finding:
    return Finding(code, Severity.ERROR, message, _SAY_SO)
