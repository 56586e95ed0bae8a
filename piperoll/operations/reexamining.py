"""Which files are examined again, because the rules, a body's entry in the register or an answer has changed.

What the files of each body and dataset were last examined by, their *basis*, is the name of an empty object, so one
listing tells whether anything has changed, and no report is read unless it has. Then every file of that body and
dataset that is held or rejected is examined again. What is published stays: `piperoll replay --apply` restates that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.errors import MappingError
from piperoll.model import Report, Series, Submission, to_document
from piperoll.operations.run_request import Run


@dataclass(frozen=True, slots=True)
class Outdated:
    """A body and dataset whose files were examined by something else than `basis`, which is in force now.

    `files` are those that are held or rejected, and that no later file of their series has replaced.
    """

    dataset: str
    body: str
    basis: str
    files: tuple[Submission, ...]


def list_bases(store: publishers.Store) -> dict[tuple[str, str], set[str]]:
    """What the files of each dataset and body were last examined by; several if a run was interrupted."""
    bases: dict[tuple[str, str], set[str]] = {}
    for key in store.keys(layout.EXAMINED_BY):
        dataset, body, basis = layout.parse_examined_by(key)
        bases.setdefault((dataset, body), set()).add(basis)
    return bases


def compute_basis(run: Run, dataset: str, body: str) -> str:
    """What decides how a file is examined besides itself and earlier files: rules, register entry and answers."""
    try:
        mapping = publishers.read_mapping(run.store, body, dataset)
        answers: Any = [[*question.key, question.answer] for question in mapping.questions if not question.open]
    except MappingError:  # its files fail with the reason, and are examined again once it is mended
        answers = None
    parts = (assets.rules_version(dataset), to_document(run.register.find(body)), answers)
    digests = (hashlib.sha256(json.dumps(part, sort_keys=True, default=str).encode()).hexdigest() for part in parts)
    return "-".join(digest[:12] for digest in digests)


def find_outdated(run: Run, bases: Mapping[tuple[str, str], set[str]]) -> Iterator[Outdated]:
    """Yield the bodies and datasets of which `bases` is not what is in force now, with the files to examine again.

    Only those that the run processes: a shard does not read the mappings of all bodies.
    """
    for (dataset, body), recorded in sorted(bases.items()):
        if not run.keeps(body):
            continue
        basis = compute_basis(run, dataset, body)
        if recorded != {basis}:
            listed = publishers.list_submissions(run.store, body)
            files = (one for one, report in listed if report and one.dataset == dataset and _is_open(run, one, report))
            yield Outdated(dataset, body, basis, tuple(files))


def record_basis(run: Run, dataset: str, body: str, basis: str) -> None:
    """Record that every file of a body and dataset that needs it has been examined by `basis`."""
    key = layout.examined_by(dataset, body, basis)
    run.store.create(key, b"")
    for other in list(run.store.keys(layout.examined_by(dataset, body, ""))):
        if other != key:
            run.store.delete(other)


def _is_open(run: Run, submission: Submission, report: Report) -> bool:
    """Whether a file is held or rejected, is still there, and no later file has been published in its place."""
    if report.verdict.publishes or publishers.read_tombstone(run.store, submission.sha256):
        return False
    if report.period is None:
        return True
    part = f"--{report.part}" if report.part else ""
    series = Series.parse(f"{submission.dataset}/{submission.body}/{report.period}{part}")
    current = publishers.read_history(run.store, series)[0].current_version
    return current is None or (current.received or "") <= submission.received
