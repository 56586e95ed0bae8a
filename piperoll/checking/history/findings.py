"""The words for a release beside those of earlier periods, one small function a code (docs/findings.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from piperoll.checking.history.profile import Amounts, Column, Profile, Released
from piperoll.checking.places import Place
from piperoll.model import Acts, Field, Finding, Period, Severity, plain

HOLDS = ("rows-repeated", "far-fewer-than-before")
"""The codes that hold a file whole until someone decides."""

_IF_RIGHT = "If it is right as it is, tell whoever runs the platform so, with the reason: they can let it go."


def repeated(earlier: Released, lines: int, rows: int) -> Finding:
    """All or nearly all lines were published for another period."""
    how_many = f"All {rows:,} rows" if lines >= rows else f"{lines:,} of the {rows:,} rows"
    return _whole(
        "rows-repeated",
        Severity.ERROR,
        f"{how_many} of this file stand already in what you sent for {_words(earlier)}. It looks like the same file "
        "again, so it is held.",
        f"Check that you sent the file that you meant to send, and send the right one. {_IF_RIGHT}",
    )


def lines_repeated(earlier: Released, lines: int, first: Sequence[tuple[str | None, int]]) -> Finding:
    """Some lines were published for another period."""
    sheet, row = first[0]
    named = ", ".join(f"{at:,}" for of, at in first if of == sheet)
    more = " and others" if lines > len(first) else ""
    return Finding(
        "rows-published-before",
        Severity.WARNING,
        f"{lines:,} rows stand already in what you sent for {_words(earlier)}, to the penny: rows {named}{more}.",
        "Check which of the two files they belong to, and send the other without them. They are published in both.",
        sheet=sheet,
        row=row,
        count=lines,
    )


def list_unchanged(earlier: Released, rows: int) -> Finding:
    """A list of what there is has not changed at all."""
    return _whole(
        "list-unchanged",
        Severity.WARNING,
        f"All {rows:,} rows are the same as in what you sent for {_words(earlier)}, and none is new.",
        "Check that you sent the new list and not the old one. If nothing has changed, you need do nothing.",
    )


def same_bytes(verdict: str, period: str | None) -> Finding:
    """The very same file was taken in before."""
    covers = f" for {period}" if period else ""
    return _whole(
        "file-taken-in-before",
        Severity.WARNING,
        f"This very file, byte for byte, was taken in before{covers} ({verdict}). Sent again, it changes nothing.",
        "Check that you have the new file and not the old one.",
    )


def too_small(ours: Profile, nearest: Sequence[Profile]) -> Finding:
    """No rows or no pounds, or under half, where each of the nearest releases had more."""
    what = "has no rows" if ours.rows == 0 else f"has {_counted(ours.rows)}{_adding_up_to(ours)}"
    least = min(nearest, key=lambda one: one.rows)
    pounds = [one.amounts.pounds for one in nearest if one.amounts]
    with_pounds = f" and {_pounds(min(pounds))} (signs apart)" if pounds else ""
    return _whole(
        "far-fewer-than-before",
        Severity.ERROR,
        f"This file {what}. What you sent for {_all_of(nearest)} had at least {_counted(least.rows)}{with_pounds}"
        f"{' each' if len(nearest) > 1 else ''}. Something may be missing, so the file is held.",
        f"Check that the file is whole, and send it again if it is not. {_IF_RIGHT}",
    )


def fewer_rows(rows: int, nearest: Sequence[Profile]) -> Finding:
    """Under half of the rows of each of the last releases."""
    return _whole(
        "fewer-rows-than-usual",
        Severity.WARNING,
        f"This file has {_counted(rows)}. That is under half of what you sent for {_all_of(nearest)}: "
        f"{_joined([f'{one.rows:,}' for one in nearest])}.",
        "Check that the file is whole.",
    )


def fewer_pounds(pounds: Decimal, before: Sequence[Decimal], nearest: Sequence[Profile]) -> Finding:
    """Under half of the pounds of each of the last releases."""
    return _whole(
        "fewer-pounds-than-usual",
        Severity.WARNING,
        f"The amounts add up to {_pounds(pounds)} (signs apart). That is under half of what you sent for "
        f"{_all_of(nearest)}: {_joined([_pounds(each) for each in before])}.",
        "Check that the file is whole, and that the amounts are in pounds.",
    )


def more_rows(rows: int, nearest: Sequence[Profile]) -> Finding:
    """Over three times the rows of each of the last releases."""
    return _whole(
        "more-rows-than-usual",
        Severity.WARNING,
        f"This file has {_counted(rows)}. That is over three times what you sent for {_all_of(nearest)}: "
        f"{_joined([f'{one.rows:,}' for one in nearest])}.",
        "Check that nothing is in the file twice, and that it holds this period alone.",
    )


def more_pounds(pounds: Decimal, before: Sequence[Decimal], nearest: Sequence[Profile]) -> Finding:
    """Over three times the pounds of each of the last releases."""
    return _whole(
        "more-pounds-than-usual",
        Severity.WARNING,
        f"The amounts add up to {_pounds(pounds)} (signs apart). That is over three times what you sent for "
        f"{_all_of(nearest)}: {_joined([_pounds(each) for each in before])}.",
        "Check that nothing is in the file twice, that no total is among the rows, and that the amounts are in pounds.",
    )


def amounts_larger(earlier: Released, now: Decimal, then: Decimal, *, thousands: bool) -> Finding:
    """The middle amount is about a hundred or a thousand times what it was."""
    guess = (
        "Amounts that were given in thousands may now be in pounds."
        if thousands
        else "Amounts that were given in pounds may now be in pence."
    )
    return _scale(earlier, now, then, guess)


def amounts_smaller(earlier: Released, now: Decimal, then: Decimal, *, thousands: bool) -> Finding:
    """The middle amount is about a hundredth or a thousandth of what it was."""
    guess = (
        "Amounts that were given in pounds may now be in thousands."
        if thousands
        else "Amounts that were given in pence may now be in pounds, or stand a hundredfold too small."
    )
    return _scale(earlier, now, then, guess)


def signs_turned(earlier: Released, now: Amounts, then: Amounts) -> Finding:
    """Most amounts are on the other side of nought than they were."""
    return _whole(
        "signs-turned",
        Severity.WARNING,
        f"{_share(now)} of the amounts that are not nought are credits (below nought); in what you sent for "
        f"{_words(earlier)} it was {_share(then)}.",
        "Check the signs: a payment is above nought and a credit below. If all are turned, turn them back and send the "
        "file again.",
    )


def days_missing(before: Sequence[Released], first: date, last: date) -> Finding:
    """No line is dated in a week or more of the period, which never was so before."""
    titles = _joined([one.series.period.title for one in before])
    until = "" if first == last else f" to {_day(last)}"
    return _whole(
        "days-missing",
        Severity.WARNING,
        f"No row is dated from {_day(first)}{until}. In what you sent before (for {titles}) there was never a "
        "gap of a week.",
        "Check that the rows of those days are in the file. If there were none, you need do nothing.",
    )


def column_gone(field: Field, column: Column, earlier: Released) -> Finding:
    """A column that was always there is not there now."""
    return _whole(
        "column-gone",
        Severity.WARNING,
        f"There is no column for '{field.title}' any more. In what you sent for {_words(earlier)} it was headed "
        f"'{column.heading}'.",
        "Put the column back. If it has another heading now, use the old one, or tell whoever runs the platform.",
        field=field.name,
    )


def columns_new(new: Sequence[tuple[Field, Column]], earlier: Released) -> Finding:
    """Columns are there that never were before."""
    named = _joined([f"'{column.heading}' (taken for '{field.title}')" for field, column in new])
    return replace(
        _whole(
            "columns-new",
            Severity.INFO,
            f"New since what you sent for {_words(earlier)}: {named}.",
            "Nothing to do, if that is right.",
        ),
        acts=Acts.PLATFORM,
        count=len(new),
    )


def column_emptied(field: Field, column: Column, filled: int, rows: int, earlier: Released) -> Finding:
    """A column that was full is all but empty."""
    place = Place(column.sheet, None, None, column.letter, field.name)
    return Finding(
        "column-emptied",
        Severity.WARNING,
        f"'{field.title}' is filled in {filled:,} of {rows:,} rows ({place.words}). In what you sent for "
        f"{_words(earlier)} nearly every row had it.",
        "Check that the column was not lost when the file was made, and send it again with the column filled.",
        **place.address,
    )


def codes_new(
    field: Field, column: Column, new: Mapping[str, tuple[str | None, int]], known: int, earlier: Released
) -> Finding:
    """A column of a few values has others now; the first of them is named."""
    value, (sheet, row) = next(iter(new.items()))
    more = f" New, too: {_counted(len(new) - 1, 'other value')}." if len(new) > 1 else ""
    place = Place(sheet, row, None, column.letter if sheet == column.sheet else None, field.name)
    return Finding(
        "codes-new",
        Severity.WARNING,
        f"'{value}' in {place.words} is new: '{field.title}' held only {_counted(known, 'different value')} up to "
        f"{earlier.series.period.title}.{more}",
        "Check that it is spelt as it should be. If it is right, you need do nothing.",
        value=value,
        count=len(new),
        **place.address,
    )


def nothing_before(place: str) -> Finding:
    """There was nothing to compare with."""
    return Finding(
        "nothing-to-compare-with",
        Severity.INFO,
        f"Nothing that can be compared with this file is published in {place}: no earlier period of the same length, "
        "of the same body, dataset and part.",
        "Check the name of the body, if you expected something there.",
        acts=Acts.PLATFORM,
    )


def _scale(earlier: Released, now: Decimal, then: Decimal, guess: str) -> Finding:
    return _whole(
        "amounts-out-of-scale",
        Severity.WARNING,
        f"The middle amount is {_pounds(now)}; in what you sent for {_words(earlier)} it was {_pounds(then)}. {guess}",
        "Check the amounts. Give them in pounds and pence, and send the file again if they are not.",
    )


def _whole(code: str, severity: Severity, message: str, fix: str, *, field: str | None = None) -> Finding:
    return Finding(code, severity, message, fix, field=field)


def _words(release: Released) -> str:
    """Which release, to someone who knows whose it is: September 2026 (version 2)."""
    version = f" (version {release.version})" if release.version else ""
    return f"{release.series.period.title}{version}"


def _all_of(releases: Sequence[Profile]) -> str:
    return _joined([_words(one.released) for one in releases])


def _adding_up_to(ours: Profile) -> str:
    return f" that add up to {_pounds(ours.amounts.pounds)}" if ours.amounts else ""


def _joined(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _counted(count: int, noun: str = "row") -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _day(day: date) -> str:
    """10 October 2026, whatever the locale."""
    return Period.day(day).title


def _share(amounts: Amounts) -> str:
    return f"{100 * amounts.credits // (amounts.payments + amounts.credits)} %"


def _pounds(amount: Decimal) -> str:
    whole, _, pence = plain(amount).partition(".")
    return f"£{int(whole):,}.{pence}"
