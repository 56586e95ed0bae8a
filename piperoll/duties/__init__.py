"""What public bodies must publish by law, when it is due, and whether it arrived."""

from piperoll.duties.calendar import (
    due_periods,
    duty_rules,
    is_bank_holiday,
    last_working_day,
    next_change_day,
    next_due_day,
    owes,
    publication_interval,
    shortest_interval,
)
from piperoll.duties.lateness import (
    Duty,
    DutyState,
    ReceivedFiles,
    ReportOutcome,
    find_first_starts,
    judge_duties,
    judge_followed_duties,
    merge_first_starts,
    period_of,
    summarise_received,
    window_start,
)

__all__ = [
    "Duty",
    "DutyState",
    "ReceivedFiles",
    "ReportOutcome",
    "due_periods",
    "duty_rules",
    "find_first_starts",
    "is_bank_holiday",
    "judge_duties",
    "judge_followed_duties",
    "last_working_day",
    "merge_first_starts",
    "next_change_day",
    "next_due_day",
    "owes",
    "period_of",
    "publication_interval",
    "shortest_interval",
    "summarise_received",
    "window_start",
]
