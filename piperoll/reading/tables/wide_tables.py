"""Wide tables, with a group of columns for each period, which become one line for each period."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from piperoll.model import Dataset, Period
from piperoll.reading.cells.periods import find_periods
from piperoll.reading.grids.grid import squeeze


@dataclass(frozen=True, slots=True)
class WideColumn:
    """One column of a wide table: the field that it measures, and the period."""

    column: int
    heading: str
    field: str
    period: Period


@dataclass(frozen=True)
class WideTable:
    """The repeating columns of a wide table, and the fields for the period's first and last day."""

    measures: tuple[WideColumn, ...]
    start_field: str
    end_field: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The measured fields, in the order of their first column."""
        return tuple(dict.fromkeys(measure.field for measure in self.measures))

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods, in chronological order."""
        periods = {measure.period for measure in self.measures}
        return tuple(sorted(periods, key=lambda period: (period.end, period.start)))

    def of_field(self, name: str) -> list[WideColumn]:
        """Return the columns of one measured field, one for each period."""
        return [measure for measure in self.measures if measure.field == name]

    def latest(self, name: str) -> WideColumn:
        """Return the column of a measured field for its latest period."""
        return max(self.of_field(name), key=lambda measure: (measure.period.end, measure.period.start))

    def of(self, period: Period) -> dict[str, int]:
        """Return the columns of one period, by field."""
        return {measure.field: measure.column for measure in self.measures if measure.period == period}


def find_wide(headings: Sequence[str], dataset: Dataset) -> WideTable | None:
    """Find the repeating columns that a wide shape of the dataset matches; None if fewer than two match."""
    for shape in dataset.wide:
        pattern = re.compile(shape["pattern"])
        measures = []
        for column, heading in enumerate(headings):
            match = pattern.fullmatch(squeeze(heading))
            # a quarter after its year is the calendar's: `2015-Q3`
            period = next(iter(find_periods(match["period"], snapshot=False)), None) if match else None
            name = shape["measures"].get(match["measure"]) if match else None
            if period and name:
                measures.append(WideColumn(column, heading, name, period))
        if len(measures) > 1:
            return WideTable(tuple(measures), shape["period"]["start"], shape["period"]["end"])
    return None
