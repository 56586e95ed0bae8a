"""How often a body publishes, in the words of each standard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from piperoll.duties.calendar import rules_for
from piperoll.errors import DescriptorError
from piperoll.model import Body, Dataset, PeriodKind, Series

# the codes of the UK cross-government metadata model (STANDARDS §8.3), most often first
ORDER = ("monthly", "quarterly", "semiannual", "annual", "irregular")

# the EU vocabulary that DCAT-AP asks for
EU_CODES = {
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "semiannual": "ANNUAL_2",
    "annual": "ANNUAL",
    "irregular": "IRREG",
}

# RSS 1.0 syndication module: how many times in which period
SYNDICATION = {
    "monthly": ("monthly", 1),
    "quarterly": ("yearly", 4),
    "semiannual": ("yearly", 2),
    "annual": ("yearly", 1),
    "irregular": ("yearly", 1),
}

ISO_8601 = {"monthly": "P1M", "quarterly": "P3M", "semiannual": "P6M", "annual": "P1Y"}

_OF_PERIOD = {PeriodKind.MONTH: "monthly", PeriodKind.QUARTER: "quarterly", PeriodKind.YEAR: "annual"}


class OfSeries(Protocol):
    """Anything that is about a series."""

    @property
    def series(self) -> Series:
        """Which it is about."""


def every(dataset: Dataset, body: Body, listings: Iterable[OfSeries]) -> str:
    """How often the body publishes the dataset: as the law asks; where none binds it, as its periods show."""
    by_law = {_of_rule(rule["every"], len(rule.get("days", ()))) for rule in rules_for(dataset, body)}
    if by_law:
        return most_often(by_law)
    of_dataset = (listing.series for listing in listings if listing.series.dataset == dataset.name)
    seen = {_OF_PERIOD.get(series.period.kind, "irregular") for series in of_dataset}
    return seen.pop() if len(seen) == 1 else "irregular"


def most_often(codes: Iterable[str]) -> str:
    """The shortest interval of several; irregular if there is none."""
    return min(codes, key=ORDER.index, default="irregular")


def _of_rule(interval: str, days: int) -> str:
    match interval:
        case "month":
            return "monthly"
        case "quarter":
            return "quarterly"
        case "year":
            return "annual"
        case "snapshot":
            return "semiannual" if days == 2 else "annual"
    raise DescriptorError(f"a duty is due every '{interval}': write month, quarter, year or snapshot")
