"""How large a release is beside the ones before: rows, pounds, the size of an amount, and its sign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from piperoll.checking import findings_comparison as say
from piperoll.checking.profile import Amounts, Profile
from piperoll.model import Finding

RECENT = 3
"""How many of the nearest releases a size is held against: one that is out of the ordinary is not the measure."""

_AT_LEAST_ROWS = 20
"""From fewer rows half of them may be missing by chance."""

_FAR_MORE = 3
_TENS = Decimal("31.6")
"""Midway, in tens, between ten times and a hundred times as much: from here on a hundred is the nearer."""

_HUNDREDS = Decimal(316)
_AT_LEAST_AMOUNTS = 10
_NEARLY_ALL, _FEW = Decimal("0.8"), Decimal("0.2")


def is_halved(ours: Profile, before: Sequence[Profile]) -> bool:
    """Whether a release has under half of the rows and under half of the pounds of each of the nearest three.

    Each of the three has at least 20 rows: from fewer, half may be missing by chance. Where nothing has an amount the
    rows decide. A nil return is a release of no rows.
    """
    nearest = before[:RECENT]
    return len(nearest) == RECENT and all(_has_under_half(ours, one) for one in nearest)


def halved(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """What holds a release that looks as if half of it or more were missing."""
    if is_halved(ours, before):
        yield say.halved(before[0].released, ours.rows, [one.rows for one in before[:RECENT]], _pounds(ours))


def sizes(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """A warning where rows or pounds are far from each of the nearest three, and half of both are not missing."""
    nearest = before[:RECENT]
    if not nearest or is_halved(ours, before):
        return
    rows = [one.rows for one in nearest]
    if min(rows) >= _AT_LEAST_ROWS and ours.rows * 2 < min(rows):
        yield say.fewer_rows(nearest[0].released, ours.rows, rows)
    if len(nearest) == RECENT and max(rows) >= _AT_LEAST_ROWS and ours.rows > max(rows) * _FAR_MORE:
        yield say.more_rows(nearest[0].released, ours.rows, rows)


def scale(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """A warning where the middle amount is a hundred or a thousand times what it was, or that part of it."""
    theirs = _measured(before)
    for _, amounts in _measured([ours]) if theirs else ():
        now, then = amounts.median, [each.median for _, each in theirs]
        latest = theirs[0][0].released
        if now >= max(then) * _TENS:
            yield say.amounts_larger(latest, now, then[0], thousands=now >= max(then) * _HUNDREDS)
        if now * _TENS <= min(then):
            yield say.amounts_smaller(latest, now, then[0], thousands=now * _HUNDREDS <= min(then))


def signs(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """A warning where most amounts are on the other side of nought than they were."""
    theirs = _measured(before)
    for _, amounts in _measured([ours]) if theirs else ():
        now, then = _credits(amounts), [_credits(each) for _, each in theirs]
        if (now >= _NEARLY_ALL and max(then) <= _FEW) or (now <= _FEW and min(then) >= _NEARLY_ALL):
            yield say.signs_turned(theirs[0][0].released, amounts, theirs[0][1])


def _has_under_half(ours: Profile, one: Profile) -> bool:
    fewer = ours.rows * 2 < one.rows and one.rows >= _AT_LEAST_ROWS
    return fewer and (one.amounts is None or _pounds(ours) * 2 < one.amounts.pounds)


def _pounds(release: Profile) -> Decimal:
    return release.amounts.pounds if release.amounts else Decimal(0)


def _measured(releases: Sequence[Profile]) -> list[tuple[Profile, Amounts]]:
    """Those with so many amounts that neither the middle one nor the share of credits moves far by chance."""
    return [(one, one.amounts) for one in releases if one.amounts and one.amounts.count >= _AT_LEAST_AMOUNTS]


def _credits(amounts: Amounts) -> Decimal:
    """The share of credits among the amounts that are not nought."""
    return Decimal(amounts.credits) / amounts.count
