"""A store that files of one body arrive at, delivery by delivery."""

from __future__ import annotations

from pathlib import Path

from piperoll.model import Layout
from piperoll.operations import questions
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import RunSummary
from publishers import FolderStore, list_submissions, read_full_report, read_mapping, update_mapping
from tests.operations.inbox import plain_run, put

NOW = "2026-12-01T09:00:00Z"


class World:
    """A store that files of one body arrive at, each delivery in an inbox of its own."""

    def __init__(self, place: Path) -> None:
        self._place, self._deliveries = place, 0
        self.place = str(place / "published")
        self.store = FolderStore(place / "published")

    def send(self, **files: bytes) -> dict[str, str]:
        """Send files, by the names of their months, in one run; return the outcome of each."""
        self._deliveries += 1
        inbox = self._place / f"inbox-{self._deliveries}"
        for name, content in files.items():
            put(inbox, f"spend/anytown/{name}.csv", content)
        return outcomes(self.run(inbox))

    def run(self, inbox: Path | None = None) -> RunSummary:
        inbox = inbox or self._place / "inbox-empty"
        inbox.mkdir(parents=True, exist_ok=True)
        return plain_run(RunRequest(to=self.place, inbox=inbox), catalogued=False)

    def codes(self, name: str) -> dict[str, str]:
        """The findings of the file with this name, with their messages."""
        (found,) = (one for one, _ in list_submissions(self.store, "anytown") if one.name == f"{name}.csv")
        report = read_full_report(self.store, found)
        assert report is not None
        return {finding.code: finding.message for finding in report.findings}

    def teach(self, period: str, **columns: str) -> None:
        """As if a file of a period had taught what these fields are called."""
        layout = Layout(columns, period, "2026-01-01", "ab" * 32)
        update_mapping(self.store, "anytown", "spend", lambda mapping: mapping.with_layout(layout))

    def answer(self, heading: str, said: str) -> None:
        mapping = read_mapping(self.store, "anytown", "spend")
        questions.record_answer(self.store, mapping, heading, said, because="by telephone", moment=NOW)


def outcomes(summary: RunSummary) -> dict[str, str]:
    return {result.file.rpartition("/")[2].removesuffix(".csv"): result.outcome for result in summary.results}
