"""Compare how large a release is with earlier ones: its rows, its pounds, the size of an amount and its sign.

docs/decisions/0011-what-holds-a-file-beside-earlier-ones.md has the figures behind what holds a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from piperoll.checking.history.profile import (
    AmountProfile,
    ReleaseProfile,
    join_words,
    name_release,
    name_releases,
    write_pounds,
)
from piperoll.findings import make_finding
from piperoll.model import Finding

NEAREST = 3
"""How many of the nearest releases a size is compared with; one alone may be unusual."""

_ENOUGH_ROWS = 20
"""Releases with fewer rows are not compared: half of the rows may be missing by chance."""

_ENOUGH_AMOUNTS = 10
"""With fewer amounts, the median and the share of credits move far by chance."""

_FAR_MORE = 3
"""A release with this many times the rows or pounds of each of the nearest is unusual."""

_NEARLY_ALL, _FEW = Decimal("0.8"), Decimal("0.2")
"""Shares of credits between which the signs of amounts are reversed."""

_HUNDRED_TIMES = Decimal("31.6")
"""From here on a factor is nearer to 100 than to 10 (the geometric mean of the two)."""

_THOUSAND_TIMES = Decimal(316)
"""From here on a factor is nearer to 1000 than to 100."""


def is_empty(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> bool:
    """Whether a release has no rows, or only amounts of zero, where each of the nearest had both.

    One earlier release is enough, and up to three are compared; each must have 20 rows.
    """
    nearest = _comparable(before)
    if not nearest:
        return False
    return ours.rows == 0 or (_pounds(ours) == 0 and all(_pounds(one) > 0 for one in nearest))


def is_halved(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> bool:
    """Whether rows or pounds are under half of those of each of the nearest three, and the other is less than in any.

    Each of the three must have 20 rows. If none has amounts, the rows alone decide.
    """
    nearest = [one for one in before[:NEAREST] if one.rows >= _ENOUGH_ROWS]
    if len(nearest) < NEAREST:
        return False
    rows, pounds = min(one.rows for one in nearest), min(_pounds(one) for one in nearest)
    if not any(one.amounts for one in nearest):
        return ours.rows * 2 < rows
    fewer = ours.rows < rows and _pounds(ours) < pounds
    return fewer and (ours.rows * 2 < rows or _pounds(ours) * 2 < pounds)


def find_too_small(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Hold a release if all of it, or half of it or more, seems to be missing."""
    if not (is_empty(ours, before) or is_halved(ours, before)):
        return
    nearest = before[:NEAREST]
    earlier_pounds = [one.amounts.pounds for one in nearest if one.amounts]
    variant = ("rows-and-amounts" if ours.amounts and ours.rows else "no-amounts-now") if earlier_pounds else "rows"
    yield make_finding(
        "far-fewer-than-before",
        variant=variant,
        rows=ours.rows,
        pounds=write_pounds(_pounds(ours)),
        earlier=name_releases(nearest),
        releases=len(nearest),
        least_rows=min(one.rows for one in nearest),
        least_pounds=write_pounds(min(earlier_pounds, default=Decimal(0))),
    )


def find_unusual_size(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Warn if rows or pounds are far from those of each of the nearest releases, and the file is not held for it.

    Few rows are reported from the first earlier release on; everything else takes three.
    """
    nearest = _comparable(before)
    if not nearest or is_empty(ours, before) or is_halved(ours, before):
        return
    rows, pounds = [one.rows for one in nearest], [_pounds(one) for one in nearest]
    row_values: dict[str, Any] = {
        "rows": ours.rows,
        "earlier": name_releases(nearest),
        "earlier_rows": join_words([f"{count:,}" for count in rows]),
    }
    pound_values: dict[str, Any] = {
        "pounds": write_pounds(_pounds(ours)),
        "earlier": name_releases(nearest),
        "earlier_pounds": join_words([write_pounds(each) for each in pounds]),
    }
    if ours.rows * 2 < min(rows):
        yield make_finding("fewer-rows-than-usual", **row_values)
    if len(nearest) < NEAREST:
        return
    if _pounds(ours) * 2 < min(pounds):
        yield make_finding("fewer-pounds-than-usual", **pound_values)
    if ours.rows > max(rows) * _FAR_MORE:
        yield make_finding("more-rows-than-usual", **row_values)
    if ours.amounts and min(pounds) > 0 and _pounds(ours) > max(pounds) * _FAR_MORE:
        yield make_finding("more-pounds-than-usual", **pound_values)


def find_other_scale(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Warn if the median amount is a hundred times what it was or a hundredth; hold the file if a thousand times."""
    earlier = _with_enough_amounts(before)
    if not earlier or not _with_enough_amounts([ours]) or ours.amounts is None:
        return
    now, then = ours.amounts.median, [amounts.median for _, amounts in earlier]
    variant = None
    if now >= max(then) * _HUNDRED_TIMES:
        variant = "thousands-to-pounds" if now >= max(then) * _THOUSAND_TIMES else "pounds-to-pence"
    elif now * _HUNDRED_TIMES <= min(then):
        variant = "pounds-to-thousands" if now * _THOUSAND_TIMES <= min(then) else "pence-to-pounds"
    if variant:
        yield make_finding(
            "amounts-in-other-unit" if "thousand" in variant else "amounts-out-of-scale",
            variant=variant,
            now=write_pounds(now),
            earlier=name_release(earlier[0][0]),
            then=write_pounds(then[0]),
        )


def find_reversed_signs(ours: ReleaseProfile, before: Sequence[ReleaseProfile]) -> Iterator[Finding]:
    """Warn if most amounts have the opposite sign of what they had."""
    earlier = _with_enough_amounts(before)
    if not earlier or not _with_enough_amounts([ours]) or ours.amounts is None:
        return
    now, then = _share_of_credits(ours.amounts), [_share_of_credits(amounts) for _, amounts in earlier]
    if (now >= _NEARLY_ALL and max(then) <= _FEW) or (now <= _FEW and min(then) >= _NEARLY_ALL):
        yield make_finding(
            "signs-turned", now=int(100 * now), earlier=name_release(earlier[0][0]), then=int(100 * then[0])
        )


def _comparable(before: Sequence[ReleaseProfile]) -> Sequence[ReleaseProfile]:
    """The nearest releases if each of them has enough rows; none otherwise."""
    nearest = before[:NEAREST]
    return nearest if all(one.rows >= _ENOUGH_ROWS for one in nearest) else ()


def _pounds(release: ReleaseProfile) -> Decimal:
    """The sum of amounts ignoring signs; zero if there are none."""
    return release.amounts.pounds if release.amounts else Decimal(0)


def _with_enough_amounts(releases: Sequence[ReleaseProfile]) -> list[tuple[ReleaseProfile, AmountProfile]]:
    return [(one, one.amounts) for one in releases if one.amounts and one.amounts.count >= _ENOUGH_AMOUNTS]


def _share_of_credits(amounts: AmountProfile) -> Decimal:
    return Decimal(amounts.credits) / amounts.count
