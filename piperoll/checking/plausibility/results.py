"""What came of an expectation, in Great Expectations' own terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from piperoll.checking.plausibility.evidence import Judged
from piperoll.checking.plausibility.suite import ROW, TABLE, Expectation

Result = Mapping[str, Any]
"""GX's `result`: its counts and shares, or what was observed."""


@dataclass(frozen=True, eq=False, slots=True)
class Addresses(Sequence[tuple[int, int]]):
    """The number of the table and the row of each line, as two arrays: sixteen bytes a line."""

    tables: npt.NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.tables.tolist(), self.rows.tolist(), strict=True)

    @overload
    def __getitem__(self, place: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, place: slice) -> Addresses: ...
    def __getitem__(self, place: int | slice) -> tuple[int, int] | Addresses:
        if isinstance(place, slice):
            return Addresses(self.tables[place], self.rows[place])
        return int(self.tables[place]), int(self.rows[place])

    def once(self) -> Addresses:
        """The same without those that stand there already: several lines may share a row."""
        if len(self) < 2:
            return self
        same = (self.tables[1:] == self.tables[:-1]) & (self.rows[1:] == self.rows[:-1])
        if np.all((self.tables[1:] > self.tables[:-1]) | (self.rows[1:] >= self.rows[:-1])):
            kept = np.append(True, ~same)
        else:
            pairs = np.stack([self.tables, self.rows], axis=1)
            kept = np.zeros(len(self), np.bool_)
            kept[np.unique(pairs, axis=0, return_index=True)[1]] = True
        return Addresses(self.tables[kept], self.rows[kept])

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> Addresses:
        """Those of `pairs`."""
        whole = np.array(pairs, np.int64).reshape(-1, 2)
        return cls(whole[:, 0], whole[:, 1])


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """Whether an expectation is met, GX's result, and every line that is not as expected, in order."""

    expectation: Expectation
    success: bool
    result: Result
    unexpected: Addresses = field(default_factory=Addresses)

    def as_gx(self) -> dict[str, Any]:
        """The same as GX's `validate` has it in the format COMPLETE, the lists of values left out."""
        result = dict(self.result)
        if "unexpected_count" in result and "element_count" in result:
            result["unexpected_index_list"] = [{TABLE: table, ROW: row} for table, row in self.unexpected]
        return {"success": self.success, "result": result}


def of_rows(judged: Judged, mostly: float, *, of_all: bool = False) -> tuple[bool, Result]:
    """Success and counts of an expectation about rows; `of_all` where empty cells count and none are missing.

    GX: `_mostly_success` and `_format_map_output`. An expectation about no row at all is met.
    """
    elements, looked_at, unexpected = judged.elements, judged.looked_at, len(judged.unexpected)
    success = looked_at == 0 or (looked_at - unexpected) / looked_at >= mostly
    of_those = _percent(unexpected, looked_at)
    result = {"element_count": elements, "unexpected_count": unexpected, "unexpected_percent": of_those}
    if not of_all:
        missing = elements - looked_at
        result |= {
            "missing_count": missing,
            "missing_percent": _percent(missing, elements),
            "unexpected_percent_total": _percent(unexpected, elements),
            "unexpected_percent_nonmissing": of_those,
        }
    return success, result


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None
