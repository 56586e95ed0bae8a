"""Which files are examined again, because the rules, a body's entry in the register or an answer has changed.

What the files of each body and dataset were last examined by, their *basis*, is the name of an object, so one listing
tells whether anything has changed, and no report is read unless it has. Then the files of that body and dataset that
are held or rejected are examined again: after another answer about a heading those that may have the heading, and those
that what becomes of these bears on; after other rules or another entry in the register, all. What is published stays:
`piperoll replay --apply` restates that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.errors import AlreadyThere, MappingError, NotThere
from piperoll.model import BodyMapping, Period, Question, Report, Series, Submission, to_document, to_json_bytes
from piperoll.model.columns import pc
from piperoll.operations.run_request import Run
from piperoll.reading import bare, read_cells

_FEW_BODIES = 8
"""A run of so few bodies lists what is recorded of each: that is quicker than one listing of thousands of bodies."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """A body and dataset whose files were examined by something else than `basis`, which is in force now.

    `files` are those that are held or rejected, that no later file of their series has replaced, and that what has
    changed bears on. `later` are the others of these, with the period on record: they are examined again if one of
    `files` turns out to be of an earlier period or of the same, because what is published and learnt then bears on
    them.
    """

    dataset: str
    body: str
    basis: str
    files: tuple[Submission, ...]
    later: tuple[tuple[Submission, Period | None], ...] = ()


def list_bases(run: Run) -> dict[tuple[str, str], set[str]]:
    """What the files of each dataset and body of a run were last examined by; several if a run was interrupted."""
    prefixes = [layout.EXAMINED_BY]
    if run.only is not None and len(run.only) <= _FEW_BODIES:
        prefixes = [layout.examined_by(one.name, body, "") for one in assets.datasets() for body in sorted(run.only)]
    bases: dict[tuple[str, str], set[str]] = {}
    for prefix in prefixes:
        for key in run.store.keys(prefix):
            dataset, body, basis = layout.parse_examined_by(key)
            if run.keeps(body):
                bases.setdefault((dataset, body), set()).add(basis)
    return bases


def compute_basis(run: Run, dataset: str, body: str) -> str:
    """What decides how a file is examined besides itself and earlier files: rules, register entry and answers."""
    answers = _digest_answers(_read_mapping(run, dataset, body))
    parts = (assets.rules_version(dataset), to_document(run.register.find(body)), answers)
    return "-".join(map(_digest, parts))


def find_outdated(run: Run, bases: Mapping[tuple[str, str], set[str]]) -> Iterator[Outdated]:
    """Yield the bodies and datasets of which `bases` is not what is in force now, with the files to examine again."""
    for (dataset, body), recorded in sorted(bases.items()):
        if not run.keeps(body):
            continue
        basis = compute_basis(run, dataset, body)
        if recorded != {basis}:
            listed = publishers.list_submissions(run.store, body)
            files = [
                (one, Period.parse(report.period) if report.period else None)
                for one, report in listed
                if report and one.dataset == dataset and _is_open(run, one, report)
            ]
            changed = _find_changed_questions(run, dataset, body, recorded, basis)
            bearing = {one.sha256 for one, _ in files if changed is None or _may_have(run, one, changed)}
            yield Outdated(
                dataset,
                body,
                basis,
                tuple(one for one, _ in files if one.sha256 in bearing),
                tuple((one, period) for one, period in files if one.sha256 not in bearing),
            )


def record_basis(run: Run, dataset: str, body: str, basis: str) -> None:
    """Record that every file of a body and dataset that needs it has been examined by `basis`."""
    key, answers = layout.examined_by(dataset, body, basis), _digest_answers(_read_mapping(run, dataset, body))
    # if someone has answered meanwhile, it is not known any more by which answers the files were examined
    is_known = answers is not None and basis.endswith(_digest(answers))
    content = to_json_bytes(answers or {}) if is_known else b""
    with suppress(AlreadyThere):
        run.store.create(key, content)
    for other in list(run.store.keys(layout.examined_by(dataset, body, ""))):
        if other != key:
            run.store.delete(other)


def _read_mapping(run: Run, dataset: str, body: str) -> BodyMapping | None:
    """The mapping of a body; None if it cannot be read: its files fail with the reason until it is mended."""
    try:
        return publishers.read_mapping(run.store, body, dataset)
    except MappingError:
        return None


def _digest_answers(mapping: BodyMapping | None) -> dict[str, str] | None:
    """The answer to each question of a mapping, both as digests: a heading could name a person."""
    if mapping is None:
        return None
    answered = (question for question in mapping.questions if not question.open)
    return {_digest(question.key): _digest(question.answer) for question in answered}


def _digest(part: Any) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _find_changed_questions(
    run: Run, dataset: str, body: str, recorded: Collection[str], basis: str
) -> tuple[Question, ...] | None:
    """The questions whose answers make `basis` another one than what is recorded; None if other things do, too."""
    mapping = _read_mapping(run, dataset, body)
    if mapping is None or len(recorded) != 1:
        return None
    (before,) = recorded
    if before.rpartition("-")[0] != basis.rpartition("-")[0]:
        return None
    try:
        content = run.store.read(layout.examined_by(dataset, body, before)).content
    except NotThere:
        return None
    answered: dict[str, str] | None = json.loads(content) if content else None
    now = _digest_answers(mapping)
    if answered is None or now is None:
        return None
    known = {_digest(question.key): question for question in mapping.questions}
    changed = {key for key in {*answered, *now} if answered.get(key) != now.get(key)}
    return tuple(known[key] for key in changed) if changed <= known.keys() else None


def _may_have(run: Run, submission: Submission, questions: Sequence[Question]) -> bool:
    """Whether a file may have one of the headings of questions, by its cells alone.

    A heading can be a cell, a part of one, or several cells that stand below each other; only the letters count.
    """
    if any(submission.sha256 in question.waiting for question in questions):
        return True
    wanted = {question.key[0] for question in questions}
    grids = read_cells(publishers.read_received_bytes(run.store, submission)).grids
    if any(grid.headings for grid in grids):
        return True
    begun: set[str] = set()
    ended: set[str] = set()
    for grid in grids:
        for block in grid.rows.blocks():
            for cell in filter(None, map(bare, pc.unique(block.flat).to_pylist())):
                if any(heading in cell for heading in wanted):
                    return True
                begun |= {heading for heading in wanted if heading.startswith(cell)}
                ended |= {heading for heading in wanted if heading.endswith(cell)}
    return not begun.isdisjoint(ended)


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
