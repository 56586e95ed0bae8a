"""How good what a body sent was, series by series: rows published and held, and how much was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from piperoll.model import Acts, Series, Severity


@dataclass(frozen=True, slots=True)
class Quality:
    """What a report comes to: rows read, published and held; how many places the body must and should put right."""

    read: int
    published: int
    held: int
    must: int
    should: int

    @property
    def share(self) -> Decimal | None:
        """The rows published, in per cent of those read, one place; None where nothing was read."""
        if not self.read:
            return None
        return (Decimal(self.published) * 100 / self.read).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def quality_of(report: Mapping[str, Any] | None) -> Quality | None:
    """What the report of a release (its report.json) comes to; None where there is none."""
    if report is None:
        return None
    rows = [table["rows"] for table in report["tables"]]
    return Quality(
        read=sum(one["read"] for one in rows),
        published=sum(one["accepted"] for one in rows),
        held=sum(one["held"] for one in rows),
        must=_places(report, Severity.ERROR),
        should=_places(report, Severity.WARNING),
    )


def _places(report: Mapping[str, Any], severity: Severity) -> int:
    return sum(
        finding["count"]
        for finding in report["findings"]
        if finding["severity"] == severity and finding["acts"] == Acts.BODY
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """One series of a run over time: its quality, and how far each share reaches in a picture, in per cent."""

    series: Series
    quality: Quality

    @property
    def words(self) -> str:
        """The share of the rows that is published."""
        return "no rows" if self.quality.share is None else f"{self.quality.share} %"

    @property
    def published_share(self) -> str:
        """The width of the published part, in per cent."""
        return _percent(self.quality.published, self.quality.read)

    @property
    def held_share(self) -> str:
        """The width of the held part, in per cent."""
        return _percent(self.quality.held, self.quality.read)


def over_time(told: Sequence[tuple[Series, Quality | None]]) -> dict[tuple[str, str | None], list[Moment]]:
    """The quality of each dataset and part of a body, the oldest period first; runs of one period tell nothing."""
    runs: dict[tuple[str, str | None], list[Moment]] = {}
    for series, quality in told:
        if quality is not None:
            runs.setdefault((series.dataset, series.part), []).append(Moment(series, quality))
    ordered = {key: sorted(run, key=_oldest_first) for key, run in runs.items() if len(run) > 1}
    return {key: ordered[key] for key in sorted(ordered, key=lambda key: (key[0], key[1] or ""))}


def _oldest_first(moment: Moment) -> tuple[int, int]:
    period = moment.series.period
    return (period.end.toordinal(), period.start.toordinal())


def _percent(part: int, whole: int) -> str:
    share = Decimal(part) * 100 / whole if whole else Decimal(0)
    return str(share.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
