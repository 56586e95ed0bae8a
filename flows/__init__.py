"""Flows: what runs, in what order, how often, and what is retried."""

from flows.opening import Asked
from flows.release import Released, release
from flows.replay import Change, Replayed, replay
from flows.running import run
from flows.serve import serve
from flows.summary import Ending, FileResult, Missed, Pounds, Progress, Rows, RunSummary, Watcher

__all__ = [
    "Asked",
    "Change",
    "Ending",
    "FileResult",
    "Missed",
    "Pounds",
    "Progress",
    "Released",
    "Replayed",
    "Rows",
    "RunSummary",
    "Watcher",
    "release",
    "replay",
    "run",
    "serve",
]
