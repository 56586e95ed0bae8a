"""Run the monthly flow once, in this process, with a temporary Prefect server unless the operator has one."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from collectors import list_inbox
from flows import prefect_server
from piperoll.checking import warm_up
from piperoll.errors import ServerTrouble
from piperoll.operations import collecting, pipeline
from piperoll.operations.answering import finish_answers
from piperoll.operations.batches import MANY_FILES
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.run_record import record_run
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import RunSummary

_RETRIES = 3
"""How often Prefect's client asks a server that does not answer, after 2, 4 and 8 seconds: it may be restarting."""


def run_month(request: RunRequest) -> RunSummary:
    """Collect, check and publish everything that is requested; return the result of every file.

    What is done already is skipped, and an interrupted run resumes. With PREFECT_API_URL set, that server keeps the
    record. Several runs within one `prefect_server.server()` block share its server.

    Raises: UsageError: the inbox or the sources file cannot be read. StoreError: the store cannot be opened. What goes
    wrong with single files is in the summary. ServerTrouble: the Prefect server does not answer; if it is lost when the
    files are done, the summary says so (`unrecorded`).
    """
    if summary := _run_if_nothing_new(request):
        return summary
    with prefect_server.server() as server:
        # Importing the flow takes seconds, in which our server starts; its environment must be set before.
        from prefect.settings import (  # noqa: PLC0415
            PREFECT_API_AUTH_STRING,
            PREFECT_API_URL,
            PREFECT_CLIENT_MAX_RETRIES,
            temporary_settings,
        )
        from prefect.task_runners import ThreadPoolTaskRunner  # noqa: PLC0415

        from flows.month import REQUEST, RunFailed, month  # noqa: PLC0415
        from flows.record import FINISHED  # noqa: PLC0415

        if server.process and not _is_large(request):
            warm_up()  # takes as long again, and the first file needs it
        server.wait()
        finished: list[RunSummary] = []
        raising = logging.raiseExceptions
        logging.raiseExceptions = False  # otherwise each line that a lost server misses is shown
        token, kept = REQUEST.set(request), FINISHED.set(finished)
        try:
            own: dict[Any, Any] = {PREFECT_API_AUTH_STRING: server.auth} if server.auth else {}
            own |= {PREFECT_API_URL: server.address, PREFECT_CLIENT_MAX_RETRIES: _RETRIES}
            with temporary_settings(own):
                runner: Any = ThreadPoolTaskRunner(max_workers=request.settings.concurrency)
                done: RunSummary = month.with_options(task_runner=runner)(period=request.flow_period())
                return done
        except RunFailed as failed:
            return failed.summary
        except Exception as error:  # what Prefect raises when it cannot record the end
            if not finished and not prefect_server.is_connection_error(error):
                raise
            address = os.environ.get("PREFECT_API_URL", server.address)
            if not finished:
                raise ServerTrouble(f"the Prefect server at {address} cannot be used: {error}") from error
            prefect_server.end_sending()
            return replace(finished[0], unrecorded=f"the Prefect server at {address} was lost ({error})")
        finally:
            logging.raiseExceptions = raising
            REQUEST.reset(token)
            FINISHED.reset(kept)


def _is_large(request: RunRequest) -> bool:
    """Whether worker processes will do the work: they load what they need, and this process does not need it."""
    if not isinstance(request.inbox, Path) or request.settings.concurrency == 1:
        return False
    return len(list_inbox(request.inbox, received="").arrivals) >= MANY_FILES


def _run_if_nothing_new(request: RunRequest) -> RunSummary | None:
    """The summary of a run that has nothing to do, for which it is not worth starting a server; otherwise None."""
    if request.inbox is None:
        collecting.list_sources(request)  # a mistake in the file is reported before a server starts
        return None
    if "PREFECT_API_URL" in os.environ or isinstance(request.inbox, str):
        return None
    with request.open() as run:
        try:
            collected = collecting.collect_inbox(run, request)
            if not pipeline.nothing_new(run, collected):
                return None  # the flow records its beginning
        except BaseException:
            with record_run(run):
                raise
        with record_run(run) as record_end:
            results = pipeline.run_in_process(run, collected)
            results = pipeline.replace_results(results, finish_answers(run)[0])
            summary = pipeline.summarise(collected, results, lambda: build_catalogue(run))
            record_end(summary)
            return summary
