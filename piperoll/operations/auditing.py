"""The audit of what files are to publish, many files in few calls of Frictionless and Great Expectations."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from piperoll import assets, checking
from piperoll.operations.examined import ExaminedFile


def audit(files: Sequence[ExaminedFile]) -> list[Exception | None]:
    """Take what the files are to publish through Frictionless and Great Expectations, many files in one call.

    Returns an error for each file, or None if it may be published: our rules disagree with theirs (EngineDisagreement,
    whose message names the rule), or the audit itself failed.
    """
    errors: dict[int, Exception] = {}
    waiting: dict[int, checking.AuditSample] = {}

    def audit_waiting() -> None:
        found = zip(waiting, checking.audit_together([*waiting.values()]), strict=True)
        errors.update((number, error) for number, error in found if error is not None)
        waiting.clear()

    for number, file in enumerate(files):
        if file.sample_at is None:
            continue
        dataset = assets.dataset(file.submission.dataset)
        try:
            tables = pickle.loads(file.sample_at.read_bytes())  # noqa: S301 - written by `examine`
        except Exception as error:  # noqa: BLE001 - one file's fault stays one file's
            errors[number] = error
            continue
        waiting[number] = checking.AuditSample(tuple(tables), dataset, assets.suite(dataset.name))
        if sum(sample.lines for sample in waiting.values()) >= checking.MOST_LINES_TOGETHER:
            audit_waiting()  # so that no more is in memory
    audit_waiting()
    return [errors.get(number) for number in range(len(files))]
