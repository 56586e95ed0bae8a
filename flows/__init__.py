"""Flows: what runs, in what order, how often, and what is retried."""

from flows.opening import Asked
from flows.release import Released, release
from flows.replay import Change, Replayed, replay
from flows.running import run
from flows.serve import serve
from flows.summary import Ending, FileResult, Missed, Pounds, Progress, Rows, RunSummary, Watcher
from flows.taking_back import Purged, Withdrawn, purge_submission, withdraw_version
from flows.tracing import Traced, TracedField, trace

__all__ = [
    "Asked",
    "Change",
    "Ending",
    "FileResult",
    "Missed",
    "Pounds",
    "Progress",
    "Purged",
    "Released",
    "Replayed",
    "Rows",
    "RunSummary",
    "Traced",
    "TracedField",
    "Watcher",
    "Withdrawn",
    "purge_submission",
    "release",
    "replay",
    "run",
    "serve",
    "trace",
    "withdraw_version",
]
