"""What public bodies must publish by law, when it is due, and whether it arrived."""

from piperoll.duties.calendar import (
    due_periods,
    duty_rules,
    last_working_day,
    next_change_day,
    next_due_day,
    publication_interval,
    shortest_interval,
)
from piperoll.duties.lateness import (
    Duty,
    DutyState,
    ReceivedFiles,
    ReportOutcome,
    judge_duties,
    period_of,
    summarise_received,
)

__all__ = [
    "Duty",
    "DutyState",
    "ReceivedFiles",
    "ReportOutcome",
    "due_periods",
    "duty_rules",
    "judge_duties",
    "last_working_day",
    "next_change_day",
    "next_due_day",
    "period_of",
    "publication_interval",
    "shortest_interval",
    "summarise_received",
]
