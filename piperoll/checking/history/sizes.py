"""How large a release is beside the ones before: rows, pounds, the size of an amount, and its sign.

What holds a file is settled, with figures, in docs/decisions/0011-what-holds-a-file-beside-earlier-ones.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from piperoll.checking.history import findings as say
from piperoll.checking.history.profile import Amounts, Profile
from piperoll.model import Finding

NEAREST = 3
"""How many of the nearest releases a size is held against: one that is out of the ordinary is not the measure."""

_AT_LEAST_ROWS = 20
"""Of fewer rows half may be missing by chance."""

_FAR_MORE = 3
_AT_LEAST_AMOUNTS = 10
_NEARLY_ALL, _FEW = Decimal("0.8"), Decimal("0.2")

_TENS = Decimal("31.6")
"""Midway, in tens, between ten times and a hundred times as much: from here on a hundred is the nearer."""

_HUNDREDS = Decimal(316)


def is_empty(ours: Profile, before: Sequence[Profile]) -> bool:
    """Whether a release has no rows, or amounts that are all nought, where each of the nearest had both.

    Up to three releases are looked at, and one is enough; each must have 20 rows.
    """
    nearest = _of_some_rows(before[:NEAREST])
    if not nearest or len(nearest) < len(before[:NEAREST]):
        return False
    return ours.rows == 0 or (_pounds(ours) == 0 and all(_pounds(one) > 0 for one in nearest))


def is_halved(ours: Profile, before: Sequence[Profile]) -> bool:
    """Whether rows or pounds are under half of those of each of the nearest three, and the other is less than in any.

    Each of the three must have 20 rows. Where nothing has an amount the rows decide alone.
    """
    nearest = _of_some_rows(before[:NEAREST])
    if len(nearest) < NEAREST:
        return False
    rows, pounds = min(one.rows for one in nearest), min(_pounds(one) for one in nearest)
    if not any(one.amounts for one in nearest):
        return ours.rows * 2 < rows
    few = ours.rows < rows and _pounds(ours) < pounds
    return few and (ours.rows * 2 < rows or _pounds(ours) * 2 < pounds)


def too_small(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """What holds a release that looks as if all of it, or half or more, were missing."""
    if is_empty(ours, before) or is_halved(ours, before):
        yield say.too_small(ours, before[:NEAREST])


def sizes(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """A warning where rows or pounds are far from those of each of the nearest, and the file is not held for it.

    Rows that are few are told from the first release on; the rest takes three.
    """
    nearest = _of_some_rows(before[:NEAREST])
    if not nearest or len(nearest) < len(before[:NEAREST]) or is_empty(ours, before) or is_halved(ours, before):
        return
    rows, pounds = [one.rows for one in nearest], [_pounds(one) for one in nearest]
    if ours.rows * 2 < min(rows):
        yield say.fewer_rows(ours.rows, nearest)
    if len(nearest) < NEAREST:
        return
    if _pounds(ours) * 2 < min(pounds):
        yield say.fewer_pounds(_pounds(ours), pounds, nearest)
    if ours.rows > max(rows) * _FAR_MORE:
        yield say.more_rows(ours.rows, nearest)
    if ours.amounts and min(pounds) > 0 and _pounds(ours) > max(pounds) * _FAR_MORE:
        yield say.more_pounds(_pounds(ours), pounds, nearest)


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


def _of_some_rows(releases: Sequence[Profile]) -> list[Profile]:
    return [one for one in releases if one.rows >= _AT_LEAST_ROWS]


def _pounds(release: Profile) -> Decimal:
    """Signs apart; nought where there are no amounts."""
    return release.amounts.pounds if release.amounts else Decimal(0)


def _measured(releases: Sequence[Profile]) -> list[tuple[Profile, Amounts]]:
    """Those with so many amounts that neither the middle one nor the share of credits moves far by chance."""
    return [(one, one.amounts) for one in releases if one.amounts and one.amounts.count >= _AT_LEAST_AMOUNTS]


def _credits(amounts: Amounts) -> Decimal:
    """The share of credits among the amounts that are not nought."""
    return Decimal(amounts.credits) / amounts.count
