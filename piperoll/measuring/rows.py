"""The rows of measures: what a query returns, and the rows of the long table that is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from piperoll.measuring.definition import Figure, Measure
from piperoll.model import Body, Period


class RowStatus(StrEnum):
    """How far a figure may be used."""

    SHOWN = "shown"
    INDICATIVE = "indicative"
    """It is too uncertain to compare."""
    LIST_ONLY = "list-only"
    """Too few peers have a value for a band: values stand side by side."""
    WITHHELD = "withheld"
    """It has no value, and a reason."""


_NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}


@dataclass(frozen=True, slots=True)
class MeasuredBody:
    """A body as measures see it: the columns of the view `bodies`. `former`: it ended before the year measured."""

    body: str
    name: str
    kind: str
    short_name: str | None = None
    region: str | None = None
    nation: str | None = None
    former: bool = False
    population: int | None = None
    id: str = ""

    @property
    def slug(self) -> str:
        """The name that addresses use: the column `body`."""
        return self.body

    @classmethod
    def of(cls, body: Body, year: Period) -> MeasuredBody:
        """Describe a body of the register for a financial year."""
        return cls(
            body.slug,
            body.name,
            body.kind,
            body.short_name,
            body.region,
            _NATIONS.get((body.area_code or " ")[0]),
            former=body.valid_to is not None and body.valid_to < year.start,
            population=body.population,
            id=body.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """A row as the query of a measure returns it. docs/measures.md describes the columns."""

    body: str
    period_start: date
    period_end: date
    figure: str
    value: Decimal | None
    item: str = ""
    item_label: str = ""
    lo: Decimal | None = None
    hi: Decimal | None = None
    n: int | None = None
    coverage: Decimal | None = None
    inferred_share: Decimal | None = None
    part_sum: Decimal | None = None
    total: Decimal | None = None
    status: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """A row of the long table; its fields are the columns, in order. `piperoll.measuring.columns` describes each."""

    figure_id: str
    measure: str
    method_version: str
    body: str
    body_name: str
    period_start: date
    period_end: date
    perimeter: str
    figure: str
    item: str
    item_label: str
    value: Decimal | None
    lo: Decimal | None
    hi: Decimal | None
    unit: str
    n: int | None
    coverage: Decimal | None
    inferred_share: Decimal | None
    status: str
    reason: str
    peers: int | None = None
    peer_kind: str = ""
    peer_median: Decimal | None = None
    peer_q1: Decimal | None = None
    peer_q3: Decimal | None = None
    rank_best: int | None = None
    rank_worst: int | None = None
    outlier: bool = False
    inputs: str = ""
    reply: str = ""

    @classmethod
    def of(
        cls, measure: Measure, figure: Figure, body: MeasuredBody, row: RawRow, identifier: str, reply: str
    ) -> MeasureRow:
        """The row of a figure, before it is compared with peers."""
        return cls(
            figure_id=identifier,
            measure=measure.id,
            method_version=measure.version,
            body=body.body,
            body_name=body.name,
            period_start=row.period_start,
            period_end=row.period_end,
            perimeter=measure.perimeter,
            figure=figure.id,
            item=row.item,
            item_label=row.item_label,
            value=row.value,
            lo=row.lo,
            hi=row.hi,
            unit=figure.unit,
            n=row.n,
            coverage=row.coverage,
            inferred_share=row.inferred_share,
            status=row.status,
            reason=row.reason,
            peer_kind=body.kind if measure.comparators == "kind" else "",
            reply=reply,
        )
