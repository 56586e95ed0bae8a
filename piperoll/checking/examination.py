"""What examining a submission gives."""

from __future__ import annotations

from dataclasses import dataclass

from piperoll.model import Disposition, Period, Report
from piperoll.reading import Reading


@dataclass(frozen=True)
class Examination:
    """A report, what becomes of each row, and the period and part that were found.

    `period` is None where none could be told: the report then holds the submission (`period-unknown`).
    """

    reading: Reading
    report: Report
    disposition: Disposition
    period: Period | None
    part: str | None
