"""Headings and data that stand beside one another: which column holds what a heading names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """From the heading `start` up to the one before `end`, the data stand `shift` columns beside their headings.

    `end` None is the end of the row: a cell was put in or left out. Else one column was moved among the data alone, and
    the heading that it left behind finds it at the other end of the stretch.
    """

    shift: int = 0
    start: int = 0
    end: int | None = None

    def column_of(self, place: int) -> int | None:
        """Where the data of a heading stand; None for one whose data were left out."""
        if not self.shift:
            return place
        if self.end is not None:
            return self._among(place, self.end)
        if self.shift < 0 and self.start + self.shift <= place < self.start:
            return None
        return place + self.shift if place >= self.start else place

    def _among(self, place: int, end: int) -> int:
        if not self.start <= place < end:
            return place
        size = end - self.start
        return self.start + (place - self.start + self.shift) % size


UNMOVED = Moved()
"""Every column stands under its own heading."""
