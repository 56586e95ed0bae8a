"""The record of runs in the store, for monitors: which are going on, how the last one ended, and its metrics.

A run that was killed leaves its beginning. A shard of a run that is spread over machines has a record of its own.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from piperoll import __version__, layout, logs
from piperoll.errors import NotThere, PiperollError, StoreError
from piperoll.model import format_decimal, to_json_bytes
from piperoll.operations.run_request import Run, current_moment
from piperoll.operations.run_summary import RunSummary
from publishers import Store
from publishers.stores.protocol import update_object

COMPLETED, FAILED, STOPPED = "completed", "failed", "stopped"
"""How a run ended: everything was done; something failed because of us, the proxy or the store; it was told to."""

_BEAT_SECONDS = 60
"""How often a run writes its beginning again, as a sign of life."""

_SILENT_SECONDS = 10 * 60
"""A run elsewhere without a sign of life for so long was killed: ten signs, so that a slow bucket is no death."""

_PRESUMED_DEAD_SECONDS = 24 * 3600
"""A run of a version without signs of life, on another machine: it was killed if it began so long ago."""


@dataclass(frozen=True, slots=True)
class RunBeginning:
    """A run that has begun and not ended: when, on which machine and in which process.

    `world` is where the number of the process means something, and `started` when the process began there; a version
    without signs of life recorded neither. `silent` is the number of seconds since its last sign of life. `shard` is
    the part of a spread run that it was, as "1/8"; None for a whole run.
    """

    key: str
    began: str
    host: str
    process: int
    silent: float = 0
    world: str | None = None
    started: str | None = None
    shard: str | None = None

    def is_dead(self, now: str) -> bool:
        """Whether the run was killed: its process is gone or, in another world, it gives no sign of life.

        The name of the host says nothing: each container may have the same, and a process of the same number.
        """
        if self.world is None:
            if self.host == socket.gethostname():
                return not _is_alive(self.process)
            return seconds_between(self.began, now) > _PRESUMED_DEAD_SECONDS
        if self.world and self.world == _find_world():
            return not _is_alive(self.process) or _find_start(self.process) not in {None, self.started}
        return self.silent > _SILENT_SECONDS


@contextmanager
def record_run(run: Run) -> Iterator[Callable[[RunSummary], None]]:
    """Record that a run has begun, and how it ends; the block calls what it gets with the summary.

    A block that ends without a summary or an exception is no run, and leaves nothing. What cannot be recorded stops no
    run: the store says what is wrong with it where it matters.
    """
    logs.configure_logs(run.settings.log_format)
    own = {"process": os.getpid(), "started": _find_start(os.getpid()), "world": _find_world()}
    beginning = {
        "began": run.moment,
        "host": socket.gethostname(),
        "version": __version__,
        "shard": _shard_of(run),
    } | own
    key = layout.run_at_work(run.moment, uuid.uuid4().hex[:12])
    stop_beating = _begin_beating(run.store, key, to_json_bytes(beginning))
    logs.log_event("run begins", moment=run.moment, version=__version__)
    ended: list[dict[str, Any]] = []
    try:
        yield lambda summary: ended.append(_describe_summary(summary))
    except BaseException as error:
        stopped = isinstance(error, (KeyboardInterrupt, SystemExit))
        ended[:] = [{"outcome": STOPPED if stopped else FAILED, **logs.describe_exception(error)}]
        raise
    finally:
        if ended:
            record = {"began": run.moment, "ended": current_moment(), "version": __version__} | ended[0]
            _end_record(run, record)
        stop_beating()
        with suppress(StoreError):
            run.store.delete(key)


def list_beginnings(store: Store) -> list[RunBeginning]:
    """The runs that have begun and not ended, oldest first."""
    found = []
    for key in list(store.keys(layout.RUNS_AT_WORK)):
        with suppress(NotThere):
            document, silent = json.loads(store.read(key).content), store.age(key)
            of_process = document["process"], silent, document.get("world"), document.get("started")
            found.append(RunBeginning(key, document["began"], document["host"], *of_process, document.get("shard")))
    return found


def read_last_runs(store: Store) -> list[dict[str, Any]]:
    """How the last run ended or, if it was spread, the last run of each shard; the one that ended last comes first.

    A whole run does the work of every shard, and the shards do that of a whole run. So records from before someone
    changed from one to the other, or the number of shards, are left out.
    """
    documents: list[dict[str, Any]] = [
        json.loads(store.read(key).content) for key in list(store.keys(layout.LAST_RUNS))
    ]
    documents.sort(key=lambda one: str(one["ended"]), reverse=True)
    return [one for one in documents if _parts_of(one) == _parts_of(documents[0])]


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one ISO 8601 instant to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def format_metrics(records: list[dict[str, Any]], more: dict[str, float] | None = None) -> str:
    """The metrics of the last runs as OpenMetrics text, which is also Prometheus text; `more` are further gauges."""
    lines: list[str] = []

    def gauge(name: str, words: str, values: list[tuple[dict[str, str], Any]]) -> None:
        lines.extend([f"# HELP piperoll_{name} {words}", f"# TYPE piperoll_{name} gauge"])
        for labels, value in values:
            inside = ",".join(f'{label}="{text}"' for label, text in labels.items() if text)
            lines.append(f"piperoll_{name}{{{inside}}} {value}" if inside else f"piperoll_{name} {value}")

    def each(value: Callable[[dict[str, Any]], Any]) -> list[tuple[dict[str, str], Any]]:
        return [({"shard": one.get("shard") or ""}, value(one)) for one in records]

    def by(label: str, name: str) -> list[tuple[dict[str, str], Any]]:
        return [
            ({"shard": one.get("shard") or "", label: key}, value)
            for one in records
            for key, value in one.get(name, {}).items()
        ]

    if records:
        gauge("run_success", "1 if the last run did everything, 0 if not", each(lambda one: int(_is_completed(one))))
        gauge("run_began_timestamp_seconds", "When the last run began", each(lambda one: _epoch(one["began"])))
        gauge("run_ended_timestamp_seconds", "When the last run ended", each(lambda one: _epoch(one["ended"])))
        completed = [
            ({"shard": one.get("shard") or ""}, _epoch(one["completed"])) for one in records if one["completed"]
        ]
        gauge("run_completed_timestamp_seconds", "When a run last did everything", completed)
        gauge("run_duration_seconds", "How long the last run took", each(_duration))
        gauge("run_files", "Files of the last run by how it ended for them", by("ending", "files"))
        gauge("run_rows", "Rows of the files of the last run", by("state", "rows"))
        gauge("run_pounds", "Pounds in the files of the last run", by("state", "pounds"))
        gauge("run_addresses_missed", "Web addresses without a file", each(lambda one: one.get("missed", 0)))
        gauge("run_pages_written", "Files of the catalogue that were written", each(lambda one: one.get("pages", 0)))
    for name, value in (more or {}).items():
        gauge(name, name.replace("_", " "), [({}, value)])
    return "\n".join([*lines, "# EOF"]) + "\n"


def write_metrics(path: Path, text: str) -> None:
    """Write metrics so that a collector sees the old text or the new, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, "utf-8")
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _describe_summary(summary: RunSummary) -> dict[str, Any]:
    rows, pounds = summary.rows, summary.pounds
    return {
        "outcome": FAILED if summary.failed else COMPLETED,
        "files": {str(ending): count for ending, count in sorted(summary.endings.items())},
        "failures": dict(sorted(Counter(one.kind for one in summary.results if one.kind and not one.verdict).items())),
        "rows": {"read": rows.read, "published": rows.published, "held": rows.held, "excluded": rows.excluded},
        "pounds": {name: format_decimal(getattr(pounds, name)) for name in ("read", "published", "held", "excluded")},
        "missed": len(summary.missed),
        "pages": summary.pages,
        "catalogue": summary.trouble is None,
    }


def _end_record(run: Run, record: dict[str, Any]) -> None:
    """Log how a run ended, and keep it in the store and in the file of metrics, unless a later run has ended."""
    record = record | {"shard": _shard_of(run)}
    told = {"level": logging_level(record), **{name: value for name, value in record.items() if name != "shard"}}
    logs.log_event("run ends", **told)

    def replace(content: bytes | None) -> bytes | None:
        before = json.loads(content) if content else {}
        completed = record["ended"] if _is_completed(record) else before.get("completed")
        later = {"completed": max(filter(None, (completed, before.get("completed"))), default=None)}
        return to_json_bytes((before if before.get("ended", "") > record["ended"] else record) | later)

    with suppress(StoreError):
        update_object(run.store, layout.last_run(record["shard"]), replace)
        for one in list_beginnings(run.store):
            if one.is_dead(record["ended"]) and not _is_other_part(one.shard, record["shard"]):
                run.store.delete(one.key)  # killed, and what it left undone is done now
    if run.settings.metrics_file:
        with suppress(PiperollError, OSError):  # a monitor that finds old metrics says so
            write_metrics(Path(run.settings.metrics_file), format_metrics(read_last_runs(run.store)))


def logging_level(record: dict[str, Any]) -> int:
    """The level of the log entry of a run that has ended: ERROR unless everything was done."""
    return 20 if _is_completed(record) else 40


def _shard_of(run: Run) -> str | None:
    shard = getattr(run, "shard", None)
    return str(shard) if shard else None


def _parts_of(record: dict[str, Any]) -> str | None:
    """Of how many shards the run was one; None if it was whole."""
    return record["shard"].partition("/")[2] if record["shard"] else None


def _is_other_part(shard: str | None, ended: str | None) -> bool:
    """True if a shard is another one of those of which one has ended."""
    return shard is not None and ended is not None and shard != ended and shard.split("/")[1] == ended.split("/")[1]


def _is_completed(record: dict[str, Any]) -> bool:
    return bool(record["outcome"] == COMPLETED)


def _duration(record: dict[str, Any]) -> float:
    return round(seconds_between(record["began"], record["ended"]), 3)


def _epoch(instant: str) -> float:
    return round(datetime.fromisoformat(instant).timestamp(), 3)


def _begin_beating(store: Store, key: str, beginning: bytes) -> Callable[[], None]:
    """Write a beginning now and every minute, in a thread; return what ends that."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(_BEAT_SECONDS):
            with suppress(StoreError):
                store.put(key, beginning)

    def stop() -> None:
        ended.set()
        thread.join()  # what is deleted next must not be written again

    with suppress(StoreError):
        store.put(key, beginning)
    thread = threading.Thread(target=beat, name="run-record", daemon=True)
    thread.start()
    return stop


@cache
def _find_world() -> str:
    """Where the numbers of processes are those of this process: boot and namespace; empty where Linux does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _find_start(process: int) -> str | None:
    """When a process began, in ticks since the boot; None if it cannot be known. Numbers of processes come again."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
