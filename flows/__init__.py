"""Flows: what runs, in what order, how often, and what is retried."""

from flows.running import run
from flows.summary import Ending, FileResult, Missed, Pounds, Progress, Rows, RunSummary, Watcher

__all__ = [
    "Ending",
    "FileResult",
    "Missed",
    "Pounds",
    "Progress",
    "Rows",
    "RunSummary",
    "Watcher",
    "run",
]
