"""Figures as people read them: £1,234,567.89, 1 October 2026, 12.3 kB."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from piperoll.model import MONTHS, plain


def pounds(amount: Decimal) -> str:
    """An amount in pounds with thousands parted and every place it has: £1,250.00, -£0.005."""
    whole, _, places = plain(abs(amount)).partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}£{int(whole):,}.{places}"


def number(count: int) -> str:
    """A whole number with thousands parted."""
    return f"{count:,}"


def change(difference: Decimal | int) -> str:
    """A difference with its sign: +3 or -1,200 rows, +£12.50 or -£3.00 in pounds, and 'no change'."""
    if difference == 0:
        return "no change"
    words = pounds(difference) if isinstance(difference, Decimal) else number(difference)
    return words if difference < 0 else f"+{words}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun in the right form: 1 row, 2,981 rows."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def day(when: date | str) -> str:
    """A day in words: 1 October 2026. Takes a date or the ISO 8601 spelling of a date or an instant."""
    if isinstance(when, str):
        when = date.fromisoformat(when[:10])
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def size(count: int) -> str:
    """A number of bytes in the unit that fits: 512 bytes, 12.3 kB, 4.5 MB (of 1,000)."""
    if count < 1000:
        return counted(count, "byte")
    amount = Decimal(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} TB"
