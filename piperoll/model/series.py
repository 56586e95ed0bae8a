"""The line of versions of one table."""

from __future__ import annotations

from dataclasses import dataclass

from piperoll.errors import UsageError
from piperoll.model.period import Period


@dataclass(frozen=True, slots=True)
class Series:
    """Dataset × body × period × part, by name; `str(series)` is its identifier and its place under `data/`.

    The identifier does not depend on where the data is served: `spend/anytown/2026-10--card`.
    """

    dataset: str
    body: str
    period: Period
    part: str | None = None

    def __lt__(self, other: Series) -> bool:
        """By dataset, body and period; the whole before its parts."""
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, str, Period, str]:
        return (self.dataset, self.body, self.period, self.part or "")

    def __str__(self) -> str:
        part = f"--{self.part}" if self.part else ""
        return f"{self.dataset}/{self.body}/{self.period}{part}"

    @classmethod
    def parse(cls, text: str) -> Series:
        """The series that `str(series)` spells. Raises: UsageError, PeriodError: it spells none."""
        pieces = text.split("/")
        if len(pieces) != 3:
            raise UsageError(f"'{text}' is not a series: write dataset/body/period, for example spend/anytown/2026-10")
        dataset, body, rest = pieces
        period, _, part = rest.rpartition("--")
        if not period or part[:1].isdigit():
            return cls(dataset, body, Period.parse(rest))
        return cls(dataset, body, Period.parse(period), part)
