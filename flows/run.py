"""Run the monthly flow once, in this process, with a temporary Prefect server unless the operator has one."""

from __future__ import annotations

import os
from typing import Any

from flows import prefect_server
from piperoll.checking import warm_up
from piperoll.operations import collecting, pipeline
from piperoll.operations.answering import finish_answers
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.run_record import record_run
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import RunSummary


def run_month(request: RunRequest) -> RunSummary:
    """Collect, check and publish everything that is requested; return the result of every file.

    What is done already is skipped, and an interrupted run resumes. With PREFECT_API_URL set, that server keeps the
    record. Several runs within one `prefect_server.server()` block share its server.

    Raises: UsageError: the inbox or the sources file cannot be read. StoreError: the store cannot be opened. What goes
    wrong with single files is in the summary.
    """
    if summary := _run_if_nothing_new(request):
        return summary
    with prefect_server.server() as server:
        # Importing the flow takes seconds, in which our server starts; its environment must be set before.
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings  # noqa: PLC0415
        from prefect.task_runners import ThreadPoolTaskRunner  # noqa: PLC0415

        from flows.month import REQUEST, RunFailed, month  # noqa: PLC0415

        if server.process:
            warm_up()  # takes as long again, and the first file needs it
        server.wait()
        token = REQUEST.set(request)
        try:
            own = {PREFECT_API_AUTH_STRING: server.auth} if server.auth else {}
            with temporary_settings({PREFECT_API_URL: server.address} | own):
                runner: Any = ThreadPoolTaskRunner(max_workers=request.settings.concurrency)
                done: RunSummary = month.with_options(task_runner=runner)(period=request.flow_period())
                return done
        except RunFailed as failed:
            return failed.summary
        finally:
            REQUEST.reset(token)


def _run_if_nothing_new(request: RunRequest) -> RunSummary | None:
    """The summary of a run that has nothing to do, for which it is not worth starting a server; otherwise None."""
    if request.inbox is None:
        collecting.list_sources(request)  # a mistake in the file is reported before a server starts
        return None
    if "PREFECT_API_URL" in os.environ:
        return None
    with request.open() as run, record_run(run) as record_end:
        collected = collecting.collect_inbox(run, request)
        if not pipeline.nothing_new(run, collected):
            return None
        results = pipeline.run_in_process(run, collected)
        results = pipeline.replace_results(results, finish_answers(run)[0])
        summary = pipeline.summarise(collected, results, lambda: build_catalogue(run))
        record_end(summary)
        return summary
