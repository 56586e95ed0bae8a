"""Flows: what runs, in what order, how often, and what is retried."""

from flows.running import run
from flows.serve import serve
from piperoll.operations.release import Released, release
from piperoll.operations.replay import Change, Replayed, replay
from piperoll.operations.run_request import Asked
from piperoll.operations.run_summary import Ending, FileResult, Missed, Pounds, Progress, Rows, RunSummary, Watcher
from piperoll.operations.takedown import Purged, Withdrawn, purge_submission, withdraw_version
from piperoll.operations.trace import Traced, TracedField, trace

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
