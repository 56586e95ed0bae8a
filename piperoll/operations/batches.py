"""Batches: the bodies that one process takes together, so that their releases are audited in few calls.

`process_bodies` is the work on a batch. `run_in_batches` cuts what a run has to do into batches, and decides when each
starts; what comes out does not depend on how they are cut. Where they run is up to the caller:
`piperoll.operations.batch_workers`, or this process.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from piperoll.errors import PiperollError
from piperoll.model import Submission
from piperoll.operations import pipeline, steps
from piperoll.operations.examined import ExaminedFile
from piperoll.operations.pipeline import Audits, BodyFiles, Steps
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import FileResult

P = ParamSpec("P")
R = TypeVar("R")

MOST_FILES = 25
"""A batch is full with this many files: audits of 25 releases together cost 0.02 s each, of 50 hardly less."""
MOST_BYTES = 16_000_000
"""A batch is full with this many bytes as received: about 100,000 rows, which take half a minute."""

_PLAIN_STEPS = Steps()
_LEAST_FILES = 8
"""Batches get smaller towards the end of a run, but not smaller than this: then audits cost more than idle lanes."""
MANY_FILES, MANY_BYTES = 60, 20_000_000
"""With fewer files and bytes, a run takes less time in one process than processes take to start."""

_PAUSE_SECONDS = 0.2
"""If no further body is collected for this long, what is at hand is begun."""
_FIRST_DELAY_SECONDS, _MOST_DELAY_SECONDS = 2, 120
"""Before the first retry of a step; then 4, 8, and so on. A store that restarts answers again within a minute."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of some bodies that are processed together; batches of a run are numbered from 1.

    `of_many` is True if the run has so much to do that it is worth starting processes for it.
    """

    number: int
    bodies: tuple[BodyFiles, ...]
    of_many: bool = False

    def __str__(self) -> str:
        """As in `spend/anytown`, or `spend/anytown and 11 more`."""
        return f"{self.bodies[0]} and {len(self.bodies) - 1:,} more" if len(self.bodies) > 1 else str(self.bodies[0])

    @property
    def files(self) -> int:
        """The number of files, at least one for each body."""
        return sum(map(count_files, self.bodies))

    @property
    def bytes(self) -> int:
        """The bytes of the files as received."""
        return sum(map(count_bytes, self.bodies))


def list_submissions(body: BodyFiles) -> list[Submission]:
    """The files of a body that are examined: those that have arrived, and those that are examined again."""
    restated = body.decided.published if body.decided else ()
    return [*(one for one, _ in body.files), *body.again, *(one for one, _ in restated)]


def count_files(body: BodyFiles) -> int:
    """The number of files of a body that are examined; 1 if it has none but something else to settle."""
    return max(1, len(list_submissions(body)))


def count_bytes(body: BodyFiles) -> int:
    """The bytes of the files of a body as received."""
    return sum(one.bytes for one in list_submissions(body))


def process_bodies(
    run: Run,
    bodies: Sequence[BodyFiles],
    through: Steps = _PLAIN_STEPS,
    ended: Callable[[int, list[FileResult]], None] = lambda _number, _results: None,
) -> list[list[FileResult]]:
    """Take the files of several bodies through the steps, and audit together what they publish.

    Returns the results of each body. If one breaks off because of a bug, each of its files has failed and the others go
    on. `ended` is called with the index and the results of each body when it is finished.
    """
    run = run.for_batch(body.seen for body in bodies)
    results: list[list[FileResult]] = [[] for _ in bodies]
    going: dict[int, Audits] = {
        number: pipeline.process_files(run, body, through) for number, body in enumerate(bodies)
    }
    errors: dict[int, Mapping[str, Exception]] = {}
    while going:
        waiting: dict[int, Sequence[ExaminedFile]] = {}
        for number, files in list(going.items()):
            try:
                # the first time there is nothing to send yet
                waiting[number] = files.send(errors[number]) if number in errors else next(files)
                continue
            except StopIteration as stopped:
                results[number] = stopped.value
            except Exception as error:  # noqa: BLE001 - one body's fault stays one body's
                results[number] = fail_all(run, bodies[number], error)
            del going[number]
            steps.clear_scratch(run, bodies[number].dataset, bodies[number].body)
            ended(number, results[number])
        audited = iter(through.audit([file for files in waiting.values() for file in files]) if waiting else ())
        errors = {
            number: {
                file.submission.sha256: error
                for file, error in zip(files, (next(audited) for _ in files), strict=True)
                if error is not None
            }
            for number, files in waiting.items()
        }
    return results


def fail_all(run: Run, body: BodyFiles, error: Exception, ended: Container[tuple[str, str]] = ()) -> list[FileResult]:
    """The results of a body's files, all of which have failed because of the same error, also those examined again.

    Files that have `ended`, by their path and sha256, are left out. If there is no other, the body itself has failed:
    what was decided about it is not applied, which must not pass in silence.
    """
    unreadable = [one for one in body.unreadable if (one.file, one.sha256) not in ended]
    left = [one for one in list_submissions(body) if (one.origin, one.sha256) not in ended]
    left = left or [Submission("", 0, str(body), body.dataset, body.body, str(body), run.moment)]
    return [*unreadable, *(run.count(pipeline.fail(run, submission, error)) for submission in left)]


def steps_with_retries(retries: int) -> Steps:
    """The steps of a submission, each tried again up to `retries` times if its error may go away by itself."""
    return Steps(
        receive=retrying(steps.receive, retries),
        examine=retrying(steps.examine, retries),
        examine_again=retrying(steps.examine_again, retries),
        publish=retrying(steps.publish, retries),
        recall=retrying(steps.recall, retries),
    )


def retrying(step: Callable[P, R], retries: int) -> Callable[P, R]:
    """`step`, tried again up to `retries` times, with longer and longer pauses, if its error is retryable."""

    @wraps(step)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(retries):
            try:
                return step(*args, **kwargs)
            except PiperollError as error:
                if not error.retryable:
                    raise
            time.sleep(min(_FIRST_DELAY_SECONDS << attempt, _MOST_DELAY_SECONDS))
        return step(*args, **kwargs)

    return call


class Future(Protocol):
    """What `submit` returns: a future of `concurrent.futures`, or of Prefect."""

    def add_done_callback(self, fn: Callable[[Any], Any], /) -> None:
        """Call `fn` when the batch is finished, whatever the outcome."""


FutureT = TypeVar("FutureT", bound=Future)


def run_in_batches(
    bodies: Iterable[BodyFiles], lanes: int, submit: Callable[[Batch], FutureT]
) -> list[tuple[Batch, FutureT]]:
    """Submit every body in batches, at most `lanes` at a time; return each batch with its future, all finished.

    `bodies` is read in a thread of its own, so what is collected early is begun early. Large bodies go first, and
    batches get smaller towards the end, so that all lanes end at about the same time.

    Raises: whatever reading `bodies` raises, once the batches that run have ended.
    """
    events: queue.SimpleQueue[BodyFiles | BaseException | _Free | None] = queue.SimpleQueue()
    # in the caller's context, because Prefect's loggers look there for the run that they belong to
    reader = partial(copy_context().run, _read_into, bodies, events)
    threading.Thread(target=reader, name="collect", daemon=True).start()
    work: _Work[FutureT] = _Work(lanes, submit, lambda _: events.put(_Free()))
    reading = True
    while reading or work.busy:
        try:
            event = events.get(timeout=_PAUSE_SECONDS if reading and work.can_begin else None)
        except queue.Empty:
            work.begin()
            continue
        if isinstance(event, BodyFiles):
            work.add(event)
        elif isinstance(event, _Free):
            work.free += 1
        else:
            reading, work.trouble = False, event
        if not reading or work.has_plenty:
            work.begin()
    if work.trouble:
        raise work.trouble
    return work.submitted


class _Free:
    """Says that a batch is finished."""


def _read_into(bodies: Iterable[BodyFiles], events: queue.SimpleQueue[Any]) -> None:
    try:
        for body in bodies:
            events.put(body)
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for the bodies
        events.put(error)
    else:
        events.put(None)


@dataclass
class _Work(Generic[FutureT]):
    """The bodies that wait for a lane, and the batches that have been submitted."""

    lanes: int
    submit: Callable[[Batch], FutureT]
    finished: Callable[[Any], None]
    free: int = 0
    files: int = 0
    bytes: int = 0
    waiting: list[BodyFiles] = field(default_factory=list)
    submitted: list[tuple[Batch, FutureT]] = field(default_factory=list)
    trouble: BaseException | None = None

    def __post_init__(self) -> None:
        self.free = self.lanes

    def add(self, body: BodyFiles) -> None:
        """Take in a body that was collected."""
        self.waiting.append(body)
        self.files += count_files(body)
        self.bytes += count_bytes(body)

    @property
    def busy(self) -> bool:
        """Whether anything is running, or still to be begun."""
        return self.free < self.lanes or (bool(self.waiting) and self.trouble is None)

    @property
    def can_begin(self) -> bool:
        """Whether there is something to do, and a lane for it."""
        return self.free > 0 and bool(self.waiting)

    @property
    def has_plenty(self) -> bool:
        """Whether what waits fills a batch for every lane, and is enough to know that there is much to do.

        While no lane is free, it does not matter, and is not counted again for each body that is collected.
        """
        return self.free > 0 and sum(map(count_files, self.waiting)) >= max(self.lanes * MOST_FILES, MANY_FILES)

    def begin(self) -> None:
        """Submit a batch for every free lane, unless reading the bodies failed."""
        while self.can_begin and self.trouble is None:
            self.waiting.sort(key=_largest_first)
            share = max(_LEAST_FILES, -(-sum(map(count_files, self.waiting)) // (2 * self.lanes)))
            files = size = taken = 0
            for body in self.waiting:
                files, size = files + count_files(body), size + count_bytes(body)
                if taken and (files > min(MOST_FILES, share) or size > MOST_BYTES):
                    break
                taken += 1
            several = self.lanes > 1 and (len(self.waiting) > 1 or bool(self.submitted))
            many = several and (self.files >= MANY_FILES or self.bytes >= MANY_BYTES)
            batch = Batch(len(self.submitted) + 1, tuple(self.waiting[:taken]), many)
            del self.waiting[:taken]
            self.free -= 1
            future = self.submit(batch)
            self.submitted.append((batch, future))
            future.add_done_callback(self.finished)


def _largest_first(body: BodyFiles) -> tuple[int, str, str]:
    return -count_bytes(body), body.dataset, body.body
