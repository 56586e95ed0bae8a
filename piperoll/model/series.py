"""A series: the table of one dataset, body, period and part, of which there may be several versions."""

from __future__ import annotations

from dataclasses import dataclass

from piperoll.errors import UsageError
from piperoll.model.period import Period


@dataclass(frozen=True, slots=True)
class Series:
    """Dataset × body × period × part, by name; `str(series)` is its identifier and its folder under `data/`.

    The identifier does not depend on where the data is served: `spend/anytown/2026-10--card`.
    """

    dataset: str
    body: str
    period: Period
    part: str | None = None

    def __lt__(self, other: Series) -> bool:
        """Order by dataset, body and period; the series without a part before those with one."""
        own, others = ((each.dataset, each.body, each.period, each.part or "") for each in (self, other))
        return own < others

    def __str__(self) -> str:
        part = f"--{self.part}" if self.part else ""
        return f"{self.dataset}/{self.body}/{self.period}{part}"

    @classmethod
    def parse(cls, text: str) -> Series:
        """Read an identifier. Raises: UsageError, PeriodError: it is not a valid one."""
        pieces = text.split("/")
        if len(pieces) != 3:
            raise UsageError(f"'{text}' is not a series: use dataset/body/period, for example spend/anytown/2026-10")
        dataset, body, rest = pieces
        period, _, part = rest.rpartition("--")
        if not period or part[:1].isdigit():
            return cls(dataset, body, Period.parse(rest))
        return cls(dataset, body, Period.parse(period), part)
